"""Building a network call by call, shapes inferred on the way."""

from __future__ import annotations

import dataclasses
import inspect
import math
from collections.abc import Mapping, Sequence
from typing import Any

from kchainer.diagnostics import Diagnostics
from kchainer.ir.graph import Layer, Network, Node, Value
from kchainer.ir.op import Op, Shape, ShapeError, cached, show
from kchainer.ir.ops import Input


class Builder:
    """Collects layers and nodes. What does not fit is reported with the place the caller gives."""

    def __init__(self, name: str, diagnostics: Diagnostics, *, most_nodes: int) -> None:
        self.name, self.diagnostics, self.most_nodes = name, diagnostics, most_nodes
        self.layers: dict[str, Layer] = {}
        self.nodes: list[Node] = []
        self.taps: dict[str, Value] = {}

    def shape(self, value: Value) -> Shape:
        """The logical shape of a value."""
        return self.nodes[value[0]].shapes[value[1]]

    def input(self, name: str, shape: Shape, dtype: str, pointer: str) -> Value:
        """A value that the caller of the network gives."""
        op = Input(shape=shape, dtype=dtype)
        self.layers[name] = Layer(name, op, (), pointer=pointer)
        return self._node(name, (), (shape,))

    def call(
        self,
        name: str,
        op: Op,
        inputs: Sequence[Value],
        *,
        trainable: bool = True,
        settings: Mapping[str, Mapping[str, Any]] | None = None,
        pointer: str = "",
    ) -> Value | None:
        """Call the layer ``name``, made on its first call. None when it does not fit, which is reported."""
        shapes = [self.shape(v) for v in inputs]
        if len(self.nodes) >= self.most_nodes:
            self._report(
                "KC901", f"more than {self.most_nodes} nodes", pointer, "raise it with --limit nodes=..."
            )
            return None
        for rule in op.check():
            self.diagnostics.error("KC104", f'{op.name} "{name}": {rule}', pointer=pointer)
            return None
        least, most = takes(type(op))
        if not least <= len(shapes) <= most:
            self.diagnostics.error(
                "KC301",
                f'{op.name} "{name}" does not take {len(shapes)} input{"" if len(shapes) == 1 else "s"}',
                pointer=pointer,
                expected=f"{least}" + ("" if most == least else " or more"),
            )
            return None
        try:
            params, out = op.params(*shapes), op.outputs(*shapes)
        except ShapeError as wrong:
            found = " and ".join(map(show, shapes))
            self.diagnostics.error(
                "KC301", f'{op.name} "{name}": {wrong}', pointer=pointer, found=f"input {found}"
            )
            return None
        # an axis that is none, an equation that does not fit, a size that has to be known
        except (IndexError, KeyError, ValueError, TypeError, ArithmeticError):
            self.diagnostics.error(
                "KC301",
                f'{op.name} "{name}" does not fit its input',
                pointer=pointer,
                found=f"input {' and '.join(map(show, shapes))}",
            )
            return None
        have = self.layers.setdefault(name, Layer(name, op, params, trainable, settings or {}, pointer))
        if have.params != params or (have.op != op and params):
            self.diagnostics.error(
                "KC301",
                f'{op.name} "{name}" is called on shapes that need other params',
                pointer=pointer,
                found=" and ".join(map(show, shapes)),
                expected=", ".join(f"{p.name} {p.shape}" for p in have.params),
            )
            return None
        if have.op != op:  # axes counted from the end on inputs of another rank: no params, so another layer
            name = self.unique(name)
            self.layers[name] = Layer(name, op, params, trainable, settings or {}, pointer)
        return self._node(name, tuple(inputs), out)

    def unique(self, name: str) -> str:
        """``name``, or it with a number behind."""
        out, number = name, 1
        while out in self.layers:
            out, number = f"{name}_{number}", number + 1
        return out

    def finish(
        self,
        inputs: Sequence[Value],
        outputs: Sequence[Value],
        output_names: Sequence[str] = (),
        masks: Sequence[Value | None] = (),
    ) -> Network:
        """The network; inputs come first, and are taps by their names.

        Nodes that neither an output nor its mask needs are left out, except those that do something beside it: a
        nested model of which one output is used runs whole; its running statistics move, its penalties count.
        """
        starts = list(dict.fromkeys(v[0] for v in inputs))
        acting = [i for i in range(len(self.nodes)) if self._acts(i)]
        ends = [v[0] for v in (*outputs, *masks) if v is not None]
        order = starts + sorted(_needed(self.nodes, [*acting, *ends]) - set(starts))
        new = {old: i for i, old in enumerate(order)}
        moved = [
            dataclasses.replace(self.nodes[old], inputs=tuple((new[n], k) for n, k in self.nodes[old].inputs))
            for old in order
        ]
        used = list(dict.fromkeys(n.layer for n in moved))
        taps = {self.nodes[v[0]].layer: v for v in inputs} | self.taps
        return Network(
            name=self.name,
            layers={name: self.layers[name] for name in used},
            nodes=tuple(moved),
            inputs=tuple(new[v[0]] for v in inputs),
            outputs=tuple((new[n], k) for n, k in outputs),
            taps={name: (new[n], k) for name, (n, k) in taps.items() if n in new},
            output_names=tuple(output_names),
            masks=tuple((new[m[0]], m[1]) if m is not None else None for m in masks) if any(masks) else (),
        )

    def _acts(self, i: int) -> bool:
        """Whether a node changes arrays or adds to a loss: itself, or as the activation behind a layer that does."""
        layer = self.layers[self.nodes[i].layer]
        if layer.op.updates or layer.op.keeps_state or layer.op.penalises or _penalties(layer):
            return True
        whole, _, _ = layer.name.rpartition("/")
        return whole in self.layers and _penalties(self.layers[whole])

    def _node(self, layer: str, inputs: tuple[Value, ...], shapes: tuple[Shape, ...]) -> Value:
        self.nodes.append(Node(layer, inputs, shapes))
        return (len(self.nodes) - 1, 0)

    def _report(self, code: str, message: str, pointer: str, hint: str) -> None:
        if not any(d.code == code for d in self.diagnostics.items):
            self.diagnostics.error(code, message, pointer=pointer, hint=hint)


def _penalties(layer: Layer) -> bool:
    return any("regularizer" in said for said in layer.settings.values())


@cached
def takes(cls: type[Op]) -> tuple[int, float]:
    """How many inputs an op may have: the least and the most."""
    parameters = list(inspect.signature(cls.infer).parameters.values())[1:]
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return 1, math.inf
    required = sum(p.default is p.empty for p in parameters)
    return required, len(parameters)


def _needed(nodes: Sequence[Node], ends: Sequence[int]) -> set[int]:
    keep: set[int] = set()
    todo = list(ends)
    while todo:
        one = todo.pop()
        if one not in keep:
            keep.add(one)
            todo.extend(n for n, _ in nodes[one].inputs)
    return keep
