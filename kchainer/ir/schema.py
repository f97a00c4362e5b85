"""JSON Schema of IR files, derived from the op definitions; for editors and other tools."""

from __future__ import annotations

from typing import Any

from kchainer.ir import ops
from kchainer.ir.op import OPS, schema

Json = dict[str, Any]
DRAFT = "https://json-schema.org/draft/2020-12/schema"
REFERENCE = {"type": "array", "prefixItems": [{"type": "integer"}] * 2, "items": False, "minItems": 2}


def layer_schema(cls: Any) -> Json:
    """A layer of an IR file that holds this op."""
    own = schema(cls)
    more = {
        "name": {"type": "string", "description": "path through nested models"},
        "trainable": {"type": "boolean", "default": True},
        "settings": {
            "type": "object",
            "description": "initializer, regularizer and constraint of each param",
        },
    }
    return own | {"properties": own["properties"] | more, "required": [*own["required"], "name"]}


def ir_schema() -> Json:
    """The whole of an IR file. ``if``/``then`` by op, so that an editor shows that op's own attributes."""
    assert ops.Input in OPS.values()
    by_op = [
        {"if": {"properties": {"op": {"const": name}}}, "then": {"$ref": f"#/$defs/{name}"}}
        for name in sorted(OPS)
    ]
    layer = {
        "type": "object",
        "required": ["op"],
        "properties": {"op": {"enum": sorted(OPS)}},
        "allOf": by_op,
    }
    node = {
        "type": "object",
        "required": ["layer"],
        "properties": {"layer": {"type": "string"}, "inputs": {"type": "array", "items": REFERENCE}},
        "additionalProperties": False,
    }
    network = {
        "type": "object",
        "required": ["layers", "nodes", "inputs", "outputs"],
        "properties": {
            "layers": {"type": "array", "items": layer},
            "nodes": {"type": "array", "items": node},
            "inputs": {"type": "array", "items": {"type": "integer"}},
            "outputs": {"type": "array", "items": REFERENCE},
            "taps": {"type": "object", "additionalProperties": REFERENCE},
            "output_names": {"type": "array", "items": {"type": "string"}},
        },
        "additionalProperties": False,
    }
    return {
        "$schema": DRAFT,
        "title": "kchainer IR",
        "type": "object",
        "required": ["kchainer", "networks"],
        "properties": {
            "kchainer": {"const": 1},
            "kind": {"const": "ir"},
            "origin": {"type": "object"},
            "dtype": {"enum": ["float32", "float64"]},
            "networks": {"type": "object", "additionalProperties": network},
        },
        "$defs": {name: layer_schema(OPS[name]) for name in sorted(OPS)},
    }
