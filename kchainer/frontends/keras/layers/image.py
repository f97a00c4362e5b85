"""Images: resizing, augmentation and contrast of every release."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kchainer.frontends.fields import (
    Config,
    Field,
    Since,
    Wrong,
    boolean,
    ignored,
    integer,
    number,
    one_of,
    only,
    optional,
    positive,
    sizes,
)
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.layers.reshape import BOXES
from kchainer.frontends.keras.layers.spatial import DATA_FORMAT
from kchainer.frontends.keras.translate import Translated, translates
from kchainer.ir import ops
from kchainer.ir.op import Shape

Pair = tuple[float, float]
METHODS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5", "gaussian", "mitchellcubic", "area")
RESIZING = {
    **BOXES,
    "height": Field(type=positive),
    "width": Field(type=positive),
    "interpolation": Field(type=one_of(*METHODS), default="bilinear"),
    "crop_to_aspect_ratio": Field(type=boolean, default=False),
    "pad_to_aspect_ratio": Field(type=boolean, default=False),
    "fill_mode": Field(
        type=only("constant"),
        default="constant",
        why="of the padding: other modes are for pad_to_aspect_ratio only, in which no release computes them",
    ),
    "fill_value": Field(type=number, default=0.0),
    "antialias": Field(type=boolean, default=False),
    "data_format": DATA_FORMAT,
}
# How each backend resizes by cubic kernels.
CUBIC = {"tensorflow": "bicubic_tf", "jax": "bicubic_jax", "torch": "bicubic"}


def _method(c: Config, dialect: Dialect) -> Any:
    if c.interpolation != "bicubic":
        return c.interpolation
    if c.antialias or dialect.release < (3,):
        return "bicubic_tf"
    if dialect.backend in CUBIC:
        return CUBIC[dialect.backend]
    raise Wrong(
        "the file does not say on which backend it was written, and bicubic resizing differs between them",
        code="KC108",
        hint="say --keras-backend tensorflow, jax or torch",
    )


@translates("Resizing", fields=RESIZING)
def resizing(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    if c.crop_to_aspect_ratio and c.pad_to_aspect_ratio:
        raise Wrong("crop_to_aspect_ratio or pad_to_aspect_ratio, not both")
    return ops.Resizing(
        height=c.height,
        width=c.width,
        interpolation=_method(c, dialect),
        antialias=c.antialias,
        aspect="crop" if c.crop_to_aspect_ratio else "pad" if c.pad_to_aspect_ratio else "stretch",
        fill=c.fill_value,
        whole=dialect.release >= (3,),
        data_format=c.data_format,
    )


# ------------------------------------------------------------------ augmentation

# Keys of every augmentation: seeds and what tf.keras says of its generator.
DRAWN = {
    **BOXES,
    "seed": Field(
        type=ignored,
        default=None,
        why="random numbers are drawn by NumPy or CuPy: its global state is the seed",
    ),
    "rng_type": Field(type=ignored, default=None, why="which generator of TensorFlow draws"),
    "force_generator": Field(type=ignored, default=None, why="which generator of TensorFlow draws"),
    "auto_vectorize": Field(type=ignored, default=None, why="how TensorFlow goes over a batch"),
    "data_format": DATA_FORMAT,
}
AUGMENTS = "of augmentation: the identity at inference, an error in training"
# Identity at inference, whatever these say; training is not computed.
INFERENCE_ONLY = {
    "AugMix": "value_range num_chains chain_depth factor alpha all_ops interpolation",
    "CutMix": "factor",
    "RandAugment": "value_range num_ops factor interpolation",
    "RandomElasticTransform": "factor scale interpolation fill_mode fill_value value_range",
    "RandomHeight": "factor interpolation",
    "RandomPerspective": "factor scale interpolation fill_value",
    "RandomWidth": "factor interpolation",
}


def _augmentation(kind: str) -> Callable[[Config, tuple[Shape, ...], Dialect], Translated]:
    def translate(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
        return ops.Augmentation(kind=kind)

    return translate


for _kind, _keys in INFERENCE_ONLY.items():
    _fields = {key: Field(type=ignored, default=None, why=AUGMENTS) for key in _keys.split()} | DRAWN
    translates(_kind, fields=_fields)(_augmentation(_kind))


def _both(v: Any) -> Pair:
    if not isinstance(v, (list, tuple)) or len(v) != 2:
        raise Wrong("a list of two numbers")
    low, high = sorted(number(one) for one in v)
    return low, high


def _one_or_both(v: Any) -> float | Pair:
    return _both(v) if isinstance(v, (list, tuple)) else abs(number(v))


VALUE_RANGE = Field(type=_both, default=(0.0, 255.0))
FLIP = {
    **DRAWN,
    "mode": Field(
        type=one_of("horizontal", "vertical", "horizontal_and_vertical"), default="horizontal_and_vertical"
    ),
}


@translates("RandomFlip", fields=FLIP)
def random_flip(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.RandomFlip(
        horizontal="horizontal" in c.mode,
        vertical="vertical" in c.mode,
        together=dialect.release >= (3,),
        data_format=c.data_format,
    )


FACTOR = {**DRAWN, "factor": Field(type=_one_or_both), "value_range": VALUE_RANGE}


@translates("RandomBrightness", fields=FACTOR)
def random_brightness(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    factor = c.factor if isinstance(c.factor, tuple) else (-c.factor, c.factor)
    return ops.RandomBrightness(factor=factor, value_range=c.value_range)


# What a single number means: how far down and up, or, since then, up only.
DOWN = Since({"1.0": True, "3.6": False})


@translates("RandomContrast", fields=FACTOR)
def random_contrast(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    down, up = c.factor if isinstance(c.factor, tuple) else (c.factor if DOWN.at(dialect) else 0.0, c.factor)
    return ops.RandomContrast(
        factor=(1 - down, 1 + up),
        value_range=c.value_range,
        each=dialect.release >= (3,),
        data_format=c.data_format,
    )


AFFINE = {
    **DRAWN,
    "fill_mode": Field(type=one_of("reflect", "constant", "nearest", "wrap", "mirror"), default="reflect"),
    "interpolation": Field(type=one_of("bilinear", "nearest"), default="bilinear"),
    "fill_value": Field(type=number, default=0.0),
}
NOTHING: dict[str, Any] = dict.fromkeys(
    ("rotation", "down", "across", "zoom_height", "zoom_width", "shear_across", "shear_down")
)


def _spread(v: Any) -> Pair:
    """Two numbers, or one both ways."""
    return _both(v) if isinstance(v, (list, tuple)) else (-abs(number(v)), abs(number(v)))


def _affine(c: Config, **parts: Pair | None) -> ops.RandomAffine:
    return ops.RandomAffine(
        **(NOTHING | parts),
        interpolation=c.interpolation,
        fill_mode=c.fill_mode,
        fill_value=c.fill_value,
        data_format=c.data_format,
    )


@translates(
    "RandomRotation",
    fields={
        **AFFINE,
        "factor": Field(type=_spread),
        "value_range": Field(
            type=ignored, default=None, why="a key of its base class, which this layer does not use"
        ),
    },
)
def random_rotation(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return _affine(c, rotation=c.factor)


SHIFTS = {
    "height_factor": Field(type=_spread),
    "width_factor": Field(type=_spread),
    "factor": Field(type=ignored, default=None, why="a key of its base class, which this layer does not use"),
}


@translates("RandomTranslation", fields={**AFFINE, **SHIFTS})
def random_translation(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return _affine(c, down=c.height_factor, across=c.width_factor)


@translates(
    "RandomZoom", fields={**AFFINE, **SHIFTS, "width_factor": Field(type=optional(_spread), default=None)}
)
def random_zoom(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return _affine(c, zoom_height=c.height_factor, zoom_width=c.width_factor)


@translates("RandomCrop", fields={**DRAWN, "height": Field(type=positive), "width": Field(type=positive)})
def random_crop(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    identity = dialect.release >= (3, 6)
    return ops.RandomCrop(
        height=c.height,
        width=c.width,
        inference="identity" if identity else "resize",
        data_format=c.data_format,
    )


# ------------------------------------------------------------------ contrast


@translates(
    "MaxNumBoundingBoxes",
    fields={
        **DRAWN,
        "max_number": Field(type=integer),
        "fill_value": Field(type=ignored, default=-1, why="of boxes, which are no part of the network"),
    },
)
def max_num_bounding_boxes(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.Identity()  # of boxes, which are no part of the network


@translates(
    "AutoContrast",
    fields={
        **DRAWN,
        "value_range": VALUE_RANGE,
        "factor": Field(
            type=ignored, default=None, why="a key of its base class, which this layer does not use"
        ),
    },
)
def auto_contrast(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.AutoContrast(axes=(1, 2), value_range=c.value_range)


EQUALIZATION = {
    **DRAWN,
    "bins": Field(type=positive, default=256),
    "value_range": VALUE_RANGE,
    "factor": Field(type=ignored, default=None, why="a key of its base class, which this layer does not use"),
}


@translates("Equalization", fields=EQUALIZATION)
def equalization(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.Equalize(
        over="batch",
        bins=c.bins,
        clip=0.0,
        tiles=(8, 8),
        value_range=c.value_range,
        data_format=c.data_format,
    )


TILES = {
    **DRAWN,
    "value_range": VALUE_RANGE,
    "clip_limit": Field(type=number, default=4.0),
    "tile_grid_size": Field(type=sizes(2), default=(8, 8)),
    "factor": Field(type=ignored, default=None, why="a key of its base class, which this layer does not use"),
}


@translates("ContrastLimitedAdaptiveHistogramEqualization", fields=TILES)
def equalization_by_tile(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.Equalize(
        over="tiles",
        bins=256,
        clip=max(c.clip_limit, 0.0),
        tiles=c.tile_grid_size,
        value_range=c.value_range,
        data_format=c.data_format,
    )
