r"""Regular expressions that a file brings: matched in time linear in the text, whatever the pattern.

``re`` backtracks, so that ``(a+)+$`` takes time exponential in the text. Here the states that a pattern can be in
are followed side by side. A subset of the syntax of ``re`` with the same meaning: characters, ``.``, classes,
``\d \D \w \W \s \S``, groups, ``|``, ``* + ? {m,n}`` also lazy, ``^ $ \A \Z \b \B``, and ``(?i)`` in front.
Lookaround, references to groups, atomic groups and possessive repeats are refused.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable, Iterator
from typing import Any

LENGTH = 1_000  # of a pattern
STATES = 2_000  # of a pattern with its repeats written out
DEPTH = 50  # of groups in groups
KEPT = 50_000  # states in the steps that a pattern remembers; patterns of use need a few hundred
WORK = 2_000_000  # states visited beyond those, about a second
MANY = 64  # patterns of a model that are no plain text
SPECIAL = frozenset("\\.^$*+?{}[]|()")


class PatternError(ValueError):
    """Why a pattern is refused."""


def is_plain(text: str) -> bool:
    """Whether a pattern matches itself and nothing else."""
    return not SPECIAL.intersection(text)


@dataclasses.dataclass(frozen=True, slots=True)
class One:
    """A character that ``test``, a pattern of one character, accepts."""

    test: re.Pattern[str]


@dataclasses.dataclass(frozen=True, slots=True)
class Check:
    """What has to hold between two characters, by its name in CHECKS."""

    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """All items, one behind the other."""

    items: tuple[Node, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Either:
    """One of the items."""

    items: tuple[Node, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Repeat:
    """The item ``least`` to ``most`` times; None: without end."""

    item: Node
    least: int
    most: int | None


Node = One | Check | Row | Either | Repeat


def _is_word(text: str, at: int) -> bool:
    return 0 <= at < len(text) and (text[at].isalnum() or text[at] == "_")


def _is_edge(text: str, at: int) -> bool:
    return _is_word(text, at - 1) != _is_word(text, at)


CHECKS: dict[str, Callable[[str, int], bool]] = {
    "^": lambda text, at: at == 0,
    "\\A": lambda text, at: at == 0,
    "$": lambda text, at: at == len(text) or (at == len(text) - 1 and text[at] == "\n"),
    "\\Z": lambda text, at: at == len(text),
    "\\b": _is_edge,
    # Python before 3.14 finds no \B in an empty text
    "\\B": lambda text, at: bool(text) and not _is_edge(text, at),
}
REFUSED = {
    "=": "lookahead",
    "!": "lookahead",
    "<": "lookbehind",
    "P": "a reference to a group",
    "(": "a condition",
    ">": "an atomic group",
    "#": "a comment",
}
COUNTS = re.compile(r"\{([0-9]*)(,?)([0-9]*)\}")
NAMED = re.compile(r"\?P<[A-Za-z_][A-Za-z_0-9]*>")


class _Parser:
    def __init__(self, text: str) -> None:
        self.flags = re.IGNORECASE if text.startswith("(?i)") else 0
        self.text, self.at = text, 4 if self.flags else 0

    def next(self) -> str:
        return self.text[self.at : self.at + 1]

    def whole(self) -> Node:
        found = self.either(0)
        if self.at < len(self.text):
            raise PatternError("a `)` without `(`")
        return found

    def either(self, depth: int) -> Node:
        if depth > DEPTH:
            raise PatternError(f"groups deeper than {DEPTH}")
        items = [self.row(depth)]
        while self.next() == "|":
            self.at += 1
            items.append(self.row(depth))
        return Either(tuple(items)) if len(items) > 1 else items[0]

    def row(self, depth: int) -> Node:
        items: list[Node] = []
        while self.next() not in ("", "|", ")"):
            items.append(self.repeated(self.item(depth)))
        return Row(tuple(items))

    def item(self, depth: int) -> Node:
        if self.counts() is not None:
            raise PatternError("nothing to repeat")
        sign = self.next()
        self.at += 1
        if sign == "(":
            return self.group(depth)
        if sign == "[":
            return self.one(self.class_())
        if sign == "\\":
            return self.escape()
        if sign in "^$":
            return Check(sign)
        return self.one("." if sign == "." else re.escape(sign))

    def one(self, text: str) -> Node:
        try:
            return One(re.compile(text, self.flags))
        except re.error as wrong:
            raise PatternError(wrong.msg) from None

    def escape(self) -> Node:
        sign = self.next()
        self.at += 1
        if f"\\{sign}" in CHECKS:
            return Check(f"\\{sign}")
        if sign.isdigit() and sign != "0":
            raise PatternError("a reference to a group")
        if not sign or (sign.isascii() and sign.isalnum() and sign not in "dDwWsSafnrtv"):
            raise PatternError(f"the escape `\\{sign}`")
        return self.one(f"\\{sign}")

    def class_(self) -> str:
        """A class as ``re`` has it, every character in it that could mean more escaped."""
        out = ["["]
        if self.next() == "^":
            self.at += 1
            out.append("^")
        begin = len(out)
        while self.next() != "]" or len(out) == begin:
            out.append(self.member())
            if self.next() == "-" and self.text[self.at + 1 : self.at + 2] not in ("]", ""):
                self.at += 1
                out += ["-", self.member()]
        self.at += 1
        return "".join(out) + "]"

    def member(self) -> str:
        size = 2 if self.next() == "\\" else 1
        found = self.text[self.at : self.at + size]
        if len(found) < size:
            raise PatternError("a `[` without `]`")
        self.at += size
        return found if size > 1 else re.escape(found)

    def group(self, depth: int) -> Node:
        if named := NAMED.match(self.text, self.at):
            self.at = named.end()
        elif self.text.startswith("?:", self.at):
            self.at += 2
        elif self.next() == "?":
            sign = self.text[self.at + 1 : self.at + 2]
            raise PatternError(REFUSED.get(sign, "a flag") if sign else "a `(` without `)`")
        found = self.either(depth + 1)
        if self.next() != ")":
            raise PatternError("a `(` without `)`")
        self.at += 1
        return Row((found,))

    def repeated(self, item: Node) -> Node:
        counts = self.counts()
        if counts is None:
            return item
        if isinstance(item, Check):
            raise PatternError("nothing to repeat")
        if self.next() == "+":
            raise PatternError("a possessive repeat")
        if self.next() == "?":  # lazy: the same texts match
            self.at += 1
        if self.counts() is not None:
            raise PatternError("a repeat of a repeat")
        return Repeat(item, *counts)

    def counts(self) -> tuple[int, int | None] | None:
        """The counts of a repeat that stands here, and step over it."""
        sign = self.next()
        if sign and sign in "*+?":
            self.at += 1
            return (1 if sign == "+" else 0), (1 if sign == "?" else None)
        found = COUNTS.match(self.text, self.at)
        if not found or found[0] == "{}":  # `{}` and `{,x` are characters
            return None
        self.at = found.end()
        least = min(int(found[1] or 0), STATES + 1)
        most = least if not found[2] else min(int(found[3]), STATES + 1) if found[3] else None
        if most is not None and most < least:
            raise PatternError("a repeat with the lower count above the upper one")
        return least, most


def _size(node: Node) -> int:
    """States of a node, repeats written out; at least one, so that empty ones count, too."""
    match node:
        case Row() | Either():
            return len(node.items) * 2 + sum(_size(item) for item in node.items)
        case Repeat():
            return (_size(node.item) + 2) * max(node.least + 1, node.most or 0)
    return 1


def _write(node: Node, code: list[Any]) -> None:
    """Append what ``node`` does: a test, a check, or the places of the code to go on at."""
    match node:
        case One():
            code.append(node.test)
        case Check():
            code.append(node.name)
        case Row():
            for item in node.items:
                _write(item, code)
        case Either():
            _write_either(node, code)
        case Repeat():
            _write_repeat(node, code)


def _write_either(node: Either, code: list[Any]) -> None:
    start = len(code)
    code.append(())
    begins, ends = [], []
    for item in node.items:
        begins.append(len(code))
        _write(item, code)
        ends.append(len(code))
        code.append(())
    code[start] = tuple(begins)
    for end in ends:
        code[end] = (len(code),)


def _write_repeat(node: Repeat, code: list[Any]) -> None:
    for _ in range(node.least):
        _write(node.item, code)
    splits = []
    for _ in range(1 if node.most is None else node.most - node.least):
        splits.append(len(code))
        code.append(())
        _write(node.item, code)
    if node.most is None:
        code.append((splits[0],))
    for split in splits:
        code[split] = (split + 1, len(code))


class Pattern:
    """A pattern ready to match. Equal, and pickled, by its text.

    Raises: PatternError for what is no regular expression, is outside of the subset, or too large; when matching,
    for a pattern that takes too long in all.
    """

    def __init__(self, text: str) -> None:
        if len(text) > LENGTH:
            raise PatternError(f"{len(text)} characters, more than {LENGTH}")
        node = _Parser(text).whole()
        if _size(node) > STATES:
            raise PatternError(f"more than {STATES} states with its repeats written out")
        self.text = text
        code: list[Any] = []
        _write(node, code)
        self._code = tuple(code)
        self._checks = tuple(sorted({one for one in code if isinstance(one, str)}))
        self._known: dict[Any, frozenset[int]] = {}
        self._kept = self._work = 0

    def __repr__(self) -> str:
        return f"Pattern({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pattern) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __reduce__(self) -> Any:
        return pattern, (self.text,)

    def search(self, text: str) -> bool:
        """Whether a part of ``text`` matches."""
        return any(len(self._code) in states for states in self._run(text, anchored=False))

    def fullmatch(self, text: str) -> bool:
        """Whether all of ``text`` matches."""
        states: frozenset[int] = frozenset()
        for states in self._run(text, anchored=True):  # noqa: B007  the last one counts
            pass
        return len(self._code) in states

    def _run(self, text: str, *, anchored: bool) -> Iterator[frozenset[int]]:
        """The states at each place of the text."""
        before: frozenset[int] = frozenset()
        for at in range(len(text) + 1):
            holds = tuple(CHECKS[name](text, at) for name in self._checks)
            sign = text[at - 1] if at else None
            begins = not at or not anchored
            key = (before, sign, holds, begins)
            states = self._known.get(key)
            if states is None:
                states = self._step(before, sign, holds, begins)
                if self._kept < KEPT:
                    self._known[key] = states
                    self._kept += len(states) + 1
            yield states
            if anchored and not states:
                return
            before = states

    def _step(
        self, before: frozenset[int], sign: str | None, holds: tuple[bool, ...], begins: bool
    ) -> frozenset[int]:
        """The tests that can stand next after ``sign``; the length of the code: it matches."""
        code = self._code
        true = {name for name, holds_now in zip(self._checks, holds, strict=True) if holds_now}
        moved = (i for i in before if i < len(code) and sign is not None and code[i].match(sign))
        todo = [i + 1 for i in moved] + [0] * begins
        seen, out = set(todo), []
        while todo:
            at = todo.pop()
            one = code[at] if at < len(code) else None
            if one is None or isinstance(one, re.Pattern):
                out.append(at)
                continue
            more = one if isinstance(one, tuple) else (at + 1,) * (one in true)
            todo += [i for i in more if i not in seen]
            seen.update(more)
        if self._kept >= KEPT:
            self._work += len(before) + len(seen)
            if self._work > WORK:
                raise PatternError(f"`{self.text}` takes too long")
        return frozenset(out)


@functools.lru_cache(maxsize=2 * MANY)
def pattern(text: str) -> Pattern:
    """The pattern of a text. Raises PatternError."""
    return Pattern(text)


def refusal(text: str) -> str | None:
    """Why a pattern is refused; None: it is not."""
    try:
        pattern(text)
    except PatternError as wrong:
        return str(wrong)
    return None
