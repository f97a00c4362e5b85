"""Activation functions and activation layers of every release."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args, get_type_hints

from kchainer.frontends.fields import (
    Config,
    Field,
    Since,
    Wrong,
    anything,
    ignored,
    integer,
    number,
    optional,
    read,
)
from kchainer.frontends.fields import tuple_of as list_of
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.initializers import INITIALIZERS, constant_field
from kchainer.frontends.keras.settings import param_fields
from kchainer.frontends.keras.translate import BASE_KEYS, TRANSLATORS, Translated, translates
from kchainer.ir import ops
from kchainer.ir.op import Op, Shape

SLOPE = Since({"0.3": 0.2, "3.0": 1 / 6})
SIMPLE = frozenset(get_args(get_type_hints(ops.Activation)["function"]))
ALIASES = {
    "swish": "silu",
    "hard_swish": "hard_silu",
    "exp": "exponential",
    "logsigmoid": "log_sigmoid",
    "relu_6": "relu6",
}

# name -> (rank, dialect) -> op, or None where nothing is done
FUNCTIONS: dict[str, Callable[[int, Dialect], Op | None]] = {
    "linear": lambda rank, dialect: None,
    "relu": lambda rank, dialect: ops.Relu(max_value=None, negative_slope=0.0, threshold=0.0),
    "relu6": lambda rank, dialect: ops.Relu(max_value=6.0, negative_slope=0.0, threshold=0.0),
    "leaky_relu": lambda rank, dialect: ops.Relu(max_value=None, negative_slope=0.2, threshold=0.0),
    "elu": lambda rank, dialect: ops.Elu(alpha=1.0),
    "celu": lambda rank, dialect: ops.Celu(alpha=1.0),
    "gelu": lambda rank, dialect: ops.Gelu(approximate=False),
    "hard_sigmoid": lambda rank, dialect: ops.HardSigmoid(slope=SLOPE.at(dialect)),
    "squareplus": lambda rank, dialect: ops.Squareplus(b=4.0),
    "hard_shrink": lambda rank, dialect: ops.Shrink(function="hard", threshold=0.5),
    "soft_shrink": lambda rank, dialect: ops.Shrink(function="soft", threshold=0.5),
    "softmax": lambda rank, dialect: ops.Softmax(axes=(rank - 1,), sparse=False),
    "sparsemax": lambda rank, dialect: ops.Softmax(axes=(rank - 1,), sparse=True),
    "log_softmax": lambda rank, dialect: ops.LogSoftmax(axes=(rank - 1,)),
    "glu": lambda rank, dialect: ops.Glu(axis=rank - 1),
}


def named(value: Any) -> Any:
    """The name that an activation goes by, where it has one."""
    if isinstance(value, dict) and value.get("class_name") == "function":
        value = value.get("config")
    if isinstance(value, dict) and value.get("class_name") not in TRANSLATORS and not value.get("config"):
        value = value.get("class_name")
    return value


def activation_of(value: Any, x: Shape, dialect: Dialect) -> Op | None:
    """The op of an ``activation`` key: null, a name, or a whole layer. None: nothing to do.

    Raises:
        Wrong: it names a function that Keras does not define.
    """
    value = named(value)
    if value is None:
        return None
    if isinstance(value, str):
        name = ALIASES.get(value, value)
        if name in FUNCTIONS:
            return FUNCTIONS[name](len(x), dialect)
        if name in SIMPLE:
            return ops.Activation(function=name)  # type: ignore[arg-type]
        hint = f"say what it computes: --custom {value[:80]}=FILE (docs/custom-layers.md)"
        raise Wrong(f"activation `{value}` is none of Keras's", code="KC201", hint=hint)
    if isinstance(value, dict) and value.get("class_name") in TRANSLATORS:
        translator = TRANSLATORS[value["class_name"]]
        config, faults = read(translator.fields, value.get("config") or {}, dialect, base=BASE_KEYS)
        if faults:
            raise Wrong(f"activation: {faults[0].message}", code=faults[0].code, hint=faults[0].hint)
        made = translator.function(config, (x,), dialect)
        if isinstance(made, Op) and not made.params(x):
            return made
    raise Wrong("an activation of this kind is not supported", code="KC204")


def activated(op: Op, xs: tuple[Shape, ...], activation: Any, dialect: Dialect) -> Translated:
    """``op`` followed by its activation."""
    after = activation_of(activation, op.infer(*xs), dialect)
    return op if after is None else (op, after)


ACTIVATION = Field(type=anything, default=None)


@translates("Activation", fields={"activation": Field(type=anything)})
def activation(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return activation_of(c.activation, xs[0], dialect) or ops.Identity()


RELU = {
    "max_value": Field(type=optional(number), default=None),
    "negative_slope": Field(type=number, default=0.0, values={None: 0.0}),
    "threshold": Field(type=number, default=0.0, values={None: 0.0}),
}


@translates("ReLU", fields=RELU)
def relu(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.Relu(max_value=c.max_value, negative_slope=c.negative_slope, threshold=c.threshold)


def _scalar(value: Any) -> float:
    """A number, or the array of one that tf.keras wrote for it."""
    if isinstance(value, dict) and isinstance(value.get("value"), (int, float)):
        value = value["value"]
    return number(value)


@translates("LeakyReLU", fields={"negative_slope": Field(type=_scalar, was="alpha", default=0.3)})
def leaky_relu(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.Relu(max_value=None, negative_slope=c.negative_slope, threshold=0.0)


@translates("ELU", fields={"alpha": Field(type=_scalar, default=1.0)})
def elu(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.Elu(alpha=c.alpha)


@translates("ThresholdedReLU", fields={"theta": Field(type=_scalar, default=1.0)})
def thresholded_relu(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.Threshold(threshold=c.theta, value=0.0)


def _axes(value: Any, rank: int) -> tuple[int, ...]:
    many = tuple(value) if isinstance(value, (list, tuple)) else (value,)
    return tuple(sorted(integer(a) % rank for a in many))


SOFTMAX = {
    "axis": Field(type=anything, default=-1),
    "robust_masking": Field(
        type=ignored,
        default=False,
        why="two ways to compute the same: they differ where nothing is left by a mask",
    ),  # tf_keras: how a mask is applied
}


@translates("Softmax", fields=SOFTMAX)
def softmax(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.Softmax(axes=_axes(c.axis, len(xs[0])), sparse=False)


SHARED = {"shared_axes": Field(type=optional(list_of(integer)), default=None)}


PRELU = {
    **SHARED,
    **param_fields("alpha"),
    "weights": Field(type=anything, default=None),
}


def _shared(shape: tuple[int, ...], x: Shape) -> tuple[int, ...]:
    """The axes that share a slope. Along an axis of size 1 both readings are the same."""
    if len(shape) != len(x) - 1:
        return ()
    return tuple(i for i, (n, d) in enumerate(zip(shape, x[1:], strict=True), 1) if n == 1 and d != 1)


@translates("PReLU", fields=PRELU)
def prelu(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    # the shape of the array, where the reader found it: Keras 1.2 does not write shared_axes
    slopes: tuple[int, ...] | None = vars(c).get("slopes")
    shared = c.shared_axes if slopes is None else _shared(slopes, xs[0])
    return ops.PRelu(shared_axes=tuple(shared or ()))


SRELU = {
    f"{name}_initializer": INITIALIZERS.field(was=f"{name}_init")
    for name in ("t_left", "a_left", "t_right", "a_right")
}


@translates("SReLU", fields={**SHARED, **SRELU})
def srelu(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.SRelu(shared_axes=tuple(c.shared_axes or ()))


INITIAL = {
    "alphas_initializer": constant_field("alpha_init", 0.2),
    "betas_initializer": constant_field("beta_init", 5.0),
}


@translates("ParametricSoftplus", fields={**SHARED, **INITIAL})
def parametric_softplus(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.ParametricSoftplus(shared_axes=tuple(c.shared_axes or ()))
