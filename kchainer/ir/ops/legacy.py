"""Layers that only older releases had."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import ClassVar

from kchainer.ir.op import Layout, Op, Param, Shape, ShapeError, attr, known, op, rank_of
from kchainer.ir.ops.recurrent import Function
from kchainer.ir.ops.spatial import LETTERS, DataFormat, join, lengths, split, windows


@op
class MaxoutDense(Op):
    """The largest of several dense layers, value by value.

    Input   x  (N, I); float.
    Output  y  (N, units).
    Params  kernel (features, I, units); bias (features, units) where ``use_bias``.
    Raises  ShapeError: another rank.
    Source  keras.layers.MaxoutDense of Keras 0.3 and 1; Goodfellow et al. 2013, arXiv:1302.4389.
    """

    units: int = attr(doc="size of the output", minimum=1)
    features: int = attr(doc="how many dense layers", minimum=1)
    use_bias: bool = attr(doc="add a bias", spec=True)

    def params(self, x: Shape) -> tuple[Param, ...]:
        rank_of(x, 2)
        kernel = Param("kernel", (self.features, known(x[1], "features"), self.units), "FIO")
        return (kernel, Param("bias", (self.features, self.units), "FO")) if self.use_bias else (kernel,)

    def infer(self, x: Shape) -> Shape:
        return (x[0], self.units)


@op
class Highway(Op):
    """t activation(x K + b) + (1 - t) x with t = sigmoid(x C + c).

    Input   x  (N, I); float.
    Output  y  (N, I).
    Params  kernel K, carry_kernel C (I, I); bias b, carry_bias c (I,) where ``use_bias``.
    Raises  ShapeError: another rank.
    Source  keras.layers.Highway of Keras 0.3 and 1; Srivastava et al. 2015, arXiv:1505.00387.
    """

    activation: Function = attr(doc="function of the product", spec="linear")
    hard_sigmoid_slope: float = attr(doc="slope of hard_sigmoid where that is used", spec=0.2, above=0)
    use_bias: bool = attr(doc="add biases", spec=True)

    def params(self, x: Shape) -> tuple[Param, ...]:
        rank_of(x, 2)
        size = known(x[1], "features")
        kernels = (Param("kernel", (size, size), "IO"), Param("carry_kernel", (size, size), "IO"))
        biases = (Param("bias", (size,), "O"), Param("carry_bias", (size,), "O"))
        return kernels + biases if self.use_bias else kernels

    def infer(self, x: Shape) -> Shape:
        return x


@op
class LocallyConnected(Op):
    """A convolution with another kernel at each place, without padding.

    Input   x  (N, spatial, C) or (N, C, spatial) by ``data_format``; one or two spatial dimensions.
    Output  y  the same order, fewer pixels, ``filters`` channels.
    Params  kernel (places, window C, filters), a window in the order of ``data_format``; bias (spatial, filters)
            where ``use_bias``, whose values with channels first stand in the order (filters, spatial) all the same.
    Raises  ShapeError: another rank, sizes that are not known.
    Source  keras.layers.LocallyConnected1D, LocallyConnected2D, Keras 1 to 2.
    """

    layout: ClassVar[Layout] = "spatial"
    filters: int = attr(doc="channels that come out", minimum=1)
    kernel_size: tuple[int, ...] = attr(doc="window in pixels", minimum=1)
    strides: tuple[int, ...] = attr(doc="step in pixels", minimum=1)
    data_format: DataFormat = attr(doc="where the channels stand", spec="channels_last")
    use_bias: bool = attr(doc="add a bias", spec=True)

    def check(self) -> Iterator[str]:
        yield from lengths(self.kernel_size, self.strides)
        if len(self.kernel_size) > 2:
            yield "one or two spatial dimensions"

    def _sizes(self, x: Shape) -> tuple[int, tuple[int, ...]]:
        spatial = len(self.kernel_size)
        channels, sizes = split(x, self.data_format, spatial)
        out = windows(sizes, self.kernel_size, self.strides, ((0, 0),) * spatial, (1,) * spatial)
        return channels, tuple(known(n, "pixels") for n in out)

    def params(self, x: Shape) -> tuple[Param, ...]:
        channels, sizes = self._sizes(x)
        window = math.prod(self.kernel_size) * channels
        kernel = Param("kernel", (math.prod(sizes), window, self.filters), "PIO")
        bias = Param("bias", (*sizes, self.filters), LETTERS[len(sizes)] + "O")
        return (kernel, bias) if self.use_bias else (kernel,)

    def infer(self, x: Shape) -> Shape:
        if None in x[1:]:
            raise ShapeError("the sizes have to be known")
        return join(x, self.data_format, self.filters, self._sizes(x)[1])
