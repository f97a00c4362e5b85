"""Networks to spec files. Reading one gives the same network again; variables and defaults are not restored."""

from __future__ import annotations

from collections import Counter
from typing import Any

from kchainer.ir import ops, short
from kchainer.ir.graph import Layer, Model, Network, Value
from kchainer.ir.op import Shape
from kchainer.ir.short_training import shortened
from kchainer.ir.spec import VERSION, jsonable

Json = dict[str, Any]


def spec(model: Model) -> Json:
    """The model without its arrays, as short as it can be."""
    head: Json = {"kchainer": VERSION, "kind": "spec"}
    if model.dtype != "float32":
        head["dtype"] = model.dtype
    made = {name: _Writer(network).data() for name, network in model.networks.items()}
    tail: Json = {}
    if model.training is not None:
        tail["training"] = shortened(model.training, model.networks)
    if len(made) == 1:
        ((name, data),) = made.items()
        return head | {"name": name} | data | tail
    return head | {"networks": made} | tail


class _Writer:
    """One network on its way to JSON."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.first: dict[str, int] = {}  # the node of each layer's first call
        for i, node in enumerate(network.nodes):
            self.first.setdefault(node.layer, i)
        self.calls = Counter(node.layer for node in network.nodes)
        self.uses = Counter(v for node in network.nodes for v in node.inputs)
        self.uses.update(network.outputs)
        self.uses.update(m for m in network.masks if m is not None)
        self.uses.update(v for name, v in network.taps.items() if name != self._layer(v[0]).name)
        self.names: dict[int, str] = {}
        self.merged: set[int] = set()  # activations that the node before speaks for
        self.taken = set(network.layers)
        self.again: Counter[str] = Counter()

    def data(self) -> Json:
        network = self.network
        out: Json = {"inputs": {self._layer(i).name: self._input(i) for i in network.inputs}, "layers": []}
        before: Value | None = (network.inputs[0], 0) if len(network.inputs) == 1 else None
        for i, node in enumerate(network.nodes):
            if i in network.inputs:
                self.names[i] = node.layer
                continue
            if i in self.merged:
                continue
            entry = self._entry(i)
            if (end := self._activation(i)) is not None:
                self.merged.add(end)
                self.names[end] = self.names[i]
                entry["activation"] = short.activation_of(self._layer(end).op, self._shapes(end))
            if node.inputs != ((before,) if before else None):
                entry["inputs"] = self._references(node.inputs)
            out["layers"].append(entry)
            before = (end if end is not None else i, 0)
        if network.outputs != ((before,) if before else None):
            out["outputs"] = [self._reference(v) for v in network.outputs]
        if dict(network.taps) != self._usual_taps(out["layers"]):
            out["taps"] = {name: self._reference(v) for name, v in network.taps.items()}
        if network.output_names:
            out["output_names"] = list(network.output_names)
        if network.masks:
            out["masks"] = [m and self._reference(m) for m in network.masks]
        nests = {"input_nest": network.input_nest, "output_nest": network.output_nest}
        return out | {key: nest for key, nest in nests.items() if nest is not None}

    def _layer(self, node: int) -> Layer:
        return self.network.layers[self.network.nodes[node].layer]

    def _shapes(self, node: int) -> tuple[Shape, ...]:
        return tuple(self.network.shape(v) for v in self.network.nodes[node].inputs)

    def _input(self, node: int) -> Any:
        op = self._layer(node).op
        assert isinstance(op, ops.Input)
        batch, *sizes = op.shape
        stated: Json = {"shape": sizes}
        if op.dtype != "float32":
            stated["dtype"] = op.dtype
        if batch is not None:
            stated["batch"] = batch
        return sizes if len(stated) == 1 else stated

    def _entry(self, node: int) -> Json:
        layer = self._layer(node)
        if self.first[layer.name] != node:
            return {"call": layer.name} | self._name_call(node, layer.name)
        self.names[node] = layer.name
        out = {"op": layer.op.name, "name": layer.name, **short.shorten(layer.op, self._shapes(node))}
        if not layer.trainable:
            out["trainable"] = False
        if layer.settings:
            said = jsonable(layer.settings)
            out["settings"] = {param: short.brief_of_param(kinds) for param, kinds in said.items()}
        return out

    def _name_call(self, node: int, layer: str) -> Json:
        """The name that the reader gives to a call; a stated one where a layer is named so."""
        self.again[layer] += 1
        name = usual = f"{layer}@{self.again[layer] + 1}"
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        self.names[node] = name
        return {} if name == usual else {"name": name}

    def _activation(self, node: int) -> int | None:
        """The node behind that can be written as the ``activation`` of this one."""
        layer, end = self._layer(node), node + 1
        if end >= len(self.network.nodes) or self.calls[layer.name] > 1 or self.uses[node, 0] != 1:
            return None
        other = self._layer(end)
        fits = (
            self.network.nodes[end].inputs == ((node, 0),)
            and self.calls[other.name] == 1
            and other.name == f"{layer.name}/{other.op.name.lower()}"
            and other.trainable == layer.trainable
            and not other.settings
            and type(other.op).__module__ == ops.Activation.__module__
            and short.takes_activation(type(layer.op))
            and len(self.network.nodes[node].shapes) == 1
        )
        return end if fits and self.network.taps.get(layer.name) != (node, 0) else None

    def _reference(self, value: Value) -> Any:
        name = self.names[value[0]]
        return {"of": name, "output": value[1]} if value[1] else name

    def _references(self, values: tuple[Value, ...]) -> Any:
        found = [self._reference(v) for v in values]
        return found[0] if len(found) == 1 else found

    def _usual_taps(self, entries: list[Json]) -> dict[str, Value]:
        """The taps that the reader gives where the file names none."""
        shown = {entry["name"] for entry in entries if "name" in entry}
        shown |= {self._layer(i).name for i in self.network.inputs}
        return {name: (node, 0) for node, name in self.names.items() if name in shown}
