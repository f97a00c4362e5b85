"""The IR as JSON and back. Shapes and params are not written: they are inferred again, and so checked."""

from __future__ import annotations

import dataclasses
from typing import Any

from kchainer.diagnostics import Diagnostics
from kchainer.ir import nest, ops
from kchainer.ir import op as definitions
from kchainer.ir.build import Builder
from kchainer.ir.graph import Layer, Model, Network, Origin, Value
from kchainer.ir.op import OPS, Op, plain
from kchainer.ir.records import Broken, say, token
from kchainer.ir.schema import IR
from kchainer.ir.training import Training, misplaced

VERSION = 1
RANK = 8  # of an input, at most
Json = dict[str, Any]


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
        **({"training": model.training.json()} if model.training is not None else {}),
    }


def _network(network: Network) -> Json:
    layers = [
        {
            "name": layer.name,
            **definitions.to_json(layer.op),
            "trainable": layer.trainable,
            "settings": jsonable(layer.settings),
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
        **({"masks": plain(network.masks)} if network.masks else {}),
        **{
            k: v
            for k, v in (("input_nest", network.input_nest), ("output_nest", network.output_nest))
            if v is not None
        },
    }


def jsonable(value: Any) -> Any:
    """Settings as JSON has them: plain dictionaries and lists."""
    if isinstance(value, dict):
        return {k: jsonable(v) for k, v in value.items()}
    return [jsonable(v) for v in value] if isinstance(value, (list, tuple)) else value


def is_current(data: Json, diagnostics: Diagnostics) -> bool:
    """The file states the version of kchainer's formats that is read here; else that is reported."""
    version = data.get("kchainer")
    if type(version) is int and version == VERSION:
        return True
    hint = "a newer kchainer wrote it" if type(version) is int and version > VERSION else None
    diagnostics.error(
        "KC109",
        "another version of kchainer's format",
        pointer="/kchainer",
        found=str(version)[:80],
        expected=str(VERSION),
        hint=hint,
    )
    return False


def from_json(data: Json, *, name: str, diagnostics: Diagnostics, most_nodes: int) -> Model | None:
    """The model of an IR file; None where something is wrong, all of which is reported with its place."""
    if not is_current(data, diagnostics):
        return None
    broken = Broken()
    for problem in IR.problems(data, ""):
        say(diagnostics, problem, data)
        broken.add(problem.pointer)
    networks = data.get("networks")
    made: dict[str, Network] = {}
    for key, network in networks.items() if isinstance(networks, dict) else ():
        read = _Reader(key, network, diagnostics, most_nodes, broken).network()
        if read is not None:
            made[key] = read
    training = (
        Training.from_json(data["training"]) if "training" in data and broken.fine("/training") else None
    )
    if training is not None:
        for problem in misplaced(training, {name: len(n.outputs) for name, n in made.items()}, "/training"):
            say(diagnostics, problem, data)
    if diagnostics.has_errors:
        return None
    origin = data.get("origin", {})
    reasons = tuple(origin.get("reasons", ()))
    return Model(
        made,
        Origin(origin.get("file", name), origin.get("dialect", ""), reasons),
        {},
        data.get("dtype", "float32"),
        tuple(diagnostics.items),
        training,
    )


class _Reader:
    """One network on its way from JSON. What depends on something wrong is passed over: that is told already."""

    def __init__(
        self, name: str, data: Any, diagnostics: Diagnostics, most_nodes: int, broken: Broken
    ) -> None:
        self.data, self.diagnostics, self.broken = data, diagnostics, broken
        self.at = f"/networks/{token(name)}"
        self.builder = Builder(name, diagnostics, most_nodes=most_nodes)
        self.ops: dict[str, tuple[Op, Json, str]] = {}
        self.names: set[str] = set()  # of all layers, the broken ones too
        self.values: list[Value | None] = []  # by number of the node in the file

    def network(self) -> Network | None:
        if not isinstance(self.data, dict) or not all(
            isinstance(self.data.get(k), list) for k in ("layers", "nodes", "inputs", "outputs")
        ):
            return None
        for i, layer in enumerate(self.data["layers"]):
            self._layer(layer, f"{self.at}/layers/{i}")
        for i, node in enumerate(self.data["nodes"]):
            self.values.append(self._node(node, f"{self.at}/nodes/{i}"))
        inputs = self._inputs()
        outputs = [self._value(v, f"{self.at}/outputs/{i}") for i, v in enumerate(self.data["outputs"])]
        taps = self.data.get("taps")
        read = {
            k: self._value(v, f"{self.at}/taps/{token(k)}")
            for k, v in (taps.items() if isinstance(taps, dict) else ())
        }
        names = self._output_names(len(outputs))
        masks = self._masks(len(outputs))
        input_nest = nest.read(self.data, "input_nest", len(inputs), self.diagnostics, self.at)
        output_nest = nest.read(self.data, "output_nest", len(outputs), self.diagnostics, self.at)
        if self.diagnostics.has_errors:
            return None
        self.builder.taps = {k: v for k, v in read.items() if v}
        network = self.builder.finish([v for v in inputs if v], [v for v in outputs if v], names, masks)
        network = dataclasses.replace(network, input_nest=input_nest, output_nest=output_nest)
        for name, (_, _, at) in self.ops.items():
            if name not in network.layers:
                self.diagnostics.warn("KC306", f'no output needs "{name}"', pointer=at)
        return network

    def _layer(self, layer: Any, at: str) -> None:
        name = layer.get("name") if isinstance(layer, dict) else None
        if not isinstance(name, str):
            return
        if name in self.names:
            self.diagnostics.error("KC304", f'two layers are named "{name}"', pointer=at)
            return
        self.names.add(name)
        if self.broken.fine(at):
            attributes = {k: v for k, v in layer.items() if k not in ("name", "trainable", "settings")}
            self.ops[name] = (definitions.from_json(OPS[layer["op"]], attributes), layer, at)

    def _node(self, node: Any, at: str) -> Value | None:
        if not self.broken.fine(at):
            return None
        name = node["layer"]
        if name not in self.names:
            self.diagnostics.error("KC302", "a node of a layer that there is not", pointer=at, found=name)
            return None
        inputs = [self._value(v, f"{at}/inputs/{k}") for k, v in enumerate(node.get("inputs", ()))]
        if name not in self.ops or None in inputs:
            return None
        op, layer, place = self.ops[name]
        if isinstance(op, ops.Input):
            return self._input(name, op, place, at, bool(inputs))
        return self.builder.call(
            name,
            op,
            [v for v in inputs if v],
            trainable=layer.get("trainable", True),
            settings=layer.get("settings", {}),
            pointer=place,
        )

    def _input(self, name: str, op: ops.Input, place: str, at: str, has_inputs: bool) -> Value | None:
        wrong = list(op.check())
        if len(op.shape) > RANK:
            self.diagnostics.error(
                "KC901", f'Input "{name}" of rank {len(op.shape)}', pointer=place, expected=f"at most {RANK}"
            )
            return None
        if has_inputs:
            wrong.append("it takes no inputs")
        if name in self.builder.layers:
            wrong.append("it is called twice")
        for rule in wrong:
            self.diagnostics.error("KC104", f'Input "{name}": {rule}', pointer=at)
        return None if wrong else self.builder.input(name, op.shape, op.dtype, place)

    def _inputs(self) -> list[Value | None]:
        """The network's inputs, each an Input node that is named once; no Input may be missing."""
        out: list[Value | None] = []
        listed: set[int] = set()
        for i, number in enumerate(self.data["inputs"]):
            at = f"{self.at}/inputs/{i}"
            if not self.broken.fine(at):
                continue
            value = self._value([number, 0], at)
            listed.add(int(number))
            if value is None:
                continue
            layer = self._layer_of(value)
            if not isinstance(layer.op, ops.Input):
                self.diagnostics.error(
                    "KC302",
                    f'an input of the network is no Input but {layer.op.name} "{layer.name}"',
                    pointer=at,
                )
            elif value in out:
                self.diagnostics.error("KC304", f'"{layer.name}" is an input twice', pointer=at)
            out.append(value)
        for number, value in enumerate(self.values):
            if value is not None and number not in listed and isinstance(self._layer_of(value).op, ops.Input):
                self.diagnostics.error(
                    "KC302",
                    f'Input "{self._layer_of(value).name}" is not among the inputs of the network',
                    pointer=f"{self.at}/inputs",
                )
        return out

    def _layer_of(self, value: Value) -> Layer:
        return self.builder.layers[self.builder.nodes[value[0]].layer]

    def _output_names(self, outputs: int) -> list[str]:
        return self._for_outputs("output_names", outputs)

    def _masks(self, outputs: int) -> list[Value | None]:
        """The mask of each output, or None."""
        given = self._for_outputs("masks", outputs)
        return [v and self._value(v, f"{self.at}/masks/{i}") for i, v in enumerate(given)]

    def _for_outputs(self, key: str, outputs: int) -> list[Any]:
        """A list as long as that of the outputs, or an empty one."""
        at = f"{self.at}/{key}"
        given = self.data.get(key, [])
        if self.broken.fine(at) and given and len(given) != outputs:
            self.diagnostics.error(
                "KC104",
                f"`{key}` has another length than `outputs`",
                pointer=at,
                found=str(len(given)),
                expected=str(outputs),
            )
        return given if isinstance(given, list) else []

    def _value(self, value: Any, at: str) -> Value | None:
        """A reference to a node before; None where that is none, or has failed itself."""
        if not self.broken.fine(at):
            return None
        node, index = int(value[0]), int(value[1])
        made = self.values[node] if 0 <= node < len(self.values) else None
        if 0 <= node < len(self.values) and (
            made is None or 0 <= index < len(self.builder.nodes[made[0]].shapes)
        ):
            return None if made is None else (made[0], index)
        self.diagnostics.error("KC302", "a reference to no value before it", pointer=at, found=str(value))
        return None
