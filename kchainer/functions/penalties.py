"""Penalties of weights and activations, to be added to a loss. Source: keras.regularizers."""

from __future__ import annotations

from typing import Any

import chainer
import chainer.functions as F
import numpy as np

Variable = Any


def l1_penalty(x: Any, l1: float = 0.01) -> Variable:
    """l1 * sum of |x|."""
    return l1 * F.sum(abs(chainer.as_variable(x)))


def l2_penalty(x: Any, l2: float = 0.01) -> Variable:
    """l2 * sum of x^2; Chainer's WeightDecay hook of rate 2 * l2 has the same gradient."""
    return l2 * F.sum(chainer.as_variable(x) ** 2)


def l1_l2_penalty(x: Any, l1: float = 0.0, l2: float = 0.0) -> Variable:
    """Both; what is 0 costs nothing."""
    x = chainer.as_variable(x)
    parts = [f(x, rate) for f, rate in ((l1_penalty, l1), (l2_penalty, l2)) if rate]
    return sum(parts[1:], parts[0]) if parts else 0 * F.sum(x)


def orthogonal_penalty(x: Any, factor: float = 0.01, mode: str = "rows") -> Variable:
    """factor / 2 * mean size of the cosines between different rows (or columns) of a matrix, in Keras's layout.

    Raises: ValueError for an array that is no matrix.
    """
    x = chainer.as_variable(x)
    if x.ndim != 2:
        raise ValueError(f"expected a matrix, found an array of {x.ndim} axes")
    v = x if mode == "rows" else F.transpose(x)
    size = F.sum(v * v, axis=1, keepdims=True)
    # as Keras: 1 / norm is at most 1e7
    floor = size.xp.full_like(size.array, 1e-14)
    v = v * F.broadcast_to(F.rsqrt(F.maximum(size, floor)), v.shape)
    n = v.shape[0]
    products = F.matmul(v, v, transb=True) * (1 - v.xp.eye(n, dtype=v.dtype))
    return 0.5 * factor * F.sum(abs(products)) / (n * (n - 1) / 2)


def eigenvalue_penalty(x: Any, k: float) -> Variable:
    """k * the root of the largest eigenvalue of x^T x, as nine steps of the power method from ones find it.

    Source: keras.regularizers.EigenvalueRegularizer of Keras 1. Raises: ValueError for an array that is no matrix.
    """
    x = chainer.as_variable(x)
    if x.ndim != 2:
        raise ValueError(f"expected a matrix, found an array of {x.ndim} axes")
    product = F.matmul(x, x, transa=True)
    v = x.xp.ones((x.shape[1], 1), x.dtype)
    for _ in range(9):
        v = F.matmul(product, v)
    largest = F.sum(F.matmul(product, v) * v) / F.sum(v * v)
    return k * F.sqrt(largest)


def per_sample(penalty: Variable, activations: Any) -> Variable:
    """A penalty of activations divided by the number of samples, as tf.keras and Keras 3 do."""
    return penalty / np.float32(len(activations)).astype(penalty.dtype)
