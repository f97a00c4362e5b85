"""Data types and dataspaces, as far as Keras writes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kchainer.files.hdf5.metadata import Fields, Refused

Kind = Literal["int", "uint", "float", "bfloat16", "bool", "text", "vlen_text", "opaque", "other"]

_NAMES = {
    2: "time stamps",
    4: "bit fields",
    5: "opaque data",
    6: "compounds or complex numbers",
    7: "references",
    8: "an enumeration",
    9: "lists of variable length",
    10: "arrays",
}
# (size, bit offset, precision, exponent at, exponent bits, mantissa at, mantissa bits, bias, sign at)
_FLOATS: dict[tuple[int, ...], Kind] = {
    (2, 0, 16, 10, 5, 0, 10, 15, 15): "float",
    (4, 0, 32, 23, 8, 0, 23, 127, 31): "float",
    (8, 0, 64, 52, 11, 0, 52, 1023, 63): "float",
    (2, 0, 16, 7, 8, 0, 7, 127, 15): "bfloat16",
}


@dataclass(frozen=True, slots=True)
class DataType:
    """What one element is; `what` says it in words where it is not supported."""

    kind: Kind
    size: int
    big_endian: bool = False
    what: str = ""


def read_datatype(data: bytes) -> DataType:
    """The type a datatype message describes."""
    fields = Fields(data)
    head, bits, bits1, _, size = fields.take("BBBBI")
    match head & 0xF:
        case 0:
            return _integer(fields, bits, size)
        case 1:
            return _float(fields, bits, bits1, size)
        case 3:
            return DataType("text", size)
        case 5:
            return DataType("opaque", size, what=_NAMES[5])
        case 8:
            return _enumeration(fields, bits | bits1 << 8, size)
        case 9 if bits & 0xF == 1:
            return DataType("vlen_text", size)
        case other:
            return DataType("other", size, what=_NAMES.get(other, "data of an unknown type"))


def _integer(fields: Fields, bits: int, size: int) -> DataType:
    offset, precision = fields.take("HH")
    if size not in {1, 2, 4, 8} or offset or precision != size * 8:
        return DataType("other", size, what=f"whole numbers of {precision} bits")
    return DataType("int" if bits & 8 else "uint", size, bool(bits & 1))


def _float(fields: Fields, bits: int, sign: int, size: int) -> DataType:
    layout = (size, *fields.take("HHBBBBI"), sign)
    kind = _FLOATS.get(layout)
    if kind is None or bits & 0x40:
        return DataType("other", size, what=f"floats of {size * 8} bits that are not IEEE 754")
    return DataType(kind, size, bool(bits & 1))


def _enumeration(fields: Fields, members: int, size: int) -> DataType:
    """A boolean is an enumeration of two in one byte."""
    base = read_datatype(fields.raw(12))
    if size == 1 and members == 2 and base.kind in {"int", "uint"} and base.size == 1:
        return DataType("bool", 1)
    return DataType("other", size, what=_NAMES[8])


def read_dataspace(data: bytes) -> tuple[int, ...] | None:
    """The shape; None for no data at all."""
    fields = Fields(data)
    version, rank, _ = fields.take("BBB")
    if version == 1:
        fields.raw(5)
    elif version == 2:
        if fields.number("B") == 2:
            return None
    else:
        raise Refused("KC902", f"version {version} of a dataspace is not supported")
    return fields.take(f"{rank}Q")
