"""Images (N, C, H, W) whose colours change at random in training, each image for itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import chainer
import chainer.functions as F
import numpy as np

from kchainer.functions.colours import hsv_to_rgb, rgb_to_hsv
from kchainer.functions.image import BYTES, _ranged

Pair = tuple[float, float]
GREY = (0.2989, 0.5870, 0.1140)


def _drawn(x: Any, low: float, high: float) -> Any:
    """A number for each image, (N, 1, 1, 1)."""
    return x.xp.asarray(x.xp.random.uniform(low, high, len(x))).astype(x.dtype)[:, None, None, None]


def _full(x: Any, drawn: Any) -> Any:
    return x.xp.broadcast_to(drawn, x.shape)


def _grey(x: Any) -> Any:
    """The brightness in each of three channels."""
    shares = x.xp.asarray(GREY, x.dtype)[None, :, None, None]
    return F.broadcast_to(F.sum(x * _full(x, shares), axis=1, keepdims=True), x.shape)


def _hue(x: Any, factor: Pair, second: Pair, bounds: Pair) -> Any:
    sign = x.xp.where(_drawn(x, 0, 1) > 0.5, -1, 1).astype(x.dtype)
    turn = sign * _drawn(x, *factor) * 0.5
    hsv = rgb_to_hsv(_ranged(x, bounds, (0, 1)))
    moved = x.xp.zeros((len(x), 3, 1, 1), x.dtype)
    moved[:, :1] = turn
    return _ranged(F.clip(hsv_to_rgb(hsv + _full(x, moved)), 0.0, 1.0), (0, 1), bounds)


def _saturation(x: Any, factor: Pair, second: Pair, bounds: Pair) -> Any:
    share = _drawn(x, *factor)
    hsv = rgb_to_hsv(x)
    saturation = hsv[:, 1:2]
    scale = x.xp.broadcast_to(share / (1 - share + 1e-7), saturation.shape)
    saturation = F.clip(saturation * scale, *map(float, bounds))
    return hsv_to_rgb(F.concat([hsv[:, :1], saturation, hsv[:, 2:]], axis=1))


def _grayscale(x: Any, factor: Pair, second: Pair, bounds: Pair) -> Any:
    return F.where(_full(x, _drawn(x, 0, 1) < factor[1]), _grey(x), x)


def _invert(x: Any, factor: Pair, second: Pair, bounds: Pair) -> Any:
    chance = _drawn(x, *factor)
    return F.where(_full(x, _drawn(x, 0, 1) < chance), float(bounds[1]) - x, x)


def _degeneration(x: Any, factor: Pair, second: Pair, bounds: Pair) -> Any:
    share = _full(x, _drawn(x, *factor))
    return F.clip(x + share * (_grey(x) - x), *map(float, bounds))


def _posterization(x: Any, factor: Pair, second: Pair, bounds: Pair) -> Any:
    """Bits left out; no gradient."""
    low, high = map(int, factor)
    bits = x.xp.full(len(x), low) if low == high else x.xp.random.randint(low, high, len(x))
    shift = (8 - bits).astype(np.uint8)[:, None, None, None]
    values = _ranged(x.array, bounds, BYTES).astype(np.uint8)
    values = ((values >> shift) << shift).astype(x.dtype)
    return chainer.as_variable(_ranged(values, BYTES, bounds).astype(x.dtype))


def _sharpness(x: Any, factor: Pair, second: Pair, bounds: Pair) -> Any:
    share = 1 - 2 * _full(x, _drawn(x, *factor))
    height, width = x.shape[2:]
    wide = F.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), "constant")
    smooth = x * (4.0 / 13.0)
    for i in range(3):
        for j in range(3):
            smooth = smooth + wide[:, :, i : i + height, j : j + width] * (1.0 / 13.0)
    return F.clip(x + share * (smooth - x), *map(float, bounds))


def _solarization(x: Any, factor: Pair, second: Pair, bounds: Pair) -> Any:
    """The least numbers are not multiplied by 255, as Keras has it."""
    more = _full(x, _drawn(x, factor[0], factor[1] * 255))
    threshold = _full(x, _drawn(x, second[0], second[1] * 255))
    y = F.clip(_ranged(x, bounds, BYTES) + more, 0.0, 255.0)
    return _ranged(F.where(y.array < threshold, y, 255.0 - y), BYTES, bounds)


CHANGES: dict[str, Callable[[Any, Pair, Pair, Pair], Any]] = {
    "hue": _hue,
    "saturation": _saturation,
    "grayscale": _grayscale,
    "invert": _invert,
    "degeneration": _degeneration,
    "posterization": _posterization,
    "sharpness": _sharpness,
    "solarization": _solarization,
}


def random_colours(
    x: Any, change: str, factor: Pair, second: Pair = (0.0, 0.0), value_range: Pair = BYTES
) -> chainer.Variable:
    """One of ``CHANGES`` in training. Source: keras.layers.RandomHue, RandomInvert, Solarization and so on."""
    x = chainer.as_variable(x)
    if not chainer.config.train:
        return x
    return CHANGES[change](x, factor, second, value_range)


def _corners(x: Any, size: int, share: Any) -> tuple[Any, Any]:
    length = share * size
    start = _drawn(x, 0, 1) * (size - length)
    return start, start + length


def random_erasing(
    x: Any,
    factor: Pair,
    scale: Pair,
    fill: tuple[float, ...] | None = None,
    value_range: Pair = BYTES,
) -> chainer.Variable:
    """A rectangle of an image filled by noise or by a colour in training. Source: keras.layers.RandomErasing."""
    x = chainer.as_variable(x)
    if not chainer.config.train:
        return x
    xp, (height, width) = x.xp, x.shape[2:]
    both = xp.sqrt(xp.asarray(xp.random.uniform(*scale, (len(x), 2))).astype(x.dtype))[:, :, None, None, None]
    left, right = _corners(x, width, both[:, 0])
    top, bottom = _corners(x, height, both[:, 1])
    column, row = xp.arange(width)[None, None, None], xp.arange(height)[None, None, :, None]
    inside = (column >= left) & (column < right) & (row >= top) & (row < bottom)
    chance = _drawn(x, *factor)
    inside = inside & (_drawn(x, 0, 1) < chance)
    if fill is None:
        filling = xp.random.standard_normal(x.shape) * value_range[1]
    else:
        filling = xp.asarray(fill)[None, :, None, None]
    filling = xp.broadcast_to(xp.clip(filling, *value_range), x.shape).astype(x.dtype)
    return F.where(_full(x, inside), chainer.as_variable(filling), x)


def mix_up(x: Any, alpha: float = 0.2) -> chainer.Variable:
    """Each image mixed with another one of the batch in training. Source: keras.layers.MixUp."""
    x = chainer.as_variable(x)
    if not chainer.config.train:
        return x
    order = x.xp.asarray(np.random.permutation(len(x)))
    share = x.xp.asarray(np.random.beta(alpha, alpha, len(x)).astype(x.dtype))
    share = _full(x, share.reshape(-1, *(1,) * (x.ndim - 1)))
    return share * x + (1 - share) * F.get_item(x, order)


def random_blur(
    x: Any, factor: Pair, sigma: Pair, size: int = 3, value_range: Pair = BYTES
) -> chainer.Variable:
    """Images blurred by a normal kernel in training. Source: keras.layers.RandomGaussianBlur."""
    x = chainer.as_variable(x)
    if not chainer.config.train:
        return x
    xp, (height, width), half = x.xp, x.shape[2:], size // 2
    chance = _drawn(x, *factor)
    chosen = _full(x, _drawn(x, 0, 1) < chance)
    deviations = np.random.uniform(*sigma, 2) + 1e-6
    at = np.arange(size) - half
    across, down = (np.exp(-0.5 * (at / d) ** 2) for d in deviations)
    wide = F.pad(x, ((0, 0), (0, 0), (half, half), (half, half)), "constant")
    rows = sum(wide[:, :, i : i + height] * float(w) for i, w in enumerate(down / down.sum()))
    blurred = sum(rows[:, :, :, i : i + width] * float(w) for i, w in enumerate(across / across.sum()))
    return F.clip(F.where(xp.asarray(chosen), blurred, x), *map(float, value_range))
