"""Reading hostile files within limits, and writing so that nothing is ever half there."""

from __future__ import annotations

from kchainer.files.archive import KerasArchive
from kchainer.files.limits import DEFAULT, Limits, breach
from kchainer.files.npz import NpzFile
from kchainer.files.opening import Kind, open_regular, read_bytes, sniff, stdin_bytes
from kchainer.files.output import atomic_directory, atomic_write, refuse_same_file
from kchainer.files.sharded import ShardedWeights, is_index
from kchainer.files.text import load_json, load_yaml
from kchainer.files.weight_file import TensorInfo, WeightFile

__all__ = [
    "DEFAULT",
    "KerasArchive",
    "Kind",
    "Limits",
    "NpzFile",
    "ShardedWeights",
    "TensorInfo",
    "WeightFile",
    "atomic_directory",
    "atomic_write",
    "breach",
    "is_index",
    "load_json",
    "load_yaml",
    "open_regular",
    "read_bytes",
    "refuse_same_file",
    "sniff",
    "stdin_bytes",
]
