"""Resizing as one matrix product per spatial dimension: differentiable, any rank, any device."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import chainer
import chainer.functions as F
import numpy as np

Ints = int | tuple[int, ...] | list[int]


def matrix_along(x: Any, matrix: np.ndarray, axis: int) -> chainer.Variable:
    """Multiplies ``matrix`` (out, in) into ``axis`` of ``x``."""
    xp = chainer.backend.get_array_module(x)
    matrix = xp.asarray(matrix.astype(x.dtype))
    return F.moveaxis(F.tensordot(x, matrix, axes=([axis], [1])), -1, axis)


def _triangle(t: np.ndarray) -> np.ndarray:
    y: np.ndarray = np.maximum(1 - np.abs(t), 0)
    return y


def _cubic(t: np.ndarray, a: float) -> np.ndarray:
    """Keys' cubic kernel. Source: Keys, Cubic convolution interpolation (1981)."""
    t = np.abs(t)
    inner = ((a + 2) * t - (a + 3)) * t * t + 1
    outer = ((a * t - 5 * a) * t + 8 * a) * t - 4 * a
    return np.where(t <= 1, inner, np.where(t < 2, outer, 0))


def _catmull_rom(t: np.ndarray) -> np.ndarray:
    return _cubic(t, -0.5)


def _filtered(n: int, out: int, kernel: Callable[[np.ndarray], np.ndarray], antialias: bool) -> np.ndarray:
    """Half-pixel centres; weights that fall outside are dropped and the rest sums to 1."""
    centres = (np.arange(out)[:, None] + 0.5) * (n / out) - 0.5
    width = max(n / out, 1.0) if antialias else 1.0
    weights = kernel((np.arange(n) - centres) / width)
    scaled: np.ndarray = weights / weights.sum(axis=1, keepdims=True)
    return scaled


def _lanczos(radius: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda t: np.where(np.abs(t) < radius, np.sinc(t) * np.sinc(t / radius), 0.0)


def _gaussian(t: np.ndarray) -> np.ndarray:
    return np.where(np.abs(t) < 1.5, np.exp(-2.0 * t * t), 0.0)


def _mitchell(t: np.ndarray) -> np.ndarray:
    """Source: Mitchell and Netravali, Reconstruction filters in computer graphics (1988), B = C = 1/3."""
    t = np.abs(t)
    inner = (7.0 * t - 12.0) * t * t + 16.0 / 3.0
    outer = ((-7.0 / 3.0 * t + 12.0) * t - 20.0) * t + 32.0 / 3.0
    return np.where(t < 1, inner, np.where(t < 2, outer, 0.0)) / 6.0


def _area(n: int, out: int) -> np.ndarray:
    """The mean of the pixels below a new one, each by the share of it that is covered."""
    low = np.arange(out)[:, None] * (n / out)
    cells = np.arange(n)
    covered = np.minimum(low + n / out, cells + 1) - np.maximum(low, cells)
    shares: np.ndarray = np.maximum(covered, 0.0) * (out / n)
    return shares


def _bicubic(n: int, out: int, antialias: bool) -> np.ndarray:
    """PyTorch's: a = -0.75 and the edge pixel repeated, but Pillow's filter when antialiasing."""
    if antialias:
        return _filtered(n, out, _catmull_rom, antialias=True)
    centres = (np.arange(out) + 0.5) * (n / out) - 0.5
    matrix = np.zeros((out, n))
    for offset in range(-1, 3):
        cells = np.floor(centres).astype(int) + offset
        np.add.at(matrix, (np.arange(out), np.clip(cells, 0, n - 1)), _cubic(cells - centres, -0.75))
    return matrix


def _bicubic_tf(n: int, out: int, antialias: bool) -> np.ndarray:
    """TensorFlow's: a = -0.5, weights outside dropped, and, without antialiasing, a table of 1024 places a pixel."""
    if antialias:
        return _filtered(n, out, _catmull_rom, antialias=True)
    centres = (np.arange(out, dtype=np.float32) + np.float32(0.5)) * np.float32(n / out) - np.float32(0.5)
    low = np.floor(centres)
    places = low + np.rint((centres - low) * 1024) / 1024
    weights = _catmull_rom(np.arange(n) - places.astype(float)[:, None])
    scaled: np.ndarray = weights / weights.sum(axis=1, keepdims=True)
    return scaled


def _bilinear_corner(n: int, out: int) -> np.ndarray:
    """TensorFlow 1's: sample i lies at i n / out, so the last samples repeat the edge."""
    centres = np.arange(out) * (n / out)
    low = np.floor(centres).astype(int)
    matrix = np.zeros((out, n))
    np.add.at(matrix, (np.arange(out), low), 1 - (centres - low))
    np.add.at(matrix, (np.arange(out), np.minimum(low + 1, n - 1)), centres - low)
    return matrix


def _nearest(n: int, out: int) -> np.ndarray:
    """Half-pixel centres, as tf.image.resize and PyTorch's nearest-exact."""
    cells = np.minimum(np.floor((np.arange(out) + 0.5) * (n / out)).astype(int), n - 1)
    matrix: np.ndarray = np.eye(n)[cells]
    return matrix


_MATRICES: dict[str, Callable[[int, int, bool], np.ndarray]] = {
    "nearest": lambda n, out, antialias: _nearest(n, out),
    "bilinear": lambda n, out, antialias: _filtered(n, out, _triangle, antialias),
    "bilinear_corner": lambda n, out, antialias: _bilinear_corner(n, out),
    "bicubic": _bicubic,
    "bicubic_tf": _bicubic_tf,
    "bicubic_jax": lambda n, out, antialias: _filtered(n, out, _catmull_rom, antialias),
    "lanczos3": lambda n, out, antialias: _filtered(n, out, _lanczos(3), antialias),
    "lanczos5": lambda n, out, antialias: _filtered(n, out, _lanczos(5), antialias),
    "gaussian": lambda n, out, antialias: _filtered(n, out, _gaussian, antialias),
    "mitchellcubic": lambda n, out, antialias: _filtered(n, out, _mitchell, antialias),
    "area": lambda n, out, antialias: _area(n, out),
}


@lru_cache(maxsize=64)
def interpolation_matrix(n: int, out: int, interpolation: str, antialias: bool = False) -> np.ndarray:
    """The (out, n) matrix that resizes one dimension; rows sum to 1."""
    try:
        build = _MATRICES[interpolation]
    except KeyError:
        raise ValueError(f"interpolation must be one of {sorted(_MATRICES)}, not {interpolation!r}") from None
    matrix = build(n, out, antialias)
    matrix.flags.writeable = False
    return matrix


def resize(x: Any, size: Ints, interpolation: str = "bilinear", antialias: bool = False) -> chainer.Variable:
    """Resizes the spatial dimensions of ``x`` (N, C, spatial...) to ``size``.

    ``interpolation``: nearest, bilinear (half-pixel centres), bilinear_corner (TensorFlow 1),
    bicubic (Keras 3 on PyTorch), bicubic_tf (on TensorFlow), bicubic_jax, and TensorFlow's lanczos3, lanczos5,
    gaussian, mitchellcubic, area. Source: Keras Resizing, UpSampling2D; tf.image.resize.
    """
    size = (size,) * (x.ndim - 2) if isinstance(size, int) else tuple(size)
    if len(size) != x.ndim - 2:
        raise ValueError(f"size {size} for {x.ndim - 2} spatial dimensions")
    blurs = interpolation in ("gaussian", "mitchellcubic") and size != tuple(x.shape[2:])
    for axis, out in enumerate(size, 2):
        if interpolation == "bilinear_corner" or blurs or out != x.shape[axis]:
            x = matrix_along(x, interpolation_matrix(x.shape[axis], out, interpolation, antialias), axis)
    return chainer.as_variable(x)


def upsampling_nearest(x: Any, size: Ints) -> chainer.Variable:
    """Repeats each cell of ``x`` (N, C, spatial...) ``size`` times. Source: Keras UpSampling1D/2D/3D."""
    size = (size,) * (x.ndim - 2) if isinstance(size, int) else tuple(size)
    sizes = x.shape[2:]
    apart = [n for pair in zip(sizes, (1,) * len(sizes), strict=True) for n in pair]
    repeated = [n for pair in zip(sizes, size, strict=True) for n in pair]
    y = F.broadcast_to(F.reshape(x, (*x.shape[:2], *apart)), (*x.shape[:2], *repeated))
    return F.reshape(y, (*x.shape[:2], *(n * k for n, k in zip(sizes, size, strict=True))))


def upsampling_bilinear(x: Any, size: Ints) -> chainer.Variable:
    """Scales the spatial dimensions of ``x`` by ``size``, half-pixel centres. Source: Keras UpSampling2D."""
    size = (size,) * (x.ndim - 2) if isinstance(size, int) else tuple(size)
    return resize(x, tuple(n * k for n, k in zip(x.shape[2:], size, strict=True)), "bilinear")
