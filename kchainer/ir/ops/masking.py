"""Masks: which steps of a sequence count. A mask is a value of the graph, true where a step counts."""

from __future__ import annotations

from typing import ClassVar, Literal

from kchainer.ir.op import Op, Param, Shape, ShapeError, attr, known, op, show
from kchainer.ir.ops.merge import joined


@op
class MaskConcatenate(Op):
    """Masks one behind the other.

    Input   one or more of equal rank above ``axis`` that differ along it only; boolean.
    Output  the sizes along ``axis`` added; boolean.
    Raises  ShapeError: ranks that differ or are too small.
    Source  the mask of keras.layers.Concatenate over an axis that is not the last.
    """

    axis: int = attr(doc="along which, counted from the front", spec=1, minimum=1)

    def infer(self, *xs: Shape) -> Shape:
        ranks = {len(x) for x in xs}
        if len(ranks) > 1 or max(ranks) <= self.axis:
            raise ShapeError(f"axis {self.axis} does not join masks {' and '.join(map(show, xs))}")
        sizes = [x[self.axis] for x in xs]
        size = None if None in sizes else sum(s for s in sizes if s is not None)
        return (*xs[0][: self.axis], size, *xs[0][self.axis + 1 :])


@op
class MaskOnes(Op):
    """The mask of a value of which each step counts.

    Input   x  (N, T, ...).
    Output  y  the first ``rank`` axes of ``x``; boolean.
    Raises  ShapeError: fewer axes.
    Source  the mask of keras.layers.Concatenate for an input without one.
    """

    rank: int = attr(doc="how many axes of the input it has", spec=2, minimum=1)

    def infer(self, x: Shape) -> Shape:
        if len(x) < self.rank:
            raise ShapeError(f"expected rank {self.rank} or more, found {show(x)}")
        return x[: self.rank]


@op
class Masking(Op):
    """Steps that hold this number only become zeros.

    Input   x  (N, ..., F); float.
    Output  y  shape of ``x``.
    Source  keras.layers.Masking. Its mask is another value: Binary and Reduce.
    """

    value: float = attr(doc="the number")

    def infer(self, x: Shape) -> Shape:
        return x


@op
class MaskedMerge(Op):
    """Values joined element by element; a masked step of one input does not count.

    Input   two or more (N, T, F), sizes equal or 1; where ranks differ, sizes of 1 are put in behind the batch; then
            the mask (N, T) of each input that ``masked`` names, which has all axes.
    Output  y  the broadcast shape. A product is zero where no input counts.
    Raises  ShapeError: shapes that do not fit, another number of inputs.
    Source  keras.layers.Multiply, Maximum, Minimum of Keras 3.4 and later on masked sequences.
    """

    function: Literal["multiply", "maximum", "minimum"] = attr(doc="how")
    masked: tuple[bool, ...] = attr(doc="for each input whether it has a mask")

    def infer(self, *xs: Shape) -> Shape:
        values, masks = xs[: len(self.masked)], xs[len(self.masked) :]
        rank = max(map(len, values))
        if len(masks) != sum(self.masked) or any(len(m) + 1 != rank for m in masks):
            raise ShapeError(f"cannot join {' and '.join(map(show, xs))}")
        return joined(values)


@op
class MaskedBatchNormalization(Op):
    """BatchNormalization whose batch statistics leave masked steps out.

    Input   x (N, ..., C), C at ``axis``; a mask (N, ...) of all axes but the last.
    Output  y  shape of ``x``.
    Params  gamma, beta (C,); moving_mean, moving_variance (C,), not trainable.
    Update  moving = momentum * moving + (1 - momentum) * batch; sums divided by the number of steps plus 1e-7.
    Raises  ShapeError: ranks that do not fit; ``axis`` is not an axis of ``x``.
    Source  keras.layers.BatchNormalization of Keras 3 on a masked sequence.
    """

    updates: ClassVar[bool] = True
    momentum: float = attr(doc="weight of the old running value", spec=0.99, minimum=0)
    epsilon: float = attr(doc="added to the variance", spec=1e-3, minimum=0)
    scale: bool = attr(doc="learn gamma", spec=True)
    center: bool = attr(doc="learn beta", spec=True)
    axis: int | None = attr(doc="channel axis, counted from the front; null: the last", spec=None, minimum=1)

    def params(self, *xs: Shape) -> tuple[Param, ...]:
        size = (known(xs[0][-1 if self.axis is None else self.axis]),)
        learned = [n for n, on in (("gamma", self.scale), ("beta", self.center)) if on]
        running = ("moving_mean", "moving_variance")
        return (
            *(Param(n, size, "C") for n in learned),
            *(Param(n, size, "C", trainable=False) for n in running),
        )

    def infer(self, x: Shape, mask: Shape) -> Shape:
        if len(mask) + 1 != len(x):
            raise ShapeError(f"a mask {show(mask)} does not fit {show(x)}")
        if self.axis is not None and self.axis >= len(x):
            raise ShapeError(f"{show(x)} has no axis {self.axis}")
        return x


@op
class MaskedSoftmax(Op):
    """A softmax in which what a mask hides has no part.

    Input   x  any shape; a mask that broadcasts to it from the last axis on.
    Output  y  shape of ``x``.
    Raises  ShapeError: a mask that does not fit.
    Source  keras.layers.Softmax called with a mask.
    """

    axes: tuple[int, ...] = attr(doc="over which, counted from the front", minimum=0)
    hidden: Literal["zero", "softmax"] = attr(
        doc="where all is hidden: zeros, or a softmax of values lowered by 1e9", spec="zero"
    )

    def infer(self, x: Shape, mask: Shape) -> Shape:
        pairs = zip(reversed(x), reversed(mask), strict=False)
        if len(mask) > len(x) or any(None not in (a, b) and a != b and b != 1 for a, b in pairs):
            raise ShapeError(f"a mask {show(mask)} does not fit {show(x)}")
        return x


@op
class MaskedAverage(Op):
    """The mean over the steps that count.

    Input   x (N, T, F); a mask (N, T).
    Output  (N, F), or (N, 1, F) with ``keepdims``.
    Raises  ShapeError: other ranks.
    Source  keras.layers.GlobalAveragePooling1D on a masked sequence.
    """

    keepdims: bool = attr(doc="keep the steps with size 1", spec=False)

    def infer(self, x: Shape, mask: Shape) -> Shape:
        if len(x) != 3 or len(mask) != 2:
            raise ShapeError(f"expected ranks 3 and 2, found {show(x)} and {show(mask)}")
        return (x[0], 1, x[2]) if self.keepdims else (x[0], x[2])
