"""Images (N, C, H, W) turned, moved and enlarged at random."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import chainer
import chainer.functions as F

Pair = tuple[float, float]


def _mirrored(xp: Any, i: Any, size: int) -> Any:
    """The edge once: d c b | a b c d | c b a."""
    last = size - 1
    return abs((i + last) % (2 * last) - last) if last else i * 0


def _reflected(xp: Any, i: Any, size: int) -> Any:
    """The edge twice: c b a | a b c d | d c b."""
    return xp.minimum(i % (2 * size), 2 * size - 1 - i % (2 * size))


# The pixel that stands for one outside of the image; constant: none does.
_INSIDE: dict[str, Callable[[Any, Any, int], Any]] = {
    "constant": lambda xp, i, size: xp.clip(i, 0, size - 1),
    "nearest": lambda xp, i, size: xp.clip(i, 0, size - 1),
    "wrap": lambda xp, i, size: i % size,
    "mirror": _mirrored,
    "reflect": _reflected,
}


def _parts(xp: Any, at: Any, interpolation: str) -> list[tuple[Any, Any]]:
    """The pixels beside a place and their shares."""
    if interpolation == "nearest":
        return [(xp.rint(at).astype(int), xp.ones_like(at))]
    low = xp.floor(at)
    return [(low.astype(int), 1 - (at - low)), (low.astype(int) + 1, at - low)]


def affine_transform(
    x: Any,
    matrix: Any,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
) -> chainer.Variable:
    """The pixel (column, row) of each image comes from (a0 column + a1 row + a2, b0 column + b1 row + b2).

    ``matrix`` is (N, 6): a0, a1, a2, b0, b1, b2. Source: keras.ops.image.affine_transform on PyTorch.
    """
    x = chainer.as_variable(x)
    xp = x.xp
    n, c, height, width = x.shape
    a0, a1, a2, b0, b1, b2 = (xp.asarray(matrix)[:, k, None, None].astype(x.dtype) for k in range(6))
    column, row = xp.arange(width, dtype=x.dtype), xp.arange(height, dtype=x.dtype)[:, None]
    across, down = a0 * column + a1 * row + a2, b0 * column + b1 * row + b2
    whole: Any = 0
    pairs = itertools.product(_parts(xp, down, interpolation), _parts(xp, across, interpolation))
    for (i, share_i), (j, share_j) in pairs:
        places = (_INSIDE[fill_mode](xp, i, height), _INSIDE[fill_mode](xp, j, width))
        pixels = x[
            xp.arange(n)[:, None, None, None],
            xp.arange(c)[:, None, None],
            places[0][:, None],
            places[1][:, None],
        ]
        if fill_mode == "constant":
            inside = ((i >= 0) & (i < height) & (j >= 0) & (j < width))[:, None]
            pixels = F.where(xp.broadcast_to(inside, x.shape), pixels, xp.full(x.shape, fill_value, x.dtype))
        whole = whole + pixels * xp.broadcast_to((share_i * share_j)[:, None], x.shape)
    return chainer.as_variable(whole)


def random_affine(
    x: Any,
    rotation: Pair | None = None,
    down: Pair | None = None,
    across: Pair | None = None,
    zoom_height: Pair | None = None,
    zoom_width: Pair | None = None,
    shear_across: Pair | None = None,
    shear_down: Pair | None = None,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
) -> chainer.Variable:
    """One change of each image drawn in training: a rotation in turns, shifts or zooms in parts of the size, a shear.

    Source: keras.layers.RandomRotation, RandomTranslation, RandomZoom, RandomShear.
    """
    x = chainer.as_variable(x)
    if not chainer.config.train:
        return x
    xp, (n, _, height, width) = x.xp, x.shape
    zero, one = xp.zeros(n), xp.ones(n)
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    if rotation is not None:
        angle = xp.random.uniform(*rotation, n) * (2 * math.pi)
        cos, sin = xp.cos(angle), xp.sin(angle)
        rows = (
            cos,
            -sin,
            middle_x * (1 - cos) + middle_y * sin,
            sin,
            cos,
            middle_y * (1 - cos) - middle_x * sin,
        )
    elif zoom_height is not None:
        tall = 1 + xp.random.uniform(*zoom_height, n)
        wide = tall if zoom_width is None else 1 + xp.random.uniform(*zoom_width, n)
        rows = (wide, zero, middle_x * (1 - wide), zero, tall, middle_y * (1 - tall))
    elif shear_across is not None:
        assert shear_down is not None
        sign = xp.where(xp.random.uniform(0, 1, n) > 0.5, -1, 1)
        lower = sign * xp.random.uniform(*shear_down, n)
        rows = (one, sign * xp.random.uniform(*shear_across, n), zero, lower, one, zero)
    else:
        up, left = (-xp.random.uniform(*(part or (0.0, 0.0)), n) for part in (down, across))
        rows = (one, zero, left * width, zero, one, up * height)
    return affine_transform(x, xp.stack(rows, axis=1), interpolation, fill_mode, fill_value)
