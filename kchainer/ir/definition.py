"""Described dataclasses that are no ops: initializers, regularizers, constraints. Attributes as in ``op.py``."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, TypeVar, dataclass_transform

from kchainer.ir import op as definitions
from kchainer.ir.op import Op, Problem

Json = dict[str, Any]
T = TypeVar("T", bound="type[Setting]")


class Setting:
    """Base of what a file says of a param. ``name`` is its word in kchainer's JSON, under ``op``."""

    __slots__ = ()
    name: ClassVar[str]

    def fits(self, shape: tuple[int, ...]) -> str | None:
        """What is wrong with a param of this shape, None where it fits."""
        return None


@dataclass_transform(frozen_default=True, kw_only_default=True)
def described(table: dict[str, Any]) -> Callable[[T], T]:
    """Make a class a frozen keyword-only dataclass, as ``op`` does, and enter it in ``table``."""

    def make(cls: T) -> T:
        made = dataclasses.dataclass(frozen=True, slots=True, kw_only=True)(cls)
        made.name = cls.__name__
        if table.setdefault(made.name, made) is not made:
            raise TypeError(f"{made.name} is defined twice")
        return typing.cast("T", made)

    return make


def _as_op(cls: Any) -> type[Op]:
    """The functions of ``op.py`` read the fields of a class and its name, which both have."""
    return typing.cast("type[Op]", cls)


def to_json(one: Setting) -> Json:
    """A setting as kchainer's JSON, every attribute written out."""
    return definitions.to_json(typing.cast("Op", one))


def problems(table: dict[str, Any], data: Any, at: str) -> Iterator[Problem]:
    """What is wrong with the JSON form of a setting of this table."""
    if not isinstance(data, dict):
        yield Problem(at, "type", data, "an object")
    elif not isinstance(data.get("op"), str) or data["op"] not in table:
        kind: Any = "value" if "op" in data else "missing"
        yield Problem(
            f"{at}/op" if "op" in data else at, kind, data.get("op", "op"), "one of " + ", ".join(table)
        )
    else:
        yield from definitions.problems(_as_op(table[data["op"]]), data, at)


def from_json(table: dict[str, Any], data: Json) -> Any:
    """The setting of a JSON form that has no problems."""
    return definitions.from_json(_as_op(table[data["op"]]), data)


def schema(table: dict[str, Any]) -> Json:
    """The JSON Schema of a setting of this table."""
    return {"anyOf": [definitions.schema(_as_op(table[name])) for name in sorted(table)]}
