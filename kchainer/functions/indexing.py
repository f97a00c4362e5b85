"""Values placed and counted by numbers, as keras.ops has them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import chainer
import chainer.functions as F
import numpy as np

from kchainer.functions.affine import _INSIDE, _parts, affine_transform
from kchainer.functions.arrays import reshape_whole
from kchainer.functions.math import floating


def _array(x: Any) -> Any:
    return getattr(x, "array", x)


def _places(indices: Any) -> tuple[Any, ...]:
    numbers = _array(indices).astype(np.int64)
    return tuple(numbers[:, k] for k in range(numbers.shape[1]))


def _add_at(x: Any, where: Any, values: Any) -> None:
    if isinstance(x, np.ndarray):
        np.add.at(x, where, values)
    else:
        x.scatter_add(where, values)


class _Update(chainer.FunctionNode):
    """``updates`` put into ``x`` at ``places``, or joined with what is there."""

    def __init__(self, places: Any, reduction: str | None) -> None:
        super().__init__()
        self.places, self.reduction = places, reduction

    def forward(self, inputs: Any) -> Any:
        x, updates = inputs
        y = x.copy()
        if self.reduction is None:
            y[self.places] = updates
        elif self.reduction == "add":
            _add_at(y, self.places, updates)
        else:
            join = getattr(np, {"max": "maximum", "min": "minimum", "mul": "multiply"}[self.reduction])
            for i, one in enumerate(zip(*(p.tolist() for p in self.places), strict=True)):
                y[one] = join(y[one], updates[i])
        return (y,)

    def backward(self, indexes: Any, gys: Any) -> Any:
        (g,) = gys
        if self.reduction not in (None, "add"):
            raise NotImplementedError(f"the gradient of a scatter by {self.reduction} is not computed")
        if self.reduction == "add":
            return g, F.get_item(g, self.places)
        keep = g.xp.ones(g.shape, g.dtype)
        keep[self.places] = 0
        return g * keep, F.get_item(g, self.places)


def scatter_update(x: Any, indices: Any, updates: Any, reduction: str | None = None) -> chainer.Variable:
    """Values put or joined at places. Source: keras.ops.scatter_update."""
    x, updates = chainer.as_variable(x), chainer.as_variable(updates)
    places = _places(indices)
    updates = updates if updates.dtype == x.dtype else chainer.as_variable(updates.array.astype(x.dtype))
    updates = F.broadcast_to(updates, (len(places[0]), *x.shape[len(places) :]))
    return _Update(places, reduction).apply((x, updates))[0]


def scatter(indices: Any, values: Any, shape: Sequence[int]) -> chainer.Variable:
    """Values added into zeros. Source: keras.ops.scatter."""
    values = chainer.as_variable(values)
    numbers = _array(indices)
    numbers = numbers.reshape(-1, numbers.shape[-1])
    zeros = values.xp.zeros(tuple(shape), values.dtype)
    rest = tuple(shape)[numbers.shape[1] :]
    return scatter_update(zeros, numbers, reshape_whole(values, (-1, *rest)), "add")


def segment(x: Any, numbers: Any, function: str, segments: int) -> chainer.Variable:
    """Entries of the first axis joined by the numbers of their segments. Source: keras.ops.segment_sum, segment_max."""
    x = chainer.as_variable(x)
    xp, ids = x.xp, _array(numbers).astype(np.int64)
    inside = xp.nonzero((ids >= 0) & (ids < segments))[0]
    x, ids = F.get_item(x, inside), ids[inside]
    shape = (segments, *x.shape[1:])
    if function == "sum":
        return scatter_update(xp.zeros(shape, x.dtype), ids[:, None], x, "add")
    if function == "prod":
        return scatter_update(xp.ones(shape, x.dtype), ids[:, None], x, "mul")
    # the gradient goes in equal parts to all that are as large
    worst = -math.inf if function == "max" else math.inf
    join = np.maximum if function == "max" else np.minimum
    best = np.full(shape, worst, x.dtype)
    join.at(best, chainer.cuda.to_cpu(ids), chainer.cuda.to_cpu(x.array))
    best = xp.asarray(best)
    taken = (x.array == best[ids]).astype(x.dtype)
    count = xp.zeros(shape, x.dtype)
    _add_at(count, ids, taken)
    part = scatter_update(xp.zeros(shape, x.dtype), ids[:, None], x * (taken / count[ids]), "add")
    return F.where(count > 0, part, chainer.as_variable(best))


def search_sorted(ordered: Any, values: Any, right: bool = False) -> chainer.Variable:
    """The places of values among sorted numbers. Source: keras.ops.searchsorted, digitize."""
    xp, side = chainer.backend.get_array_module(values), "right" if right else "left"
    return chainer.as_variable(xp.searchsorted(_array(ordered), _array(values), side=side).astype(np.int32))


def histogram(x: Any, bins: int, low: float, high: float) -> chainer.Variable:
    """How many values stand in each of equal bins. Source: keras.ops.histogram."""
    xp = chainer.backend.get_array_module(x)
    counts = xp.histogram(_array(x), bins, (low, high))[0]
    return chainer.as_variable(counts.astype(_array(x).dtype))


def diagonal(x: Any, offset: int = 0, axes: Sequence[int] = (0, 1)) -> chainer.Variable:
    """The diagonal of two axes, behind the others. Source: keras.ops.diagonal."""
    x = chainer.as_variable(x)
    rows = max(0, min(x.shape[axes[0]] + min(offset, 0), x.shape[axes[1]] - max(offset, 0)))
    rest = [i for i in range(x.ndim) if i not in axes]
    i = x.xp.arange(rows)
    return F.get_item(F.transpose(x, (*rest, *axes)), (..., i - min(offset, 0), i + max(offset, 0)))


def diagonal_matrix(x: Any, k: int = 0) -> chainer.Variable:
    """A matrix with the values on a diagonal. Source: keras.ops.diag, diagflat."""
    x = F.flatten(chainer.as_variable(x))
    i = x.xp.arange(len(x))
    places = x.xp.stack([i - min(k, 0), i + max(k, 0)], axis=1)
    size = len(x) + abs(k)
    return scatter_update(x.xp.zeros((size, size), x.dtype), places, x, "add")


def map_coordinates(
    x: Any, coordinates: Any, order: int, fill_mode: str = "constant", fill_value: float = 0.0
) -> chainer.Variable:
    """The values of an array between its places; the places get no gradient. Source: keras.ops.image.map_coordinates."""
    x = floating(x)
    xp, total = x.xp, None
    at = [xp.asarray(one) for one in _array(coordinates)]
    parts = [_parts(xp, one, "bilinear" if order else "nearest") for one in at]
    for corner in itertools.product(*parts):
        index = tuple(_INSIDE[fill_mode](xp, i, d) for (i, _), d in zip(corner, x.shape, strict=True))
        value = F.get_item(x, index)
        if fill_mode == "constant":
            there = xp.ones(value.shape, bool)
            for (i, _), d in zip(corner, x.shape, strict=True):
                there &= (i >= 0) & (i < d)
            value = F.where(there, value, chainer.as_variable(xp.full(value.shape, fill_value, x.dtype)))
        weight = math.prod((w for _, w in corner), start=xp.ones(value.shape, x.dtype)).astype(x.dtype)
        total = value * weight if total is None else total + value * weight
    assert total is not None
    return total


def transform_images(
    x: Any, matrix: Any, interpolation: str = "bilinear", fill_mode: str = "constant", fill_value: float = 0.0
) -> chainer.Variable:
    """Images (N, C, H, W) through matrices (N, 8) or (8,). Source: keras.ops.image.affine_transform."""
    numbers = _array(matrix)
    numbers = numbers[None] if numbers.ndim == 1 else numbers
    xp = chainer.backend.get_array_module(numbers)
    return affine_transform(
        x, xp.broadcast_to(numbers[:, :6], (x.shape[0], 6)), interpolation, fill_mode, fill_value
    )
