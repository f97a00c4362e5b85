"""The training section as spec files write it: ``expanded`` and ``shortened`` go to and from ``ir.training``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from kchainer.ir import definition
from kchainer.ir import op as definitions
from kchainer.ir.graph import Network
from kchainer.ir.losses import LOSSES, Loss
from kchainer.ir.op import Json, Kind, Problem, kind_of, plain
from kchainer.ir.optimizers import OPTIMIZERS, Optimizer
from kchainer.ir.records import BOOLEAN, TEXT, described, either, many, record
from kchainer.ir.training import Metric, Owner, Training

NUMBER = kind_of(float, {})
NAME_OF_LOSS = Kind(
    {"enum": sorted(LOSSES)},
    lambda v, at: _unless(v in LOSSES if isinstance(v, str) else False, v, at),
    lambda v: v,
)


def _unless(fine: bool, v: Any, at: str) -> Iterator[Problem]:
    if not fine:
        kind: Any = "op" if isinstance(v, str) else "type"
        yield Problem(at, kind, v, ", ".join(sorted(LOSSES)))


def _ref(kind: Kind, name: str) -> Kind:
    return Kind({"$ref": f"#/$defs/{name}"}, kind.problems, kind.decode)


def _by_type(**kinds: Kind) -> Kind:
    """One of several kinds, picked by whether the value is a text, a list or an object."""
    names = {"text": str, "list": list, "object": dict}

    def problems(v: Any, at: str) -> Iterator[Problem]:
        for name, kind in kinds.items():
            if isinstance(v, names[name]):
                yield from kind.problems(v, at)
                return
        yield Problem(at, "type", v, " or ".join(kinds))

    return Kind({"anyOf": [kind.schema for kind in kinds.values()]}, problems, lambda v: v)


OPTIMIZER, LOSS, METRIC = Optimizer.kind(), Loss.kind(), Metric.kind()
A_LOSS = _by_type(text=NAME_OF_LOSS, object=_ref(LOSS, "loss"))
A_METRIC = _by_type(text=TEXT, object=_ref(METRIC, "metric"))
PLACE = {
    "network": described(TEXT, "name of the network; left out: the only one"),
    "output": described(
        either(kind_of(int, {"minimum": 0}), TEXT), "number or name of the output", default=0
    ),
}
OWNER = record(
    {"optimizer": _ref(OPTIMIZER, "optimizer")},
    {
        "networks": described(many(TEXT), "networks that it updates; none: all"),
        "params": described(many(TEXT), "patterns that whole paths of params match; none: all no other owns"),
        "no_weight_decay": described(many(TEXT), "patterns found in paths that do not decay"),
    },
)
OBJECTIVE = record(
    {"loss": A_LOSS},
    PLACE
    | {
        "weight": described(NUMBER, "factor in the sum", default=1.0),
        "on_logits": described(
            BOOLEAN, "the loss sees what enters the output's last softmax or sigmoid", default=False
        ),
    },
)
MEASURE = record(
    {"metric": A_METRIC},
    PLACE
    | {
        "weighted": described(BOOLEAN, "sample weights count", default=False),
        "masked": described(
            kind_of(Literal["means", "all", "none"], {}), "which metrics a mask counts for", default="means"
        ),
    },
)
TRAINING = record(
    {},
    {
        "optimizers": described(
            _by_type(object=_ref(OPTIMIZER, "optimizer"), list=many(OWNER)),
            "one for all params, or a list of those with what they own",
        ),
        "losses": described(
            _by_type(text=NAME_OF_LOSS, object=_ref(LOSS, "loss"), list=many(OBJECTIVE)),
            "one for the only output, or a list with their outputs",
        ),
        "metrics": many(_by_type(text=TEXT, object=MEASURE)),
        "missing_class_weight": described(
            kind_of(float | None, {}),
            "of a class that class_weight does not name; null: an error",
            default=1.0,
        ),
        "frozen_penalties": described(
            BOOLEAN, "penalties of params that are not trained count in the loss", default=False
        ),
    },
)
DEFS = {"optimizer": OPTIMIZER.schema, "loss": LOSS.schema, "metric": METRIC.schema}


def names_of(network: Network) -> tuple[str, ...]:
    """Names of the outputs: those of the file, else their layers'."""
    return network.output_names or tuple(network.nodes[node].layer for node, _ in network.outputs)


def _named(value: Any, key: str = "op") -> Any:
    return {key: value} if isinstance(value, str) else value


def expanded(data: Json, networks: Mapping[str, Network]) -> tuple[Json, list[Problem]]:
    """The section in the form of IR files, and references to what there is not."""
    wrong: list[Problem] = []
    only = next(iter(networks))

    def place(one: Json, at: str) -> Json:
        name: Any = one.get("network", only if len(networks) == 1 else None)
        if name not in networks:
            kind: Any = "missing" if name is None else "value"
            wrong.append(
                Problem(at if name is None else f"{at}/network", kind, name or "network", ", ".join(networks))
            )
            return {"network": only, "output": 0}
        output, names = one.get("output", 0), names_of(networks[name])
        if isinstance(output, str) and output not in names:
            wrong.append(Problem(f"{at}/output", "value", output, ", ".join(names)))
        number = names.index(output) if output in names else output if isinstance(output, int) else 0
        return {"network": name, "output": number}

    optimizers = data.get("optimizers", [])
    owners = optimizers if isinstance(optimizers, list) else [{"optimizer": optimizers}]
    losses = data.get("losses", [])
    objectives = losses if isinstance(losses, list) else [{"loss": losses}]
    out: Json = {
        "optimizers": owners,
        "objectives": [
            {**one, **place(one, f"/losses/{i}"), "loss": _named(one["loss"])}
            for i, one in enumerate(objectives)
        ],
        "metrics": [
            {**full, **place(full, f"/metrics/{i}"), "metric": _named(full["metric"])}
            for i, one in enumerate(data.get("metrics", []))
            for full in [{"metric": one} if isinstance(one, str) else one]
        ],
    }
    return out | {k: data[k] for k in ("missing_class_weight", "frozen_penalties") if k in data}, wrong


def shortened(training: Training, networks: Mapping[str, Network]) -> Json:
    """The section as short as spec files take it."""
    out: Json = {}
    owners = [_owner(one) for one in training.optimizers]
    if owners:
        out["optimizers"] = owners[0]["optimizer"] if len(owners) == 1 and len(owners[0]) == 1 else owners
    single = len(networks) == 1

    def place(one: Any) -> Json:
        names = networks[one.network].output_names
        said: Json = {} if single else {"network": one.network}
        return said | (
            {"output": names[one.output] if names else one.output} if one.output or names[1:] else {}
        )

    losses = [
        {"loss": _loss(o.loss), **place(o), **_said(o, "weight", "on_logits")}
        for o in training.objectives
        if o.loss is not None
    ]
    if losses:
        out["losses"] = losses[0]["loss"] if single and len(losses) == 1 and len(losses[0]) == 1 else losses
    metrics = [
        {
            "metric": m.metric.name if not m.metric.arguments else m.metric.json(),
            **place(m),
            **_said(m, "weighted", "masked"),
        }
        for m in training.metrics
    ]
    if metrics:
        plain_names = all(len(m) == 1 and isinstance(m["metric"], str) for m in metrics)
        out["metrics"] = [m["metric"] for m in metrics] if plain_names else metrics
    return out | _said(training, "missing_class_weight", "frozen_penalties")


def _said(one: Any, *names: str) -> Json:
    """Attributes that are not what the spec takes when they are left out."""
    usual = definitions.defaults(type(one))
    return {name: getattr(one, name) for name in names if plain(usual[name]) != getattr(one, name)}


def _brief(table: dict[str, Any], data: Json) -> Json:
    usual = definitions.defaults(table[data["op"]])
    return {
        key: _brief(OPTIMIZERS, value) if key == "inner" else value
        for key, value in data.items()
        if key not in usual or plain(usual[key]) != value
    }


def _owner(one: Owner) -> Json:
    lists = {name: list(getattr(one, name)) for name in ("networks", "params", "no_weight_decay")}
    brief = _brief(OPTIMIZERS, definition.to_json(one.optimizer))
    return {"optimizer": brief} | {k: v for k, v in lists.items() if v}


def _loss(one: Loss) -> Any:
    brief = _brief(LOSSES, definition.to_json(one))
    return brief["op"] if len(brief) == 1 else brief
