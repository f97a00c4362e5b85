"""Weights of Keras 3 in several HDF5 files, found by the JSON index beside them (`.weights.json`)."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kchainer.diagnostics import Diagnostics, KchainerError
from kchainer.files.limits import DEFAULT, Limits, breach, failure
from kchainer.files.opening import open_regular, sniff
from kchainer.files.text import load_json
from kchainer.files.weight_file import TensorInfo, WeightFile

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

# A file beside the index: no folder, drive or stream, and nothing that a terminal would not print.
_PLAIN = re.compile(r"[^/\\:\x00-\x1f\x7f]+\.h5")
_MAP = "weight_map"


@dataclasses.dataclass(frozen=True, slots=True)
class _Entry:
    """A group of arrays, the files that hold them, and where the index says so."""

    group: str
    files: tuple[str, ...]
    pointer: str


def is_index(data: object) -> bool:
    """Whether a JSON document is the index of sharded weights."""
    return isinstance(data, dict) and _MAP in data


class ShardedWeights(WeightFile):
    """The arrays of all shards, as those of one file. Every shard is opened at once, and each by its checked name.

    The size that an index states is a hint, which nothing here goes by.
    """

    def __init__(
        self, index: bytes, folder: str | os.PathLike[str], *, name: str, limits: Limits = DEFAULT
    ) -> None:
        # not the base's: there is no file of its own
        self.name = name
        self.limits = limits
        self.diagnostics = Diagnostics(name, limits.diagnostics)
        self._text = index.decode("utf-8", "replace")
        entries = self._entries(load_json(index, name=name, limits=limits))
        self._shards: dict[str, WeightFile] = {}
        self._holders: dict[str, WeightFile] = {}
        try:
            self._open(entries, Path(folder))
            self._find_arrays(entries)
        except BaseException:
            self.close()
            raise

    def attributes(self, path: str = "/") -> dict[str, Any]:
        """Of a group, those of the first shard that has it; the root has none."""
        if path.strip("/"):
            for shard in self._shards.values():
                if path in shard:
                    return shard.attributes(path)
        return {}

    def children(self, group: str = "/") -> list[str]:
        """Names in a group, in the order of the shards."""
        found = [name for s in self._shards.values() if s.is_group(group) for name in s.children(group)]
        return list(dict.fromkeys(found))

    def is_group(self, path: str) -> bool:
        """True for a group of any shard."""
        return any(shard.is_group(path) for shard in self._shards.values())

    def __contains__(self, path: str) -> bool:
        return any(path in shard for shard in self._shards.values())

    def dataset(self, path: str) -> TensorInfo:
        """Shape and type of an array, checked; its data is not read."""
        return self._holder(path).dataset(path)

    def datasets(self) -> list[str]:
        """The paths of all arrays, in the order of the index."""
        return list(self._holders)

    def read(self, path: str) -> Array:
        """An array that the caller owns."""
        return self._holder(path).read(path)

    def copy_to(self, path: str, target: Array) -> None:
        """Fill an array of the same shape."""
        self._holder(path).copy_to(path, target)

    def close(self) -> None:
        """Close all shards."""
        for shard in self._shards.values():
            shard.close()

    def _holder(self, path: str) -> WeightFile:
        path = f"/{path.strip('/')}"
        if path not in self._holders:
            raise failure("KC401", "no shard has such an array", self.name, pointer=path)
        return self._holders[path]

    def _fail(self, code: str, message: str, pointer: str, found: str | None = None) -> KchainerError:
        """An error at a place of the index."""
        told = Diagnostics(self.name)
        told.error(code, message, pointer=pointer, found=found)
        return KchainerError(*told.located(self._text).items)

    def _entries(self, index: Any) -> list[_Entry]:
        table = index.get(_MAP) if isinstance(index, dict) else None
        if not isinstance(table, dict):
            raise self._fail("KC104", f"`{_MAP}` of the index is no object", f"/{_MAP}")
        entries = [self._entry(group, files) for group, files in table.items()]
        count = len({name for entry in entries for name in entry.files})
        if count > self.limits.shards:
            raise breach(self.limits, "shards", "the number of shards", count, self.name, f"/{_MAP}")
        return entries

    def _entry(self, group: str, files: Any) -> _Entry:
        pointer = f"/{_MAP}/{group.replace('~', '~0').replace('/', '~1')}"
        parts = group.split("/")
        if parts[0] or parts[-1] != "vars" or any(part in ("", ".", "..") for part in parts[1:]):
            raise self._fail("KC104", "the index names a group that Keras does not write", pointer, group)
        names = [files] if isinstance(files, str) else files
        if not isinstance(names, list) or not names:
            raise self._fail("KC104", "the index gives no list of files for a group", pointer)
        for name in names:
            if not isinstance(name, str) or not _PLAIN.fullmatch(name):
                message = "the index names a file that is none beside it"
                raise self._fail("KC104", message, pointer, str(name)[:80])
        return _Entry(group, tuple(dict.fromkeys(names)), pointer)

    def _open(self, entries: list[_Entry], folder: Path) -> None:
        pointers = {name: entry.pointer for entry in reversed(entries) for name in entry.files}
        # together they may use what one file may
        share = max(self.limits.hdf5_metadata_bytes // max(len(pointers), 1), 2**16)
        limits = dataclasses.replace(self.limits, hdf5_metadata_bytes=share)
        for name, pointer in pointers.items():
            path = folder / name
            try:
                file = open_regular(path, follow=False)
            except KchainerError as error:
                said = error.diagnostics[0].message.removeprefix("cannot read the file: ")
                raise self._fail("KC101", f"cannot read a shard: {said}", pointer, name) from error
            with contextlib.ExitStack() as stack:
                stack.callback(file.close)
                kind = sniff(file.read(512))
                if kind != "hdf5":
                    raise self._fail("KC106", f"a shard is no HDF5 file (content: {kind})", pointer, name)
                file.seek(0)
                self._shards[name] = WeightFile.open(file, name=os.fspath(path), limits=limits)
                self._shards[name]._owned = file
                stack.pop_all()

    def _find_arrays(self, entries: list[_Entry]) -> None:
        for entry in entries:
            for name in entry.files:
                self._take(entry, name, self._shards[name])
        size = 0
        for name, shard in self._shards.items():
            for path in shard.datasets():
                if self._holders.get(path) is not shard:
                    message = "a shard has an array that the index does not list there"
                    raise self._fail("KC905", message, f"/{_MAP}", f"{path} in {name}")
                size += shard.dataset(path).nbytes
            for odd in shard.diagnostics.items:
                self.diagnostics.add(odd)
        if len(self._holders) > self.limits.hdf5_objects:
            raise breach(self.limits, "hdf5_objects", "the number of arrays", len(self._holders), self.name)
        if size > self.limits.model_bytes:
            raise breach(self.limits, "model_bytes", "the size of all arrays", size, self.name)

    def _take(self, entry: _Entry, name: str, shard: WeightFile) -> None:
        """The arrays of a group that a shard holds."""
        every = shard.children(entry.group) if shard.is_group(entry.group) else []
        held = [child for child in every if not shard.is_group(f"{entry.group}/{child}")]
        if not held:
            message = "a shard has no array of a group that the index says it holds"
            raise self._fail("KC401", message, entry.pointer, f"{entry.group} in {name}")
        for child in held:
            path = f"{entry.group}/{child}"
            if path in self._holders:
                raise self._fail("KC905", "an array stands in two shards", entry.pointer, f"{path}, {name}")
            self._holders[path] = shard
