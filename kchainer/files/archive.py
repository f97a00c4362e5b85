"""`.keras` archives: a zip with a config, metadata and weights."""

from __future__ import annotations

import io
import lzma
import re
import stat
import struct
import tempfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Self

from kchainer.diagnostics import Diagnostics, KchainerError
from kchainer.files.limits import DEFAULT, Limits, breach, failure
from kchainer.files.opening import Opened, reason, sniff
from kchainer.files.source import Source
from kchainer.files.weight_file import WeightFile

_METADATA, _CONFIG, _WEIGHTS = "metadata.json", "config.json", "model.weights.h5"
_ASSET = re.compile(r"assets/(?:[a-z0-9_]+/)+vocabulary\.txt")
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_PIECE = 2**20
_IN_MEMORY = 2**25
_AGAIN = "get it again: it was cut off or changed"
_MANY_MEMBERS = 1_000


class KerasArchive(Opened):
    """The members of a `.keras` file that make a model; other members are never read.

    Attributes:
        metadata: metadata.json as it stands.
        config: config.json as it stands.
        weights: The weights, read in place where they are stored without compression; None if there are none.
        diagnostics: Warnings about members that Keras does not write.
    """

    def __init__(self, file: BinaryIO, *, name: str, limits: Limits = DEFAULT) -> None:
        self.name = name
        self.limits = limits
        self.diagnostics = Diagnostics(name, limits.diagnostics)
        self.weights: WeightFile | None = None
        self._file = file
        with zip_errors(name, limits):
            self._zip = self._directory()
            self._assets: dict[str, zipfile.ZipInfo] = {}
            self._members = self._checked_members()
            self.metadata = self._text(_METADATA)
            self.config = self._text(_CONFIG)
            self.weights = self._weights()

    @classmethod
    def open(cls, path_or_file: str | Path | BinaryIO, *, name: str, limits: Limits = DEFAULT) -> Self:
        """Open an archive; a file that was opened by the caller is not closed here."""
        return cls.of(path_or_file, name, lambda file: cls(file, name=name, limits=limits))

    def asset(self, name: str) -> bytes | None:
        """A vocabulary that the archive holds beside the weights; None if there is none of that name."""
        info = self._assets.get(name)
        if info is None:
            return None
        with zip_errors(self.name, self.limits):
            return b"".join(self._pieces(info))

    def _directory(self) -> zipfile.ZipFile:
        self._file.seek(0)
        if sniff(self._file.read(8)) != "zip":
            raise failure("KC106", "this is no .keras archive", self.name)
        self._count_members()
        return zipfile.ZipFile(self._file)

    def _count_members(self) -> None:
        """Before zipfile makes an object of each member: entries take 46 bytes or more."""
        source = Source(self._file, self.name)
        tail = source.read(max(0, source.size - 65_557), min(source.size, 65_557))
        at = tail.rfind(b"PK\x05\x06")
        if at < 0 or len(tail) - at < 22:
            raise failure("KC905", "the file is damaged: the archive is cut off", self.name, hint=_AGAIN)
        size = struct.unpack_from("<I", tail, at + 12)[0]
        # 0xffffffff stands for a size that a zip64 record holds; no directory of 10,000 members needs it
        if size > self.limits.zip_members * 4096:
            raise breach(self.limits, "zip_members", "the directory of the archive", None, self.name)

    def _checked_members(self) -> dict[str, zipfile.ZipInfo]:
        infos = self._zip.infolist()
        if len(infos) > self.limits.zip_members:
            raise breach(self.limits, "zip_members", "the number of members", len(infos), self.name)
        found: dict[str, zipfile.ZipInfo] = {}
        for info in infos:
            key = _normal(info.filename)
            if _ASSET.fullmatch(info.filename):
                if info.filename in self._assets:
                    raise failure("KC903", f"two members are named `{info.filename}`", self.name)
                self._check_member(info)
                self._assets[info.filename] = info
            elif key not in {_METADATA, _CONFIG, _WEIGHTS}:
                self._warn_of_name(info.filename)
            elif key in found:
                raise failure("KC903", f"two members are named `{key}`", self.name)
            elif info.filename != key:
                raise failure("KC903", f"member `{info.filename}` is meant to be `{key}`", self.name)
            else:
                self._check_member(info)
                found[key] = info
        if len(infos) > _MANY_MEMBERS:
            self.diagnostics.warn("KC903", f"the archive has {len(infos):,} members; few are read")
        return found

    def _warn_of_name(self, name: str) -> None:
        parts = name.replace("\\", "/").split("/")
        if (
            ".." in parts
            or name.startswith(("/", "\\"))
            or "\\" in name
            or ":" in name
            or not name.isprintable()
        ):
            self.diagnostics.warn("KC903", f"member `{name[:200]}` has a suspicious name; it is not read")

    def _check_member(self, info: zipfile.ZipInfo) -> None:
        problem = _problem(info)
        if problem:
            raise failure("KC903", f"member `{info.filename}` {problem}", self.name)
        ratio = info.file_size // max(info.compress_size, 1)
        if info.file_size > self.limits.zip_ratio_floor and ratio > self.limits.zip_ratio:
            raise breach(self.limits, "zip_ratio", f"the compression of `{info.filename}`", ratio, self.name)
        most = "model_bytes" if info.filename == _WEIGHTS else "text_bytes"
        if info.file_size > getattr(self.limits, most):
            raise breach(self.limits, most, f"the size of `{info.filename}`", info.file_size, self.name)

    def _text(self, name: str) -> bytes:
        if name not in self._members:
            hint = (
                "weights in another form than model.weights.h5 are not supported" if self._members else None
            )
            raise failure(
                "KC106", f"the archive has no `{name}`, so it is no .keras file", self.name, hint=hint
            )
        return b"".join(self._pieces(self._members[name]))

    def _pieces(self, info: zipfile.ZipInfo) -> Iterator[bytes]:
        """The bytes of a member; its end is read too, since only there zipfile checks the CRC."""
        left = info.file_size
        with self._zip.open(info) as member:
            while piece := member.read(_PIECE):
                left -= len(piece)
                if left < 0:
                    raise zipfile.BadZipFile("a member is longer than it says")
                yield piece
        if left:
            raise zipfile.BadZipFile("a member is shorter than it says")

    def _weights(self) -> WeightFile | None:
        info = self._members.get(_WEIGHTS)
        if info is None:
            return None
        name = f"{self.name}::{_WEIGHTS}"
        if info.compress_type == zipfile.ZIP_DEFLATED:
            # a large one goes to a file without a name, so that it does not stand in memory beside its arrays
            large = info.file_size > _IN_MEMORY
            inflated: BinaryIO = tempfile.TemporaryFile() if large else io.BytesIO()  # noqa: SIM115
            inflated.writelines(self._pieces(info))
            inflated.flush()
            return WeightFile(Source(inflated, name), name=name, limits=self.limits)
        for _ in self._pieces(info):  # reads it once, for the CRC
            pass
        source = Source(self._file, name, self._data_start(info), info.file_size)
        return WeightFile(source, name=name, limits=self.limits)

    def _data_start(self, info: zipfile.ZipInfo) -> int:
        """After the local header, whose name zipfile has compared by now."""
        header = Source(self._file, self.name).read(info.header_offset, 30)
        name, extra = struct.unpack_from("<HH", header, 26)
        return info.header_offset + 30 + int(name) + int(extra)


@contextmanager
def zip_errors(name: str, limits: Limits) -> Iterator[None]:
    """The one place where what a zip's bytes can make its reader raise becomes a diagnostic."""
    try:
        yield
    except KchainerError:
        raise
    except MemoryError as error:
        raise breach(limits, "model_bytes", "the memory that is needed", None, name) from error
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, struct.error) as error:
        message = f"the file is damaged: {reason(error)}"
        raise failure("KC905", message, name, hint=_AGAIN) from error
    except (NotImplementedError, RuntimeError, ValueError, KeyError, IndexError, OverflowError) as error:
        raise failure("KC903", f"the archive cannot be read: {reason(error)}", name) from error
    except OSError as error:
        raise failure("KC101", f"cannot read the file: {reason(error)}", name) from error


def _normal(name: str) -> str:
    """What a careless reader might take a name for."""
    name = unicodedata.normalize("NFKC", name).replace("\\", "/").casefold()
    parts = [part for part in name.split("/") if part not in {"", "."}]
    return "/".join(parts)


def _problem(info: zipfile.ZipInfo) -> str | None:
    """Why a member is refused, or None."""
    mode = info.external_attr >> 16
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if info.compress_type not in _METHODS:
        return f"is compressed by method {info.compress_type}, which is not supported"
    if info.is_dir() or info.external_attr & 0x10 or (stat.S_IFMT(mode) not in {0, stat.S_IFREG}):
        return "is a directory or a link"
    if info.compress_type == zipfile.ZIP_STORED and info.file_size != info.compress_size:
        return "has two different sizes"
    return None
