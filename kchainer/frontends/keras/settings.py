"""What a config says of each param: initializer, regularizer, constraint."""

from __future__ import annotations

from typing import Any

from kchainer.frontends.fields import Config, Field, ignored
from kchainer.frontends.keras.dialect import Dialect

KINDS = ("initializer", "regularizer", "constraint")
# Names of Keras 0.3 and 1.
KERAS1 = {
    "kernel_initializer": "init",
    "kernel_regularizer": "W_regularizer",
    "kernel_constraint": "W_constraint",
    "recurrent_initializer": "inner_init",
    "recurrent_regularizer": "U_regularizer",
    "bias_regularizer": "b_regularizer",
    "bias_constraint": "b_constraint",
    "embeddings_initializer": "init",
    "embeddings_regularizer": "W_regularizer",
    "embeddings_constraint": "W_constraint",
    "depthwise_initializer": "init",
    "depthwise_regularizer": "depthwise_regularizer",
    "gamma_initializer": "gamma_init",
    "beta_initializer": "beta_init",
    "alpha_initializer": "init",
}


def param_fields(*prefixes: str) -> dict[str, Field]:
    """The three fields of each param, with their Keras 1 names."""
    names = [f"{prefix}_{kind}" for prefix in prefixes for kind in KINDS]
    return {name: Field(type=ignored, was=KERAS1.get(name), default=None) for name in names}


def settings_of(config: Config | None, dialect: Dialect) -> dict[str, dict[str, Any]]:
    """By prefix ("kernel"), what the file states. Kept as the file writes it; training reads it."""
    out: dict[str, dict[str, Any]] = {}
    for name, value in vars(config).items() if config is not None else ():
        prefix, _, kind = name.rpartition("_")
        if kind in KINDS and value is not None:
            out.setdefault(prefix, {})[kind] = value
    return out
