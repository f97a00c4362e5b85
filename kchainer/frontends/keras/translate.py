"""The table of translators: Keras class name -> fields and function."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

from kchainer.frontends.fields import Config, Field
from kchainer.frontends.keras.dialect import Dialect
from kchainer.ir.op import Op, Shape

# An op, or a chain of ops of which the first owns the params.
Translated = Op | tuple[Op, ...]
Function = Callable[[Config, tuple[Shape, ...], Dialect], Translated]


@dataclasses.dataclass(frozen=True, slots=True)
class Translator:
    """How one Keras class is read; ``initial`` gives the fields that describe each param."""

    fields: Mapping[str, Field]
    function: Function


TRANSLATORS: dict[str, Translator] = {}

# Keys of every layer, which graph.py reads.
BASE_KEYS = frozenset(
    [
        "name",
        "trainable",
        "dtype",
        "batch_input_shape",
        "batch_shape",
        "input_dtype",
        "dynamic",
        "input_dim",
        "input_length",
        "input_shape",
        "cache_enabled",
        "custom_name",
        "autocast",
        "activity_regularizer",
    ]
)


def translates(*names: str, fields: Mapping[str, Field] | None = None) -> Callable[[Function], Function]:
    """Register a translator for these class names."""

    def register(function: Function) -> Function:
        made = Translator(fields or {}, function)
        for name in names:
            if TRANSLATORS.setdefault(name, made) is not made:
                raise TypeError(f"{name} has two translators")
        return function

    return register
