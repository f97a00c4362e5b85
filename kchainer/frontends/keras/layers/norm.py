"""Normalisation of every release."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kchainer.frontends.fields import (
    Config,
    Field,
    Since,
    Wrong,
    anything,
    boolean,
    ignored,
    integer,
    number,
    one_of,
    only,
)
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.initializers import constant_field
from kchainer.frontends.keras.settings import param_fields
from kchainer.frontends.keras.translate import Translated, translates
from kchainer.ir import ops
from kchainer.ir.op import Shape, ShapeError


def _one_axis(v: Any) -> int:
    if isinstance(v, (list, tuple)) and len(v) == 1:
        v = v[0]
    return integer(v)


BATCH_NORMALIZATION = {
    "axis": Field(type=_one_axis, default=-1),
    "momentum": Field(type=number, default=Since({"0.3": 0.9, "1.0": 0.99})),
    "epsilon": Field(type=number, default=Since({"0.3": 1e-6, "1.0": 1e-5, "1.2": 1e-3})),
    # 1 normalises each sample, 2 uses batch statistics at inference too
    "mode": Field(type=one_of(0, 1, 2), default=0),
    "scale": Field(type=boolean, default=True),
    "center": Field(type=boolean, default=True),
    "renorm": Field(type=only(False), default=False, why="batch renormalisation is not computed"),
    "renorm_clipping": Field(type=only(None), default=None, why="batch renormalisation is not computed"),
    "renorm_momentum": Field(type=ignored, default=0.99, why="of batch renormalisation, which is refused"),
    "virtual_batch_size": Field(
        type=only(None), default=None, why="statistics of parts of a batch are not computed"
    ),
    "fused": Field(type=ignored, default=None, why="which kernel of TensorFlow computes it"),
    "synchronized": Field(
        type=ignored, default=False, why="over several devices: each computes its own part"
    ),
    **param_fields("gamma", "beta", "moving_mean", "moving_variance"),
}

# What a release multiplies the batch variance by before it enters the running one: n / (n - c) for each c.
CORRECTIONS = {
    "keras": Since({"0.3": (), "2.1.3": ("fused",), "2.1.4": ("fused", "bessel"), "3.0": ()}),
    "tf_keras": Since({"1.13": ("fused",), "3.0": ()}),
}
SUBTRACTED: dict[str, Callable[[int, int, float, Dialect], float]] = {
    # TensorFlow's kernel for images with the channels last
    "fused": lambda rank, axis, epsilon, d: (
        1.0 if rank == 4 and axis == 3 and d.backend in (None, "tensorflow") else 0.0
    ),
    "bessel": lambda rank, axis, epsilon, d: 1.0 + epsilon,
}
MODES = {0: "batch", 1: "sample", 2: "always_batch"}
# On TensorFlow, and there only.
ZERO_DEBIAS = Since({"1.0": False, "2.1.3": True, "2.3": False})
# Theano's own function gives back 1 / sqrt(variance + epsilon), of which these made the variance.
THEANO_OFFSET = Since({"1.0": False, "1.2": True, "3.0": False})
FROZEN = {
    "keras": Since({"0.3": "batch", "1.0": "batch_updating", "2.1.3": "batch", "3.0": "running"}),
    "tf_keras": Since({"1.0": "running"}),
}


@translates(
    "BatchNormalization",
    "SyncBatchNormalization",
    "BatchNormalizationV1",
    "BatchNormalizationV2",
    fields=BATCH_NORMALIZATION,
)
def batch_normalization(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    x = xs[0]
    axis = c.axis % len(x)
    if c.mode == 1 and axis != len(x) - 1:
        raise ShapeError("mode 1 normalises over the last axis, and `axis` is another")
    keras = dialect.flavour == "keras"
    on_tensorflow = dialect.backend == "tensorflow" or (dialect.backend is None and dialect.release >= (2,))
    names = CORRECTIONS[dialect.flavour].at(dialect)
    corrections = [SUBTRACTED[name](len(x), axis, c.epsilon, dialect) for name in names]
    return ops.BatchNormalization(
        axis=axis,
        momentum=c.momentum,
        epsilon=c.epsilon,
        corrections=tuple(value for value in corrections if value),
        scale=c.scale,
        center=c.center,
        mode=MODES[c.mode],  # type: ignore[arg-type]
        offset=c.epsilon if keras and dialect.backend == "theano" and THEANO_OFFSET.at(dialect) else 0.0,
        zero_debias=keras and on_tensorflow and ZERO_DEBIAS.at(dialect),
        statistic="deviation" if dialect.release < (1,) else "variance",
        frozen=FROZEN[dialect.flavour].at(dialect),
    )


def _axes(value: Any, rank: int) -> tuple[int, ...]:
    many = value if isinstance(value, (list, tuple)) else (value,)
    out = tuple(sorted(integer(a) % rank for a in many))
    if 0 in out:
        raise ShapeError("the batch is not normalised over")
    return out


LAYER_NORMALIZATION = {
    "axis": Field(type=anything, default=-1),
    "epsilon": Field(type=number, default=1e-3),
    "scale": Field(type=boolean, default=True),
    "center": Field(type=boolean, default=True),
    "rms_scaling": Field(type=boolean, default=False),
    **param_fields("gamma", "beta"),
}


@translates("LayerNormalization", fields=LAYER_NORMALIZATION)
def layer_normalization(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.LayerNormalization(
        axes=_axes(c.axis, len(xs[0])),
        epsilon=c.epsilon,
        scale=c.scale or c.rms_scaling,
        center=c.center and not c.rms_scaling,
        rms_scaling=c.rms_scaling,
    )


@translates(
    "RMSNormalization",
    fields={"axis": Field(type=anything, default=-1), "epsilon": Field(type=number, default=1e-6)},
)
def rms_normalization(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.RMSNormalization(axes=_axes(c.axis, len(xs[0])), epsilon=c.epsilon)


GROUP_NORMALIZATION = {
    "groups": Field(type=integer, default=32),
    "axis": Field(type=integer, default=-1),
    "epsilon": Field(type=number, default=1e-3),
    "scale": Field(type=boolean, default=True),
    "center": Field(type=boolean, default=True),
    **param_fields("gamma", "beta"),
}


@translates("GroupNormalization", fields=GROUP_NORMALIZATION)
def group_normalization(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    axis = c.axis % len(xs[0])
    groups = xs[0][axis] if c.groups == -1 else c.groups
    if groups is None:
        raise ShapeError("the number of channels has to be known")
    return ops.GroupNormalization(groups=groups, axis=axis, epsilon=c.epsilon, scale=c.scale, center=c.center)


@translates("UnitNormalization", fields={"axis": Field(type=anything, default=-1)})
def unit_normalization(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    many = c.axis if isinstance(c.axis, (list, tuple)) else (c.axis,)
    axes = tuple(sorted(integer(a) % len(xs[0]) for a in many))
    return ops.UnitNormalization(axes=axes, floor="norm" if dialect.release >= (3,) else "square")


LAYER_SCALE = {
    "gamma_initializer": constant_field("init_values", 1.0),
    "projection_dim": Field(
        type=ignored, default=None, why="the length of the last axis, which the input tells"
    ),
}


@translates("LayerScale", fields=LAYER_SCALE)
def layer_scale(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.LayerScale(axis=len(xs[0]) - 1)


NORMALIZATION = {
    "axis": Field(type=anything, default=-1),
    "mean": Field(type=anything, default=None),
    "variance": Field(type=anything, default=None),
    "invert": Field(type=boolean, default=False),
}


def _numbers(v: Any) -> tuple[float, ...] | None:
    if v is None:
        return None
    if isinstance(v, dict):
        v = v.get("config", {}).get("value")
    out: list[float] = []
    todo = [v]
    while todo:
        one = todo.pop()
        if isinstance(one, (list, tuple)):
            todo.extend(reversed(one))
        else:
            out.append(number(one))
    return tuple(out)


@translates("Normalization", fields=NORMALIZATION)
def normalization(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    rank = len(xs[0])
    many = () if c.axis is None else c.axis if isinstance(c.axis, (list, tuple)) else (c.axis,)
    axes = tuple(sorted(integer(a) % rank for a in many))
    mean, variance = _numbers(c.mean), _numbers(c.variance)
    if (mean is None) != (variance is None):
        raise Wrong("mean and variance go together")
    return ops.Normalization(axes=axes, mean=mean, variance=variance, invert=c.invert)
