"""Keys of a config: their types, older names and defaults, written as tables."""

from __future__ import annotations

import dataclasses
import json
import types
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol, TypeVar

from kchainer.diagnostics import suggestion

Json = dict[str, Any]


class Wrong(Exception):
    """A value that does not fit: ``code`` of the diagnostic, what was expected, what to do, where inside it."""

    def __init__(self, expected: str, *, code: str = "KC104", hint: str | None = None, at: str = "") -> None:
        super().__init__(expected)
        self.expected, self.code, self.hint, self.at = expected, code, hint, at


class Release(Protocol):
    """Something with a release that values can depend on."""

    @property
    def release(self) -> tuple[int, ...]:
        """The numbers of the release: (2, 3, 1)."""
        ...


def version(text: str) -> tuple[int, ...]:
    """The numbers of a version: "2.2.4-tf" is (2, 2, 4)."""
    parts: list[int] = []
    for part in text.split("-")[0].split("."):
        if not part.isdigit():
            break
        parts.append(int(part))
    return tuple(parts)


class Since:
    """A value that changed: ``Since({"0.3": 1e-6, "1.0": 1e-5, "1.2": 1e-3})``."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = sorted(((version(k), v) for k, v in values.items()), key=lambda pair: pair[0])

    def at(self, dialect: Release) -> Any:
        """The value that holds for a release; the first one for a release before all."""
        return next((v for since, v in reversed(self.values) if since <= dialect.release), self.values[0][1])


@dataclasses.dataclass(frozen=True, slots=True)
class ByDialect:
    """The type of a value that releases mean differently: ``function(value, dialect)``."""

    function: Callable[[Any, Any], Any]

    def __call__(self, value: Any) -> Any:
        raise TypeError("read with the dialect only")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One key of a config: its type, its older names, its default in each release.

    ``why``: of a key that is ignored, or of which values are refused, the reason; docs/support.md and hints say it.
    """

    type: Callable[[Any], Any]
    default: Any = ...
    was: str | tuple[str, ...] | None = None
    values: Mapping[Any, Any] = dataclasses.field(default_factory=dict)
    why: str = ""

    @property
    def older(self) -> tuple[str, ...]:
        """The older name, or the names that together were this key."""
        return (self.was,) if isinstance(self.was, str) else self.was or ()


class Config:
    """A config with every declared key present under its newest name, checked."""

    def __init__(self, values: Mapping[str, Any], given: frozenset[str]) -> None:
        self.__dict__.update(values)
        self._given = given

    def __getattr__(self, name: str) -> Any:  # reached for a key that no Field declares only
        raise AttributeError(f"{name} is not a declared Field")

    def has(self, name: str) -> bool:
        """The file states this key."""
        return name in self._given


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one key, for a diagnostic."""

    code: str
    key: str
    message: str
    found: str | None = None
    expected: str | None = None
    hint: str | None = None


def shown(value: Any) -> str:
    """A value as a message prints it: JSON, cut to a line."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 80 else text[:77] + "..."


def _taken(name: str, field: Field, left: Json, dialect: Release) -> tuple[Any, str | None]:
    """The value of a field and the key that gave it (None: the default)."""
    if name in left:
        return left.pop(name), name
    older = field.older
    if older and all(k in left for k in older):
        parts = [left.pop(k) for k in older]
        return (parts[0] if len(parts) == 1 else parts), older[0]
    value = field.default.at(dialect) if isinstance(field.default, Since) else field.default
    return (value(dialect) if callable(value) else value), None


# What a key's diagnostic says by its code.
WRONG = {
    "KC201": "names nothing that Keras defines",
    "KC202": "names code, which is never run:",
    "KC204": "of this value is not supported",
}


def _typed(field: Field, value: Any, dialect: Release) -> Any:
    hashable = isinstance(value, (str, int, float, type(None)))
    newest = field.values.get(value, value) if hashable else value
    if isinstance(field.type, ByDialect):
        return field.type.function(newest, dialect)
    return field.type(newest)


def read(
    fields: Mapping[str, Field], raw: Json, dialect: Release, *, base: frozenset[str]
) -> tuple[Config, list[Fault]]:
    """Rename, fill and check one config. ``base`` are keys that the caller reads itself."""
    left, out, faults, given = dict(raw), {}, [], set()
    for name, field in fields.items():
        value, key = _taken(name, field, left, dialect)
        if value is ...:
            faults.append(Fault("KC105", "", f"`{name}` is missing", expected=name))
            continue
        if key is not None:
            given.add(name)
        try:
            out[name] = _typed(field, value, dialect)
        except Wrong as wrong:
            said = WRONG.get(wrong.code, "has a wrong value")
            at = f"{key or name}/{wrong.at}" if wrong.at else key or name
            hint = wrong.hint or (field.why if wrong.code == "KC204" else "") or None
            faults.append(Fault(wrong.code, at, f"`{name}` {said}", shown(value), wrong.expected, hint))
    unknown = [k for k in left if k not in base]
    faults += [_unknown(k, fields if i < SUGGESTED else {}) for i, k in enumerate(unknown)]
    return Config(out, frozenset(given)), faults


SUGGESTED = 20  # unknown keys of one config for which the nearest known one is looked for


def _unknown(key: str, fields: Mapping[str, Field]) -> Fault:
    near = suggestion(key, _names(fields))
    return Fault("KC103", key, f"unknown key `{key}`", hint=near)


def _names(fields: Mapping[str, Field]) -> Iterator[str]:
    for name, field in fields.items():
        yield name
        yield from field.older


# ------------------------------------------------------------------ types of values

Type = Callable[[Any], Any]
Kept = TypeVar("Kept", bound=Type)
# What JSON Schema can say of each type; a type that is not here takes anything there.
SCHEMAS: weakref.WeakKeyDictionary[Type, Json] = weakref.WeakKeyDictionary()


def described(schema: Json) -> Callable[[Kept], Kept]:
    """Say what a type takes in the words of JSON Schema, for editors."""

    def register(function: Kept) -> Kept:
        SCHEMAS[function] = schema
        return function

    return register


def schema_of(kind: Type) -> Json:
    """The JSON Schema of a type; empty where it is not known."""
    return SCHEMAS.get(kind, {}) if isinstance(kind, types.FunctionType) else {}


@described({"type": "integer"})
def integer(v: Any) -> int:
    """A whole number; not true or false, not 64.0."""
    if isinstance(v, bool) or not isinstance(v, int):
        raise Wrong("an integer")
    return v


@described({"type": "integer", "minimum": 1})
def positive(v: Any) -> int:
    """A whole number of 1 or more."""
    if integer(v) < 1:
        raise Wrong("an integer of 1 or more")
    return int(v)


@described({"type": "integer", "minimum": 0})
def natural(v: Any) -> int:
    """A whole number of 0 or more."""
    if integer(v) < 0:
        raise Wrong("an integer of 0 or more")
    return int(v)


@described({"type": "number"})
def number(v: Any) -> float:
    """A number; not true or false."""
    if isinstance(v, bool) or not isinstance(v, (int, float)):
        raise Wrong("a number")
    try:
        return float(v)
    except OverflowError:  # an integer of 310 digits
        raise Wrong("a number below 1e308") from None


@described({"type": "number", "minimum": 0, "exclusiveMaximum": 1})
def rate(v: Any) -> float:
    """A number from 0 up to, not including, 1."""
    if not 0 <= number(v) < 1:
        raise Wrong("a number from 0 up to, not including, 1")
    return float(v)


@described({"type": "boolean"})
def boolean(v: Any) -> bool:
    """True or false, nothing that Python would take for them."""
    if not isinstance(v, bool):
        raise Wrong("true or false")
    return v


@described({"type": "string"})
def text(v: Any) -> str:
    """A string."""
    if not isinstance(v, str):
        raise Wrong("a string")
    return v


def members(v: Any) -> dict[str, Any]:
    """The members of an object, none of null; a copy. Raises Wrong."""
    if v is not None and not isinstance(v, dict):
        raise Wrong("an object")
    return dict(v or {})


def anything(v: Any) -> Any:
    """A key whose value a translator reads itself."""
    return v


def ignored(v: Any) -> Any:
    """A key that does not change what the model computes."""
    return v


def optional(inner: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """``inner`` or null."""
    schema = {"anyOf": [{"type": "null"}, schema_of(inner)]} if schema_of(inner) else {}
    return described(schema)(lambda v: None if v is None else inner(v))


def tuple_of(inner: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A list of any length."""

    @described({"type": "array", "items": schema_of(inner)})
    def check(v: Any) -> tuple[Any, ...]:
        if not isinstance(v, (list, tuple)):
            raise Wrong("a list")
        return tuple(inner(one) for one in v)

    return check


def sizes(rank: int, inner: Callable[[Any], int] = positive) -> Callable[[Any], Any]:
    """A number for each of ``rank`` spatial dimensions, or one for all."""
    several = [
        {"type": "array", "items": schema_of(inner), "minItems": n, "maxItems": n} for n in sorted({1, rank})
    ]

    @described({"anyOf": [schema_of(inner), *several]})
    def check(v: Any) -> tuple[int, ...]:
        if isinstance(v, (list, tuple)):
            if len(v) == rank:
                return tuple(inner(one) for one in v)
            if len(v) == 1:
                return (inner(v[0]),) * rank
            raise Wrong(f"an integer or a list of {rank}")
        return (inner(v),) * rank

    return check


def one_of(*allowed: Any) -> Callable[[Any], Any]:
    """One of these values."""

    @described({"enum": list(allowed)})
    def check(v: Any) -> Any:
        if not any(type(v) is type(a) and v == a for a in allowed):
            near = suggestion(v, [a for a in allowed if isinstance(a, str)]) if isinstance(v, str) else None
            expected = "one of " + ", ".join(json.dumps(a) for a in allowed)
            raise Wrong(expected, hint=near)
        return v

    return check


REFUSING: weakref.WeakSet[Any] = weakref.WeakSet()  # the types that ``only`` made


def refuses_values(kind: Type) -> bool:
    """Some values of this type ask for something that kchainer does not do."""
    return isinstance(kind, types.FunctionType) and kind in REFUSING


def only(*values: Any) -> Callable[[Any], Any]:
    """A key whose other values ask for something that kchainer does not do."""
    # 0 == False in Python, not in JSON Schema
    same = {w for v in values if v in (0, 1) for w in (json.dumps(bool(v)), json.dumps(int(v)))}
    allowed = dict.fromkeys([*(json.dumps(v) for v in values), *sorted(same)])

    @described({"enum": [json.loads(v) for v in allowed]})
    def check(v: Any) -> Any:
        if v not in values:
            raise Wrong("only " + " or ".join(json.dumps(a) for a in values), code="KC204")
        return v

    REFUSING.add(check)
    return check
