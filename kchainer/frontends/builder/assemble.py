"""From layers and tensors to a config as Keras 3 writes it, and from there to the IR."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from kchainer.diagnostics import Diagnostics
from kchainer.files import DEFAULT, Limits
from kchainer.frontends.builder import ancestor
from kchainer.frontends.builder.elements import (
    ALL,
    NEWEST,
    Call,
    Composite,
    Gaussian,
    Json,
    Layer,
    Merge,
    Residual,
    Tensor,
    plain,
    tensors,
    wrong,
)
from kchainer.frontends.keras.graph import Translation, translated
from kchainer.ir.graph import Model, Origin

Shape = tuple[int | None, ...]


def snake(class_name: str) -> str:
    """A class's name as layers are named after it."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", class_name.removeprefix(ancestor.PREFIX))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


@dataclasses.dataclass(frozen=True, slots=True)
class Assembled:
    """A model's config, and for each element of a sequence the layers it became.

    ``groups`` gives for a layer's name what chainer-sequential called its group in HDF5 files, without the
    sequence's name; ``counted`` the layers whose outputs ``return_activations`` lists.
    """

    config: Json
    groups: Mapping[str, str]
    counted: tuple[str, ...]


class Naming:
    """Names of a model's layers: the user's, else the class's with a number, from 1."""

    def __init__(self) -> None:
        self.names: dict[int, str] = {}
        self.taken: set[str] = set()
        self.counts: dict[str, int] = {}
        self.held: list[Any] = []  # ids are told apart as long as the objects live

    def of(self, layer: Any) -> str:
        """The name of a layer or model object; the same for the same object."""
        if id(layer) not in self.names:
            given = layer.name
            if given is not None and given in self.taken:
                raise wrong(given, f'two layers are named "{given}"', code="KC304")
            name = given or self._next(snake(getattr(layer, "class_name", "model")))
            self.taken.add(name)
            self.names[id(layer)] = name
            self.held.append(layer)
        return self.names[id(layer)]

    def _next(self, base: str) -> str:
        while True:
            self.counts[base] = self.counts.get(base, 0) + 1
            name = f"{base}_{self.counts[base]}"
            if name not in self.taken:
                return name


def input_tensor(shape: Sequence[int | None], dtype: str = "float32", name: str | None = None) -> Tensor:
    """A tensor that the caller of the model gives; ``shape`` with the batch."""
    return Tensor(Call(Layer("InputLayer", {"batch_shape": list(shape), "dtype": dtype}, name), (), {}))


# ------------------------------------------------------------------ graphs


def _calls(outputs: Iterable[Tensor]) -> list[Call]:
    """All calls that the outputs need, each after those it needs itself."""
    done: dict[int, Call] = {}
    todo = [(t.call, False) for t in reversed(list(outputs))]
    while todo:
        call, ready = todo.pop()
        if id(call) in done:
            continue
        if ready:
            done[id(call)] = call
            continue
        todo.append((call, True))
        needs = [t.call for t in tensors((call.args, call.kwargs))]
        todo.extend((one, False) for one in reversed(needs) if id(one) not in done)
    return list(done.values())


def graph_config(
    name: str, inputs: Sequence[Tensor], outputs: Sequence[Tensor], naming: Naming | None = None
) -> Json:
    """The config of a functional model. Raises KchainerError for an input that the outputs do not need."""
    naming = naming or Naming()
    calls = _calls([*inputs, *outputs])
    given = {id(t.call) for t in inputs}
    for call in calls:
        if getattr(call.layer, "class_name", "") == "InputLayer" and id(call) not in given:
            raise wrong(
                f'Model "{name}"',
                f'the outputs need "{naming.of(call.layer)}", which is no input',
                code="KC302",
            )
    numbers: dict[int, int] = {}
    layers: dict[str, Json] = {}
    for call in calls:
        entry = layers.setdefault(naming.of(call.layer), layer_config(call.layer, naming.of(call.layer)))
        numbers[id(call)] = len(entry["inbound_nodes"])
        if getattr(call.layer, "class_name", "") != "InputLayer":
            entry["inbound_nodes"].append(_node(call, naming, numbers))
    ends = {
        "input_layers": [[naming.of(t.call.layer), 0, 0] for t in inputs],
        "output_layers": [[naming.of(t.call.layer), numbers[id(t.call)], t.index] for t in outputs],
    }
    return {"class_name": "Functional", "config": {"name": name, "layers": list(layers.values()), **ends}}


def layer_config(layer: Any, name: str) -> Json:
    if isinstance(layer, Layer):
        config = plain(layer.config) | {"name": name}
        # the module tells a layer from an operation of the same name
        entry = {"module": "keras.layers", "class_name": layer.class_name, "config": config}
        return entry | {"name": name, "inbound_nodes": []}
    inner = layer.assembled().config
    return {**inner, "config": {**inner["config"], "name": name}, "name": name, "inbound_nodes": []}


def _node(call: Call, naming: Naming, numbers: Mapping[int, int]) -> Json:
    def written(value: Any) -> Any:
        if isinstance(value, Tensor):
            history = [naming.of(value.call.layer), numbers[id(value.call)], value.index]
            return {"class_name": "__keras_tensor__", "config": {"keras_history": history}}
        if isinstance(value, Mapping):
            return {k: written(v) for k, v in value.items()}
        return [written(v) for v in value] if isinstance(value, (list, tuple)) else plain(value)

    return {"args": [written(a) for a in call.args], "kwargs": written(dict(call.kwargs))}


# ------------------------------------------------------------------ sequences

# A standard deviation, or chainer's scale, as Keras's initializer. Chainer counts a kernel's fans as Keras does.
INITIALIZERS: dict[str, Callable[[float], tuple[str, Json]]] = {
    "normal": lambda std: ("RandomNormal", {"mean": 0.0, "stddev": std}),
    "glorotnormal": lambda scale: _scaled(scale**2, "fan_avg"),
    "henormal": lambda scale: _scaled(2 * scale**2, "fan_in"),
}


def _scaled(scale: float, mode: str) -> tuple[str, Json]:
    return "VarianceScaling", {"scale": scale, "mode": mode, "distribution": "untruncated_normal"}


def initializer(name: str | None, number: float | None) -> Json | None:
    """chainer-sequential's initializer as a Keras config; None where none is named. Raises KchainerError."""
    if name is None:
        return None
    make = INITIALIZERS.get(name.lower())
    if make is None:
        hint = "Normal, GlorotNormal and HeNormal are known; a layer's own argument takes Keras's"
        raise wrong("Sequential(...)", f"unknown initializer `{name}`", code="KC201", hint=hint)
    class_name, config = make(1.0 if number is None else float(number))
    return {"class_name": class_name, "config": config}


class Unrolled:
    """Elements applied one after the other to tensors; collects what became of each."""

    def __init__(self) -> None:
        self.naming = Naming()
        self.groups: list[tuple[Layer, str]] = []
        self.counted: list[Layer] = []

    def run(
        self, elements: Sequence[Any], values: list[Tensor], start: Json | None, prefix: str = ""
    ) -> list[Tensor]:
        """Apply ``elements``; ``start`` is the initializer of kernels that state none."""
        for i, one in enumerate(elements):
            values = self._apply(one, values, start, f"{prefix}{i}")
            activation = getattr(one, "class_name", "").removeprefix(ancestor.PREFIX)
            name = one.config.get("activation") if activation == "Activation" else activation
            if name in ancestor.COUNTED and (i or prefix):
                self.counted.append(one)
        return values

    def _apply(self, one: Any, values: list[Tensor], start: Json | None, group: str) -> list[Tensor]:
        if isinstance(one, Merge):
            return self._merge(one, values, start, group)
        if isinstance(one, Gaussian):
            parts = [self._linear(one, start, f"{group}_{part}", part) for part in ("mean", "ln_var")]
            return [part(values[0]) for part in parts]
        if isinstance(one, Residual):
            own = initializer(one.weight_initializer, one.weight_std) or start
            inner = self.run(one.layers, values, own, f"residual_{group}_")
            return [Layer("Add", {})([inner[0], values[0]])]
        if isinstance(one, Layer):
            started(one, start)
            self.groups.append((one, group))
        made = one(*values) if len(values) == 1 or not isinstance(one, Layer) else one(values)
        return made if isinstance(made, list) else [made]

    def _merge(self, one: Merge, values: list[Tensor], start: Json | None, group: str) -> list[Tensor]:
        if len(values) != one.num_inputs:
            raise wrong(
                "Merge(...)", f"{len(values)} inputs where num_inputs is {one.num_inputs}", code="KC301"
            )
        parts = [self._linear(one, start, f"{group}_{i}", str(i))(value) for i, value in enumerate(values)]
        return parts if len(parts) == 1 else [Layer("Add", {})(parts)]

    def _linear(self, one: Merge | Gaussian, start: Json | None, group: str, part: str) -> Layer:
        config = {
            "in_size": getattr(one, "in_size", None), "out_size": one.out_size, "nobias": one.nobias,
            "use_weightnorm": one.use_weightnorm, "bias": one.bias,
        }  # fmt: skip
        name = f"{one.name or type(one).__name__.lower()}_{part}"
        layer = Layer(f"{ancestor.PREFIX}Linear", config, name)
        started(layer, start)
        self.groups.append((layer, group))
        return layer


def started(layer: Layer, start: Json | None) -> None:
    """Give a layer the initializers that it does not state itself: the sequence's, and its own ``bias``."""
    bias = layer.config.get("bias")
    if layer.class_name.startswith(ancestor.PREFIX) and bias:
        layer.config.setdefault("bias_initializer", {"class_name": "Constant", "config": {"value": bias}})
    if start is None or not layer.has_initializer:
        return
    for param in ("kernel", "embeddings", "depthwise"):
        if f"{param}_initializer" in ALL[layer.class_name].fields:
            layer.config.setdefault(f"{param}_initializer", start)


def sequence_config(
    name: str, elements: Sequence[Any], inputs: Sequence[tuple[Shape, str]], start: Json | None
) -> Assembled:
    """A sequence called on inputs of these shapes (batch first) and dtypes. Raises KchainerError."""
    run = Unrolled()
    given = [
        input_tensor(shape, dtype, "input" if len(inputs) == 1 else f"input_{i}")
        for i, (shape, dtype) in enumerate(inputs)
    ]
    outputs = run.run(elements, list(given), start)
    config = graph_config(name, given, outputs, run.naming)
    groups = {run.naming.of(layer): group for layer, group in run.groups}
    return Assembled(config, groups, tuple(run.naming.of(layer) for layer in run.counted))


def to_ir(config: Json, name: str, limits: Limits = DEFAULT) -> Model:
    """The IR of a config that the builder wrote. Raises KchainerError."""
    found = Diagnostics(name, limits.diagnostics)
    translation, network = translated(lambda: Translation(NEWEST, found, limits, ALL), config, found)
    found.raise_if_errors()
    assert network is not None
    dtype = translation.dtype()
    return Model({network.name: network}, Origin(name, "kchainer builder"), {}, dtype, tuple(found.items))


__all__ = [
    "Assembled",
    "Composite",
    "graph_config",
    "initializer",
    "input_tensor",
    "sequence_config",
    "to_ir",
]
