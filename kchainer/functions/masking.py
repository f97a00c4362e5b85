"""Masks of sequences: boolean arrays, true where a step counts. No gradient passes through them."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import chainer
import chainer.functions as F
import numpy as np
from chainer import backend

from kchainer.functions.activation import softmax


def _array(x: Any) -> Any:
    return getattr(x, "array", x)


def mask_concatenate(*masks: Any, axis: int = 1) -> Any:
    """Masks one behind the other along ``axis``."""
    return backend.get_array_module(*masks).concatenate([_array(m).astype(bool) for m in masks], axis=axis)


def mask_ones(x: Any, rank: int = 2) -> Any:
    """A mask of the first ``rank`` axes of ``x`` in which each step counts."""
    return backend.get_array_module(x).ones(x.shape[:rank], dtype=bool)


def masking(x: Any, value: float = 0.0) -> chainer.Variable:
    """Steps that hold ``value`` only become zeros. Source: keras.layers.Masking."""
    x = chainer.as_variable(x)
    keep = (x.array != value).any(axis=-1, keepdims=True)
    xp = backend.get_array_module(x)
    return F.where(xp.broadcast_to(keep, x.shape), x, xp.zeros_like(x.array))


def masked_merge(*values: Any, function: str, masked: Sequence[bool]) -> chainer.Variable:
    """``values`` joined by "multiply", "maximum" or "minimum"; then come the masks of those that ``masked`` names.

    Sizes of 1 are repeated. A masked step does not count. Source: keras.layers.Multiply, Maximum, Minimum since 3.4.
    """
    xs = [chainer.as_variable(v) for v in values[: len(masked)]]
    xp, rank = backend.get_array_module(*xs), max(x.ndim for x in xs)
    xs = [F.reshape(x, (len(x), *(1,) * (rank - x.ndim), *x.shape[1:])) for x in xs]
    shape = np.broadcast_shapes(*(x.shape for x in xs))
    xs = [F.broadcast_to(x, shape) for x in xs]
    left = [xp.broadcast_to(_array(m).astype(bool)[..., None], shape) for m in values[len(masked) :]]
    keeps = [left.pop(0) if has else None for has in masked]
    if function == "multiply":
        return _product(xp, xs, keeps)
    join = F.maximum if function == "maximum" else F.minimum
    y, keep = xs[0], keeps[0]
    for x, own in zip(xs[1:], keeps[1:], strict=True):
        x = x if own is None else F.where(own, x, y)
        y = y if keep is None else F.where(keep, y, x)
        keep = None if own is None or keep is None else xp.logical_or(keep, own)
        y = join(y, x)
    return y


def _product(xp: Any, xs: Sequence[Any], keeps: Sequence[Any]) -> chainer.Variable:
    ones = xp.ones_like(xs[0].array)
    filled = [x if keep is None else F.where(keep, x, ones) for x, keep in zip(xs, keeps, strict=True)]
    y = functools.reduce(lambda a, b: a * b, filled)
    if any(keep is None for keep in keeps):
        return y
    return F.where(functools.reduce(xp.logical_or, keeps), y, xp.zeros_like(y.array))


def masked_softmax(
    x: Any, mask: Any, axis: int | tuple[int, ...] = -1, hidden: str = "zero"
) -> chainer.Variable:
    """A softmax in which what ``mask`` hides has no part. Source: keras.layers.Softmax called with a mask.

    Args:
        mask: boolean, broadcast to ``x`` from the last axis on.
        hidden: where all is hidden: "zero", or "softmax" of values lowered by 1e9.
    """
    x = chainer.as_variable(x)
    xp = backend.get_array_module(x)
    keep = xp.broadcast_to(_array(mask).astype(bool), x.shape)
    low = x.dtype.type(-3e4 if x.dtype == "float16" else -1e9)
    if hidden == "softmax":
        return softmax(x + (~keep).astype(x.dtype) * low, axis)
    y = softmax(F.where(keep, x, xp.full_like(x.array, low)), axis)
    return F.where(keep, y, xp.zeros_like(y.array))


def masked_average(x: Any, mask: Any, keepdims: bool = False) -> chainer.Variable:
    """The mean of (N, T, F) over the steps where ``mask`` (N, T) is true. Source: keras.layers.GlobalAveragePooling1D."""
    x = chainer.as_variable(x)
    xp = backend.get_array_module(x)
    keep = _array(mask).astype(bool)[:, :, None]
    kept = F.where(xp.broadcast_to(keep, x.shape), x, xp.zeros_like(x.array))
    total = F.sum(kept, axis=1, keepdims=keepdims)
    count = keep.sum(axis=1, keepdims=keepdims).astype(x.dtype)
    return total / xp.broadcast_to(count, total.shape)


def reverse(x: Any) -> Any:
    """The steps (axis 1) in reverse order; a mask stays an array."""
    return _array(x)[:, ::-1] if _array(x).dtype.kind == "b" else F.flip(x, axis=1)


def fold_steps(x: Any) -> chainer.Variable:
    """(N, T, ...) to (N T, ...)."""
    return F.reshape(x, (x.shape[0] * x.shape[1], *x.shape[2:]))


def unfold_steps(x: Any, like: Any) -> chainer.Variable:
    """(N T, ...) to (N, T, ...), N and T as in ``like``."""
    return F.reshape(x, (*like.shape[:2], *x.shape[1:]))
