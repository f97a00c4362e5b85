"""Every emission, by family. Importing this package fills the table."""

from kchainer.emit import activation, conv, core, embed, merge, noise, norm, pool, reshape, sequential, wrap

__all__ = [
    "activation",
    "conv",
    "core",
    "embed",
    "merge",
    "noise",
    "norm",
    "pool",
    "reshape",
    "sequential",
    "wrap",
]
