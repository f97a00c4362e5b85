"""What the functions of keras.ops for sums of products, frames and Fourier transforms mean, as ops of the IR."""

from __future__ import annotations

import math
from typing import Any

from kchainer.frontends.keras.layers.array_operations import _cut, swapaxes
from kchainer.frontends.keras.layers.making import Array, Maker, Refused, handles, integers
from kchainer.frontends.keras.layers.math_operations import binary, reduce, where
from kchainer.frontends.keras.layers.product_operations import _contract
from kchainer.ir import ops
from kchainer.ir.graph import Value


def constant(m: Maker, values: list[float]) -> Value:
    return m(ops.Constant(shape=(len(values),), values=tuple(map(float, values)), dtype="float"))


def _flat(m: Maker, x: Any) -> Value:
    return m(ops.ReshapeAll(shape=(-1,)), m.value(x))


@handles("Vdot")
def vdot(m: Maker, x1: Any, x2: Any) -> Value:
    return _contract(m, _flat(m, x1), _flat(m, x2), (0,), (0,))


@handles("Outer")
def outer(m: Maker, x1: Any, x2: Any) -> Value:
    return m(ops.Einsum(equation="a,b->ab"), _flat(m, x1), _flat(m, x2))


@handles("Kron")
def kron(m: Maker, x1: Any, x2: Any) -> Value:
    a, b = m.value(x1), m.value(x2)
    rank = max(len(m.shape(a)), len(m.shape(b)))
    sizes = [m.shape(one) for one in (a, b)]
    if rank != len(m.shape(a)) or rank != len(m.shape(b)):
        raise Refused("operands of different rank")
    wide = m(ops.ExpandDims(axes=tuple(range(1, 2 * rank, 2))), a)
    other = m(ops.ExpandDims(axes=tuple(range(0, 2 * rank, 2))), b)
    shape = [-1 if None in (p, q) else p * q for p, q in zip(*sizes, strict=True)]
    return m(ops.ReshapeAll(shape=integers(shape)), binary(m, "multiply", wide, other))


@handles("Cross")
def cross(
    m: Maker, x1: Any, x2: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Any = None
) -> Value:
    one, two, out = (axisa, axisb, axisc) if axis is None else (axis,) * 3
    a, b = m.value(x1), m.value(x2)
    at, bt = m.axis(a, one), m.axis(b, two)
    if (m.size(a, at), m.size(b, bt)) != (3, 3):
        raise Refused("vectors that are not of 3 numbers")

    def part(x: Value, axis: int, i: int) -> Value:
        return m(ops.Squeeze(axes=(axis,)), _cut(m, x, axis, i, i + 1))

    made = []
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        left = binary(m, "multiply", part(a, at, j), part(b, bt, k))
        right = binary(m, "multiply", part(a, at, k), part(b, bt, j))
        made.append(binary(m, "subtract", left, right))
    place = out % (len(m.shape(made[0])) + 1)
    return m(ops.Concatenate(axis=place), *(m(ops.ExpandDims(axes=(place,)), v) for v in made))


@handles("CDist")
def cdist(m: Maker, x: Any, y: Any) -> Value:
    x, y = m.value(x), m.value(y)
    one = m(ops.ExpandDims(axes=(len(m.shape(x)) - 1,)), x)
    two = m(ops.ExpandDims(axes=(len(m.shape(y)) - 2,)), y)
    apart = binary(m, "subtract", one, two)
    return m(
        ops.Activation(function="sqrt"), reduce(m, "sum", m(ops.Activation(function="square"), apart), -1)
    )


@handles("Corrcoef")
def corrcoef(m: Maker, x: Any) -> Value:
    x = m.value(x)
    centred = binary(m, "subtract", x, reduce(m, "mean", x, 1, True))
    unit = m(ops.UnitNormalization(axes=(1,), floor="norm"), centred)
    return clip_to_one(m, m(ops.Einsum(equation="ab,cb->ac"), unit, unit))


def clip_to_one(m: Maker, x: Value) -> Value:
    return m(ops.Clip(low=-1.0, high=1.0), x)


@handles("Trapezoid")
def trapezoid(m: Maker, y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Value:
    y = m.value(y)
    at = m.axis(y, axis)
    both = binary(m, "add", _cut(m, y, at, 1, None), _cut(m, y, at, 0, -1))
    if x is None:
        return binary(m, "multiply", reduce(m, "sum", both, at), dx / 2)
    x = m.value(x)
    on = at if len(m.shape(x)) > 1 else 0
    if len(m.shape(x)) == 1 and at != len(m.shape(y)) - 1:
        raise Refused("places along another axis than the last")
    step = binary(m, "subtract", _cut(m, x, on, 1, None), _cut(m, x, on, 0, -1))
    return binary(m, "multiply", reduce(m, "sum", binary(m, "multiply", both, step), at), 0.5)


@handles("Vander")
def vander(m: Maker, x: Any, N: Any = None, increasing: bool = False) -> Value:
    if N is None:
        raise Refused("without N the shape depends on the batch")
    x = m.value(x)
    column = m(ops.ExpandDims(axes=(1,)), x)
    powers = list(range(N)) if increasing else list(range(N - 1, -1, -1))
    return m(
        ops.Concatenate(axis=1),
        *(
            binary(m, "power", column, float(p)) if p else m(ops.Elementwise(function="ones_like"), column)
            for p in powers
        ),
    )


# ------------------------------------------------------------------ frames and transforms


def frames(m: Maker, x: Any, length: int, step: int) -> Value:
    """Windows of the last axis, one for each row."""
    x = m.value(x)
    axis = len(m.shape(x)) - 1
    count = (m.size(x, axis) - length) // step + 1
    numbers = [[i * step + j for j in range(length)] for i in range(count)]
    return m(ops.Take(axis=axis), x, m.value(numbers, whole=True))


@handles("ExtractSequences")
def extract_sequences(m: Maker, x: Any, sequence_length: int, sequence_stride: int) -> Value:
    return frames(m, x, sequence_length, sequence_stride)


def transform(m: Maker, *xs: Value, axes: int = 1, inverse: bool = False) -> list[Value]:
    parts: Any = ("real", "imaginary")
    return [m(ops.Fourier(part=part, axes=axes, inverse=inverse), *xs) for part in parts]


def _pair(m: Maker, x: Any) -> list[Value]:
    """The real and imaginary part, as Keras writes complex numbers."""
    if not isinstance(x, list) or len(x) != 2:
        raise Refused("one tensor where a real and an imaginary part are expected")
    return [m.value(one) for one in x]


@handles("FFT", "FFT2", "IFFT2")
def fft(m: Maker, x: Any) -> list[Value]:
    return transform(m, *_pair(m, x), axes=2 if "2" in m.name else 1, inverse=m.name[0] == "I")


def _length(m: Maker, x: Value, size: int) -> Value:
    """The last axis cut or filled with zeros."""
    axis = len(m.shape(x)) - 1
    have = m.size(x, axis)
    if have >= size:
        return _cut(m, x, axis, 0, size) if have > size else x
    return m(ops.Pad(widths=((0, 0),) * axis + ((0, size - have),), mode="constant", value=0.0), x)


@handles("RFFT")
def rfft(m: Maker, x: Any, fft_length: Any = None) -> list[Value]:
    x = m.value(x)
    axis = len(m.shape(x)) - 1
    size = fft_length or m.size(x, axis)
    return [_cut(m, one, axis, 0, size // 2 + 1) for one in transform(m, _length(m, x, size))]


@handles("IRFFT")
def irfft(m: Maker, x: Any, fft_length: Any = None) -> Value:
    real, imaginary = _pair(m, x)
    have = m.size(real, len(m.shape(real)) - 1)
    size = fft_length or 2 * (have - 1)
    half = size // 2 + 1
    # what stands for two numbers of the whole spectrum counts twice; at the ends the imaginary part does not count
    twice = [1.0 if k == 0 or 2 * k == size else 2.0 for k in range(half)]
    weights = constant(m, twice)
    parts = [binary(m, "multiply", _length(m, one, half), weights) for one in (real, imaginary)]
    return m(ops.Fourier(part="real", axes=1, inverse=True), *(_length(m, one, size) for one in parts))


def _window(window: Any, length: int) -> list[float]:
    if window is None:
        return [1.0] * length
    if isinstance(window, Array):
        return [float(v) for v in window.values]
    if isinstance(window, list):
        return [float(v) for v in window]
    if window not in ("hann", "hamming"):
        raise Refused(f"window {window}")
    a = 0.5 if window == "hann" else 0.54
    return [a - (1 - a) * math.cos(2 * math.pi * i / length) for i in range(length)]


@handles("STFT")
def stft(
    m: Maker,
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: Any = "hann",
    center: bool = True,
) -> list[Value]:
    x = m.value(x)
    axis = len(m.shape(x)) - 1
    if center:
        half = fft_length // 2
        x = m(ops.Pad(widths=((0, 0),) * axis + ((half, half),), mode="reflect", value=0.0), x)
    left = (fft_length - sequence_length) // 2
    right = fft_length - sequence_length - left
    shape = [0.0] * left + _window(window, sequence_length) + [0.0] * right
    cut = binary(m, "multiply", frames(m, x, fft_length, sequence_stride), constant(m, shape))
    return [_cut(m, one, axis + 1, 0, fft_length // 2 + 1) for one in transform(m, cut)]


@handles("ISTFT")
def istft(
    m: Maker,
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: Any = None,
    window: Any = "hann",
    center: bool = True,
) -> Value:
    """Frames added where they overlap, each place divided by what the squares of the windows give there."""
    if sequence_length != fft_length or not center or window is None:
        raise Refused(
            "a window of another length than the transform's, or not centred: Keras's backends differ there"
        )
    rows = irfft(m, x, fft_length)
    shape = m.shape(rows)
    count, last = m.size(rows, len(shape) - 2), len(shape) - 1
    own = _window(window, sequence_length)
    total = fft_length + sequence_stride * (count - 1)
    squares = [0.0] * total
    for i in range(count):
        for j, w in enumerate(own):
            squares[i * sequence_stride + j] += w * w
    rows = binary(m, "multiply", rows, constant(m, own))
    # the places come first, since segments are of the first axis
    flat = m(ops.ReshapeAll(shape=(-1, count * fft_length)), rows)
    places = [i * sequence_stride + j for i in range(count) for j in range(fft_length)]
    added = m(
        ops.Segment(function="sum", segments=total), swapaxes(m, flat, 0, 1), m.value(places, whole=True)
    )
    start = fft_length // 2
    stop = total - start if length is None else min(start + length, total)
    y = _cut(m, swapaxes(m, added, 0, 1), 1, start, stop)
    y = binary(m, "divide", y, constant(m, squares[start:stop]))
    if length is not None and stop - start < length:
        y = _length(m, y, length)
    front = [-1 if d is None else d for d in shape[: last - 1]]
    return m(ops.ReshapeAll(shape=(*front, length or stop - start)), y)


# ------------------------------------------------------------------ of real values only


@handles("Real", "Conj", "Conjugate")
def real(m: Maker, x: Any) -> Value:
    return m(ops.Identity(), m.value(x))


@handles("Imag")
def imaginary(m: Maker, x: Any) -> Value:
    return m(ops.Elementwise(function="zeros_like"), m.value(x))


@handles("Isreal")
def is_real(m: Maker, x: Any) -> Value:
    return m.cast(m(ops.Elementwise(function="ones_like"), m.value(x)), "bool")


@handles("Angle")
def angle(m: Maker, x: Any) -> Value:
    zero = imaginary(m, x)
    return where(m, binary(m, "less", x, 0), binary(m, "add", zero, math.pi), zero)
