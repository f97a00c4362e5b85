"""Every emission, by family. Importing this package fills the table."""

from kchainer.emit import (
    activation,
    arrays,
    conv,
    core,
    embed,
    math,
    merge,
    noise,
    norm,
    pool,
    reshape,
    sequential,
    wrap,
)

__all__ = [
    "activation",
    "arrays",
    "conv",
    "core",
    "embed",
    "math",
    "merge",
    "noise",
    "norm",
    "pool",
    "reshape",
    "sequential",
    "wrap",
]
