"""Ops that join values, or a value and a constant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from kchainer.ir.op import Dim, Layout, Op, Shape, ShapeError, attr, op, show


def _broadcast(a: Dim, b: Dim) -> Dim:
    if a == b or b == 1:
        return a
    if a == 1:
        return b
    if a is None or b is None:
        return b if a is None else a
    raise ShapeError("sizes differ")


def joined(xs: Sequence[Shape]) -> Shape:
    """The broadcast shape; sizes of 1 are put in behind the batch where ranks differ."""
    rank = max(map(len, xs))
    out, *others = ((x[0], *(1 for _ in range(rank - len(x))), *x[1:]) for x in xs)
    for x in others:
        try:
            out = tuple(_broadcast(a, b) for a, b in zip(out, x, strict=True))
        except ShapeError:
            found = " and ".join(map(show, xs))
            raise ShapeError(f"expected equal shapes, or 1 where they differ, found {found}") from None
    return out


@op
class Merge(Op):
    """Join values element by element; sizes of 1 are repeated.

    Input   two or more, sizes equal or 1; where ranks differ, sizes of 1 are put in behind the batch.
    Output  the broadcast shape.
    Raises  ShapeError: shapes that do not fit, or another number of inputs.
    Source  keras.layers.Add, Subtract, Multiply, Average, Maximum, Minimum.
    """

    layout: ClassVar[Layout] = "any"
    function: Literal["add", "subtract", "multiply", "average", "maximum", "minimum", "divide"] = attr(
        doc="how"
    )

    def infer(self, *xs: Shape) -> Shape:
        if len(xs) < 2 or (self.function in ("subtract", "divide") and len(xs) != 2):
            raise ShapeError(f"{self.function} of {len(xs)} inputs")
        return joined(xs)


@op
class ScaledAdd(Op):
    """a + scale * b.

    Input   a, b  equal shapes.
    Raises  ShapeError: shapes that differ, or another number of inputs.
    Source  CustomScaleLayer of keras.applications.inception_resnet_v2.
    """

    layout: ClassVar[Layout] = "any"
    scale: float = attr(doc="factor of the second input")

    def infer(self, *xs: Shape) -> Shape:
        if len(xs) != 2 or xs[0] != xs[1]:
            raise ShapeError(f"expected two equal shapes, found {' and '.join(map(show, xs))}")
        return xs[0]


@op
class Concatenate(Op):
    """Join values along an axis.

    Input   one or more of equal rank, sizes equal except along ``axis``.
    Output  that axis is the sum.
    Raises  ShapeError: shapes that do not fit.
    Source  keras.layers.Concatenate.
    """

    layout: ClassVar[Layout] = "axes"
    axis: int = attr(doc="counted from the front, batch included", minimum=0)

    def infer(self, *xs: Shape) -> Shape:
        if not xs or any(len(x) != len(xs[0]) or self.axis >= len(x) for x in xs):
            raise ShapeError(f"cannot join {' and '.join(map(show, xs))} along axis {self.axis}")
        out = list(xs[0])
        for i in range(len(out)):
            sizes = [x[i] for x in xs]
            if i == self.axis:
                out[i] = None if None in sizes else sum(s for s in sizes if s is not None)
                continue
            have = {s for s in sizes if s is not None}
            if len(have) > 1:
                raise ShapeError(f"cannot join {' and '.join(map(show, xs))} along axis {self.axis}")
            out[i] = have.pop() if have else None
        return tuple(out)


def _dotted(a: Shape, b: Shape, axes: tuple[int, int]) -> Shape:
    if max(axes[0] - len(a), axes[1] - len(b)) >= 0 or (
        not {a[axes[0]], b[axes[1]]} & {None} and a[axes[0]] != b[axes[1]]
    ):
        raise ShapeError(
            f"cannot take the product of {show(a)} and {show(b)} over axes {axes[0]} and {axes[1]}"
        )
    rest = (
        *(d for i, d in enumerate(a) if i not in (0, axes[0])),
        *(d for i, d in enumerate(b) if i not in (0, axes[1])),
    )
    return (a[0], *rest) if rest else (a[0], 1)


@op
class Dot(Op):
    """The sum of products along one axis of each input, sample by sample.

    Input   a, b  batch first.
    Output  (N, other axes of a, other axes of b); (N, 1) where none is left.
    Raises  ShapeError: axes that differ in size.
    Source  keras.layers.Dot.
    """

    axes: tuple[int, int] = attr(doc="axis of each input, counted from the front", minimum=1)
    normalize: bool = attr(doc="divide by the lengths first: cosine similarity", spec=False)

    def infer(self, *xs: Shape) -> Shape:
        if len(xs) != 2:
            raise ShapeError(f"the product of {len(xs)} inputs")
        return _dotted(*xs, axes=self.axes)


@op
class CosineSimilarity(Op):
    """a.b / max(|a||b|, 1e-7), with a new axis of 1 behind the batch.

    Input   a, b  batch first.
    Raises  ShapeError: axes that differ in size.
    Source  keras.layers.Merge(mode="cos") of Keras 0.3 and 1.
    """

    axes: tuple[int, int] = attr(doc="axis of each input, counted from the front", minimum=1)

    def infer(self, *xs: Shape) -> Shape:
        if len(xs) != 2:
            raise ShapeError(f"the product of {len(xs)} inputs")
        out = _dotted(*xs, axes=self.axes)
        return (out[0], 1, *out[1:])
