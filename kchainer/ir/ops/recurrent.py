"""Recurrent ops: one node runs a whole sequence."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import ClassVar, Literal

from kchainer.ir.op import Op, Param, Shape, ShapeError, attr, known, op, rank_of, show
from kchainer.ir.ops.spatial import DataFormat, Pads, join, lengths, split, windows

Function = Literal[
    "linear", "tanh", "sigmoid", "hard_sigmoid", "relu", "relu6", "leaky_relu", "elu", "celu", "gelu", "selu",
    "silu", "hard_silu", "mish", "softplus", "softsign", "exponential", "log_sigmoid", "hard_tanh", "tanh_shrink",
    "hard_shrink", "soft_shrink", "sparse_plus", "sparse_sigmoid", "squareplus", "softmax", "sparsemax", "log_softmax",
]  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Recurrent(Op):
    """What all recurrent ops share. Inputs: x, then the states with ``initial_state``, then a mask with ``masked``."""

    states: ClassVar[int] = 1
    gates: ClassVar[int] = 1

    return_sequences: bool = attr(doc="give the output of every step, not only of the last", spec=False)
    return_state: bool = attr(doc="give the last states as further outputs", spec=False)
    go_backwards: bool = attr(
        doc="begin with the last step; outputs in the order of their making", spec=False
    )
    stateful: bool = attr(doc="begin with the states in which the call before ended", spec=False)
    initial_state: bool = attr(doc="the first states are inputs behind x", spec=False)
    masked: bool = attr(
        doc="the last input is a mask (N, T): steps where it is false change no state", spec=False
    )
    masked_output: Literal["previous", "zero"] = attr(doc="what comes out of a masked step", spec="previous")
    dropout: float = attr(
        doc="part of the inputs dropped in training, the same for all steps", spec=0.0, minimum=0, below=1
    )
    recurrent_dropout: float = attr(doc="the same of the states", spec=0.0, minimum=0, below=1)
    dropout_per_gate: bool = attr(doc="each gate drops others", spec=False)
    use_bias: bool = attr(doc="add a bias", spec=True)
    activation: Function = attr(doc="function of the candidate and of what comes out", spec="tanh")  # noqa: RUF009
    hard_sigmoid_slope: float = attr(doc="slope of hard_sigmoid where that is used", spec=0.2, above=0)

    @property
    def keeps_state(self) -> bool:
        return self.stateful

    def _state(self, x: Shape) -> Shape:
        """The shape of a state and of a step's output."""
        raise NotImplementedError

    def _fits(self, *xs: Shape) -> None:
        wanted = 1 + self.states * self.initial_state + self.masked
        if len(xs) != wanted:
            raise ShapeError(f"expected {wanted} inputs, found {len(xs)}")
        if self.masked and (len(xs[-1]) != 2 or (xs[-1][1] not in (xs[0][1], None) and xs[0][1] is not None)):
            raise ShapeError(f"a mask {show(xs[-1])} does not fit {show(xs[0])}")
        state = self._state(xs[0])
        for x in xs[1 : 1 + self.states * self.initial_state]:
            if len(x) != len(state) or any(
                a != b for a, b in zip(x[1:], state[1:], strict=True) if None not in (a, b)
            ):
                raise ShapeError(f"a state is {show(state)}, found {show(x)}")

    def infer(self, *xs: Shape) -> Shape:
        self._fits(*xs)
        state = self._state(xs[0])
        return (state[0], xs[0][1], *state[1:]) if self.return_sequences else state

    def outputs(self, *xs: Shape) -> tuple[Shape, ...]:
        state = self._state(xs[0])
        return (self.infer(*xs), *((state,) * self.states if self.return_state else ()))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Dense(_Recurrent):
    units: int = attr(doc="size of a state", minimum=1)

    def _state(self, x: Shape) -> Shape:
        rank_of(x, 3)
        return (x[0], self.units)

    def params(self, *xs: Shape) -> tuple[Param, ...]:
        rank_of(xs[0], 3)
        wide = self.gates * self.units
        kernel = Param("kernel", (known(xs[0][-1], "features"), wide), "IO")
        recurrent = Param("recurrent_kernel", (self.units, wide), "HO")
        return (kernel, recurrent, *self._bias(wide)) if self.use_bias else (kernel, recurrent)

    def _bias(self, wide: int) -> tuple[Param, ...]:
        return (Param("bias", (wide,), "O"),)


@op
class SimpleRNN(_Dense):
    """h = activation(x K + h R + b).

    Input   x (N, T, I); h (N, units) with ``initial_state``; a mask (N, T) with ``masked``.
    Output  (N, units), or (N, T, units) with ``return_sequences``; h with ``return_state``.
    Params  kernel K (I, units); recurrent_kernel R (units, units); bias b (units,).
    Raises  ShapeError: another rank, states or a mask that do not fit.
    Source  keras.layers.SimpleRNN.
    """


@op
class LSTM(_Dense):
    """Gates i, f, c, o: c = f c + i activation(..); h = o activation(c).

    Input   x (N, T, I); h, c (N, units) with ``initial_state``; a mask (N, T) with ``masked``.
    Output  (N, units), or (N, T, units) with ``return_sequences``; h, c with ``return_state``.
    Params  kernel (I, 4 units); recurrent_kernel (units, 4 units); bias (4 units,); in the order i, f, c, o.
    Raises  ShapeError: another rank, states or a mask that do not fit.
    Source  keras.layers.LSTM; Hochreiter & Schmidhuber 1997.
    """

    states: ClassVar[int] = 2
    gates: ClassVar[int] = 4
    recurrent_activation: Function = attr(doc="function of the gates", spec="sigmoid")
    unit_forget_bias: bool = attr(doc="where no file gives it, the bias of gate f begins at 1", spec=True)


@op
class GRU(_Dense):
    """Gates z, r, h: h = z h + (1 - z) activation(x K + (r h) R), or r (h R + b) with ``reset_after``.

    Input   x (N, T, I); h (N, units) with ``initial_state``; a mask (N, T) with ``masked``.
    Output  (N, units), or (N, T, units) with ``return_sequences``; h with ``return_state``.
    Params  kernel (I, 3 units); recurrent_kernel (units, 3 units); bias (3 units,), or (2, 3 units) with
            ``reset_after``: of the input and of the state.
    Raises  ShapeError: another rank, states or a mask that do not fit.
    Source  keras.layers.GRU; Cho et al. 2014, arXiv:1406.1078.
    """

    gates: ClassVar[int] = 3
    recurrent_activation: Function = attr(doc="function of the gates z and r", spec="sigmoid")
    reset_after: bool = attr(doc="the reset gate comes after the product", spec=True)

    def _bias(self, wide: int) -> tuple[Param, ...]:
        return (Param("bias", (2, wide), "SO") if self.reset_after else Param("bias", (wide,), "O"),)


@op
class ConvLSTM(_Recurrent):
    """An LSTM whose products are convolutions; that of the state keeps its size.

    Input   x (N, T, spatial, C) or (N, T, C, spatial); h, c with ``initial_state``; a mask (N, T) with ``masked``.
    Output  (N, pixels, filters) in the same order, or (N, T, ...) with ``return_sequences``; h, c with ``return_state``.
    Params  kernel (window, C, 4 filters); recurrent_kernel (window, filters, 4 filters); bias (4 filters,).
    Raises  ShapeError: another rank, states or a mask that do not fit.
    Source  keras.layers.ConvLSTM1D, 2D, 3D; Shi et al. 2015, arXiv:1506.04214.
    """

    states: ClassVar[int] = 2
    gates: ClassVar[int] = 4
    filters: int = attr(doc="channels of a state", minimum=1)
    kernel_size: tuple[int, ...] = attr(doc="window in pixels", minimum=1)
    strides: tuple[int, ...] = attr(doc="step in pixels, of the input", minimum=1)
    padding: Pads = attr(doc="of the input: (before, after) in pixels, or same_upper", minimum=0)
    recurrent_padding: Pads = attr(doc="of the state", spec="same_upper", minimum=0)
    dilation: tuple[int, ...] = attr(doc="distance of the window's pixels, of the input", minimum=1)
    data_format: DataFormat = attr(doc="where the channels stand", spec="channels_last")
    recurrent_activation: Function = attr(doc="function of the gates", spec="sigmoid")
    unit_forget_bias: bool = attr(doc="where no file gives it, the bias of gate f begins at 1", spec=True)

    def check(self) -> Iterator[str]:
        yield from lengths(self.kernel_size, self.strides, self.padding, self.dilation)
        if {self.activation, self.recurrent_activation} & {"softmax", "sparsemax", "log_softmax"}:
            yield "the gates are functions of each value alone"

    def _state(self, x: Shape) -> Shape:
        rank_of(x, len(self.kernel_size) + 3)
        one = (x[0], *x[2:])
        _, sizes = split(one, self.data_format, len(self.kernel_size))
        made = windows(sizes, self.kernel_size, self.strides, self.padding, self.dilation)
        return join(one, self.data_format, self.filters, made)

    def params(self, *xs: Shape) -> tuple[Param, ...]:
        x = xs[0]
        rank_of(x, len(self.kernel_size) + 3)
        channels, _ = split((x[0], *x[2:]), self.data_format, len(self.kernel_size))
        letters = "DHW"[-len(self.kernel_size) :]
        wide = 4 * self.filters
        kernel = Param("kernel", (*self.kernel_size, known(channels), wide), f"{letters}IO")
        recurrent = Param("recurrent_kernel", (*self.kernel_size, self.filters, wide), f"{letters}IO")
        return (kernel, recurrent, Param("bias", (wide,), "O")) if self.use_bias else (kernel, recurrent)


@op
class Reverse(Op):
    """The steps in reverse order.

    Input   x (N, T, ...), or a mask (N, T).
    Output  y  the same shape.
    Source  the backward half of keras.layers.Bidirectional.
    """

    def infer(self, x: Shape) -> Shape:
        if len(x) < 2:
            raise ShapeError(f"expected rank 2 or more, found {show(x)}")
        return x
