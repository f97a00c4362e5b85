"""Arrays of an ``.npz`` into a network, as ``chainer.serializers.load_npz`` does, which also runs pickles."""

from __future__ import annotations

import os
from typing import Any

import chainer
import numpy as np

from kchainer.diagnostics import Diagnostic, KchainerError
from kchainer.files import DEFAULT, Limits, NpzFile


class _Filling(chainer.Deserializer):
    def __init__(self, file: NpzFile, path: str, read: set[str]) -> None:
        self.file, self.path, self.read = file, path, read

    def __getitem__(self, key: str) -> _Filling:
        return _Filling(self.file, f"{self.path}{key.strip('/')}/", self.read)

    def __call__(self, key: str, value: Any) -> Any:
        name = self.path + key.lstrip("/")
        self.read.add(name)
        if isinstance(value, np.ndarray):
            self.file.copy_to(name, value)
            return value
        array = self.file.read(name)
        return array if value is None else type(value)(array)


def fill(net: chainer.Link, path: str | os.PathLike[str], limits: Limits = DEFAULT) -> None:
    """Fill all parameters and persistent values of a network on the CPU, each array read into its place.

    Raises:
        KchainerError: the file is damaged, or its arrays are not those of the network.
    """
    read: set[str] = set()
    with NpzFile(path, limits=limits) as file:
        _Filling(file, "", read).load(net)
        left = sorted(set(file) - read)
    if left:
        message = f"the network has no `{left[0]}`" + (f", and {len(left) - 1} more" if left[1:] else "")
        raise KchainerError(Diagnostic(code="KC402", message=message, file=os.fspath(path)))
