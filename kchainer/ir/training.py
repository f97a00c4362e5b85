"""How a model is trained, as data: optimizers and what they own, losses and metrics of outputs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from kchainer.ir import op as definitions
from kchainer.ir.arrays import LazyArray, held
from kchainer.ir.definition import described
from kchainer.ir.losses import LOSSES, Loss
from kchainer.ir.op import Kind, Nested, Problem, attr
from kchainer.ir.optimizers import OPTIMIZERS, SCHEDULES, LossScale, Muon, Optimizer, Schedule
from kchainer.ir.parts import Record
from kchainer.ir.patterns import MANY, is_plain, pattern, refusal

Json = dict[str, Any]
__all__ = [
    "LOSSES",
    "OPTIMIZERS",
    "SCHEDULES",
    "Gathered",
    "Loss",
    "Measure",
    "Metric",
    "Objective",
    "Optimizer",
    "Owner",
    "Schedule",
    "Training",
]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Metric(Nested):
    """A metric by Keras's newest class name, with its arguments; metrics never change training."""

    name: str
    arguments: tuple[tuple[str, Any], ...]

    @classmethod
    def kind(cls) -> Kind:
        return Kind(
            {"type": "object", "required": ["op"], "properties": {"op": {"type": "string"}}},
            _metric_problems,
            lambda v: cls(name=v["op"], arguments=tuple((k, _tuples(a)) for k, a in v.items() if k != "op")),
        )

    def json(self) -> Json:
        return {"op": self.name} | {k: definitions.plain(v) for k, v in self.arguments}


def _tuples(value: Any) -> Any:
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value


def _metric_problems(v: Any, at: str) -> Iterator[Problem]:
    if not isinstance(v, dict):
        yield Problem(at, "type", v, "an object")
    elif not isinstance(v.get("op"), str):
        yield Problem(at, "missing", "op", "op")


RECORDS: dict[str, Any] = {}


@described(RECORDS)
class Owner(Record):  # type: ignore[type-var]  # named like a setting, but no setting
    """An optimizer and what it updates. A param that several own by pattern is a problem of who builds it."""

    optimizer: Optimizer = attr(doc="the optimizer")
    networks: tuple[str, ...] = attr(doc="names of the networks it updates; none: all", spec=())
    params: tuple[str, ...] = attr(
        doc="patterns that whole paths of params match; none: all no other owns", spec=()
    )
    no_weight_decay: tuple[str, ...] = attr(doc="patterns found in paths that do not decay", spec=())


@described(RECORDS)
class Objective(Record):  # type: ignore[type-var]  # as Owner
    """A loss of one output."""

    network: str = attr(doc="name of the network")
    output: int = attr(doc="number of the output", minimum=0)
    loss: Loss | None = attr(doc="the loss; null: this output has none")
    weight: float = attr(doc="factor in the sum", spec=1.0)
    on_logits: bool = attr(
        doc="the loss sees what enters the output's last softmax or sigmoid, as logits", spec=False
    )


@described(RECORDS)
class Measure(Record):  # type: ignore[type-var]  # as Owner
    """A metric of one output."""

    network: str = attr(doc="name of the network")
    output: int = attr(doc="number of the output", minimum=0)
    metric: Metric = attr(doc="the metric")
    weighted: bool = attr(doc="sample weights count", spec=False)
    masked: Literal["means", "all", "none"] = attr(
        doc="the mask of the output counts: for means of samples, for metrics of every kind, or not at all",
        spec="means",
    )


@described(RECORDS)
class Training(Record):  # type: ignore[type-var]  # as Owner
    """The training section of a model. Penalties of params stand with their layers."""

    optimizers: tuple[Owner, ...] = attr(doc="optimizers and what they update", spec=())
    objectives: tuple[Objective, ...] = attr(doc="losses, in the order of outputs", spec=())
    metrics: tuple[Measure, ...] = attr(doc="what is measured", spec=())
    missing_class_weight: float | None = attr(
        doc="weight of a class that class_weight does not name; null: an error", spec=1.0
    )
    frozen_penalties: bool = attr(
        doc="penalties of params that are not trained count in the loss", spec=False
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Gathered:
    """What the optimizer of a file had gathered. No part of JSON files: it goes with the arrays.

    ``slots`` has arrays by (layer, param) and slot, the slots named as ``kchainer.optimizers`` names them, in the
    layout of the param. ``scale`` is that of a loss scale: the factor, and the finite steps since it changed.
    ``each`` has the steps of each optimizer where there are several.
    """

    steps: int
    slots: Mapping[tuple[str, str], Mapping[str, LazyArray]]
    scale: tuple[float, int] | None = None
    each: tuple[int, ...] = ()

    def __reduce__(self) -> Any:
        """Pickled and copied with its arrays, not with the open file."""
        slots = {
            key: {slot: held(array.read(), array.source) for slot, array in arrays.items()}
            for key, arrays in self.slots.items()
        }
        return Gathered, (self.steps, slots, self.scale, self.each)


def owning(owners: Sequence[Owner], name: str) -> list[int]:
    """Which owners update a param: those that name its whole path, else by a pattern, else the last without any.

    Raises: PatternError for a pattern that is refused.
    """
    exact = [i for i, o in enumerate(owners) if name in o.params]
    by = exact or [i for i, o in enumerate(owners) if any(_fits(p, name) for p in o.params)]
    return by or [i for i, o in enumerate(owners) if not o.params][-1:]


def _fits(text: str, name: str) -> bool:
    return not is_plain(text) and pattern(text).fullmatch(name)


def misplaced(training: Training, outputs: Mapping[str, int], at: str) -> Iterator[Problem]:
    """Names of networks and numbers of outputs that a model of these (network -> how many outputs) has not."""
    for i, owner in enumerate(training.optimizers):
        yield from _misplaced_owner(owner, outputs, f"{at}/optimizers/{i}")
    yield from _too_many(training.optimizers, f"{at}/optimizers")
    one: Any
    for key, entries in (("objectives", training.objectives), ("metrics", training.metrics)):
        for i, one in enumerate(entries):
            if one.network not in outputs:
                yield Problem(f"{at}/{key}/{i}/network", "value", one.network, ", ".join(outputs))
            elif one.output >= outputs[one.network]:
                yield Problem(f"{at}/{key}/{i}/output", "value", one.output, f"below {outputs[one.network]}")


def _misplaced_owner(owner: Owner, outputs: Mapping[str, int], at: str) -> Iterator[Problem]:
    for k, name in enumerate(owner.networks):
        if name not in outputs:
            yield Problem(f"{at}/networks/{k}", "value", name, ", ".join(outputs))
    for place, text in _patterns(owner):
        if why := refusal(text):
            yield Problem(f"{at}/{place}", "value", text, f"a regular expression that is supported: {why}")


def _patterns(owner: Owner) -> Iterator[tuple[str, str]]:
    """All patterns of an owner, with their places."""
    one, place = owner.optimizer, "optimizer"
    if isinstance(one, LossScale):
        one, place = one.inner, "optimizer/inner"
    excluded = one.exclude_layers if isinstance(one, Muon) else ()
    lists = (("params", owner.params), ("no_weight_decay", owner.no_weight_decay))
    for key, texts in (*lists, (f"{place}/exclude_layers", excluded)):
        for k, text in enumerate(texts):
            yield f"{key}/{k}", text


def has_too_many_patterns(owners: Sequence[Owner]) -> bool:
    """Whether matching could take too long in all."""
    return sum(not is_plain(text) for owner in owners for _, text in _patterns(owner)) > MANY


def _too_many(owners: Sequence[Owner], at: str) -> Iterator[Problem]:
    if has_too_many_patterns(owners):
        yield Problem(at, "value", "more", f"at most {MANY} patterns in all that are no plain names")
