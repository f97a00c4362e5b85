"""Networks as graphs of calls of layers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from kchainer.diagnostics import Diagnostic, KchainerError
from kchainer.ir.arrays import LazyArray
from kchainer.ir.nest import Nest
from kchainer.ir.op import Op, Param, Shape
from kchainer.ir.training import Gathered, Training

Value = tuple[int, int]  # (node, which of its outputs)


@dataclasses.dataclass(frozen=True, slots=True)
class Layer:
    """An op with a name; its params belong to it however often it is called.

    ``name`` is the path through nested models, unique in the network ("encoder/dense_1"). ``settings`` holds
    what the file says of each param: initializer, regularizer, constraint, as kchainer's JSON writes them.
    """

    name: str
    op: Op
    params: tuple[Param, ...]
    trainable: bool = True
    settings: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    pointer: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Node:
    """One call of a layer on values; ``shapes`` are those of its outputs, in the source's logical order."""

    layer: str
    inputs: tuple[Value, ...]
    shapes: tuple[Shape, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Network:
    """Nodes in topological order. ``taps`` gives the value that a name of the source stands for.

    ``masks`` has the mask of each output (true where a step counts) or None; none at all where no output has one.
    The nests are the dictionaries and lists in which inputs and outputs stand; None: plain ones.
    """

    name: str
    layers: Mapping[str, Layer]
    nodes: tuple[Node, ...]
    inputs: tuple[int, ...]
    outputs: tuple[Value, ...]
    taps: Mapping[str, Value] = dataclasses.field(default_factory=dict)
    output_names: tuple[str, ...] = ()
    masks: tuple[Value | None, ...] = ()
    input_nest: Nest | None = None
    output_nest: Nest | None = None

    def shape(self, value: Value) -> Shape:
        """The logical shape of a value."""
        return self.nodes[value[0]].shapes[value[1]]

    @property
    def is_linear(self) -> bool:
        """Each node takes the one before it, and no layer is called twice."""
        chain = all(n.inputs == ((i - 1, 0),) for i, n in enumerate(self.nodes) if i)
        single = all(len(n.shapes) == 1 for n in self.nodes)
        once = len({n.layer for n in self.nodes}) == len(self.nodes)
        ends = self.outputs == ((len(self.nodes) - 1, 0),) and self.inputs == (0,)
        plain = self.input_nest is None and self.output_nest is None
        return chain and single and once and ends and plain


@dataclasses.dataclass(frozen=True, slots=True)
class Origin:
    """Where a model came from: the file, the dialect that wrote it, and the signs by which it was told."""

    file: str
    dialect: str
    reasons: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Model:
    """Named networks with the arrays of their params: (layer, param) -> array, missing where initialised.

    Where there are several networks, the keys of ``arrays`` begin with the network's name: "q_a_x:linear_1".
    ``training`` says how it is trained, where the file does; ``gathered`` is the state of its only optimizer.
    """

    networks: Mapping[str, Network]
    origin: Origin
    arrays: Mapping[tuple[str, str], LazyArray] = dataclasses.field(default_factory=dict)
    dtype: str = "float32"
    warnings: tuple[Diagnostic, ...] = ()
    training: Training | None = None
    gathered: Gathered | None = None

    @property
    def network(self) -> Network:
        """The only network. Raises KchainerError (KC205) where there are several."""
        if len(self.networks) != 1:
            message = f"the model has {len(self.networks)} networks, and one is needed here"
            names = ", ".join(self.networks)
            raise KchainerError(Diagnostic(code="KC205", message=message, file=self.origin.file, found=names))
        return next(iter(self.networks.values()))

    def parts(self) -> dict[str, Model]:
        """Each network as a model of its own."""
        if len(self.networks) == 1:
            return dict.fromkeys(self.networks, self)
        out = {}
        for name, network in self.networks.items():
            start = f"{name}:"
            arrays = {
                (k.removeprefix(start), p): v for (k, p), v in self.arrays.items() if k.startswith(start)
            }
            out[name] = dataclasses.replace(self, networks={name: network}, arrays=arrays)
        return out

    def to_chainer(self) -> Any:
        """The running Chainer network, a chain of them where there are several; see ``kchainer.load``."""
        return BACKENDS["chainer"](self)

    def to_optimizer(self, net: Any) -> Any:
        """The optimizer that the file names, set up on a network of ``to_chainer``; None where it names none.

        State that the file holds (moments, the count of steps) is in place, and constraints follow each update.
        Several optimizers come as one, ``kchainer.optimizers.Several``.
        """
        return BACKENDS["optimizer"](self, net)

    def to_source(self) -> str:
        """The network as a Chainer program."""
        return str(BACKENDS["source"](self))

    def to_spec(self) -> dict[str, Any]:
        """The model in kchainer's own short JSON, without its arrays."""
        made: dict[str, Any] = BACKENDS["spec"](self)
        return made


# Filled by kchainer.api: the IR itself knows no backend.
BACKENDS: dict[str, Callable[..., Any]] = {}
