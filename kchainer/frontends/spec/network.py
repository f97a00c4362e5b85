"""One network of a spec: names, the order of the calls, ops with all that the file leaves out."""

from __future__ import annotations

import dataclasses
import heapq
from collections import Counter
from typing import Any

from kchainer.diagnostics import Diagnostics, suggestion
from kchainer.ir import nest, ops, short
from kchainer.ir import op as definitions
from kchainer.ir.build import Builder
from kchainer.ir.graph import Network, Value
from kchainer.ir.op import OPS, Op, Shape, ShapeError, show
from kchainer.ir.records import Broken, say, shown, token
from kchainer.ir.spec_schema import SOURCES

Json = dict[str, Any]
RANK = 8  # of an input, at most


@dataclasses.dataclass(slots=True)
class Entry:
    """One entry of ``layers``: a layer, or another call of one. ``needs`` names what it takes."""

    name: str
    data: Json
    at: str
    fine: bool
    refs: list[tuple[str, int]] = dataclasses.field(default_factory=list)
    layer: Entry | None = None  # the layer of a call
    op: Op | None = None  # once it is made
    activation: Op | None = None
    normalization: Op | None = None

    @property
    def is_call(self) -> bool:
        return "call" in self.data


class Reader:
    """One network on its way from JSON. What depends on something wrong is passed over: that is told already."""

    def __init__(
        self,
        name: str,
        data: Any,
        at: str,
        defaults: Json,
        broken: Broken,
        diagnostics: Diagnostics,
        *,
        most_nodes: int,
    ) -> None:
        self.data, self.at, self.defaults = data, at, defaults
        self.broken, self.diagnostics = broken, diagnostics
        self.builder = Builder(name, diagnostics, most_nodes=most_nodes)
        self.inputs: dict[str, Value | None] = {}
        self.entries: list[Entry] = []
        self.named: dict[str, Entry] = {}
        self.values: dict[str, Value | None] = {}
        self.stated: set[str] = set()  # names that the file gives
        self.numbers: Counter[str] = Counter()  # of layers without a name, by op
        self.calls: Counter[str] = Counter()  # by layer

    def network(self) -> Network | None:
        if not isinstance(self.data, dict) or not isinstance(self.data.get("layers"), list):
            return None
        self._read_inputs()
        given = [e.get("name") for e in self.data["layers"] if isinstance(e, dict)]
        self.stated = {name for name in given if isinstance(name, str)} | set(self.inputs)
        for i, layer in enumerate(self.data["layers"]):
            self._enter(layer, f"{self.at}/layers/{i}")
        for i, entry in enumerate(self.entries):
            self._refer(entry, i)
        self.values.update(self.inputs)
        for entry in self._order():
            self.values[entry.name] = self._call(entry)
        outputs, taps = self._outputs(), self._taps()
        names = self._for_outputs("output_names", len(outputs))
        masks = self._masks(len(outputs))
        input_nest = nest.read(self.data, "input_nest", len(self.inputs), self.diagnostics, self.at)
        output_nest = nest.read(self.data, "output_nest", len(outputs), self.diagnostics, self.at)
        if self.diagnostics.has_errors:
            return None
        self.builder.taps = {name: value for name, value in taps.items() if value}
        inputs = [v for v in self.inputs.values() if v]
        made = self.builder.finish(inputs, [v for v in outputs if v], names, masks)
        made = dataclasses.replace(made, input_nest=input_nest, output_nest=output_nest)
        for entry in self.entries:
            if not entry.is_call and entry.name not in made.layers:
                self.diagnostics.warn("KC306", f'no output needs "{entry.name}"', pointer=entry.at)
        return made

    # ------------------------------------------------------------ names

    def _read_inputs(self) -> None:
        at = f"{self.at}/inputs"
        given = self.data.get("inputs")
        several = isinstance(given, dict)
        for name, value in given.items() if isinstance(given, dict) else (("input", given),):
            place = f"{at}/{token(name)}" if several else at
            self.inputs[name] = self._input(name, value, place) if self.broken.fine(place) else None

    def _input(self, name: str, value: Any, at: str) -> Value | None:
        if value is None:
            return None
        stated = value if isinstance(value, dict) else {"shape": value}
        sizes = (stated.get("batch"), *stated["shape"])
        shape: Shape = tuple(None if d is None else int(d) for d in sizes)
        one = ops.Input(shape=shape, dtype=stated.get("dtype", "float32"))
        if len(shape) > RANK:
            self._error("KC901", f'input "{name}" of rank {len(shape)}', at, expected=f"at most {RANK}")
            return None
        for rule in one.check():
            self._error("KC104", f'input "{name}": {rule}', at)
            return None
        return self.builder.input(name, shape, one.dtype, at)

    def _enter(self, data: Any, at: str) -> None:
        """Take up an entry under its name."""
        stated = data if isinstance(data, dict) else {}
        entry = Entry(self._name(stated), stated, at, self.broken.fine(at))
        self.entries.append(entry)
        if entry.name in self.named or entry.name in self.inputs:
            self._error("KC304", f'two layers, calls or inputs are named "{entry.name}"', at)
            entry.fine = False
            return
        self.named[entry.name] = entry
        if entry.is_call and entry.fine:
            entry.layer = self.named.get(stated["call"])
            if entry.layer is None or entry.layer.is_call:
                layers = [e.name for e in self.entries if not e.is_call]
                message = f'there is no layer "{stated["call"]}" above that could be called'
                self._error("KC302", message, f"{at}/call", hint=suggestion(stated["call"], layers))
                entry.fine = False

    def _name(self, stated: Json) -> str:
        if isinstance(stated.get("name"), str):
            return str(stated["name"])
        if isinstance(stated.get("call"), str):
            self.calls[stated["call"]] += 1
            return f"{stated['call']}@{self.calls[stated['call']] + 1}"
        base = short.snake(stated["op"]) if isinstance(stated.get("op"), str) else "layer"
        self.numbers[base] += 1
        while f"{base}_{self.numbers[base]}" in self.stated:
            self.numbers[base] += 1
        return f"{base}_{self.numbers[base]}"

    def _refer(self, entry: Entry, index: int) -> None:
        """What the entry takes: what it names, else the entry before, else the only input."""
        at = f"{entry.at}/inputs"
        if "inputs" in entry.data:  # told also where the layer is broken otherwise
            stated = entry.data["inputs"]
            well_formed = next(SOURCES.problems(stated, at), None) is None
            entry.refs = self._refs(stated, at) if well_formed else []
            entry.fine = entry.fine and (bool(entry.refs) or stated == [])
        elif not entry.fine:
            return
        elif index:
            entry.refs = [(self.entries[index - 1].name, 0)]
        elif len(self.inputs) == 1:
            entry.refs = [(next(iter(self.inputs)), 0)]
        else:
            message = f'"{entry.name}" does not say which of {len(self.inputs)} inputs it takes'
            self._error("KC105", message, entry.at, expected="inputs")
            entry.fine = False

    def _refs(self, value: Any, at: str) -> list[tuple[str, int]]:
        """References by name; none where one leads nowhere, which is reported."""
        several = isinstance(value, list)
        out = []
        for i, one in enumerate(value if several else [value]):
            name = one if isinstance(one, str) else one["of"]
            if name not in self.named and name not in self.inputs:
                place = f"{at}/{i}" if several else at
                hint = suggestion(name, [*self.named, *self.inputs])
                self._error("KC302", f'there is no layer, call or input "{name}"', place, hint=hint)
            out.append((name, 0 if isinstance(one, str) else int(one.get("output", 0))))
        return out if all(n in self.named or n in self.inputs for n, _ in out) else []

    # ------------------------------------------------------------ order

    def _order(self) -> list[Entry]:
        """Entries such that each comes after what it needs, else in the file's order (Kahn)."""
        index = {entry.name: i for i, entry in enumerate(self.entries) if self.named.get(entry.name) is entry}
        needs = [
            {index[n] for n, _ in e.refs if n in index} | ({index[e.layer.name]} if e.layer else set())
            for e in self.entries
        ]
        users: list[list[int]] = [[] for _ in self.entries]
        for i, needed in enumerate(needs):
            for n in needed:
                users[n].append(i)
        waiting = [len(n) for n in needs]
        ready = [i for i, n in enumerate(waiting) if n == 0]
        order: list[int] = []
        while ready:
            one = heapq.heappop(ready)
            order.append(one)
            for user in users[one]:
                waiting[user] -= 1
                if waiting[user] == 0:
                    heapq.heappush(ready, user)
        if len(order) < len(needs):
            self._say_cycle(needs, set(range(len(needs))) - set(order))
        return [self.entries[i] for i in order]

    def _say_cycle(self, needs: list[set[int]], left: set[int]) -> None:
        """Report one round of a cycle among entries that wait for each other."""
        path: list[int] = []
        seen: dict[int, int] = {}
        one = min(left)
        while one not in seen:
            seen[one] = len(path)
            path.append(one)
            one = min(needs[one] & left)
        ring = [*reversed(path[seen[one] :])]
        names = " -> ".join(f'"{self.entries[i].name}"' for i in [*ring, ring[0]])
        self._error("KC303", f"the graph has a cycle: {names}", self.entries[min(ring)].at)

    # ------------------------------------------------------------ calls

    def _call(self, entry: Entry) -> Value | None:
        layer = entry.layer or entry
        inputs = [self._value(ref, f"{entry.at}/inputs") for ref in entry.refs]
        if not entry.fine or not layer.fine or None in inputs:
            return None
        taken = [v for v in inputs if v]
        if not entry.is_call and not self._make(entry, tuple(self.builder.shape(v) for v in taken)):
            return None
        if layer.op is None:
            return None
        settings = self._settings(layer, layer.op, tuple(self.builder.shape(v) for v in taken))
        trainable = layer.data.get("trainable", True)
        value = self.builder.call(
            layer.name, layer.op, taken, trainable=trainable, settings=settings, pointer=entry.at
        )
        if value is not None and short.takes_normalization(layer.data["op"]):
            value = self._normalize(layer, value, trainable)
        if value is None or (layer.activation is None and entry.is_call):
            return value
        return self._activate(layer, value, trainable)

    def _setting(self, data: Json, key: str) -> Any:
        """What a layer states, else what the file's defaults do."""
        return data[key] if key in data else self.defaults.get(key)

    def _normalize(self, layer: Entry, value: Value, trainable: bool) -> Value | None:
        """Call the normalisation behind a layer, before its activation; the same one at each of its calls."""
        stated = self._setting(layer.data, "normalization")
        if stated is None:
            return value
        stated = {"op": stated} if isinstance(stated, str) else stated
        if layer.normalization is None:
            given = self.defaults.get("attributes", {}).get(stated["op"], {}) | stated
            cls = OPS[stated["op"]]
            shapes = (self.builder.shape(value),)
            layer.normalization = self._filled(cls, given, shapes, layer.name, layer.at)
        if layer.normalization is None:
            layer.fine = False
            return None
        name = f"{layer.name}/{layer.normalization.name.lower()}"
        if name in self.named or name in self.inputs:
            self._error("KC304", f'"{name}" is the name of the normalisation of "{layer.name}"', layer.at)
            return None
        return self.builder.call(name, layer.normalization, [value], trainable=trainable, pointer=layer.at)

    def _make(self, entry: Entry, shapes: tuple[Shape, ...]) -> bool:
        """Make the op of a layer, filled in for the inputs of its own place; False where it does not fit."""
        data = entry.data
        cls = OPS[short.normalised(data["op"], self._setting(data, "weight_normalization"))]
        given = self.defaults.get("attributes", {}).get(data["op"], {}) | {
            k: v for k, v in data.items() if k in definitions.kinds(cls)
        }
        entry.op = self._filled(cls, given, shapes, entry.name, entry.at)
        return entry.op is not None

    def _filled(self, cls: type[Op], given: Json, shapes: tuple[Shape, ...], name: str, at: str) -> Op | None:
        try:
            full = short.fill(cls, given, shapes)
        except ShapeError as wrong:
            found = f"input {' and '.join(map(show, shapes))}"
            self._error("KC301", f'{cls.name} "{name}": {wrong}', at, found=found)
            return None
        wrong_ones = list(definitions.problems(cls, full, at))
        for problem in wrong_ones:  # an axis that is the batch's, once it is counted from the front
            say(self.diagnostics, dataclasses.replace(problem, pointer=at), {})
        return None if wrong_ones else definitions.from_json(cls, full)

    def _activate(self, layer: Entry, value: Value, trainable: bool) -> Value | None:
        """Call the layer's activation, the same one at each of its calls."""
        shapes = (self.builder.shape(value),)
        if layer.activation is None:
            stated = self._activation(layer)
            if stated is None:
                return value
            cls = OPS[stated["op"]]
            layer.activation = self._filled(cls, stated, shapes, layer.name, layer.at)
        if layer.activation is None:
            layer.fine = False
            return None
        name = f"{layer.name}/{layer.activation.name.lower()}"
        if name in self.named or name in self.inputs:
            self._error("KC304", f'"{name}" is the name of the activation of "{layer.name}"', layer.at)
            return None
        return self.builder.call(name, layer.activation, [value], trainable=trainable, pointer=layer.at)

    def _activation(self, layer: Entry) -> Json | None:
        if "activation" in layer.data:
            cls = OPS[layer.data["op"]]
            return short.activation(layer.data["activation"]) if short.takes_activation(cls) else None
        usual = self.defaults.get("activation")
        has_params = bool(self.builder.layers[layer.name].params)
        return short.activation(usual) if has_params and layer.data["op"] in short.ACTIVATED else None

    def _settings(self, layer: Entry, op: Op, shapes: tuple[Shape, ...]) -> Json:
        """What the layer says of its params, filled up with the defaults of the file."""
        own: Json = {k: short.said_of_param(v) for k, v in layer.data.get("settings", {}).items()}
        try:
            params = [p.name for p in op.params(*shapes)]
        except (ShapeError, ArithmeticError, LookupError, TypeError, ValueError):
            return own  # reported when it is called
        for key in own:
            self._check_setting(layer, key, params)
        for name in params:
            usual = short.said_of_param(self.defaults.get("settings", {}).get(name, {}))
            if "initializer" in self.defaults and short.is_kernel(name):
                usual.setdefault("initializer", short.setting("initializer", self.defaults["initializer"]))
            spoken = name if name in own else name.removesuffix("_kernel")
            merged = usual | own.get(spoken, {})
            if merged:
                own[spoken if spoken in own else name] = merged
        return own

    def _check_setting(self, layer: Entry, key: str, params: list[str]) -> None:
        """Warn of settings of a misspelt param; those of one that is switched off (a bias) are no mistake."""
        if key in params or f"{key}_kernel" in params:
            return
        near = suggestion(key, params)
        at = f"{layer.at}/settings/{token(key)}"
        if near and not any(d.pointer == at for d in self.diagnostics.items):  # once, not at each call
            message = f'`{key}` is no param of {layer.data["op"]} "{layer.name}"'
            self.diagnostics.warn("KC103", message, pointer=at, hint=near)

    # ------------------------------------------------------------ ends

    def _value(self, ref: tuple[str, int], at: str) -> Value | None:
        value = self.values.get(ref[0])
        if value is None:
            return None
        if ref[1] >= len(self.builder.nodes[value[0]].shapes):
            self._error("KC302", f'"{ref[0]}" has no output {ref[1]}', at)
            return None
        return value[0], ref[1]

    def _outputs(self) -> list[Value | None]:
        at = f"{self.at}/outputs"
        if "outputs" in self.data:
            refs = self._refs(self.data["outputs"], at) if self.broken.fine(at) else []
        elif self.entries:
            refs = [(self.entries[-1].name, 0)]
        else:
            refs = [(name, 0) for name in list(self.inputs)[-1:]]
        return [self._value(ref, at) for ref in refs]

    def _taps(self) -> dict[str, Value | None]:
        at = f"{self.at}/taps"
        if "taps" not in self.data:
            shown_names = [e.name for e in self.entries if not e.is_call or "name" in e.data]
            return {name: self.values.get(name) for name in [*self.inputs, *shown_names]}
        if not self.broken.fine(at):
            return {}
        out: dict[str, Value | None] = {}
        for name, ref in self.data["taps"].items():
            place = f"{at}/{token(name)}"
            found = self._refs(ref, place)
            out[name] = self._value(found[0], place) if found else None
        return out

    def _masks(self, outputs: int) -> list[Value | None]:
        """The mask of each output, or None."""
        out: list[Value | None] = []
        for i, ref in enumerate(self._for_outputs("masks", outputs)):
            at = f"{self.at}/masks/{i}"
            found = self._refs(ref, at) if ref is not None else []
            out.append(self._value(found[0], at) if found else None)
        return out

    def _for_outputs(self, key: str, outputs: int) -> list[Any]:
        """A list as long as that of the outputs, or an empty one."""
        at = f"{self.at}/{key}"
        given = self.data.get(key, [])
        if not self.broken.fine(at) or not isinstance(given, list):
            return []
        if given and len(given) != outputs:
            message = f"`{key}` has another length than `outputs`"
            self._error("KC104", message, at, found=shown(len(given)), expected=str(outputs))
        return given

    def _error(
        self,
        code: str,
        message: str,
        at: str,
        *,
        found: str | None = None,
        expected: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.diagnostics.error(code, message, pointer=at, found=found, expected=expected, hint=hint)
