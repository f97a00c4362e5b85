"""From JSON Pointers to lines and columns of the text, in one scan and without recursion."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from kchainer.diagnostics.model import Diagnostic
from kchainer.diagnostics.words import escape

# Possessive: an unfinished string must not be tried again and again.
_TOKEN = re.compile(r'[ \t\n\r]*+(?:("(?:[^"\\]|\\.)*+")|([{}\[\],:])|([^\s{}\[\],:"]++))', re.DOTALL)
# These codes are about the key of an entry, the others about its value.
_ABOUT_KEYS = frozenset({"KC103", "KC107"})
_WIDTH = 80
_LONGEST_MARK = 40


@dataclass(slots=True)
class Spot:
    """Where a pointer leads to: offsets of its key and its value in `text`."""

    text: str
    value: tuple[int, int]
    key: tuple[int, int] | None = None

    def mark(self, diagnostic: Diagnostic) -> Diagnostic:
        """The diagnostic with its line, column and excerpt."""
        start, end = self.key if self.key and diagnostic.code in _ABOUT_KEYS else self.value
        line_start = self.text.rfind("\n", 0, start) + 1
        line = self.text.count("\n", 0, start) + 1
        column = start - line_start + 1
        return replace(diagnostic, line=line, column=column, excerpt=excerpt(self.text, start, end))


@dataclass(slots=True)
class _Wanted:
    """A node of the tree of the pointers that are looked for."""

    pointers: list[str] = field(default_factory=list)
    children: dict[str, _Wanted] = field(default_factory=dict)


@dataclass(slots=True)
class _Open:
    """A container whose end has not been read; `wanted` is None where nobody looks inside."""

    wanted: _Wanted | None
    is_object: bool
    spot: Spot
    index: int = 0
    key: str | None = None
    key_span: tuple[int, int] | None = None


def locate(text: str, pointers: Iterable[str]) -> dict[str, Spot]:
    """The spot of each pointer; of the deepest part that exists where the whole does not."""
    root = _tree(pointers)
    found: dict[str, Spot] = {}
    _scan(text, root, found)
    return {pointer: _nearest(pointer, found, text) for pointer in _all(root)}


def excerpt(text: str, start: int, end: int) -> str:
    """A window of the line around text[start:end], and below it carets under that part."""
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", start)
    last = len(text) if last < 0 else last
    end = max(min(end, last, start + _LONGEST_MARK), start)
    centred = start - (_WIDTH - 2 - (end - start)) // 2
    left = max(first, min(centred, last - (_WIDTH - 2)))
    right = min(last, left + _WIDTH - 2)
    before = ("…" if left > first else "") + escape(text[left:start])
    after = escape(text[end:right].rstrip()) + ("…" if right < last else "")
    marked = escape(text[start:end])
    return f"{before}{marked}{after}\n{' ' * len(before)}{'^' * max(len(marked), 1)}"


def _tree(pointers: Iterable[str]) -> _Wanted:
    root = _Wanted()
    for pointer in pointers:
        node = root
        for token in pointer.split("/")[1:]:
            node = node.children.setdefault(token.replace("~1", "/").replace("~0", "~"), _Wanted())
        node.pointers.append(pointer)
    return root


def _all(root: _Wanted) -> list[str]:
    found, waiting = [], [root]
    while waiting:
        node = waiting.pop()
        found += node.pointers
        waiting += node.children.values()
    return found


def _nearest(pointer: str, found: dict[str, Spot], text: str) -> Spot:
    while pointer not in found and pointer:
        pointer = pointer.rpartition("/")[0]
    return found.get(pointer) or Spot(text, (0, 0))


def _scan(text: str, root: _Wanted, found: dict[str, Spot]) -> None:
    stack: list[_Open] = []
    at = 0
    while (token := _TOKEN.match(text, at)) is not None:
        at = token.end()
        string, sign, _ = token.groups()
        span = (token.start(token.lastindex or 0), at)
        if sign in {"}", "]"}:
            if not stack:
                return
            stack.pop()
        elif sign == ",":
            if stack:
                _next_entry(stack[-1], span[0])
        elif sign == ":":
            continue
        elif string and stack and stack[-1].is_object and stack[-1].key is None:
            stack[-1].key, stack[-1].key_span = _unquoted(string), span
        else:
            _value(text, span, sign, stack, root, found)


def _next_entry(container: _Open, at: int) -> None:
    container.index += 1
    container.key = container.key_span = None
    if container.index == 1:  # a container is marked up to the end of its first entry
        container.spot.value = (container.spot.value[0], at)


def _value(
    text: str,
    span: tuple[int, int],
    sign: str | None,
    stack: list[_Open],
    root: _Wanted,
    found: dict[str, Spot],
) -> None:
    parent = stack[-1] if stack else None
    wanted = _inside(parent) if parent else root
    spot = Spot(text, span, parent.key_span if parent else None)
    if wanted is not None:
        found[_pointer(stack)] = spot
    if sign in {"{", "["}:
        stack.append(_Open(wanted, sign == "{", spot))


def _inside(parent: _Open) -> _Wanted | None:
    return parent.wanted.children.get(_token(parent)) if parent.wanted else None


def _token(container: _Open) -> str:
    return (container.key or "") if container.is_object else str(container.index)


def _pointer(stack: list[_Open]) -> str:
    return "".join("/" + _token(c).replace("~", "~0").replace("/", "~1") for c in stack)


def _unquoted(string: str) -> str:
    body = string[1:-1]
    return re.sub(r"\\(u[0-9a-fA-F]{4}|.)", _unescaped, body, flags=re.DOTALL) if "\\" in body else body


_SHORT = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def _unescaped(match: re.Match[str]) -> str:
    sign = match[1]
    return chr(int(sign[1:], 16)) if len(sign) == 5 else _SHORT.get(sign, sign)
