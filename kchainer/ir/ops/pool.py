"""Pooling over one, two or three spatial dimensions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from kchainer.ir.op import Layout, Op, Shape, attr, op
from kchainer.ir.ops.spatial import DataFormat, Pads, join, lengths, parts, windows

Reduction = Literal["max", "average"]


@op
class Pooling(Op):
    """The maximum or the mean of each window; the padding counts in neither.

    Input   x  (N, spatial, C) or (N, C, spatial) by ``data_format``; float.
    Output  y  the same order, fewer pixels.
    Raises  ShapeError: another rank, a window that does not fit.
    Source  keras.layers.MaxPooling1D, 2D, 3D, AveragePooling1D, 2D, 3D.
    """

    layout: ClassVar[Layout] = "spatial"
    function: Reduction = attr(doc="what is taken of a window")
    pool_size: tuple[int, ...] = attr(doc="window in pixels", minimum=1)
    strides: tuple[int, ...] = attr(doc="step in pixels", minimum=1)
    padding: Pads = attr(doc="(before, after) in pixels, or same_upper: TensorFlow's rule", minimum=0)
    data_format: DataFormat = attr(doc="where the channels stand", spec="channels_last")

    def check(self) -> Iterator[str]:
        yield from lengths(self.pool_size, self.strides, self.padding)

    def infer(self, x: Shape) -> Shape:
        channels, sizes = parts(x, self.data_format, len(self.pool_size))
        ones = (1,) * len(sizes)
        return join(
            x, self.data_format, channels, windows(sizes, self.pool_size, self.strides, self.padding, ones)
        )


@op
class GlobalPooling(Op):
    """The maximum or the mean over all pixels.

    Input   x  (N, spatial, C) or (N, C, spatial).
    Output  y  (N, C), or with sizes of 1 where ``keepdims``.
    Raises  ShapeError: another rank.
    Source  keras.layers.GlobalMaxPooling1D, 2D, 3D, GlobalAveragePooling1D, 2D, 3D.
    """

    layout: ClassVar[Layout] = "spatial"
    function: Reduction = attr(doc="what is taken of all pixels")
    spatial: int = attr(doc="number of spatial dimensions", minimum=1)
    keepdims: bool = attr(doc="keep the spatial dimensions with size 1", spec=False)
    data_format: DataFormat = attr(doc="where the channels stand", spec="channels_last")

    def infer(self, x: Shape) -> Shape:
        channels, sizes = parts(x, self.data_format, self.spatial)
        return join(x, self.data_format, channels, (1,) * len(sizes)) if self.keepdims else (x[0], channels)


@op
class AdaptivePooling(Op):
    """Pooling to a wanted size; bin i covers floor(i n / o) to ceil((i + 1) n / o).

    Input   x  (N, spatial, C) or (N, C, spatial).
    Output  y  ``output_size`` pixels.
    Raises  ShapeError: another rank.
    Source  keras.layers.AdaptiveMaxPooling1D, 2D, 3D, AdaptiveAveragePooling1D, 2D, 3D.
    """

    layout: ClassVar[Layout] = "spatial"
    function: Reduction = attr(doc="what is taken of a bin")
    output_size: tuple[int, ...] = attr(doc="pixels that come out", minimum=1)
    data_format: DataFormat = attr(doc="where the channels stand", spec="channels_last")

    def infer(self, x: Shape) -> Shape:
        channels, _ = parts(x, self.data_format, len(self.output_size))
        return join(x, self.data_format, channels, self.output_size)
