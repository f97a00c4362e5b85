"""Ops that place values by numbers, count them, and read between them."""

from __future__ import annotations

from typing import Literal

from kchainer.ir.op import Dim, Op, Shape, ShapeError, attr, op, show
from kchainer.ir.ops.math import broadcast


@op
class Scatter(Op):
    """Zeros of a shape, to which values are added at the places that numbers name.

    Input   indices (..., K), values (..., *shape[K:]).
    Source  keras.ops.scatter.
    """

    shape: tuple[int, ...] = attr(doc="of the result", minimum=1)

    def infer(self, indices: Shape, values: Shape) -> Shape:
        return self.shape


@op
class ScatterUpdate(Op):
    """Values put at the places that numbers name, or joined with what is there.

    Input   x, indices (N, K), updates (N, *x.shape[K:]).
    Raises  In backward NotImplementedError: of max, min, mul.
    Source  keras.ops.scatter_update.
    """

    reduction: Literal["add", "max", "min", "mul"] | None = attr(doc="null: put", spec=None)

    def infer(self, x: Shape, indices: Shape, updates: Shape) -> Shape:
        if len(indices) != 2:
            raise ShapeError(f"expected places of rank 2, found {show(indices)}")
        return x


@op
class Segment(Op):
    """The entries of the first axis joined by the numbers of their segments; others are left out.

    Input   x (N, ...), numbers (N,).
    Output  y (segments, ...).
    Raises  In backward NotImplementedError: of prod.
    Source  keras.ops.segment_sum, segment_max, segment_min, segment_prod.
    """

    function: Literal["sum", "max", "min", "prod"] = attr(doc="how")
    segments: int = attr(doc="how many", minimum=1)

    def infer(self, x: Shape, numbers: Shape) -> Shape:
        if len(numbers) != 1 or not x:
            raise ShapeError(f"segments {show(numbers)} of {show(x)}")
        return (self.segments, *x[1:])


@op
class SearchSorted(Op):
    """How many of the sorted numbers are below each value: their place.

    Input   sorted (N,), values of any shape.
    Source  keras.ops.searchsorted, digitize.
    """

    right: bool = attr(doc="count equal ones too", spec=False)

    def infer(self, ordered: Shape, values: Shape) -> Shape:
        return values


@op
class Histogram(Op):
    """How many of all values stand in each of equal bins between two numbers.

    Output  y (bins,); float, no gradient.
    Source  keras.ops.histogram with a range.
    """

    bins: int = attr(doc="how many", minimum=1)
    low: float = attr(doc="where the first begins")
    high: float = attr(doc="where the last ends, itself within")

    def infer(self, x: Shape) -> Shape:
        return (self.bins,)


def _length(d: Dim, e: Dim, offset: int) -> Dim:
    if d is None or e is None:
        return None
    return max(0, min(d + min(offset, 0), e - max(offset, 0)))


@op
class Diagonal(Op):
    """The diagonal of two axes, behind the others.

    Source  keras.ops.diagonal, diag, trace.
    """

    offset: int = attr(doc="which diagonal; positive: above", spec=0)
    axes: tuple[int, int] = attr(doc="rows and columns, counted from the front", spec=(0, 1), minimum=0)

    def infer(self, x: Shape) -> Shape:
        if max(self.axes) >= len(x) or self.axes[0] == self.axes[1]:
            raise ShapeError(f"axes {self.axes} of {show(x)}")
        rest = tuple(d for i, d in enumerate(x) if i not in self.axes)
        return (*rest, _length(x[self.axes[0]], x[self.axes[1]], self.offset))


@op
class DiagonalMatrix(Op):
    """A matrix with all values of ``x`` on a diagonal, else zeros.

    Source  keras.ops.diag of a vector, diagflat.
    """

    k: int = attr(doc="which diagonal; positive: above", spec=0)

    def infer(self, x: Shape) -> Shape:
        n = 1
        for d in x:
            if d is None:
                return (None, None)
            n *= d
        return (n + abs(self.k),) * 2


@op
class MapCoordinates(Op):
    """The values of an array between its places.

    Input   x of rank R; coordinates (R, ...).
    Output  y  the shape of one coordinate.
    Source  keras.ops.image.map_coordinates.
    """

    order: Literal[0, 1] = attr(doc="0: the nearest; 1: linear")
    fill_mode: Literal["constant", "nearest", "wrap", "mirror", "reflect"] = attr(
        doc="what is outside", spec="constant"
    )
    fill_value: float = attr(doc="of the mode constant", spec=0.0)

    def infer(self, x: Shape, coordinates: Shape) -> Shape:
        if not coordinates or coordinates[0] not in (None, len(x)):
            raise ShapeError(f"coordinates {show(coordinates)} of {show(x)}")
        return coordinates[1:]


@op
class AffineTransform(Op):
    """Each image seen through a matrix.

    Input   x (N, C, H, W); matrices (N, 8) or (8,), of which the last two numbers are 0.
    Source  keras.ops.image.affine_transform.
    """

    interpolation: Literal["nearest", "bilinear"] = attr(doc="how", spec="bilinear")
    fill_mode: Literal["constant", "nearest", "wrap", "mirror", "reflect"] = attr(
        doc="what is outside", spec="constant"
    )
    fill_value: float = attr(doc="of the mode constant", spec=0.0)

    def infer(self, x: Shape, matrix: Shape) -> Shape:
        if len(x) != 4 or not matrix or matrix[-1] != 8:
            raise ShapeError(f"matrices {show(matrix)} of images {show(x)}")
        return x


@op
class Colours(Op):
    """Red, green and blue to hue, saturation and value, or back.

    Input   x  3 along ``axis``; float.
    Source  keras.ops.image.rgb_to_hsv, hsv_to_rgb.
    """

    function: Literal["rgb_to_hsv", "hsv_to_rgb"] = attr(doc="which")
    axis: int = attr(doc="of the colours, counted from the front", minimum=0)

    def infer(self, x: Shape) -> Shape:
        if self.axis >= len(x) or x[self.axis] not in (None, 3):
            raise ShapeError(f"expected 3 colours along axis {self.axis}, found {show(x)}")
        return x


@op
class Fourier(Op):
    """The real or imaginary part of the discrete Fourier transform of the last axes.

    Input   real part, and imaginary part where there is one.
    Source  keras.ops.fft, fft2, ifft2, rfft, irfft, stft, istft.
    """

    part: Literal["real", "imaginary"] = attr(doc="which")
    axes: int = attr(doc="over how many axes, the last ones", spec=1, minimum=1)
    inverse: bool = attr(doc="back, divided by the number of values", spec=False)

    def infer(self, *xs: Shape) -> Shape:
        if len(xs) not in (1, 2) or min(map(len, xs)) < self.axes:
            raise ShapeError(f"a transform of {len(xs)} values over {self.axes} axes")
        return broadcast(*xs)
