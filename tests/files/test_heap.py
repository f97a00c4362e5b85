"""Global heaps, where HDF5 keeps texts of variable length."""

from __future__ import annotations

import struct

import pytest

from kchainer.files.hdf5.attributes import _objects
from kchainer.files.hdf5.metadata import Damaged


def entry(index: int, data: bytes, size: int | None = None) -> bytes:
    """An object as the format has it: head, data, padding to eight bytes."""
    head = struct.pack("<HHIQ", index, 1, 0, len(data) if size is None else size)
    return head + data + bytes(-len(data) % 8)


TWO = entry(1, b"kernel:0") + entry(2, b"bias")


@pytest.mark.parametrize("rest", [b"", b"\xff" * 8, b"\xff" * 15, entry(0, b"", 64) + bytes(48)])
def test_a_rest_shorter_than_a_head_is_padding(rest: bytes) -> None:
    """libhdf5 marks free space with index 0 only where such a head fits; what is shorter is left as it was."""
    assert _objects(TWO + rest) == {1: b"kernel:0", 2: b"bias"}


def test_an_object_longer_than_its_heap_is_damage() -> None:
    with pytest.raises(Damaged, match="longer than its heap"):
        _objects(TWO + entry(3, b"gamma", size=2**40))
