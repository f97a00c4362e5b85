"""Recurrent layers that agree with Keras: masks, states, dropout, any activation; (N, T, ...) in and out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import chainer
import chainer.functions as F

from kchainer import functions as KF
from kchainer.functions import conv as KC
from kchainer.functions import recurrent as KR
from kchainer.links.parameters import bias, parameter

Function = Callable[..., Any]
ACTIVATIONS: dict[str, Function] = {
    "linear": lambda x: x,
    "tanh": F.tanh, "sigmoid": F.sigmoid, "relu": F.relu, "selu": F.selu, "softplus": F.softplus,
    "exponential": F.exp, "elu": F.elu, "relu6": lambda x: F.clipped_relu(x, 6.0), "leaky_relu": F.leaky_relu,
    "celu": lambda x: KF.celu(x, alpha=1.0), "gelu": lambda x: KF.gelu(x, approximate=False),
    "squareplus": lambda x: KF.squareplus(x, b=4.0), "hard_shrink": lambda x: KF.hard_shrink(x, threshold=0.5),
    "soft_shrink": lambda x: KF.soft_shrink(x, threshold=0.5), "softmax": lambda x: F.softmax(x, axis=-1),
    "sparsemax": lambda x: KF.sparsemax(x, axis=-1), "log_softmax": lambda x: F.log_softmax(x, axis=-1),
}  # fmt: skip


def activation_of(name: str, slope: float) -> Function:
    """The function of a name; names that only kchainer has are looked up there."""
    if name == "hard_sigmoid":
        return lambda x: KF.hard_sigmoid(x, slope=slope)
    found = ACTIVATIONS.get(name)
    return found if found is not None else getattr(KF, name)


class Recurrent(chainer.Link):
    """What all recurrent links share: the loop over the steps, masks, states and dropout.

    Args:
        return_sequences: give the output of every step, not only of the last.
        return_state: give a tuple: the output, then the last states.
        go_backwards: begin with the last step; outputs in the order of their making.
        stateful: begin where the call before ended; ``reset_state`` forgets.
        initial_state: the first states come behind the input.
        masked: a boolean mask (N, T) is the last input: where it is false no state changes.
        masked_output: "previous" output, or "zero".
        dropout, recurrent_dropout: in training, drawn once for all steps; dropout_per_gate: another for each gate.
    """

    states = 1
    gates = 1
    plain = False  # true: one function of Chainer after the other, which has second derivatives, slowly

    def __init__(
        self,
        *,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        initial_state: bool = False,
        masked: bool = False,
        masked_output: str = "previous",
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        dropout_per_gate: bool = False,
        activation: str = "tanh",
        recurrent_activation: str = "sigmoid",
        hard_sigmoid_slope: float = 0.2,
    ) -> None:
        super().__init__()
        self.return_sequences, self.return_state, self.go_backwards = (
            return_sequences,
            return_state,
            go_backwards,
        )
        self.stateful, self.initial_state = stateful, initial_state
        self.masked, self.masked_output = masked, masked_output
        self.dropout, self.recurrent_dropout = dropout, recurrent_dropout
        self.dropout_per_gate = dropout_per_gate
        self.activation, self.recurrent_activation = activation, recurrent_activation
        self.hard_sigmoid_slope = hard_sigmoid_slope
        self.last: tuple[Any, ...] | None = None

    def reset_state(self) -> None:
        """Forget the states of a stateful link: the next call begins with zeros."""
        self.last = None

    def forward(self, x: Any, *more: Any) -> Any:
        """(N, T, ...) and what the options ask for; an output, or a tuple of it and the states."""
        x = chainer.as_variable(x)
        mask = getattr(more[-1], "array", more[-1]).astype(bool) if self.masked else None
        states = self._first_states(x, more)
        y, states = self._run(x, states, mask)
        if self.stateful:
            self.last = tuple(s.array for s in states)
        return (self._out(y), *map(self._out, states)) if self.return_state else self._out(y)

    def _run(self, x: Any, states: tuple[Any, ...], mask: Any) -> tuple[Any, tuple[Any, ...]]:
        """The output and the last states, step by step."""
        order = range(x.shape[1])
        steps = self._inputs(x)
        drop = self._masks_of(self.recurrent_dropout, states[0])
        output: Any = None
        outputs = []
        for t in reversed(order) if self.go_backwards else order:
            made, new = self._step(steps[t], states, drop)
            if mask is None:
                output, states = made, new
            else:
                output, states = self._masked(mask[:, t], made, new, output, states)
            if self.return_sequences:
                outputs.append(output)
        return F.stack(outputs, axis=1) if self.return_sequences else output, states

    def _masked(self, keep: Any, made: Any, new: Any, output: Any, states: Any) -> tuple[Any, Any]:
        keep = self.xp.broadcast_to(keep.reshape(-1, *(1,) * (made.ndim - 1)), made.shape)
        if output is None or self.masked_output == "zero":
            output = self.xp.zeros_like(made.array)
        kept = tuple(F.where(keep, a, b) for a, b in zip(new, states, strict=True))
        # without dropout of what comes out the output is the first state, and so is the masked one
        return F.where(keep, made, output), kept

    def _first_states(self, x: Any, more: Sequence[Any]) -> tuple[Any, ...]:
        if self.initial_state:
            return tuple(map(self._in, more[: self.states]))
        if self.stateful and self.last is not None:
            if len(self.last[0]) != len(x):
                raise ValueError(f"{len(x)} samples, but states of {len(self.last[0])}: call reset_state()")
            return tuple(chainer.as_variable(self.xp.asarray(s, x.dtype)) for s in self.last)
        shape = self._state_shape(x)
        return tuple(chainer.as_variable(self.xp.zeros(shape, x.dtype)) for _ in range(self.states))

    def _masks_of(self, rate: float, like: Any) -> list[Any] | None:
        """What a dropout multiplies by, drawn once; one for each gate."""
        if not (rate and chainer.config.train):
            return None
        ones = self.xp.ones(like.shape, like.dtype)
        count = self.gates if self.dropout_per_gate else 1
        drawn = [F.dropout(ones, rate).array for _ in range(count)]
        return drawn if self.dropout_per_gate else drawn * self.gates

    def _functions(self) -> tuple[Function, Function]:
        slope = self.hard_sigmoid_slope
        return activation_of(self.activation, slope), activation_of(self.recurrent_activation, slope)

    def _in(self, state: Any) -> Any:
        return chainer.as_variable(state)

    def _out(self, y: Any) -> Any:
        return y

    def _state_shape(self, x: Any) -> tuple[int, ...]:
        raise NotImplementedError

    def _inputs(self, x: Any) -> Any:
        """The part of each step that does not depend on the state."""
        raise NotImplementedError

    def _step(self, z: Any, states: Any, drop: list[Any] | None) -> tuple[Any, tuple[Any, ...]]:
        """A step's output and states."""
        raise NotImplementedError


class _Dense(Recurrent):
    """Parameters: W (gates * units, in_size), U (gates * units, units), b."""

    def __init__(self, in_size: int, units: int, nobias: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.units = units
        wide = self.gates * units
        with self.init_scope():
            self.W = parameter((wide, in_size))
            self.U = parameter((wide, units))
            self.b = self._bias(wide, nobias)

    def _bias(self, wide: int, nobias: bool) -> Any:
        return bias(wide, nobias)

    def _state_shape(self, x: Any) -> tuple[int, ...]:
        return (x.shape[0], self.units)

    def _run(self, x: Any, states: tuple[Any, ...], mask: Any) -> tuple[Any, tuple[Any, ...]]:
        names = (self.activation, self.recurrent_activation)
        if self.plain or not KR.fits(*names) or (self.recurrent_dropout and chainer.config.train):
            return super()._run(x, states, mask)
        z = F.transpose(self._products(x), (1, 0, 2))
        ys, *ends = KR.sequence(
            self._cell,
            z,
            states,
            self._weights(),
            activation=names[0],
            recurrent_activation=names[1],
            slope=self.hard_sigmoid_slope,
            mask=None if mask is None else mask.T[:, :, None],
            zero=self.masked_output == "zero",
            backwards=self.go_backwards,
        )
        return F.transpose(ys, (1, 0, 2)) if self.return_sequences else ys[-1], tuple(ends)

    @property
    def _cell(self) -> str:
        """The name by which ``kchainer.functions.recurrent`` knows the cell."""
        raise NotImplementedError

    def _weights(self) -> tuple[Any, ...]:
        return (self.U,)

    def _inputs(self, x: Any) -> Any:
        return F.separate(self._products(x), axis=1)

    def _products(self, x: Any) -> Any:
        """All steps' products at once."""
        drop = self._masks_of(self.dropout, x[:, 0])
        b = self._input_bias()
        if drop is None or not self.dropout_per_gate:
            if drop is not None:
                x = x * self.xp.broadcast_to(drop[0][:, None], x.shape)
            z = F.linear(x, self.W, b, n_batch_axes=2)
        else:
            parts = [x * self.xp.broadcast_to(one[:, None], x.shape) for one in drop]
            rows = F.split_axis(self.W, self.gates, axis=0)
            z = F.concat([F.linear(p, w, n_batch_axes=2) for p, w in zip(parts, rows, strict=True)], axis=2)
            z = z if b is None else z + F.broadcast_to(b, z.shape)
        return z

    def _input_bias(self) -> Any:
        return self.b

    def _recurrent(self, h: Any, drop: list[Any] | None, first: int = 0, last: int | None = None) -> Any:
        """Products of the state for the gates from ``first`` to ``last``."""
        u = self.units
        U = self.U if (first, last) == (0, None) else self.U[first * u : (last or self.gates) * u]
        if drop is None:
            return F.linear(h, U)
        if not self.dropout_per_gate:
            return F.linear(h * drop[0], U)
        wanted = drop[first : last or self.gates]
        rows = F.split_axis(U, len(wanted), axis=0)
        return F.concat([F.linear(h * d, w) for d, w in zip(wanted, rows, strict=True)], axis=1)


class SimpleRNN(_Dense):
    """h = activation(W x + U h + b). Parameters: W (units, in_size), U (units, units), b (units,).

    Source: keras.layers.SimpleRNN.
    """

    _cell = "SimpleRNN"

    def _step(self, z: Any, states: Any, drop: list[Any] | None) -> tuple[Any, tuple[Any, ...]]:
        h = self._functions()[0](z + self._recurrent(states[0], drop))
        return h, (h,)


class LSTM(_Dense):
    """Gates i, f, c, o, one behind the other. Parameters: W (4 units, in_size), U (4 units, units), b (4 units,).

    Source: keras.layers.LSTM.
    """

    _cell = "LSTM"
    states = 2
    gates = 4

    def _step(self, z: Any, states: Any, drop: list[Any] | None) -> tuple[Any, tuple[Any, ...]]:
        function, gate = self._functions()
        i, f, g, o = F.split_axis(z + self._recurrent(states[0], drop), 4, axis=1)
        c = gate(f) * states[1] + gate(i) * function(g)
        h = gate(o) * function(c)
        return h, (h, c)


class GRU(_Dense):
    """Gates z, r, h, one behind the other.

    Parameters: W (3 units, in_size), U (3 units, units), and
    b (3 units,), or with ``reset_after`` b (2, 3 units): of the input and of the state.

    Source: keras.layers.GRU.
    """

    gates = 3

    def __init__(
        self, in_size: int, units: int, nobias: bool = False, reset_after: bool = True, **options: Any
    ) -> None:
        self.reset_after = reset_after
        super().__init__(in_size, units, nobias, **options)

    @property
    def _cell(self) -> str:
        return "GRU" if self.reset_after else "GRUBefore"

    def _weights(self) -> tuple[Any, ...]:
        if not self.reset_after:
            return (self.U,)
        return self.U, self.xp.zeros(len(self.U), self.U.dtype) if self.b is None else self.b[1]

    def _bias(self, wide: int, nobias: bool) -> Any:
        return parameter((2, wide)) if self.reset_after and not nobias else bias(wide, nobias)

    def _input_bias(self) -> Any:
        return self.b[0] if self.reset_after and self.b is not None else self.b

    def _step(self, x: Any, states: Any, drop: list[Any] | None) -> tuple[Any, tuple[Any, ...]]:
        function, gate = self._functions()
        (h,) = states
        u = self.units
        x_zr, x_h = F.split_axis(x, [2 * u], axis=1)
        if self.reset_after:
            inner = self._recurrent(h, drop)
            if self.b is not None:
                inner = inner + F.broadcast_to(self.b[1], inner.shape)
            inner_zr, inner_h = F.split_axis(inner, [2 * u], axis=1)
            z, r = F.split_axis(gate(x_zr + inner_zr), 2, axis=1)
            candidate = function(x_h + r * inner_h)
        else:
            z, r = F.split_axis(gate(x_zr + self._recurrent(h, drop, 0, 2)), 2, axis=1)
            candidate = function(x_h + self._recurrent(r * h, drop, 2, 3))
        h = z * h + (1 - z) * candidate
        return h, (h,)


class ConvLSTM(Recurrent):
    """An LSTM of convolutions. Parameters: W (4 filters, in_channels, k...), U (4 filters, filters, k...), b.

    ``channels_last``: pixels stand before the channels in what comes in and out, as Keras has them; the
    convolutions run channels first. Source: keras.layers.ConvLSTM1D, ConvLSTM2D, ConvLSTM3D.
    """

    states = 2
    gates = 4

    def __init__(
        self,
        in_channels: int,
        filters: int,
        ksize: Sequence[int],
        stride: Sequence[int],
        pads: KC.Pads,
        recurrent_pads: KC.Pads = "same_upper",
        dilate: Sequence[int] | int = 1,
        channels_last: bool = True,
        nobias: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.filters, self.stride, self.pads, self.dilate = filters, stride, pads, dilate
        self.recurrent_pads, self.channels_last = recurrent_pads, channels_last
        with self.init_scope():
            self.W = parameter((4 * filters, in_channels, *ksize))
            self.U = parameter((4 * filters, filters, *ksize))
            self.b = bias(4 * filters, nobias)

    def forward(self, x: Any, *more: Any) -> Any:
        """(N, T, pixels, C), or (N, T, C, pixels) unless ``channels_last``."""
        x = chainer.as_variable(x)
        return super().forward(self._first(x, 2), *more)

    def _first(self, x: Any, lead: int) -> Any:
        if not self.channels_last:
            return chainer.as_variable(x)
        return F.transpose(x, (*range(lead), x.ndim - 1, *range(lead, x.ndim - 1)))

    def _in(self, state: Any) -> Any:
        return self._first(state, 1)

    def _out(self, y: Any) -> Any:
        if not self.channels_last:
            return y
        lead = y.ndim - (self.W.ndim - 2) - 1
        return F.transpose(y, (*range(lead), *range(lead + 1, y.ndim), lead))

    def _state_shape(self, x: Any) -> tuple[int, ...]:
        return (x.shape[0], self.filters, *self._inputs_shape)

    def _first_states(self, x: Any, more: Sequence[Any]) -> tuple[Any, ...]:
        one = KC.convolution(
            x[:, 0].array[:1] * 0, self.W.array[:1], None, self.stride, self.pads, self.dilate
        )
        self._inputs_shape = one.shape[2:]
        return super()._first_states(x, more)

    def _inputs(self, x: Any) -> Any:
        drop = self._masks_of(self.dropout, x[:, 0])
        n, steps = x.shape[:2]

        def product(x: Any, W: Any, b: Any) -> Any:
            flat = F.reshape(x, (n * steps, *x.shape[2:]))
            z = KC.convolution(flat, W, b, self.stride, self.pads, self.dilate)
            return F.reshape(z, (n, steps, *z.shape[1:]))

        if drop is None:
            return F.separate(product(x, self.W, self.b), axis=1)
        parts = [x * self.xp.broadcast_to(one[:, None], x.shape) for one in drop]
        rows = F.split_axis(self.W, 4, axis=0)
        biases = [None] * 4 if self.b is None else F.split_axis(self.b, 4, axis=0)
        each = [product(p, w, b) for p, w, b in zip(parts, rows, biases, strict=True)]
        return F.separate(F.concat(each, axis=2), axis=1)

    def _step(self, z: Any, states: Any, drop: list[Any] | None) -> tuple[Any, tuple[Any, ...]]:
        function, gate = self._functions()
        h, c = states
        if drop is None:
            z = z + KC.convolution(h, self.U, None, 1, self.recurrent_pads)
        else:
            rows = F.split_axis(self.U, 4, axis=0)
            each = [
                KC.convolution(h * d, w, None, 1, self.recurrent_pads)
                for d, w in zip(drop, rows, strict=True)
            ]
            z = z + F.concat(each, axis=1)
        i, f, g, o = F.split_axis(z, 4, axis=1)
        c = gate(f) * c + gate(i) * function(g)
        h = gate(o) * function(c)
        return h, (h, c)
