"""Every translator, by family. Importing this package fills the table."""

from kchainer.frontends.keras.layers import (
    activation,
    attention,
    conv,
    core,
    embed,
    legacy,
    masking,
    merge,
    noise,
    norm,
    pool,
    preprocessing,
    recurrent,
    reshape,
    steps,
    wrap,
)

__all__ = [
    "activation",
    "attention",
    "conv",
    "core",
    "embed",
    "legacy",
    "masking",
    "merge",
    "noise",
    "norm",
    "pool",
    "preprocessing",
    "recurrent",
    "reshape",
    "steps",
    "wrap",
]
