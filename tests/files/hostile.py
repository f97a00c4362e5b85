"""What the tests of readers share: reading all of a file, and writing hostile ones."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import h5py

from kchainer.diagnostics import KchainerError
from kchainer.files import KerasArchive, WeightFile


def read_everything(data: bytes) -> dict[str, Any]:
    """Every attribute and array of an HDF5 file."""
    with WeightFile.open(io.BytesIO(data), name="m.h5") as file:
        found: dict[str, Any] = {"/": file.attributes("/")}
        for path in file.datasets():
            found[path] = (file.attributes(path), file.read(path))
        return found


def read_archive(data: bytes) -> KerasArchive:
    """An archive and all its arrays."""
    archive = KerasArchive.open(io.BytesIO(data), name="m.keras")
    for path in archive.weights.datasets() if archive.weights else []:
        archive.weights.read(path)
    return archive


def hdf5(write: Callable[[h5py.File], object], **options: Any) -> bytes:
    """The bytes of a file that h5py writes."""
    memory = io.BytesIO()
    with h5py.File(memory, "w", **options) as file:
        write(file)
    return memory.getvalue()


def code_of(call: Callable[[], object]) -> str:
    """The code of the first diagnostic that a call raises, or `ok`."""
    try:
        call()
    except KchainerError as error:
        assert str(error)
        assert all(sign.isprintable() or sign == "\n" for sign in str(error))
        return error.diagnostics[0].code
    return "ok"
