"""How a model is trained, as data: optimizers and what they own, losses and metrics of outputs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from kchainer.ir import op as definitions
from kchainer.ir.definition import described
from kchainer.ir.losses import LOSSES, Loss
from kchainer.ir.op import Kind, Nested, Problem, attr
from kchainer.ir.optimizers import OPTIMIZERS, SCHEDULES, Optimizer, Schedule
from kchainer.ir.parts import Record

Json = dict[str, Any]
__all__ = [
    "LOSSES",
    "OPTIMIZERS",
    "SCHEDULES",
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


@described(RECORDS)
class Training(Record):  # type: ignore[type-var]  # as Owner
    """The training section of a model. Penalties of params stand with their layers."""

    optimizers: tuple[Owner, ...] = attr(doc="optimizers and what they update", spec=())
    objectives: tuple[Objective, ...] = attr(doc="losses, in the order of outputs", spec=())
    metrics: tuple[Measure, ...] = attr(doc="what is measured", spec=())
    missing_class_weight: float | None = attr(
        doc="weight of a class that class_weight does not name; null: an error", spec=1.0
    )
