"""Attributes: texts, lists of texts and numbers, checked before they are decoded."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator
from typing import Any

from kchainer.files.hdf5.datatype import DataType, read_dataspace, read_datatype
from kchainer.files.hdf5.header import ATTRIBUTE, ATTRIBUTE_INFO, Header
from kchainer.files.hdf5.links import dense_records
from kchainer.files.hdf5.metadata import UNDEFINED, Damaged, Exceeded, Fields, Metadata, Refused
from kchainer.files.limits import Limits

# Keras splits lists of names that HDF5 cannot hold in one attribute: layer_names0, layer_names1, ...
_PART = re.compile(r"(.*_names)(\d{1,6})")
_SKIPPED = object()
# of an object in a global heap: index, references, nothing, size
_OBJECT = struct.Struct("<HHIQ")


def _objects(heap: bytes) -> dict[int, bytes]:
    """The objects of a global heap by index.

    Not pyfive's: 1.0, the newest that takes NumPy 1, fails where the rest of a heap is shorter than an object's head.
    """
    found: dict[int, bytes] = {}
    offset = 0
    while offset + _OBJECT.size <= len(heap):
        index, _, _, size = _OBJECT.unpack_from(heap, offset)
        offset += _OBJECT.size
        if index == 0:  # the free space at the end
            break
        if size > len(heap) - offset:
            raise Damaged("an object is longer than its heap")
        found[index] = heap[offset : offset + size]
        offset += size + -size % 8
    return found


class Heaps:
    """Global heaps, where texts of variable length stand; each is read once."""

    def __init__(self, meta: Metadata) -> None:
        self._meta = meta
        self._heaps: dict[int, dict[int, bytes]] = {}

    def text(self, length: int, address: int, index: int) -> bytes:
        """The first `length` bytes of an object."""
        if length == 0:
            return b""
        if address not in self._heaps:
            from pyfive.misc_low_level import GlobalHeap

            self._heaps[address] = _objects(GlobalHeap(self._meta, address).heap_data)
        data = self._heaps[address][index]
        if length > len(data):
            raise Damaged("a text is longer than its place")
        return data[:length]


def read_attributes(meta: Metadata, heaps: Heaps, header: Header, limits: Limits) -> dict[str, Any]:
    """Value by name; attributes of other types than texts, numbers and booleans are left out."""
    values: dict[str, Any] = {}
    for data in _messages(meta, header):
        name, value = _attribute(data, heaps, limits)
        if name in values:
            raise Damaged(f"two attributes of one object are named `{name[:100]}`")
        values[name] = value
    return _joined({name: value for name, value in values.items() if value is not _SKIPPED})


def _messages(meta: Metadata, header: Header) -> Iterator[bytes]:
    yield from header.all(ATTRIBUTE)
    info = header.one(ATTRIBUTE_INFO)
    if info is None:
        return
    fields = Fields(info)
    _, flags = fields.take("BB")
    if flags & 1:
        fields.raw(2)
    heap, tree = fields.take("QQ")
    if UNDEFINED not in {heap, tree}:
        yield from dense_records(meta, heap, tree, kind=8)


def _attribute(data: bytes, heaps: Heaps, limits: Limits) -> tuple[str, Any]:
    fields = Fields(data)
    version, flags, name_size, type_size, space_size = fields.take("BBHHH")
    if version not in {1, 2, 3}:
        raise Refused("KC902", f"version {version} of an attribute is not supported")
    if version > 1 and flags & 3:
        raise Refused("KC902", "an attribute shares its type with another object")
    if version == 3:
        fields.raw(1)
    multiple = 8 if version == 1 else 1
    name = fields.raw(name_size, multiple).rstrip(b"\0").decode("utf-8")
    kind = read_datatype(fields.raw(type_size, multiple))
    shape = read_dataspace(fields.raw(space_size, multiple))
    if len(name) > limits.name_chars:
        raise Exceeded("name_chars", "the length of the name of an attribute", len(name))
    return name, _value(name, kind, shape, fields, heaps, limits)


def _value(
    name: str, kind: DataType, shape: tuple[int, ...] | None, fields: Fields, heaps: Heaps, limits: Limits
) -> Any:
    if shape is None or kind.kind in {"opaque", "other", "bfloat16"}:
        return _SKIPPED
    count = math.prod(shape)
    limit = "text_bytes" if shape == () else "hdf5_attr_bytes"
    if count * kind.size > getattr(limits, limit):
        raise Exceeded(limit, f"the size of attribute `{name}`", count * kind.size)
    data = fields.raw(count * kind.size)
    if kind.kind in {"text", "vlen_text"}:
        values: list[Any] = _texts(name, kind, count, data, heaps, limit, limits)
    else:
        values = _numbers(kind, data)
    if shape == ():
        return values[0]
    return values if len(shape) == 1 else _SKIPPED


def _numbers(kind: DataType, data: bytes) -> list[Any]:
    import numpy

    order = ">" if kind.big_endian else "<"
    letter = {"int": "i", "uint": "u", "float": "f", "bool": "?"}[kind.kind]
    if letter == "?":
        return [byte != 0 for byte in data]
    values: list[Any] = numpy.frombuffer(data, f"{order}{letter}{kind.size}").tolist()
    return values


def _texts(
    name: str, kind: DataType, count: int, data: bytes, heaps: Heaps, limit: str, limits: Limits
) -> list[str]:
    if kind.kind == "text":
        if kind.size == 0:
            return [""] * count if count <= limits.hdf5_objects else _too_many(count)
        pieces = (data[i : i + kind.size] for i in range(0, len(data), kind.size))
        return [_decoded(name, piece) for piece in pieces]
    if kind.size != 16:
        raise Damaged("a text of variable length has no place")
    fields, left, texts = Fields(data), getattr(limits, limit), []
    for _ in range(count):
        length, address, index = fields.take("IQI")
        left -= length
        if left < 0:
            raise Exceeded(limit, f"the size of attribute `{name}`")
        texts.append(_decoded(name, heaps.text(length, address, index)))
    return texts


def _too_many(count: int) -> list[str]:
    raise Exceeded("hdf5_attr_bytes", "the number of texts of an attribute", count)


def _decoded(name: str, data: bytes) -> str:
    try:
        return data.rstrip(b"\0").decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused("KC102", f"attribute `{name}` is not valid UTF-8 at byte {error.start:,}") from error


def _joined(values: dict[str, Any]) -> dict[str, Any]:
    """The attributes with the parts of split lists under the name without a number."""
    stems = {match[1] for name in values if (match := _PART.fullmatch(name))}
    for stem in sorted(stems):
        if stem not in values and f"{stem}0" in values:
            values[stem] = _whole(values, stem)
    return values


def _whole(values: dict[str, Any], stem: str) -> list[Any]:
    parts: list[Any] = []
    number = 0
    while isinstance(values.get(f"{stem}{number}"), list):
        parts += values.pop(f"{stem}{number}")
        number += 1
    return parts
