"""Activations that Chainer lacks or defines otherwise. Elementwise unless an ``axis`` is named."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import chainer
import chainer.functions as F

from kchainer.functions.erf import erf


def gelu(x: Any, approximate: bool = False) -> chainer.Variable:
    """x Phi(x), or its tanh approximation. Source: Keras gelu; Hendrycks and Gimpel (2016)."""
    if approximate:
        return 0.5 * x * (1 + F.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))
    return 0.5 * x * (1 + erf(x * math.sqrt(0.5)))


def hard_sigmoid(x: Any, slope: float = 0.2, offset: float = 0.5) -> chainer.Variable:
    """clip(slope x + offset, 0, 1). Source: Keras hard_sigmoid; slope 0.2 until tf.keras 2.15, 1/6 in 3."""
    return F.clip(slope * chainer.as_variable(x) + offset, 0.0, 1.0)


def silu(x: Any) -> chainer.Variable:
    """x sigmoid(x). Source: Keras silu, swish."""
    return x * F.sigmoid(x)


def hard_silu(x: Any) -> chainer.Variable:
    """x relu6(x + 3) / 6. Source: Keras 3 hard_silu, hard_swish."""
    return x * hard_sigmoid(x, 1 / 6, 0.5)


def mish(x: Any) -> chainer.Variable:
    """x tanh(softplus(x)). Source: Keras mish; Misra (2019)."""
    return x * F.tanh(F.softplus(x))


def softsign(x: Any) -> chainer.Variable:
    """x / (1 + |x|). Source: Keras softsign."""
    return x / (1 + F.absolute(x))


def relu(
    x: Any, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0
) -> chainer.Variable:
    """max_value above it, x from ``threshold`` on, negative_slope (x - threshold) below.

    Source: Keras ReLU.
    """
    if max_value is None and threshold == 0:
        return F.leaky_relu(x, negative_slope) if negative_slope else F.relu(x)
    y = F.relu(x) if threshold == 0 else thresholded_relu(x, threshold)
    if max_value is not None:
        y = F.clip(y, 0.0, float(max_value))
    if not negative_slope:
        return y
    return y - negative_slope * F.relu(threshold - chainer.as_variable(x))


def thresholded_relu(x: Any, theta: float = 1.0) -> chainer.Variable:
    """x where x > theta, else 0. Source: Keras ThresholdedReLU."""
    return threshold(x, theta, 0.0)


def threshold(x: Any, threshold: float, default_value: float) -> chainer.Variable:
    """x where x > threshold, else ``default_value``. Source: Keras 3 threshold."""
    x = chainer.as_variable(x)
    return F.where(x.array > threshold, x, x.xp.full_like(x.array, default_value))


def celu(x: Any, alpha: float = 1.0) -> chainer.Variable:
    """max(x, 0) + min(0, alpha (exp(x / alpha) - 1)). Source: Keras 3 celu; Barron (2017)."""
    return F.relu(x) + alpha * F.expm1(-F.relu(-chainer.as_variable(x)) / alpha)


def glu(x: Any, axis: int = -1) -> chainer.Variable:
    """First half times sigmoid of the second half along ``axis``. Source: Keras 3 glu."""
    values, gates = F.split_axis(x, 2, axis)
    return values * F.sigmoid(gates)


def hard_tanh(x: Any) -> chainer.Variable:
    """clip(x, -1, 1). Source: Keras 3 hard_tanh."""
    return F.clip(x, -1.0, 1.0)


def hard_shrink(x: Any, threshold: float = 0.5) -> chainer.Variable:
    """x where |x| > threshold, else 0. Source: Keras 3 hard_shrink."""
    x = chainer.as_variable(x)
    return F.where(abs(x.array) > threshold, x, x.xp.zeros_like(x.array))


def soft_shrink(x: Any, threshold: float = 0.5) -> chainer.Variable:
    """x moved by ``threshold`` towards 0, no further. Source: Keras 3 soft_shrink."""
    x = chainer.as_variable(x)
    return F.relu(x - threshold) - F.relu(-x - threshold)


def tanh_shrink(x: Any) -> chainer.Variable:
    """x - tanh(x). Source: Keras 3 tanh_shrink."""
    return x - F.tanh(x)


def log_sigmoid(x: Any) -> chainer.Variable:
    """log(sigmoid(x)) without overflow. Source: Keras 3 log_sigmoid."""
    return -F.softplus(-chainer.as_variable(x))


def squareplus(x: Any, b: float = 4.0) -> chainer.Variable:
    """(x + sqrt(x^2 + b)) / 2. Source: Keras 3 squareplus."""
    x = chainer.as_variable(x)
    return (x + F.sqrt(x * x + b)) / 2


def sparse_plus(x: Any) -> chainer.Variable:
    """0 up to -1, (x + 1)^2 / 4 between, x from 1 on. Source: Keras 3 sparse_plus."""
    inside = F.clip(x, -1.0, 1.0)
    return (inside + 1) * (inside + 1) / 4 + F.relu(chainer.as_variable(x) - 1)


def sparse_sigmoid(x: Any) -> chainer.Variable:
    """clip((x + 1) / 2, 0, 1). Source: Keras 3 sparse_sigmoid."""
    return hard_sigmoid(x, 0.5, 0.5)


def sparsemax(x: Any, axis: int = -1, form: str = "keras") -> chainer.Variable:
    """Projection of ``x`` onto the simplex along ``axis``: relu(x - tau).

    Keras up to 3.15 computes tau from the sum of all cumulated sums of the support, not from the last
    one, so its results do not sum to 1; form "keras" repeats that, "paper" is the projection.
    Source: Keras 3 sparsemax; Martins and Astudillo (2016).
    """
    x = chainer.as_variable(x)
    xp = x.xp
    order = xp.argsort(-x.array, axis=axis)
    rank = xp.argsort(order, axis=axis)
    ordered = xp.take_along_axis(x.array, order, axis)
    shape = [1] * x.ndim
    shape[axis] = -1
    counts = xp.arange(1, x.shape[axis] + 1).astype(x.dtype).reshape(shape)
    k = (ordered - (xp.cumsum(ordered, axis=axis) - 1) / counts > 0).sum(axis=axis, keepdims=True)
    weights = xp.clip(k - rank, 0, None if form == "keras" else 1).astype(x.dtype)
    tau = (F.sum(x * weights, axis=axis, keepdims=True) - 1) / k.astype(x.dtype)
    return F.relu(x - F.broadcast_to(tau, x.shape))


def exponential(x: Any) -> chainer.Variable:
    """exp(x). Source: Keras exponential."""
    return F.exp(x)


def softmax(x: Any, axis: int | Sequence[int] = -1) -> chainer.Variable:
    """Softmax along one axis or jointly over several (Chainer's default axis is 1). Source: Keras Softmax."""
    if isinstance(axis, int):
        return F.softmax(x, axis=axis)
    return F.exp(log_softmax(x, axis))


def log_softmax(x: Any, axis: int | Sequence[int] = -1) -> chainer.Variable:
    """Logarithm of the softmax along one axis or jointly over several. Source: Keras log_softmax."""
    if isinstance(axis, int):
        return F.log_softmax(x, axis=axis)
    axes = tuple(a % x.ndim for a in axis)
    total = F.logsumexp(x, axis=axes)
    kept = tuple(1 if a in axes else n for a, n in enumerate(x.shape))
    return x - F.broadcast_to(F.reshape(total, kept), x.shape)


def prelu(x: Any, W: Any) -> chainer.Variable:
    """x where positive, W x elsewhere; ``W`` broadcasts against (1, x.shape[1:]). Source: Keras PReLU."""
    x = chainer.as_variable(x)
    slope = F.broadcast_to(F.reshape(W, (1, *W.shape)), x.shape)
    return F.relu(x) - slope * F.relu(-x)


def _along_batch(p: Any, x: Any) -> chainer.Variable:
    return F.broadcast_to(F.reshape(p, (1, *p.shape)), x.shape)


def srelu(x: Any, t_left: Any, a_left: Any, t_right: Any, a_right: Any) -> chainer.Variable:
    """S-shaped: slope a_left below t_left, 1 between, a_right above t_left + |t_right|.

    Parameters broadcast against (1, x.shape[1:]). Source: Keras 1 SReLU; Jin et al. (2015).
    """
    x = chainer.as_variable(x)
    low, left, right = _along_batch(t_left, x), _along_batch(a_left, x), _along_batch(a_right, x)
    width = F.absolute(_along_batch(t_right, x))
    above = x - low
    # Keras cuts at the right threshold after the slope: a negative a_left can reach it too
    inner = F.minimum(F.where(above.array < 0, left * above, above), width)
    return low + inner + right * F.relu(above - width)


def parametric_softplus(x: Any, alpha: Any, beta: Any) -> chainer.Variable:
    """alpha softplus(beta x); parameters broadcast against (1, x.shape[1:]). Source: Keras 1 ParametricSoftplus."""
    return _along_batch(alpha, x) * F.softplus(_along_batch(beta, x) * x)
