"""Merging two inputs by dot products per sample; axis 0 is the batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import chainer
import chainer.functions as F

from kchainer.functions.norm import unit_normalization


def _pair(axes: int | Sequence[int], a: Any, b: Any) -> tuple[int, int]:
    left, right = (axes, axes) if isinstance(axes, int) else axes
    left, right = left % a.ndim, right % b.ndim
    if 0 in (left, right):
        raise ValueError("axis 0 is the batch: no dot product over it")
    if a.shape[left] != b.shape[right]:
        raise ValueError(f"{a.shape} over axis {left} does not fit {b.shape} over axis {right}")
    return left, right


def _batch_dot(a: Any, b: Any, axes: tuple[int, int]) -> chainer.Variable:
    """Contracts one axis of each; two vectors give (N, 1)."""
    n, common = a.shape[0], a.shape[axes[0]]
    rest_a = tuple(size for i, size in enumerate(a.shape) if i not in (0, axes[0]))
    rest_b = tuple(size for i, size in enumerate(b.shape) if i not in (0, axes[1]))
    a = F.reshape(F.moveaxis(a, axes[0], -1), (n, -1, common))
    b = F.reshape(F.moveaxis(b, axes[1], 1), (n, common, -1))
    return F.reshape(F.matmul(a, b), (n, *(rest_a + rest_b or (1,))))


def dot(
    a: Any,
    b: Any,
    axes: int | Sequence[int],
    normalize: bool = False,
    form: str = "max_norm",
) -> chainer.Variable:
    """Dot product of ``a`` and ``b`` over one axis each: (N, rest of a, rest of b).

    ``normalize`` first divides by the l2 norms over those axes in ``form`` (see unit_normalization).
    Source: Keras Dot.
    """
    pair = _pair(axes, a, b)
    if normalize:
        a = unit_normalization(a, pair[0], form=form)
        b = unit_normalization(b, pair[1], form=form)
    return _batch_dot(a, b, pair)


def merge_cos(a: Any, b: Any, axes: int | Sequence[int]) -> chainer.Variable:
    """Cosine proximity with an axis of size 1 after the batch: (N, 1, ...).

    The product of the norms is floored at 1e-7. Source: Keras 1 Merge(mode="cos").
    """
    pair = _pair(axes, a, b)
    square = _batch_dot(a, a, pair) * _batch_dot(b, b, pair)
    floor = square.xp.full_like(square.array, 1e-14)
    return F.expand_dims(_batch_dot(a, b, pair) / F.sqrt(F.maximum(square, floor)), 1)
