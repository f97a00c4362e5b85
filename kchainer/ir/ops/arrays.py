"""Ops that pick, place or order values by NumPy's rules, the batch being an axis as any other."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import ClassVar, Literal

from kchainer.ir.op import Dim, Layout, Op, Param, Shape, ShapeError, attr, op, product, show
from kchainer.ir.ops.math import broadcast

# start, stop, step as Python's slice has them; a bare number takes one entry and drops the axis
Item = int | tuple[int | None, int | None, int | None]


def _axis(x: Shape, axis: int) -> int:
    if axis >= len(x):
        raise ShapeError(f"axis {axis} is none of {show(x)}")
    return axis


@op
class Constant(Op):
    """Numbers of the file.

    Output  y  ``shape``.
    Source  arguments of operation nodes that are arrays.
    """

    shape: tuple[int, ...] = attr(doc="its shape", minimum=0)
    values: tuple[float, ...] = attr(doc="all values in C order")
    dtype: Literal["float", "int32", "bool"] = attr(doc="float: the dtype that the network computes in")

    def check(self) -> Iterator[str]:
        if math.prod(self.shape) != len(self.values):
            yield f"{len(self.values)} values for a shape of {math.prod(self.shape)}"

    def infer(self) -> Shape:
        return self.shape


@op
class Parameter(Op):
    """An array that learns, for layers of the user's own that multiply by it or add it.

    Output  y  ``shape``.
    Params  value, of that shape.
    """

    shape: tuple[int, ...] = attr(doc="its shape", minimum=1)

    def params(self) -> tuple[Param, ...]:
        return (Param("value", self.shape, "ABCDEFGH"[: len(self.shape)]),)

    def check(self) -> Iterator[str]:
        if len(self.shape) > 8:
            yield f"a shape of {len(self.shape)} axes, where 8 are the most"

    def infer(self) -> Shape:
        return self.shape


@op
class Cast(Op):
    """Another element type.

    Source  keras.ops.cast.
    """

    layout: ClassVar[Layout] = "any"
    dtype: Literal["float", "int32", "int64", "uint8", "int8", "int16", "bool"] = attr(
        doc="NumPy's name; float: the dtype that the network computes in"
    )

    def infer(self, x: Shape) -> Shape:
        return x


@op
class Slice(Op):
    """A part of each axis.

    Input   x  as many axes as ``items``.
    Output  y  without the axes of which one entry is taken.
    Raises  ShapeError: another rank, an entry that there is not.
    Source  x[...], keras.ops.split, unstack, flip.
    """

    items: tuple[Item, ...] = attr(doc="for each axis a number, or start, stop and step of a slice")

    def infer(self, x: Shape) -> Shape:
        if len(self.items) != len(x):
            raise ShapeError(f"{len(self.items)} slices of {show(x)}")
        out: list[Dim] = []
        for item, d in zip(self.items, x, strict=True):
            if isinstance(item, int):
                if d is not None and not -d <= item < d:
                    raise ShapeError(f"entry {item} of an axis of {d}")
            elif d is not None:
                out.append(len(range(*slice(*item).indices(d))))
            else:
                start, stop, step = item
                fixed = start in (None, 0) and stop is None and step in (None, 1, -1)
                out.append(None if fixed or step not in (None, 1) else _length(start, stop))
        return tuple(out)


def _length(start: int | None, stop: int | None) -> Dim:
    """The length of a slice of an axis of unknown size, which is assumed to reach that far. None: it depends."""
    if stop is None:
        return -start if start is not None and start < 0 else None
    begin = start or 0
    return max(0, stop - begin) if (stop < 0) == (begin < 0) and (start is not None or stop >= 0) else None


@op
class ExpandDims(Op):
    """New axes of size 1.

    Source  keras.ops.expand_dims.
    """

    layout: ClassVar[Layout] = "units"
    axes: tuple[int, ...] = attr(doc="where they stand in the output", minimum=0)

    def infer(self, x: Shape) -> Shape:
        out = list(x)
        for axis in sorted(self.axes):
            if axis > len(out):
                raise ShapeError(f"axis {axis} of {show(x)}")
            out.insert(axis, 1)
        return tuple(out)


@op
class Squeeze(Op):
    """Axes of size 1 taken out.

    Raises  ShapeError: another size.
    Source  keras.ops.squeeze.
    """

    layout: ClassVar[Layout] = "units"
    axes: tuple[int, ...] = attr(doc="counted from the front", minimum=0)

    def infer(self, x: Shape) -> Shape:
        if any(x[_axis(x, a)] != 1 for a in self.axes):
            raise ShapeError(f"axes {self.axes} of {show(x)} are not all of size 1")
        return tuple(d for i, d in enumerate(x) if i not in self.axes)


@op
class ReshapeAll(Op):
    """The same values in another shape, the batch included.

    Output  y  ``shape``; one -1 is what is left over.
    Raises  ShapeError: another number of values.
    Source  keras.ops.reshape.
    """

    shape: tuple[int, ...] = attr(doc="-1 once: what is left over", minimum=-1)

    def check(self) -> Iterator[str]:
        if self.shape.count(-1) > 1:
            yield "more than one -1 in the shape"

    def infer(self, x: Shape) -> Shape:
        have, want = product(x), math.prod(d for d in self.shape if d != -1)
        if have is not None and (have % want if want and -1 in self.shape else have != want):
            raise ShapeError(f"cannot reshape {show(x)} to {list(self.shape)}")
        rest: Dim = None if have is None or not want else have // want
        return tuple(rest if d == -1 else d for d in self.shape)


@op
class BroadcastTo(Op):
    """Repeated to a shape.

    Source  keras.ops.broadcast_to.
    """

    shape: tuple[int | None, ...] = attr(doc="null: as it is", minimum=0)

    def infer(self, x: Shape) -> Shape:
        return broadcast(x, self.shape)


@op
class Pad(Op):
    """More entries on both sides of each axis.

    Source  keras.ops.pad.
    """

    widths: tuple[tuple[int, int], ...] = attr(doc="(before, after) for each axis", minimum=0)
    mode: Literal["constant", "reflect", "symmetric", "edge"] = attr(doc="what is put in", spec="constant")
    value: float = attr(doc="the constant", spec=0.0)

    def infer(self, x: Shape) -> Shape:
        if len(self.widths) != len(x):
            raise ShapeError(f"{len(self.widths)} widths for {show(x)}")
        return tuple(None if d is None else d + sum(w) for d, w in zip(x, self.widths, strict=True))


@op
class Tile(Op):
    """The whole repeated along each axis.

    Source  keras.ops.tile.
    """

    repeats: tuple[int, ...] = attr(doc="times for each axis", minimum=1)

    def infer(self, x: Shape) -> Shape:
        if len(self.repeats) != len(x):
            raise ShapeError(f"{len(self.repeats)} repeats for {show(x)}")
        return tuple(None if d is None else d * r for d, r in zip(x, self.repeats, strict=True))


@op
class Repeat(Op):
    """Each entry of an axis repeated.

    Source  keras.ops.repeat.
    """

    repeats: int = attr(doc="times", minimum=1)
    axis: int = attr(doc="counted from the front", minimum=0)

    def infer(self, x: Shape) -> Shape:
        _axis(x, self.axis)
        return tuple(d * self.repeats if i == self.axis and d is not None else d for i, d in enumerate(x))


@op
class Roll(Op):
    """Entries of an axis moved on, the last ones to the front.

    Source  keras.ops.roll.
    """

    shift: int = attr(doc="places")
    axis: int = attr(doc="counted from the front", minimum=0)

    def infer(self, x: Shape) -> Shape:
        _axis(x, self.axis)
        return x


@op
class Take(Op):
    """Entries of an axis by their numbers; negative ones count from the end.

    Input   x, whole numbers of any shape.
    Output  y  the axis replaced by the numbers' shape.
    Source  keras.ops.take.
    """

    axis: int = attr(doc="counted from the front", minimum=0)

    def infer(self, x: Shape, indices: Shape) -> Shape:
        _axis(x, self.axis)
        return (*x[: self.axis], *indices, *x[self.axis + 1 :])


@op
class TakeAlongAxis(Op):
    """For each place the entry of an axis that a number names.

    Input   x, whole numbers of the same rank, sizes equal but along ``axis``.
    Source  keras.ops.take_along_axis.
    """

    axis: int = attr(doc="counted from the front", minimum=0)

    def infer(self, x: Shape, indices: Shape) -> Shape:
        if len(x) != len(indices):
            raise ShapeError(f"{show(x)} and numbers {show(indices)}")
        out = list(broadcast((*x[: self.axis], 1, *x[self.axis + 1 :]), indices))
        out[_axis(x, self.axis)] = indices[self.axis]
        return tuple(out)


@op
class OneHot(Op):
    """A new axis with 1 at the place that a number names, else 0; numbers outside give zeros.

    Source  keras.ops.one_hot.
    """

    num_classes: int = attr(doc="size of the new axis", minimum=1)
    axis: int = attr(doc="where it stands in the output", minimum=0)

    def infer(self, x: Shape) -> Shape:
        if self.axis > len(x):
            raise ShapeError(f"axis {self.axis} of {show(x)}")
        return (*x[: self.axis], self.num_classes, *x[self.axis :])


@op
class Sort(Op):
    """Values along an axis in order, or the places where they stood.

    Source  keras.ops.sort, argsort, top_k.
    """

    axis: int = attr(doc="counted from the front", minimum=0)
    descending: bool = attr(doc="the largest first", spec=False)
    places: bool = attr(doc="give the places in place of the values", spec=False)

    def infer(self, x: Shape) -> Shape:
        _axis(x, self.axis)
        return x


@op
class Triangle(Op):
    """Zeros above or below a diagonal of the last two axes.

    Source  keras.ops.tril, triu.
    """

    upper: bool = attr(doc="keep what is above the diagonal")
    k: int = attr(doc="which diagonal", spec=0)

    def infer(self, x: Shape) -> Shape:
        if len(x) < 2:
            raise ShapeError(f"expected rank 2 or more, found {show(x)}")
        return x
