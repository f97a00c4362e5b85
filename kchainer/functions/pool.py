"""Pooling without ``cover_all``, with padding per side that averages do not count; channels first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import chainer
import chainer.functions as F
import numpy as np

from kchainer.functions.conv import Ints, Pads, resolve_pads, split_pads, tuple_of
from kchainer.functions.resize import matrix_along


class _Windows(NamedTuple):
    ksize: tuple[int, ...]
    stride: tuple[int, ...]
    pads: tuple[tuple[int, int], ...]


def _arguments(x: Any, ksize: Ints, stride: Ints | None, pads: Pads | None) -> _Windows:
    ndim = x.ndim - 2
    sizes = tuple_of(ksize, ndim)
    steps = sizes if stride is None else tuple_of(stride, ndim)
    pads = ((0, 0),) * ndim if pads is None else pads
    return _Windows(sizes, steps, resolve_pads(pads, x.shape[2:], sizes, steps))


def max_pooling(
    x: Any, ksize: Ints, stride: Ints | None = None, pads: Pads | None = None
) -> chainer.Variable:
    """Maxima of windows of ``x`` (N, C, spatial...); padding never wins. Source: Keras MaxPooling1D/2D/3D."""
    windows = _arguments(x, ksize, stride, pads)
    x, symmetric = split_pads(x, windows.pads, -np.inf)
    # Chainer's default cover_all=True would add a window at the end.
    return F.max_pooling_nd(x, windows.ksize, windows.stride, symmetric, cover_all=False)


def _real_cells(size: int, k: int, s: int, pads: tuple[int, int]) -> np.ndarray:
    """How many cells of each window along one dimension are no padding, at least 1."""
    starts = np.arange((size + sum(pads) - k) // s + 1) * s - pads[0]
    cells: np.ndarray = np.maximum(np.minimum(starts + k, size) - np.maximum(starts, 0), 1)
    return cells


def average_pooling(
    x: Any, ksize: Ints, stride: Ints | None = None, pads: Pads | None = None
) -> chainer.Variable:
    """Means of windows of ``x`` (N, C, spatial...), padding excluded. Source: Keras AveragePooling1D/2D/3D."""
    windows = _arguments(x, ksize, stride, pads)
    xp, sizes = chainer.backend.get_array_module(x), x.shape[2:]
    x, symmetric = split_pads(x, windows.pads)
    y = F.average_pooling_nd(x, windows.ksize, windows.stride, symmetric)
    if not any(side for pair in windows.pads for side in pair):
        return y
    factor = np.ones((), np.float64)
    for size, k, s, sides in zip(sizes, *windows, strict=True):
        factor = factor[..., None] * (k / _real_cells(size, k, s, sides))
    return y * F.broadcast_to(xp.asarray(factor.astype(y.dtype)), y.shape)


def global_average_pooling(
    x: Any, keepdims: bool = False, axes: Sequence[int] | None = None
) -> chainer.Variable:
    """Mean over ``axes``, by default the spatial ones of (N, C, spatial...)."""
    return F.mean(x, axis=tuple(range(2, x.ndim)) if axes is None else tuple(axes), keepdims=keepdims)


def global_max_pooling(x: Any, keepdims: bool = False, axes: Sequence[int] | None = None) -> chainer.Variable:
    """Maximum over ``axes``, by default the spatial ones of (N, C, spatial...)."""
    return F.max(x, axis=tuple(range(2, x.ndim)) if axes is None else tuple(axes), keepdims=keepdims)


def _adaptive_windows(size: int, output_size: int) -> list[tuple[int, int]]:
    return [(i * size // output_size, -(-(i + 1) * size // output_size)) for i in range(output_size)]


def adaptive_average_pooling(x: Any, output_size: Ints) -> chainer.Variable:
    """Means of ``output_size`` windows per spatial dimension. Source: Keras 3 AdaptiveAveragePooling2D."""
    for axis, out in enumerate(tuple_of(output_size, x.ndim - 2), 2):
        matrix = np.zeros((out, x.shape[axis]))
        for row, (start, end) in zip(matrix, _adaptive_windows(x.shape[axis], out), strict=True):
            row[start:end] = 1 / (end - start)
        x = matrix_along(x, matrix, axis)
    return chainer.as_variable(x)


def adaptive_max_pooling(x: Any, output_size: Ints) -> chainer.Variable:
    """Maxima of ``output_size`` windows per spatial dimension. Source: Keras 3 AdaptiveMaxPooling2D."""
    for axis, out in enumerate(tuple_of(output_size, x.ndim - 2), 2):
        before = (slice(None),) * axis
        windows = _adaptive_windows(x.shape[axis], out)
        x = F.stack(
            [F.max(F.get_item(x, (*before, slice(start, end))), axis=axis) for start, end in windows], axis
        )
    return chainer.as_variable(x)
