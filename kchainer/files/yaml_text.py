"""YAML by events: PyYAML's composer and constructor recurse, and its loaders know too many tags."""

from __future__ import annotations

import base64
import math
import re
import struct
from dataclasses import dataclass, field
from typing import Any

from kchainer.diagnostics import Diagnostic, KchainerError
from kchainer.files.limits import Limits, breach, failure
from kchainer.files.text import check_duplicates, check_values, integer

_TAG = "tag:yaml.org,2002:"
_LISTS = frozenset({_TAG + "python/tuple", _TAG + "seq", "!"})
_MAPPINGS = frozenset({_TAG + "map", "!"})
_TEXTS = frozenset({_TAG + "str", _TAG + "python/unicode", _TAG + "python/str", "!"})
# A NumPy number, as Keras 1 wrote some: its dtype and its bytes. This closed form is read, nothing else of its kind.
_SCALARS = frozenset(
    f"{_TAG}python/object/apply:numpy.{core}.multiarray.scalar" for core in ("core", "_core")
)
_DTYPE = _TAG + "python/object/apply:numpy.dtype"
_BINARY = _TAG + "binary"
_FORMATS = {
    "b1": "?", "i1": "b", "i2": "h", "i4": "i", "i8": "q", "u1": "B", "u2": "H", "u4": "I", "u8": "Q",
    "f2": "e", "f4": "f", "f8": "d",
}  # fmt: skip
# What PyYAML writes without quotes, by YAML 1.1 as Keras's own dumper resolved it.
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"), False),
}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9_]*)")
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?)")
_NONFINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


@dataclass(frozen=True, slots=True)
class _Dtype:
    """The dtype of a NumPy number, as ``struct`` writes it."""

    format: str


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not been read."""

    value: Any
    anchor: str | None
    pairs: list[tuple[str, Any]] = field(default_factory=list)
    key: str | None = None
    count: int = 1
    kind: str = ""  # "scalar" and "dtype" are the parts of a NumPy number


class _Builder:
    """Puts values together from events; `counts` is what an anchored value stands for when expanded."""

    def __init__(self, name: str, limits: Limits) -> None:
        self.name = name
        self.limits = limits
        self.stack: list[_Open] = []
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.unfinished: set[str] = set()
        self.result: Any = None
        self.documents = 0

    def open(self, value: Any, anchor: str | None, kind: str = "") -> None:
        if len(self.stack) >= self.limits.depth:
            raise breach(self.limits, "depth", "the depth of the text", None, self.name)
        if anchor is not None:
            self.unfinished.add(anchor)
        self.stack.append(_Open(value, anchor, kind=kind))

    @property
    def kind(self) -> str:
        """Of the innermost container."""
        return self.stack[-1].kind if self.stack else ""

    def close(self) -> None:
        container = self.stack.pop()
        if container.anchor is not None:
            self.unfinished.discard(container.anchor)
        if isinstance(container.value, dict):
            container.value = dict(container.pairs)
            if len(container.value) != len(container.pairs):
                check_duplicates(container.pairs, self.name, None)
        if container.kind == "dtype":
            container.value = _dtype(container.value, self.name)
        elif container.kind == "scalar":
            container.value = _number(container.value, self.name)
        self.add(container.value, container.count, container.anchor)

    def add(self, value: Any, count: int, anchor: str | None) -> None:
        if anchor is not None:
            self.anchors[anchor] = (value, count)
        if isinstance(value, (_Dtype, bytes)) and self.kind != "scalar":
            raise failure("KC202", "a part of a NumPy number stands by itself", self.name)
        if not self.stack:
            self.result = value
            return
        parent = self.stack[-1]
        parent.count += count
        if parent.count > self.limits.values:
            raise breach(self.limits, "values", "the number of values, aliases expanded,", None, self.name)
        if isinstance(parent.value, list):
            parent.value.append(value)
        else:
            self._entry(parent, value)

    def _entry(self, parent: _Open, value: Any) -> None:
        if parent.key is not None:
            parent.pairs.append((parent.key, value))
            parent.key = None
        elif isinstance(value, str):
            parent.key = value
        else:
            raise failure("KC102", "a key of the YAML text is no string", self.name)

    def alias(self, anchor: str) -> None:
        if anchor in self.unfinished:
            raise failure("KC102", f"YAML alias `{anchor[:100]}` refers to what contains it", self.name)
        if anchor not in self.anchors:
            raise failure("KC102", f"YAML alias `{anchor[:100]}` is not defined", self.name)
        value, count = self.anchors[anchor]
        self.add(value, count, None)


def build(text: str, name: str, limits: Limits) -> Any:
    """The value of the only document of a YAML text."""
    try:
        import yaml
    except ImportError as error:
        hint = "install it with: pip install 'kchainer[yaml]'"
        raise failure("KC106", "reading YAML needs PyYAML", name, hint=hint) from error
    builder = _Builder(name, limits)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        for event in yaml.parse(text, Loader=loader):
            _take(builder, event)
    except yaml.YAMLError as error:
        raise _syntax_error(error, name) from error
    except (RecursionError, ValueError, IndexError, TypeError) as error:
        raise failure("KC102", f"not valid YAML: {type(error).__name__}", name) from error
    if builder.documents != 1:
        raise failure("KC102", "not valid YAML: no document", name)
    # Aliases may share a value, so strings are measured once each but values are counted as expanded.
    check_values(builder.result, name, limits)
    return builder.result


def _take(builder: _Builder, event: Any) -> None:
    """One event; their kinds are told by name, since the classes live in a module loaded late."""
    kind = type(event).__name__
    if kind == "ScalarEvent":
        builder.add(_scalar(event, builder), 1, event.anchor)
    elif kind == "SequenceStartEvent":
        number = event.tag in _SCALARS
        _check_tag(None if number else event.tag, _LISTS, builder.name)
        builder.open([], event.anchor, "scalar" if number else "")
    elif kind == "MappingStartEvent":
        dtype = event.tag == _DTYPE and builder.kind == "scalar"
        _check_tag(None if dtype else event.tag, _MAPPINGS, builder.name)
        builder.open({}, event.anchor, "dtype" if dtype else "")
    elif kind in {"SequenceEndEvent", "MappingEndEvent"}:
        builder.close()
    elif kind == "AliasEvent":
        builder.alias(event.anchor)
    elif kind == "DocumentStartEvent":
        builder.documents += 1
        if builder.documents > 1:
            raise failure("KC102", "not valid YAML: more than one document", builder.name)


def _check_tag(tag: str | None, known: frozenset[str], name: str) -> None:
    if tag is not None and tag not in known:
        message = f"YAML tag `{tag[:100]}` is refused: it may name code, which is never run"
        raise failure("KC202", message, name)


def _dtype(value: Any, name: str) -> _Dtype:
    """``args`` are [code, align, copy], ``state`` [version, byte order, ...]: nothing else is asked of them."""
    args, state = value.get("args"), value.get("state")
    code = args[0] if isinstance(args, list) and args else None
    order = state[1] if isinstance(state, list) and len(state) > 1 else "|"
    if code not in _FORMATS or order not in ("<", ">", "|", "="):
        raise failure("KC102", "a NumPy number of an unknown dtype", name)
    return _Dtype(("<" if order in "|=" else order) + _FORMATS[code])


def _number(value: list[Any], name: str) -> Any:
    if len(value) != 2 or not isinstance(value[0], _Dtype) or not isinstance(value[1], bytes):
        raise failure("KC102", "a NumPy number is its dtype and its bytes", name)
    try:
        (number,) = struct.unpack(value[0].format, value[1])
    except struct.error:
        raise failure("KC102", "a NumPy number of another length than its dtype", name) from None
    if isinstance(number, float) and not math.isfinite(number):
        raise failure("KC102", f"{number} is not a finite number", name)
    return number


def _bytes(text: str, name: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError:
        raise failure("KC102", "not valid base64", name) from None


def _scalar(event: Any, builder: _Builder) -> Any:
    value: str = event.value
    if event.tag == _BINARY and builder.kind == "scalar":
        return _bytes(value, builder.name)
    if event.tag is not None:
        if event.tag in _TEXTS:
            return value
        _check_tag(
            event.tag, frozenset({_TAG + kind for kind in ("int", "float", "bool", "null")}), builder.name
        )
    elif not event.implicit[0]:  # quoted
        return value
    return _plain(value, builder)


def _plain(value: str, builder: _Builder) -> Any:
    if value in _WORDS:
        return _WORDS[value]
    if _INTEGER.fullmatch(value):
        return integer(value.replace("_", ""), builder.name, builder.limits)
    if _NONFINITE.fullmatch(value):
        raise failure("KC102", f"{value} is not a finite number", builder.name)
    if _FLOAT.fullmatch(value):
        return _finite(value.replace("_", ""), builder.name)
    return value


def _finite(digits: str, name: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise failure("KC102", f"{digits[:40]} is too large for a number", name)
    return value


def _syntax_error(error: Any, name: str) -> KchainerError:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "it cannot be parsed"
    return KchainerError(
        Diagnostic(
            code="KC102",
            message=f"not valid YAML: {problem}",
            file=name,
            line=mark.line + 1 if mark else None,
            column=mark.column + 1 if mark else None,
        )
    )
