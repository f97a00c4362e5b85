"""Noise of training; identity unless ``chainer.config.train``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import chainer
import chainer.functions as F

# Source: Klambauer et al. (2017), -alpha * scale of SELU.
_ALPHA_PRIME = -1.7580993408473766


def _noise_shape(x: Any, noise_shape: Sequence[int | None] | None) -> tuple[int, ...]:
    """None stands for the size of ``x``, 1 for one draw along the axis."""
    if noise_shape is None:
        return tuple(x.shape)
    return tuple(n if drawn is None else drawn for n, drawn in zip(x.shape, noise_shape, strict=True))


def _kept(x: Any, ratio: float, noise_shape: Sequence[int | None] | None) -> Any:
    """1 where a value stays, 0 with probability ``ratio``; of the shape of ``x``."""
    xp = chainer.backend.get_array_module(x)
    drawn = xp.random.random_sample(_noise_shape(x, noise_shape)) >= ratio
    return xp.broadcast_to(drawn.astype(x.dtype), x.shape)


def dropout(x: Any, ratio: float = 0.5, noise_shape: Sequence[int | None] | None = None) -> chainer.Variable:
    """Sets a share ``ratio`` of ``x`` to 0 and scales the rest by 1 / (1 - ratio).

    ``noise_shape``: 1 shares the draw along an axis, None draws per element. Source: Keras Dropout.
    """
    if not chainer.config.train or ratio == 0:
        return chainer.as_variable(x)
    if ratio >= 1:
        return chainer.as_variable(x) * 0.0
    if noise_shape is None:
        return F.dropout(x, ratio)
    return chainer.as_variable(x) * (_kept(x, ratio, noise_shape) * x.dtype.type(1 / (1 - ratio)))


def spatial_dropout(x: Any, ratio: float = 0.5) -> chainer.Variable:
    """Drops whole maps of ``x`` (N, C, spatial...). Source: Keras SpatialDropout1D/2D/3D."""
    return dropout(x, ratio, (None, None, *(1,) * (x.ndim - 2)))


def gaussian_noise(x: Any, std: float) -> chainer.Variable:
    """Adds N(0, std). Source: Keras GaussianNoise."""
    if not chainer.config.train or std == 0:
        return chainer.as_variable(x)
    xp = chainer.backend.get_array_module(x)
    return chainer.as_variable(x) + xp.random.normal(0.0, std, x.shape).astype(x.dtype)


def gaussian_dropout(x: Any, rate: float) -> chainer.Variable:
    """Multiplies by N(1, sqrt(rate / (1 - rate))). Source: Keras GaussianDropout."""
    if not chainer.config.train or rate == 0:
        return chainer.as_variable(x)
    xp = chainer.backend.get_array_module(x)
    std = math.sqrt(rate / (1 - rate))
    return chainer.as_variable(x) * xp.random.normal(1.0, std, x.shape).astype(x.dtype)


def alpha_dropout(x: Any, rate: float, noise_shape: Sequence[int | None] | None = None) -> chainer.Variable:
    """Dropout to SELU's negative limit that keeps mean and variance. Source: Keras AlphaDropout."""
    x = chainer.as_variable(x)
    if not chainer.config.train or rate == 0:
        return x
    kept = _kept(x, rate, noise_shape)
    scale = ((1 - rate) * (1 + rate * _ALPHA_PRIME**2)) ** -0.5
    return scale * (x * kept + _ALPHA_PRIME * (1 - kept)) - scale * _ALPHA_PRIME * rate
