"""What translators of operation nodes work with: values, constants, and a table of them by Keras's class."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from kchainer.ir import ops
from kchainer.ir.graph import Value
from kchainer.ir.op import Op, Shape

# Makes an op's call in the network; None where it does not fit, which is reported.
Call = Callable[[Op, Sequence[Value]], Value | None]
Handler = Callable[..., Any]
Kept = TypeVar("Kept", bound=Handler)
HANDLERS: dict[str, Handler] = {}


class Refused(Exception):
    """These arguments are not supported; the message says which."""


class Reported(Exception):
    """The ops do not fit, and a diagnostic says so already."""


@dataclasses.dataclass(frozen=True, slots=True)
class Array:
    """An array of the file: nested lists and NumPy's name of its dtype."""

    values: Any
    dtype: str = "float32"


@dataclasses.dataclass(frozen=True, slots=True)
class Dims:
    """What ``tf.shape`` gives, folded: sizes, -1 where one is not known; one number where ``single``."""

    sizes: tuple[int, ...]
    single: bool = False

    def item(self, key: Any) -> Dims:
        """An entry or a slice."""
        keys = key if isinstance(key, list) else [key]
        if len(keys) != 1 or not isinstance(keys[0], (int, slice)):
            raise Refused("this part of a shape")
        got = self.sizes[keys[0]]
        return Dims(got) if isinstance(got, tuple) else Dims((got,), single=True)

    @staticmethod
    def plain(shape: Any) -> list[Any]:
        """A shape that may hold folded sizes."""
        if isinstance(shape, Dims):
            return list(shape.sizes)
        out: list[Any] = []
        for one in shape if isinstance(shape, list) else [shape]:
            out += one.sizes if isinstance(one, Dims) else [one]
        return out


def integers(v: Any) -> tuple[int, ...]:
    """One whole number or several. Raises Refused."""
    many = Dims.plain(v.values if isinstance(v, Array) else v)
    if not all(isinstance(i, int) and not isinstance(i, bool) for i in many):
        raise Refused(f"{v!r} where whole numbers are expected"[:80])
    return tuple(many)


def _flat(values: Any) -> Iterator[Any]:
    todo = [values]
    while todo:
        one = todo.pop()
        if isinstance(one, list):
            todo.extend(reversed(one))
        else:
            yield one


def _shape_of(values: Any) -> tuple[int, ...]:
    out: list[int] = []
    while isinstance(values, list):
        out.append(len(values))
        if not values:
            break
        values = values[0]
    return tuple(out)


# Keras's dtype names -> the IR's
DTYPES = dict.fromkeys(("float16", "float32", "float64", "bfloat16", "float"), "float") | {
    name: name for name in ("int32", "int64", "uint8", "int8", "int16", "bool")
}


def dtype_of(v: Any) -> str:
    """A dtype as files write it: a name, or an object around it. Raises Refused."""
    if isinstance(v, dict):
        v = (v.get("config") or {}).get("name", v.get("config"))
    name = DTYPES.get(v.removeprefix("<dtype: '").removesuffix("'>")) if isinstance(v, str) else None
    if name is None:
        raise Refused(f"dtype {v!r}"[:80])
    return name


class Maker:
    """Calls ops while one operation node is translated. A tuple is a value of the network."""

    def __init__(self, name: str, call: Call, shape: Callable[[Value], Shape]) -> None:
        self.name, self._call, self.shape = name, call, shape

    def __call__(self, op: Op, *values: Value) -> Value:
        made = self._call(op, values)
        if made is None:
            raise Reported
        return made

    def value(self, v: Any, *, rank: int = 0, whole: bool = False) -> Value:
        """A value of the network; numbers and arrays become constants, with at least ``rank`` axes."""
        if isinstance(v, tuple):
            return v
        dtype = v.dtype if isinstance(v, Array) else None
        values = v.values if isinstance(v, Array) else v
        if values is None or isinstance(values, (str, dict, slice, Dims)):
            raise Refused(f"{v!r} where a tensor is expected"[:80])
        flat, shape = list(_flat(values)), _shape_of(values)
        if math.prod(shape) != len(flat) or not all(isinstance(i, (int, float)) for i in flat):
            raise Refused("an array that is none of numbers")
        if dtype is None:
            kinds = {type(i) for i in flat}
            dtype = "bool" if kinds == {bool} else "int32" if float not in kinds else "float32"
        kind: Any = {"float": "float", "bool": "bool"}.get(DTYPES.get(dtype, ""), "int32")
        kind = "int32" if whole else kind
        shape = (1,) * (rank - len(shape)) + shape
        return self(ops.Constant(shape=shape, values=tuple(map(float, flat)), dtype=kind))

    def cast(self, x: Value, dtype: Any) -> Value:
        """``x`` in a dtype; as it is where none is named."""
        if dtype is None:
            return x
        kind: Any = dtype_of(dtype)
        return self(ops.Cast(dtype=kind), x)

    def many(self, xs: Any) -> list[Any]:
        """The values of a list argument."""
        return list(xs) if isinstance(xs, list) else [xs]

    def size(self, x: Value, axis: int) -> int:
        """The size of an axis. Raises Refused where it is not known."""
        d = self.shape(x)[axis]
        if d is None:
            raise Refused(f"axis {axis} of unknown size")
        return d

    def axis(self, x: Any, axis: Any) -> int:
        """One axis, counted from the front."""
        (one,) = self.axes(x, axis)
        return one

    def axes(self, x: Any, axis: Any) -> tuple[int, ...]:
        """Axes in order, counted from the front; all where none is named. Raises Refused."""
        if not isinstance(x, tuple):
            raise Refused("a constant where a tensor is expected")
        rank = len(self.shape(x))
        many = range(rank) if axis is None else integers(axis)
        if any(not -rank <= a < rank for a in many):
            raise Refused(f"axis {axis} of rank {rank}")
        return tuple(sorted(a % rank for a in many))


def handles(*names: str) -> Callable[[Kept], Kept]:
    """Register the translator of these classes of keras.ops."""

    def register(function: Kept) -> Kept:
        for name in names:
            if HANDLERS.setdefault(name, function) is not function:
                raise TypeError(f"{name} is handled twice")
        return function

    return register
