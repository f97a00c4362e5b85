"""What each release writes of its losses and means by it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from kchainer.diagnostics import suggestion
from kchainer.frontends.fields import (
    Config,
    Fault,
    Field,
    Since,
    Wrong,
    ignored,
    integer,
    members,
    optional,
    read,
)
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.optimizers.tables import flag, loose
from kchainer.ir import losses as ir

Json = dict[str, Any]
# By flavour: how a mask counts, what is added to its mean, what a weighted sum is divided by.
REDUCED = {
    "keras": Since(
        {
            "0.3": ("mean", 0.0, "nonzero"),
            "2.2": ("mean", 1e-7, "nonzero"),
            "2.3": ("zero", 0.0, "count"),
            "3.0": ("valid", 0.0, "count"),
        }
    ),
    "tf_keras": Since({"1.13": ("zero", 0.0, "count"), "2.11": ("valid", 0.0, "count")}),
}
# Whether 0 and 1 are taken for -1 and 1.
CONVERTS = {"keras": Since({"0.3": False, "3.0": True}), "tf_keras": Since({"1.13": True})}
# What is added inside the logarithms of the binary cross-entropy, on TensorFlow; Theano adds nothing.
LOG_EPSILON = {
    "keras": Since({"0.3": 0.0, "2.3": 1e-7, "3.0": 0.0}),
    "tf_keras": Since({"1.13": 1e-7}),
}
# Keras 1 divides the cosine by the length of the vectors.
COSINE_MEAN = {"keras": Since({"0.3": True, "2.0": False}), "tf_keras": Since({"1.13": False})}


def axis_or_axes(v: Any) -> int | tuple[int, ...] | None:
    """A number, a list of them, or null."""
    if isinstance(v, (list, tuple)):
        return tuple(integer(one) for one in v)
    return None if v is None else integer(v)


def reduction(v: Any) -> str:
    """Keras's words as ours."""
    words = {"auto": "mean", "sum_over_batch_size": "mean", "mean": "mean", "sum": "sum", "none": "none"}
    words["mean_with_sample_weight"] = "mean_with_sample_weight"
    if v is None:
        return "none"
    if not isinstance(v, str) or v.lower() not in words:
        raise Wrong("one of " + ", ".join(words))
    return words[v.lower()]


COMMON = {
    "reduction": Field(type=reduction, default="auto"),
    "name": Field(type=ignored, default=None, why="a name for logs"),
    "fn": Field(type=ignored, default=None, why="the function of the class, which the class says already"),
    "dtype": Field(type=ignored, default=None, why="a loss is computed in the dtype of its inputs"),
}
LOGITS = Field(type=flag, default=False)
SMOOTHING = Field(type=loose, default=0.0)
AXIS = Field(type=integer, default=-1)
CATEGORICAL = {"from_logits": LOGITS, "label_smoothing": SMOOTHING, "axis": AXIS}
EPSILON = 1e-7


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """How one loss is read: its class, its own keys, and what the dialect decides."""

    cls: Any
    fields: Mapping[str, Field]
    fixed: Any = None  # a function of the dialect


def _nothing(dialect: Dialect) -> Json:
    return {}


def _epsilon(dialect: Dialect) -> Json:
    return {"epsilon": EPSILON}


def _hinge(dialect: Dialect) -> Json:
    return {"convert_labels": CONVERTS[dialect.flavour].at(dialect)}


def _binary(dialect: Dialect) -> Json:
    added = 0.0 if dialect.backend == "theano" else LOG_EPSILON[dialect.flavour].at(dialect)
    return {"epsilon": EPSILON, "log_epsilon": added}


def _cosine(dialect: Dialect) -> Json:
    return {"mean": COSINE_MEAN[dialect.flavour].at(dialect)}


def _sparse(dialect: Dialect) -> Json:
    """TensorFlow takes the clipped probabilities' logarithms as logits; the others divide first."""
    on_tensorflow = dialect.backend == "tensorflow" or (dialect.backend is None and dialect.release < (3,))
    return {"epsilon": EPSILON, "divide_first": not on_tensorflow}


LOSSES: dict[str, Entry] = {
    "MeanSquaredError": Entry(ir.MeanSquaredError, {}),
    "MeanAbsoluteError": Entry(ir.MeanAbsoluteError, {}),
    "MeanAbsolutePercentageError": Entry(ir.MeanAbsolutePercentageError, {}, _epsilon),
    "MeanSquaredLogarithmicError": Entry(ir.MeanSquaredLogarithmicError, {}, _epsilon),
    "Hinge": Entry(ir.Hinge, {}, _hinge),
    "SquaredHinge": Entry(ir.SquaredHinge, {}, _hinge),
    "CategoricalHinge": Entry(ir.CategoricalHinge, {}),
    "Huber": Entry(ir.Huber, {"delta": Field(type=loose, default=1.0)}),
    "LogCosh": Entry(ir.LogCosh, {}),
    "KLDivergence": Entry(ir.KLDivergence, {}, _epsilon),
    "Poisson": Entry(ir.Poisson, {}, _epsilon),
    "CosineSimilarity": Entry(ir.CosineSimilarity, {"axis": AXIS}, _cosine),
    "CategoricalCrossentropy": Entry(ir.CategoricalCrossentropy, CATEGORICAL, _epsilon),
    "CategoricalFocalCrossentropy": Entry(
        ir.CategoricalFocalCrossentropy,
        {
            **CATEGORICAL,
            "alpha": Field(type=loose, default=0.25),
            "gamma": Field(type=loose, default=2.0),
        },
        _epsilon,
    ),
    "SparseCategoricalCrossentropy": Entry(
        ir.SparseCategoricalCrossentropy,
        {
            "from_logits": LOGITS,
            "ignore_class": Field(type=optional(integer), default=None),
            "axis": AXIS,
        },
        _sparse,
    ),
    "BinaryCrossentropy": Entry(ir.BinaryCrossentropy, CATEGORICAL, _binary),
    "BinaryFocalCrossentropy": Entry(
        ir.BinaryFocalCrossentropy,
        {
            **CATEGORICAL,
            "apply_class_balancing": LOGITS,
            "alpha": Field(type=loose, default=0.25),
            "gamma": Field(type=loose, default=2.0),
        },
        _binary,
    ),
    "CategoricalGeneralizedCrossEntropy": Entry(
        ir.CategoricalGeneralizedCrossEntropy, {"q": Field(type=loose, default=0.5)}
    ),
    "Dice": Entry(ir.Dice, {"axis": Field(type=axis_or_axes, default=None)}, _epsilon),
    "Tversky": Entry(
        ir.Tversky,
        {
            "alpha": Field(type=loose, default=0.5),
            "beta": Field(type=loose, default=0.5),
            "axis": Field(type=axis_or_axes, default=None),
        },
        _epsilon,
    ),
    "CTC": Entry(ir.CTC, {}),
    "Circle": Entry(
        ir.Circle,
        {
            "gamma": Field(type=loose, default=80.0),
            "margin": Field(type=loose, default=0.4),
            "remove_diagonal": Field(type=flag, default=True),
        },
    ),
}
SHORT = {
    "mse": "MeanSquaredError",
    "mae": "MeanAbsoluteError",
    "mape": "MeanAbsolutePercentageError",
    "msle": "MeanSquaredLogarithmicError",
    "bce": "BinaryCrossentropy",
    "kld": "KLDivergence",
    "kullbackleiblerdivergence": "KLDivergence",
    "cosine": "CosineSimilarity",
    "cosineproximity": "CosineSimilarity",
    "huberloss": "Huber",
}


def bare(name: str) -> str:
    """A name without case and underscores, which is all that functions and classes differ by."""
    return name.rpartition(">")[2].replace("_", "").lower()


NAMES = {bare(name): name for name in LOSSES} | SHORT


def loss_of(raw: Any, dialect: Dialect, at: str = "") -> tuple[ir.Loss | None, list[Fault]]:
    """A loss as a file has it: a name, or a class or function with its config; null is none."""
    if raw is None:
        return None, []
    try:
        name, config = _parts(raw)
    except Wrong as wrong:
        return None, [Fault("KC104", f"{at}/config", "has a wrong type", expected=wrong.expected)]
    entry = LOSSES.get(NAMES.get(bare(name), ""))
    if entry is None:
        hint = suggestion(name, LOSSES)
        return None, [Fault("KC201", at, f"loss `{name}` is not supported", hint=hint)]
    c, faults = read({**COMMON, **entry.fields}, config, dialect, base=frozenset())
    if faults:
        return None, [dataclasses.replace(f, key=f"{at}/config/{f.key}".rstrip("/")) for f in faults]
    return _made(entry, c, dialect), []


def _parts(raw: Any) -> tuple[str, Json]:
    if isinstance(raw, str):
        return raw, {}
    if not isinstance(raw, dict):
        return str(raw), {}
    name, config = str(raw.get("class_name", "")), raw.get("config")
    if isinstance(config, str):  # a function
        return config, {}
    config = members(config)
    if bare(name) in ("lossfunctionwrapper", "function"):
        fn = config.get("fn")
        return (fn if isinstance(fn, str) else _parts(fn)[0]), config
    return name, config


def _made(entry: Entry, c: Config, dialect: Dialect) -> ir.Loss:
    mask_rule, mask_epsilon, divisor = REDUCED[dialect.flavour].at(dialect)
    own = {name: getattr(c, name) for name in entry.fields}
    made: ir.Loss = entry.cls(
        reduction=c.reduction,
        mask_rule=mask_rule,
        mask_epsilon=mask_epsilon,
        divisor=divisor,
        **own,
        **(entry.fixed or _nothing)(dialect),
    )
    return made
