"""Where the elements of a dataset are stored, and how they are filtered."""

from __future__ import annotations

import math
from dataclasses import dataclass

from kchainer.files.hdf5.header import EXTERNAL_FILES, FILTERS, LAYOUT, Header
from kchainer.files.hdf5.metadata import Damaged, Fields, Refused

DEFLATE, SHUFFLE, FLETCHER32, LZF = 1, 2, 3, 32000
_FILTERS = frozenset({DEFLATE, SHUFFLE, FLETCHER32, LZF})


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """One of: `data` inside the header, `size` bytes at `address`, or chunks with an index at `address`."""

    data: bytes | None = None
    address: int = 0
    size: int = 0
    chunk: tuple[int, ...] | None = None
    filters: tuple[int, ...] = ()


def read_storage(header: Header, rank: int, itemsize: int) -> Storage:
    """The storage that the messages of a dataset describe."""
    if header.all(EXTERNAL_FILES):
        raise Refused("KC902", "the data stands in another file (external storage), which is not opened")
    layout = header.one(LAYOUT)
    if layout is None:
        raise Damaged("a dataset has no layout")
    fields = Fields(layout)
    version, kind = fields.take("BB")
    if kind == 3 and version >= 4:
        raise Refused("KC902", "the dataset is virtual: its data would come from other datasets")
    if version not in {3, 4, 5} or kind > 2 or (kind == 2 and version != 3):
        raise Refused("KC404", f"layout {kind} of version {version} is not supported")
    filters = _filters(header.one(FILTERS))
    if kind == 2:
        return _chunked(fields, rank, itemsize, filters)
    if filters:
        raise Damaged("data is filtered that has no chunks")
    if kind == 0:
        return Storage(data=fields.raw(fields.number("H")))
    address, size = fields.take("QQ")
    return Storage(address=address, size=size)


def _chunked(fields: Fields, rank: int, itemsize: int, filters: tuple[int, ...]) -> Storage:
    dimensions, address = fields.take("BQ")
    if dimensions != rank + 1 or rank == 0:
        raise Damaged("chunks have another rank than the dataset")
    *chunk, size = fields.take(f"{dimensions}I")
    if size != itemsize or 0 in chunk:
        raise Damaged("chunks have another type than the dataset, or no size")
    return Storage(address=address, size=math.prod(chunk) * itemsize, chunk=tuple(chunk), filters=filters)


def _filters(data: bytes | None) -> tuple[int, ...]:
    if data is None:
        return ()
    fields = Fields(data)
    version, count = fields.take("BB")
    if version not in {1, 2}:
        raise Refused("KC404", f"version {version} of a list of filters is not supported")
    if version == 1:
        fields.raw(6)
    found = tuple(_filter(fields, version) for _ in range(count))
    if len(set(found)) != len(found) or {DEFLATE, LZF} <= set(found):
        raise Refused("KC404", "a filter is applied twice")
    return found


def _filter(fields: Fields, version: int) -> int:
    number = fields.number("H")
    if number not in _FILTERS:
        raise Refused("KC404", f"filter {number} is not supported")
    name = fields.number("H") if version == 1 or number > 255 else 0
    _, values = fields.take("HH")
    fields.raw(name, 8 if version == 1 else 1)
    fields.raw(4 * (values + (values % 2 if version == 1 else 0)))
    return number
