"""Masks of sequences: boolean arrays, true where a step counts. No gradient passes through them."""

from __future__ import annotations

import functools
from typing import Any

import chainer
import chainer.functions as F
from chainer import backend


def _array(x: Any) -> Any:
    return getattr(x, "array", x)


def mask_not_equal(x: Any, value: float = 0.0) -> Any:
    """True where ``x`` is not ``value``; an array of the shape of ``x``."""
    return _array(x) != value


def mask_any(mask: Any) -> Any:
    """True where any value along the last axis is."""
    return _array(mask).any(axis=-1)


def mask_logical(*masks: Any, function: str) -> Any:
    """Masks joined by "and" or "or"."""
    xp = backend.get_array_module(*masks)
    join = xp.logical_and if function == "and" else xp.logical_or
    return functools.reduce(join, (_array(m).astype(bool) for m in masks))


def mask_concatenate(*masks: Any) -> Any:
    """Masks (N, T) one behind the other."""
    return backend.get_array_module(*masks).concatenate([_array(m).astype(bool) for m in masks], axis=1)


def mask_ones(x: Any) -> Any:
    """A mask (N, T) in which each step counts."""
    return backend.get_array_module(x).ones(x.shape[:2], dtype=bool)


def masking(x: Any, value: float = 0.0) -> chainer.Variable:
    """Steps that hold ``value`` only become zeros. Source: keras.layers.Masking."""
    x = chainer.as_variable(x)
    keep = (x.array != value).any(axis=-1, keepdims=True)
    xp = backend.get_array_module(x)
    return F.where(xp.broadcast_to(keep, x.shape), x, xp.zeros_like(x.array))


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
