"""What is built and called in Chainer, as data. Nothing here imports chainer."""

from __future__ import annotations

import dataclasses
import keyword
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kchainer.ir.graph import Network, Value
from kchainer.ir.nest import Nest
from kchainer.ir.op import Op, Shape
from kchainer.ir.ops import ActivityRegularization
from kchainer.ir.settings import ACTIVITY


@dataclasses.dataclass(frozen=True, slots=True)
class Weight:
    """The param that fills an array of a link: the axis order the link keeps it in, and its shape there.

    ``frozen``: no optimizer updates it, whatever it does with the rest of the link.
    """

    param: str
    axes: str | None = None
    shape: tuple[int, ...] | None = None
    frozen: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Link:
    """One link: ``target(**args)``, then ``weights`` by attribute name; both may reach into a link among ``args``."""

    target: str
    args: Mapping[str, Any]
    weights: Mapping[str, Weight]


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """One function: ``target(x, **args)``; ``packed``: its values come as one tuple."""

    target: str
    args: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    packed: bool = False


Emitted = Link | Call


@dataclasses.dataclass(frozen=True, slots=True)
class Site:
    """Where an op is called: physical shapes of its inputs, the order of the first one and of the output."""

    xs: tuple[Shape, ...]
    order: tuple[int, ...]
    frozen: bool = False
    out: tuple[int, ...] = ()

    @property
    def x(self) -> Shape:
        """The physical shape of the first input."""
        return self.xs[0]

    def axis(self, logical: int) -> int:
        """The physical axis that holds a logical one."""
        return self.order.index(logical)

    @property
    def logical(self) -> Shape:
        """The logical shape of the first input."""
        return tuple(self.x[self.order.index(i)] for i in range(len(self.x)))


Emission = Callable[[Any, Site], Emitted | tuple[Emitted, ...]]
EMISSIONS: dict[type[Op], Emission] = {}


def emits(op: type[Op]) -> Callable[[Emission], Emission]:
    """Register the emission of ``op``."""

    def register(function: Emission) -> Emission:
        if EMISSIONS.setdefault(op, function) is not function:
            raise TypeError(f"{op.name} has two emissions")
        return function

    return register


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """One call in the plan: of the link ``link`` or of ``call``; values are numbered in order of their making.

    ``more``: the further values of a call that gives a tuple.
    """

    inputs: tuple[int, ...]
    output: int
    link: str | None = None
    call: Call | None = None
    layer: str = ""
    more: tuple[int, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """All links by attribute name, and the calls in order.

    ``layers`` gives each link's layer (its Keras path); ``frozen`` names links that no optimizer updates; ``inputs`` (value, dtype) in the order of the caller's
    arguments; ``taps`` the value and physical order behind a name; ``activities`` each value that a regularizer of
    outputs looks at, with its layer; ``masks`` the mask of each output or None, none at all where no output has one;
    ``acting`` each value whose making changes arrays, with whether it does so in inference too; the nests are those of
    ``ir.graph.Network``.
    """

    name: str
    links: Mapping[str, Link]
    layers: Mapping[str, str]
    frozen: tuple[str, ...]
    steps: tuple[Step, ...]
    inputs: tuple[int, ...]
    input_shapes: tuple[Shape, ...]
    input_dtypes: tuple[str, ...]
    outputs: tuple[int, ...]
    taps: Mapping[str, tuple[int, tuple[int, ...]]]
    is_linear: bool
    transposes: int
    activities: tuple[tuple[int, str], ...] = ()
    masks: tuple[int | None, ...] = ()
    acting: tuple[tuple[int, bool], ...] = ()
    input_nest: Nest | None = None
    output_nest: Nest | None = None

    def beside(self, *, train: bool) -> frozenset[int]:
        """Numbers of the steps whose calls change nothing that is seen.

        Those are steps of what only losses look at, and in inference of statistics of outputs that nobody uses.
        """
        acting = {value for value, in_inference in self.acting if train or in_inference}
        wanted, idle = {*self.outputs, *acting}, set()
        for i in reversed(range(len(self.steps))):
            step = self.steps[i]
            if wanted.isdisjoint((step.output, *step.more)):
                idle.add(i)
            else:
                wanted.update(step.inputs)
        return frozenset(idle)


# Attributes of chainer.Chain that a layer's name must not hide.
RESERVED = frozenset(
    [
        "xp",
        "name",
        "children",
        "links",
        "params",
        "namedparams",
        "namedlinks",
        "add_link",
        "add_param",
        "add_persistent",
        "copy",
        "copyparams",
        "cleargrads",
        "zerograds",
        "addgrads",
        "enable_update",
        "disable_update",
        "update_enabled",
        "within_init_scope",
        "init_scope",
        "serialize",
        "forward",
        "device",
        "to_cpu",
        "to_gpu",
        "to_chx",
        "from_chx",
        "to_intel64",
        "to_device",
        "to_dtype",
        "device_resident",
        "repeat",
        "count_params",
        "register_persistent",
        "delete_hook",
        "add_hook",
        "local_link_hooks",
        "printable_specs",
        "plan",
        "predict",
        "device_resident_accept",
        "generate_array",
        "children_names",
        "accept",
        "visitor",
        "self",
        "chainer",
        "kchainer",
        "F",
        "L",
        "np",
        "x",
    ]
)


def attribute(name: str, taken: dict[str, int]) -> str:
    """A Python name for a layer, unlike all others taken; Keras's where it can be.

    ``taken`` has the names in small letters, each with the number to try next.
    """
    base = re.sub(r"[^0-9a-zA-Z_]", "_", name).strip("_") or "layer"
    if base[0].isdigit() or base in RESERVED or keyword.iskeyword(base):
        base = f"layer_{base}"
    out = base
    while out.lower() in taken:
        number = taken[base.lower()] = taken[base.lower()] + 1
        out = f"{base}_{number}"
    taken[out.lower()] = 0
    return out


class Planner:
    """Turns a laid-out network into a plan. ``order`` and ``shape`` are those of its values."""

    def __init__(
        self,
        network: Network,
        order: Mapping[Value, tuple[int, ...]],
        shape: Callable[[Value], Shape],
        *,
        transposes: int,
        is_linear: bool,
    ) -> None:
        self.network, self.order, self.shape = network, order, shape
        self.transposes, self.is_linear = transposes, is_linear
        self.links: dict[str, Link] = {}
        self.names: dict[str, str] = {}
        self.steps: list[Step] = []
        self.values: dict[Value, int] = {}
        self.taken: dict[str, int] = {}
        self.count = 0

    def plan(self) -> Plan:
        """The plan of the whole network."""
        for node in self.network.inputs:
            self.values[node, 0] = self._value()
        for i in range(len(self.network.nodes)):
            if (i, 0) not in self.values:
                self._node(i)
        inputs = [self.network.layers[self.network.nodes[i].layer].op for i in self.network.inputs]
        return Plan(
            name=self.network.name,
            links=self.links,
            layers={attribute: layer for layer, attribute in self.names.items()},
            frozen=tuple(a for layer, a in self.names.items() if not self.network.layers[layer].trainable),
            steps=tuple(self.steps),
            inputs=tuple(self.values[i, 0] for i in self.network.inputs),
            input_shapes=tuple(self.network.shape((i, 0)) for i in self.network.inputs),
            input_dtypes=tuple(getattr(op, "dtype", "float32") for op in inputs),
            outputs=tuple(self.values[v] for v in self.network.outputs),
            taps={name: (self.values[v], self.order[v]) for name, v in self.network.taps.items()},
            # chainer.Sequential refuses to be called empty
            is_linear=self.is_linear
            and bool(self.steps)
            and len(self.links) == sum(s.link is not None for s in self.steps),
            transposes=self.transposes,
            activities=tuple(self._activities()),
            masks=tuple(self.values[m] if m is not None else None for m in self.network.masks),
            acting=tuple(self._acting()),
            input_nest=self.network.input_nest,
            output_nest=self.network.output_nest,
        )

    def _acting(self) -> Iterator[tuple[int, bool]]:
        for i, node in enumerate(self.network.nodes):
            op = self.network.layers[node.layer].op
            if op.updates or op.keeps_state:
                yield self.values[i, 0], op.keeps_state

    def _activities(self) -> Iterator[tuple[int, str]]:
        """The outputs, behind their activation, of layers with a regularizer of them."""
        for i, node in enumerate(self.network.nodes):
            layer = self.network.layers[node.layer]
            if ACTIVITY in layer.settings or isinstance(layer.op, ActivityRegularization):
                end = i
                for k in range(i + 1, len(self.network.nodes)):
                    behind = self.network.nodes[k]
                    if behind.inputs == ((end, 0),) and behind.layer.startswith(f"{layer.name}/"):
                        end = k
                yield self.values[end, 0], layer.name

    def _value(self) -> int:
        self.count += 1
        return self.count - 1

    def _node(self, index: int) -> None:
        node = self.network.nodes[index]
        layer = self.network.layers[node.layer]
        xs = tuple(self.shape(v) for v in node.inputs)
        order = self.order[node.inputs[0]] if node.inputs else ()
        site = Site(xs, order, not layer.trainable, self.order[index, 0])
        emitted = EMISSIONS[type(layer.op)](layer.op, site)
        values = tuple(self.values[v] for v in node.inputs)
        for one in emitted if isinstance(emitted, tuple) else (emitted,):
            made = self._value()
            link = self._link(layer.name, one) if isinstance(one, Link) else None
            self.steps.append(Step(values, made, link, one if isinstance(one, Call) else None, layer.name))
            values = (made,)
        if len(node.shapes) > 1:
            more = tuple(self._value() for _ in node.shapes[1:])
            self.steps[-1] = dataclasses.replace(self.steps[-1], more=more)
            self.values.update({(index, k): v for k, v in enumerate(more, 1)})
        self.values[index, 0] = values[0] if emitted != () else self.values[node.inputs[0]]

    def _link(self, layer: str, link: Link) -> str:
        name = self.names.get(layer)
        if name is None:
            name = self.names[layer] = attribute(layer, self.taken)
            self.links[name] = link
        return name
