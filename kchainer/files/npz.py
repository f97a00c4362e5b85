"""Arrays of an ``.npz`` file of unknown origin: no pickles, sizes checked before anything is read."""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from kchainer.files.archive import zip_errors
from kchainer.files.limits import DEFAULT, Limits, breach, failure
from kchainer.files.opening import open_regular

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

_PIECE = 2**22
_KINDS = "fiubUc"


class NpzFile:
    """The arrays of an ``.npz`` by name. Every method raises ``KchainerError`` for what the file does wrong."""

    def __init__(self, path: str | os.PathLike[str], *, limits: Limits = DEFAULT) -> None:
        self.name, self.limits = os.fspath(path), limits
        self._file = open_regular(path)
        try:
            with zip_errors(self.name, limits):
                self._zip = zipfile.ZipFile(self._file)
                self._members = {i.filename.removesuffix(".npy"): i for i in self._zip.infolist()}
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def read(self, name: str) -> Array:
        """An array that the caller owns."""
        import numpy

        with zip_errors(self.name, self.limits), self._zip.open(self._member(name)) as member:
            shape, column_major, dtype = self._header(member, name)
            array = numpy.empty(shape[::-1] if column_major else shape, dtype)
            self._fill(member, array)
            return array.T if column_major else array

    def copy_to(self, name: str, target: Array) -> None:
        """Fill an array of the same shape, piece by piece where both stand in rows."""
        import numpy

        with zip_errors(self.name, self.limits), self._zip.open(self._member(name)) as member:
            shape, column_major, dtype = self._header(member, name)
            if shape != target.shape:
                message = f"`{name}` has another shape than the network's"
                raise failure("KC403", f"{message}: {list(shape)}, not {list(target.shape)}", self.name)
            if column_major or not target.flags.c_contiguous:
                numpy.copyto(target, self.read(name), casting="same_kind")
                return
            flat, at = target.reshape(-1), 0
            while at < flat.size:
                piece = numpy.empty(min(flat.size - at, _PIECE // dtype.itemsize), dtype)
                self._fill(member, piece)
                numpy.copyto(flat[at : at + piece.size], piece, casting="same_kind")
                at += piece.size
            member.read(1)  # the CRC is checked where the member ends

    def _member(self, name: str) -> zipfile.ZipInfo:
        if name not in self._members:
            raise failure("KC401", f"the file has no array `{name}`", self.name)
        return self._members[name]

    def _header(self, member: Any, name: str) -> tuple[tuple[int, ...], bool, Any]:
        from numpy.lib import format as npy

        version = npy.read_magic(member)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, column_major, dtype = read(member)
        if dtype.hasobject or dtype.kind not in _KINDS or not dtype.itemsize:
            raise failure("KC404", f"`{name}` holds no numbers or texts", self.name)
        size = math.prod(shape) * dtype.itemsize
        if size > self.limits.model_bytes:
            raise breach(self.limits, "model_bytes", f"the size of `{name}`", size, self.name)
        if size > self._members[name].file_size:
            raise failure("KC905", f"the file is damaged: `{name}` is cut off", self.name)
        return shape, column_major, dtype

    @staticmethod
    def _fill(member: Any, array: Array) -> None:
        view, at = memoryview(array.reshape(-1).view("u1").data), 0
        while at < len(view):
            count = member.readinto(view[at : at + _PIECE])
            if not count:
                raise EOFError("an array is cut off")
            at += count
