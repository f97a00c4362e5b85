"""What kchainer's own spec may leave out or write shorter than the IR, and how that is filled in."""

from __future__ import annotations

import dataclasses
import functools
import re
import typing
from collections.abc import Callable, Mapping
from typing import Any, Literal

from kchainer.ir import definition, ops, settings
from kchainer.ir.op import (
    MISSING,
    OPS,
    Json,
    Kind,
    Op,
    Shape,
    ShapeError,
    cached,
    defaults,
    kind_of,
    kinds,
    plain,
    show,
    to_json,
)
from kchainer.ir.ops.reshape import Pairs
from kchainer.ir.ops.spatial import Pads
from kchainer.ir.records import either, many

assert ops  # importing it fills the table


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """What a short form may depend on: attributes that are filled in already, and the shapes of the inputs."""

    given: Mapping[str, Any]
    shapes: tuple[Shape, ...]

    def rank(self) -> int:
        """Of the first input."""
        if not self.shapes:
            raise ShapeError("it has no input")
        return len(self.shapes[0])

    def spatial(self) -> int:
        """The number of spatial dimensions of the first input."""
        if self.rank() < 3:
            raise ShapeError(f"expected spatial dimensions, found {show(self.shapes[0])}")
        return self.rank() - 2


@dataclasses.dataclass(frozen=True, slots=True)
class Form:
    """A shorter way of writing an attribute, and what it stands for."""

    kind: Kind
    fill: Callable[[Any, Call], Any]
    doc: str


def _axis(value: int, rank: int) -> int:
    if value < -rank:
        raise ShapeError(f"axis {value} is not an axis of an input of rank {rank}")
    return int(value) + rank if value < 0 else int(value)


def _axes(value: Any, call: Call) -> list[int]:
    return [_axis(v, call.rank()) for v in (value if isinstance(value, list) else [value])]


def _pair_of_axes(value: Any, call: Call) -> list[int]:
    if len(call.shapes) != 2:
        raise ShapeError(f"the product of {len(call.shapes)} inputs")
    pair = value if isinstance(value, list) else [value, value]
    return [_axis(v, len(x)) for v, x in zip(pair, call.shapes, strict=True)]


def _pads(value: Any, call: Call) -> Any:
    if value == "same":
        return "same_upper"
    size = 0 if value == "valid" else int(value)
    return [[size, size] for _ in range(call.spatial())]


ALL_SIDES = "one number: on all sides"
FROM_END = "negative: counted from the end"


def _form(cls: type[Op], name: str, hint: Any, bounds: Mapping[str, float]) -> Form | None:
    number = kind_of(int, bounds)
    negative = kind_of(int, {"exclusiveMaximum": 0})
    if name == "axis" and hint is int:
        return Form(negative, lambda v, call: _axis(v, call.rank()), FROM_END)
    if name in ("axes", "shared_axes") and hint == tuple[int, ...]:
        either_end = either(number, negative)
        return Form(either(either_end, many(either_end)), _axes, f"one number or several; {FROM_END}")
    if name == "axes" and hint == tuple[int, int]:
        return Form(kind_of(int | tuple[int, int], {}), _pair_of_axes, f"one number for both; {FROM_END}")
    if cls.layout != "spatial":
        return None
    if hint in (tuple[int, ...], tuple[int, ...] | None):
        return Form(number, lambda v, call: [int(v)] * call.spatial(), "one number: in all dimensions")
    if hint == Pads:
        words = kind_of(Literal["valid", "same"], {})
        return Form(either(words, number), _pads, f"valid: none; same: same_upper; {ALL_SIDES}")
    return Form(number, _pads, ALL_SIDES) if hint == Pairs else None


@cached
def forms(cls: type[Op]) -> dict[str, Form]:
    """The short forms of an op's attributes."""
    hints = typing.get_type_hints(cls)
    made = {
        f.name: _form(cls, f.name, hints[f.name], f.metadata["bounds"])
        for f in dataclasses.fields(typing.cast("Any", cls))
    }
    return {name: form for name, form in made.items() if form is not None}


WINDOW: Json = {"strides": 1, "padding": "valid", "dilation": 1}
LAST: Json = {"axis": -1}
# What the spec may leave out though the IR states it: a short value, or a function of the call.
DEFAULTS: dict[str, Json] = {
    "Convolution": WINDOW,
    "DepthwiseConvolution": WINDOW,
    "SeparableConvolution": WINDOW,
    "TransposedConvolution": WINDOW,
    "Pooling": {"strides": lambda call: call.given["pool_size"], "padding": "valid"},
    "GlobalPooling": {"spatial": lambda call: call.spatial()},
    **dict.fromkeys(("BatchNormalization", "GroupNormalization", "LayerScale", "Glu", "Concatenate"), LAST),
    **{
        name: {"axes": -1}
        for name in (
            "Softmax",
            "LogSoftmax",
            "LayerNormalization",
            "RMSNormalization",
            "UnitNormalization",
            "Normalization",
        )
    },
}
# How the functions that a default computes are put into words.
COMPUTED = {("Pooling", "strides"): "`pool_size`", ("GlobalPooling", "spatial"): "those of the input"}


def may_lack(cls: type[Op]) -> Json:
    """What a spec may leave out of an op, and what then holds."""
    return defaults(cls) | DEFAULTS.get(cls.name, {})


def fill(cls: type[Op], data: Json, shapes: tuple[Shape, ...]) -> Json:
    """The attributes of an op as the IR has them. Raises ShapeError where the inputs leave a form no meaning."""
    out: Json = {}
    for name, own in kinds(cls).items():
        value = data.get(name, DEFAULTS.get(cls.name, {}).get(name, MISSING))
        if callable(value):
            value = value(Call(out, shapes))
        if value is MISSING:
            continue
        form = forms(cls).get(name)
        if form is not None and next(own.problems(value, ""), None) is not None:
            value = form.fill(value, Call(out, shapes))
        out[name] = value
    return out


def shorten(one: Op, shapes: tuple[Shape, ...]) -> Json:
    """The shortest JSON of an op that ``fill`` gives back as it is."""
    cls = type(one)
    full = {k: v for k, v in to_json(one).items() if k != "op"}
    own = {k: plain(v) for k, v in defaults(cls).items()}
    short = {k: v for k, v in full.items() if k not in own or own[k] != v}
    for name in DEFAULTS.get(cls.name, {}):
        tried = {k: v for k, v in short.items() if k != name}
        if name in short and _filled(cls, tried, shapes) == full:
            short = tried
    return short if _filled(cls, short, shapes) == full else full


def _filled(cls: type[Op], data: Json, shapes: tuple[Shape, ...]) -> Json | None:
    try:
        return {k: plain(v) for k, v in (defaults(cls) | fill(cls, data, shapes)).items()}
    except ShapeError:
        return None


# ------------------------------------------------------------------ names

# Where a word begins: a capital behind a small letter, or before one.
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

ACTIVATIONS: dict[str, Json] = {
    **{name: {"op": "Activation", "function": name} for name in typing.get_args(
        typing.get_type_hints(ops.Activation)["function"]
    )},
    "swish": {"op": "Activation", "function": "silu"},
    "relu": {"op": "Relu"},
    "relu6": {"op": "Relu", "max_value": 6.0},
    "leaky_relu": {"op": "Relu", "negative_slope": 0.2},
    "elu": {"op": "Elu"},
    "celu": {"op": "Celu"},
    "gelu": {"op": "Gelu"},
    "hard_sigmoid": {"op": "HardSigmoid", "slope": 1 / 6},
    "squareplus": {"op": "Squareplus"},
    "hard_shrink": {"op": "Shrink", "function": "hard"},
    "soft_shrink": {"op": "Shrink", "function": "soft"},
    "softmax": {"op": "Softmax"},
    "log_softmax": {"op": "LogSoftmax"},
    "sparsemax": {"op": "Softmax", "sparse": True},
    "glu": {"op": "Glu"},
}  # fmt: skip
NONE = "linear"


def activation(value: Any) -> Json | None:
    """The op that an ``activation`` of the spec stands for; None for none."""
    if value is None or value == NONE:
        return None
    return ACTIVATIONS[value] if isinstance(value, str) else dict(value)


def activation_of(one: Op, shapes: tuple[Shape, ...]) -> Any:
    """The shortest ``activation`` that stands for this op."""
    short = {"op": one.name} | shorten(one, shapes)
    return next((name for name, data in ACTIVATIONS.items() if data == short), short)


def takes_activation(cls: type[Op]) -> bool:
    """A layer of this op may state an ``activation`` behind it: it has no attribute of that name itself."""
    return cls is not ops.Input and "activation" not in kinds(cls)


# Ops that a spec may normalise behind, and what they are with normalised weights.
WEIGHT_NORMALISED = {
    "Dense": "WeightNormalizedDense",
    "Convolution": "WeightNormalizedConvolution",
    "TransposedConvolution": "WeightNormalizedTransposedConvolution",
}


def takes_normalization(op: str) -> bool:
    """A layer of this op may state a ``normalization``, which stands before its activation."""
    return op in WEIGHTED


def normalised(op: str, weights: Any) -> str:
    """The op that stands for this one where ``weight_normalization`` is asked for."""
    return WEIGHT_NORMALISED.get(op, op) if weights is True else op


def normalizations() -> list[str]:
    """The ops that a ``normalization`` may be."""
    family = ops.BatchNormalization.__module__
    others = ("LayerScale", "Normalization")
    return [n for n in layer_ops() if OPS[n].__module__ == family and n not in others]


def snake(name: str) -> str:
    """What layers of an op are called where the spec names none: ``global_pooling`` of ``GlobalPooling``."""
    return _WORDS.sub("_", name).lower()


def layer_ops() -> list[str]:
    """The ops that a layer of the spec may hold."""
    return sorted(name for name in OPS if name != "Input")


# Ops to which the ``activation`` of a spec's defaults belongs: what Keras gives that argument.
ACTIVATED = frozenset(
    {
        "Convolution",
        "Dense",
        "DepthwiseConvolution",
        "EinsumDense",
        "SeparableConvolution",
        "TransposedConvolution",
    }
)


def is_kernel(param: str) -> bool:
    """The ``initializer`` of a spec's defaults is of this param."""
    return param == "embeddings" or param == "kernel" or param.endswith("_kernel")


# ------------------------------------------------------------------ settings of params


def _glorot(scale: float, mode: str, distribution: str) -> Json:
    return {"op": "VarianceScaling", "scale": scale, "mode": mode, "distribution": distribution}


# Names of Keras 3 that are no op's with its defaults.
SETTING_NAMES: dict[str, dict[str, Json]] = {
    "initializer": {
        "truncated_normal": {"op": "RandomNormal", "truncated": True},
        "glorot_uniform": _glorot(1.0, "fan_avg", "uniform"),
        "glorot_normal": _glorot(1.0, "fan_avg", "truncated_normal"),
        "he_uniform": _glorot(2.0, "fan_in", "uniform"),
        "he_normal": _glorot(2.0, "fan_in", "truncated_normal"),
        "lecun_uniform": _glorot(1.0, "fan_in", "uniform"),
        "lecun_normal": _glorot(1.0, "fan_in", "truncated_normal"),
    },
    "regularizer": {
        "l1": {"op": "L1L2", "l1": 0.01},
        "l2": {"op": "L1L2", "l2": 0.01},
        "l1_l2": {"op": "L1L2", "l1": 0.01, "l2": 0.01},
    },
}


@functools.cache
def settings_by_name(kind: str) -> Mapping[str, Json]:
    """What a name stands for where an initializer, regularizer or constraint is wanted."""
    table = settings.TABLES[kind]
    plain_ones = {
        re.sub(r"(?<!^)(?=[A-Z][a-z])", "_", name).lower(): {"op": name}
        for name, cls in table.items()
        if len(defaults(cls)) == len(dataclasses.fields(cls))
    }
    return plain_ones | SETTING_NAMES.get(kind, {})


def setting(kind: str, value: Any) -> Any:
    """An initializer, regularizer or constraint with every attribute; a name stands for its op."""
    short_form: Any = settings_by_name(kind).get(value, value) if isinstance(value, str) else value
    return definition.to_json(definition.from_json(settings.TABLES[kind], short_form))


def said_of_param(said: Json) -> Json:
    """What is said of one param, names written out."""
    return {kind: setting(kind, value) for kind, value in said.items()}


def brief(kind: str, data: Json) -> Any:
    """A setting as short as the spec takes it: its name, or what differs from the defaults."""
    usual = defaults(settings.TABLES[kind][data["op"]])
    said = {key: value for key, value in data.items() if key not in usual or plain(usual[key]) != value}
    for name, meant in settings_by_name(kind).items():
        if said == {k: v for k, v in meant.items() if k not in usual or plain(usual[k]) != v}:
            return name
    return said


def brief_of_param(said: Json) -> Json:
    """What is said of one param, as short as the spec takes it."""
    return {kind: brief(kind, value) for kind, value in said.items()}


WEIGHTED = frozenset(
    [
        *("Dense", "EinsumDense", "Convolution", "DepthwiseConvolution", "SeparableConvolution"),
        *("TransposedConvolution", *WEIGHT_NORMALISED.values()),
    ]
)
