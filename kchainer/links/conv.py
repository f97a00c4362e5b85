"""Convolutions in any number of spatial dimensions, padded differently on each side; channels first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import chainer

from kchainer.functions import conv as KF
from kchainer.links.parameters import bias, parameter

Ints = int | Sequence[int]


class Convolution(chainer.Link):
    """Cross-correlation padded by ``pads``: (before, after) by dimension, or "same_upper" (TensorFlow's rule).

    Parameters: W (out_channels, in_channels / groups, k...), b (out_channels,).
    Source: keras.layers.Conv1D, Conv2D, Conv3D.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        ksize: Sequence[int],
        stride: Ints = 1,
        pads: KF.Pads = "same_upper",
        dilate: Ints = 1,
        groups: int = 1,
        nobias: bool = False,
    ) -> None:
        super().__init__()
        self.stride, self.pads, self.dilate, self.groups = stride, pads, dilate, groups
        with self.init_scope():
            self.W = parameter((out_channels, in_channels // groups, *ksize))
            self.b = bias(out_channels, nobias)

    def forward(self, x: Any) -> chainer.Variable:
        """(N, in_channels, spatial...) to (N, out_channels, spatial...)."""
        return self.apply(x, self.W, self.b)

    def apply(self, x: Any, W: Any, b: Any) -> chainer.Variable:
        """The same with another weight and bias."""
        return KF.convolution(x, W, b, self.stride, self.pads, self.dilate, self.groups)


class DepthwiseConvolution(chainer.Link):
    """Each channel by its own ``multiplier`` kernels; output channel c * multiplier + m.

    Parameters: W (channels * multiplier, 1, k...), b (channels * multiplier,).
    Source: keras.layers.DepthwiseConv1D, DepthwiseConv2D.
    """

    def __init__(
        self,
        channels: int,
        multiplier: int,
        ksize: Sequence[int],
        stride: Ints = 1,
        pads: KF.Pads = "same_upper",
        dilate: Ints = 1,
        nobias: bool = False,
    ) -> None:
        super().__init__()
        self.stride, self.pads, self.dilate = stride, pads, dilate
        with self.init_scope():
            self.W = parameter((channels * multiplier, 1, *ksize))
            self.b = bias(channels * multiplier, nobias)

    def forward(self, x: Any) -> chainer.Variable:
        """(N, channels, spatial...) to (N, channels * multiplier, spatial...)."""
        return KF.depthwise_convolution(x, self.W, self.b, self.stride, self.pads, self.dilate)


class SeparableConvolution(chainer.Link):
    """A depthwise convolution, then one with windows of one pixel.

    Parameters: depthwise_W (in_channels * multiplier, 1, k...), pointwise_W (out_channels, in_channels * multiplier,
    1...), b (out_channels,). Source: keras.layers.SeparableConv1D, SeparableConv2D.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        multiplier: int,
        ksize: Sequence[int],
        stride: Ints = 1,
        pads: KF.Pads = "same_upper",
        dilate: Ints = 1,
        nobias: bool = False,
    ) -> None:
        super().__init__()
        self.stride, self.pads, self.dilate = stride, pads, dilate
        with self.init_scope():
            self.depthwise_W = parameter((in_channels * multiplier, 1, *ksize))
            self.pointwise_W = parameter((out_channels, in_channels * multiplier, *(1 for _ in ksize)))
            self.b = bias(out_channels, nobias)

    def forward(self, x: Any) -> chainer.Variable:
        """(N, in_channels, spatial...) to (N, out_channels, spatial...)."""
        h = KF.depthwise_convolution(x, self.depthwise_W, None, self.stride, self.pads, self.dilate)
        return KF.convolution(h, self.pointwise_W, self.b, 1, ((0, 0),) * (x.ndim - 2))


class Deconvolution(chainer.Link):
    """Transposed convolution with Keras's output size.

    Parameters: W (in_channels, out_channels, k...), b (out_channels,).
    Source: keras.layers.Conv1DTranspose, Conv2DTranspose, Conv3DTranspose.

    Args:
        padding: "valid" or "same".
        output_padding: pixels added at the end, by dimension; None: Keras's sizes without it.
        begin: pixels cut off the front of the full result, by dimension, in place of ``padding``'s rule.
        outsize: pixels of the output, by dimension, likewise.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        ksize: Sequence[int],
        stride: Sequence[int],
        padding: str = "valid",
        output_padding: Sequence[int] | None = None,
        dilate: Sequence[int] | None = None,
        nobias: bool = False,
        begin: Sequence[int] | None = None,
        outsize: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        self.stride, self.dilate = tuple(stride), tuple(dilate or (1 for _ in ksize))
        self.windows = tuple(d * (k - 1) + 1 for k, d in zip(ksize, self.dilate, strict=True))
        self.padding, self.output_padding, self.begin, self.outsize = padding, output_padding, begin, outsize
        with self.init_scope():
            self.W = parameter((in_channels, out_channels, *ksize))
            self.b = bias(out_channels, nobias)

    def forward(self, x: Any) -> chainer.Variable:
        """(N, in_channels, spatial...) to (N, out_channels, spatial...)."""
        return self.apply(x, self.W, self.b)

    def apply(self, x: Any, W: Any, b: Any) -> chainer.Variable:
        """The same with another weight and bias."""
        extra = self.output_padding or (None,) * len(self.windows)
        rules = [
            self._rule(*args) for args in zip(x.shape[2:], self.windows, self.stride, extra, strict=True)
        ]
        begins = self.begin or [begin for begin, _ in rules]
        outsize = self.outsize or [out for _, out in rules]
        crops = [(begin, 0) for begin in begins]
        return KF.deconvolution(x, W, b, self.stride, crops, outsize, self.dilate)

    def _rule(self, n: int, k: int, s: int, extra: int | None) -> tuple[int, int]:
        """Pixels cut off the front, and the output's size."""
        if self.padding == "valid":
            return 0, n * s + max(k - s, 0) if extra is None else (n - 1) * s + k + extra
        if extra is None:
            return max(k - s, 0) // 2, n * s
        cut = 2 * (k // 2) - extra
        return max(cut // 2, 0), (n - 1) * s + k - cut
