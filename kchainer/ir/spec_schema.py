"""Files of kchainer's own spec, described once: the description checks them and gives their JSON Schema."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Literal

from kchainer.ir import definition, ops, settings, short
from kchainer.ir.nest import NEST
from kchainer.ir.op import OPS, Json, Kind, Op, kind_of, kinds, plain, schema
from kchainer.ir.records import (
    ANYTHING,
    BOOLEAN,
    TEXT,
    by_key,
    choice,
    constant,
    described,
    either,
    many,
    mapping,
    record,
)
from kchainer.ir.schema import DRAFT, LAYER
from kchainer.ir.short_training import DEFS, TRAINING

VARIABLE = {"$ref": "#/$defs/variable"}
PATTERN = r"^\$[A-Za-z_][A-Za-z0-9_]*$"


def _inside(one: Json) -> Json:
    """The schema whose parts take variables, while the whole does not."""
    out = dict(one)
    for key in ("items", "additionalProperties"):
        if isinstance(out.get(key), dict):
            out[key] = open_to_variables(out[key])
    if "prefixItems" in out:
        out["prefixItems"] = [open_to_variables(s) for s in out["prefixItems"]]
    if "anyOf" in out:
        out["anyOf"] = [_inside(s) for s in out["anyOf"]]
    if "properties" in out:
        out["properties"] = {k: open_to_variables(s) for k, s in out["properties"].items()}
    return out


def open_to_variables(one: Json) -> Json:
    """The schema that takes ``"$name"`` at each of its places; what a variable holds is checked when it is read."""
    inner = _inside(one)
    words = {k: inner.pop(k) for k in ("description", "default") if k in inner}
    if not inner or inner == TEXT.schema:
        return one
    return words | {"anyOf": [VARIABLE, *(inner["anyOf"] if list(inner) == ["anyOf"] else [inner])]}


def variable(kind: Kind) -> Kind:
    """A kind whose published schema takes variables; they are put in before the typed walk."""
    return Kind(open_to_variables(kind.schema), kind.problems, kind.decode)


def named(kind: Kind, name: str) -> Kind:
    """The same kind, whose schema stands in ``$defs`` once."""
    return Kind({"$ref": f"#/$defs/{name}"}, kind.problems, kind.decode)


# ------------------------------------------------------------------ layers


def attributes(cls: type[Op]) -> dict[str, Kind]:
    """The attributes of an op as the spec writes them, short forms included."""
    lacking, own = short.may_lack(cls), schema(cls)["properties"]
    out = {}
    for name, kind in kinds(cls).items():
        form = short.forms(cls).get(name)
        doc = own[name]["description"] + (f" ({form.doc})" if form else "")
        default = lacking.get(name)
        more = {"default": plain(default)} if name in lacking and not callable(default) else {}
        out[name] = variable(described(either(kind, form.kind) if form else kind, doc, **more))
    return out


def _with(cls: type[Op], more: Mapping[str, Kind]) -> Kind:
    """An op, told by ``op``, with its attributes and more keys."""
    lacking, own = short.may_lack(cls), attributes(cls)
    required = {name: kind for name, kind in own.items() if name not in lacking}
    optional = {name: kind for name, kind in own.items() if name in lacking}
    made = record({"op": constant(cls.name)} | required, optional | dict(more))
    words = {"title": cls.name, "description": (cls.__doc__ or "").splitlines()[0]}
    return Kind(words | made.schema, made.problems, made.decode)


REFERENCE = either(TEXT, record({"of": TEXT}, {"output": kind_of(int, {"minimum": 0})}))
REFERENCES = either(named(REFERENCE, "reference"), many(named(REFERENCE, "reference"), least=1))
SOURCES = either(named(REFERENCE, "reference"), many(named(REFERENCE, "reference")))
NAMED = {
    "name": described(TEXT, "unique in the network; left out: the op and a number"),
    "inputs": described(
        named(SOURCES, "sources"), "names of layers, calls or inputs; left out: the entry before"
    ),
}


@functools.cache
def activation_kinds() -> Mapping[str, Kind]:
    """The ops that an ``activation`` may be written out as."""
    family = ops.Activation.__module__
    return {name: _with(OPS[name], {}) for name in short.layer_ops() if OPS[name].__module__ == family}


ACTIVATIONS = either(
    kind_of(Literal[(None, short.NONE, *short.ACTIVATIONS)], {}),
    by_key("op", activation_kinds, "#/$defs/activations", "op"),
)
ACTIVATION = described(named(ACTIVATIONS, "activation"), "function of the layer's output; null: none")


def _setting(kind: str) -> Kind:
    """An initializer, regularizer or constraint: by name, or written out."""
    table = settings.TABLES[kind]
    names = kind_of(Literal[tuple(short.settings_by_name(kind))], {})
    written = Kind({"$ref": f"#/$defs/{kind}"}, lambda v, at: definition.problems(table, v, at), lambda v: v)
    return described(variable(either(names, written)), f"the {kind}, by its name or written out")


SETTING = {kind: _setting(kind) for kind in settings.TABLES}
PARAMS = described(
    named(mapping(record({}, SETTING)), "settings"), "initializer, regularizer and constraint of each param"
)


@functools.cache
def normalization_kinds() -> Mapping[str, Kind]:
    """The ops that a ``normalization`` may be written out as: attributes that are left out are the defaults'."""
    return {name: _with(OPS[name], {}) for name in short.normalizations()}


NORMALIZATIONS = either(
    kind_of(Literal[(None, *short.normalizations())], {}),
    by_key("op", normalization_kinds, "#/$defs/normalizations", "op"),
)
NORMALIZATION = described(named(NORMALIZATIONS, "normalization"), "behind the layer, before its activation")
WEIGHTS_NORMALISED = described(BOOLEAN, "the kernel is a length times a direction")


@functools.cache
def layer_kinds() -> Mapping[str, Kind]:
    """The layers of spec files, by op."""
    common = NAMED | {"trainable": variable(LAYER["trainable"]), "settings": PARAMS}
    able = common | {"activation": variable(ACTIVATION)}
    normed = {"normalization": variable(NORMALIZATION)}
    weighted = normed | {"weight_normalization": variable(WEIGHTS_NORMALISED)}
    more = dict.fromkeys(short.WEIGHTED, normed) | dict.fromkeys(short.WEIGHT_NORMALISED, weighted)
    return {
        name: _with(OPS[name], (able if short.takes_activation(OPS[name]) else common) | more.get(name, {}))
        for name in short.layer_ops()
    }


@functools.cache
def partial_kinds() -> Mapping[str, Kind]:
    """Attributes of each op, all of which may be left out."""
    return {name: record({}, attributes(OPS[name])) for name in short.layer_ops()}


CALL = record({"call": described(TEXT, "the name of a layer above, which is called once more")}, NAMED)

# ------------------------------------------------------------------ networks and files

DIMS = variable(kind_of(tuple[int | None, ...], {"minimum": 0}))
INPUT = record(
    {"shape": described(DIMS, "without the batch; null: any size")},
    {
        "dtype": described(TEXT, "NumPy name of the element type", default="float32"),
        "batch": variable(described(kind_of(int | None, {"minimum": 0}), "size of the batch; null: any")),
    },
)
INPUTS = described(
    either(DIMS, mapping(either(DIMS, INPUT))), "shapes without the batch: of the only input, or by name"
)
NETWORK_KEYS = {
    "outputs": described(named(REFERENCES, "references"), "left out: the last layer"),
    "taps": described(
        mapping(named(REFERENCE, "reference")),
        "values by name; left out: each input and layer by its own name",
    ),
    "output_names": many(TEXT),
    "input_nest": described(
        NEST, "dictionaries and lists around the numbers of the inputs; null: plain ones"
    ),
    "output_nest": described(
        NEST, "dictionaries and lists around the numbers of the outputs; null: plain ones"
    ),
    "masks": described(
        many(either(constant(None), named(REFERENCE, "reference"))),
        "the mask of each output, which losses and metrics see; null: none",
    ),
}
LAYER_ENTRY = choice("call", CALL, by_key("op", layer_kinds, "#/$defs/layers", "op"))
LAYERS = {"inputs": INPUTS, "layers": many(LAYER_ENTRY)}
DEFAULTS = record(
    {},
    {
        "initializer": described(
            SETTING["initializer"], "of every kernel and embedding whose layer states none"
        ),
        "activation": described(ACTIVATION, "of every layer with params that could state one and does not"),
        "normalization": described(
            variable(NORMALIZATION), "of every layer with a kernel that does not state one"
        ),
        "weight_normalization": described(
            variable(WEIGHTS_NORMALISED), "of every dense layer and convolution that can have it"
        ),
        "settings": PARAMS,
        "attributes": record({}, partial_kinds()),
    },
)
COMMON = {
    "$schema": TEXT,
    "variables": described(mapping(ANYTHING), 'values that "$name" stands for'),
    "defaults": DEFAULTS,
    "dtype": kind_of(Literal["float16", "float32", "float64"], {}),
    "training": described(variable(TRAINING), "optimizers, losses and metrics"),
}
HEAD = {"kchainer": constant(1), "kind": constant("spec")}
SPEC = choice(
    "networks",
    record(HEAD | {"networks": mapping(record(LAYERS, NETWORK_KEYS), least=1)}, COMMON),
    record(HEAD | LAYERS, COMMON | NETWORK_KEYS | {"name": TEXT}),
)


def spec_schema() -> Json:
    """The whole of a spec file. ``if``/``then`` by op, so that an editor shows that op's own attributes."""
    defs: Json = {
        "variable": {"type": "string", "pattern": PATTERN},
        "layers": {name: kind.schema for name, kind in layer_kinds().items()},
        "reference": REFERENCE.schema,
        "references": REFERENCES.schema,
        "sources": SOURCES.schema,
        "activation": ACTIVATIONS.schema,
        "normalization": NORMALIZATIONS.schema,
        "normalizations": {name: kind.schema for name, kind in normalization_kinds().items()},
        "settings": mapping(record({}, SETTING)).schema,
        **{kind: open_to_variables(one) for kind, one in settings.schemas().items()},
        "activations": {name: kind.schema for name, kind in activation_kinds().items()},
        **{name: open_to_variables(one) for name, one in DEFS.items()},
    }
    return {"$schema": DRAFT, "title": "kchainer spec", **SPEC.schema, "$defs": defs}
