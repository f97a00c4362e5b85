"""Reading the structure of a file within a budget, and the exceptions that mean it is refused."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import Any

from kchainer.files.source import Source

UNDEFINED = 0xFFFFFFFFFFFFFFFF
# A read of one byte costs time too.
_CHEAPEST_READ = 64


class Refused(Exception):
    """A structure that is legal HDF5, or pretends to be, and is not read; `code` says of which kind."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Exceeded(Exception):
    """A limit was exceeded: its name, of what, and the value if it is known."""

    def __init__(self, limit: str, what: str, found: int | None = None) -> None:
        super().__init__(what)
        self.limit = limit
        self.what = what
        self.found = found


class Damaged(Exception):
    """The structure contradicts itself."""


class Metadata:
    """The structure of a file; also the file object that pyfive's heaps and trees read from.

    B-trees and heaps may point anywhere, in circles too, so what is read in all is limited.
    """

    def __init__(self, source: Source, budget: int) -> None:
        self.source = source
        self._left = budget
        self._at = 0

    def at(self, offset: int, size: int) -> bytes:
        """Exactly `size` bytes at `offset`."""
        self._left -= max(size, _CHEAPEST_READ)
        if self._left < 0:
            raise Exceeded("hdf5_metadata_bytes", "the structure of the file")
        return self.source.read(offset, size)

    def numbers(self, form: str, offset: int) -> tuple[Any, ...]:
        """Little-endian values as `struct` names them."""
        form = "<" + form
        return struct.unpack(form, self.at(offset, struct.calcsize(form)))

    def read(self, size: int = -1) -> bytes:
        """As a file's, but short reads and reads without a size are errors."""
        data = self.at(self._at, size)
        self._at += size
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """As a file's; the end is that of the source."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.source.size}[whence]
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        """As a file's."""
        return self._at


class Tree:
    """The nodes of a tree of version 1, level by level; ``add`` the children of those above the leaves."""

    def __init__(self, meta: Metadata, root: int, kind: int, what: str) -> None:
        self.meta, self.kind, self.what = meta, kind, what
        self._nodes: list[tuple[int, int | None]] = [(root, None)]

    def add(self, address: int, level: int) -> None:
        """A child of a node of this level."""
        self._nodes.append((address, level - 1))

    def nodes(self, size: int) -> Iterator[tuple[int, int, Fields]]:
        """Level, count of entries, and the entries of this many bytes each."""
        seen: set[int] = set()
        for address, expected in self._nodes:  # grows while it is walked
            signature, kind, level, count = self.meta.numbers("4sBBH", address)
            if (
                signature != b"TREE"
                or kind != self.kind
                or (expected is not None and level != expected)
                or address in seen
            ):
                raise Damaged(f"{self.what} contradicts itself")
            seen.add(address)
            yield level, count, Fields(self.meta.at(address + 24, count * size))


class Fields:
    """A buffer read from front to back."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, form: str) -> tuple[Any, ...]:
        """The next values, little-endian."""
        form = "<" + form
        return struct.unpack(form, self.raw(struct.calcsize(form)))

    def number(self, form: str) -> int:
        """The next value."""
        value: int = self.take(form)[0]
        return value

    def raw(self, size: int, multiple: int = 1) -> bytes:
        """The next `size` bytes; the position moves on to a multiple."""
        end = self.at + size
        if size < 0 or end > len(self.data):
            raise Damaged("a message is shorter than its content")
        data = self.data[self.at : end]
        self.at += -(-size // multiple) * multiple
        return data

    def rest(self) -> bytes:
        """All that was not taken."""
        return self.data[self.at :]
