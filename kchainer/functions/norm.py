"""Normalisations without running statistics. float16 is computed in float32, as Keras does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import chainer
import chainer.functions as F
import numpy as np

Axes = int | Sequence[int]


def axes_of(axes: Axes, ndim: int) -> tuple[int, ...]:
    """Axes as sorted numbers from 0."""
    return tuple(sorted(a % ndim for a in ((axes,) if isinstance(axes, int) else axes)))


def wide(x: Any) -> chainer.Variable:
    """float16 as float32, everything else as it is."""
    return F.cast(x, np.float32) if x.dtype == np.float16 else chainer.as_variable(x)


def spread(p: Any, x: Any, axes: Sequence[int]) -> chainer.Variable:
    """``p``, whose dimensions are ``axes`` of ``x``, broadcast to ``x`` in the dtype of ``x``."""
    shape = [1] * x.ndim
    for axis, n in zip(axes, p.shape, strict=True):
        shape[axis] = n
    p = p if p.dtype == x.dtype else F.cast(p, x.dtype)
    return F.broadcast_to(F.reshape(p, tuple(shape)), x.shape)


def _affine(x: Any, gamma: Any, beta: Any, axes: Sequence[int]) -> chainer.Variable:
    if gamma is not None:
        x = x * spread(gamma, x, axes)
    return x if beta is None else x + spread(beta, x, axes)


def _centred(x: Any, axes: tuple[int, ...]) -> chainer.Variable:
    """``x`` less its mean, exactly zero where all values are equal: what a mean in float32 is off is taken off as well.

    Else equal values, divided by sqrt(eps), would give thirty times the rounding.
    """
    centred = x - F.broadcast_to(F.mean(x, axis=axes, keepdims=True), x.shape)
    rest = centred.array.mean(axis=axes, keepdims=True)  # a constant: its gradient is zero
    return centred - centred.xp.broadcast_to(rest, x.shape)


def _by_deviation(x: Any, centred: Any, axes: tuple[int, ...], eps: float) -> chainer.Variable:
    variance = F.mean(centred * centred, axis=axes, keepdims=True)
    return x * F.broadcast_to(F.rsqrt(variance + eps), x.shape)


def layer_normalization(
    x: Any,
    gamma: Any = None,
    beta: Any = None,
    axes: Axes = -1,
    eps: float = 1e-3,
    rms_scaling: bool = False,
) -> chainer.Variable:
    """Normalises each sample of ``x`` over ``axes``; ``gamma``, ``beta`` have the shape of those axes.

    ``rms_scaling`` subtracts no mean but still divides by sqrt(variance + eps), as Keras 3 does.
    Source: Keras LayerNormalization; Ba et al. (2016).
    """
    axes, v = axes_of(axes, x.ndim), wide(x)
    centred = _centred(v, axes)
    y = _affine(_by_deviation(v if rms_scaling else centred, centred, axes, eps), gamma, beta, axes)
    return F.cast(y, x.dtype)


def rms_normalization(x: Any, scale: Any = None, axes: Axes = -1, eps: float = 1e-6) -> chainer.Variable:
    """x / sqrt(mean(x^2) + eps) over ``axes``, times ``scale``. Source: Keras RMSNormalization."""
    axes, v = axes_of(axes, x.ndim), wide(x)
    return F.cast(_affine(_by_deviation(v, v, axes, eps), scale, None, axes), x.dtype)


def group_normalization(
    x: Any, gamma: Any, beta: Any, groups: int, eps: float = 1e-3, axis: int = 1
) -> chainer.Variable:
    """Normalises over each of ``groups`` groups of channels (``axis``) and all axes but the first.

    ``gamma``, ``beta`` (C,) or None. Source: Keras GroupNormalization; Wu and He (2018).
    """
    axis, v = axis % x.ndim, wide(x)
    channels = x.shape[axis]
    if groups < 1 or channels % groups:
        raise ValueError(f"{channels} channels do not divide into {groups} groups")
    grouped = F.reshape(v, (*x.shape[:axis], groups, channels // groups, *x.shape[axis + 1 :]))
    axes = tuple(a for a in range(1, grouped.ndim) if a != axis)
    centred = _centred(grouped, axes)
    y = F.reshape(_by_deviation(centred, centred, axes, eps), x.shape)
    return F.cast(_affine(y, gamma, beta, (axis,)), x.dtype)


def unit_normalization(
    x: Any, axes: Axes = -1, eps: float = 1e-12, form: str = "max_norm"
) -> chainer.Variable:
    """Divides ``x`` by its l2 norm over ``axes``.

    "max_norm": x / max(||x||, eps) (Keras 3); "max_square": x / sqrt(max(sum x^2, eps)) (tf.keras).
    Source: Keras UnitNormalization.
    """
    v = wide(x)
    square = F.sum(v * v, axis=axes_of(axes, x.ndim), keepdims=True)
    # eps^2 = 1e-24 is a normal float32, so one floor below the root serves both and keeps 0 finite.
    floor = square.xp.full_like(square.array, eps * eps if form == "max_norm" else eps)
    return F.cast(v * F.broadcast_to(F.rsqrt(F.maximum(square, floor)), x.shape), x.dtype)


def deviation_normalization(
    x: Any, gamma: Any, beta: Any, axes: Axes, channels: Axes, eps: float, inner: float
) -> chainer.Variable:
    """gamma (x - mean) / (sqrt(var + inner) + eps) + beta over ``axes``; gamma and beta run along ``channels``.

    Source: Keras 0.3, BatchNormalization, which divides by a deviation.
    """
    axes, v = axes_of(axes, x.ndim), wide(x)
    centred = _centred(v, axes)
    deviation = F.sqrt(F.mean(centred * centred, axis=axes, keepdims=True) + inner) + eps
    y = centred / F.broadcast_to(deviation, x.shape)
    return F.cast(_affine(y, gamma, beta, axes_of(channels, x.ndim)), x.dtype)


def samplewise_normalization(
    x: Any, gamma: Any = None, beta: Any = None, eps: float = 1e-3, axis: int = -1
) -> chainer.Variable:
    """gamma (x - mean) / (sqrt(var + eps) + eps) + beta per sample over ``axis``; eps enters twice.

    Source: Keras 1, BatchNormalization(mode=1).
    """
    return deviation_normalization(x, gamma, beta, axis, axis, eps, eps)
