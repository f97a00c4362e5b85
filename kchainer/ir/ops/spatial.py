"""What ops over one, two or three spatial dimensions share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from kchainer.ir.op import Dim, Shape, ShapeError, known, show

DataFormat = Literal["channels_first", "channels_last"]
Pads = tuple[tuple[int, int], ...] | Literal["same_upper"]

# The letters of a kernel's spatial axes, by their number.
LETTERS = {1: "W", 2: "HW", 3: "DHW"}


def parts(x: Shape, data_format: DataFormat, spatial: int) -> tuple[Dim, tuple[Dim, ...]]:
    """Channels and spatial sizes of ``x``. Raises ShapeError for another rank."""
    if len(x) != spatial + 2:
        raise ShapeError(f"expected rank {spatial + 2}, found {show(x)}")
    return (x[1], x[2:]) if data_format == "channels_first" else (x[-1], x[1:-1])


def split(x: Shape, data_format: DataFormat, spatial: int) -> tuple[int, tuple[Dim, ...]]:
    """``parts`` for ops that compute with the channels. Raises ShapeError where they are not known."""
    channels, sizes = parts(x, data_format, spatial)
    return known(channels), sizes


def join(x: Shape, data_format: DataFormat, channels: Dim, sizes: tuple[Dim, ...]) -> Shape:
    """The shape with these channels and spatial sizes, batch as in ``x``."""
    return (x[0], channels, *sizes) if data_format == "channels_first" else (x[0], *sizes, channels)


def window(size: Dim, k: int, stride: int, pads: tuple[int, int] | None, dilation: int = 1) -> Dim:
    """The size after a window of ``k``; ``pads`` is None for TensorFlow's 'same'."""
    if size is None:
        return None
    if pads is None:
        return -(-size // stride)
    out = (size + sum(pads) - dilation * (k - 1) - 1) // stride + 1
    if out < 1:
        raise ShapeError(
            f"a window of {dilation * (k - 1) + 1} does not fit into {size} padded by {pads[0]} and {pads[1]}"
        )
    return out


def windows(
    sizes: tuple[Dim, ...],
    ks: tuple[int, ...],
    strides: tuple[int, ...],
    pads: Pads,
    dilation: tuple[int, ...],
) -> tuple[Dim, ...]:
    """``window`` for each spatial dimension."""
    each = [None] * len(sizes) if isinstance(pads, str) else pads
    return tuple(window(*args) for args in zip(sizes, ks, strides, each, dilation, strict=True))


def lengths(*lists: tuple[object, ...] | str | None) -> Iterator[str]:
    """What is wrong where lists by spatial dimension have different lengths, or more than three entries."""
    lengths = {len(one) for one in lists if isinstance(one, tuple)}
    if len(lengths) > 1 or not lengths <= {1, 2, 3}:
        yield "sizes, strides, padding and dilation need one entry for each of 1 to 3 spatial dimensions"
