"""Configs of Keras 0.3 in the form of Keras 1: the class stood under ``name``, the arguments beside it."""

from __future__ import annotations

import dataclasses
from typing import Any

Json = dict[str, Any]


class Malformed(Exception):
    """A part that has not the form of Keras 0.3, with its place."""

    def __init__(self, message: str, pointer: str) -> None:
        super().__init__(message)
        self.message, self.pointer = message, pointer


def is_keras0(config: Json) -> bool:
    """A model of Keras 0.3."""
    return "class_name" not in config and config.get("name") in ("Sequential", "Graph")


@dataclasses.dataclass(slots=True)
class Modern:
    """A config in the later form; ``places`` are the file's pointers behind those of the form."""

    config: Json = dataclasses.field(default_factory=dict)
    places: dict[str, str] = dataclasses.field(default_factory=dict)

    def place(self, pointer: str) -> str:
        """Where in the file a pointer of the later form stands."""
        head = pointer
        while head not in self.places:
            if not head:
                return pointer
            head = head.rpartition("/")[0]
        return self.places[head] + pointer[len(head) :]


def modern(raw: Json) -> Modern:
    """The later form of a model. Raises Malformed."""
    out = Modern()
    out.config = _layer(raw, "", "", out)
    return out


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _list(raw: Json, key: str, pointer: str) -> list[Any]:
    value = raw.get(key)
    if not isinstance(value, list):
        raise Malformed(f"`{key}` is no list", f"{pointer}/{key}" if key in raw else pointer)
    return value


def _layer(raw: Any, new: str, old: str, out: Modern) -> Json:
    if not isinstance(raw, dict) or not isinstance(raw.get("name"), str):
        raise Malformed("a layer without `name`, which is its class", old)
    out.places[new] = out.places[f"{new}/config"] = old
    name = raw["name"]
    out.places[f"{new}/class_name"] = f"{old}/name"
    if name == "Graph":
        return {"class_name": "Functional", "config": _Graph(raw, new, old, out).config()}
    config = {k: v for k, v in raw.items() if k not in ("name", "custom_name")}
    if "layers" in raw:  # of a Sequential or a Merge
        parts = enumerate(_list(raw, "layers", old))
        config["layers"] = [_layer(v, f"{new}/config/layers/{i}", f"{old}/layers/{i}", out) for i, v in parts]
    if isinstance(raw.get("layer"), dict):  # of a wrapper
        config["layer"] = _layer(raw["layer"], f"{new}/config/layer", f"{old}/layer", out)
    if name == "Sequential":
        return {"class_name": name, "config": {"layers": config["layers"]} if "layers" in config else {}}
    if "custom_name" in raw:
        config["name"] = raw["custom_name"]
    return {"class_name": name, "config": config}


class _Graph:
    """A Graph, whose nodes may take several values that are joined first, as a functional model."""

    def __init__(self, raw: Json, new: str, old: str, out: Modern) -> None:
        self.raw, self.new, self.old, self.out = raw, new, old, out
        self.layers: list[Json] = []
        self.names = {str(n.get("name")) for n in self._dicts("input_config") + self._dicts("node_config")}

    def config(self) -> Json:
        inputs = self._dicts("input_config")
        for i, one in enumerate(inputs):
            self._input(one, f"{self.old}/input_config/{i}")
        for i, one in enumerate(self._dicts("node_config")):
            self._node(one, f"{self.old}/node_config/{i}")
        ends = {}
        for i, one in enumerate(self._dicts("output_config")):
            ends[str(one.get("name"))] = self._source(one, f"{self.old}/output_config/{i}")
        order = {"input_order": [str(i.get("name")) for i in inputs], "output_order": list(ends)}
        for key, names in order.items():
            if key in self.raw and sorted(map(str, _list(self.raw, key, self.old))) == sorted(names):
                order[key] = list(map(str, self.raw[key]))
        return {
            "layers": self.layers,
            "input_layers": [[name, 0, 0] for name in order["input_order"]],
            "output_layers": {name: ends[name] for name in order["output_order"]},
        }

    def _dicts(self, key: str) -> list[Json]:
        values = _list(self.raw, key, self.old)
        for i, one in enumerate(values):
            if not isinstance(one, dict) or not isinstance(one.get("name"), str):
                raise Malformed("an entry without `name`", f"{self.old}/{key}/{i}")
        return values

    def _add(self, layer: Json, name: str, sources: list[Any], old: str) -> None:
        at = f"{self.new}/config/layers/{len(self.layers)}"
        self.out.places.setdefault(at, old)
        self.out.places.setdefault(f"{at}/config", old)
        self.layers.append({**layer, "name": name, "inbound_nodes": [sources] if sources else []})

    def _input(self, one: Json, old: str) -> None:
        shape = one.get("batch_input_shape")
        if shape is None and isinstance(one.get("input_shape"), list):
            shape = [None, *one["input_shape"]]
        dtype = "int32" if str(one.get("dtype")).startswith("int") else "float32"
        config = {"name": one["name"], "batch_input_shape": shape, "input_dtype": dtype}
        self._add({"class_name": "InputLayer", "config": config}, one["name"], [], old)

    def _node(self, one: Json, old: str) -> None:
        nodes, name = self.raw.get("nodes"), one["name"]
        if not isinstance(nodes, dict) or name not in nodes:
            raise Malformed(f'`nodes` has no "{name}"', old)
        source = self._source(one, old)
        at = f"{self.new}/config/layers/{len(self.layers)}"
        layer = _layer(nodes[name], at, f"{self.old}/nodes/{_escaped(name)}", self.out)
        if layer["class_name"] != "Functional" and layer["class_name"] != "Sequential":
            layer["config"]["name"] = name
        self._add(layer, name, [source], old)

    def _source(self, one: Json, old: str) -> list[Any]:
        """The value that a node or an output takes; several are joined by a Merge of their own."""
        if one.get("input") is not None:
            return self._ref(one["input"], f"{old}/input")
        given = [self._ref(name, f"{old}/inputs/{i}") for i, name in enumerate(_list(one, "inputs", old))]
        if len(given) == 1:
            return given[0]
        name, number = f"{one['name']}_merge", 1
        while name in self.names:
            name, number = f"{one['name']}_merge_{number}", number + 1
        self.names.add(name)
        keys = {"merge_mode": "mode", "concat_axis": "concat_axis", "dot_axes": "dot_axes"}
        config = {new: one[key] for key, new in keys.items() if key in one}
        at = f"{self.new}/config/layers/{len(self.layers)}/config/mode"
        self.out.places[at] = f"{old}/merge_mode"
        self._add({"class_name": "Merge", "config": {"name": name, **config}}, name, given, old)
        return [name, 0, 0]

    def _ref(self, name: Any, old: str) -> list[Any]:
        if not isinstance(name, str) or name not in self.names:
            raise Malformed(f"takes {name!r}, which there is not"[:120], old)
        return [name, 0, 0]
