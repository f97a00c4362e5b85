"""NumPy's functions that pick, place and order values, as keras.ops has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import chainer
import chainer.functions as F
import numpy as np


def _kind(dtype: str) -> np.dtype[Any]:
    return np.dtype(chainer.get_dtype() if dtype == "float" else dtype)


def cast(x: Any, dtype: str) -> chainer.Variable:
    """Another element type; "float": the one of Chainer's configuration. Source: keras.ops.cast."""
    x, wanted = chainer.as_variable(x), _kind(dtype)
    if x.dtype == wanted or (dtype == "float" and x.dtype.kind == "f"):
        return x
    if x.dtype.kind == "f" and wanted.kind == "f":
        return F.cast(x, wanted)
    return chainer.as_variable(x.array.astype(wanted))


def take_slices(x: Any, items: Sequence[int | Sequence[int | None]]) -> chainer.Variable:
    """A part of each axis: a number takes one entry, three are a slice. Source: x[...] of Keras tensors."""
    index = tuple(i if isinstance(i, int) else slice(*i) for i in items)
    return F.get_item(x, index)


def reshape_whole(x: Any, shape: Sequence[int]) -> chainer.Variable:
    """The whole in another shape. Source: keras.ops.reshape."""
    return F.reshape(x, tuple(shape))


def broadcast_to(x: Any, shape: Sequence[int | None]) -> chainer.Variable:
    """Repeated to ``shape``; None: as it is. Source: keras.ops.broadcast_to."""
    own = (1,) * (len(shape) - x.ndim) + tuple(x.shape)
    wanted = tuple(d if want is None else max(d, want) for d, want in zip(own, shape, strict=True))
    return F.broadcast_to(F.reshape(x, own), wanted)


def pad_axes(
    x: Any, widths: Sequence[tuple[int, int]], mode: str = "constant", value: float = 0.0
) -> chainer.Variable:
    """More entries on both sides of each axis. Source: keras.ops.pad."""
    x = chainer.as_variable(x)
    if mode == "constant" and x.dtype.kind == "f":
        return F.pad(x, tuple(map(tuple, widths)), "constant", constant_values=value)
    if mode == "constant":
        return chainer.as_variable(x.xp.pad(x.array, widths, "constant", constant_values=value))
    for axis, width in enumerate(widths):
        if any(width):
            numbers = np.pad(np.arange(x.shape[axis]), width, mode)  # type: ignore[call-overload]
            x = take(x, x.xp.asarray(numbers), axis)
    return x


def tile(x: Any, repeats: Sequence[int]) -> chainer.Variable:
    """The whole repeated along each axis. Source: keras.ops.tile."""
    return F.tile(x, tuple(repeats))


def repeat(x: Any, repeats: int, axis: int) -> chainer.Variable:
    """Each entry of an axis repeated. Source: keras.ops.repeat."""
    return F.repeat(x, repeats, axis)


def roll(x: Any, shift: int, axis: int) -> chainer.Variable:
    """Entries of an axis moved on. Source: keras.ops.roll."""
    cut = -shift % max(x.shape[axis], 1)
    front = (slice(None),) * axis
    return F.concat(
        [F.get_item(x, (*front, slice(cut, None))), F.get_item(x, (*front, slice(0, cut)))], axis=axis
    )


def take(x: Any, indices: Any, axis: int) -> chainer.Variable:
    """Entries of an axis by their numbers. Source: keras.ops.take."""
    numbers = getattr(indices, "array", indices).astype(np.int64)
    return F.get_item(x, (*(slice(None),) * axis, numbers))


def take_along_axis(x: Any, indices: Any, axis: int) -> chainer.Variable:
    """For each place the entry of an axis that a number names. Source: keras.ops.take_along_axis."""
    xp = chainer.backend.get_array_module(x)
    numbers = getattr(indices, "array", indices).astype(np.int64)
    places: list[Any] = []
    for i, d in enumerate(x.shape):
        shape = [-1 if i == k else 1 for k in range(x.ndim)]
        places.append(numbers if i == axis else xp.arange(d).reshape(shape))
    return F.get_item(x, tuple(xp.broadcast_arrays(*places)))


def one_hot(x: Any, num_classes: int, axis: int) -> chainer.Variable:
    """1 along a new axis at the place that a number names. Source: keras.ops.one_hot."""
    xp = chainer.backend.get_array_module(x)
    numbers = getattr(x, "array", x)
    hot = xp.expand_dims(numbers, axis) == xp.arange(num_classes).reshape((-1, *(1,) * (numbers.ndim - axis)))
    return chainer.as_variable(hot.astype(chainer.get_dtype()))


def sort(x: Any, axis: int, descending: bool = False, places: bool = False) -> chainer.Variable:
    """Values along an axis in order, or their places; equal ones keep theirs. Source: keras.ops.sort, top_k."""
    x = chainer.as_variable(x)
    by = x.xp.flip(x.array, axis) if descending else x.array
    order = x.xp.argsort(by, axis, kind="stable")
    if descending:  # the last of the flipped is the first of the equal ones
        order = x.xp.flip(x.shape[axis] - 1 - order, axis)
    return chainer.as_variable(order.astype(np.int32)) if places else take_along_axis(x, order, axis)


def triangle(x: Any, upper: bool, k: int = 0) -> chainer.Variable:
    """Zeros above or below a diagonal of the last two axes. Source: keras.ops.tril, triu."""
    x = chainer.as_variable(x)
    keep = x.xp.broadcast_to(x.xp.tri(*x.shape[-2:], k - 1 if upper else k, dtype=bool) != upper, x.shape)
    if x.dtype.kind != "f":
        return chainer.as_variable(x.array * keep)
    return F.where(keep, x, chainer.as_variable(x.xp.zeros_like(x.array)))
