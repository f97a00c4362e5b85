"""What the functions of keras.ops that move, pick and order values mean, as ops of the IR."""

from __future__ import annotations

import itertools
from typing import Any

from kchainer.frontends.keras.layers.making import Array, Dims, Maker, Refused, handles, integers
from kchainer.frontends.keras.layers.math_operations import binary
from kchainer.ir import ops
from kchainer.ir.graph import Value
from kchainer.ir.op import ShapeError


@handles("Reshape")
def reshape(m: Maker, x: Any, newshape: Any) -> Value:
    x, shape = m.value(x), [-1 if d is None else d for d in Dims.plain(newshape)]
    have, rest = m.shape(x), tuple(integers(shape)[1:])
    if have and have[0] is None and shape and shape[0] == -1 and -1 not in rest and None not in have[1:]:
        try:
            ops.Reshape(target=rest).infer(have)
        except ShapeError:  # the batch does not stay: the whole is reshaped
            pass
        else:
            return m(ops.Reshape(target=rest), x)
    return m(ops.ReshapeAll(shape=integers(shape)), x)


@handles("Ravel")
def ravel(m: Maker, x: Any) -> Value:
    return m(ops.ReshapeAll(shape=(-1,)), m.value(x))


@handles("Transpose")
def transpose(m: Maker, x: Any, axes: Any = None) -> Value:
    x = m.value(x)
    rank = len(m.shape(x))
    order = range(rank - 1, -1, -1) if axes is None else (a % rank for a in integers(axes))
    return m(ops.Transpose(axes=tuple(order)), x)


@handles("Swapaxes")
def swapaxes(m: Maker, x: Any, axis1: int, axis2: int) -> Value:
    order = list(range(len(m.shape(x))))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return m(ops.Transpose(axes=tuple(order)), x)


@handles("Moveaxis")
def moveaxis(m: Maker, x: Any, source: Any, destination: Any) -> Value:
    rank = len(m.shape(x))
    one, two = ([a % rank for a in integers(v)] for v in (source, destination))
    order = [a for a in range(rank) if a not in one]
    for to, what in sorted(zip(two, one, strict=True)):
        order.insert(to, what)
    return m(ops.Transpose(axes=tuple(order)), x)


@handles("ExpandDims")
def expand_dims(m: Maker, x: Any, axis: Any) -> Value:
    x, many = m.value(x), integers(axis)
    rank = len(m.shape(x)) + len(many)
    return m(ops.ExpandDims(axes=tuple(sorted(a % rank for a in many))), x)


@handles("Squeeze")
def squeeze(m: Maker, x: Any, axis: Any = None) -> Value:
    x = m.value(x)
    ones = tuple(i for i, d in enumerate(m.shape(x)) if d == 1)
    axes = ones if axis in (None, []) else m.axes(x, axis)
    return m(ops.Squeeze(axes=axes), x)


@handles("Concatenate")
def concatenate(m: Maker, xs: Any, axis: Any = 0) -> Value:
    values = [m.value(x) for x in m.many(xs)]
    if axis is None:
        raise Refused("axis None")
    return m(ops.Concatenate(axis=m.axis(values[0], axis)), *values)


@handles("Append")
def append(m: Maker, x1: Any, x2: Any, axis: Any = None) -> Value:
    return concatenate(m, [x1, x2], axis)


@handles("Stack")
def stack(m: Maker, x: Any, axis: int = 0) -> Value:
    values = [m.value(one) for one in m.many(x)]
    axis %= len(m.shape(values[0])) + 1
    return m(ops.Concatenate(axis=axis), *(m(ops.ExpandDims(axes=(axis,)), v) for v in values))


@handles("Hstack")
def hstack(m: Maker, xs: Any) -> Value:
    return concatenate(m, xs, 0 if len(m.shape(m.many(xs)[0])) == 1 else 1)


@handles("Vstack")
def vstack(m: Maker, xs: Any) -> Value:
    return concatenate(m, xs, 0)


def _cut(m: Maker, x: Value, axis: int, start: int, stop: int | None) -> Value:
    items: list[Any] = [(None, None, None)] * len(m.shape(x))
    items[axis] = (start, stop, None)
    return m(ops.Slice(items=tuple(items)), x)


@handles("Split", "ArraySplit")
def split(m: Maker, x: Any, indices_or_sections: Any, axis: int = 0) -> list[Value]:
    x, axis = m.value(x), m.axis(x, axis)
    size = m.size(x, axis)
    if isinstance(indices_or_sections, int):
        n, more = divmod(size, indices_or_sections)
        if more and m.name == "Split":
            raise Refused(f"{size} in {indices_or_sections} equal parts")
        ends = [0]
        for i in range(indices_or_sections):
            ends.append(ends[-1] + n + (i < more))
    else:
        ends = [0, *integers(indices_or_sections), size]
    return [_cut(m, x, axis, a, b) for a, b in itertools.pairwise(ends)]


@handles("Unstack")
def unstack(m: Maker, x: Any, num: Any = None, axis: int = 0) -> list[Value]:
    x, axis = m.value(x), m.axis(x, axis)
    items: list[Any] = [(None, None, None)] * len(m.shape(x))
    return [
        m(ops.Slice(items=(*items[:axis], i, *items[axis + 1 :])), x) for i in range(num or m.size(x, axis))
    ]


def _taken(m: Maker, x: Any, keys: list[Any]) -> Value:
    """Items by an array of indices, beside which only whole axes stand."""
    arrays = [k for k in keys if isinstance(k, (tuple, list, Array))]
    if len(arrays) > 1 or any(k not in (slice(None), Ellipsis) for k in keys if k is not arrays[0]):
        raise Refused("several arrays as indices")
    at = keys.index(arrays[0])
    axis = at if Ellipsis not in keys[:at] else len(m.shape(x)) - (len(keys) - at)
    return m(ops.Take(axis=axis), x, m.value(arrays[0], whole=True))


@handles("GetItem")
def get_item(m: Maker, x: Any, key: Any) -> Any:
    if isinstance(x, Dims):
        return x.item(key)
    x, keys = m.value(x), list(key) if isinstance(key, list) else [key]
    rank = len(m.shape(x))
    if any(isinstance(k, (tuple, list, Array)) for k in keys):
        return _taken(m, x, keys)
    if Ellipsis not in keys:
        keys.append(Ellipsis)
    at = keys.index(Ellipsis)
    rest = rank - sum(k is not None and k is not Ellipsis for k in keys)
    keys[at : at + 1] = [slice(None)] * rest
    items: list[Any] = []
    new: list[int] = []
    axis = 0
    for k in keys:
        if k is None:
            new.append(axis)
        elif isinstance(k, slice):
            items.append((k.start, k.stop, k.step))
        elif isinstance(k, int) and not isinstance(k, bool):
            items.append(k)
            continue
        else:
            raise Refused(f"index {k!r}")
        axis += 1
    if any(isinstance(i, int) or i not in ((None, None, None), (None, None, 1)) for i in items):
        x = m(ops.Slice(items=tuple(items)), x)
    if new:
        x = m(ops.ExpandDims(axes=tuple(new)), x)
    return x


@handles("Slice")
def slice_(m: Maker, inputs: Any, start_indices: Any, shape: Any) -> Value:
    starts, sizes = integers(start_indices), integers(shape)
    items = tuple((a, None if n == -1 else a + n, None) for a, n in zip(starts, sizes, strict=True))
    return m(ops.Slice(items=items), m.value(inputs))


@handles("Flip")
def flip(m: Maker, x: Any, axis: Any = None) -> Value:
    x = m.value(x)
    axes = m.axes(x, axis)
    items = tuple((None, None, -1 if i in axes else None) for i in range(len(m.shape(x))))
    return m(ops.Slice(items=items), x)


@handles("Roll")
def roll(m: Maker, x: Any, shift: Any, axis: Any = None) -> Value:
    out = m.value(x)
    if axis is None:
        raise Refused("without an axis it rolls the batch too")
    for s, a in zip(integers(shift), integers(axis), strict=True):
        out = m(ops.Roll(shift=s, axis=m.axis(out, a)), out)
    return out


@handles("Tile")
def tile(m: Maker, x: Any, repeats: Any) -> Value:
    x, many = m.value(x), integers(repeats)
    rank = len(m.shape(x))
    if len(many) > rank:
        x = m(ops.ExpandDims(axes=tuple(range(len(many) - rank))), x)
    return m(ops.Tile(repeats=(1,) * (rank - len(many)) + many), x)


@handles("Repeat")
def repeat(m: Maker, x: Any, repeats: Any, axis: Any = None) -> Value:
    if axis is None or not isinstance(repeats, int):
        raise Refused("repeats by entry, or without an axis")
    return m(ops.Repeat(repeats=repeats, axis=m.axis(x, axis)), m.value(x))


@handles("BroadcastTo")
def broadcast_to(m: Maker, x: Any, shape: Any) -> Value:
    sizes = tuple(None if d in (None, -1) else d for d in Dims.plain(shape))
    return m(ops.BroadcastTo(shape=sizes), m.value(x))


@handles("Pad")
def pad(m: Maker, x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Value:
    x = m.value(x)
    rank = len(m.shape(x))
    if isinstance(pad_width, int):
        pad_width = [pad_width] * 2
    if not isinstance(pad_width[0], list):
        pad_width = [pad_width]
    sides = [(integers(w)[0], integers(w)[-1]) for w in pad_width]
    widths = sides * rank if len(sides) == 1 else sides
    if mode not in ("constant", "reflect", "symmetric", "edge"):
        raise Refused(f"mode {mode}")
    how: Any = mode
    return m(ops.Pad(widths=tuple(widths), mode=how, value=float(constant_values or 0)), x)


@handles("Take")
def take(m: Maker, x: Any, indices: Any, axis: Any = None) -> Value:
    if axis is None:
        raise Refused("without an axis it takes from the whole batch")
    if isinstance(indices, int):
        items: list[Any] = [(None, None, None)] * len(m.shape(x))
        items[m.axis(x, axis)] = indices
        return m(ops.Slice(items=tuple(items)), x)
    return m(ops.Take(axis=m.axis(x, axis)), m.value(x), m.value(indices, whole=True))


@handles("TakeAlongAxis")
def take_along_axis(m: Maker, x: Any, indices: Any, axis: Any = None) -> Value:
    return m(ops.TakeAlongAxis(axis=m.axis(x, axis)), m.value(x), m.value(indices, whole=True))


@handles("OneHot")
def one_hot(
    m: Maker, x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> Value:
    rank = len(m.shape(x)) + 1
    return m.cast(m(ops.OneHot(num_classes=num_classes, axis=axis % rank), m.value(x)), dtype)


@handles("Sort")
def sort(m: Maker, x: Any, axis: int = -1) -> Value:
    return m(ops.Sort(axis=m.axis(x, axis), descending=False, places=False), x)


@handles("Argsort")
def argsort(m: Maker, x: Any, axis: int = -1) -> Value:
    return m(ops.Sort(axis=m.axis(x, axis), descending=False, places=True), x)


@handles("TopK")
def top_k(m: Maker, x: Any, k: int, sorted: bool = True) -> list[Value]:
    axis = m.axis(x, -1)
    return [
        _cut(m, m(ops.Sort(axis=axis, descending=True, places=places), x), axis, 0, k)
        for places in (False, True)
    ]


@handles("Tril", "Triu")
def triangle(m: Maker, x: Any, k: int = 0) -> Value:
    return m(ops.Triangle(upper=m.name == "Triu", k=k), m.value(x))


@handles("Diff")
def diff(m: Maker, a: Any, n: int = 1, axis: int = -1) -> Value:
    for _ in range(n):
        at = m.axis(a, axis)
        a = binary(m, "subtract", _cut(m, a, at, 1, None), _cut(m, a, at, 0, -1))
    return m.value(a)
