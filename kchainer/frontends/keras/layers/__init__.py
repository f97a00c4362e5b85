"""Every translator, by family. Importing this package fills the table."""

from kchainer.frontends.keras.layers import (
    activation,
    conv,
    core,
    embed,
    merge,
    noise,
    norm,
    pool,
    reshape,
    wrap,
)

__all__ = ["activation", "conv", "core", "embed", "merge", "noise", "norm", "pool", "reshape", "wrap"]
