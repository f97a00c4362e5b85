"""What chainer-sequential's networks have and Keras has not."""

from __future__ import annotations

from typing import ClassVar

from kchainer.ir.op import Dim, Layout, Op, Param, Shape, ShapeError, attr, known, op, rank_of, show
from kchainer.ir.ops.spatial import DataFormat, join, split


def _axis(x: Shape, axis: int) -> Dim:
    if axis >= len(x):
        raise ShapeError(f"{show(x)} has no axis {axis}")
    return x[axis]


def _covering(size: Dim, k: int, s: int, p: int) -> Dim:
    """The size after windows that together reach every pixel."""
    return None if size is None else (size + 2 * p - k + s - 1) // s + 1


@op
class ConcatenatedRelu(Op):
    """relu(x) and relu(-x) side by side along ``axis``.

    Input   x  any shape; float.
    Output  y  twice the size along ``axis``.
    Raises  ShapeError: an axis that ``x`` has not.
    Source  chainer.functions.crelu; Shang et al. 2016, arXiv:1603.05201.
    """

    layout: ClassVar[Layout] = "axes"
    axis: int = attr(doc="counted from the front", spec=1, minimum=1)

    def infer(self, x: Shape) -> Shape:
        size = _axis(x, self.axis)
        return (*x[: self.axis], None if size is None else 2 * size, *x[self.axis + 1 :])


@op
class Maxout(Op):
    """The largest of each ``pool_size`` neighbours along ``axis``.

    Input   x  a size along ``axis`` that ``pool_size`` divides.
    Output  y  size / pool_size along ``axis``.
    Raises  ShapeError: a size that does not divide.
    Source  chainer.functions.maxout; Goodfellow et al. 2013, arXiv:1302.4389.
    """

    layout: ClassVar[Layout] = "axes"
    pool_size: int = attr(doc="neighbours", minimum=1)
    axis: int = attr(doc="counted from the front", spec=1, minimum=1)

    def infer(self, x: Shape) -> Shape:
        size = known(_axis(x, self.axis), "values")
        if size % self.pool_size:
            raise ShapeError(f"{size} values do not divide into pools of {self.pool_size}")
        return (*x[: self.axis], size // self.pool_size, *x[self.axis + 1 :])


@op
class CoveringMaxPooling(Op):
    """The maximum of each window; the last windows may reach over the end, so that every pixel counts.

    Input   x  (N, H, W, C) or (N, C, H, W) by ``data_format``; float.
    Output  y  ceil((size + 2 * padding - pool_size) / strides) + 1 pixels.
    Raises  ShapeError: another rank.
    Source  chainer.functions.max_pooling_2d with ``cover_all``.
    """

    layout: ClassVar[Layout] = "spatial"
    pool_size: tuple[int, int] = attr(doc="window in pixels", minimum=1)
    strides: tuple[int, int] = attr(doc="step in pixels", minimum=1)
    padding: tuple[int, int] = attr(doc="pixels on both sides", spec=(0, 0), minimum=0)
    data_format: DataFormat = attr(doc="where the channels stand", spec="channels_last")

    def infer(self, x: Shape) -> Shape:
        channels, sizes = split(x, self.data_format, 2)
        out = tuple(
            _covering(*a) for a in zip(sizes, self.pool_size, self.strides, self.padding, strict=True)
        )
        return join(x, self.data_format, channels, out)


@op
class Unpooling(Op):
    """Each pixel spread over the window that a pooling would have taken it from; overlaps add.

    Input   x  (N, H, W, C) or (N, C, H, W) by ``data_format``; float.
    Output  y  (size - 1) * strides + pool_size - 2 * padding pixels, strides - 1 fewer where ``cover_all``.
    Raises  ShapeError: another rank.
    Source  chainer.functions.unpooling_2d.
    """

    layout: ClassVar[Layout] = "spatial"
    pool_size: tuple[int, int] = attr(doc="window in pixels", minimum=1)
    strides: tuple[int, int] = attr(doc="step in pixels", minimum=1)
    padding: tuple[int, int] = attr(doc="pixels cut off both sides", spec=(0, 0), minimum=0)
    output_size: tuple[int, int] | None = attr(doc="pixels that come out", spec=None, minimum=1)
    cover_all: bool = attr(doc="the pooling's windows reached over the end", spec=True)
    data_format: DataFormat = attr(doc="where the channels stand", spec="channels_last")

    def infer(self, x: Shape) -> Shape:
        channels, sizes = split(x, self.data_format, 2)
        less = [s - 1 if self.cover_all else 0 for s in self.strides]
        out: tuple[Dim, ...] = self.output_size or tuple(
            None if n is None else (n - 1) * s + k - 2 * p - c
            for n, k, s, p, c in zip(sizes, self.pool_size, self.strides, self.padding, less, strict=True)
        )
        return join(x, self.data_format, channels, out)


@op
class SpatialPyramidPooling(Op):
    """Max pooling over grids of 1, 4, 16, ... windows, one behind the other as channels of one pixel.

    Input   x  (N, H, W, C) or (N, C, H, W) by ``data_format``; float.
    Output  y  C * (4 ** height - 1) / 3 channels, 1 x 1 pixels.
    Raises  ShapeError: another rank.
    Source  chainer.functions.spatial_pyramid_pooling_2d; He et al. 2014, arXiv:1406.4729.
    """

    layout: ClassVar[Layout] = "spatial"
    height: int = attr(doc="grids", minimum=1)
    data_format: DataFormat = attr(doc="where the channels stand", spec="channels_last")

    def infer(self, x: Shape) -> Shape:
        channels, _ = split(x, self.data_format, 2)
        return join(x, self.data_format, channels * (4**self.height - 1) // 3, (1, 1))


@op
class DepthToSpace(Op):
    """Channels become pixels: output channel c at (i, j) of a block is channel (i * block + j) * C + c.

    Input   x  (N, H, W, block^2 * C) or (N, block^2 * C, H, W) by ``data_format``.
    Output  y  block times as many pixels along each side, C channels.
    Raises  ShapeError: channels that block^2 does not divide.
    Source  chainer.functions.depth2space, tf.nn.depth_to_space.
    """

    layout: ClassVar[Layout] = "spatial"
    block: int = attr(doc="pixels along each side", minimum=1)
    data_format: DataFormat = attr(doc="where the channels stand", spec="channels_last")

    def infer(self, x: Shape) -> Shape:
        channels, sizes = split(x, self.data_format, 2)
        if channels % self.block**2:
            raise ShapeError(f"{channels} channels do not divide into blocks of {self.block**2}")
        out = tuple(None if n is None else n * self.block for n in sizes)
        return join(x, self.data_format, channels // self.block**2, out)


@op
class MinibatchDiscrimination(Op):
    """``x``, and how near each sample is to the others of its batch.

    M = x W + b as (N, num_kernels, ndim_kernel); o[i, k] = sum over j != i of exp(-|M[i, k] - M[j, k]|_1).

    Input   x  (N, I); float.
    Output  y  (N, I + num_kernels): x, then o.
    Params  kernel (I, num_kernels * ndim_kernel); bias (num_kernels * ndim_kernel,), which cancels.
    Raises  ShapeError: another rank, an unknown size.
    Source  Salimans et al. 2016, arXiv:1606.03498 (which counts j = i too, a constant 1).
    """

    num_kernels: int = attr(doc="numbers added to each sample", minimum=1)
    ndim_kernel: int = attr(doc="dimensions in which samples are compared", spec=5, minimum=1)

    def params(self, x: Shape) -> tuple[Param, ...]:
        rank_of(x, 2)
        size = self.num_kernels * self.ndim_kernel
        return Param("kernel", (known(x[1], "features"), size), "IO"), Param("bias", (size,), "O")

    def infer(self, x: Shape) -> Shape:
        return (x[0], known(x[1], "features") + self.num_kernels)
