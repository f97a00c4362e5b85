"""Layers of Keras 3 that change the colours of images at random in training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kchainer.frontends.fields import Config, Field, ignored, number
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.layers.image import DRAWN, VALUE_RANGE, Pair, _one_or_both
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
