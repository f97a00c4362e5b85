"""Rounding to few bits, whose gradient is that of the identity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import chainer

# Formats: bits behind the point, exponent of the smallest normal number, largest number.
E4M3 = (3, -6, 448.0)
E5M2 = (2, -14, 57344.0)
BFLOAT16 = (7, -126, 3.3895313892515355e38)
Format = tuple[int, int, float]


class _StraightThrough(chainer.FunctionNode):
    """A function of arrays with the gradient of the identity; ``backwards`` changes the gradient on its way."""

    def __init__(
        self, function: Callable[[Any], Any] | None, backwards: Callable[[Any], Any] | None = None
    ) -> None:
        self.function, self.backwards = function, backwards

    def forward(self, inputs: Any) -> Any:
        (x,) = inputs
        return (x if self.function is None else self.function(x),)

    def backward(self, indexes: Any, gys: Any) -> Any:
        (gy,) = gys
        return (gy if self.backwards is None else _StraightThrough(self.backwards).apply((gy,))[0],)


def straight_through(x: Any, function: Callable[[Any], Any]) -> chainer.Variable:
    """A function of arrays, with the gradient of the identity."""
    made: chainer.Variable = _StraightThrough(function).apply((x,))[0]
    return made


def gradient_through(x: Any, function: Callable[[Any], Any]) -> chainer.Variable:
    """``x``, whose gradient is changed by a function of arrays."""
    made: chainer.Variable = _StraightThrough(None, function).apply((x,))[0]
    return made


def quantize_by_maximum(
    x: Any, axes: Sequence[int], low: int = -127, high: int = 127, epsilon: float = 1e-7
) -> chainer.Variable:
    """``x`` in whole steps of its largest magnitude over ``axes``. Source: keras.quantizers.AbsMaxQuantizer.

    The gradient is that of the identity.
    """

    def function(x: Any) -> Any:
        xp = chainer.backend.get_array_module(x)
        most = abs(x).max(axis=tuple(axes), keepdims=True)
        scale = x.dtype.type(high) / (most + x.dtype.type(epsilon))
        return xp.clip(xp.rint(x * scale), low, high).astype(x.dtype) / scale

    return straight_through(x, function)


def rounded(x: Any, format: Format) -> Any:
    """An array rounded to the numbers of a format of fewer bits, ties to the even one; no largest number is heeded.

    Source: Micikevicius et al. 2022, arXiv:2209.05433.
    """
    xp = chainer.backend.get_array_module(x)
    bits, least, _ = format
    _, exponent = xp.frexp(x)
    step = xp.ldexp(xp.ones_like(x), xp.maximum(exponent - 1, least) - bits)
    return xp.where(xp.isfinite(x), xp.rint(x / step) * step, x).astype(x.dtype)


def scaled_rounded(x: Any, scale: Any, format: Format) -> Any:
    """``x`` in the numbers of a format times ``scale``, clipped to those that the format has."""
    xp = chainer.backend.get_array_module(x)
    scale = scale.astype(x.dtype)
    most = x.dtype.type(format[2])
    return rounded(xp.clip(x / scale, -most, most), format) * scale
