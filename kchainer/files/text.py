"""JSON and YAML read strictly: what two readers could understand differently is an error."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from kchainer.diagnostics import Diagnostic, Diagnostics, KchainerError
from kchainer.diagnostics.locate import excerpt
from kchainer.files.limits import DEFAULT, Limits, breach, failure

_BOM = "\ufeff"
_OPEN, _CLOSE = "[{", "]}"
# Strings (possessive, so that an unfinished one costs one pass) and brackets; nothing else matters for depth.
_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)
_INT64 = range(-(2**63), 2**63)


def load_json(
    data: bytes | str,
    *,
    name: str,
    limits: Limits = DEFAULT,
    allow_nonfinite: bool = False,
    diagnostics: Diagnostics | None = None,
) -> Any:
    """The value of a JSON text.

    Args:
        data: UTF-8, with or without a byte order mark.
        name: Of the file, for messages.
        limits: Of size, depth, number of values, length of strings and integers.
        allow_nonfinite: Accept NaN and Infinity, which Keras writes for some attributes.
        diagnostics: Takes the warnings (equal duplicate keys); without it they are dropped.

    Raises:
        KchainerError: KC102, KC104, KC107 or KC901.
    """
    text = decode(data, name, limits)
    _check_depth(text, name, limits)
    hooks = _Hooks(name, limits, allow_nonfinite, diagnostics)
    try:
        value = json.loads(
            text,
            object_pairs_hook=hooks.pairs,
            parse_int=hooks.integer,
            parse_float=hooks.real,
            parse_constant=hooks.constant,
        )
    except json.JSONDecodeError as error:
        raise _syntax_error(text, error.pos, error.msg, name) from error
    except RecursionError as error:
        raise breach(limits, "depth", "the depth of the text", None, name) from error
    check_values(value, name, limits)
    return value


def decode(data: bytes | str, name: str, limits: Limits) -> str:
    """The text, without a byte order mark, NUL or lone surrogate."""
    if isinstance(data, str):
        text = data
        if len(text) > limits.text_bytes:
            raise breach(limits, "text_bytes", "the size of the text", len(text), name)
    else:
        text = _utf8(data, name, limits)
    text = text.removeprefix(_BOM)
    _refuse_sign(text, "\0", "a NUL character", name)
    return text


def _utf8(data: bytes, name: str, limits: Limits) -> str:
    if len(data) > limits.text_bytes:
        raise breach(limits, "text_bytes", "the size of the text", len(data), name)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"not valid UTF-8 at byte {error.start:,}: {error.reason}"
        raise failure("KC102", message, name) from error


def _refuse_sign(text: str, sign: str, what: str, name: str) -> None:
    at = text.find(sign)
    if at >= 0:
        raise _syntax_error(text, at, what, name)


def _check_depth(text: str, name: str, limits: Limits) -> None:
    depth = 0
    for match in _STRUCTURE.finditer(_before_unfinished(text)):
        sign = match[0][0]
        if sign in _OPEN:
            depth += 1
            if depth > limits.depth:
                raise breach(limits, "depth", "the depth of the text", None, name)
        elif sign in _CLOSE:
            depth -= 1


def _before_unfinished(text: str) -> str:
    """The text up to a string that never ends: the parser stops there, and so may the scan."""
    at = 0
    scan = re.compile(r'[^"]*+"(?:[^"\\]|\\.)*+"', re.DOTALL)
    while (match := scan.match(text, at)) is not None:
        at = match.end()
    quote = text.find('"', at)
    return text if quote < 0 else text[:quote]


def _syntax_error(text: str, at: int, message: str, name: str) -> KchainerError:
    line_start = text.rfind("\n", 0, at) + 1
    return KchainerError(
        Diagnostic(
            code="KC102",
            message=f"not valid JSON: {message[:1].lower()}{message[1:]}",
            file=name,
            line=text.count("\n", 0, at) + 1,
            column=at - line_start + 1,
            excerpt=excerpt(text, at, at + 1),
        )
    )


class _Hooks:
    """What the parser calls for objects and numbers; every one of them may refuse."""

    def __init__(
        self, name: str, limits: Limits, allow_nonfinite: bool, diagnostics: Diagnostics | None
    ) -> None:
        self.name = name
        self.limits = limits
        self.allow_nonfinite = allow_nonfinite
        self.diagnostics = diagnostics

    def integer(self, digits: str) -> int:
        return integer(digits, self.name, self.limits)

    def real(self, digits: str) -> float:
        value = float(digits)
        if not math.isfinite(value) and not self.allow_nonfinite:
            raise failure("KC102", f"not valid JSON: {digits[:40]} is too large for a number", self.name)
        return value

    def constant(self, word: str) -> float:
        if not self.allow_nonfinite:
            raise failure("KC102", f"not valid JSON: {word} is no JSON value", self.name)
        return float(word)

    def pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        unique = dict(pairs)
        if len(unique) != len(pairs):
            check_duplicates(pairs, self.name, self.diagnostics)
        return unique


def integer(digits: str, name: str, limits: Limits) -> int:
    """A whole number of at most `int_digits` digits that fits in 64 bits."""
    count = len(digits.lstrip("+-"))
    if count > limits.int_digits:
        raise breach(limits, "int_digits", "the length of a number", count, name)
    value = int(digits)
    if value not in _INT64:
        raise failure("KC104", f"{value} does not fit in 64 bits", name)
    return value


def check_duplicates(pairs: list[tuple[str, Any]], name: str, diagnostics: Diagnostics | None) -> None:
    """Refuse a key with two different values, warn of one with equal values."""
    first: dict[str, Any] = {}
    for key, value in pairs:
        if key not in first:
            first[key] = value
        elif not _same(first[key], value):
            raise failure("KC107", f"key `{key[:100]}` stands twice, with different values", name)
        elif diagnostics is not None:
            diagnostics.warn("KC107", f"key `{key[:100]}` stands twice, with equal values")


def _same(a: object, b: object) -> bool:
    """Equal in value and type (1, 1.0 and true differ); depth is limited before this is called."""
    return repr(a) == repr(b)


def check_values(root: object, name: str, limits: Limits) -> None:
    """Count values and measure strings, keys included, without recursion."""
    count, waiting = 0, [root]
    while waiting:
        value = waiting.pop()
        count += 1
        if count > limits.values:
            raise breach(limits, "values", "the number of values", None, name)
        if isinstance(value, str):
            _check_string(value, name, limits)
        elif isinstance(value, dict):
            for key in value:
                _check_string(key, name, limits)
                if "\0" in key:  # in a value it may be: Keras writes a Lambda's byte code as text
                    raise failure("KC102", "a key holds a NUL character", name)
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _check_string(value: str, name: str, limits: Limits) -> None:
    if len(value) > limits.string_chars:
        raise breach(limits, "string_chars", "the length of a string", len(value), name)
    if not value.isascii() and any("\ud800" <= sign <= "\udfff" for sign in value):
        raise failure("KC102", "a string holds half of a surrogate pair, which is no character", name)


def load_yaml(data: bytes | str, *, name: str, limits: Limits = DEFAULT) -> Any:
    """The value of a YAML text of plain lists, mappings, strings and numbers.

    The only tag known is the one for tuples that Keras 1 and 2 wrote; it becomes a list.
    Values are counted as often as aliases repeat them.

    Raises:
        KchainerError: KC102, KC104, KC107 or KC901; KC202 for a tag that names code.
    """
    from kchainer.files.yaml_text import build

    return build(decode(data, name, limits), name, limits)
