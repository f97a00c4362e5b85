"""The compiled settings of a file: ``training_config``, ``compile_config``, or beside the layers in Keras 0.3."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from kchainer.frontends.fields import Fault, Since, Wrong, members
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.losses.tables import bare, loss_of
from kchainer.frontends.keras.optimizers.read import owners_of
from kchainer.frontends.keras.optimizers.tables import loose
from kchainer.ir import losses as ir
from kchainer.ir.training import Measure, Metric, Objective, Training

Json = dict[str, Any]
# Weight of a class that class_weight does not name; None is an error.
MISSING_CLASS = {"keras": Since({"0.3": 1.0, "2.0": None, "3.0": 1.0}), "tf_keras": Since({"1.13": 1.0})}
# Which metrics see the mask of an output.
MASKED_METRICS = {
    "keras": Since({"0.3": "none", "2.0": "all", "3.0": "means"}),
    "tf_keras": Since({"1.13": "all"}),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Output:
    """An output of the model: its name, the length of its last axis, and the activation that made it, if known."""

    name: str
    size: int | None
    activation: str | None = None


def training_of(
    config: Json | None, dialect: Dialect, network: str, outputs: Sequence[Output]
) -> tuple[Training | None, list[Fault]]:
    """The training section, or None for a model that was not compiled; and what is wrong."""
    if not config or not (config.get("optimizer") or config.get("optimizer_config")):
        return None, []
    key = "optimizer_config" if "optimizer_config" in config else "optimizer"
    owners, faults = owners_of(config[key], dialect, f"/{key}")
    objectives, wrong = _objectives(config, dialect, network, outputs)
    faults += wrong
    measures: tuple[Measure, ...] = ()
    try:
        measures = tuple(_measures(config, dialect, network, outputs, objectives)) if not faults else ()
    except Wrong as no:
        faults.append(Fault("KC104", "/metrics", "a metric has a wrong type", expected=no.expected))
    training = Training(
        optimizers=owners,
        objectives=objectives,
        metrics=measures,
        missing_class_weight=MISSING_CLASS[dialect.flavour].at(dialect),
        frozen_penalties=dialect.flavour == "tf_keras" or dialect.release < (3,),
    )
    return (None if faults else training), faults


def spread(value: Any, outputs: Sequence[Output], *, is_one: bool) -> tuple[list[Any], str | None]:
    """A value for each output, given for all (``is_one``), by order or by name; and a name that is no output."""
    if is_one:
        return [value] * len(outputs), None
    if isinstance(value, dict):
        names = [o.name for o in outputs]
        unknown = sorted(set(value) - set(names))
        return [value.get(name) for name in names], unknown[0] if unknown else None
    if isinstance(value, (list, tuple)) and len(value) == len(outputs):
        return list(value), None
    return [value[0]] * len(outputs) if isinstance(value, list) and len(value) == 1 else [], None


def _is_loss(value: Any) -> bool:
    return value is None or isinstance(value, str) or (isinstance(value, dict) and "class_name" in value)


def _objectives(
    config: Json, dialect: Dialect, network: str, outputs: Sequence[Output]
) -> tuple[tuple[Objective, ...], list[Fault]]:
    loss, weights = config.get("loss"), config.get("loss_weights")
    given, unknown = spread(loss, outputs, is_one=_is_loss(loss))
    faults = [Fault("KC104", f"/loss/{unknown}", f"`{unknown}` is no output")] if unknown else []
    if not given:
        return (), [*faults, Fault("KC104", "/loss", "as many losses are expected as there are outputs")]
    by_weight, _ = spread(weights, outputs, is_one=weights is None or isinstance(weights, (int, float)))
    out = []
    for i, (one, weight) in enumerate(zip(given, by_weight or [None] * len(given), strict=True)):
        where = f"/loss/{outputs[i].name}" if isinstance(loss, dict) and not _is_loss(loss) else "/loss"
        made, wrong = loss_of(one, dialect, where)
        faults += wrong
        try:
            factor = 1.0 if weight is None else loose(weight)
        except Wrong as no:
            faults.append(Fault("KC104", "/loss_weights", "a weight has a wrong type", expected=no.expected))
            continue
        on_logits = _on_logits(made, outputs[i], dialect)
        if on_logits and isinstance(made, ir.BinaryFocalCrossentropy) and outputs[i].activation == "softmax":
            # half of it is computed from the softmax, half from its logits
            faults.append(Fault("KC204", where, "a binary focal loss of a softmax is not supported"))
        if on_logits:
            made = dataclasses.replace(made, from_logits=True)  # type: ignore[type-var]  # one of ON_LOGITS
        out.append(Objective(network=network, output=i, loss=made, weight=factor, on_logits=on_logits))
    return tuple(out), faults


# tf.keras takes the logits of the activation that made a prediction, where these losses find one. From 2.4 on the
# logits stay with the output, and any of these losses takes those of either activation: the binary one those of a
# softmax, as if each were a sigmoid's (seen in 2.15; read in 2.6).
LOGITS_OF = {
    ir.BinaryCrossentropy: Since({"1.13": ("sigmoid",), "2.4": ("sigmoid", "softmax")}),
    ir.CategoricalCrossentropy: Since({"1.13": ("softmax",), "2.4": ("sigmoid", "softmax")}),
    ir.SparseCategoricalCrossentropy: Since({"1.13": ("softmax",), "2.4": ("sigmoid", "softmax")}),
}


def _on_logits(loss: ir.Loss | None, output: Output, dialect: Dialect) -> bool:
    made_by = [since for cls, since in LOGITS_OF.items() if isinstance(loss, cls)]
    return dialect.flavour == "tf_keras" and bool(made_by) and output.activation in made_by[0].at(dialect)


def _measures(
    config: Json,
    dialect: Dialect,
    network: str,
    outputs: Sequence[Output],
    objectives: Sequence[Objective],
) -> Iterator[Measure]:
    """Metrics never change training: one that is not understood is left to whoever computes it."""
    masked = MASKED_METRICS[dialect.flavour].at(dialect)
    for key in ("metrics", "weighted_metrics"):
        for i, one in _by_output(config.get(key), outputs):
            name, arguments = _metric(one)
            loss = objectives[i].loss if i < len(objectives) else None
            metric = Metric(name=_resolved(name, loss, outputs[i].size), arguments=arguments)
            weighted = key == "weighted_metrics"
            yield Measure(network=network, output=i, metric=metric, weighted=weighted, masked=masked)


def _by_output(value: Any, outputs: Sequence[Output]) -> Iterator[tuple[int, Any]]:
    if value is None:
        return
    if isinstance(value, dict) and "class_name" not in value:
        for i, output in enumerate(outputs):
            own = value.get(output.name)
            yield from ((i, one) for one in (own if isinstance(own, list) else [own]) if one is not None)
        return
    several = value if isinstance(value, list) else [value]
    is_nested = len(several) == len(outputs) and all(isinstance(v, (list, type(None))) for v in several)
    for i in range(len(outputs)):
        own = several[i] if is_nested else several
        yield from ((i, one) for one in own or ())


def _metric(raw: Any) -> tuple[str, tuple[tuple[str, Any], ...]]:
    """Name and plain arguments of a metric. Raises Wrong."""
    if not isinstance(raw, dict):
        return str(raw), ()
    config = raw.get("config")
    if isinstance(config, str):
        return config, ()
    config = members(config)
    fn = config.pop("fn", None)
    name = fn if isinstance(fn, str) else str(raw.get("class_name", ""))
    kept = {k: v for k, v in config.items() if k not in ("name", "dtype") and not isinstance(v, dict)}
    return name, tuple((k, _frozen(v)) for k, v in kept.items())


def _frozen(v: Any) -> Any:
    return tuple(_frozen(one) for one in v) if isinstance(v, list) else v


# What `accuracy` and `crossentropy` mean by the loss.
BY_LOSS = {
    "accuracy": ("BinaryAccuracy", "SparseCategoricalAccuracy", "CategoricalAccuracy"),
    "crossentropy": ("BinaryCrossentropy", "SparseCategoricalCrossentropy", "CategoricalCrossentropy"),
}


def _resolved(name: str, loss: ir.Loss | None, size: int | None) -> str:
    word = {"acc": "accuracy", "ce": "crossentropy"}.get(bare(name), bare(name))
    if word not in BY_LOSS or name == "Accuracy":
        return name.rpartition(">")[2]
    binary, sparse, categorical = BY_LOSS[word]
    if isinstance(loss, ir.BinaryCrossentropy) or size == 1:
        return binary
    return sparse if isinstance(loss, ir.SparseCategoricalCrossentropy) else categorical
