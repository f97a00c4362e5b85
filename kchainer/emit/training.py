"""Optimizers and losses as described calls; nothing is built here."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from kchainer.ir import losses as ir_losses
from kchainer.ir.losses import Loss
from kchainer.ir.parts import Part


@dataclasses.dataclass(frozen=True, slots=True)
class Made:
    """``target(**args)``; an argument may be made, too, or a function's name (``Named``)."""

    target: str
    args: Mapping[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Named:
    """Something that is passed, not called."""

    target: str


# Functions of ``kchainer.functions.losses``.
FUNCTIONS: dict[type[Loss], str] = {
    ir_losses.MeanSquaredError: "mean_squared_error",
    ir_losses.MeanAbsoluteError: "mean_absolute_error",
    ir_losses.MeanAbsolutePercentageError: "mean_absolute_percentage_error",
    ir_losses.MeanSquaredLogarithmicError: "mean_squared_logarithmic_error",
    ir_losses.Hinge: "hinge",
    ir_losses.SquaredHinge: "squared_hinge",
    ir_losses.CategoricalHinge: "categorical_hinge",
    ir_losses.Huber: "huber",
    ir_losses.LogCosh: "log_cosh",
    ir_losses.KLDivergence: "kl_divergence",
    ir_losses.Poisson: "poisson",
    ir_losses.CosineSimilarity: "cosine_similarity",
    ir_losses.CategoricalCrossentropy: "categorical_crossentropy",
    ir_losses.CategoricalFocalCrossentropy: "categorical_focal_crossentropy",
    ir_losses.SparseCategoricalCrossentropy: "sparse_categorical_crossentropy",
    ir_losses.BinaryCrossentropy: "binary_crossentropy",
    ir_losses.BinaryFocalCrossentropy: "binary_focal_crossentropy",
    ir_losses.CategoricalGeneralizedCrossEntropy: "categorical_generalized_cross_entropy",
    ir_losses.Dice: "dice",
    ir_losses.Tversky: "tversky",
    ir_losses.CTC: "ctc",
    ir_losses.Circle: "circle",
}
REDUCED = ("reduction", "mask_rule", "mask_epsilon", "divisor")


def _attributes(one: Part) -> dict[str, Any]:
    return {f.name: getattr(one, f.name) for f in dataclasses.fields(one)}  # type: ignore[arg-type]  # made by a decorator


def optimizer(one: Part) -> Made:
    """An optimizer, its schedule or inner optimizer within; attributes are named as its arguments."""
    args = {k: optimizer(v) if isinstance(v, Part) else v for k, v in _attributes(one).items()}
    return Made(f"kchainer.optimizers.{one.name}", args)


def loss(one: Loss) -> Made:
    """A loss with its reduction."""
    attributes = _attributes(one)
    reduced = {name: attributes.pop(name) for name in REDUCED}
    function = Named(f"kchainer.functions.losses.{FUNCTIONS[type(one)]}")
    return Made(
        "kchainer.functions.weighting.Loss", {"function": function, "arguments": attributes, **reduced}
    )
