"""Layers that Keras does not define, replaced by a network of known ops that the caller gives."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kchainer.ir.graph import Network, Value
from kchainer.ir.op import Op, Shape
from kchainer.ir.ops import Input

if TYPE_CHECKING:
    from kchainer.diagnostics import Diagnostics
    from kchainer.files import WeightFile
    from kchainer.frontends.keras.entries import Entry
    from kchainer.frontends.keras.gates import Slot
    from kchainer.frontends.keras.graph import Translation
    from kchainer.ir.graph import Layer

Json = dict[str, Any]
# What a replacement becomes: a network whose inputs are the layer's, or ops in a row.
Made = Network | tuple[Op, ...]
UNNAMED = ("Lambda", "LambdaMerge")  # their layer's name tells them apart


@dataclasses.dataclass(frozen=True, slots=True)
class Replacement:
    """What stands for a class, or for a Lambda of this name.

    ``make`` gets the layer's config and the shapes it is called on. ``weights`` gives the place of a param
    ("layer/param") below the layer in a weights file, where the names do not say it.
    """

    name: str
    make: Callable[[Json, tuple[Shape, ...], Diagnostics], Made | None]
    weights: Mapping[str, str] = dataclasses.field(default_factory=dict)
    supports_masking: bool = False


@dataclasses.dataclass(slots=True)
class Replaced:
    """The params of a replaced layer as weight files see them: (layer in the network, its name inside)."""

    replacement: Replacement
    layers: list[tuple[str, str]] = dataclasses.field(default_factory=list)

    def slots(self, layers: Mapping[str, Layer]) -> list[tuple[Slot, str]]:
        """All params, in the replacement's order, with the names that its ``weights`` use."""
        return [
            ((layers[full], param), f"{inside}/{param.name}")
            for full, inside in self.layers
            if full in layers
            for param in layers[full].params
        ]


def candidates(raw: Json, name: str) -> list[str]:
    """Names under which a replacement of a layer is looked for, the most telling first."""
    class_name = str(raw.get("class_name"))
    if class_name in UNNAMED:
        return [name]
    registered = raw.get("registered_name")
    out = [registered] if isinstance(registered, str) else []
    out += [class_name, class_name.rpartition(">")[2]]
    config = raw.get("config")
    if class_name == "Activation" and isinstance(config, dict):
        out = activation_names(config.get("activation")) or out
    return list(dict.fromkeys(out))


def activation_names(said: Any) -> list[str]:
    """Names under which a replacement of an activation is looked for, the most telling first."""
    names = [said]
    if isinstance(said, dict):  # Keras 3: a function of the user's own, or a layer
        config, registered = said.get("config"), said.get("registered_name")
        if said.get("class_name") == "function":
            names = [config] if registered in (None, "function") else [registered, config]
        else:
            names = [registered, said.get("class_name")]
    found = [one for one in names if isinstance(one, str)]
    return list(dict.fromkeys(found + [one.rpartition(">")[2] for one in found]))


def find(replacements: Mapping[str, Replacement], raw: Json, name: str) -> Replacement | None:
    """The replacement of a layer, None where there is none."""
    return next((replacements[one] for one in candidates(raw, name) if one in replacements), None)


def hint(raw: Json, name: str) -> str:
    """How to say what a layer computes."""
    return f"say what it computes: --custom {candidates(raw, name)[-1][:80]}=FILE (docs/custom-layers.md)"


def call(t: Translation, entry: Entry, inputs: list[Value], mask: Value | None) -> list[Value | None]:
    """The outputs of a replaced layer's call: its network's nodes, called in place."""
    replaced = entry.owner.replaced
    assert replaced is not None
    config = entry.raw.get("config")
    shapes = tuple(t.builder.shape(v) for v in inputs)
    made = replaced.replacement.make(config if isinstance(config, dict) else {}, shapes, t.diagnostics)
    if made is None:
        return [None]
    if isinstance(made, tuple):
        out = _row(t, entry, made, inputs)
    elif len(made.inputs) != len(inputs):
        t.error(
            "KC301", f'"{entry.name}" is called on another number of inputs than its replacement has', entry.pointer,
            found=str(len(inputs)), expected=str(len(made.inputs)),
        )  # fmt: skip
        return [None]
    else:
        out = _inlined(t, entry, made, inputs)
    if out and out[0] is not None:
        t.builder.taps.setdefault(entry.path, out[0])
        if mask is not None and replaced.replacement.supports_masking:
            t.masks.put(out[0], mask)
    return out


def of_activation(t: Translation, said: Any) -> Replacement | None:
    """The replacement of a layer's ``activation``, None where there is none."""
    given = t.entries.replacements
    return next((given[one] for one in activation_names(said) if one in given), None) if given else None


def activate(t: Translation, entry: Entry, given: Replacement, said: Any, value: Value) -> Value | None:
    """A layer's output through the replacement of its activation, which has one output and no weights."""
    config = said.get("config") if isinstance(said, dict) else None
    shapes = (t.builder.shape(value),)
    made = given.make(config if isinstance(config, dict) else {"activation": said}, shapes, t.diagnostics)
    if made is None:
        return None
    inside = dataclasses.replace(entry, path=f"{entry.path}/activation")
    before = len(t.builder.nodes)
    out = _row(t, inside, made, [value]) if isinstance(made, tuple) else _inlined(t, inside, made, [value])
    new = {node.layer for node in t.builder.nodes[before:]}
    if len(out) != 1 or any(t.builder.layers[name].params for name in new):
        what = f'the activation `{given.name}` of "{entry.name}" has one output and no weights'
        t.error("KC301", what, f"{entry.pointer}/config/activation")
        return None
    return out[0]


def _note(entry: Entry, full: str, inside: str) -> None:
    replaced = entry.owner.replaced
    if replaced is not None and (full, inside) not in replaced.layers:
        replaced.layers.append((full, inside))


def _row(t: Translation, entry: Entry, ops: Sequence[Op], inputs: list[Value]) -> list[Value | None]:
    values = inputs
    for i, op in enumerate(ops):
        inside = f"{op.name.lower()}_{i + 1}"
        full = entry.path if len(ops) == 1 else f"{entry.path}/{inside}"
        _note(entry, full, inside)
        value = t.builder.call(full, op, values, trainable=entry.trainable, pointer=entry.pointer)
        if value is None:
            return [None]
        values = [value]
    return list(t.outputs(values[0])) if ops else list(values)


def _inlined(t: Translation, entry: Entry, network: Network, inputs: list[Value]) -> list[Value | None]:
    values: dict[Value, Value] = {}
    given = dict(zip(network.inputs, inputs, strict=True))
    for i, node in enumerate(network.nodes):
        layer = network.layers[node.layer]
        if isinstance(layer.op, Input):
            values[i, 0] = given[i]
            continue
        full = f"{entry.path}/{layer.name}"
        if layer.params:
            _note(entry, full, layer.name)
        value = t.builder.call(
            full, layer.op, [values[v] for v in node.inputs], trainable=entry.trainable and layer.trainable,
            settings=layer.settings, pointer=entry.pointer,
        )  # fmt: skip
        if value is None:
            return [None]
        values.update({(i, k): one for k, one in enumerate(t.outputs(value))})
    return [values[v] for v in network.outputs]


# ------------------------------------------------------------------ weights


def in_order(
    replaced: Replaced, layers: Mapping[str, Layer], paths: Sequence[str]
) -> list[tuple[Slot, str]] | None:
    """Arrays of a legacy file: those that are named, the others in order. None where they do not fit."""
    slots = replaced.slots(layers)
    named = replaced.replacement.weights
    left = list(paths)
    taken: dict[str, str] = {}
    for _, name in slots:
        if name in named:
            ends = (f"/{named[name]}", f"/{named[name]}:0")
            hit = next((p for p in left if p.endswith(ends)), None)
            if hit is None:
                return None
            left.remove(hit)
            taken[name] = hit
    rest = [one for one in slots if one[1] not in taken]
    # the file's order: trainable arrays first
    rest.sort(key=lambda one: not (one[0][1].trainable and one[0][0].trainable))
    if len(rest) != len(left):
        return None
    out = [(slot, taken[name]) for slot, name in slots if name in taken]
    return out + [(slot, path) for (slot, _), path in zip(rest, left, strict=True)]


def places(
    replaced: Replaced, layers: Mapping[str, Layer], file: WeightFile, path: str
) -> list[tuple[Slot, str]]:
    """Where a v3 file keeps each param of a replaced layer that stands at ``path``.

    A layer inside that has the name of an attribute of the Keras layer has its arrays there; the arrays of the
    others are the Keras layer's own, in order.
    """
    out: list[tuple[Slot, str]] = []
    own = 0
    counts: dict[str, int] = {}
    for slot, name in replaced.slots(layers):
        inside = name.rpartition("/")[0]
        stated = replaced.replacement.weights.get(name)
        if stated is not None:
            out.append((slot, f"{path}/{stated}"))
        elif f"{path}/{inside}/vars" in file:
            number = counts.get(inside, 0)
            counts[inside] = number + 1
            out.append((slot, f"{path}/{inside}/vars/{number}"))
        else:
            out.append((slot, f"{path}/vars/{own}"))
            own += 1
    return out
