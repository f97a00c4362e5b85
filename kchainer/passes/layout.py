"""The physical order of each value: Keras's shapes are logical, Chainer computes channels first."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from kchainer.ir import ops
from kchainer.ir.graph import Layer, Network, Node, Value
from kchainer.ir.op import Op, Shape

# order[i] is the logical axis that physical axis i holds
Order = tuple[int, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class LaidOut:
    """A network with the transposes it needs, and the physical order of every value.

    ``network.nodes`` keep logical shapes; ``taps`` and ``outputs`` point at values in any order.
    """

    network: Network
    orders: Mapping[Value, Order]

    def shape(self, value: Value) -> Shape:
        """The physical shape of a value."""
        logical = self.network.shape(value)
        return tuple(logical[a] for a in self.orders[value])

    @property
    def transposes(self) -> int:
        """How many transposes the pass put in."""
        return sum(isinstance(self.network.layers[n.layer].op, ops.Transpose) for n in self.network.nodes)


def identity(rank: int) -> Order:
    """The logical order."""
    return tuple(range(rank))


def channels_first(rank: int, data_format: str) -> Order:
    """Batch, channels, then pixels."""
    return (
        identity(rank) if data_format == "channels_first" or rank < 3 else (0, rank - 1, *range(1, rank - 1))
    )


def unit_axes(x: Shape, y: Shape) -> dict[int, int] | None:
    """For a reshape that only puts in or takes out axes of size 1: the axis of ``y`` for each other one of ``x``.

    None where it does more, or where more than one size behind the batch is unknown.
    """
    kept = [i for i, d in enumerate(x) if i == 0 or d != 1]
    into = [i for i, d in enumerate(y) if i == 0 or d != 1]
    if [x[i] for i in kept] != [y[i] for i in into] or sum(d is None for d in x) > 2:
        return None
    return dict(zip(kept, into, strict=True))


class _Pass:
    def __init__(self, network: Network) -> None:
        self.old = network
        self.layers: dict[str, Layer] = dict(network.layers)
        self.nodes: list[Node] = []
        self.orders: dict[Value, Order] = {}
        self.moved: dict[Value, Value] = {}  # value of the old network -> of the new one
        self.turned: dict[tuple[Value, Order], Value] = {}
        self.settled: dict[tuple[str, int], Order] = {}
        self.users: dict[int, list[Node]] = {}
        for node in network.nodes:
            for made, _ in node.inputs:
                self.users.setdefault(id(network.nodes[made]), []).append(node)

    def run(self) -> LaidOut:
        for i, node in enumerate(self.old.nodes):
            self._node(i, node)
        outputs = [self._in_order(v, identity(len(self.old.shape(v)))) for v in self.old.outputs]
        network = dataclasses.replace(
            self.old,
            layers=self.layers,
            nodes=tuple(self.nodes),
            inputs=tuple(self.moved[i, 0][0] for i in self.old.inputs),
            outputs=tuple(outputs),
            masks=tuple(self._mask(m) for m in self.old.masks),
            taps={name: self.moved[v] for name, v in self.old.taps.items()},
        )
        return LaidOut(network, self.orders)

    def _mask(self, value: Value | None) -> Value | None:
        return self._in_order(value, identity(len(self.old.shape(value)))) if value is not None else None

    def _node(self, index: int, node: Node) -> None:
        op = self.old.layers[node.layer].op
        wanted, out = self._wanted(op, node)
        inputs = tuple(self._in_order(v, order) for v, order in zip(node.inputs, wanted, strict=True))
        made = len(self.nodes)
        self.nodes.append(Node(node.layer, inputs, node.shapes))
        for k, shape in enumerate(node.shapes):
            self.moved[index, k] = (made, k)
            self.orders[made, k] = out if len(out) == len(shape) else identity(len(shape))

    def _wanted(self, op: Op, node: Node) -> tuple[list[Order], Order]:
        if isinstance(op, (ops.SpectralNormalization, ops.LowRank)):
            op = op.layer
        ranks = [len(self.old.shape(v)) for v in node.inputs]
        rank_out = len(node.shapes[0])
        if op.layout == "units":
            return self._through(node)
        if op.layout == "spatial":
            data_format = getattr(op, "data_format", "channels_last")
            return [channels_first(r, data_format) for r in ranks], channels_first(rank_out, data_format)
        if op.layout in ("any", "axes") and len(set(ranks)) == 1 and ranks[0] == rank_out:
            have = [self.orders[self.moved[v]] for v in node.inputs]
            order = next((o for o in have if o != identity(rank_out)), identity(rank_out))
            if self.old.layers[node.layer].params:  # one link, whose axes its first call settles
                order = self.settled.setdefault((node.layer, rank_out), order)
            return [order] * len(ranks), order
        return [identity(r) for r in ranks], identity(rank_out)

    def _through(self, node: Node) -> tuple[list[Order], Order]:
        """A reshape: free in any order where only axes of size 1 come or go."""
        x, y = self.old.shape(node.inputs[0]), node.shapes[0]
        have, first = self.orders[self.moved[node.inputs[0]]], channels_first(len(y), "channels_last")
        axes = unit_axes(x, y)
        if axes is not None:
            wanted = [axes[a] for a in have if a in axes]
            orders = (first, identity(len(y))) if self._is_spatial_behind(node) else (identity(len(y)), first)
            for out in orders:
                if [a for a in out if a in axes.values()] == wanted:
                    return [have], out
        return [identity(len(x))], identity(len(y))

    def _is_spatial_behind(self, node: Node) -> bool:
        """Some op that takes the node's value wants channels first."""
        return any(
            self.old.layers[user.layer].op.layout != "logical" for user in self.users.get(id(node), ())
        )

    def _in_order(self, value: Value, order: Order) -> Value:
        new = self.moved[value]
        have = self.orders[new]
        if have == order:
            return new
        if (new, order) not in self.turned:
            axes = tuple(have.index(a) for a in order)
            name = f"transpose/{len(self.nodes)}"
            self.layers[name] = Layer(name, ops.Transpose(axes=axes), ())
            self.nodes.append(Node(name, (new,), (self.old.shape(value),)))
            made = (len(self.nodes) - 1, 0)
            self.orders[made] = order
            self.turned[new, order] = made
        return self.turned[new, order]


def lay_out(network: Network) -> LaidOut:
    """Give each value a physical order; transposes stand only where the order becomes visible."""
    return _Pass(network).run()
