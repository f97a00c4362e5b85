"""A model as data: what Keras builds from it, and smaller ones of the same kind.

A spec is JSON: ``inputs`` (name, shape, feed, and high for whole numbers or zeros for steps of zeros), ``nodes``
(a layer, a function of keras.ops, a model of its own, or a layer again, each ``of`` earlier values), ``outputs``.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator
from typing import Any

from tests.parity import harness  # before Keras

import keras  # isort: skip
import numpy as np
from keras.src import backend as keras_backend
from keras.src.backend.common import dtypes as keras_dtypes

_result_type = keras_dtypes.result_type
Json = dict[str, Any]
Values = dict[str, Any]


def made(given: Json, name: str | None = None) -> Any:
    """The layer that ``given`` describes, those among its arguments included."""
    config = {key: _argument(value) for key, value in given.get("config", {}).items()}
    return getattr(keras.layers, given["layer"])(**config, **({"name": name} if name else {}))


def _argument(value: Any) -> Any:
    if isinstance(value, dict) and "layer" in value:
        return made(value)
    if isinstance(value, dict) and "model" in value:
        return build(value["model"])
    return [_argument(v) for v in value] if isinstance(value, list) else value


def _filled(template: Any, tensors: list[Any]) -> Any:
    if isinstance(template, str) and template.startswith("$"):
        return tensors[int(template[1:])]
    return [_filled(v, tensors) for v in template] if isinstance(template, list) else template


def _operation(node: Json, tensors: list[Any]) -> Any:
    if node["ops"] == "getitem":
        return tensors[0][tuple(slice(*part) if isinstance(part, list) else part for part in node["slices"])]
    function = getattr(keras.ops, node["ops"])
    return function(*_filled(node["args"], tensors), **node.get("keywords", {}))


def called(node: Json, tensors: list[Any], layers: Values) -> Any:
    """What a node gives for its tensors; new layers are noted in ``layers``."""
    if "ops" in node:
        return _operation(node, tensors)
    if "again" not in node:
        model = "model" in node
        layers[node["name"]] = build(node["model"], node["name"]) if model else made(node, node["name"])
    layer = layers[node.get("again", node["name"])]
    match node.get("call", "list"):
        case "spread":
            return layer(*tensors, **node.get("keywords", {}))
        case "states":
            return layer(tensors[0], initial_state=tensors[1:])
        case _:
            return layer(tensors if len(tensors) > 1 else tensors[0])


def grown(node: Json, values: Values, layers: Values) -> list[str]:
    """Run a node on symbols; the names of its values, ``name`` or ``name:1`` and on."""
    flat = keras.tree.flatten(called(node, [values[name] for name in node["of"]], layers))
    names = [f"{node['name']}:{i}" if i else node["name"] for i in range(len(flat))]
    values.update(zip(names, flat, strict=True))
    return names


def entry(given: Json) -> Any:
    """The input that ``given`` describes."""
    dtype = "int32" if "high" in given else None
    return keras.Input([d if d else None for d in given["shape"]], dtype=dtype, name=given["name"])


def build(spec: Json, name: str = "net") -> Any:
    """Keras's model."""
    if spec.get("sequential"):
        layers = [build(n["model"], n["name"]) if "model" in n else made(n, n["name"]) for n in spec["nodes"]]
        return keras.Sequential([entry(spec["inputs"][0]), *layers], name=name)
    values: Values = {one["name"]: entry(one) for one in spec["inputs"]}
    layers_of: Values = {}
    for node in spec["nodes"]:
        grown(node, values, layers_of)
    inputs = [values[one["name"]] for one in spec["inputs"]]
    outputs = [values[one] for one in spec["outputs"]]
    return keras.Model(
        inputs if len(inputs) > 1 else inputs[0], outputs if len(outputs) > 1 else outputs[0], name=name
    )


def _in_float64(*dtypes: Any) -> str:
    """Keras on PyTorch says float32 for float64 and float32, so that normalisations would compute in float32."""
    return "float64" if any(str(d).endswith("float64") for d in dtypes) else _result_type(*dtypes)


@contextlib.contextmanager
def exactly(dtype: str) -> Iterator[None]:
    """Where it is float64, Keras computes in it throughout: a reference has to be better than what it judges."""
    holders = (keras_backend, keras_dtypes) if dtype == "float64" else ()
    for holder in holders:
        holder.result_type = _in_float64
    try:
        yield
    finally:
        for holder in holders:
            holder.result_type = _result_type


@contextlib.contextmanager
def computed_in(dtype: str) -> Iterator[None]:
    """Keras makes layers of this dtype meanwhile."""
    keras.backend.clear_session(free_memory=False)  # its collection of garbage takes longer than the rest
    before = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)
    try:
        yield
    finally:
        keras.config.set_floatx(before[0])
        keras.config.set_dtype_policy(before[1])


def model(spec: Json, dtype: str = "float32") -> Any:
    """Keras's model with weights that the spec's seed gives, the same in each dtype."""
    with computed_in(dtype):
        net = build(spec)
    rng = np.random.default_rng(spec["seed"])
    for variable in net.weights:
        if "float" in str(variable.dtype):
            value = _drawn(variable, rng).astype("float32").astype(dtype)
            variable.assign(value)
    return net


def _drawn(variable: Any, rng: np.random.Generator) -> harness.Array:
    shape = tuple(variable.shape)
    if "variance" in variable.name:
        return np.asarray(rng.uniform(0.5, 1.5, shape))
    if len(shape) > 1:  # values keep their size through the layers
        return rng.normal(size=shape) / np.sqrt(max(np.prod(shape[:-1]), 1))
    return rng.normal(size=shape) * 0.3 + (1 if "gamma" in variable.name else 0)


def fed(spec: Json) -> list[harness.Array]:
    """Arrays for the inputs."""
    rng = np.random.default_rng(spec["seed"] + 1)
    out = []
    for one in spec["inputs"]:
        shape = (spec["batch"], *one["feed"])
        if "high" in one:
            out.append(rng.integers(0, one["high"], shape).astype("int32"))
            continue
        x = rng.normal(size=shape).astype("float32")
        if one.get("zeros") and len(shape) > 2:
            keep = rng.uniform(size=shape[:2]) < 0.6
            keep[:, shape[1] // 2] = True  # no sample is all masked
            x *= keep.reshape(keep.shape + (1,) * (len(shape) - 2))
        out.append(x)
    return out


def _needed(spec: Json, outputs: list[str]) -> Json:
    """The part of a spec that ``outputs`` come from."""
    wanted = {o.partition(":")[0] for o in outputs}
    nodes = []
    for node in reversed(spec["nodes"]):
        if node["name"] in wanted:
            nodes.append(node)
            wanted |= {o.partition(":")[0] for o in node["of"]} | {node.get("again", node["name"])}
    kept = [one for one in spec["inputs"] if one["name"] in wanted]
    return {**spec, "inputs": kept, "nodes": nodes[::-1], "outputs": outputs}


def _without(spec: Json, node: Json, other: str) -> Json:
    """A spec whose node is left out; ``other`` takes its place."""
    out = copy.deepcopy(spec)
    out["nodes"] = [n for n in out["nodes"] if n["name"] != node["name"]]
    for one in out["nodes"]:
        one["of"] = [other if o.partition(":")[0] == node["name"] else o for o in one["of"]]
    return _needed(out, [other if o.partition(":")[0] == node["name"] else o for o in out["outputs"]])


def _smaller(spec: Json) -> Iterator[Json]:  # noqa: C901  one way to shrink after the other
    for output in spec["outputs"] if len(spec["outputs"]) > 1 else ():
        yield _needed(spec, [output])
    for node in spec["nodes"]:
        if len(spec["nodes"]) > 1 and spec["outputs"] != [node["name"]] and not spec.get("sequential"):
            yield _needed(spec, [node["name"]])
    for node in spec["nodes"]:
        for other in node["of"]:
            yield _without(spec, node, other)
    if spec.get("format", "keras") != "keras":
        yield {**spec, "format": "keras"}
    if spec.get("sequential"):
        yield {**spec, "sequential": False}
    for i, node in enumerate(spec["nodes"]):
        for key in node.get("config", {}):
            less = copy.deepcopy(spec)
            del less["nodes"][i]["config"][key]
            yield less
        for inner in _smaller(node["model"]) if "model" in node else ():
            yield {**spec, "nodes": [n if n is not node else {**n, "model": inner} for n in spec["nodes"]]}


def shrunk(spec: Json, fails: Callable[[Json], bool], tries: int = 150) -> Json:
    """A smaller spec that fails too."""
    again = True
    while again:
        again = False
        for less in _smaller(spec):
            tries -= 1
            if tries < 0:
                return spec
            if less["nodes"] and less["inputs"] and fails(less):
                spec, again = less, True
                break
    return spec
