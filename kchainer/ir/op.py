"""What an op is: attributes, params and shape inference in one frozen dataclass."""

from __future__ import annotations

import dataclasses
import functools
import math
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Literal, TypeVar, dataclass_transform

Dim = int | None  # None is a size that is not known until the network runs
Shape = tuple[Dim, ...]
Json = dict[str, Any]
T = TypeVar("T", bound="type[Op]")
V = TypeVar("V")

OPS: dict[str, type[Op]] = {}
MISSING = object()

# How an op sees the physical order of its inputs; see passes/layout.py.
Layout = Literal["spatial", "any", "axes", "units", "logical"]


class ShapeError(Exception):
    """An op cannot take these shapes. The caller adds the layer's name and place."""


@dataclasses.dataclass(frozen=True, slots=True)
class Param:
    """One array that a layer owns; ``shape`` is in the layout that ``axes`` spells, a letter an axis."""

    name: str
    shape: tuple[int, ...]
    axes: str
    trainable: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at one place of a JSON form; ``kind`` op: there is no op of that name."""

    pointer: str
    kind: Literal["missing", "unknown", "type", "value", "op"]
    found: Any
    expected: str


def attr(
    *,
    doc: str,
    spec: Any = MISSING,
    minimum: float | None = None,
    above: float | None = None,
    below: float | None = None,
) -> Any:
    """Declare an attribute.

    ``spec`` is the value that kchainer's JSON may leave out. It is no Python default: a translator has to pass
    every attribute, so that forgetting one is a TypeError and never a silent guess.
    """
    bounds = {"minimum": minimum, "exclusiveMinimum": above, "exclusiveMaximum": below}
    return dataclasses.field(
        metadata={"doc": doc, "spec": spec, "bounds": {k: v for k, v in bounds.items() if v is not None}}
    )


class Op:
    """Base of all ops. Subclasses are frozen dataclasses made by the ``op`` decorator."""

    __slots__ = ()
    name: ClassVar[str]
    layout: ClassVar[Layout] = "logical"
    # what a call does also where nothing needs its output
    updates: ClassVar[bool] = False  # changes arrays in training
    penalises: ClassVar[bool] = False  # adds to the loss

    # Any and **more: each op names its own inputs, and mypy takes every signature as an override of this one.
    def params(self, *xs: Any, **more: Any) -> tuple[Param, ...]:
        """The arrays a layer of this op owns when it is called on inputs of these shapes."""
        return ()

    def infer(self, *xs: Any, **more: Any) -> Shape:
        """The output's shape. Raises ShapeError where the inputs do not fit."""
        raise NotImplementedError

    def outputs(self, *xs: Shape) -> tuple[Shape, ...]:
        """The shapes of all outputs; one unless an op says otherwise."""
        return (self.infer(*xs),)

    @property
    def keeps_state(self) -> bool:
        """Whether a call begins where the call before ended."""
        return False

    def check(self) -> Iterator[str]:
        """Rules between attributes that JSON Schema cannot say: yields what is wrong."""
        return iter(())


class SameShape(Op):
    """Base of ops of one value whose output has its shape, in whatever layout it comes."""

    __slots__ = ()
    layout: ClassVar[Layout] = "any"

    def infer(self, x: Shape) -> Shape:
        return x


@dataclass_transform(frozen_default=True, kw_only_default=True)
def op(cls: T) -> T:
    """Make ``cls`` a frozen keyword-only dataclass and register it under its own name."""
    made = dataclasses.dataclass(frozen=True, slots=True, kw_only=True)(cls)
    made.name = cls.__name__
    if OPS.setdefault(made.name, made) is not made:
        raise TypeError(f"op {made.name} is defined twice")
    return typing.cast("T", made)


def known(dim: Dim, what: str = "channels") -> int:
    """``dim`` where a size has to be known. Raises ShapeError otherwise."""
    if dim is None:
        raise ShapeError(f"the number of {what} has to be known")
    return dim


def axes_of(x: Shape, *axes: int) -> None:
    """Raises ShapeError unless all of ``axes``, counted from the front, are axes of ``x`` and differ."""
    for axis in axes:
        if not 0 <= axis < len(x):
            raise ShapeError(f"axis {axis} is not an axis of {show(x)}")
    if len(set(axes)) != len(axes):
        raise ShapeError(f"axes {list(axes)} name one axis twice")


def rank_of(x: Shape, *ranks: int) -> int:
    """The rank of ``x``. Raises ShapeError unless it is one of ``ranks``."""
    if len(x) not in ranks:
        raise ShapeError(f"expected rank {' or '.join(map(str, ranks))}, found {show(x)}")
    return len(x)


def show(x: Shape) -> str:
    """A shape as messages print it: N for the batch, ? for another unknown size."""
    parts = [("N" if i == 0 else "?") if d is None else str(d) for i, d in enumerate(x)]
    return f"({', '.join(parts)}{',' if len(x) == 1 else ''})"


def sides(total: int) -> tuple[int, int]:
    """TensorFlow's split of a padding: the smaller half before."""
    return total // 2, total - total // 2


def product(dims: Shape) -> Dim:
    """The product of ``dims``, unknown when one is."""
    return None if None in dims else math.prod(typing.cast("tuple[int, ...]", dims))


# ------------------------------------------------------------------ types of attributes, one description each


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """What an annotation means: its JSON Schema, its check of a JSON value, its Python value."""

    schema: Json
    problems: Callable[[Any, str], Iterator[Problem]]
    decode: Callable[[Any], Any]


class Nested:
    """Base of values with a JSON form of their own inside another's: a schedule in an optimizer."""

    __slots__ = ()

    @classmethod
    def kind(cls) -> Kind:
        """The description of such a value."""
        raise NotImplementedError

    def json(self) -> Json:
        """Its JSON form."""
        raise NotImplementedError


def _literal(args: tuple[Any, ...]) -> Kind:
    expected = "one of " + ", ".join(repr(a) for a in args)

    def problems(v: Any, at: str) -> Iterator[Problem]:
        if not any(type(v) is type(a) and v == a for a in args):
            yield Problem(at, "value", v, expected)

    return Kind({"enum": list(args)}, problems, lambda v: v)


def _union(kinds: list[Kind]) -> Kind:
    def fits(kind: Kind, v: Any) -> bool:
        return next(kind.problems(v, ""), None) is None

    def problems(v: Any, at: str) -> Iterator[Problem]:
        if not any(fits(k, v) for k in kinds):
            first = [next(k.problems(v, at)) for k in kinds]
            deepest = max(first, key=lambda p: len(p.pointer))
            expected = " or ".join(dict.fromkeys(p.expected for p in first))
            yield deepest if deepest.pointer != at else Problem(at, "type", v, expected)

    def decode(v: Any) -> Any:
        return next(k for k in kinds if fits(k, v)).decode(v)

    return Kind({"anyOf": [k.schema for k in kinds]}, problems, decode)


def _many(item: Kind) -> Kind:
    def problems(v: Any, at: str) -> Iterator[Problem]:
        if not isinstance(v, list):
            yield Problem(at, "type", v, "a list")
            return
        for i, one in enumerate(v):
            yield from item.problems(one, f"{at}/{i}")

    schema = {"type": "array", "items": item.schema}
    return Kind(schema, problems, lambda v: tuple(item.decode(one) for one in v))


def _fixed(items: list[Kind]) -> Kind:
    def problems(v: Any, at: str) -> Iterator[Problem]:
        if not isinstance(v, list) or len(v) != len(items):
            yield Problem(at, "type", v, f"a list of {len(items)}")
            return
        for i, (one, kind) in enumerate(zip(v, items, strict=True)):
            yield from kind.problems(one, f"{at}/{i}")

    schema = {
        "type": "array",
        "prefixItems": [k.schema for k in items],
        "items": False,
        "minItems": len(items),
    }
    return Kind(schema, problems, lambda v: tuple(k.decode(o) for k, o in zip(items, v, strict=True)))


_SCALARS: dict[type, tuple[str, str]] = {
    bool: ("boolean", "true or false"),
    int: ("integer", "an integer"),
    float: ("number", "a number"),
    str: ("string", "a string"),
    type(None): ("null", "null"),
}


def _is_scalar(tp: type, v: Any) -> bool:
    if tp is int:  # JSON Schema counts 3.0 as an integer; so do we, in both engines
        return (isinstance(v, int) and not isinstance(v, bool)) or (isinstance(v, float) and v.is_integer())
    if tp is float:
        return isinstance(v, (int, float)) and not isinstance(v, bool)
    return isinstance(v, tp)


def _within(v: float, bounds: Mapping[str, float]) -> bool:
    return (
        v >= bounds.get("minimum", -math.inf)
        and v > bounds.get("exclusiveMinimum", -math.inf)
        and v < bounds.get("exclusiveMaximum", math.inf)
    )


def _scalar(tp: type, bounds: Mapping[str, float]) -> Kind:
    name, expected = _SCALARS[tp]
    numeric = tp in (int, float)
    limits = ", ".join(f"{k} {v:g}" for k, v in bounds.items())

    def problems(v: Any, at: str) -> Iterator[Problem]:
        if not _is_scalar(tp, v):
            yield Problem(at, "type", v, expected)
        elif (
            numeric
            and bounds
            and not _within(v, bounds)
            and not (v == math.inf and "exclusiveMaximum" not in bounds)
        ):
            yield Problem(at, "value", v, f"{expected}, {limits}")

    return Kind({"type": name} | (dict(bounds) if numeric else {}), problems, tp if numeric else lambda v: v)


def _nested(cls: type[Op]) -> Kind:
    """An op as an attribute of another, written as its JSON."""

    def problems_of(v: Any, at: str) -> Iterator[Problem]:
        if not isinstance(v, dict) or v.get("op") != cls.name:
            yield Problem(at, "type", v, f"an op {cls.name}")
        else:
            yield from problems(cls, v, at)

    return Kind(schema(cls), problems_of, lambda v: from_json(cls, v))


def kind_of(tp: Any, bounds: Mapping[str, float]) -> Kind:
    """The description of an attribute's annotation."""
    if isinstance(tp, type) and issubclass(tp, Op):
        return _nested(tp)
    origin, args = typing.get_origin(tp), typing.get_args(tp)
    if origin is Literal:
        return _literal(args)
    if origin in (typing.Union, types.UnionType):
        return _union([kind_of(a, bounds) for a in args])
    if origin is tuple and args[-1] is ...:
        return _many(kind_of(args[0], bounds))
    if origin is tuple:
        return _fixed([kind_of(a, bounds) for a in args])
    if isinstance(tp, type) and issubclass(tp, Nested):
        return tp.kind()
    return _scalar(tp, bounds)


def cached(function: Callable[[type[Op]], V]) -> Callable[[type[Op]], V]:
    """``functools.cache`` for functions of an op's class."""
    return typing.cast("Callable[[type[Op]], V]", functools.cache(function))


@cached
def kinds(cls: type[Op]) -> dict[str, Kind]:
    """The attributes of an op, described."""
    hints = typing.get_type_hints(cls)
    fields = dataclasses.fields(typing.cast("Any", cls))
    return {f.name: kind_of(hints[f.name], f.metadata["bounds"]) for f in fields}


@cached
def defaults(cls: type[Op]) -> dict[str, Any]:
    """What kchainer's JSON may leave out, by attribute."""
    fields = dataclasses.fields(typing.cast("Any", cls))
    return {f.name: f.metadata["spec"] for f in fields if f.metadata["spec"] is not MISSING}


# ------------------------------------------------------------------ to and from JSON


def plain(value: Any) -> Any:
    """An attribute's value as JSON has it: tuples become lists, ops and what else has a JSON form objects."""
    if isinstance(value, Op):
        return to_json(value)
    if isinstance(value, Nested):
        return value.json()
    return [plain(v) for v in value] if isinstance(value, (tuple, list)) else value


def to_json(one: Op) -> Json:
    """An op as kchainer's JSON, every attribute written out."""
    fields = dataclasses.fields(typing.cast("Any", one))
    return {"op": one.name} | {f.name: plain(getattr(one, f.name)) for f in fields}


def problems(cls: type[Op], data: Json, at: str = "") -> Iterator[Problem]:
    """What is wrong with the JSON form of an op of this class; nothing when it is fine."""
    described, may_lack = kinds(cls), defaults(cls)
    for key in data:
        if key != "op" and key not in described:
            escaped = key.replace("~", "~0").replace("/", "~1")
            yield Problem(f"{at}/{escaped}", "unknown", data[key], ", ".join(described))
    for key, kind in described.items():
        if key in data:
            yield from kind.problems(data[key], f"{at}/{key}")
        elif key not in may_lack:
            yield Problem(at, "missing", key, key)


def from_json(cls: type[Op], data: Json) -> Op:
    """The op of a JSON form that has no problems."""
    given = {k: kind.decode(data[k]) for k, kind in kinds(cls).items() if k in data}
    return cls(**(defaults(cls) | given))


def schema(cls: type[Op]) -> Json:
    """The JSON Schema of an op, derived from its definition."""
    fields = dataclasses.fields(typing.cast("Any", cls))
    may_lack = defaults(cls)
    properties: Json = {"op": {"const": cls.name}}
    for f in fields:
        properties[f.name] = {"description": f.metadata["doc"]} | kinds(cls)[f.name].schema
        if f.name in may_lack:
            properties[f.name]["default"] = plain(may_lack[f.name])
    return {
        "title": cls.name,
        "description": (cls.__doc__ or "").splitlines()[0],
        "type": "object",
        "properties": properties,
        "required": ["op", *(f.name for f in fields if f.name not in may_lack)],
        "additionalProperties": False,
    }
