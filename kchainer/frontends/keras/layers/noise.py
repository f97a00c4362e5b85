"""Dropout and noise of every release."""

from __future__ import annotations

from kchainer.frontends.fields import (
    Config,
    Field,
    anything,
    ignored,
    number,
    optional,
    positive,
    rate,
    tuple_of,
)
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.layers.spatial import DATA_FORMAT
from kchainer.frontends.keras.translate import Translated, translates
from kchainer.ir import ops
from kchainer.ir.op import Shape, ShapeError

SEED = {
    "seed": Field(
        type=ignored,
        default=None,
        why="random numbers are drawn by NumPy or CuPy: its global state is the seed",
    ),
    "rng_type": Field(
        type=ignored, default=None, why="which generator of TensorFlow draws"
    ),  # tf_keras: which generator of TensorFlow
}
RATE = Field(type=rate, was="p")
NOISE_SHAPE = Field(type=optional(tuple_of(optional(positive))), default=None)


def _noise_shape(c: Config, x: Shape) -> tuple[int | None, ...] | None:
    if c.noise_shape is None:
        return None
    if len(c.noise_shape) != len(x):
        raise ShapeError(f"a noise shape of rank {len(c.noise_shape)}")
    return tuple(1 if n == 1 and d != 1 else None for n, d in zip(c.noise_shape, x, strict=True))


@translates("Dropout", fields={"rate": RATE, "noise_shape": NOISE_SHAPE, **SEED})
def dropout(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.Dropout(rate=c.rate, noise_shape=_noise_shape(c, xs[0]))


@translates("AlphaDropout", fields={"rate": RATE, "noise_shape": NOISE_SHAPE, **SEED})
def alpha_dropout(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.AlphaDropout(rate=c.rate, noise_shape=_noise_shape(c, xs[0]))


def _spatial(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.SpatialDropout(rate=c.rate, data_format=c.data_format)


SPATIAL = {
    "rate": RATE,
    **SEED,
    "noise_shape": Field(
        type=ignored, default=None, why="the layer makes its own from the shape of the input"
    ),
}
translates(
    "SpatialDropout1D", fields=SPATIAL | {"data_format": Field(type=anything, default="channels_last")}
)(_spatial)
translates("SpatialDropout2D", "SpatialDropout3D", fields=SPATIAL | {"data_format": DATA_FORMAT})(_spatial)


@translates("GaussianNoise", fields={"stddev": Field(type=number, was="sigma"), **SEED})
def gaussian_noise(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.GaussianNoise(stddev=c.stddev)


@translates("GaussianDropout", fields={"rate": RATE, **SEED})
def gaussian_dropout(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.GaussianDropout(rate=c.rate)


@translates(
    "ActivityRegularization",
    fields={"l1": Field(type=number, default=0.0), "l2": Field(type=number, default=0.0)},
)
def activity_regularization(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.ActivityRegularization(
        l1=c.l1, l2=c.l2, per_sample=dialect.flavour == "tf_keras" or dialect.release >= (3,)
    )
