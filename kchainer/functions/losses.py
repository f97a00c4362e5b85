"""Losses of Keras for each sample: ``loss(y_true, y_pred, ...)`` has the shape of ``y_pred`` without its last axis.

``y_true`` is an array or a Variable, of any dtype; float16 is computed in float32. What releases of Keras do
differently are arguments; the defaults are Keras 3's. Weights, masks and means: ``kchainer.functions.weighting``.
"""

from __future__ import annotations

import math
from typing import Any

import chainer
import chainer.functions as F
import numpy as np

from kchainer.functions.norm import wide

EPSILON = 1e-7
Variable = Any


def same_rank(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Both with one number of axes, where a last axis of one element is all that they differ by."""
    if y_true.ndim == y_pred.ndim + 1 and y_true.shape[-1] == 1:
        return (y_true, _expand(y_pred)) if y_pred.ndim == 1 else (_squeeze(y_true), y_pred)
    if y_pred.ndim == y_true.ndim + 1 and y_pred.shape[-1] == 1:
        return (_expand(y_true), y_pred) if y_true.ndim == 1 else (y_true, _squeeze(y_pred))
    return y_true, y_pred


def _expand(x: Any) -> Any:
    return x.reshape((*x.shape, 1))


def _squeeze(x: Any) -> Any:
    return x.reshape(x.shape[:-1])


def _pair(y_true: Any, y_pred: Any) -> tuple[Variable, Variable]:
    """Both as Variables of one float dtype and rank."""
    p = wide(y_pred)
    t = F.cast(y_true, p.dtype) if isinstance(y_true, chainer.Variable) else _array(y_true, p)
    t, p = same_rank(t, p)
    return chainer.as_variable(t), chainer.as_variable(p)


def _array(y_true: Any, p: Variable) -> Any:
    return p.xp.asarray(y_true).astype(p.dtype, copy=False)


def _mean(x: Variable, axis: int | tuple[int, ...] = -1) -> Variable:
    return F.mean(x, axis=axis)


def mean_squared_error(y_true: Any, y_pred: Any) -> Variable:
    """Mean over the last axis of the squared differences."""
    t, p = _pair(y_true, y_pred)
    return _mean((t - p) ** 2)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Variable:
    """Mean over the last axis of the differences' sizes."""
    t, p = _pair(y_true, y_pred)
    return _mean(abs(t - p))


def mean_absolute_percentage_error(y_true: Any, y_pred: Any, epsilon: float = EPSILON) -> Variable:
    """100 * mean of |t - p| / max(|t|, epsilon)."""
    t, p = _pair(y_true, y_pred)
    return 100 * _mean(abs((t - p) / _at_least(abs(t), epsilon)))


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any, epsilon: float = EPSILON) -> Variable:
    """Mean of the squared differences of log(max(x, epsilon) + 1)."""
    t, p = _pair(y_true, y_pred)
    return _mean((F.log(_at_least(p, epsilon) + 1) - F.log(_at_least(t, epsilon) + 1)) ** 2)


def _at_least(x: Variable, least: float) -> Variable:
    return F.maximum(x, x.xp.full_like(x.array, least))


def _signs(t: Variable, convert_labels: bool) -> Variable:
    """Labels of only 0 and 1 as -1 and 1."""
    if convert_labels and bool(((t.array == 0) | (t.array == 1)).all()):
        return 2 * t - 1
    return t


def hinge(y_true: Any, y_pred: Any, convert_labels: bool = True) -> Variable:
    """Mean of max(1 - t p, 0). ``convert_labels``: 0 and 1 stand for -1 and 1 (not in Keras before tf.keras)."""
    t, p = _pair(y_true, y_pred)
    return _mean(F.relu(1 - _signs(t, convert_labels) * p))


def squared_hinge(y_true: Any, y_pred: Any, convert_labels: bool = True) -> Variable:
    """Mean of max(1 - t p, 0)^2; ``convert_labels`` as in ``hinge``."""
    t, p = _pair(y_true, y_pred)
    return _mean(F.relu(1 - _signs(t, convert_labels) * p) ** 2)


def categorical_hinge(y_true: Any, y_pred: Any) -> Variable:
    """max(max((1 - t) p) - sum(t p) + 1, 0)."""
    t, p = _pair(y_true, y_pred)
    return F.relu(F.max((1 - t) * p, axis=-1) - F.sum(t * p, axis=-1) + 1)


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Variable:
    """Mean of e^2 / 2 up to |e| = delta, and of a line beyond."""
    t, p = _pair(y_true, y_pred)
    e = p - t
    size = abs(e)
    return _mean(F.where(size.array <= delta, 0.5 * e * e, delta * size - 0.5 * delta * delta))


def log_cosh(y_true: Any, y_pred: Any) -> Variable:
    """Mean of log(cosh(p - t))."""
    t, p = _pair(y_true, y_pred)
    e = p - t
    return _mean(e + F.softplus(-2 * e) - math.log(2))


def kl_divergence(y_true: Any, y_pred: Any, epsilon: float = EPSILON) -> Variable:
    """Sum of t log(t / p), both clipped to [epsilon, 1]."""
    t, p = _pair(y_true, y_pred)
    t, p = F.clip(t, epsilon, 1.0), F.clip(p, epsilon, 1.0)
    return F.sum(t * F.log(t / p), axis=-1)


def poisson(y_true: Any, y_pred: Any, epsilon: float = EPSILON) -> Variable:
    """Mean of p - t log(p + epsilon)."""
    t, p = _pair(y_true, y_pred)
    return _mean(p - t * F.log(p + epsilon))


def cosine_similarity(
    y_true: Any, y_pred: Any, axis: int = -1, mean: bool = False, epsilon: float = EPSILON
) -> Variable:
    """Minus the cosine of the angle over ``axis``; ``mean`` divides by its length, as Keras 1 does.

    A vector shorter than ``epsilon`` is divided by it.
    """
    t, p = _pair(y_true, y_pred)
    product = _unit(t, axis, epsilon) * _unit(p, axis, epsilon)
    return -(_mean(product, axis) if mean else F.sum(product, axis=axis))


def _unit(x: Variable, axis: int, epsilon: float) -> Variable:
    square = F.sum(x * x, axis=axis, keepdims=True)
    return x * F.broadcast_to(F.rsqrt(_at_least(square, epsilon * epsilon)), x.shape)


# ------------------------------------------------------------------ cross-entropies


def _smooth(t: Variable, label_smoothing: float, classes: int) -> Variable:
    return t * (1 - label_smoothing) + label_smoothing / classes if label_smoothing else t


def _shares(p: Variable, axis: int, epsilon: float) -> Variable:
    """Probabilities that sum to 1, then clipped."""
    total = F.broadcast_to(F.sum(p, axis=axis, keepdims=True), p.shape)
    return F.clip(p / total, epsilon, 1 - epsilon)


def categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
    epsilon: float = EPSILON,
) -> Variable:
    """Minus the sum over ``axis`` of t log(p); probabilities are divided by their sum and clipped."""
    t, p = _pair(y_true, y_pred)
    t = _smooth(t, label_smoothing, t.shape[-1])
    logs = F.log_softmax(p, axis=axis) if from_logits else F.log(_shares(p, axis, epsilon))
    return -F.sum(t * logs, axis=axis)


def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
    epsilon: float = EPSILON,
) -> Variable:
    """Minus the sum of alpha (1 - p)^gamma t log(p). Source: Lin et al. 2017, arXiv:1708.02002."""
    t, p = _pair(y_true, y_pred)
    t = _smooth(t, label_smoothing, t.shape[-1])
    p = _shares(F.softmax(p, axis=axis) if from_logits else p, axis, epsilon)
    return -F.sum(alpha * (1 - p) ** gamma * t * F.log(p), axis=axis)


def sparse_categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
    epsilon: float = EPSILON,
    divide_first: bool = True,
) -> Variable:
    """Minus log(p) of the class that ``y_true`` names; 0 where that is ``ignore_class``, see ``valid_classes``.

    ``divide_first``: probabilities are divided by their sum, then clipped (Keras 3 on PyTorch); else clipped, then
    divided (TensorFlow). They differ where p does not sum to 1 or is clipped.
    """
    p = wide(y_pred)
    classes = class_numbers(y_true, p, axis)
    valid = None if ignore_class is None else classes != ignore_class
    if valid is not None:
        classes = p.xp.where(valid, classes, 0)
        p = F.where(p.xp.broadcast_to(p.xp.expand_dims(valid, axis), p.shape), p, p.xp.zeros_like(p.array))
    if from_logits:
        logs = F.log_softmax(p, axis=axis)
    elif divide_first:
        # an ignored sample has no p to divide by
        safe = p if valid is None else p + p.xp.expand_dims(~valid, axis).astype(p.dtype)
        logs = F.log(_shares(safe, axis, epsilon))
    else:
        logs = F.log_softmax(F.log(F.clip(p, epsilon, 1 - epsilon)), axis=axis)
    logs = F.rollaxis(logs, axis % logs.ndim, logs.ndim)
    chosen = -F.select_item(F.reshape(logs, (-1, logs.shape[-1])), classes.ravel())
    chosen = F.reshape(chosen, classes.shape)
    return chosen if valid is None else F.where(valid, chosen, p.xp.zeros_like(chosen.array))


def class_numbers(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Classes as an int32 array without ``axis``. Raises: ValueError for a shape that does not fit ``y_pred``."""
    xp = chainer.backend.get_array_module(y_pred)
    classes = xp.asarray(getattr(y_true, "array", y_true))
    if classes.ndim == y_pred.ndim and classes.shape[axis] == 1:
        classes = classes.squeeze(axis)
    shape = list(y_pred.shape)
    del shape[axis]
    if classes.shape != tuple(shape):
        raise ValueError(f"expected classes of shape {tuple(shape)}, found {classes.shape}")
    return classes.astype(np.int32)


def valid_classes(y_true: Any, y_pred: Any, ignore_class: int, axis: int = -1) -> Any:
    """Mask of the samples whose class is not ``ignore_class``."""
    return class_numbers(y_true, y_pred, axis) != ignore_class


def binary_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
    epsilon: float = EPSILON,
    log_epsilon: float = 0.0,
) -> Variable:
    """Mean over ``axis`` of -t log(p) - (1 - t) log(1 - p), p being clipped by ``epsilon``.

    ``log_epsilon`` is added inside the logarithms: 1e-7 in Keras 2.3 and tf.keras, else 0.
    """
    t, p = _pair(y_true, y_pred)
    t = _smooth(t, label_smoothing, 2)
    return _mean(_binary(t, p, from_logits, epsilon, log_epsilon), axis)


def _binary(t: Variable, p: Variable, from_logits: bool, epsilon: float, log_epsilon: float) -> Variable:
    if from_logits:
        return F.relu(p) - p * t + F.softplus(-abs(p))
    p = F.clip(p, epsilon, 1 - epsilon)
    return -(t * F.log(p + log_epsilon) + (1 - t) * F.log(1 - p + log_epsilon))


def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
    epsilon: float = EPSILON,
    log_epsilon: float = 0.0,
) -> Variable:
    """Mean of (1 - p_t)^gamma times the binary cross-entropy, p_t being the probability of what is true."""
    t, p = _pair(y_true, y_pred)
    t = _smooth(t, label_smoothing, 2)
    p = F.sigmoid(p) if from_logits else p
    loss = (1 - (t * p + (1 - t) * (1 - p))) ** gamma * _binary(t, p, False, epsilon, log_epsilon)
    if apply_class_balancing:
        loss = (t * alpha + (1 - t) * (1 - alpha)) * loss
    return _mean(loss, axis)


def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float = 0.5) -> Variable:
    """(1 - p^q) / q of the class that ``y_true`` names. Source: Zhang & Sabuncu 2018, arXiv:1805.07836."""
    p = wide(y_pred)
    classes = class_numbers(y_true, p)
    chosen = F.select_item(F.reshape(p, (-1, p.shape[-1])), classes.ravel())
    return (1 - F.reshape(chosen, classes.shape) ** q) / q


# ------------------------------------------------------------------ of sets, sequences and embeddings


def dice(y_true: Any, y_pred: Any, axis: Any = None, epsilon: float = EPSILON) -> Variable:
    """1 - 2 sum(t p) / (sum(t) + sum(p) + epsilon), over ``axis`` or everything."""
    t, p = _pair(y_true, y_pred)
    return 1 - 2 * F.sum(t * p, axis=axis) / (F.sum(t, axis=axis) + F.sum(p, axis=axis) + epsilon)


def tversky(
    y_true: Any,
    y_pred: Any,
    alpha: float = 0.5,
    beta: float = 0.5,
    axis: Any = None,
    epsilon: float = EPSILON,
) -> Variable:
    """1 - tp / (tp + alpha sum((1 - p) t) + beta sum(p (1 - t)) + epsilon), over ``axis`` or everything."""
    t, p = _pair(y_true, y_pred)
    tp = F.sum(t * p, axis=axis)
    missed, wrong = F.sum((1 - p) * t, axis=axis), F.sum(p * (1 - t), axis=axis)
    return 1 - tp / (tp + alpha * missed + beta * wrong + epsilon)


def ctc(y_true: Any, y_pred: Any) -> Variable:
    """Connectionist temporal classification of logits (N, T, C); class 0 is the blank and pads ``y_true``."""
    p = wide(y_pred)
    labels = p.xp.asarray(getattr(y_true, "array", y_true)).astype(np.int32)
    if labels.ndim != 2 or p.ndim != 3:
        raise ValueError("expected classes (N, L) and logits (N, T, C)")
    lengths = (labels != 0).sum(axis=-1).astype(np.int32)
    steps = p.xp.full(len(labels), p.shape[1], np.int32)
    return F.connectionist_temporal_classification(
        F.separate(p, axis=1), labels, 0, steps, lengths, reduce="no"
    )


def circle(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80.0,
    margin: float = 0.4,
) -> Variable:
    """Circle loss of normalised embeddings (N, D) and classes (N,). Source: Sun et al. 2020, arXiv:2002.10857.

    Keras leaves samples with a loss of 0 out of the mean: pass ``loss.array > 0`` as their mask.
    """
    p = wide(y_pred)
    xp = p.xp
    labels = xp.asarray(getattr(y_true, "array", y_true)).reshape(-1)
    others = labels if ref_labels is None else xp.asarray(ref_labels).reshape(-1)
    distance = F.relu(1 - F.matmul(p, p if ref_embeddings is None else wide(ref_embeddings), transb=True))
    positive = labels[:, None] == others[None, :]
    negative = ~positive
    if remove_diagonal:
        positive = positive & ~xp.eye(*positive.shape, dtype=bool)
    least = xp.full_like(distance.array, -np.inf)
    pull = F.where(positive, -gamma * F.relu(margin + distance) * (margin - distance), least)
    push = F.where(negative, gamma * F.relu(1 + margin - distance) * (1 - margin - distance), least)
    return F.softplus(_log_sum(pull) + _log_sum(push))


def _log_sum(x: Variable) -> Variable:
    """logsumexp over axis 1, -inf for a row of -inf."""
    top = x.array.max(axis=1, keepdims=True)
    top = x.xp.where(x.xp.isfinite(top), top, 0).astype(x.dtype)
    return F.log(F.sum(F.exp(x - x.xp.broadcast_to(top, x.shape)), axis=1)) + top[:, 0]
