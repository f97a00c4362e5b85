"""Red, green, blue and hue, saturation, value along an axis."""

from __future__ import annotations

from typing import Any

import chainer
import chainer.functions as F


def _split(x: Any, axis: int) -> tuple[Any, Any, Any]:
    front = (slice(None),) * axis
    return tuple(F.get_item(x, (*front, i)) for i in range(3))


def rgb_to_hsv(x: Any, axis: int = 1) -> chainer.Variable:
    """Colours of [0, 1] as hue, saturation and value. Source: keras.ops.image.rgb_to_hsv."""
    x = chainer.as_variable(x)
    xp = x.xp
    x = F.where(abs(x.array) < xp.finfo(x.dtype).eps, chainer.as_variable(xp.zeros_like(x.array)), x)
    r, g, b = _split(x, axis)
    zero, one = (chainer.as_variable(f(r.array)) for f in (xp.zeros_like, xp.ones_like))
    value = F.maximum(F.maximum(r, g), b)
    spread = value - F.minimum(F.minimum(r, g), b)
    some, light = spread.array > 0, value.array > 0
    saturation = F.where(light, spread / F.where(light, value, one), zero)
    norm = 1.0 / (6.0 * F.where(some, spread, one))
    hue = F.where(value.array == g.array, norm * (b - r) + 2.0 / 6.0, norm * (r - g) + 4.0 / 6.0)
    hue = F.where(value.array == r.array, norm * (g - b), hue)
    hue = F.where(some, hue, zero) + (hue.array < 0).astype(x.dtype)
    return F.stack([hue, saturation, value], axis=axis)


def hsv_to_rgb(x: Any, axis: int = 1) -> chainer.Variable:
    """The way back. Source: keras.ops.image.hsv_to_rgb."""
    hue, saturation, value = _split(chainer.as_variable(x), axis)
    turn = (hue - chainer.as_variable(hue.xp.floor(hue.array))) * 6.0
    parts = (
        F.clip(abs(turn - 3.0) - 1.0, 0.0, 1.0),
        F.clip(2.0 - abs(turn - 2.0), 0.0, 1.0),
        F.clip(2.0 - abs(turn - 4.0), 0.0, 1.0),
    )
    return F.stack([value * (1.0 - saturation + saturation * p) for p in parts], axis=axis)


def colours(x: Any, function: str, axis: int) -> chainer.Variable:
    """One of the two along an axis. Source: keras.ops.image.rgb_to_hsv, hsv_to_rgb."""
    return (rgb_to_hsv if function == "rgb_to_hsv" else hsv_to_rgb)(x, axis)
