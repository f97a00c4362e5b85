"""Regularizers of every release."""

from __future__ import annotations

from typing import Any

from kchainer.frontends.fields import Config, Field, Since, Wrong, number, one_of, optional
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.named import Kind
from kchainer.ir import regularizers as ir
from kchainer.ir.definition import Setting

REGULARIZERS = Kind("a regularizer")


def weight(v: Any) -> float:
    """A number of 0 or more; Keras writes 0-d arrays of them as numbers, and null for 0 in old files."""
    if number(0.0 if v is None else v) < 0:
        raise Wrong("a number of 0 or more")
    return float(v or 0.0)


BOTH = {"l1": Field(type=weight, default=0.0), "l2": Field(type=weight, default=0.0)}


def _both(c: Config, dialect: Dialect) -> Setting:
    return ir.L1L2(l1=c.l1, l2=c.l2, per_sample=False)


# As functions these stood for a penalty of 0.01 of each; Keras 3 makes the class of the name.
AS_FUNCTION = Field(type=weight, default=Since({"0.3": 0.01, "3.0": 0.0}))
REGULARIZERS.register("l1l2", "l1_l2", "activity_l1l2", fields={"l1": AS_FUNCTION, "l2": AS_FUNCTION})(_both)
REGULARIZERS.register("L1L2", "WeightRegularizer", "L1L2Regularizer", "ActivityRegularizer", fields=BOTH)(
    _both
)


@REGULARIZERS.register("L1", "activity_l1", fields={"l1": Field(type=weight, was="l", default=0.01)})
def l1(c: Config, dialect: Dialect) -> Setting:
    return ir.L1L2(l1=c.l1, l2=0.0, per_sample=False)


@REGULARIZERS.register("L2", "activity_l2", fields={"l2": Field(type=weight, was="l", default=0.01)})
def l2(c: Config, dialect: Dialect) -> Setting:
    return ir.L1L2(l1=0.0, l2=c.l2, per_sample=False)


@REGULARIZERS.register(
    "OrthogonalRegularizer",
    fields={
        "factor": Field(type=weight, default=0.01),
        "mode": Field(type=one_of("rows", "columns"), default="rows"),
    },
)
def orthogonal(c: Config, dialect: Dialect) -> Setting:
    return ir.Orthogonality(factor=c.factor, mode=c.mode)


# Keras 1 wrote its name alone
@REGULARIZERS.register("EigenvalueRegularizer", fields={"k": Field(type=optional(weight), default=None)})
def eigenvalue(c: Config, dialect: Dialect) -> Setting:
    return ir.Eigenvalue(k=c.k)


# A layer's output: divided by the batch size since tf.keras.
PER_SAMPLE = {"keras": Since({"0.3": False, "3.0": True}), "tf_keras": Since({"1.0": True})}
