"""Files judged: what each is, and what is wrong with it, by the typed walk or by the published schema."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Collection, Mapping
from typing import Any, Literal

from kchainer import api
from kchainer.custom import Given
from kchainer.diagnostics import Diagnostic, Diagnostics, KchainerError
from kchainer.files import DEFAULT, Limits
from kchainer.frontends.keras import dialect as dialects
from kchainer.frontends.keras import reader
from kchainer.frontends.keras.entries import MODELS

Engine = Literal["typed", "jsonschema"]
Kind = Literal["Keras", "spec", "IR"]
OWN: dict[Any, Kind] = {"spec": "spec", "ir": "IR"}
# What a keyword of JSON Schema says, in kchainer's codes.
KEYWORDS = {"additionalProperties": "KC103", "required": "KC105"}
LONGEST = 300  # of a message of the jsonschema package, which holds the value


@dataclasses.dataclass(frozen=True, slots=True)
class Checked:
    """One file: its kind, who wrote it, how many layers it lists (None where that is unknown), its diagnostics."""

    file: str
    kind: Kind | None
    written_by: str
    layers: int | None
    diagnostics: tuple[Diagnostic, ...]

    @property
    def is_bad(self) -> bool:
        """Anything is wrong, not only odd."""
        return any(d.severity == "error" for d in self.diagnostics)

    def __str__(self) -> str:
        count = "" if self.layers is None else f", {self.layers:,} layer{'' if self.layers == 1 else 's'}"
        return f"{self.written_by or 'unknown'}{count}"


def check(
    path: api.Path,
    *,
    dialect: str | None = None,
    keras_backend: str | None = None,
    limits: Limits = DEFAULT,
    engine: Engine = "typed",
    allow: Collection[str] = (),
    custom: Mapping[str, Given] | None = None,
) -> Checked:
    """What a file is and what is wrong with it. Never raises for bad input."""
    try:
        document = reader.open_document(path, limits)
    except KchainerError as error:
        return Checked(str(path), None, "", None, error.diagnostics)
    config = document.config
    kind = OWN.get(_text(config.get("kind"))) if "kchainer" in config else "Keras"
    layers = _count(config)
    if engine == "jsonschema" and kind is not None:
        found = _by_schema(document, kind, limits)
        return Checked(str(path), kind, _writer(document, kind, dialect), layers, found)
    try:
        model = api.read_document(
            document, dialect=dialect, keras_backend=keras_backend, limits=limits, allow=allow, custom=custom
        )
    except KchainerError as error:
        return Checked(str(path), kind, _writer(document, kind, dialect), layers, error.diagnostics)
    told = model.origin.dialect if kind == "Keras" else _writer(document, kind, dialect)
    return Checked(str(path), kind, told, layers, model.warnings)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _writer(document: reader.Document, kind: Kind | None, dialect: str | None) -> str:
    if kind != "Keras":
        return f"kchainer {kind}" if kind else ""
    if dialect is not None:
        return dialect
    return str(dialects.told(document.config, document.keras_version, document.backend))


def _count(config: Any) -> int:
    """Layers that a file lists, those inside nested models too; calls and nested models are none."""
    count, waiting = 0, [config]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            is_layer = "op" in one or ("class_name" in one and one["class_name"] not in MODELS)
            lists = [one.get("layers"), *([one["config"]] if not is_layer and "config" in one else [])]
            networks = one.get("networks")
            waiting += [v for v in lists if isinstance(v, (list, dict))]
            waiting += networks.values() if isinstance(networks, dict) else []
            count += is_layer
    return count


@functools.cache
def _validator(kind: Kind) -> Any:
    import jsonschema

    from kchainer.cli.schema import SCHEMAS

    return jsonschema.Draft202012Validator(SCHEMAS[kind.lower()]())


def _deepest(wrong: Any) -> Any:
    """Of a value that fits no alternative, what is wrong at the deepest place; the whole where that is no help."""
    while wrong.context:
        below = max(wrong.context, key=lambda one: len(one.absolute_path))
        if len(below.absolute_path) == len(wrong.absolute_path):
            return wrong
        wrong = below
    return wrong


def _by_schema(document: reader.Document, kind: Kind, limits: Limits) -> tuple[Diagnostic, ...]:
    from kchainer.ir.records import token

    found = Diagnostics(document.name, limits.diagnostics)
    try:
        for wrong in map(_deepest, _validator(kind).iter_errors(document.config)):
            path = [str(part) for part in wrong.absolute_path]
            pointer = "".join(f"/{token(part)}" for part in path)
            is_name = path[-1:] in (["op"], ["class_name"])
            code = KEYWORDS.get(wrong.validator, "KC201" if is_name else "KC104")
            found.error(code, wrong.message[:LONGEST], pointer=pointer)
    except RecursionError:
        found.error("KC901", "the text is nested deeper than the jsonschema package can follow")
    return tuple(found.located(document.text).bounded())
