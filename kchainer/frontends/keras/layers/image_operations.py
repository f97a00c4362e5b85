"""What the functions of keras.ops.image, and those of nn that move pixels, mean, as ops of the IR."""

from __future__ import annotations

import re
from typing import Any

from kchainer.frontends.keras.layers.array_operations import _cut, reshape, transpose
from kchainer.frontends.keras.layers.making import Maker, Refused, handles, integers
from kchainer.frontends.keras.layers.math_operations import binary, reduce
from kchainer.ir import ops
from kchainer.ir.graph import Value


def _first(data_format: Any) -> bool:
    return bool(data_format == "channels_first")


def _channels(m: Maker, x: Value, data_format: Any) -> int:
    return len(m.shape(x)) - (3 if _first(data_format) else 1)


def _spatial(m: Maker, x: Value, data_format: Any) -> tuple[int, int]:
    rank = len(m.shape(x))
    return (rank - 2, rank - 1) if _first(data_format) else (rank - 3, rank - 2)


@handles("RGBToGrayscale")
def grey(m: Maker, images: Any, data_format: Any = None) -> Value:
    x = m.value(images)
    axis = _channels(m, x, data_format)
    shape = [1] * len(m.shape(x))
    shape[axis] = 3
    shares = m(ops.Constant(shape=tuple(shape), values=(0.2989, 0.5870, 0.1140), dtype="float"))
    return reduce(m, "sum", binary(m, "multiply", x, shares), axis, True)


@handles("RGBToHSV", "HSVToRGB")
def colours(m: Maker, images: Any, data_format: Any = None) -> Value:
    x = m.value(images)
    how: Any = "rgb_to_hsv" if m.name == "RGBToHSV" else "hsv_to_rgb"
    return m(ops.Colours(function=how, axis=_channels(m, x, data_format)), x)


@handles("CropImages")
def crop(
    m: Maker,
    images: Any,
    top_cropping: Any = None,
    left_cropping: Any = None,
    bottom_cropping: Any = None,
    right_cropping: Any = None,
    target_height: Any = None,
    target_width: Any = None,
    data_format: Any = None,
) -> Value:
    x = m.value(images)
    sides = (
        (top_cropping, bottom_cropping, target_height),
        (left_cropping, right_cropping, target_width),
    )
    for axis, (before, after, target) in zip(_spatial(m, x, data_format), sides, strict=True):
        size = m.size(x, axis)
        before = size - after - target if before is None else before
        stop = before + target if after is None else size - after
        x = _cut(m, x, axis, before, stop)
    return x


@handles("PadImages")
def pad(
    m: Maker,
    images: Any,
    top_padding: Any = None,
    left_padding: Any = None,
    bottom_padding: Any = None,
    right_padding: Any = None,
    target_height: Any = None,
    target_width: Any = None,
    data_format: Any = None,
) -> Value:
    x = m.value(images)
    widths = [(0, 0)] * len(m.shape(x))
    sides = ((top_padding, bottom_padding, target_height), (left_padding, right_padding, target_width))
    for axis, (before, after, target) in zip(_spatial(m, x, data_format), sides, strict=True):
        if before is None:
            before = target - after - m.size(x, axis)
        if after is None:
            after = target - before - m.size(x, axis)
        widths[axis] = (before, after)
    return m(ops.Pad(widths=tuple(widths), mode="constant", value=0.0), x)


def _two(v: Any, many: int = 2) -> tuple[int, ...]:
    return (v,) * many if isinstance(v, int) else integers(v)


def _windows(
    m: Maker, x: Value, axes: tuple[int, ...], size: Any, step: Any, dilation: Any, pads: Any
) -> tuple[Value, list[int]]:
    """Each of ``axes`` becomes two, windows and places in them; and how many windows there are."""
    widths = [(0, 0)] * len(m.shape(x))
    for axis, sides in zip(axes, pads, strict=True):
        widths[axis] = sides
    if any(map(any, widths)):
        x = m(ops.Pad(widths=tuple(widths), mode="constant", value=0.0), x)
    counts: list[int] = []
    for i, axis in reversed(list(enumerate(axes))):
        count = (m.size(x, axis) - (size[i] - 1) * dilation[i] - 1) // step[i] + 1
        numbers = [[w * step[i] + k * dilation[i] for k in range(size[i])] for w in range(count)]
        x = m(ops.Take(axis=axis), x, m.value(numbers, whole=True))
        counts.insert(0, count)
    return x, counts


def _same(size: int, window: int, step: int) -> tuple[int, int]:
    total = max(0, (-(-size // step) - 1) * step + window - size)
    return total // 2, total - total // 2


@handles("ExtractPatches", "ExtractPatches3D")
def extract_patches(
    m: Maker,
    images: Any,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: Any = None,
) -> Value:
    x = m.value(images)
    n = 3 if m.name.endswith("3D") else 2 if isinstance(size, int) else len(size)
    if len(m.shape(x)) != n + 2:
        raise Refused("a single image")
    window, spread = _two(size, n), _two(dilation_rate, n)
    step = window if not strides else _two(strides, n)
    if _first(data_format):
        x = transpose(m, x, [0, *range(2, n + 2), 1])
    pads = [(0, 0)] * n
    if padding == "same":
        sizes = [m.size(x, i + 1) for i in range(n)]
        full = [(w - 1) * d + 1 for w, d in zip(window, spread, strict=True)]
        pads = [_same(a, w, s) for a, w, s in zip(sizes, full, step, strict=True)]
    channels = m.size(x, n + 1)
    x, counts = _windows(m, x, tuple(range(1, n + 1)), window, step, spread, pads)
    x = transpose(m, x, [0, *range(1, 2 * n, 2), *range(2, 2 * n + 1, 2), 2 * n + 1])
    total = channels
    for w in window:
        total *= w
    x = reshape(m, x, [-1, *counts, total])
    return transpose(m, x, [0, n + 1, *range(1, n + 1)]) if _first(data_format) else x


@handles("Unfold")
def unfold(m: Maker, x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Value:
    x = m.value(x)
    window = _two(kernel_size)
    channels = m.size(x, 1)
    pads = [(p, p) for p in _two(padding)]
    x, counts = _windows(m, x, (2, 3), window, _two(stride), _two(dilation), pads)
    x = transpose(m, x, [0, 1, 3, 5, 2, 4])
    return reshape(m, x, [-1, channels * window[0] * window[1], counts[0] * counts[1]])


@handles("Fold")
def fold(
    m: Maker,
    x: Any,
    output_size: Any,
    kernel_size: Any,
    dilation: Any = 1,
    padding: Any = 0,
    stride: Any = 1,
) -> Value:
    """The windows added where they overlap: segments of the last axis, by their places in the image."""
    x = m.value(x)
    out, window, border = _two(output_size), _two(kernel_size), _two(padding)
    step, spread = _two(stride), _two(dilation)
    lines = []
    for size, w, p, s, d in zip(out, window, border, step, spread, strict=True):
        count = (size + 2 * p - (w - 1) * d - 1) // s + 1
        lines.append([[i * s + k * d - p for i in range(count)] for k in range(w)])
    rows, columns = lines
    places = [
        r * out[1] + c if 0 <= r < out[0] and 0 <= c < out[1] else -1
        for row in rows
        for column in columns
        for r in row
        for c in column
    ]
    inner = m.size(x, 1) // (window[0] * window[1])
    flat = transpose(m, reshape(m, x, [-1, inner, len(places)]), [2, 0, 1])
    added = m(ops.Segment(function="sum", segments=out[0] * out[1]), flat, m.value(places, whole=True))
    return reshape(m, transpose(m, added, [1, 2, 0]), [-1, inner, *out])


@handles("DepthToSpace")
def depth_to_space(m: Maker, x: Any, block_size: int, data_format: Any = "channels_last") -> Value:
    x, b = m.value(x), block_size
    if _first(data_format):
        c, h, w = (m.size(x, i) for i in (1, 2, 3))
        x = transpose(m, reshape(m, x, [-1, c // (b * b), b, b, h, w]), [0, 1, 4, 2, 5, 3])
        return reshape(m, x, [-1, c // (b * b), h * b, w * b])
    h, w, c = (m.size(x, i) for i in (1, 2, 3))
    x = transpose(m, reshape(m, x, [-1, h, w, b, b, c // (b * b)]), [0, 1, 3, 2, 4, 5])
    return reshape(m, x, [-1, h * b, w * b, c // (b * b)])


@handles("SpaceToDepth")
def space_to_depth(m: Maker, x: Any, block_size: int, data_format: Any = "channels_last") -> Value:
    x, b = m.value(x), block_size
    if _first(data_format):
        c, h, w = (m.size(x, i) for i in (1, 2, 3))
        x = transpose(m, reshape(m, x, [-1, c, h // b, b, w // b, b]), [0, 1, 3, 5, 2, 4])
        return reshape(m, x, [-1, c * b * b, h // b, w // b])
    h, w, c = (m.size(x, i) for i in (1, 2, 3))
    x = transpose(m, reshape(m, x, [-1, h // b, b, w // b, b, c]), [0, 1, 3, 2, 4, 5])
    return reshape(m, x, [-1, h // b, w // b, c * b * b])


@handles("Rearrange")
def rearrange(m: Maker, tensor: Any, pattern: str, **axes_lengths: int) -> Value:
    x = m.value(tensor)
    sides = [
        [part.strip("()").split() for part in re.findall(r"\(.*?\)|\w+", side)]
        for side in pattern.split("->")
    ]
    left, right = sides
    names, wanted = ([name for group in side for name in group] for side in sides)
    if len(left) != len(m.shape(x)) or sorted(names) != sorted(wanted):
        raise Refused(f"pattern {pattern}")
    sizes: dict[str, int | None] = {}
    for group, d in zip(left, m.shape(x), strict=True):
        known, rest = 1, []
        for name in group:
            sizes[name] = axes_lengths.get(name)
            known *= sizes[name] or 1
            rest += [name] if sizes[name] is None else []
        if len(rest) > 1:
            raise Refused(f"pattern {pattern}: several sizes that are not given")
        if rest and d is not None:
            sizes[rest[0]] = d // known
    x = reshape(m, x, [-1 if sizes[n] is None else sizes[n] for n in names])
    x = transpose(m, x, [names.index(n) for n in wanted])
    shape = []
    for group in right:
        total: int | None = 1
        for name in group:
            size = sizes[name]
            total = None if total is None or size is None else total * size
        shape.append(-1 if total is None else total)
    return reshape(m, x, shape)


@handles("AffineTransform")
def affine_transform(
    m: Maker,
    images: Any,
    transform: Any,
    interpolation: Any = "bilinear",
    fill_mode: Any = "constant",
    fill_value: float = 0,
    data_format: Any = None,
) -> Value:
    x = m.value(images)
    if len(m.shape(x)) != 4:
        raise Refused("a single image")
    op = ops.AffineTransform(interpolation=interpolation, fill_mode=fill_mode, fill_value=float(fill_value))
    if _first(data_format):
        return m(op, x, m.value(transform))
    return transpose(m, m(op, transpose(m, x, [0, 3, 1, 2]), m.value(transform)), [0, 2, 3, 1])


@handles("MapCoordinates")
def map_coordinates(
    m: Maker, inputs: Any, coordinates: Any, order: Any, fill_mode: Any = "constant", fill_value: float = 0
) -> Value:
    if isinstance(coordinates, list) and any(isinstance(c, tuple) for c in coordinates):
        ones = [m(ops.ExpandDims(axes=(0,)), m.value(c)) for c in coordinates]
        coordinates = m(ops.Concatenate(axis=0), *ones)
    op = ops.MapCoordinates(order=order, fill_mode=fill_mode, fill_value=float(fill_value))
    return m(op, m.value(inputs), m.value(coordinates))
