"""Opening and naming files without trusting their names or their kind."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal, Self

from kchainer.files.limits import Limits, breach, failure

Kind = Literal["json", "yaml", "hdf5", "zip", "gzip", "pickle", "npy", "unknown"]

_SIGNATURES: tuple[tuple[bytes, Kind], ...] = (
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\x1f\x8b", "gzip"),
    (b"\x93NUMPY", "npy"),
)
_BOM = b"\xef\xbb\xbf"
_KINDS = {
    stat.S_ISDIR: "a directory",
    stat.S_ISFIFO: "a named pipe",
    stat.S_ISSOCK: "a socket",
    stat.S_ISCHR: "a device",
    stat.S_ISBLK: "a device",
}


def open_regular(path: str | os.PathLike[str], *, name: str | None = None, follow: bool = True) -> BinaryIO:
    """Open a regular file for reading; a link to one is followed unless ``follow`` is false. Others are refused.

    Hand the file on instead of its path, so that what was checked is what is read.

    Raises:
        KchainerError: KC101.
    """
    shown = os.fspath(path) if name is None else name
    # Without O_NONBLOCK the open of a named pipe waits for a writer, forever.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    if not follow:
        flags |= getattr(os, "O_NOFOLLOW", 0)
        if os.path.islink(path):  # noqa: PTH114  told better than by the flag, which guards against a change meanwhile
            raise failure("KC101", "cannot read the file: it is a link", shown)
    try:
        descriptor = os.open(path, flags)
    except (OSError, ValueError) as error:
        raise failure("KC101", f"cannot read the file: {reason(error)}", shown) from error
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise failure("KC101", f"cannot read the file: it is {_kind(mode)}", shown)  # noqa: TRY301  the descriptor is closed below
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def open_input(path_or_file: str | Path | BinaryIO, name: str) -> tuple[BinaryIO, bool]:
    """The file, and whether it was opened here (so that it must be closed here)."""
    if isinstance(path_or_file, (str, os.PathLike)):
        return open_regular(path_or_file, name=name), True
    return path_or_file, False


class Opened:
    """Base of readers of a file: it is closed with the reader, unless the caller had opened it."""

    _owned: BinaryIO | None = None

    @classmethod
    def of(cls, path_or_file: str | Path | BinaryIO, name: str, make: Callable[[BinaryIO], Self]) -> Self:
        """What ``make`` makes of a file; one that is opened here is closed where that fails."""
        file, owned = open_input(path_or_file, name)
        try:
            opened = make(file)
        except BaseException:
            if owned:
                file.close()
            raise
        opened._owned = file if owned else None
        return opened

    def close(self) -> None:
        """Close the file, if it was opened here."""
        if self._owned is not None:
            self._owned.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read_bytes(file: BinaryIO, limit: int, name: str) -> bytes:
    """All bytes from where the file stands, read in pieces; a pipe may be read too.

    Raises:
        KchainerError: More than `limit` bytes (KC901), or the system cannot read them (KC101).
    """
    pieces: list[bytes] = []
    left = limit + 1
    try:
        while left > 0 and (piece := file.read(min(left, 2**20))):
            pieces.append(piece)
            left -= len(piece)
    except (OSError, ValueError) as error:
        raise failure("KC101", f"cannot read the file: {reason(error)}", name) from error
    if left <= 0:
        raise breach(Limits(text_bytes=limit), "text_bytes", "the size of the text", None, name)
    return b"".join(pieces)


def stdin_bytes(limit: int) -> bytes:
    """All of standard input, within `limit`."""
    return read_bytes(sys.stdin.buffer, limit, "<stdin>")


def sniff(head: bytes) -> Kind:
    """The kind of a file by its first bytes (a few hundred are enough), never by its name."""
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    text = head.removeprefix(_BOM).lstrip(b" \t\r\n")
    # Protocol 2 and later; older pickles are text that no JSON or YAML model starts with.
    if head[:1] == b"\x80" and head[1:2] in {b"\x02", b"\x03", b"\x04", b"\x05"}:
        return "pickle"
    if text[:1] in {b"{", b"["}:
        return "json"
    return "yaml" if text and _is_text(text) else "unknown"


def size_of(file: BinaryIO, name: str) -> int:
    """The size in bytes; the position is at the start afterwards."""
    try:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
    except (OSError, ValueError) as error:
        raise failure("KC101", f"cannot read the file: {reason(error)}", name) from error
    return size


def reason(error: BaseException) -> str:
    """What the system says, in lower case and without the path that it may repeat."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text[:1].lower() + text[1:]


def _kind(mode: int) -> str:
    return next((what for test, what in _KINDS.items() if test(mode)), "no regular file")


def _is_text(head: bytes) -> bool:
    """True if there are no control characters and the bytes are UTF-8, cut off anywhere."""
    if any(byte < 32 and byte not in (9, 10, 13) for byte in head):
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return len(head) - error.start < 4 and error.reason == "unexpected end of data" and b":" in head
    return b":" in head
