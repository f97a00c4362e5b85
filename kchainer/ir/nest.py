"""Inputs and outputs in dictionaries and lists: a template whose leaves are the numbers of the flat ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from kchainer.diagnostics import Diagnostics
from kchainer.ir.op import Kind, Problem

# A number, or a list or dictionary of such
Nest: TypeAlias = int | list["Nest"] | dict[str, "Nest"]
DEEPEST = 32


def is_flat(nest: Nest) -> bool:
    """A single value or a plain list: what a network has without a template."""
    return isinstance(nest, int) or (isinstance(nest, list) and all(isinstance(one, int) for one in nest))


def leaves(nest: Any, depth: int = 0) -> Iterator[int]:
    """The numbers in order. Raises ValueError: something else than numbers in lists and dictionaries, too deep."""
    if depth > DEEPEST:
        raise ValueError(f"nested more than {DEEPEST} deep")
    if isinstance(nest, dict):
        for one in nest.values():
            yield from leaves(one, depth + 1)
    elif isinstance(nest, list):
        for one in nest:
            yield from leaves(one, depth + 1)
    elif type(nest) is int:
        yield nest
    else:
        raise ValueError(f"{nest!r}"[:80] + " where a number, a list or a dictionary is expected")


def check(nest: Any, count: int) -> Nest:
    """``nest`` if each of ``count`` values stands in it once. Raises ValueError."""
    if sorted(leaves(nest)) != list(range(count)):
        raise ValueError(f"it does not name each of {count} values once")
    made: Nest = nest
    return made


def read(data: Mapping[str, Any], key: str, count: int, diagnostics: Diagnostics, at: str) -> Nest | None:
    """The nest under ``key``, each of ``count`` values in it once; what is wrong is reported."""
    if data.get(key) is None:
        return None
    try:
        return check(data[key], count)
    except ValueError as wrong:
        diagnostics.error("KC104", f"{key}: {wrong}", pointer=f"{at}/{key}")
        return None


def _problems(v: Any, at: str) -> Iterator[Problem]:
    try:
        list(leaves(v) if v is not None else ())
    except ValueError as wrong:
        yield Problem(at, "type", v, f"numbers in lists and dictionaries: {wrong}")


NEST = Kind({"type": ["integer", "array", "object", "null"]}, _problems, lambda v: v)


def pack(nest: Nest, values: Sequence[Any]) -> Any:
    """The values in the places of their numbers."""
    if isinstance(nest, dict):
        return {key: pack(one, values) for key, one in nest.items()}
    if isinstance(nest, list):
        return [pack(one, values) for one in nest]
    return values[nest]


def unpack(nest: Nest, given: Any) -> dict[int, Any]:
    """What stands in the places, by number. Raises TypeError: another structure."""
    if isinstance(nest, dict):
        if not isinstance(given, Mapping) or set(given) != set(nest):
            found = ", ".join(map(str, given)) if isinstance(given, Mapping) else type(given).__name__
            raise TypeError(f"inputs by the names {', '.join(nest)} expected; given are {found}")
        parts = [unpack(one, given[key]) for key, one in nest.items()]
    elif isinstance(nest, list):
        if not isinstance(given, (list, tuple)) or len(given) != len(nest):
            raise TypeError(f"a list of {len(nest)} inputs expected")
        parts = [unpack(one, two) for one, two in zip(nest, given, strict=True)]
    else:
        return {nest: given}
    return {number: value for part in parts for number, value in part.items()}
