"""Element-by-element joins with broadcasting, arithmetic with numbers, and reshapes of samples."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import chainer
import chainer.functions as F
import numpy as np


def _joined(function: Callable[[Any, Any], Any], xs: Sequence[Any]) -> chainer.Variable:
    rank = max(x.ndim for x in xs)
    xs = [chainer.as_variable(x) for x in xs]
    xs = [x if x.ndim == rank else F.reshape(x, (len(x), *(1,) * (rank - x.ndim), *x.shape[1:])) for x in xs]
    if len({x.shape for x in xs}) > 1:
        xs = list(F.broadcast(*xs))
    return functools.reduce(function, xs)


def add(*xs: Any) -> chainer.Variable:
    """The sum of arrays, sizes of 1 repeated, and put in behind the batch where ranks differ. Source: keras.layers.Add."""
    return _joined(lambda a, b: a + b, xs)


def subtract(*xs: Any) -> chainer.Variable:
    """The first array less the second. Source: keras.layers.Subtract."""
    return _joined(lambda a, b: a - b, xs)


def multiply(*xs: Any) -> chainer.Variable:
    """The product of arrays, sizes of 1 repeated. Source: keras.layers.Multiply."""
    return _joined(lambda a, b: a * b, xs)


def divide(*xs: Any) -> chainer.Variable:
    """The first array by the second. Source: keras.ops.divide."""
    return _joined(lambda a, b: a / b, xs)


def scaled_add(a: Any, b: Any, scale: float) -> chainer.Variable:
    """a + scale * b. Source: CustomScaleLayer of keras.applications.InceptionResNetV2."""
    return chainer.as_variable(a) + chainer.as_variable(b) * scale


def average(*xs: Any) -> chainer.Variable:
    """The mean of arrays, sizes of 1 repeated. Source: keras.layers.Average."""
    return add(*xs) / len(xs)


def maximum(*xs: Any) -> chainer.Variable:
    """The largest value at each place. Source: keras.layers.Maximum."""
    return _joined(F.maximum, xs)


def minimum(*xs: Any) -> chainer.Variable:
    """The smallest value at each place. Source: keras.layers.Minimum."""
    return _joined(F.minimum, xs)


def reshape_samples(x: Any, shape: Sequence[int]) -> chainer.Variable:
    """Each sample in another shape, C order; one -1 is what is left over. Source: keras.layers.Reshape."""
    shape = tuple(shape)
    if -1 in shape:  # Chainer cannot work it out where the batch is empty
        known = int(np.prod([d for d in shape if d != -1]))
        shape = tuple(int(np.prod(x.shape[1:])) // known if d == -1 else d for d in shape)
    return F.reshape(x, (x.shape[0], *shape))


def rescale(
    x: Any,
    scale: float | Sequence[float],
    offset: float | Sequence[float] = 0.0,
    shape: Sequence[int] = (-1,),
) -> chainer.Variable:
    """x * scale + offset; lists are given ``shape`` first. Source: keras.layers.Rescaling."""
    xp = chainer.backend.get_array_module(x)

    def spread(value: float | Sequence[float]) -> Any:
        if isinstance(value, (int, float)):
            return value
        array = xp.asarray(value, dtype=x.dtype).reshape(tuple(shape))
        return xp.broadcast_to(array, x.shape)

    return chainer.as_variable(x) * spread(scale) + spread(offset)


def normalize(
    x: Any, mean: Sequence[float], variance: Sequence[float], shape: Sequence[int], invert: bool = False
) -> chainer.Variable:
    """(x - mean) / max(sqrt(variance), 1e-7) by numbers. Source: keras.layers.Normalization."""
    xp = chainer.backend.get_array_module(x)
    middle = xp.broadcast_to(xp.asarray(mean, dtype=x.dtype).reshape(tuple(shape)), x.shape)
    width = xp.sqrt(xp.asarray(variance, dtype=x.dtype)).reshape(tuple(shape))
    x = chainer.as_variable(x)
    if invert:
        return x * xp.broadcast_to(xp.maximum(width, 1e-7), x.shape) + middle
    return (x - middle) / xp.broadcast_to(xp.maximum(width, 1e-7), x.shape)
