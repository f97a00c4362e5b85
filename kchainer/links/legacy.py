"""Layers that only older Keras releases had."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import chainer
import chainer.functions as F

from kchainer.links.parameters import bias, parameter
from kchainer.links.recurrent import activation_of


class MaxoutDense(chainer.Link):
    """The largest of several dense layers. Parameters, in Keras's layout: W (features, in, out), b (features, out).

    Source: keras.layers.MaxoutDense of Keras 1.
    """

    def __init__(self, in_size: int, out_size: int, features: int, nobias: bool = False) -> None:
        super().__init__()
        with self.init_scope():
            self.W = parameter((features, in_size, out_size))
            self.b = None if nobias else parameter((features, out_size))

    def forward(self, x: Any) -> chainer.Variable:
        """(N, in_size) to (N, out_size)."""
        features, _, out = self.W.shape
        y = F.matmul(F.broadcast_to(chainer.as_variable(x), (features, *x.shape)), self.W)
        if self.b is not None:
            y = y + F.broadcast_to(F.reshape(self.b, (features, 1, out)), y.shape)
        return F.max(y, axis=0)


class Highway(chainer.Link):
    """t f(Wx + b) + (1 - t) x with t = sigmoid(Cx + c). Parameters: W, C (size, size), b, c (size,).

    Source: keras.layers.Highway of Keras 1.
    """

    def __init__(
        self, size: int, activation: str = "linear", hard_sigmoid_slope: float = 0.2, nobias: bool = False
    ) -> None:
        super().__init__()
        self.activation, self.hard_sigmoid_slope = activation, hard_sigmoid_slope
        with self.init_scope():
            self.W, self.C = parameter((size, size)), parameter((size, size))
            self.b, self.c = bias(size, nobias), bias(size, nobias)

    def forward(self, x: Any) -> chainer.Variable:
        """Shape and dtype of ``x``."""
        through = F.sigmoid(F.linear(x, self.C, self.c))
        function = activation_of(self.activation, self.hard_sigmoid_slope)
        return through * function(F.linear(x, self.W, self.b)) + (1 - through) * x


class LocallyConnected(chainer.Link):
    """A convolution with another kernel at each place; channels first.

    Parameters, in Keras's layout: W (places, window * in, out), b (pixels, out).
    ``channels_last``: a row of W runs over pixels, then channels; else the other way round, and b's values
    stand in the order (out, pixels). Source: keras.layers.LocallyConnected1D, LocallyConnected2D.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        ksize: Sequence[int],
        stride: Sequence[int],
        outsize: Sequence[int],
        channels_last: bool = True,
        nobias: bool = False,
    ) -> None:
        super().__init__()
        self.in_channels, self.ksize, self.stride = in_channels, tuple(ksize), tuple(stride)
        self.outsize, self.channels_last = tuple(outsize), channels_last
        with self.init_scope():
            self.W = parameter((math.prod(outsize), math.prod(ksize) * in_channels, out_channels))
            self.b: Any = None if nobias else parameter((*outsize, out_channels))

    def forward(self, x: Any) -> chainer.Variable:
        """(N, in_channels, pixels) to (N, out_channels, pixels)."""
        x = chainer.as_variable(x)
        flat = x if len(self.ksize) == 2 else F.expand_dims(x, 3)
        ksize, stride = (*self.ksize, 1)[:2], (*self.stride, 1)[:2]
        patches = F.im2col(flat, ksize, stride)  # (N, in * window, rows, columns)
        places, window, out = self.W.shape
        columns = F.transpose(F.reshape(patches, (len(x), window, places)), (2, 0, 1))
        y = F.transpose(F.matmul(columns, self._kernel()), (1, 2, 0))
        y = F.reshape(y, (len(x), out, *self.outsize))
        return y if self.b is None else y + F.broadcast_to(self._bias(), y.shape)

    def _kernel(self) -> Any:
        if not self.channels_last:
            return self.W
        places, window, out = self.W.shape
        apart = F.reshape(self.W, (places, window // self.in_channels, self.in_channels, out))
        return F.reshape(F.transpose(apart, (0, 2, 1, 3)), (places, window, out))

    def _bias(self) -> Any:
        if not self.channels_last:
            return F.reshape(self.b, (1, self.b.shape[-1], *self.outsize))
        return F.transpose(self.b, (self.b.ndim - 1, *range(self.b.ndim - 1)))[None]
