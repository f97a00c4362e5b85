"""From losses of samples to one number: weights, masks, classes, means. What releases do differently is named."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Literal

import chainer
import chainer.functions as F
import numpy as np

from kchainer.functions import losses
from kchainer.functions.losses import same_rank

Reduction = Literal["mean", "mean_with_sample_weight", "sum", "none"]
# How a mask counts: the mean over the samples that are left; or they become zeros and the divisor stays; or the
# losses are divided by the mask's mean before weights are looked at (Keras before 2.3).
MaskRule = Literal["valid", "zero", "mean"]
# What the weighted sum is divided by: the number of samples, or that of weights that are not zero (Keras before 2.3).
Divisor = Literal["count", "nonzero"]


def class_weights(
    y_true: Any, class_weight: Mapping[int, float], *, missing: float | None = 1.0
) -> np.ndarray[Any, Any]:
    """Weight of each sample by its class: the largest of one-hot columns, else the number.

    ``missing`` is the weight of a class that is not named; None (Keras 2.0 to 2.3) makes that a ValueError.
    """
    y = np.asarray(chainer.backends.cuda.to_cpu(getattr(y_true, "array", y_true)))
    if y.ndim > 1:
        y = y.argmax(axis=-1) if y.shape[-1] != 1 else y.squeeze(-1)
    classes = np.round(y).astype(np.int64)
    absent = sorted({int(c) for c in classes.ravel()} - set(class_weight))
    if absent and missing is None:
        raise ValueError(f"class {absent[0]} has no weight")
    table = {**dict.fromkeys(absent, missing), **class_weight}
    flat = [table[int(c)] for c in classes.ravel()]
    return np.asarray(flat, np.float32).reshape(classes.shape)


def reduced(
    values: Any,
    sample_weight: Any = None,
    mask: Any = None,
    *,
    reduction: Reduction = "mean",
    mask_rule: MaskRule = "valid",
    mask_epsilon: float = 0.0,
    divisor: Divisor = "count",
) -> Any:
    """One loss of the losses of samples.

    ``mask_epsilon`` is added to the mask's mean under the rule "mean" (1e-7 in Keras 2.0 to 2.2). With
    ``divisor="nonzero"`` losses are first meant over the axes that the weights have not.
    """
    values = chainer.as_variable(values)
    xp, dtype = values.xp, values.dtype
    weight = None if sample_weight is None else xp.asarray(sample_weight).astype(dtype)
    if mask is not None:
        kept = xp.asarray(mask).astype(dtype)
        if mask_rule == "mean":
            values = _times(values, kept / (kept.mean() + dtype.type(mask_epsilon)))
        else:
            weight = _masked(xp, weight, kept, mask_rule == "valid" and reduction == "mean")
    if divisor == "nonzero":
        return _before_23(values, weight, reduction)
    if weight is not None:
        values = _times(values, weight)
    if reduction == "none" or values.ndim == 0:
        return values
    total = F.sum(values)
    if reduction == "sum":
        return total
    by = values.size if reduction == "mean" or weight is None else float(weight.sum())
    return total / by if by else total * 0


def _times(values: Any, weight: Any) -> Any:
    values, weight = same_rank(values, weight)
    shape = np.broadcast_shapes(values.shape, weight.shape)
    return F.broadcast_to(values, shape) * values.xp.broadcast_to(weight, shape)


def _masked(xp: Any, weight: Any, kept: Any, fill: bool) -> Any:
    """The weight, 0 where the mask is; with ``fill`` the others larger, so that a plain mean is one of them."""
    if fill:
        valid = kept.sum()
        kept = kept * (kept.size / xp.where(valid > 0, valid, 1) * (valid > 0)).astype(kept.dtype)
    if weight is None:
        return kept
    kept, weight = same_rank(kept, weight)
    if weight.ndim < kept.ndim:
        weight = weight.reshape(weight.shape + (1,) * (kept.ndim - weight.ndim))
    return weight * kept


def _before_23(values: Any, weight: Any, reduction: Reduction) -> Any:
    if weight is None:
        return values if reduction == "none" else (F.sum if reduction == "sum" else F.mean)(values)
    if values.ndim > weight.ndim:
        values = F.mean(values, axis=tuple(range(weight.ndim, values.ndim)))
    values = values * weight
    share = (weight != 0).mean()
    values = values / values.dtype.type(share)
    return values if reduction == "none" else (F.sum if reduction == "sum" else F.mean)(values)


@dataclasses.dataclass(frozen=True, slots=True)
class Loss:
    """A function of ``losses`` with its arguments and reduction: ``loss(y_true, y_pred, sample_weight, mask)``."""

    function: Callable[..., Any]
    arguments: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    reduction: Reduction = "mean"
    mask_rule: MaskRule = "valid"
    mask_epsilon: float = 0.0
    divisor: Divisor = "count"

    def samples(self, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
        """The loss of each sample, and the mask that the loss itself makes, or None."""
        values = self.function(y_true, y_pred, **self.arguments)
        ignored = self.arguments.get("ignore_class")
        if ignored is not None:
            axis = self.arguments.get("axis", -1)
            return values, losses.valid_classes(y_true, y_pred, ignored, axis)
        return values, values.array > 0 if self.function is losses.circle else None

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None) -> Any:
        """The loss as a Variable; ``mask`` is that of the prediction."""
        values, own = self.samples(y_true, y_pred)
        if own is not None:
            mask = own if mask is None else own & values.xp.asarray(mask).astype(bool)
        return reduced(
            values,
            sample_weight,
            mask,
            reduction=self.reduction,
            mask_rule=self.mask_rule,
            mask_epsilon=self.mask_epsilon,
            divisor=self.divisor,
        )
