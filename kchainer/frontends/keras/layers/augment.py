"""Layers of Keras 3 that change the colours of images at random in training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kchainer.frontends.fields import Config, Field, Wrong, ignored, number, optional, positive
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.layers.image import (
    AFFINE,
    DOWN,
    DRAWN,
    VALUE_RANGE,
    Pair,
    _affine,
    _one_or_both,
    _spread,
)
from kchainer.frontends.keras.translate import Translated, translates
from kchainer.ir import ops
from kchainer.ir.op import Shape

# Keras's class -> the op's change, and the least number of its factor
CHANGES: dict[str, tuple[Any, float]] = {
    "RandomColorDegeneration": ("degeneration", -1),
    "RandomHue": ("hue", 0),
    "RandomInvert": ("invert", 0),
    "RandomPosterization": ("posterization", 1),
    "RandomSaturation": ("saturation", -1),
    "RandomSharpness": ("sharpness", 0),
}


def _pair(given: float | Pair, least: float) -> Pair:
    """What a single number stands for."""
    return given if isinstance(given, tuple) else (max(-given, least), given)


def _changed(change: Any, least: float) -> Callable[[Config, tuple[Shape, ...], Dialect], Translated]:
    def translate(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
        return ops.RandomColours(
            change=change,
            factor=_pair(c.factor, least),
            second=(0.0, 0.0),
            value_range=c.value_range,
            data_format=c.data_format,
        )

    return translate


for _kind, (_change, _least) in CHANGES.items():
    _fields = {**DRAWN, "factor": Field(type=_one_or_both, default=1.0), "value_range": VALUE_RANGE}
    translates(_kind, fields=_fields)(_changed(_change, _least))


@translates("RandomGrayscale", fields={**DRAWN, "factor": Field(type=number, default=0.5)})
def random_grayscale(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.RandomColours(
        change="grayscale",
        factor=(0.0, c.factor),
        second=(0.0, 0.0),
        value_range=(0.0, 255.0),
        data_format=c.data_format,
    )


SOLARIZATION = {
    **DRAWN,
    "addition_factor": Field(type=_one_or_both, default=0.0),
    "threshold_factor": Field(type=_one_or_both, default=0.0),
    "factor": Field(type=ignored, default=None, why="of the base class, which this layer does not use"),
    "value_range": VALUE_RANGE,
}


@translates("Solarization", fields=SOLARIZATION)
def solarization(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.RandomColours(
        change="solarization",
        factor=_pair(c.addition_factor, 0.0),
        second=_pair(c.threshold_factor, 0.0),
        value_range=c.value_range,
        data_format=c.data_format,
    )


def _fill(v: Any) -> tuple[float, ...] | None:
    if v is None:
        return None
    return tuple(number(one) for one in v) if isinstance(v, (list, tuple)) else (number(v),)


ERASING = {
    **DRAWN,
    "factor": Field(type=_one_or_both, default=1.0),
    "scale": Field(type=_one_or_both, default=(0.02, 0.33)),
    "fill_value": Field(type=_fill, default=None),
    "value_range": VALUE_RANGE,
}


@translates("RandomErasing", fields=ERASING)
def random_erasing(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.RandomErasing(
        factor=_pair(c.factor, 0.0),
        scale=_pair(c.scale, 0.0),
        fill=c.fill_value,
        value_range=c.value_range,
        data_format=c.data_format,
    )


BASE = Field(type=ignored, default=None, why="a key of its base class, which this layer does not use")
SHEAR = {
    **AFFINE,
    "x_factor": Field(type=_spread, default=(0.0, 0.0)),
    "y_factor": Field(type=_spread, default=(0.0, 0.0)),
    "factor": BASE,
}


@translates("RandomShear", fields=SHEAR)
def random_shear(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return _affine(c, shear_across=c.x_factor, shear_down=c.y_factor)


@translates("MixUp", fields={**DRAWN, "alpha": Field(type=number, default=0.2), "factor": BASE})
def mix_up(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.MixUp(alpha=c.alpha)


def _side(v: Any) -> int:
    sides = [positive(one) for one in (v if isinstance(v, (list, tuple)) else [v])]
    if len(sides) not in (1, 2) or sides[0] != sides[-1] or sides[0] % 2 == 0:
        raise Wrong("a square of an odd number of pixels: Keras's backends differ for others")
    return sides[0]


BLUR = {
    **DRAWN,
    "factor": Field(type=_one_or_both, default=1.0),
    "kernel_size": Field(type=_side, default=3),
    "sigma": Field(type=_one_or_both, default=1.0),
    "value_range": VALUE_RANGE,
}


@translates("RandomGaussianBlur", fields=BLUR)
def random_blur(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.RandomBlur(
        factor=_pair(c.factor, 0.0),
        size=c.kernel_size,
        sigma=_pair(c.sigma, 0.0),
        value_range=c.value_range,
        data_format=c.data_format,
    )


JITTER = {
    **DRAWN,
    "value_range": VALUE_RANGE,
    "factor": BASE,
    **{
        f"{name}_factor": Field(type=optional(_one_or_both), default=None)
        for name in ("brightness", "contrast", "saturation", "hue")
    },
}


@translates("RandomColorJitter", fields=JITTER)
def random_color_jitter(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    """The layers of its parts, one after the other; Keras makes them with the data format of its settings."""
    if c.data_format != "channels_last":
        raise Wrong(
            "channels_last: its parts have the data format of Keras's settings, which the file does not hold"
        )
    parts: list[Any] = []
    if c.brightness_factor is not None:
        factor = c.brightness_factor
        factor = factor if isinstance(factor, tuple) else (-factor, factor)
        parts.append(ops.RandomBrightness(factor=factor, value_range=c.value_range))
    if c.contrast_factor is not None:
        factor = c.contrast_factor
        down, up = factor if isinstance(factor, tuple) else (factor if DOWN.at(dialect) else 0.0, factor)
        parts.append(
            ops.RandomContrast(
                factor=(1 - down, 1 + up), value_range=c.value_range, each=True, data_format=c.data_format
            )
        )
    for change, factor, least in (("saturation", c.saturation_factor, -1), ("hue", c.hue_factor, 0)):
        if factor is not None:
            how: Any = change
            parts.append(
                ops.RandomColours(
                    change=how,
                    factor=_pair(factor, least),
                    second=(0.0, 0.0),
                    value_range=c.value_range,
                    data_format=c.data_format,
                )
            )
    return tuple(parts) or ops.Identity()
