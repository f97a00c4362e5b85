"""The IR as JSON and back. Shapes and params are not written: they are inferred again, and so checked."""

from __future__ import annotations

from typing import Any

from kchainer.diagnostics import Diagnostics, suggestion
from kchainer.ir import op as definitions
from kchainer.ir import ops
from kchainer.ir.build import Builder
from kchainer.ir.graph import Model, Network, Origin, Value
from kchainer.ir.op import OPS, Op, plain

VERSION = 1
Json = dict[str, Any]
CODES = {"unknown": "KC103", "missing": "KC105", "type": "KC104", "value": "KC104"}


def to_json(model: Model) -> Json:
    """The checked model without its arrays, every attribute written out."""
    return {
        "kchainer": VERSION,
        "kind": "ir",
        "origin": {
            "file": model.origin.file,
            "dialect": model.origin.dialect,
            "reasons": list(model.origin.reasons),
        },
        "dtype": model.dtype,
        "networks": {name: _network(network) for name, network in model.networks.items()},
    }


def _network(network: Network) -> Json:
    layers = [
        {
            "name": layer.name,
            **definitions.to_json(layer.op),
            "trainable": layer.trainable,
            "settings": _plain(layer.settings),
        }
        for layer in network.layers.values()
    ]
    return {
        "layers": layers,
        "nodes": [{"layer": n.layer, "inputs": plain(n.inputs)} for n in network.nodes],
        "inputs": list(network.inputs),
        "outputs": plain(network.outputs),
        "taps": {name: list(value) for name, value in network.taps.items()},
        "output_names": list(network.output_names),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, (list, tuple)) else value


def from_json(data: Json, *, name: str, diagnostics: Diagnostics, most_nodes: int) -> Model | None:
    """The model of an IR file; None where something is wrong, which is reported with its place."""
    if data.get("kchainer") != VERSION:
        diagnostics.error("KC109", "another version of the IR", pointer="/kchainer", expected=str(VERSION))
        return None
    networks = data.get("networks")
    if not isinstance(networks, dict) or not networks:
        diagnostics.error("KC105", "no networks", pointer="", expected="networks")
        return None
    made: dict[str, Network] = {}
    for key, network in networks.items():
        read = _Reader(key, network, diagnostics, most_nodes).network()
        if read is not None:
            made[key] = read
    if diagnostics.has_errors:
        return None
    origin = data.get("origin") or {}
    reasons = tuple(str(r) for r in origin.get("reasons", ()))
    return Model(
        made,
        Origin(str(origin.get("file", name)), str(origin.get("dialect", "")), reasons),
        {},
        data.get("dtype", "float32"),
    )


class _Reader:
    """One network on its way from JSON."""

    def __init__(self, name: str, data: Any, diagnostics: Diagnostics, most_nodes: int) -> None:
        self.data, self.diagnostics = data, diagnostics
        self.at = "/networks/" + name.replace("~", "~0").replace("/", "~1")
        self.builder = Builder(name, diagnostics, most_nodes=most_nodes)
        self.ops: dict[str, tuple[Op, Json, str]] = {}

    def network(self) -> Network | None:
        if not isinstance(self.data, dict) or not all(
            isinstance(self.data.get(k), list) for k in ("layers", "nodes", "inputs", "outputs")
        ):
            self.diagnostics.error(
                "KC105", "a network lacks layers, nodes, inputs or outputs", pointer=self.at
            )
            return None
        for i, layer in enumerate(self.data["layers"]):
            self._layer(layer, f"{self.at}/layers/{i}")
        if self.diagnostics.has_errors or not self._nodes():
            return None
        inputs = [self._value([i, 0], f"{self.at}/inputs") for i in self.data["inputs"]]
        outputs = [self._value(v, f"{self.at}/outputs/{i}") for i, v in enumerate(self.data["outputs"])]
        taps = {k: self._value(v, f"{self.at}/taps") for k, v in (self.data.get("taps") or {}).items()}
        if self.diagnostics.has_errors:
            return None
        self.builder.taps = {k: v for k, v in taps.items() if v}
        names = self.data.get("output_names") or ()
        return self.builder.finish([v for v in inputs if v], [v for v in outputs if v], names)

    def _layer(self, layer: Any, at: str) -> None:
        if (
            not isinstance(layer, dict)
            or not isinstance(layer.get("name"), str)
            or not isinstance(layer.get("op"), str)
        ):
            self.diagnostics.error(
                "KC105", "a layer without a name or an op", pointer=at, expected="name, op"
            )
            return
        cls = OPS.get(layer["op"])
        if cls is None:
            near = suggestion(layer["op"], list(OPS))
            self.diagnostics.error(
                "KC201",
                f"unknown op `{layer['op']}`",
                pointer=f"{at}/op",
                hint=near,
            )
            return
        if layer["name"] in self.ops:
            self.diagnostics.error("KC304", f'two layers are named "{layer["name"]}"', pointer=at)
            return
        attributes = {k: v for k, v in layer.items() if k not in ("name", "trainable", "settings")}
        wrong = list(definitions.problems(cls, attributes, at))
        for problem in wrong:
            message = f'{problem.kind} in {layer["op"]} "{layer["name"]}"'
            self.diagnostics.error(
                CODES[problem.kind],
                message,
                pointer=problem.pointer,
                found=str(problem.found),
                expected=problem.expected,
            )
        if not wrong:
            self.ops[layer["name"]] = (definitions.from_json(cls, attributes), layer, at)

    def _nodes(self) -> bool:
        for i, node in enumerate(self.data["nodes"]):
            at = f"{self.at}/nodes/{i}"
            known = isinstance(node, dict) and self.ops.get(node.get("layer", ""))
            if not known:
                self.diagnostics.error("KC302", "a node of a layer that there is not", pointer=at)
                return False
            op, layer, place = known
            inputs = [self._value(v, f"{at}/inputs/{k}") for k, v in enumerate(node.get("inputs") or ())]
            if None in inputs:
                return False
            if isinstance(op, ops.Input):
                self.builder.input(layer["name"], op.shape, op.dtype, place)
            elif self.builder.call(
                layer["name"], op, [v for v in inputs if v], trainable=layer.get("trainable", True),
                settings=layer.get("settings") or {}, pointer=place,
            ) is None:  # fmt: skip
                return False
        return True

    def _value(self, value: Any, at: str) -> Value | None:
        fits = isinstance(value, list) and len(value) == 2 and all(type(v) is int for v in value)
        if (
            fits
            and 0 <= value[0] < len(self.builder.nodes)
            and 0 <= value[1] < len(self.builder.nodes[value[0]].shapes)
        ):
            return value[0], value[1]
        self.diagnostics.error("KC302", "a reference to no value before it", pointer=at, found=str(value))
        return None
