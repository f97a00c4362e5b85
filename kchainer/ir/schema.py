"""IR files, described once: the description checks them and gives their JSON Schema for editors."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from kchainer.ir import ops, settings
from kchainer.ir.nest import NEST
from kchainer.ir.op import OPS, Json, Kind, Op, Problem, kind_of, problems, schema
from kchainer.ir.records import (
    BOOLEAN,
    INTEGER,
    TEXT,
    by_key,
    constant,
    described,
    either,
    many,
    mapping,
    record,
)
from kchainer.ir.training import Training

assert ops  # importing it fills the table
DRAFT = "https://json-schema.org/draft/2020-12/schema"
SETTINGS = Kind(settings.schema(), settings.problems, lambda v: v)
# Keys of every layer besides its op's attributes.
LAYER = {
    "trainable": described(BOOLEAN, "false: no update in training", default=True),
    "settings": SETTINGS,
}
REFERENCE = kind_of(tuple[int, int], {})


def layer_kind(cls: type[Op]) -> Kind:
    """A layer of an IR file that holds this op."""
    more = {"name": described(TEXT, "path through nested models"), **LAYER}

    def wrong(v: Any, at: str) -> Iterator[Problem]:
        yield from problems(cls, {k: one for k, one in v.items() if k not in more}, at)
        if "name" not in v:
            yield Problem(at, "missing", "name", "name")
        for key, kind in more.items():
            if key in v:
                yield from kind.problems(v[key], f"{at}/{key}")

    own = schema(cls)
    properties = own["properties"] | {key: kind.schema for key, kind in more.items()}
    return Kind(own | {"properties": properties, "required": [*own["required"], "name"]}, wrong, lambda v: v)


@functools.cache
def layer_kinds() -> Mapping[str, Kind]:
    """The layers of IR files, by op."""
    return {name: layer_kind(OPS[name]) for name in sorted(OPS)}


NODE = record({"layer": TEXT}, {"inputs": many(REFERENCE)})
NETWORK = record(
    {
        "layers": many(by_key("op", layer_kinds, "#/$defs", "op")),
        "nodes": many(NODE),
        "inputs": many(INTEGER),
        "outputs": many(REFERENCE, least=1),
    },
    {
        "taps": mapping(REFERENCE),
        "output_names": many(TEXT),
        "input_nest": described(
            NEST, "dictionaries and lists around the numbers of the inputs; null: plain ones"
        ),
        "output_nest": described(
            NEST, "dictionaries and lists around the numbers of the outputs; null: plain ones"
        ),
        "masks": described(many(either(constant(None), REFERENCE)), "the mask of each output; null: none"),
    },
)
ORIGIN = record({}, {"file": TEXT, "dialect": TEXT, "reasons": many(TEXT)})
IR = record(
    {"kchainer": constant(1), "kind": constant("ir"), "networks": mapping(NETWORK, least=1)},
    {
        "$schema": TEXT,
        "origin": ORIGIN,
        "dtype": kind_of(Literal["float16", "float32", "float64"], {}),
        "training": Kind({"$ref": "#/$defs/training"}, Training.problems, Training.from_json),
    },
)


def ir_schema() -> Json:
    """The whole of an IR file. ``if``/``then`` by op, so that an editor shows that op's own attributes."""
    defs = {name: kind.schema for name, kind in layer_kinds().items()}
    more = {"training": Training.schema()}
    return {"$schema": DRAFT, "title": "kchainer IR", **IR.schema, "$defs": defs | settings.schemas() | more}
