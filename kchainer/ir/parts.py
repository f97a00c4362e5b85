"""Described values that stand inside others: a schedule in an optimizer, a loss in an objective."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator
from typing import Any, ClassVar, dataclass_transform

from kchainer.ir import definition
from kchainer.ir import op as definitions
from kchainer.ir.definition import Setting
from kchainer.ir.op import Kind, Nested, Op, Problem

Json = dict[str, Any]


class Part(Setting, Nested):
    """A setting that stands inside another; ``table`` holds its kinds."""

    __slots__ = ()
    table: ClassVar[dict[str, Any]]

    @classmethod
    def kind(cls) -> Kind:
        table = cls.table
        return Kind(
            definition.schema(table),
            lambda v, at: definition.problems(table, v, at),
            lambda v: definition.from_json(table, v),
        )

    def json(self) -> Json:
        return definition.to_json(self)


@dataclass_transform(frozen_default=True, kw_only_default=True)
def base(cls: Any) -> Any:
    """A class of attributes that others inherit."""
    return dataclasses.dataclass(frozen=True, slots=True, kw_only=True)(cls)


class Record(Nested):
    """A group of attributes without an ``op``."""

    __slots__ = ()
    name: ClassVar[str]

    @classmethod
    def kind(cls) -> Kind:
        return Kind(cls.schema(), cls.problems, cls.from_json)

    @classmethod
    def schema(cls) -> Json:
        """The JSON Schema, without ``op``."""
        out = definitions.schema(_as_op(cls))
        del out["properties"]["op"]
        return out | {"required": [key for key in out["required"] if key != "op"]}

    @classmethod
    def problems(cls, data: Any, at: str = "") -> Iterator[Problem]:
        """What is wrong with the JSON form."""
        if not isinstance(data, dict):
            yield Problem(at, "type", data, "an object")
        elif "op" in data:
            yield Problem(f"{at}/op", "unknown", data["op"], "no op")
        else:
            yield from definitions.problems(_as_op(cls), data, at)

    @classmethod
    def from_json(cls, data: Json) -> Any:
        """The value of a JSON form that has no problems."""
        return definitions.from_json(_as_op(cls), data)

    def json(self) -> Json:
        out = definitions.to_json(typing.cast("Op", self))
        return {key: value for key, value in out.items() if key != "op"}


def _as_op(cls: Any) -> type[Op]:
    """The functions of ``op.py`` read the fields of a class and its name, which records have."""
    return typing.cast("type[Op]", cls)
