"""JSON Schema of Keras configs of every release, from the tables of the translators; for editors and other tools.

It says which classes and keys there are, older names included, and what their types can say of their values. It does
not say how releases differ, nor how values, shapes and references fit each other: reading a file does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import kchainer.frontends.keras.layers
from kchainer.frontends.fields import Field, schema_of
from kchainer.frontends.keras.entries import MODELS, OPERATION_CLASSES, ROWS
from kchainer.frontends.keras.translate import BASE_KEYS, TRANSLATORS

Json = dict[str, Any]
assert kchainer.frontends.keras.layers
DRAFT = "https://json-schema.org/draft/2020-12/schema"
LAYER = {"$ref": "#/$defs/layer"}
# Prefixes that a class name may have, and the module of operation nodes, which are no layers.
PREFIX = r"^(Custom>|keras\.layers\.)"
OPERATION = r"\.ops\."


def value_schema(field: Field) -> Json:
    """What a key may hold: values of its type, and older words for them."""
    own = schema_of(field.type)
    if not own or not field.values:
        return own
    return {"anyOf": [own, {"enum": [*dict.fromkeys(field.values)]}]}


def config_schema(fields: Mapping[str, Field]) -> Json:
    """The config of a class: its keys under their newest and their older names."""
    properties: Json = {key: {} for key in sorted(BASE_KEYS)}
    required: list[Json] = []
    for name, field in fields.items():
        properties[name] = value_schema(field)
        for older in field.older:
            was = {"description": f"older name of `{name}`", "deprecated": True}
            properties.setdefault(older, was | (properties[name] if len(field.older) == 1 else {}))
        if field.default is ...:
            names = [[name], *([list(field.older)] if field.older else [])]
            required.append({"anyOf": [{"required": one} for one in names]})
    out: Json = {"type": "object", "properties": properties, "additionalProperties": False}
    return out | ({"allOf": required} if required else {})


def _tables() -> tuple[dict[str, str], Json]:
    """The config that each class refers to, and those configs, each once."""
    by_table: dict[int, str] = {}
    of_class: dict[str, str] = {}
    configs: Json = {}
    for name, translator in sorted(TRANSLATORS.items()):
        first = by_table.setdefault(id(translator), name)
        of_class[name] = first
        if first == name:
            configs[name] = config_schema(translator.fields)
    return of_class, configs


def _layer(of_class: Mapping[str, str]) -> Json:
    names = sorted({*of_class, *OPERATION_CLASSES, *MODELS, *ROWS})
    configs = [
        {
            "if": {"properties": {"class_name": {"const": name}}},
            "then": {"properties": {"config": {"$ref": f"#/$defs/configs/{first}"}}, "required": ["config"]},
        }
        for name, first in of_class.items()
        if name not in OPERATION_CLASSES
    ]
    models = {
        "if": {"properties": {"class_name": {"enum": list(MODELS)}}},
        "then": {"$ref": "#/$defs/model"},
    }
    return {
        "type": "object",
        "required": ["class_name"],
        "properties": {"class_name": {"type": "string"}},
        "if": {"required": ["module"], "properties": {"module": {"type": "string", "pattern": OPERATION}}},
        "else": {
            "properties": {"class_name": {"anyOf": [{"enum": names}, {"type": "string", "pattern": PREFIX}]}},
            "allOf": [*configs, models],
        },
    }


def keras_schema() -> Json:
    """The whole of a model's config, as ``to_json()`` and ``get_config()`` of any Keras write it."""
    of_class, configs = _tables()
    layers = {"type": "array", "items": LAYER}
    model = {
        "type": "object",
        "required": ["class_name", "config"],
        "properties": {
            "class_name": {"enum": list(MODELS)},
            "config": {
                "type": ["array", "object"],
                "items": LAYER,
                "required": ["layers"],
                "properties": {"layers": layers},
            },
        },
    }
    return {
        "$schema": DRAFT,
        "title": "Keras model config",
        "type": "object",
        "if": {"required": ["class_name"]},
        "then": {"$ref": "#/$defs/model"},
        "else": {"required": ["model_config"], "properties": {"model_config": {"$ref": "#/$defs/model"}}},
        "$defs": {"model": model, "layer": _layer(of_class), "configs": configs},
    }
