"""Arithmetic in the variables of a composite: "= x[-1] // ratio". Read here, so that nothing compiles code."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

LONGEST = 200
LARGEST = 2**53
_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d*)?|\.\d+)|([A-Za-z_]\w*)|(//|[-+*/%()\[\],]))")
_SUMS: dict[str, Callable[[Any, Any], Any]] = {"+": operator.add, "-": operator.sub}
_PRODUCTS: dict[str, Callable[[Any, Any], Any]] = {
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {"max": max, "min": min}


class Unreadable(Exception):
    """A formula that is none, or that cannot be computed."""


def is_formula(value: Any) -> bool:
    """Text that begins with "="."""
    return isinstance(value, str) and value.startswith("=")


def evaluate(text: str, known: Mapping[str, Any]) -> Any:
    """The number of a formula. Raises Unreadable."""
    if len(text) > LONGEST:
        raise Unreadable(f"a formula of more than {LONGEST} signs")
    reader = _Reader(text.removeprefix("=").strip(), known)
    try:
        value = reader.sum()
    except (ArithmeticError, IndexError) as wrong:
        raise Unreadable(f"it cannot be computed: {wrong}") from None
    reader.end()
    return value


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Unreadable(f"{value!r} is no number"[:80])
    if abs(value) > LARGEST:
        raise Unreadable("a number that is too large")
    return value


class _Reader:
    """One formula, read from left to right; its length bounds how deep it goes."""

    def __init__(self, text: str, known: Mapping[str, Any]) -> None:
        self.known = known
        self.tokens: list[str] = []
        at = 0
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise Unreadable("numbers, names, + - * / // %, max, min and [i] are all that a formula has")
            self.tokens.append(match.group().strip())
            at = match.end()
        self.tokens.reverse()

    def end(self) -> None:
        if self.tokens:
            raise Unreadable(f"`{self.tokens[-1]}` where the formula should end")

    def sum(self) -> Any:
        return self._row(self._product, _SUMS)

    def _product(self) -> Any:
        return self._row(self._factor, _PRODUCTS)

    def _row(self, part: Callable[[], Any], signs: Mapping[str, Callable[[Any, Any], Any]]) -> Any:
        value = part()
        while self.tokens and self.tokens[-1] in signs:
            sign = signs[self.tokens.pop()]
            value = _number(sign(_number(value), _number(part())))
        return value

    def _factor(self) -> Any:
        if not self.tokens:
            raise Unreadable("the formula ends too early")
        word = self.tokens.pop()
        if word == "-":
            return -_number(self._factor())
        if word == "(":
            value = self.sum()
            self._expect(")")
        elif word[0].isdigit() or word[0] == ".":
            value = float(word) if "." in word else int(word)
        elif word in _FUNCTIONS and self.tokens[-1:] == ["("]:
            value = _FUNCTIONS[word](self._arguments())
        elif word in self.known:
            value = self.known[word]
        else:
            raise Unreadable(f"there is no value `{word}`: {', '.join(list(self.known)[:12])}")
        while self.tokens[-1:] == ["["]:
            value = self._item(value)
        return value

    def _arguments(self) -> list[Any]:
        self.tokens.pop()
        out = [_number(self.sum())]
        while self.tokens[-1:] == [","]:
            self.tokens.pop()
            out.append(_number(self.sum()))
        self._expect(")")
        return out

    def _item(self, row: Any) -> Any:
        self.tokens.pop()
        at = self.sum()
        self._expect("]")
        if not isinstance(row, (list, tuple)) or not isinstance(at, int):
            raise Unreadable("only the sizes of a shape and the items of a list have numbers")
        return row[at]

    def _expect(self, word: str) -> None:
        if not self.tokens or self.tokens.pop() != word:
            raise Unreadable(f"`{word}` is missing")
