"""The children of a group; only hard links are followed."""

from __future__ import annotations

from collections.abc import Iterator

from kchainer.files.hdf5.header import LINK, LINK_INFO, SYMBOL_TABLE, Header
from kchainer.files.hdf5.metadata import UNDEFINED, Damaged, Exceeded, Fields, Metadata, Refused, Tree

_DEEPEST_TREE = 16
_LINK_KINDS = {1: "a soft link", 64: "an external link"}


def read_links(meta: Metadata, header: Header, most: int) -> dict[str, int]:
    """Address by name, in the order of the file."""
    links: dict[str, int] = {}
    for name, address in _links(meta, header):
        check_name(name)
        if name in links:
            raise Damaged(f"two objects of one group are named `{name[:100]}`")
        links[name] = address
        if len(links) > most:
            raise Exceeded("hdf5_objects", "the number of objects")
    return links


def check_name(name: str) -> None:
    """Refuse a name that a path could not hold, or that would lead elsewhere."""
    if name in {"", ".", ".."} or "/" in name or "\0" in name:
        raise Refused("KC902", f"`{name[:100]}` is no name of an object")


def _links(meta: Metadata, header: Header) -> Iterator[tuple[str, int]]:
    for kind, data in header.messages:
        if kind == SYMBOL_TABLE:
            yield from _old_links(meta, data)
        elif kind == LINK:
            yield _link(data)[1]
        elif kind == LINK_INFO:
            yield from _dense_links(meta, data)


def _old_links(meta: Metadata, data: bytes) -> Iterator[tuple[str, int]]:
    tree, heap = Fields(data).take("QQ")
    names = _local_heap(meta, heap)
    for table in _tables(meta, tree):
        signature, _, _, count = meta.numbers("4sBBH", table)
        if signature != b"SNOD":
            raise Damaged("a table of names is not where it should be")
        entries = Fields(meta.at(table + 8, count * 40))
        for _ in range(count):
            name, address, cached, _, _ = entries.take("QQII16s")
            if cached == 2:
                raise Refused("KC902", f"`{_name(names, name)}` is {_LINK_KINDS[1]}, which is not followed")
            yield _name(names, name), address


def _local_heap(meta: Metadata, address: int) -> bytes:
    signature, _, size, _, data = meta.numbers("4sIQQQ", address)
    if signature != b"HEAP":
        raise Damaged("the names of a group are not where they should be")
    return meta.at(data, size)


def _name(names: bytes, at: int) -> str:
    end = names.find(b"\0", at)
    if not 0 <= at < len(names) or end < 0:
        raise Damaged("the name of an object is not where it should be")
    return names[at:end].decode("utf-8")


def _tables(meta: Metadata, root: int) -> Iterator[int]:
    """Addresses of the leaves of an old group's tree, level by level."""
    tree = Tree(meta, root, 0, "the tree of a group")
    for level, count, entries in tree.nodes(16):
        for _ in range(count):
            _, child = entries.take("QQ")
            if level == 0:
                yield child
            else:
                tree.add(child, level)


def _link(data: bytes) -> tuple[int, tuple[str, int]]:
    fields = Fields(data)
    version, flags = fields.take("BB")
    if version != 1:
        raise Refused("KC902", f"version {version} of a link is not supported")
    kind = fields.number("B") if flags & 8 else 0
    order = fields.number("Q") if flags & 4 else 0
    if flags & 16:
        fields.raw(1)
    name = fields.raw(fields.number("BHIQ"[flags & 3])).decode("utf-8")
    if kind != 0:
        raise Refused(
            "KC902",
            f"`{name[:100]}` is {_LINK_KINDS.get(kind, 'a link of unknown kind')}, which is not followed",
        )
    return order, (name, fields.number("Q"))


def _dense_links(meta: Metadata, data: bytes) -> Iterator[tuple[str, int]]:
    fields = Fields(data)
    _, flags = fields.take("BB")
    if flags & 1:
        fields.raw(8)
    heap, by_name = fields.take("QQ")
    by_order = fields.number("Q") if flags & 2 else UNDEFINED
    if UNDEFINED in {heap, by_name}:
        return
    found = [_link(record) for record in dense_records(meta, heap, by_name, kind=5)]
    if by_order != UNDEFINED:
        found.sort(key=lambda link: link[0])
    else:
        found.sort(key=lambda link: link[1][0])
    for _, link in found:
        yield link


def dense_records(meta: Metadata, heap: int, tree: int, kind: int) -> list[bytes]:
    """What a fractal heap holds for the records of a newer B-tree: 5 links, 8 attributes."""
    # pyfive's walk of such a tree computes with numbers that double at each level
    (depth,) = meta.numbers("H", tree + 12)
    if depth > _DEEPEST_TREE:
        raise Damaged("the tree of an object is too deep")
    from pyfive.btree import BTreeV2AttrNames, BTreeV2GroupNames
    from pyfive.misc_low_level import FractalHeap

    objects = FractalHeap(meta, heap)
    records = {5: BTreeV2GroupNames, 8: BTreeV2AttrNames}[kind](meta, tree)
    data = [objects.get_data(record["heapid"]) for record in records.iter_records()]
    if None in data:
        raise Damaged("an entry of a heap is not where it should be")
    return data
