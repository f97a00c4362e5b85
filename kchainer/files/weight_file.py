"""Weights in HDF5, as `.h5`, `.weights.h5` and inside `.keras`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from kchainer.diagnostics import Diagnostics, KchainerError
from kchainer.files.hdf5.attributes import Heaps, read_attributes
from kchainer.files.hdf5.chunks import copy_chunk, read_index
from kchainer.files.hdf5.datatype import DataType, read_dataspace, read_datatype
from kchainer.files.hdf5.header import DATASPACE, DATATYPE, Header, read_header, root_address
from kchainer.files.hdf5.links import check_name, read_links
from kchainer.files.hdf5.metadata import UNDEFINED, Damaged, Exceeded, Metadata, Refused
from kchainer.files.hdf5.storage import Storage, read_storage
from kchainer.files.limits import DEFAULT, Limits, breach, failure
from kchainer.files.opening import Opened, reason
from kchainer.files.source import Source

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]


_PIECE = 2**22


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorInfo:
    """What is known of an array before its data is read.

    Attributes:
        path: From the root, with a leading slash.
        shape: As stored.
        dtype: NumPy's name, or `bfloat16`, which is read as float32.
        nbytes: Of the array as stored.
    """

    path: str
    shape: tuple[int, ...]
    dtype: str
    nbytes: int


@dataclass(frozen=True, slots=True)
class _Dataset:
    info: TensorInfo
    type: DataType
    storage: Storage


class WeightFile(Opened):
    """Groups, attributes and arrays of an HDF5 file of unknown origin.

    Only what Keras writes is read. Every method raises `KchainerError` for what a file does wrong:
    KC404, KC901, KC902 or KC905; `KeyError` stays an error of the caller, for a path that is not there.
    """

    def __init__(self, source: Source, *, name: str, limits: Limits = DEFAULT) -> None:
        self.name = name
        self.limits = limits
        self.diagnostics = Diagnostics(name, limits.diagnostics)
        self._source = source
        self._meta = Metadata(source, limits.hdf5_metadata_bytes)
        self._heaps = Heaps(self._meta)
        self._headers: dict[str, Header] = {}
        self._links: dict[int, dict[str, int]] = {}
        self._linked = 0
        self._attributes: dict[int, dict[str, Any]] = {}
        self._datasets: dict[str, _Dataset] = {}
        self._paths: list[str] | None = None
        with self._guarded("/"):
            self._headers["/"] = read_header(self._meta, root_address(self._meta))
            if not self._headers["/"].is_group:
                raise Damaged("the root is no group")

    @classmethod
    def open(cls, path_or_file: str | Path | BinaryIO, *, name: str, limits: Limits = DEFAULT) -> Self:
        """Open a file; one that was opened by the caller is not closed here."""
        return cls.of(path_or_file, name, lambda file: cls(Source(file, name), name=name, limits=limits))

    def attributes(self, path: str = "/") -> dict[str, Any]:
        """Attributes of a group or dataset: str, int, float, bool, and lists of them.

        The parts of a list that Keras split (`layer_names0`, `layer_names1`) stand joined under its name.
        """
        header = self._header(path)
        if header.address not in self._attributes:
            with self._guarded(path):
                self._attributes[header.address] = read_attributes(
                    self._meta, self._heaps, header, self.limits
                )
        return dict(self._attributes[header.address])

    def children(self, group: str = "/") -> list[str]:
        """Names of the groups and datasets in a group, in the order of the file."""
        return list(self._children(_normal(group)))

    def is_group(self, path: str) -> bool:
        """True for a group, False for a dataset and for what is not there."""
        found = self._find(path)
        return found is not None and found.is_group

    def __contains__(self, path: str) -> bool:
        return self._find(path) is not None

    def dataset(self, path: str) -> TensorInfo:
        """Shape and type of an array, checked; its data is not read."""
        return self._dataset(_normal(path)).info

    def datasets(self) -> list[str]:
        """The paths of all arrays, groups walked in the order of the file."""
        if self._paths is None:
            self._paths = self._walk()
        return list(self._paths)

    def read(self, path: str) -> Array:
        """An array of native byte order that the caller owns; bfloat16 becomes float32."""
        found = self._dataset(_normal(path))
        with self._guarded(found.info.path):
            return self._decoded(found)

    def copy_to(self, path: str, target: Array) -> None:
        """Fill an array of the same shape, which may be a view in any order, piece by piece.

        So a large array is never in memory twice; one that is stored in chunks is read whole first.
        """
        import numpy

        found = self._dataset(_normal(path))
        with self._guarded(found.info.path):
            if found.storage.data is not None or found.storage.chunk is not None or not found.info.nbytes:
                numpy.copyto(target, self._decoded(found), casting="same_kind")
                return
            stored = numpy.dtype(_stored(found.type, found.info.dtype))
            for part, offset, shape in _pieces(found.info.shape, stored.itemsize):
                piece = numpy.empty(shape, stored)
                self._source.read_into(found.storage.address + offset, _bytes_of(piece))
                numpy.copyto(target[part], _native(piece, found.info.dtype), casting="same_kind")

    def _walk(self) -> list[str]:
        found: list[str] = []
        waiting, seen = ["/"], {self._headers["/"].address}
        while waiting:
            group = waiting.pop()
            groups = []
            for name in self._children(group):
                path = _join(group, name)
                header = self._header(path)
                if header.is_dataset:
                    found.append(path)
                elif header.address in seen:
                    self.diagnostics.warn(
                        "KC902", "a group stands in two places and is read in one", pointer=path
                    )
                else:
                    seen.add(header.address)
                    groups.append(path)
            waiting += reversed(groups)
        return found

    def _children(self, group: str) -> dict[str, int]:
        header = self._header(group)
        if header.address not in self._links:
            with self._guarded(group):
                if not header.is_group:
                    raise Damaged("a group was expected, and this is none")
                links = read_links(self._meta, header, self.limits.hdf5_objects)
                self._count(links)
            self._links[header.address] = links
        return self._links[header.address]

    def _count(self, links: dict[str, int]) -> None:
        self._linked += len(links)
        if self._linked > self.limits.hdf5_objects:
            raise Exceeded("hdf5_objects", "the number of objects")
        for name in links:
            if len(name) > self.limits.name_chars:
                raise Exceeded("name_chars", "the length of the name of an object", len(name))

    def _header(self, path: str) -> Header:
        header = self._find(path)
        if header is None:
            raise failure("KC401", "the file has no such group or dataset", self.name, pointer=_normal(path))
        return header

    def _find(self, path: str) -> Header | None:
        path = _normal(path)
        if path in self._headers:
            return self._headers[path]
        parts = path[1:].split("/")
        with self._guarded(path):
            if len(parts) > self.limits.hdf5_group_depth:
                raise Exceeded("hdf5_group_depth", "the depth of groups", len(parts))
        here = "/"
        for part in parts:
            below = _join(here, part)
            if below not in self._headers and not self._step(here, part, below):
                return None
            here = below
        return self._headers[here]

    def _step(self, group: str, name: str, path: str) -> bool:
        """Read the header of a child; False if there is none of that name."""
        if not self._headers[group].is_group:
            return False
        with self._guarded(path):
            check_name(name)
            links = self._children(group)
            if name not in links:
                return False
            header = read_header(self._meta, links[name])
            if not (header.is_group or header.is_dataset):
                raise Refused("KC902", "this is neither a group nor a dataset")
        self._headers[path] = header
        return True

    def _dataset(self, path: str) -> _Dataset:
        if path not in self._datasets:
            header = self._header(path)
            attributes = self.attributes(path) if header.is_dataset else {}
            with self._guarded(path):
                if not header.is_dataset:
                    raise Damaged("a dataset was expected, and this is a group")
                self._datasets[path] = self._described(path, header, attributes.get("dtype"))
        return self._datasets[path]

    def _described(self, path: str, header: Header, named: object) -> _Dataset:
        space, kind = header.one(DATASPACE), header.one(DATATYPE)
        if space is None or kind is None:
            raise Damaged("a dataset has no shape or no type")
        shape = read_dataspace(space)
        if shape is None:
            raise Refused("KC404", "the dataset holds no data")
        element = read_datatype(kind)
        dtype = _dtype(element, named)
        nbytes = self._checked_size(shape, element.size)
        storage = read_storage(header, len(shape), element.size)
        self._check_storage(storage, nbytes)
        return _Dataset(TensorInfo(path=path, shape=shape, dtype=dtype, nbytes=nbytes), element, storage)

    def _checked_size(self, shape: tuple[int, ...], itemsize: int) -> int:
        elements = math.prod(shape)
        found = {
            "rank": ("the rank of the dataset", len(shape)),
            "dim": ("the longest axis of the dataset", max(shape, default=0)),
            "tensor_elements": ("the number of elements of the dataset", elements),
            "model_bytes": ("the size of the dataset", elements * itemsize),
        }
        for limit, (what, value) in found.items():
            if value > getattr(self.limits, limit):
                raise Exceeded(limit, what, value)
        return elements * itemsize

    def _check_storage(self, storage: Storage, nbytes: int) -> None:
        if nbytes == 0:
            return
        if storage.data is not None:
            if len(storage.data) != nbytes:
                raise Damaged(f"the header holds {len(storage.data):,} of {nbytes:,} bytes of data")
        elif storage.address == UNDEFINED:
            raise Damaged("the data was never written")
        elif storage.chunk is None:
            self._check_contiguous(storage, nbytes)
        elif storage.size > self.limits.hdf5_chunk_bytes:
            raise Exceeded("hdf5_chunk_bytes", "the size of a chunk", storage.size)

    def _check_contiguous(self, storage: Storage, nbytes: int) -> None:
        if storage.size != nbytes:
            raise Damaged(f"the data has {storage.size:,} of {nbytes:,} bytes")
        if storage.address + nbytes > self._source.size:
            raise Damaged(f"{nbytes:,} bytes of data lie outside of it")

    def _decoded(self, dataset: _Dataset) -> Array:
        import numpy

        info = dataset.info
        stored = numpy.dtype(_stored(dataset.type, info.dtype))
        array = numpy.empty(info.shape, stored)
        if array.nbytes:
            self._fill(array, dataset)
        return _native(array, info.dtype)

    def _fill(self, array: Array, dataset: _Dataset) -> None:
        storage = dataset.storage
        if storage.data is not None:
            _bytes_of(array)[:] = storage.data
        elif storage.chunk is None:
            self._source.read_into(storage.address, _bytes_of(array))
        else:
            self._fill_chunks(array, storage)

    def _fill_chunks(self, array: Array, storage: Storage) -> None:
        chunks = read_index(self._meta, storage, array.shape)
        stored = sum(chunk.size for chunk in chunks)
        if array.nbytes > self.limits.hdf5_ratio_floor and array.nbytes > stored * self.limits.hdf5_ratio:
            raise Exceeded("hdf5_ratio", "the compression of the data", array.nbytes // max(stored, 1))
        for chunk in chunks:
            copy_chunk(self._meta, chunk, storage, array)

    @contextmanager
    def _guarded(self, path: str) -> Iterator[None]:
        """The one place where what bytes can make the readers and pyfive raise becomes a diagnostic."""
        try:
            yield
        except KchainerError:
            raise
        except Exceeded as error:
            raise breach(self.limits, error.limit, error.what, error.found, self.name, path) from error
        except Refused as error:
            raise failure(error.code, str(error), self.name, pointer=path) from error
        except MemoryError as error:
            raise breach(
                self.limits, "model_bytes", "the memory that is needed", None, self.name, path
            ) from error
        except OSError as error:
            raise failure(
                "KC101", f"cannot read the file: {reason(error)}", self.name, pointer=path
            ) from error
        except Exception as error:
            message = f"the file is damaged: {_said(error)}"
            hint = "get it again: it was cut off or changed"
            raise failure("KC905", message, self.name, pointer=path, hint=hint) from error


def _said(error: Exception) -> str:
    if isinstance(error, (Damaged, EOFError)):
        return str(error)
    return f"its structure contradicts itself ({type(error).__name__})"


def _normal(path: str) -> str:
    return "/" + path.strip("/")


def _join(group: str, name: str) -> str:
    return f"{group.rstrip('/')}/{name}"


def _dtype(element: DataType, named: object) -> str:
    """NumPy's name of a type; Keras 3 stores bfloat16 as two opaque bytes and says so in an attribute."""
    if element.kind == "bfloat16" or (element.kind == "opaque" and element.size == 2 and named == "bfloat16"):
        return "bfloat16"
    if element.kind == "bool":
        return "bool"
    if element.kind in {"int", "uint", "float"} and (element.kind != "uint" or element.size == 1):
        return f"{element.kind}{element.size * 8}"
    what = element.what or ("texts" if "text" in element.kind else f"{element.kind}{element.size * 8}")
    raise Refused("KC404", f"the dataset holds {what}, which are not supported as weights")


def _stored(element: DataType, dtype: str) -> str:
    if dtype in {"bfloat16", "bool"}:
        return (">" if element.big_endian else "<") + ("u2" if dtype == "bfloat16" else "u1")
    letter = {"int": "i", "uint": "u", "float": "f"}[element.kind]
    return f"{'>' if element.big_endian else '<'}{letter}{element.size}"


def _bytes_of(array: Array) -> memoryview:
    return array.reshape(-1).view("u1").data


def _native(array: Array, dtype: str) -> Array:
    """Values as stored in the byte order and the type that NumPy has for them."""
    import numpy

    if dtype == "bfloat16":
        return _from_bfloat16(array)
    if dtype == "bool":
        return array.astype(numpy.bool_)
    if not array.dtype.isnative:
        array.byteswap(inplace=True)
        array = array.view(array.dtype.newbyteorder("="))
    return array


def _pieces(shape: tuple[int, ...], itemsize: int) -> Iterator[tuple[Any, int, tuple[int, ...]]]:
    """Parts of an array of at most `_PIECE` bytes: the index, where it starts in bytes, its shape."""
    axis, inner = -1, math.prod(shape) * itemsize
    if inner <= _PIECE or not shape:
        yield ..., 0, shape
        return
    while inner > _PIECE:
        axis += 1
        inner //= shape[axis]
    rows = max(1, _PIECE // inner)
    for outer in range(math.prod(shape[:axis])):
        lead: list[int] = []
        rest = outer
        for size in reversed(shape[:axis]):
            rest, index = divmod(rest, size)
            lead.insert(0, index)
        for start in range(0, shape[axis], rows):
            stop = min(start + rows, shape[axis])
            offset = (outer * shape[axis] + start) * inner
            yield (*lead, slice(start, stop)), offset, (stop - start, *shape[axis + 1 :])


def _from_bfloat16(array: Array) -> Array:
    import numpy

    wide = array.astype(numpy.uint32)
    wide <<= numpy.uint32(16)
    return wide.view(numpy.float32)
