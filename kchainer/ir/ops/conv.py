"""Convolutions over one, two or three spatial dimensions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from kchainer.ir.op import Layout, Op, Param, Shape, ShapeError, attr, op
from kchainer.ir.ops.spatial import LETTERS, DataFormat, Pads, join, lengths, split, windows


@op
class Convolution(Op):
    """Cross-correlation with learned kernels.

    Input   x  (N, spatial, C) or (N, C, spatial) by ``data_format``; float.
    Output  y  the same order with ``filters`` channels.
    Params  kernel (spatial, C / groups, filters); bias (filters,) where ``use_bias``.
    Raises  ShapeError: another rank, channels that do not divide, a window that does not fit.
    Source  keras.layers.Conv1D, Conv2D, Conv3D.
    """

    layout: ClassVar[Layout] = "spatial"
    filters: int = attr(doc="output channels", minimum=1)
    kernel_size: tuple[int, ...] = attr(doc="window in pixels, by spatial dimension", minimum=1)
    strides: tuple[int, ...] = attr(doc="step in pixels", minimum=1)
    padding: Pads = attr(doc="(before, after) in pixels, or same_upper: TensorFlow's rule", minimum=0)
    dilation: tuple[int, ...] = attr(doc="distance of kernel taps in pixels", minimum=1)
    groups: int = attr(doc="groups of channels", spec=1, minimum=1)
    use_bias: bool = attr(doc="add a bias", spec=True)
    data_format: DataFormat = attr(doc="where the channels stand", spec="channels_last")

    def check(self) -> Iterator[str]:
        yield from lengths(self.kernel_size, self.strides, self.padding, self.dilation)
        if self.filters % self.groups:
            yield f"{self.filters} filters do not divide into {self.groups} groups"

    def params(self, x: Shape) -> tuple[Param, ...]:
        channels, _ = split(x, self.data_format, len(self.kernel_size))
        if channels % self.groups:
            raise ShapeError(f"{channels} channels do not divide into {self.groups} groups")
        shape = (*self.kernel_size, channels // self.groups, self.filters)
        kernel = Param("kernel", shape, LETTERS[len(self.kernel_size)] + "IO")
        return (kernel, Param("bias", (self.filters,), "O")) if self.use_bias else (kernel,)

    def infer(self, x: Shape) -> Shape:
        _, sizes = split(x, self.data_format, len(self.kernel_size))
        out = windows(sizes, self.kernel_size, self.strides, self.padding, self.dilation)
        return join(x, self.data_format, self.filters, out)


@op
class DepthwiseConvolution(Op):
    """Each channel convolved by its own ``depth_multiplier`` kernels; output channel c * multiplier + m.

    Params  kernel (spatial, C, multiplier); bias (C * multiplier,) where ``use_bias``.
    Raises  ShapeError: another rank, unknown channels, a window that does not fit.
    Source  keras.layers.DepthwiseConv1D, DepthwiseConv2D.
    """

    layout: ClassVar[Layout] = "spatial"
    depth_multiplier: int = attr(doc="kernels for each channel", spec=1, minimum=1)
    kernel_size: tuple[int, ...] = attr(doc="window in pixels, by spatial dimension", minimum=1)
    strides: tuple[int, ...] = attr(doc="step in pixels", minimum=1)
    padding: Pads = attr(doc="(before, after) in pixels, or same_upper: TensorFlow's rule", minimum=0)
    dilation: tuple[int, ...] = attr(doc="distance of kernel taps in pixels", minimum=1)
    use_bias: bool = attr(doc="add a bias", spec=True)
    data_format: DataFormat = attr(doc="where the channels stand", spec="channels_last")

    def check(self) -> Iterator[str]:
        yield from lengths(self.kernel_size, self.strides, self.padding, self.dilation)

    def params(self, x: Shape) -> tuple[Param, ...]:
        channels, _ = split(x, self.data_format, len(self.kernel_size))
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        kernel = Param("kernel", shape, LETTERS[len(self.kernel_size)] + "CM")
        bias = Param("bias", (channels * self.depth_multiplier,), "O")
        return (kernel, bias) if self.use_bias else (kernel,)

    def infer(self, x: Shape) -> Shape:
        channels, sizes = split(x, self.data_format, len(self.kernel_size))
        out = windows(sizes, self.kernel_size, self.strides, self.padding, self.dilation)
        return join(x, self.data_format, channels * self.depth_multiplier, out)


@op
class SeparableConvolution(Op):
    """A depthwise convolution, then one with windows of one pixel.

    Params  depthwise_kernel (spatial, C, multiplier); pointwise_kernel (1..., C * multiplier, filters);
            bias (filters,) where ``use_bias``.
    Raises  ShapeError: another rank, unknown channels, a window that does not fit.
    Source  keras.layers.SeparableConv1D, SeparableConv2D.
    """

    layout: ClassVar[Layout] = "spatial"
    filters: int = attr(doc="output channels", minimum=1)
    depth_multiplier: int = attr(doc="kernels for each channel", spec=1, minimum=1)
    kernel_size: tuple[int, ...] = attr(doc="window in pixels, by spatial dimension", minimum=1)
    strides: tuple[int, ...] = attr(doc="step in pixels", minimum=1)
    padding: Pads = attr(doc="(before, after) in pixels, or same_upper: TensorFlow's rule", minimum=0)
    dilation: tuple[int, ...] = attr(doc="distance of kernel taps in pixels", minimum=1)
    use_bias: bool = attr(doc="add a bias", spec=True)
    data_format: DataFormat = attr(doc="where the channels stand", spec="channels_last")

    def check(self) -> Iterator[str]:
        yield from lengths(self.kernel_size, self.strides, self.padding, self.dilation)

    def params(self, x: Shape) -> tuple[Param, ...]:
        channels, _ = split(x, self.data_format, len(self.kernel_size))
        letters, ones = LETTERS[len(self.kernel_size)], (1,) * len(self.kernel_size)
        depthwise = Param(
            "depthwise_kernel", (*self.kernel_size, channels, self.depth_multiplier), letters + "CM"
        )
        pointwise = Param(
            "pointwise_kernel", (*ones, channels * self.depth_multiplier, self.filters), letters + "IO"
        )
        bias = (Param("bias", (self.filters,), "O"),) if self.use_bias else ()
        return (depthwise, pointwise, *bias)

    def infer(self, x: Shape) -> Shape:
        _, sizes = split(x, self.data_format, len(self.kernel_size))
        out = windows(sizes, self.kernel_size, self.strides, self.padding, self.dilation)
        return join(x, self.data_format, self.filters, out)


@op
class TransposedConvolution(Op):
    """The gradient of a convolution by its input, as a layer.

    Output  size n * s + max(k - s, 0) for valid, n * s for same; with ``output_padding`` p:
            (n - 1) * s + k + p for valid, (n - 1) * s + k - 2 * (k // 2) + p for same.
    Params  kernel (spatial, filters, C); bias (filters,) where ``use_bias``.
    Raises  ShapeError: another rank, unknown channels.
    Source  keras.layers.Conv1DTranspose, Conv2DTranspose, Conv3DTranspose.
    """

    layout: ClassVar[Layout] = "spatial"
    filters: int = attr(doc="output channels", minimum=1)
    kernel_size: tuple[int, ...] = attr(doc="window in pixels, by spatial dimension", minimum=1)
    strides: tuple[int, ...] = attr(doc="step in pixels", minimum=1)
    padding: Literal["valid", "same"] = attr(doc="what is cropped from the full result")
    output_padding: tuple[int, ...] | None = attr(
        doc="added to the output's end, in pixels", spec=None, minimum=0
    )
    output_size: tuple[int, ...] | None = attr(
        doc="pixels that come out, in place of the rule", spec=None, minimum=1
    )
    begin: tuple[int, ...] | None = attr(
        doc="pixels cut off the front, in place of the rule", spec=None, minimum=0
    )
    dilation: tuple[int, ...] = attr(doc="distance of kernel taps in pixels", minimum=1)
    use_bias: bool = attr(doc="add a bias", spec=True)
    data_format: DataFormat = attr(doc="where the channels stand", spec="channels_last")

    def check(self) -> Iterator[str]:
        yield from lengths(self.kernel_size, self.strides, self.output_padding, self.dilation)
        yield from lengths(self.kernel_size, self.output_size, self.begin)

    def params(self, x: Shape) -> tuple[Param, ...]:
        channels, _ = split(x, self.data_format, len(self.kernel_size))
        kernel = Param(
            "kernel", (*self.kernel_size, self.filters, channels), LETTERS[len(self.kernel_size)] + "OI"
        )
        return (kernel, Param("bias", (self.filters,), "O")) if self.use_bias else (kernel,)

    def infer(self, x: Shape) -> Shape:
        _, sizes = split(x, self.data_format, len(self.kernel_size))
        if self.output_size is not None:
            return join(x, self.data_format, self.filters, self.output_size)
        extra = self.output_padding or (None,) * len(sizes)
        out = tuple(
            None if n is None else self._size(n, d * (k - 1) + 1, s, p)
            for n, k, s, d, p in zip(sizes, self.kernel_size, self.strides, self.dilation, extra, strict=True)
        )
        return join(x, self.data_format, self.filters, out)

    def _size(self, n: int, k: int, s: int, extra: int | None) -> int:
        if extra is None:
            return n * s + (max(k - s, 0) if self.padding == "valid" else 0)
        return (n - 1) * s + k + extra - (2 * (k // 2) if self.padding == "same" else 0)
