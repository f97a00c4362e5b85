"""Arrays of recurrent layers that releases stored otherwise: one by gate (Keras 0.3 and 1), or as CuDNN has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kchainer.frontends.keras.lora import Merged
from kchainer.frontends.keras.quantized import Stored
from kchainer.ir import ops
from kchainer.ir.arrays import LazyArray
from kchainer.ir.graph import Layer
from kchainer.ir.op import Param

Slot = tuple[Layer, Param]
# One array of the file, those that are joined to one, or those that stand for a quantised one.
Source = str | tuple[str, ...] | Stored | Merged

# Where in the file the gates stand: Keras 1 wrote an LSTM's as i, c, f, o.
ORDER: dict[type, tuple[int, ...]] = {
    ops.LSTM: (0, 2, 1, 3),
    ops.ConvLSTM: (0, 2, 1, 3),
    ops.GRU: (0, 1, 2),
}


def by_gate(slots: Sequence[Slot], paths: Sequence[str]) -> list[tuple[Slot, Source]] | None:
    """The arrays of each param where the file has W, U and b of each gate; None where their number is another."""
    out: list[tuple[Slot, Source]] = []
    left = list(paths)
    done: set[str] = set()
    for layer, param in slots:
        order = ORDER.get(type(layer.op))
        if order is None:
            if not left:
                return None
            out.append(((layer, param), left.pop(0)))
            continue
        if layer.name in done:
            continue
        done.add(layer.name)
        each = len(layer.params)
        here, left = left[: each * len(order)], left[each * len(order) :]
        if len(here) < each * len(order):
            return None
        out += [
            ((layer, one), tuple(here[each * gate + i] for gate in order))
            for i, one in enumerate(layer.params)
        ]
    return None if left else out


def joined_axis(layer: Layer, param: Param) -> int:
    """The axis of the gates in arrays that still have Keras 1's layout."""
    first = getattr(layer.op, "data_format", "") == "channels_first"
    return 0 if first and "kernel" in param.name else -1


def is_cudnn(layer: Layer, param: Param, shape: tuple[int, ...]) -> bool:
    """The bias of a layer of CuDNN: two for each gate, in a row."""
    return (
        isinstance(layer.op, (ops.LSTM, ops.GRU))
        and param.name == "bias"
        and shape == (2 * layer.op.gates * layer.op.units,)
    )


def of_cudnn(array: LazyArray, layer: Layer, param: Param) -> LazyArray:
    """An array of CuDNN's layer in the plain layer's layout."""
    op: Any = layer.op
    if param.name == "bias":
        if isinstance(op, ops.GRU):
            return array.reshaped((2, op.gates * op.units)) if op.reset_after else array
        half = op.gates * op.units
        made = array.reshaped((2, half))
        return LazyArray((half,), array.source, lambda: made.read().sum(axis=0))

    def turned(values: Any) -> Any:
        out = values.copy()
        for gate in range(op.gates):
            part = values[:, gate * op.units : (gate + 1) * op.units]
            plain = part.T if param.name == "recurrent_kernel" else part.T.reshape(part.shape, order="F")
            out[:, gate * op.units : (gate + 1) * op.units] = plain
        return out

    return array.mapped(turned)
