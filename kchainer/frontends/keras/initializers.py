"""Initializers of every release."""

from __future__ import annotations

import math
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
    optional,
    tuple_of,
)
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.named import Kind
from kchainer.ir import initializers as ir
from kchainer.ir.definition import Setting

INITIALIZERS = Kind("an initializer")


def _seed(v: Any) -> int | None:
    """A number; Keras 3 also writes the generator that was made of it."""
    if isinstance(v, dict) and v.get("class_name") == "SeedGenerator" and isinstance(v.get("config"), dict):
        v = v["config"].get("seed")
    return None if v is None else integer(v)


def _positive(v: Any) -> float:
    if number(v) <= 0:
        raise Wrong("a number above 0")
    return float(v)


# tf.keras of TensorFlow 1 wrote the dtype too
DTYPE = {"dtype": Field(type=ignored, default=None, why="values are drawn in the dtype of the param")}
RANDOM = {"seed": Field(type=_seed, default=None), **DTYPE}
AXES = {
    "input_axes": Field(type=optional(tuple_of(integer)), default=None),
    "output_axes": Field(type=optional(tuple_of(integer)), default=None),
}


@INITIALIZERS.register("Zeros", "Zero", fields=DTYPE)
def zeros(c: Config, dialect: Dialect) -> Setting:
    return ir.Zeros()


@INITIALIZERS.register("Ones", "One", fields=DTYPE)
def ones(c: Config, dialect: Dialect) -> Setting:
    return ir.Ones()


def _values(v: Any) -> tuple[tuple[float, ...], tuple[int, ...]] | float:
    """One number, or nested lists as values and shape."""
    if isinstance(v, dict):
        v = v["config"].get("value") if isinstance(v.get("config"), dict) else v.get("value")
    if not isinstance(v, list):
        return number(v)
    shape: list[int] = []
    level: Any = v
    while isinstance(level, list):
        shape.append(len(level))
        level = level[0] if level else None
    flat = v
    for _ in shape[1:]:
        flat = [one for row in flat for one in (row if isinstance(row, list) else [None])]
    if len(flat) != math.prod(shape):
        raise Wrong("a number, or lists of equal lengths")
    return tuple(number(one) for one in flat), tuple(shape)


@INITIALIZERS.register("Constant", fields={"value": Field(type=_values, default=0.0), **DTYPE})
def constant(c: Config, dialect: Dialect) -> Setting:
    if isinstance(c.value, float):
        return ir.Constant(value=c.value, shape=())
    values, shape = c.value
    return ir.Constant(value=values, shape=shape)


@INITIALIZERS.register(
    "RandomUniform",
    "Uniform",
    fields={
        "minval": Field(type=number, default=-0.05),
        "maxval": Field(type=number, default=0.05, values={None: 1.0}),
        **RANDOM,
    },
)
def random_uniform(c: Config, dialect: Dialect) -> Setting:
    return ir.RandomUniform(low=c.minval, high=c.maxval, seed=c.seed)


NORMAL = {"mean": Field(type=number, default=0.0), "stddev": Field(type=number, default=0.05), **RANDOM}


def _clips(dialect: Dialect) -> bool:
    """Keras 2.0 and 2.1 on Theano make a truncated normal distribution of a plain one by clipping."""
    return dialect.backend == "theano" and (2,) <= dialect.release < (2, 2)


@INITIALIZERS.register("RandomNormal", "Normal", fields=NORMAL)
def random_normal(c: Config, dialect: Dialect) -> Setting:
    return ir.RandomNormal(mean=c.mean, stddev=c.stddev, truncated=False, clip=False, seed=c.seed)


@INITIALIZERS.register("TruncatedNormal", fields=NORMAL)
def truncated_normal(c: Config, dialect: Dialect) -> Setting:
    return ir.RandomNormal(mean=c.mean, stddev=c.stddev, truncated=True, clip=_clips(dialect), seed=c.seed)


# What "normal" is: plain in Keras 1, cut in 2.0 and 2.1, cut and widened after.
NORMALS = Since({"0.3": "normal", "2.0": "cut_normal", "2.2": "truncated_normal"})
ROOT_RANKS = Since({"0.3": (1, 3), "2.0": (1,), "3.0": ()})


def _scaled(c: Config, dialect: Dialect, scale: float, mode: Any, distribution: str) -> Setting:
    tf = dialect.flavour == "tf_keras"
    names = {
        "normal": "truncated_normal" if tf else NORMALS.at(dialect),
        "untruncated_normal": "normal",
    }
    return ir.VarianceScaling(
        scale=scale,
        mode=mode,
        distribution=names.get(distribution, distribution),  # type: ignore[arg-type]
        clip=distribution != "uniform" and _clips(dialect),
        input_axes=c.input_axes,
        output_axes=c.output_axes,
        root_ranks=() if tf else ROOT_RANKS.at(dialect),
        seed=c.seed,
    )


def _lower(v: Any) -> Any:
    allowed = one_of("normal", "uniform", "truncated_normal", "untruncated_normal")
    return allowed(v.lower() if isinstance(v, str) else v)


VARIANCE_SCALING = {
    "scale": Field(type=_positive, default=1.0),
    "mode": Field(type=one_of("fan_in", "fan_out", "fan_avg"), default="fan_in"),
    "distribution": Field(type=_lower, default="normal"),
    **AXES,
    **RANDOM,
}


@INITIALIZERS.register("VarianceScaling", fields=VARIANCE_SCALING)
def variance_scaling(c: Config, dialect: Dialect) -> Setting:
    return _scaled(c, dialect, c.scale, c.mode, c.distribution)


# name -> scale, fan, distribution
NAMED = {
    "GlorotUniform": (1.0, "fan_avg", "uniform"),
    "GlorotNormal": (1.0, "fan_avg", "normal"),
    "HeUniform": (2.0, "fan_in", "uniform"),
    "HeNormal": (2.0, "fan_in", "normal"),
    "LecunUniform": (1.0, "fan_in", "uniform"),
    "LecunNormal": (1.0, "fan_in", "normal"),
}


def _named(scale: float, mode: str, distribution: str) -> Any:
    return lambda c, dialect: _scaled(c, dialect, scale, mode, distribution)


for _name, _rule in NAMED.items():
    INITIALIZERS.register(_name, fields={**AXES, **RANDOM})(_named(*_rule))


@INITIALIZERS.register(
    "Orthogonal",
    "OrthogonalInitializer",
    fields={"gain": Field(type=number, default=Since({"0.3": 1.1, "2.0": 1.0})), **RANDOM},
)
def orthogonal(c: Config, dialect: Dialect) -> Setting:
    return ir.Orthogonal(gain=c.gain, rows=None if dialect.release >= (2,) else (0,), seed=c.seed)


@INITIALIZERS.register(
    "Identity", "IdentityInitializer", fields={"gain": Field(type=number, default=1.0), **DTYPE}
)
def identity(c: Config, dialect: Dialect) -> Setting:
    return ir.Identity(gain=c.gain)


def _window(v: Any) -> Any:
    if isinstance(v, list):
        return tuple_of(number)(v)
    if v is not None and v not in ir.WINDOWS:
        raise Wrong("null, values, or one of " + ", ".join(ir.WINDOWS), code="KC204")
    return v


@INITIALIZERS.register(
    "STFT",
    "STFTInitializer",
    fields={
        "side": Field(type=one_of("real", "imag"), default="real"),
        "window": Field(type=_window, default="hann"),
        "scaling": Field(type=one_of("density", "spectrum", None), default="density"),
        "periodic": Field(type=boolean, default=False),
    },
)
def stft(c: Config, dialect: Dialect) -> Setting:
    return ir.STFT(side=c.side, window=c.window, scaling=c.scaling, periodic=c.periodic)


def _constant(v: Any) -> Setting:
    value = number(v)
    return ir.Constant(value=value, shape=())


def constant_field(was: str, default: float) -> Field:
    """A key ``was`` that states a param's starting value as a number."""
    return Field(type=_constant, was=was, default=default)
