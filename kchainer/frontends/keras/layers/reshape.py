"""Layers that move, repeat, cut or resize, of every release."""

from __future__ import annotations

from typing import Any

from kchainer.frontends.fields import (
    Config,
    Field,
    anything,
    ignored,
    integer,
    number,
    one_of,
    positive,
    sizes,
    tuple_of,
)
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.layers.spatial import DATA_FORMAT, DATA_FORMAT_1D, pairs
from kchainer.frontends.keras.translate import Function, Translated, translates
from kchainer.ir import ops
from kchainer.ir.op import Shape


def _flatten_format(dialect: Dialect) -> str:
    return "channels_last"  # before 2.1.6 the key is not there and nothing is moved


@translates(
    "Flatten",
    fields={
        "data_format": Field(type=DATA_FORMAT.type, default=_flatten_format, values={None: "channels_last"})
    },
)
def flatten(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.Flatten(data_format=c.data_format if len(xs[0]) > 2 else "channels_last")


@translates("Reshape", fields={"target_shape": Field(type=tuple_of(integer), was="dims")})
def reshape(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.Reshape(target=c.target_shape)


@translates("Permute", fields={"dims": Field(type=tuple_of(positive))})
def permute(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.Permute(dims=c.dims)


@translates("RepeatVector", fields={"n": Field(type=positive)})
def repeat_vector(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.RepeatVector(n=c.n)


def _cropping(rank: int) -> Function:
    def translate(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
        return ops.Cropping(cropping=pairs(rank, c.cropping), data_format=c.data_format)

    return translate


def _padding(rank: int) -> Function:
    def translate(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
        return ops.ZeroPadding(padding=pairs(rank, c.padding), data_format=c.data_format)

    return translate


def _upsampling(rank: int) -> Function:
    def translate(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
        how = c.interpolation
        if how == "bilinear" and dialect.flavour == "keras" and dialect.release < (2, 4):
            how = "bilinear_corner"  # TensorFlow 1's rule
        return ops.UpSampling(size=c.size, interpolation=how, data_format=c.data_format)

    return translate


for _rank in (1, 2, 3):
    _format = DATA_FORMAT_1D if _rank == 1 else DATA_FORMAT
    _crop = Field(type=anything, default={1: 1, 2: 0, 3: 1}[_rank])
    translates(f"Cropping{_rank}D", fields={"cropping": _crop, "data_format": _format})(_cropping(_rank))
    _pad = {"padding": Field(type=anything, default=1), "data_format": _format}
    translates(f"ZeroPadding{_rank}D", fields=_pad)(_padding(_rank))
    _up = {
        "size": Field(type=sizes(_rank), was="length" if _rank == 1 else None, default=2),
        "data_format": _format,
        "interpolation": Field(
            type=one_of("nearest", "bilinear") if _rank == 2 else one_of("nearest"), default="nearest"
        ),
    }
    translates(f"UpSampling{_rank}D", fields=_up)(_upsampling(_rank))


def _scale(v: Any) -> float | tuple[float, ...]:
    return tuple(number(one) for one in v) if isinstance(v, (list, tuple)) else number(v)


@translates("Rescaling", fields={"scale": Field(type=_scale), "offset": Field(type=_scale, default=0.0)})
def rescaling(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.Rescaling(scale=c.scale, offset=c.offset)


# Of labels, which are no part of the network.
BOXES = {
    "bounding_box_format": Field(
        type=ignored, default=None, why="of boxes beside images, which are no part of the network"
    )
}


@translates(
    "CenterCrop",
    fields={
        "height": Field(type=positive),
        "width": Field(type=positive),
        "data_format": DATA_FORMAT,
        **BOXES,
    },
)
def center_crop(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.CenterCrop(height=c.height, width=c.width, data_format=c.data_format)
