"""The layer that makes masks."""

from __future__ import annotations

from typing import Any

from kchainer.frontends.fields import Config, Field, number
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.translate import Translated, translates
from kchainer.ir import ops
from kchainer.ir.op import Shape


def mask_value(v: Any) -> float:
    """A number, or the array of one that Keras 3 writes for it."""
    if isinstance(v, dict) and isinstance(v.get("config"), dict):
        v = v["config"].get("value")
    return number(v)


@translates("Masking", fields={"mask_value": Field(type=mask_value, default=0.0)})
def masking(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.Masking(value=c.mask_value)
