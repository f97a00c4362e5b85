"""Matrix products on one axis."""

from __future__ import annotations

import math
from typing import Any

import chainer
import chainer.functions as F


class _Product(chainer.FunctionNode):
    """W (O, I) times x (B, I, P): no value is moved, unlike in a product on the last axis of a transposed x."""

    def forward(self, inputs: Any) -> Any:
        self.retain_inputs((0, 1))
        x, W = inputs
        xp = chainer.backend.get_array_module(x)
        return (xp.matmul(W, x),)

    def backward(self, indexes: Any, gys: Any) -> Any:
        x, W = self.get_retained_inputs()
        (gy,) = gys
        return _Product().apply((gy, F.transpose(W)))[0], F.tensordot(gy, x, axes=((0, 2), (0, 2)))


def linear_on_axis(x: Any, W: Any, b: Any = None, axis: int = -1) -> chainer.Variable:
    """``x`` times W (O, I) along ``axis``, plus ``b`` (O,). Source: keras.layers.Dense on channels first."""
    axis %= x.ndim
    before, behind = x.shape[:axis], x.shape[axis + 1 :]
    flat = F.reshape(x, (math.prod(before), x.shape[axis], math.prod(behind)))
    y = _Product().apply((flat, W))[0]
    if b is not None:
        y = y + F.broadcast_to(F.reshape(b, (-1, 1)), y.shape)
    return F.reshape(y, (*before, W.shape[0], *behind))
