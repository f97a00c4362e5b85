"""Convolutions with padding per side, in any number of dimensions, channels first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import chainer
import chainer.functions as F
from chainer.utils.conv import get_conv_outsize

Pads = Sequence[tuple[int, int]] | str
Ints = int | Sequence[int]


def tuple_of(value: Ints, ndim: int) -> tuple[int, ...]:
    """``value`` once per dimension; a sequence must have ``ndim`` entries."""
    result = (value,) * ndim if isinstance(value, int) else tuple(value)
    if len(result) != ndim:
        raise ValueError(f"expected {ndim} numbers, one per spatial dimension, got {result}")
    return result


def same_pads(
    sizes: Sequence[int], ksize: Ints, stride: Ints = 1, dilate: Ints = 1
) -> tuple[tuple[int, int], ...]:
    """Padding (before, after) per dimension of TensorFlow's 'same' for these spatial ``sizes``.

    The smaller half goes before. Source: tf.nn.convolution; every Keras but Theano's.
    """
    n = len(sizes)
    totals = (
        max((-(-size // s) - 1) * s + d * (k - 1) + 1 - size, 0)
        for size, k, s, d in zip(
            sizes, tuple_of(ksize, n), tuple_of(stride, n), tuple_of(dilate, n), strict=True
        )
    )
    return tuple((total // 2, total - total // 2) for total in totals)


def resolve_pads(
    pads: Pads, sizes: Sequence[int], ksize: Ints, stride: Ints, dilate: Ints = 1
) -> tuple[tuple[int, int], ...]:
    """Pads as numbers: the 'same_upper' rule is applied to the sizes of this call."""
    if isinstance(pads, str):
        if pads != "same_upper":
            raise ValueError(f"pads must be pairs or 'same_upper', not {pads!r}")
        return same_pads(sizes, ksize, stride, dilate)
    pairs = tuple((int(before), int(after)) for before, after in pads)
    if len(pairs) != len(sizes):
        raise ValueError(f"{len(pairs)} pairs of pads for {len(sizes)} spatial dimensions")
    return pairs


def pad(x: Any, pads: Sequence[tuple[int, int]], value: float = 0.0) -> chainer.Variable:
    """Pads the spatial dimensions of ``x`` (N, C, spatial...) with ``value``; negative numbers crop."""
    if any(side < 0 for pair in pads for side in pair):
        window = (slice(max(-b, 0), n - max(-a, 0)) for n, (b, a) in zip(x.shape[2:], pads, strict=True))
        x = F.get_item(x, (slice(None), slice(None), *window))
        pads = tuple((max(b, 0), max(a, 0)) for b, a in pads)
    if not any(side for pair in pads for side in pair):
        return chainer.as_variable(x)
    return F.pad(x, ((0, 0), (0, 0), *pads), "constant", constant_values=value)


def split_pads(x: Any, pads: Sequence[tuple[int, int]], value: float = 0.0) -> tuple[Any, tuple[int, ...]]:
    """``x`` and the symmetric padding left to do; only asymmetric pads cost a copy of ``x``."""
    if all(before == after >= 0 for before, after in pads):
        return x, tuple(before for before, _ in pads)
    return pad(x, pads, value), (0,) * len(pads)


def convolution(
    x: Any,
    W: Any,
    b: Any = None,
    stride: Ints = 1,
    pads: Pads | None = None,
    dilate: Ints = 1,
    groups: int = 1,
) -> chainer.Variable:
    """Correlates ``x`` (N, C, spatial...) with ``W`` (out, C/groups, k...), plus ``b`` (out,).

    ``pads`` are (before, after) per dimension or "same_upper". Source: Keras Conv1D/2D/3D.
    """
    ndim = x.ndim - 2
    ksize = W.shape[2:]
    stride, dilate = tuple_of(stride, ndim), tuple_of(dilate, ndim)
    pads = resolve_pads(((0, 0),) * ndim if pads is None else pads, x.shape[2:], ksize, stride, dilate)
    x, symmetric = split_pads(x, pads)
    if ndim == 2:
        return F.convolution_2d(x, W, b, stride, symmetric, dilate=dilate, groups=groups)
    return F.convolution_nd(x, W, b, stride, symmetric, dilate=dilate, groups=groups)


def depthwise_convolution(
    x: Any, W: Any, b: Any = None, stride: Ints = 1, pads: Pads | None = None, dilate: Ints = 1
) -> chainer.Variable:
    """Convolves each channel by itself: ``W`` (C * multiplier, 1, k...), channel-major.

    Source: Keras DepthwiseConv1D/2D, whose output channel is c * multiplier + m.
    """
    return convolution(x, W, b, stride, pads, dilate, groups=x.shape[1])


def _deconvolution(
    x: Any, W: Any, b: Any, stride: Any, pads: Any, outsize: Any, dilate: Any
) -> chainer.Variable:
    if x.ndim == 4:
        return F.deconvolution_2d(x, W, b, stride, pads, outsize=outsize, dilate=dilate)
    return F.deconvolution_nd(x, W, b, stride, pads, outsize=outsize, dilate=dilate)


def full_deconvolution_sizes(
    sizes: Sequence[int], ksize: Ints, stride: Ints, dilate: Ints
) -> tuple[int, ...]:
    """Spatial sizes of the uncropped transposed convolution: (n - 1) s + d (k - 1) + 1."""
    n = len(sizes)
    ksize, stride, dilate = tuple_of(ksize, n), tuple_of(stride, n), tuple_of(dilate, n)
    return tuple(
        (size - 1) * s + d * (k - 1) + 1 for size, k, s, d in zip(sizes, ksize, stride, dilate, strict=True)
    )


def deconvolution(
    x: Any,
    W: Any,
    b: Any = None,
    stride: Ints = 1,
    crops: Sequence[tuple[int, int]] | None = None,
    outsize: Sequence[int] | None = None,
    dilate: Ints = 1,
) -> chainer.Variable:
    """Transposed convolution of ``x`` (N, in, spatial...) by ``W`` (in, out, k...), cropped.

    The full result is cropped by ``crops`` (begin, end) per dimension; a negative number extends it
    with zeros, to which ``b`` is added as well. ``outsize`` overrides the ends.
    Source: Keras Conv1DTranspose/2D/3D.
    """
    ndim = x.ndim - 2
    stride, dilate = tuple_of(stride, ndim), tuple_of(dilate, ndim)
    full = full_deconvolution_sizes(x.shape[2:], W.shape[2:], stride, dilate)
    crops = ((0, 0),) * ndim if crops is None else tuple(crops)
    if outsize is None:
        outsize = tuple(n - begin - end for n, (begin, end) in zip(full, crops, strict=True))
    begins = tuple(begin for begin, _ in crops)
    if all(
        begin >= 0 and get_conv_outsize(out, k, s, begin, d=d) == n
        for out, k, s, begin, d, n in zip(
            outsize, W.shape[2:], stride, begins, dilate, x.shape[2:], strict=True
        )
    ):
        return _deconvolution(x, W, b, stride, begins, tuple(outsize), dilate)
    y = _deconvolution(x, W, None, stride, (0,) * ndim, full, dilate)
    y = pad(y, [(-begin, out + begin - n) for n, begin, out in zip(full, begins, outsize, strict=True)])
    return y if b is None else y + F.broadcast_to(F.reshape(b, (1, -1) + (1,) * ndim), y.shape)
