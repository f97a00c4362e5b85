"""Metrics of Keras for each sample, as NumPy arrays; no gradients. Any device goes in, the CPU's arrays come out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import chainer
import numpy as np

from kchainer.functions import losses
from kchainer.functions.losses import same_rank

Array = np.ndarray[Any, Any]


def host(x: Any) -> Array:
    """An array or Variable as a NumPy array."""
    return np.asarray(chainer.backends.cuda.to_cpu(getattr(x, "array", x)))


def _pair(y_true: Any, y_pred: Any) -> tuple[Array, Array]:
    t, p = same_rank(host(y_true), host(y_pred))
    return t, p


def _equal(a: Array, b: Array) -> Array:
    same: Array = (a == b).astype(np.float32)
    return same


def accuracy(y_true: Any, y_pred: Any) -> Array:
    """1 where both are equal."""
    return _equal(*_pair(y_true, y_pred))


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Array:
    """1 where the prediction lies on the label's side of ``threshold``."""
    t, p = _pair(y_true, y_pred)
    return _equal(t, p > threshold)


def categorical_accuracy(y_true: Any, y_pred: Any) -> Array:
    """1 where both have their largest value in one place."""
    return _equal(host(y_true).argmax(-1), host(y_pred).argmax(-1))


def _classes(y_true: Any, y_pred: Array) -> Array:
    t = host(y_true)
    return t.squeeze(-1) if t.ndim == y_pred.ndim and t.shape[-1] == 1 else t


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Array:
    """1 where the prediction is largest at the class that ``y_true`` names."""
    p = host(y_pred)
    return _equal(_classes(y_true, p), p.argmax(-1))


def _among(t: Array, p: Array, k: int) -> Array:
    """1 where fewer than ``k`` predictions are larger than that of class ``t``."""
    chosen = np.take_along_axis(p, t[..., None].astype(np.int64), axis=-1)
    found: Array = ((p > chosen).sum(-1) < k).astype(np.float32)
    return found


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Array:
    """1 where the label is among the ``k`` largest predictions."""
    return _among(host(y_true).argmax(-1), host(y_pred), k)


def sparse_top_k_categorical_accuracy(
    y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False
) -> Array:
    """1 where the class is among the ``k`` largest predictions, or the first ``k`` of sorted classes."""
    p = host(y_pred)
    t = _classes(y_true, p)
    if from_sorted_ids:
        t, p = t[..., None], p[..., :k]
        return np.asarray((t == p).any(-1), np.float32)
    return _among(t, p, k)


def pearson_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Array:
    """Pearson's coefficient over ``axis``."""
    t, p = _pair(y_true, y_pred)
    t, p = t - t.mean(axis, keepdims=True), p - p.mean(axis, keepdims=True)
    mean: Array = (t * p / (t.std(axis, keepdims=True) * p.std(axis, keepdims=True))).mean(axis)
    return mean


def concordance_correlation(y_true: Any, y_pred: Any, axis: int = -1, epsilon: float = 1e-7) -> Array:
    """Lin's concordance coefficient over ``axis``."""
    t, p = _pair(y_true, y_pred)
    mean_t, mean_p = t.mean(axis, keepdims=True), p.mean(axis, keepdims=True)
    covariance = ((t - mean_p) * (p - mean_p)).mean(axis)
    spread = t.var(axis) + p.var(axis) + ((mean_t - mean_p) ** 2).squeeze(axis)
    result: Array = 2 * covariance / (spread + epsilon)
    return result


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Array:
    """The cosine of the angle, where the loss is minus it."""
    return -of_loss(losses.cosine_similarity)(y_true, y_pred, axis=axis)


def of_loss(function: Callable[..., Any]) -> Callable[..., Array]:
    """A loss as a metric."""

    def metric(y_true: Any, y_pred: Any, **arguments: Any) -> Array:
        with chainer.no_backprop_mode():
            return host(function(host(y_true), host(y_pred), **arguments))

    return metric
