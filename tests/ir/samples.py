"""One network for each op, made from the op definitions: attributes and input shapes that fit each other."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import random
import typing
from collections.abc import Iterator
from types import UnionType
from typing import Any, Literal

from kchainer.diagnostics import Diagnostics
from kchainer.ir import ops
from kchainer.ir.build import Builder
from kchainer.ir.graph import Model, Network, Origin
from kchainer.ir.op import OPS, Op, Shape, ShapeError, from_json, problems, to_json

# What cannot be found by trying: texts with a grammar of their own, and the like.
GIVEN: dict[str, tuple[dict[str, Any], list[Shape]]] = {
    "CrossHash": ({"num_bins": 7}, [(None, 1), (None, 1)]),
    "EinsumDense": (
        {"equation": "abc,cd->abd", "output_shape": [None, 3], "bias_axes": "d"},
        [(None, 5, 4)],
    ),
    "QuantizedEinsumDense": (
        {"equation": "abc,cd->abd", "output_shape": [None, 3], "bias_axes": "d"},
        [(None, 5, 4)],
    ),
    "Float8": ({"layer": {"op": "Dense", "units": 3, "use_bias": True}, "history": 2}, [(None, 4)]),
    "EmbeddingTable": ({"input_dim": 7, "output_dim": 3, "learns": False}, []),
    "LowRank": (
        {"layer": {"op": "Dense", "units": 3, "use_bias": True}, "rank": 2, "alpha": 4.0},
        [(None, 4)],
    ),
    "Segment": ({"function": "sum", "segments": 3}, [(None, 4), (None,)]),
    "ScatterUpdate": ({}, [(4, 5), (2, 1), (2, 5)]),
    "MapCoordinates": ({"order": 1}, [(4, 5), (2, 3)]),
    "AffineTransform": ({}, [(None, 3, 5, 6), (None, 8)]),
    "Colours": ({"function": "rgb_to_hsv", "axis": 1}, [(None, 3)]),
    "Constant": ({"shape": [2, 2], "values": [1.0, 0.5, -2.0, 3.0], "dtype": "float"}, []),
    "MaskedAverage": ({"keepdims": True}, [(None, 5, 4), (None, 5)]),
    "MaskedBatchNormalization": (
        {"momentum": 0.9, "epsilon": 1e-3, "scale": True, "center": False},
        [(None, 5, 4), (None, 5)],
    ),
    "Parameter": ({"shape": [2, 3]}, []),
    "Reshape": ({"target": [2, -1]}, [(None, 6, 4)]),
}
SHAPES: list[list[Shape]] = [
    [shape] * count
    for count in (1, 2, 3)
    for shape in ((None, 6, 6, 4), (None, 6, 4), (None, 4), (None, 6, 6, 6, 4))
]


def value(tp: Any, bounds: dict[str, float], rng: random.Random) -> Any:
    """A JSON value for an attribute's annotation: mostly small numbers, lists of one to three."""
    if isinstance(tp, type) and issubclass(tp, Op):  # an op as an attribute of another
        return {"op": tp.name, **attributes(tp, rng)}
    origin, args = typing.get_origin(tp), typing.get_args(tp)
    if origin is Literal:
        return rng.choice(args)
    if origin in (typing.Union, UnionType):
        return value(rng.choice(args), bounds, rng)
    if origin is tuple and args[-1] is ...:
        return [value(args[0], bounds, rng) for _ in range(rng.randint(0, 3))]
    if origin is tuple:
        return [value(a, bounds, rng) for a in args]
    least = bounds.get("minimum", bounds.get("exclusiveMinimum", 0))
    match tp:
        case t if t is bool:
            return rng.random() < 0.5
        case t if t is int:
            return rng.randint(int(least), int(least) + 3)
        case t if t is float:
            return least + rng.choice([0.125, 0.25, 0.5])
        case t if t is str:
            return rng.choice(["", "a", "tanh", "float32"])
        case _:
            return None


def attributes(cls: type[Op], rng: random.Random) -> dict[str, Any]:
    """All attributes of an op, each of its type."""
    hints = typing.get_type_hints(cls)
    return {
        f.name: value(hints[f.name], f.metadata["bounds"], rng)
        for f in dataclasses.fields(typing.cast("Any", cls))
    }


def _kernel(one: Op, shapes: list[Shape]) -> str:
    """The name of a param that is a kernel."""
    try:
        names = [p.name for p in one.params(*shapes)]
    except (ShapeError, ArithmeticError, LookupError, TypeError, ValueError):  # these shapes do not fit
        names = []
    return next((n for n in names if n.endswith("kernel")), "kernel")


def network(one: Op, shapes: list[Shape]) -> Network | None:
    """Inputs of these shapes and a layer of this op on them, called twice if it has params."""
    found = Diagnostics("sample")
    builder = Builder("net", found, most_nodes=100)
    inputs = [builder.input(f"x{i}", s, "float32", "") for i, s in enumerate(shapes)]
    given = inputs or [builder.input("x0", (None, 3), "float32", "")]
    settings = {_kernel(one, shapes): {"initializer": {"op": "Ones"}}}
    out = builder.call("layer", one, inputs, trainable=False, settings=settings)
    again = builder.call("layer", one, inputs, trainable=False, settings=settings)
    if out is None or again is None:
        return None
    builder.taps = {"tap": again, "x0": given[0]}
    return builder.finish(given, [out, again], ["a", "b"])


def found(cls: type[Op], rng: random.Random) -> Iterator[tuple[dict[str, Any], list[Shape]]]:
    """Endless: attributes and shapes to try."""
    while True:
        for shapes in SHAPES:
            yield attributes(cls, rng), shapes


@functools.cache
def sample(name: str, seed: int = 0) -> Network:
    """A network with this op. Fails where none is found: then the op needs a line in ``GIVEN``."""
    cls, rng = OPS[name], random.Random(f"{name}{seed}")
    if name == "Input":
        builder = Builder("net", Diagnostics("sample"), most_nodes=9)
        x = builder.input("x", (None, 3), "int32", "")
        return builder.finish([x], [x])
    tries = [GIVEN[name]] if name in GIVEN else itertools.islice(found(cls, rng), 60_000)
    for data, shapes in tries:
        if not list(problems(cls, data)):
            made = network(from_json(cls, data), shapes)
            if made is not None:
                return made
    raise AssertionError(f"no sample of {name} was found: give one in tests/ir/samples.py")


def models() -> Iterator[tuple[str, Model]]:
    """A model for each op."""
    for name in OPS:
        yield name, Model({"net": sample(name)}, Origin("sample", "none"))


def layer_json(name: str) -> dict[str, Any]:
    """The sample's op as JSON, every attribute written out."""
    net = sample(name)
    return next(to_json(layer.op) for layer in net.layers.values() if layer.op.name == name)


assert ops
