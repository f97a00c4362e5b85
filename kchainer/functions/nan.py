"""Reductions that pass over NaN, and quantiles."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import chainer
import chainer.functions as F
import numpy as np

Axes = Sequence[int]


def _filled(x: Any, value: float) -> tuple[Any, Any]:
    """``x`` with ``value`` for NaN, and where there was none."""
    lost = x.xp.isnan(x.array)
    return F.where(lost, chainer.as_variable(x.xp.full_like(x.array, value)), x), ~lost


def _sum(x: Any, axis: Axes, keepdims: bool) -> Any:
    return F.sum(_filled(x, 0)[0], axis=axis, keepdims=keepdims)


def _prod(x: Any, axis: Axes, keepdims: bool) -> Any:
    return F.prod(_filled(x, 1)[0], axis=axis, keepdims=keepdims)


def _mean(x: Any, axis: Axes, keepdims: bool) -> Any:
    values, there = _filled(x, 0)
    count = there.sum(axis=tuple(axis), keepdims=keepdims).astype(x.dtype)
    return F.sum(values, axis=axis, keepdims=keepdims) / count


def _var(x: Any, axis: Axes, keepdims: bool) -> Any:
    values, there = _filled(x, 0)
    distance = (values - F.broadcast_to(_mean(x, axis, True), x.shape)) * there.astype(x.dtype)
    count = there.sum(axis=tuple(axis), keepdims=keepdims).astype(x.dtype)
    return F.sum(distance * distance, axis=axis, keepdims=keepdims) / count


def _extreme(function: Any, worst: float) -> Callable[..., Any]:
    def extreme(x: Any, axis: Axes, keepdims: bool) -> Any:
        values, there = _filled(x, worst)
        y = function(values, axis=axis, keepdims=keepdims)
        none = ~there.any(axis=tuple(axis), keepdims=keepdims)
        return F.where(none, chainer.as_variable(x.xp.full_like(y.array, math.nan)), y)

    return extreme


def _place(name: str, worst: float) -> Callable[..., Any]:
    def place(x: Any, axis: Axes, keepdims: bool) -> Any:
        values, there = _filled(x, worst)
        found = getattr(x.xp, name)(values.array, axis=axis[0]).astype(np.int32)
        found = x.xp.where(there.any(axis=axis[0]), found, np.int32(-1))
        return chainer.as_variable(x.xp.expand_dims(found, axis[0]) if keepdims else found)

    return place


REDUCTIONS: dict[str, Callable[..., Any]] = {
    "nansum": _sum,
    "nanprod": _prod,
    "nanmean": _mean,
    "nanvar": _var,
    "nanstd": lambda x, axis, keepdims: F.sqrt(_var(x, axis, keepdims)),
    "nanmax": _extreme(F.max, -math.inf),
    "nanmin": _extreme(F.min, math.inf),
    "nanargmax": _place("argmax", -math.inf),
    "nanargmin": _place("argmin", math.inf),
}


def quantile(
    x: Any, q: float, axes: Axes, method: str = "linear", keepdims: bool = False, skip_nan: bool = False
) -> chainer.Variable:
    """The value below which a share ``q`` stands; any NaN makes it NaN unless skipped. Source: keras.ops.quantile."""
    x = chainer.as_variable(x)
    x = x if x.dtype.kind == "f" else chainer.as_variable(x.array.astype(np.float32))
    rest = [i for i in range(x.ndim) if i not in axes]
    out = tuple(1 if i in axes else d for i, d in enumerate(x.shape))
    rows = F.reshape(F.transpose(x, (*rest, *axes)), (math.prod(x.shape[i] for i in rest), -1))
    order = x.xp.argsort(rows.array, axis=1)  # NaN come last
    lost = x.xp.isnan(rows.array).sum(axis=1)
    many = rows.shape[1] - lost if skip_nan else x.xp.full(len(lost), rows.shape[1])
    at = q * x.xp.maximum(many - 1, 0)
    low, high = x.xp.floor(at).astype(int), x.xp.ceil(at).astype(int)
    share = {
        "linear": at - low,
        "lower": at * 0,
        "higher": at * 0 + 1,
        "midpoint": at * 0 + 0.5,
        "nearest": x.xp.rint(at) - low,
    }[method].astype(x.dtype)
    row = x.xp.arange(len(order))
    one, two = rows[row, order[row, low]], rows[row, order[row, high]]
    y = one + (two - one) * share
    if not skip_nan:
        y = F.where(lost > 0, chainer.as_variable(x.xp.full_like(y.array, math.nan)), y)
    return F.reshape(y, out if keepdims else tuple(x.shape[i] for i in rest))
