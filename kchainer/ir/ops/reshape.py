"""Ops that move, repeat, cut or resize."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import ClassVar, Literal

from kchainer.ir.op import Dim, Layout, Op, Shape, ShapeError, attr, op, product, show
from kchainer.ir.ops.spatial import DataFormat, join, parts


@op
class Flatten(Op):
    """One axis behind the batch.

    Input   x  rank 1 or more.
    Output  y  (N, product of the others).
    Source  keras.layers.Flatten; channels_first inputs are moved to channels last before (Keras 2.1.6 on).
    """

    layout: ClassVar[Layout] = "units"
    data_format: DataFormat = attr(
        doc="channels_first: channels are moved to the end first", spec="channels_last"
    )

    def infer(self, x: Shape) -> Shape:
        return (x[0], product(x[1:]))


@op
class Reshape(Op):
    """The same values, in C order, in another shape.

    Input   x  any rank.
    Output  y  (N, target); one -1 is what is left over.
    Raises  ShapeError: another number of values.
    Source  keras.layers.Reshape.
    """

    layout: ClassVar[Layout] = "units"
    target: tuple[int, ...] = attr(doc="shape without the batch; -1 once: what is left over", minimum=-1)

    def check(self) -> Iterator[str]:
        if self.target.count(-1) > 1:
            yield "more than one -1 in the target shape"

    def infer(self, x: Shape) -> Shape:
        have = product(x[1:])
        want = math.prod(d for d in self.target if d != -1)
        if have is not None and (have % want if want and -1 in self.target else have != want):
            raise ShapeError(f"cannot reshape {show(x)} to {show((None, *self.target))}")
        rest: Dim = None if have is None or not want else have // want
        return (x[0], *(rest if d == -1 else d for d in self.target))


@op
class Permute(Op):
    """Axes of a sample in another order.

    Input   x  rank of ``dims`` + 1.
    Raises  ShapeError: another rank.
    Source  keras.layers.Permute.
    """

    dims: tuple[int, ...] = attr(doc="1-based axes of the input", minimum=1)

    def check(self) -> Iterator[str]:
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            yield f"{list(self.dims)} is not a permutation of 1 to {len(self.dims)}"

    def infer(self, x: Shape) -> Shape:
        if len(x) != len(self.dims) + 1:
            raise ShapeError(f"expected rank {len(self.dims) + 1}, found {show(x)}")
        return (x[0], *(x[d] for d in self.dims))


@op
class Transpose(Op):
    """All axes in another order. The layout pass puts these in; no frontend makes them.

    Input   x  rank of ``axes``.
    Raises  ShapeError: another rank.
    Source  keras.ops.transpose.
    """

    axes: tuple[int, ...] = attr(doc="axis of the input for each of the output", minimum=0)

    def check(self) -> Iterator[str]:
        if sorted(self.axes) != list(range(len(self.axes))):
            yield f"{list(self.axes)} is not a permutation of 0 to {len(self.axes) - 1}"

    def infer(self, x: Shape) -> Shape:
        if len(x) != len(self.axes):
            raise ShapeError(f"expected rank {len(self.axes)}, found {show(x)}")
        return tuple(x[a] for a in self.axes)


@op
class RepeatVector(Op):
    """A vector ``n`` times.

    Input   x  (N, F).
    Output  y  (N, n, F).
    Raises  ShapeError: another rank.
    Source  keras.layers.RepeatVector.
    """

    n: int = attr(doc="times", minimum=1)

    def infer(self, x: Shape) -> Shape:
        if len(x) != 2:
            raise ShapeError(f"expected rank 2, found {show(x)}")
        return (x[0], self.n, x[1])


Pairs = tuple[tuple[int, int], ...]


def _plus(size: Dim, more: int) -> Dim:
    if size is None:
        return None
    if size + more < 1:
        raise ShapeError(f"nothing is left of {size} after cropping {-more}")
    return size + more


@op
class Cropping(Op):
    """Cut pixels off each side.

    Input   x  (N, spatial, C) or (N, C, spatial).
    Raises  ShapeError: another rank, or nothing left.
    Source  keras.layers.Cropping1D, 2D, 3D.
    """

    layout: ClassVar[Layout] = "spatial"
    cropping: Pairs = attr(doc="(before, after) in pixels", minimum=0)
    data_format: DataFormat = attr(doc="where the channels stand", spec="channels_last")

    def infer(self, x: Shape) -> Shape:
        channels, sizes = parts(x, self.data_format, len(self.cropping))
        return join(
            x,
            self.data_format,
            channels,
            tuple(_plus(n, -sum(c)) for n, c in zip(sizes, self.cropping, strict=True)),
        )


@op
class ZeroPadding(Op):
    """Zeros on each side.

    Input   x  (N, spatial, C) or (N, C, spatial).
    Raises  ShapeError: another rank.
    Source  keras.layers.ZeroPadding1D, 2D, 3D.
    """

    layout: ClassVar[Layout] = "spatial"
    padding: Pairs = attr(doc="(before, after) in pixels", minimum=0)
    data_format: DataFormat = attr(doc="where the channels stand", spec="channels_last")

    def infer(self, x: Shape) -> Shape:
        channels, sizes = parts(x, self.data_format, len(self.padding))
        return join(
            x,
            self.data_format,
            channels,
            tuple(_plus(n, sum(p)) for n, p in zip(sizes, self.padding, strict=True)),
        )


@op
class UpSampling(Op):
    """More pixels by whole factors.

    Input   x  (N, spatial, C) or (N, C, spatial).
    Raises  ShapeError: another rank.
    Source  keras.layers.UpSampling1D, 2D, 3D; bilinear_corner: Keras 2.2.3 to 2.3 on TensorFlow 1.
    """

    layout: ClassVar[Layout] = "spatial"
    size: tuple[int, ...] = attr(doc="factor by spatial dimension", minimum=1)
    interpolation: Literal["nearest", "bilinear", "bilinear_corner"] = attr(doc="how", spec="nearest")
    data_format: DataFormat = attr(doc="where the channels stand", spec="channels_last")

    def infer(self, x: Shape) -> Shape:
        channels, sizes = parts(x, self.data_format, len(self.size))
        if self.interpolation == "bilinear_corner" and None in sizes:
            raise ShapeError("corner interpolation needs known sizes")
        out = tuple(None if n is None else n * s for n, s in zip(sizes, self.size, strict=True))
        return join(x, self.data_format, channels, out)


Interpolation = Literal[
    "nearest",
    "bilinear",
    "bicubic",
    "bicubic_tf",
    "bicubic_jax",
    "lanczos3",
    "lanczos5",
    "gaussian",
    "mitchellcubic",
    "area",
]


@op
class Resizing(Op):
    """An image at another size, half-pixel centres.

    Input   x  (N, H, W, C) or (N, C, H, W).
    Output  y  float; whole numbers, rounded, where ``whole`` and ``x`` has whole numbers.
    Raises  ShapeError: another rank.
    Source  keras.layers.Resizing, tf.image.resize; bicubic is PyTorch's (a = -0.75, edges repeated), bicubic_tf
            TensorFlow's (a = -0.5, weights outside dropped, from a table), bicubic_jax the same without a table.
    """

    layout: ClassVar[Layout] = "spatial"
    height: int = attr(doc="pixels", minimum=1)
    width: int = attr(doc="pixels", minimum=1)
    interpolation: Interpolation = attr(doc="how", spec="bilinear")
    antialias: bool = attr(doc="a wider kernel where the image shrinks", spec=False)
    aspect: Literal["stretch", "crop", "pad"] = attr(
        doc="what becomes of another proportion: the image is cut to it, or grows by ``fill``", spec="stretch"
    )
    fill: float = attr(doc="pixels around a padded image", spec=0.0)
    whole: bool = attr(doc="whole numbers stay whole", spec=False)
    data_format: DataFormat = attr(doc="where the channels stand", spec="channels_last")

    def infer(self, x: Shape) -> Shape:
        channels, _ = parts(x, self.data_format, 2)
        return join(x, self.data_format, channels, (self.height, self.width))


@op
class CenterCrop(Op):
    """The middle of an image.

    Input   x  (N, H, W, C) or (N, C, H, W), no smaller than the crop.
    Raises  ShapeError: another rank, unknown or smaller sizes.
    Source  keras.layers.CenterCrop.
    """

    layout: ClassVar[Layout] = "spatial"
    height: int = attr(doc="pixels", minimum=1)
    width: int = attr(doc="pixels", minimum=1)
    data_format: DataFormat = attr(doc="where the channels stand", spec="channels_last")

    def infer(self, x: Shape) -> Shape:
        channels, sizes = parts(x, self.data_format, 2)
        if any(n is None or n < want for n, want in zip(sizes, (self.height, self.width), strict=True)):
            raise ShapeError(f"cannot crop {show(x)} to {self.height} x {self.width}")
        return join(x, self.data_format, channels, (self.height, self.width))


@op
class Rescaling(Op):
    """x * scale + offset, by channel where lists are given.

    Input   x  any rank; float.
    Source  keras.layers.Rescaling.
    """

    layout: ClassVar[Layout] = "axes"
    scale: float | tuple[float, ...] = attr(doc="factor, or one for each value of the last axis")
    offset: float | tuple[float, ...] = attr(doc="summand, or one for each value of the last axis", spec=0.0)

    def infer(self, x: Shape) -> Shape:
        return x
