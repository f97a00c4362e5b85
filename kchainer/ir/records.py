"""JSON objects described once: the same description checks a value and gives its JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kchainer.diagnostics import Diagnostics, suggestion
from kchainer.ir.op import Json, Kind, Problem, kind_of

CODES = {"unknown": "KC103", "missing": "KC105", "type": "KC104", "value": "KC104", "op": "KC201"}
ANYTHING = Kind({}, lambda v, at: iter(()), lambda v: v)
TEXT = kind_of(str, {})
INTEGER = kind_of(int, {})
BOOLEAN = kind_of(bool, {})


def token(key: str) -> str:
    """A key as a part of a JSON Pointer."""
    return key.replace("~", "~0").replace("/", "~1")


def record(required: Mapping[str, Kind], optional: Mapping[str, Kind] | None = None) -> Kind:
    """An object with these keys and no others."""
    keys = dict(required) | dict(optional or {})

    def problems(v: Any, at: str) -> Iterator[Problem]:
        if not isinstance(v, dict):
            yield Problem(at, "type", v, "an object")
            return
        for key in v:
            if key not in keys:
                yield Problem(f"{at}/{token(key)}", "unknown", v[key], ", ".join(keys))
        for key, kind in keys.items():
            if key in v:
                yield from kind.problems(v[key], f"{at}/{token(key)}")
            elif key in required:
                yield Problem(at, "missing", key, key)

    schema = {
        "type": "object",
        "required": list(required),
        "properties": {key: kind.schema for key, kind in keys.items()},
        "additionalProperties": False,
    }
    return Kind(schema, problems, lambda v: {key: keys[key].decode(one) for key, one in v.items()})


def mapping(value: Kind, *, least: int = 0) -> Kind:
    """An object whose keys are names and whose values are all of one kind."""

    def problems(v: Any, at: str) -> Iterator[Problem]:
        if not isinstance(v, dict):
            yield Problem(at, "type", v, "an object")
            return
        if len(v) < least:
            yield Problem(at, "value", v, f"at least {least}")
        for key, one in v.items():
            yield from value.problems(one, f"{at}/{token(key)}")

    schema: Json = {"type": "object", "additionalProperties": value.schema}
    return Kind(
        schema | ({"minProperties": least} if least else {}),
        problems,
        lambda v: {key: value.decode(one) for key, one in v.items()},
    )


def many(item: Kind, *, least: int = 0) -> Kind:
    """A list whose entries are all of one kind."""

    def problems(v: Any, at: str) -> Iterator[Problem]:
        if not isinstance(v, list):
            yield Problem(at, "type", v, "a list")
            return
        if len(v) < least:
            yield Problem(at, "value", v, f"at least {least}")
        for i, one in enumerate(v):
            yield from item.problems(one, f"{at}/{i}")

    schema: Json = {"type": "array", "items": item.schema}
    return Kind(
        schema | ({"minItems": least} if least else {}),
        problems,
        lambda v: [item.decode(one) for one in v],
    )


def by_key(key: str, table: Callable[[], Mapping[str, Kind]], where: str, kind: Any = "value") -> Kind:
    """An object whose other keys depend on the text under ``key``; its schemas are ``$defs`` of ``where``."""

    def problems(v: Any, at: str) -> Iterator[Problem]:
        if not isinstance(v, dict):
            yield Problem(at, "type", v, "an object")
        elif key not in v:
            yield Problem(at, "missing", key, key)
        elif not isinstance(v[key], str):
            yield Problem(f"{at}/{key}", "type", v[key], "a string")
        elif v[key] not in table():
            yield Problem(f"{at}/{key}", kind, v[key], ", ".join(table()))
        else:
            yield from table()[v[key]].problems(v, at)

    names = sorted(table())
    schema = {
        "type": "object",
        "required": [key],
        "properties": {key: {"enum": names}},
        "allOf": [
            {"if": {"properties": {key: {"const": name}}}, "then": {"$ref": f"{where}/{name}"}}
            for name in names
        ],
    }
    return Kind(schema, problems, lambda v: table()[v[key]].decode(v))


def either(*kinds: Kind) -> Kind:
    """One of several kinds; told are the problems of the one that fits down to the deepest place."""

    def problems(v: Any, at: str) -> Iterator[Problem]:
        first = [(kind, next(kind.problems(v, at), None)) for kind in kinds]
        wrong = [(kind, problem) for kind, problem in first if problem is not None]
        if len(wrong) < len(kinds):
            return
        kind, deepest = max(wrong, key=lambda pair: len(pair[1].pointer))
        if deepest.pointer != at:
            yield from kind.problems(v, at)
        else:
            yield Problem(at, "type", v, " or ".join(dict.fromkeys(p.expected for _, p in wrong)))

    def decode(v: Any) -> Any:
        return next(k for k in kinds if next(k.problems(v, ""), None) is None).decode(v)

    return Kind({"anyOf": [kind.schema for kind in kinds]}, problems, decode)


def choice(key: str, there: Kind, absent: Kind) -> Kind:
    """One kind of object where a key is there, another where it is not."""

    def pick(v: Any) -> Kind:
        return there if isinstance(v, dict) and key in v else absent

    schema = {
        "type": "object",
        "if": {"required": [key]},
        "then": there.schema,
        "else": absent.schema,
    }
    return Kind(schema, lambda v, at: pick(v).problems(v, at), lambda v: pick(v).decode(v))


def constant(value: Any) -> Kind:
    """This value only."""

    def problems(v: Any, at: str) -> Iterator[Problem]:
        if isinstance(v, bool) or v != value:
            yield Problem(at, "value", v, json.dumps(value))

    return Kind({"const": value}, problems, lambda v: value)


def described(kind: Kind, text: str, **more: Any) -> Kind:
    """The same kind with words for an editor, and perhaps a default."""
    return Kind({"description": text} | kind.schema | more, kind.problems, kind.decode)


# ------------------------------------------------------------------ telling


def shown(value: Any) -> str:
    """A value as a message prints it: JSON, cut to a line."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 80 else text[:77] + "..."


def label(value: Any) -> str | None:
    """What a layer is called in messages: ``Dense "fc"``."""
    if not isinstance(value, dict) or not isinstance(value.get("op"), str):
        return None
    name = value.get("name")
    return f'{value["op"]} "{name}"' if isinstance(name, str) else str(value["op"])


def _context(root: Any, pointer: str) -> tuple[str, str]:
    """The layer that a pointer leads into (" of Dense ...") and the key below it."""
    value, of, key = root, "", ""
    for part in pointer.split("/")[1:]:
        plain = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            told = label(value)
            of, key = (f" of {told}", plain) if told else (of, key if of else plain)
            value = value.get(plain)
        elif isinstance(value, list) and plain.isdigit() and int(plain) < len(value):
            value = value[int(plain)]
    return of, key


def say(diagnostics: Diagnostics, problem: Problem, root: Any) -> None:
    """Report a problem of a document with its place, what stood there, and spelling help."""
    of, key = _context(root, problem.pointer)
    last = problem.pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
    found: str | None = shown(problem.found)
    expected: str | None = problem.expected
    hint = None
    match problem.kind:
        case "unknown":
            message = f"unknown key `{last}`{of}"
            hint, found = suggestion(last, problem.expected.split(", ")), None
        case "missing":
            told = label(_at(root, problem.pointer))
            message, found = f"`{problem.found}` is missing{f' from {told}' if told else of}", None
        case "op":
            message, found, expected = f"unknown op `{problem.found}`", None, None
            hint = suggestion(str(problem.found), problem.expected.split(", "))
        case _:
            what = f"`{key}`{of}" if key else "the file"
            message = f"{what} has a wrong {problem.kind}"
    diagnostics.error(
        CODES[problem.kind], message, pointer=problem.pointer, found=found, expected=expected, hint=hint
    )


def _at(root: Any, pointer: str) -> Any:
    value = root
    for part in pointer.split("/")[1:]:
        plain = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(plain)
        elif isinstance(value, list) and plain.isdigit() and int(plain) < len(value):
            value = value[int(plain)]
    return value


class Broken:
    """The places of a document's problems: what is at or around one is not read any further."""

    def __init__(self) -> None:
        self.at: set[str] = set()
        self.around: set[str] = set()

    def add(self, pointer: str) -> None:
        """Note a place."""
        self.at.add(pointer)
        while pointer:
            self.around.add(pointer)
            pointer = pointer.rpartition("/")[0]

    def fine(self, pointer: str) -> bool:
        """Nothing is wrong at this place, nor inside of it."""
        return pointer not in self.around
