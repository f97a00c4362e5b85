"""Bytes at an offset, the same from a file, from a window of one, and from memory."""

from __future__ import annotations

import os
from typing import BinaryIO

from kchainer.files.opening import size_of


class Source:
    """A bounded part of an open file, read at offsets.

    Positioned reads leave the position of the file alone, so that several sources may share one.
    """

    def __init__(self, file: BinaryIO, name: str, start: int = 0, size: int | None = None) -> None:
        whole = size_of(file, name)
        self.start = start
        self.size = whole - start if size is None else min(size, whole - start)
        self._file = file
        self._descriptor = _descriptor(file)

    def read(self, offset: int, size: int) -> bytes:
        """Exactly `size` bytes.

        Raises:
            EOFError: They are not all inside.
        """
        self._check(offset, size)
        if self._descriptor is None:
            self._file.seek(self.start + offset)
            data = self._file.read(size)
        else:
            data = os.pread(self._descriptor, size, self.start + offset)
        if len(data) == size:
            return data
        target = bytearray(size)  # the system returns fewer bytes at a signal, or of more than 2 GiB
        self.read_into(offset, memoryview(target))
        return bytes(target)

    def read_into(self, offset: int, target: memoryview) -> None:
        """Fill `target` without a second copy.

        Raises:
            EOFError: The bytes are not all inside.
        """
        target = target.cast("B")
        self._check(offset, len(target))
        done = 0
        while done < len(target):
            count = self._into(self.start + offset + done, target[done:])
            if not count:
                raise EOFError("the file became shorter")
            done += count

    def _into(self, offset: int, target: memoryview) -> int:
        if self._descriptor is not None and hasattr(os, "preadv"):
            return os.preadv(self._descriptor, [target], offset)
        self._file.seek(offset)
        piece = self._file.read(min(len(target), 2**24))
        target[: len(piece)] = piece
        return len(piece)

    def _check(self, offset: int, size: int) -> None:
        if offset < 0 or size < 0 or offset + size > self.size:
            raise EOFError(f"{size:,} bytes at {offset:,} lie outside of it")


def _descriptor(file: BinaryIO) -> int | None:
    if not hasattr(os, "pread"):
        return None
    try:
        return file.fileno()
    except (OSError, AttributeError, ValueError):
        return None
