"""What a layer says of its params: ``{"kernel": {"initializer": {"op": ...}, "regularizer": ..., ...}}``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kchainer.ir import definition
from kchainer.ir.constraints import CONSTRAINTS
from kchainer.ir.definition import Setting
from kchainer.ir.initializers import INITIALIZERS
from kchainer.ir.op import Problem
from kchainer.ir.regularizers import REGULARIZERS

Json = dict[str, Any]
TABLES = {"initializer": INITIALIZERS, "regularizer": REGULARIZERS, "constraint": CONSTRAINTS}
# The layer's output, which is no param, under its name in ``settings``.
ACTIVITY = "activity"


def problems(settings: Any, at: str) -> Iterator[Problem]:
    """What is wrong with the ``settings`` of a layer in JSON."""
    if not isinstance(settings, dict):
        yield Problem(at, "type", settings, "an object")
        return
    for param, said in settings.items():
        place = f"{at}/{param.replace('~', '~0').replace('/', '~1')}"
        if not isinstance(said, dict):
            yield Problem(place, "type", said, "an object")
            continue
        for kind, data in said.items():
            if kind not in TABLES:
                yield Problem(
                    f"{place}/{kind.replace('~', '~0').replace('/', '~1')}",
                    "unknown",
                    data,
                    ", ".join(TABLES),
                )
            else:
                yield from definition.problems(TABLES[kind], data, f"{place}/{kind}")


def schema() -> Json:
    """The JSON Schema of ``settings``."""
    return {
        "type": "object",
        "description": "initializer, regularizer and constraint of each param, and of the output as `activity`",
        "additionalProperties": {
            "type": "object",
            "properties": {kind: {"$ref": f"#/$defs/{kind}"} for kind in TABLES},
            "additionalProperties": False,
        },
    }


def schemas() -> Json:
    """What ``schema`` refers to."""
    return {kind: definition.schema(table) for kind, table in TABLES.items()}


def setting(settings: Mapping[str, Mapping[str, Any]], param: str, kind: str) -> Setting | None:
    """What is said of a param; "depthwise" also speaks for "depthwise_kernel"."""
    said = settings.get(param) or settings.get(param.removesuffix("_kernel")) or {}
    data = said.get(kind)
    return None if data is None else definition.from_json(TABLES[kind], dict(data))
