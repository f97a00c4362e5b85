"""Object headers: the list of messages of a group or dataset."""

from __future__ import annotations

from dataclasses import dataclass

from kchainer.files.hdf5.metadata import UNDEFINED, Damaged, Fields, Metadata, Refused

DATASPACE, LINK_INFO, DATATYPE, LINK = 0x1, 0x2, 0x3, 0x6
EXTERNAL_FILES, LAYOUT, GROUP_INFO, FILTERS = 0x7, 0x8, 0xA, 0xB
ATTRIBUTE, CONTINUATION, SYMBOL_TABLE, ATTRIBUTE_INFO = 0xC, 0x10, 0x11, 0x15
_SHARED = 2
_GROUP_MESSAGES = frozenset({LINK_INFO, LINK, GROUP_INFO, SYMBOL_TABLE})


@dataclass(frozen=True, slots=True)
class Header:
    """The messages of an object by kind, in the order of the file."""

    address: int
    messages: tuple[tuple[int, bytes], ...]

    def all(self, kind: int) -> list[bytes]:
        """Every message of a kind."""
        return [data for found, data in self.messages if found == kind]

    def one(self, kind: int) -> bytes | None:
        """The message of a kind that may stand once."""
        found = self.all(kind)
        if len(found) > 1:
            raise Damaged(f"two messages of kind {kind}")
        return found[0] if found else None

    @property
    def is_dataset(self) -> bool:
        """The object has a layout message, as datasets alone do."""
        return any(kind == LAYOUT for kind, _ in self.messages)

    @property
    def is_group(self) -> bool:
        """The object has a message of groups and no layout."""
        return not self.is_dataset and any(kind in _GROUP_MESSAGES for kind, _ in self.messages)


def root_address(meta: Metadata) -> int:
    """The address of the root group, from the superblock."""
    if meta.at(0, min(8, meta.source.size)) != b"\x89HDF\r\n\x1a\n":
        raise Refused("KC106", "this is no HDF5 file")
    (version,) = meta.numbers("B", 8)
    if version in {0, 1}:
        return _old_superblock(meta, 24 if version == 0 else 28)
    if version in {2, 3}:
        return _new_superblock(meta)
    raise Refused("KC902", f"version {version} of the HDF5 superblock is not supported")


def _old_superblock(meta: Metadata, at: int) -> int:
    _check_sizes(meta.numbers("BB", 13))
    base, _, end, _ = meta.numbers("4Q", at)
    _check_extent(meta, base, end)
    _, root = meta.numbers("QQ", at + 32)
    return int(root)


def _new_superblock(meta: Metadata) -> int:
    _check_sizes(meta.numbers("BB", 9))
    base, _, end, root = meta.numbers("4Q", 12)
    _check_extent(meta, base, end)
    return int(root)


def _check_sizes(sizes: tuple[int, ...]) -> None:
    if sizes != (8, 8):
        raise Refused("KC902", f"addresses of {sizes[0] * 8} bits are not supported")


def _check_extent(meta: Metadata, base: int, end: int) -> None:
    if base != 0:
        raise Refused("KC902", "the file has a user block")
    if end != UNDEFINED and end > meta.source.size:
        raise Damaged(f"it has {meta.source.size:,} of {end:,} bytes")


def read_header(meta: Metadata, address: int) -> Header:
    """The header at an address, its continuations included."""
    first = meta.at(address, 4)
    messages = _new_messages(meta, address) if first == b"OHDR" else _old_messages(meta, address, first)
    return Header(address, tuple(messages))


def _old_messages(meta: Metadata, address: int, first: bytes) -> list[tuple[int, bytes]]:
    if first[0] != 1:
        raise Damaged("an object has no header where it should be")
    _, _, count, _, size = meta.numbers("BBHII", address)
    blocks = [(address + 16, size)]
    messages: list[tuple[int, bytes]] = []
    for at, length in blocks:  # grows while it is walked
        fields = Fields(meta.at(at, length))
        while len(fields.data) - fields.at >= 8 and count > 0:
            kind, size, flags, _ = fields.take("HHB3s")
            _keep(messages, blocks, kind, flags, fields.raw(size))
            count -= 1
    return messages


def _new_messages(meta: Metadata, address: int) -> list[tuple[int, bytes]]:
    _, version, flags = meta.numbers("4sBB", address)
    if version != 2:
        raise Damaged("an object has no header where it should be")
    at = address + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
    width = 1 << (flags & 3)
    (size,) = meta.numbers("BHIQ"[flags & 3], at)
    order = 2 if flags & 4 else 0
    messages: list[tuple[int, bytes]] = []
    blocks: list[tuple[int, int]] = []
    _block(messages, blocks, meta.at(at + width, size), order)
    for place, length in blocks:  # grows while it is walked
        data = meta.at(place, length)
        if data[:4] != b"OCHK" or length < 8:
            raise Damaged("the header of an object is not continued where it should be")
        _block(messages, blocks, data[4:-4], order)
    return messages


def _block(messages: list[tuple[int, bytes]], blocks: list[tuple[int, int]], data: bytes, order: int) -> None:
    fields = Fields(data)
    while len(data) - fields.at >= 4 + order:
        kind, size, flags = fields.take("BHB")
        fields.raw(order)
        _keep(messages, blocks, kind, flags, fields.raw(size))


def _keep(
    messages: list[tuple[int, bytes]], blocks: list[tuple[int, int]], kind: int, flags: int, data: bytes
) -> None:
    if kind == CONTINUATION:
        block = Fields(data).take("QQ")
        if block in blocks:
            raise Damaged("the header of an object goes in a circle")
        blocks.append((block[0], block[1]))
    elif flags & _SHARED:
        raise Refused("KC902", "an object shares its type or another message with a second one")
    elif kind != 0:
        messages.append((kind, data))
