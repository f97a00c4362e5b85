"""Whole sequences of SimpleRNN, LSTM and GRU as one function: all steps in one node of the graph, forward and back.

The products of the inputs come in, (T, N, gates * units); the loop over the steps is plain NumPy or CuPy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import chainer
from chainer import backend

Array = Any
# name -> function, and its derivative by what came out; the second argument is hard_sigmoid's slope
FORWARD: dict[str, Callable[[Any, Array, float], Array]] = {
    "linear": lambda xp, x, slope: x,
    "tanh": lambda xp, x, slope: xp.tanh(x),
    "sigmoid": lambda xp, x, slope: xp.tanh(x * x.dtype.type(0.5)) * x.dtype.type(0.5) + x.dtype.type(0.5),
    "relu": lambda xp, x, slope: xp.maximum(x, x.dtype.type(0)),
    "hard_sigmoid": lambda xp, x, slope: xp.clip(
        x * x.dtype.type(slope) + x.dtype.type(0.5), x.dtype.type(0), x.dtype.type(1)
    ),
}
BACKWARD: dict[str, Callable[[Any, Array, float], Array]] = {
    "linear": lambda xp, y, slope: xp.ones_like(y),
    "tanh": lambda xp, y, slope: 1 - y * y,
    "sigmoid": lambda xp, y, slope: y * (1 - y),
    "relu": lambda xp, y, slope: (y > 0).astype(y.dtype),
    "hard_sigmoid": lambda xp, y, slope: ((y > 0) & (y < 1)).astype(y.dtype) * y.dtype.type(slope),
}


class Cell:
    """One step, forward and back. ``weights`` are the recurrent kernel and what else a step multiplies or adds."""

    states = 1

    def __init__(self, xp: Any, activation: str, recurrent_activation: str, slope: float) -> None:
        self.xp, self.slope = xp, slope
        self.activation, self.gate_name = activation, recurrent_activation

    def act(self, x: Array) -> Array:
        return FORWARD[self.activation](self.xp, x, self.slope)

    def act_back(self, y: Array) -> Array:
        return BACKWARD[self.activation](self.xp, y, self.slope)

    def gate(self, x: Array) -> Array:
        return FORWARD[self.gate_name](self.xp, x, self.slope)

    def gate_back(self, y: Array) -> Array:
        return BACKWARD[self.gate_name](self.xp, y, self.slope)

    def step(self, z: Array, states: Sequence[Array], weights: Sequence[Array]) -> tuple[Any, Any]:
        """New states, of which the first is the output, and what ``back`` needs."""
        raise NotImplementedError

    def back(self, g: Sequence[Array], states: Any, saved: Any, weights: Any) -> tuple[Any, Any, Any]:
        """Gradients by z and by the states before, and the gradient by what the recurrent products gave."""
        raise NotImplementedError

    def weight_gradients(self, inner: Array, before: Array, saved: Any, weights: Any) -> Sequence[Array]:
        """Gradients by the weights from those of all steps, (T N, ...)."""
        return (inner.T.dot(before),)


class SimpleRNNCell(Cell):
    """One state, no gates."""

    def step(self, z: Array, states: Sequence[Array], weights: Sequence[Array]) -> tuple[Any, Any]:
        h = self.act(z + states[0].dot(weights[0].T))
        return (h,), (h,)

    def back(self, g: Sequence[Array], states: Any, saved: Any, weights: Any) -> tuple[Any, Any, Any]:
        gz = g[0] * self.act_back(saved[0])
        return gz, (gz.dot(weights[0]),), gz


class LSTMCell(Cell):
    """States h and c; gates i and f, the candidate, gate o, one behind the other."""

    states = 2

    def step(self, z: Array, states: Sequence[Array], weights: Sequence[Array]) -> tuple[Any, Any]:
        h, c = states
        u = h.shape[1]
        a = h.dot(weights[0].T)
        a += z
        gates = self.xp.empty_like(a)
        if self.gate_name == self.activation:
            gates[...] = self.gate(a)
        else:
            gates[:, : 2 * u] = self.gate(a[:, : 2 * u])
            gates[:, 2 * u : 3 * u] = self.act(a[:, 2 * u : 3 * u])
            gates[:, 3 * u :] = self.gate(a[:, 3 * u :])
        c = gates[:, u : 2 * u] * c + gates[:, :u] * gates[:, 2 * u : 3 * u]
        out = self.act(c)
        return (gates[:, 3 * u :] * out, c), (gates, out)

    def back(self, g: Sequence[Array], states: Any, saved: Any, weights: Any) -> tuple[Any, Any, Any]:
        gh, gc = g
        gates, out = saved
        u = gh.shape[1]
        i, f, c, o = (gates[:, k * u : (k + 1) * u] for k in range(4))
        gc = gc + gh * o * self.act_back(out)
        gz = self.xp.empty_like(gates)
        gz[:, :u], gz[:, u : 2 * u] = gc * c, gc * states[1]
        gz[:, 2 * u : 3 * u], gz[:, 3 * u :] = gc * i, gh * out
        gz[:, : 2 * u] *= self.gate_back(gates[:, : 2 * u])
        gz[:, 2 * u : 3 * u] *= self.act_back(c)
        gz[:, 3 * u :] *= self.gate_back(o)
        return gz, (gz.dot(weights[0]), gc * f), gz


class GRUCell(Cell):
    """``weights``: the recurrent kernel, its bias."""

    def step(self, z: Array, states: Sequence[Array], weights: Sequence[Array]) -> tuple[Any, Any]:
        (h,) = states
        u = h.shape[1]
        inner = h.dot(weights[0].T) + weights[1]
        zr = self.gate(z[:, : 2 * u] + inner[:, : 2 * u])
        inner_h = inner[:, 2 * u :]
        hh = self.act(z[:, 2 * u :] + zr[:, u:] * inner_h)
        return (hh + zr[:, :u] * (h - hh),), (zr, inner_h, hh)

    def back(self, g: Sequence[Array], states: Any, saved: Any, weights: Any) -> tuple[Any, Any, Any]:
        zr, inner_h, hh = saved
        (h,), (gh,) = states, g
        u = h.shape[1]
        gz = self.xp.empty((len(h), 3 * u), h.dtype)
        gz[:, 2 * u :] = gh * (1 - zr[:, :u]) * self.act_back(hh)
        gz[:, :u] = gh * (h - hh)
        gz[:, u : 2 * u] = gz[:, 2 * u :] * inner_h
        gz[:, : 2 * u] *= self.gate_back(zr)
        inner = gz.copy()
        inner[:, 2 * u :] *= zr[:, u:]
        return gz, (gh * zr[:, :u] + inner.dot(weights[0]),), inner

    def weight_gradients(self, inner: Array, before: Array, saved: Any, weights: Any) -> Sequence[Array]:
        return inner.T.dot(before), inner.sum(axis=0)


class GRUBeforeCell(Cell):
    """The reset gate before the product."""

    def step(self, z: Array, states: Sequence[Array], weights: Sequence[Array]) -> tuple[Any, Any]:
        (h,) = states
        u = h.shape[1]
        zr = self.gate(z[:, : 2 * u] + h.dot(weights[0][: 2 * u].T))
        rh = zr[:, u:] * h
        hh = self.act(z[:, 2 * u :] + rh.dot(weights[0][2 * u :].T))
        return (hh + zr[:, :u] * (h - hh),), (zr, rh, hh)

    def back(self, g: Sequence[Array], states: Any, saved: Any, weights: Any) -> tuple[Any, Any, Any]:
        zr, _, hh = saved
        (h,), (gh,) = states, g
        u = h.shape[1]
        gz = self.xp.empty((len(h), 3 * u), h.dtype)
        gz[:, 2 * u :] = gh * (1 - zr[:, :u]) * self.act_back(hh)
        g_rh = gz[:, 2 * u :].dot(weights[0][2 * u :])
        gz[:, :u] = gh * (h - hh)
        gz[:, u : 2 * u] = g_rh * h
        gz[:, : 2 * u] *= self.gate_back(zr)
        before = gh * zr[:, :u] + g_rh * zr[:, u:] + gz[:, : 2 * u].dot(weights[0][: 2 * u])
        return gz, (before,), gz

    def weight_gradients(self, inner: Array, before: Array, saved: Any, weights: Any) -> Sequence[Array]:
        u = before.shape[1]
        rh = self.xp.concatenate([one[1] for one in saved])
        upper = inner[:, : 2 * u].T.dot(before)
        return (self.xp.concatenate([upper, inner[:, 2 * u :].T.dot(rh)]),)


CELLS: dict[str, type[Cell]] = {
    "SimpleRNN": SimpleRNNCell,
    "LSTM": LSTMCell,
    "GRU": GRUCell,
    "GRUBefore": GRUBeforeCell,
}


def fits(activation: str, recurrent_activation: str) -> bool:
    """``sequence`` knows these functions."""
    return activation in FORWARD and recurrent_activation in FORWARD


class _Sequence(chainer.FunctionNode):
    """Inputs: z, the first states, the weights. Outputs: the outputs (T, N, units), the last states."""

    def __init__(
        self, cell: str, options: tuple[str, str, float], mask: Array, zero: bool, backwards: bool
    ) -> None:
        super().__init__()
        self.cell_name, self.options = cell, options
        self.mask, self.zero, self.backwards = mask, zero, backwards

    def _order(self, steps: int) -> Sequence[int]:
        return range(steps - 1, -1, -1) if self.backwards else range(steps)

    def forward(self, inputs: tuple[Array, ...]) -> tuple[Array, ...]:
        xp = backend.get_array_module(*inputs)
        cell = CELLS[self.cell_name](xp, *self.options)
        z = inputs[0]
        first, weights = inputs[1 : 1 + cell.states], inputs[1 + cell.states :]
        states: Sequence[Array] = first
        ys = xp.empty((len(z), *first[0].shape), z.dtype)
        keeping = chainer.config.enable_backprop
        self.saved: list[Any] = []
        output = xp.zeros_like(first[0])
        for k, t in enumerate(self._order(len(z))):
            new, saved = cell.step(z[t], states, weights)
            if keeping:
                self.saved.append((states, saved))
            if self.mask is None:
                states, ys[k] = new, new[0]
                continue
            keep = self.mask[t]
            states = tuple(xp.where(keep, a, b) for a, b in zip(new, states, strict=True))
            ys[k] = output = xp.where(keep, new[0], xp.zeros_like(output) if self.zero else output)
        self.retain_inputs(tuple(range(len(inputs))))
        return (ys, *states)

    def backward(self, indexes: tuple[int, ...], grads: tuple[Any, ...]) -> tuple[Any, ...]:
        given = tuple(g for g in grads if g is not None)
        has = tuple(g is not None for g in grads)
        inputs = self.get_retained_inputs()
        made = _Back(self, has).apply((*inputs, *given))
        return tuple(made[i] for i in indexes)


class _Back(chainer.FunctionNode):
    """The gradients of a ``_Sequence``."""

    def __init__(self, node: _Sequence, has: tuple[bool, ...]) -> None:
        super().__init__()
        self.node, self.has = node, has

    def forward(self, inputs: tuple[Array, ...]) -> tuple[Array, ...]:
        node = self.node
        xp = backend.get_array_module(*inputs)
        cell = CELLS[node.cell_name](xp, *node.options)
        count = len(inputs) - sum(self.has)
        z, weights = inputs[0], inputs[1 + cell.states : count]
        left = list(inputs[count:])
        gys, *ends = [left.pop(0) if has else None for has in self.has]
        zeros = xp.zeros_like(inputs[1])
        g = [zeros if one is None else one for one in ends]
        g_output = zeros
        gz, inner = xp.empty_like(z), [zeros] * len(z)
        for k, t in reversed(list(enumerate(node._order(len(z))))):
            states, saved = node.saved[k]
            out = g_output if gys is None else gys[k] + g_output
            if node.mask is None:
                g[0] = g[0] + out
                gz[t], g_new, inner[k] = cell.back(g, states, saved, weights)
                g = list(g_new)
                continue
            keep = node.mask[t]
            new = [xp.where(keep, one, 0) for one in (g[0] + out, *g[1:])]
            gz[t], before, inner[k] = cell.back(new, states, saved, weights)
            g = [b + xp.where(keep, 0, one) for b, one in zip(before, g, strict=True)]
            g_output = zeros if node.zero else xp.where(keep, 0, out).astype(z.dtype)
        before_all = xp.concatenate([states[0] for states, _ in node.saved])
        of_weights = cell.weight_gradients(
            xp.concatenate(inner), before_all, [saved for _, saved in node.saved], weights
        )
        return (gz, *(one.astype(z.dtype, copy=False) for one in g), *of_weights)

    def backward(self, indexes: tuple[int, ...], grads: tuple[Any, ...]) -> tuple[Any, ...]:
        raise RuntimeError("a recurrent link has no second derivative unless its `plain` is true")


def sequence(
    cell: str,
    z: Any,
    states: Sequence[Any],
    weights: Sequence[Any],
    *,
    activation: str,
    recurrent_activation: str,
    slope: float,
    mask: Any = None,
    zero: bool = False,
    backwards: bool = False,
) -> tuple[chainer.Variable, ...]:
    """All steps of ``cell``: outputs (T, N, units) in the order of their making, and the last states.

    Args:
        cell: "SimpleRNN", "LSTM", "GRU", "GRUBefore" (the reset gate before the product).
        z: (T, N, gates * units), products of the inputs with their bias.
        states, weights: the first states; the recurrent kernel (gates * units, units), for "GRU" its bias as well.
        activation, recurrent_activation: names that ``fits`` knows. slope: of hard_sigmoid.
        mask: boolean (T, N, 1); a step where it is false changes no state. zero: and gives zeros.
        backwards: from the last step to the first.
    """
    node = _Sequence(cell, (activation, recurrent_activation, slope), mask, zero, backwards)
    made = node.apply((z, *states, *weights))
    return tuple(made)
