"""What the functions of keras.ops that place, count and rank values mean, as ops of the IR."""

from __future__ import annotations

import math
from typing import Any

from kchainer.frontends.keras.layers.array_operations import (
    _cut,
    flip,
    one_hot,
    split,
    swapaxes,
    take_along_axis,
    top_k,
)
from kchainer.frontends.keras.layers.making import Array, Maker, Refused, handles, integers
from kchainer.frontends.keras.layers.math_operations import binary, cast, clip, reduce, where
from kchainer.ir import ops
from kchainer.ir.graph import Value


@handles("Scatter")
def scatter(m: Maker, indices: Any, values: Any, shape: Any) -> Value:
    return m(ops.Scatter(shape=integers(shape)), m.value(indices, whole=True), m.value(values))


@handles("ScatterUpdate")
def scatter_update(m: Maker, inputs: Any, indices: Any, updates: Any, reduction: Any = None) -> Value:
    op = ops.ScatterUpdate(reduction=reduction)
    return m(op, m.value(inputs), m.value(indices, whole=True), m.value(updates))


@handles("SliceUpdate")
def slice_update(m: Maker, inputs: Any, start_indices: Any, updates: Any) -> Value:
    x, updates = m.value(inputs), m.value(updates)
    starts, size, part = integers(start_indices), m.shape(x), m.shape(updates)
    widths, inside = [], [True]
    for start, d, n in zip(starts, size, part, strict=True):
        if start == 0 and (d == n or n is None):
            widths.append((0, 0))
            row = [True]
        elif d is None or n is None:
            raise Refused("a part of an axis of unknown size")
        else:
            start = min(max(start, 0), d - n)
            widths.append((start, d - n - start))
            row = [start <= i < start + n for i in range(d)]
        inside = [a and b for a in inside for b in row]
    shape = [1 if w == (0, 0) else d for w, d in zip(widths, size, strict=True)]
    mask = m(ops.Constant(shape=integers(shape), values=tuple(map(float, inside)), dtype="bool"))
    filled = m(ops.Pad(widths=tuple(widths), mode="constant", value=0.0), updates)
    return m(ops.Where(), mask, filled, x)


@handles("SegmentSum", "SegmentMax", "SegmentMin", "SegmentProd")
def segment(m: Maker, data: Any, segment_ids: Any, num_segments: Any = None, sorted: bool = False) -> Value:
    if num_segments is None:
        raise Refused("without num_segments the shape of the result depends on values")
    how: Any = m.name.removeprefix("Segment").lower()
    return m(
        ops.Segment(function=how, segments=int(num_segments)), m.value(data), m.value(segment_ids, whole=True)
    )


@handles("SearchSorted")
def search_sorted(m: Maker, sorted_sequence: Any, values: Any, side: str = "left") -> Value:
    return m(ops.SearchSorted(right=side == "right"), m.value(sorted_sequence), m.value(values))


@handles("Digitize")
def digitize(m: Maker, x: Any, bins: Any) -> Value:
    return m(ops.SearchSorted(right=True), m.value(bins), m.value(x))


@handles("Histogram")
def histogram(m: Maker, x: Any, bins: int = 10, range: Any = None) -> list[Value]:
    if not range:
        raise Refused("without a range the edges depend on the batch")
    low, high = map(float, range)
    edges = tuple(low + (high - low) * i / bins for i in _upto(bins + 1))
    counts = m(ops.Histogram(bins=bins, low=low, high=high), m.value(x))
    return [counts, m(ops.Constant(shape=(bins + 1,), values=edges, dtype="float"))]


def _upto(n: int) -> range:
    return range(n)  # the name is an argument above


@handles("InTopK")
def in_top_k(m: Maker, targets: Any, predictions: Any, k: int) -> Value:
    at = m(ops.ExpandDims(axes=(1,)), m.value(targets, whole=True))
    own = take_along_axis(m, predictions, at, 1)
    best = _cut(m, top_k(m, predictions, k)[0], 1, k - 1, k)
    return m(ops.Squeeze(axes=(1,)), binary(m, "greater_equal", own, best))


@handles("MultiHot")
def multi_hot(
    m: Maker, inputs: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> Value:
    over = 1 if len(m.shape(inputs)) > 1 else 0
    return reduce(m, "max", one_hot(m, cast(m, inputs, "int32"), num_classes, axis, dtype), over)


@handles("IsIn")
def is_in(m: Maker, x1: Any, x2: Any, assume_unique: bool = False, invert: bool = False) -> Value:
    x = m.value(x1)
    one = m(ops.ExpandDims(axes=(len(m.shape(x)),)), x)
    other = m(ops.ReshapeAll(shape=(-1,)), m.value(x2))
    found = reduce(m, "any", binary(m, "equal", one, other), -1)
    return m(ops.Elementwise(function="logical_not"), found) if invert else found


@handles("Isclose", "AllClose")
def is_close(
    m: Maker, x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Value:
    if equal_nan:
        raise Refused("equal_nan")
    apart = m(ops.Activation(function="absolute"), binary(m, "subtract", x1, x2))
    if isinstance(x2, (int, float)):
        near = binary(m, "less_equal", apart, atol + rtol * abs(x2))
    else:
        size = m(ops.Activation(function="absolute"), m.value(x2))
        near = binary(m, "less_equal", apart, binary(m, "add", binary(m, "multiply", size, rtol), atol))
    return near if m.name == "Isclose" else reduce(m, "all", near, None)


@handles("Quantile", "Nanquantile", "Percentile", "Nanpercentile")
def quantile(
    m: Maker, x: Any, q: Any, axis: Any = None, method: Any = "linear", keepdims: bool = False
) -> Value:
    q = q.values if isinstance(q, Array) else q
    many = q if isinstance(q, list) else [q]
    if isinstance(q, tuple) or not all(isinstance(one, (int, float)) for one in many):
        raise Refused("a share that is a tensor")
    if m.name == "Quantile" and method != "linear":
        raise Refused("a method: models of Keras 3.15 leave it out")
    by = 100 if "percentile" in m.name.lower() else 1
    parts = [
        m(
            ops.Quantile(
                q=one / by,
                axes=m.axes(m.value(x), axis),
                method=method,
                keepdims=keepdims,
                skip_nan=m.name.startswith("Nan"),
            ),
            m.value(x),
        )
        for one in many
    ]
    if not isinstance(q, list):
        return parts[0]
    return m(ops.Concatenate(axis=0), *(m(ops.ExpandDims(axes=(0,)), part) for part in parts))


@handles("Median", "Nanmedian")
def median(m: Maker, x: Any, axis: Any = None, keepdims: bool = False) -> Value:
    return quantile(m, x, 0.5, axis, "linear", keepdims)


@handles("Nancumsum", "Nancumprod")
def nan_cumulative(m: Maker, x: Any, axis: Any = None, dtype: Any = None) -> Value:
    kind: Any = "sum" if m.name == "Nancumsum" else "prod"
    lost = m(ops.Elementwise(function="isnan"), m.value(x))
    filled = where(m, lost, 0.0 if kind == "sum" else 1.0, x)
    return m.cast(m(ops.Cumulative(function=kind, axis=m.axis(filled, axis)), filled), dtype)


@handles("Diagonal")
def diagonal(m: Maker, x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Value:
    x = m.value(x)
    return m(ops.Diagonal(offset=offset, axes=(m.axis(x, axis1), m.axis(x, axis2))), x)


@handles("Trace")
def trace(m: Maker, x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Value:
    return reduce(m, "sum", diagonal(m, x, offset, axis1, axis2), -1)


@handles("Diag", "Diagflat")
def diag(m: Maker, x: Any, k: int = 0) -> Value:
    x = m.value(x)
    if m.name == "Diag" and len(m.shape(x)) > 1:
        return diagonal(m, x, k)
    return m(ops.DiagonalMatrix(k=k), x)


@handles("Size")
def size(m: Maker, x: Any) -> Value:
    return reduce(m, "count_nonzero", m(ops.Elementwise(function="ones_like"), m.value(x)), None)


@handles("UnravelIndex")
def unravel_index(m: Maker, indices: Any, shape: Any) -> list[Value]:
    sizes = integers(shape)
    out = []
    for i, d in enumerate(sizes):
        whole = binary(m, "floor_divide", indices, math.prod(sizes[i + 1 :]))
        out.append(binary(m, "mod", whole, d))
    return out


@handles("Dsplit", "Hsplit", "Vsplit")
def split_along(m: Maker, x: Any, indices_or_sections: Any) -> list[Value]:
    axis = {"D": 2, "V": 0, "H": min(1, len(m.shape(x)) - 1)}[m.name[0]]
    return split(m, x, indices_or_sections, axis)


@handles("Dstack")
def dstack(m: Maker, xs: Any) -> Value:
    values = []
    for x in map(m.value, m.many(xs)):
        rank = len(m.shape(x))
        axes = {1: (0, 2), 2: (2,)}.get(rank)
        values.append(m(ops.ExpandDims(axes=axes), x) if axes else x)
    return m(ops.Concatenate(axis=2), *values)


@handles("Fliplr", "Flipud")
def flip_one(m: Maker, x: Any) -> Value:
    return flip(m, x, 1 if m.name == "Fliplr" else 0)


@handles("Rot90")
def rot90(m: Maker, array: Any, k: int = 1, axes: Any = (0, 1)) -> Value:
    one, two = integers(list(axes))
    x = m.value(array)
    for _ in range(k % 4):
        x = flip(m, swapaxes(m, x, one, two), one)
    return x


@handles("Select")
def select(m: Maker, condlist: Any, choicelist: Any, default: Any = 0) -> Value:
    out = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        out = where(m, condition, choice, out)
    return m.value(out)


@handles("SaturateCast")
def saturate_cast(m: Maker, x: Any, dtype: Any) -> Value:
    bounds = {"uint8": (0, 255), "int8": (-128, 127), "int16": (-32768, 32767)}
    if dtype not in bounds:
        raise Refused(f"dtype {dtype}")
    return cast(m, clip(m, x, *bounds[dtype]), dtype)
