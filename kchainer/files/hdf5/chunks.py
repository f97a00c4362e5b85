"""Chunks: their index, and undoing their filters with every length known beforehand."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kchainer.files.hdf5.metadata import Damaged, Metadata, Tree
from kchainer.files.hdf5.storage import DEFLATE, FLETCHER32, SHUFFLE, Storage

if TYPE_CHECKING:
    import numpy


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stored chunk: the index of its first element and its bytes in the file."""

    start: tuple[int, ...]
    address: int
    size: int
    skipped: int  # bit i: filter i was not applied


def read_index(meta: Metadata, storage: Storage, shape: tuple[int, ...]) -> list[Chunk]:
    """All chunks of a dataset; each must be there once."""
    assert storage.chunk is not None
    expected = math.prod(-(-size // step) for size, step in zip(shape, storage.chunk, strict=True))
    found: dict[tuple[int, ...], Chunk] = {}
    for chunk in _leaves(meta, storage.address, len(shape)):
        _check_place(chunk, storage, shape)
        if chunk.start in found:
            raise Damaged("a chunk of data is stored twice")
        found[chunk.start] = chunk
    if len(found) != expected:
        raise Damaged(f"{expected - len(found):,} of {expected:,} chunks of data were never written")
    return list(found.values())


def _leaves(meta: Metadata, root: int, rank: int) -> Iterator[Chunk]:
    tree = Tree(meta, root, 1, "the index of chunks")
    for level, count, entries in tree.nodes(24 + 8 * rank):
        for _ in range(count):
            size, skipped, *start, _, place = entries.take(f"II{rank}QQQ")
            if level == 0:
                yield Chunk(tuple(start), place, size, skipped)
            else:
                tree.add(place, level)


def _check_place(chunk: Chunk, storage: Storage, shape: tuple[int, ...]) -> None:
    assert storage.chunk is not None
    for start, size, step in zip(chunk.start, shape, storage.chunk, strict=True):
        if start >= size or start % step:
            raise Damaged("a chunk of data lies outside of its dataset")


def copy_chunk(meta: Metadata, chunk: Chunk, storage: Storage, target: numpy.ndarray[Any, Any]) -> None:
    """Decode one chunk into its place."""
    import numpy

    assert storage.chunk is not None
    raw = meta.source.read(chunk.address, _stored_size(chunk, storage))
    data = unfiltered(raw, storage.filters, chunk.skipped, storage.size, target.dtype.itemsize)
    block = numpy.frombuffer(data, target.dtype).reshape(storage.chunk)
    place = tuple(slice(at, at + step) for at, step in zip(chunk.start, storage.chunk, strict=True))
    inside = tuple(slice(0, size) for size in target[place].shape)
    target[place] = block[inside]


def _stored_size(chunk: Chunk, storage: Storage) -> int:
    """Filters only ever add a checksum or a small frame to data that does not shrink."""
    if chunk.size > storage.size + storage.size // 1000 + 64:
        raise Damaged("a chunk is stored in more bytes than it has")
    return chunk.size


def unfiltered(data: bytes, filters: tuple[int, ...], skipped: int, size: int, itemsize: int) -> bytes:
    """The `size` bytes that went into the filters.

    A chunk that inflates to fewer or more is an error; the C library returns uninitialised memory or
    allocates whatever comes.
    """
    for index, kind in reversed(list(enumerate(filters))):
        if skipped >> index & 1:
            continue
        # What shuffle and fletcher32 do to the length before deflate ran
        before = size + 4 * sum(
            f == FLETCHER32 and not skipped >> i & 1 for i, f in enumerate(filters[:index])
        )
        if kind == DEFLATE:
            data = _inflated(data, before)
        elif kind == SHUFFLE:
            data = _unshuffled(data, itemsize)
        elif kind == FLETCHER32:
            data = _checked(data)
        else:
            data = _unlzf(data, before)
    if len(data) != size:
        raise Damaged(f"a chunk has {len(data):,} of {size:,} bytes")
    return data


def _inflated(data: bytes, size: int) -> bytes:
    inflater = zlib.decompressobj()
    result = inflater.decompress(data, size + 1)
    if len(result) != size or not inflater.eof:
        raise Damaged(f"a chunk does not inflate to its {size:,} bytes")
    return result


def _unshuffled(data: bytes, itemsize: int) -> bytes:
    import numpy

    whole = len(data) - len(data) % itemsize
    planes = numpy.frombuffer(data[:whole], numpy.uint8).reshape(itemsize, -1)
    return planes.T.tobytes() + data[whole:]


def _checked(data: bytes) -> bytes:
    if len(data) < 4:
        raise Damaged("a chunk has no checksum")
    if _fletcher32(data[:-4]) != int.from_bytes(data[-4:], "little"):
        raise Damaged("the checksum of a chunk is wrong")
    return data[:-4]


def _fletcher32(data: bytes) -> int:
    """HDF5's: big-endian 16 bit words, an odd last byte as a high one, sums folded as they grow."""
    import numpy

    words = numpy.frombuffer(data + b"\0" * (len(data) % 2), ">u2").astype(numpy.uint64)
    count = len(words)
    first = int(words.sum())
    weights = numpy.arange(count, 0, -1, dtype=numpy.uint64) % 65535
    second = int((words * weights % numpy.uint64(65535)).sum()) if count else 0
    return _folded(second, first) << 16 | _folded(first, first)


def _folded(value: int, first: int) -> int:
    """Modulo 65535, where a sum that is not zero folds to 65535 rather than to 0."""
    rest = value % 65535
    return 65535 if rest == 0 and first else rest


def _unlzf(data: bytes, size: int) -> bytes:
    """Liblzf's format: runs of bytes as they are, and references to what came before."""
    result = bytearray()
    at = 0
    while at < len(data):
        control = data[at]
        at += 1
        if control < 32:
            result += data[at : at + control + 1]
            at += control + 1
        else:
            at = _copy_back(result, data, at, control)
        if len(result) > size:
            raise Damaged("a chunk inflates to more bytes than it has")
    return bytes(result)


def _copy_back(result: bytearray, data: bytes, at: int, control: int) -> int:
    length = control >> 5
    if length == 7:
        length += data[at]
        at += 1
    distance = ((control & 31) << 8) + data[at] + 1
    if distance > len(result):
        raise Damaged("a chunk refers to bytes before it")
    for _ in range(length + 2):  # source and target may overlap, so byte by byte
        result.append(result[-distance])
    return at + 1
