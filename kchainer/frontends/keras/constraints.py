"""Constraints of every release."""

from __future__ import annotations

from typing import Any

from kchainer.frontends.fields import Config, Field, integer, number
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.named import Kind
from kchainer.ir import constraints as ir
from kchainer.ir.definition import Setting

CONSTRAINTS = Kind("a constraint")


def _axes(v: Any) -> tuple[int, ...]:
    return tuple(integer(a) for a in v) if isinstance(v, (list, tuple)) else (integer(v),)


AXIS = {"axis": Field(type=_axes, default=0)}


@CONSTRAINTS.register(
    "MaxNorm", "maxnorm", fields={"max_value": Field(type=number, was="m", default=2.0), **AXIS}
)
def max_norm(c: Config, dialect: Dialect) -> Setting:
    return ir.MaxNorm(max=c.max_value, axes=c.axis)


@CONSTRAINTS.register(
    "MinMaxNorm",
    fields={
        "min_value": Field(type=number, was="low", default=0.0),
        "max_value": Field(type=number, was="high", default=1.0),
        "rate": Field(type=number, default=1.0),
        **AXIS,
    },
)
def min_max_norm(c: Config, dialect: Dialect) -> Setting:
    return ir.MinMaxNorm(min=c.min_value, max=c.max_value, rate=c.rate, axes=c.axis)


@CONSTRAINTS.register("UnitNorm", "unitnorm", fields=AXIS)
def unit_norm(c: Config, dialect: Dialect) -> Setting:
    return ir.UnitNorm(axes=c.axis)


@CONSTRAINTS.register("NonNeg", "nonneg")
def non_neg(c: Config, dialect: Dialect) -> Setting:
    return ir.NonNeg()


@CONSTRAINTS.register("RadialConstraint")
def radial(c: Config, dialect: Dialect) -> Setting:
    return ir.Radial()
