"""Recurrent layers and cells of every release."""

from __future__ import annotations

from typing import Any, get_args

from kchainer.frontends.fields import (
    Config,
    Field,
    Since,
    Wrong,
    anything,
    boolean,
    ignored,
    integer,
    only,
    positive,
    rate,
    sizes,
)
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.layers.activation import ALIASES, SLOPE, named
from kchainer.frontends.keras.layers.spatial import DATA_FORMAT, PADDING, none, same_conv
from kchainer.frontends.keras.settings import param_fields
from kchainer.frontends.keras.translate import Translated, translates
from kchainer.ir import ops
from kchainer.ir.op import Shape, ShapeError
from kchainer.ir.ops.recurrent import Function

NAMES = frozenset(get_args(Function))


def _gate(dialect: Dialect) -> str:
    """What the gates' function is where a config does not say."""
    if dialect.flavour == "tf_keras":
        return "sigmoid"
    return "sigmoid" if dialect.release >= (2, 3) else "hard_sigmoid"


def _dropped(v: Any) -> float:
    return 0.0 if v is None else rate(v)


LAYER = {
    "return_sequences": Field(type=boolean, default=False),
    "return_state": Field(type=boolean, default=False),
    "go_backwards": Field(type=boolean, default=False),
    "stateful": Field(type=boolean, default=False),
    "zero_output_for_mask": Field(type=boolean, default=False),
    "time_major": Field(type=only(False), default=False, why="time as the first axis: transpose the input"),
    "num_constants": Field(
        type=only(None, 0),
        default=None,
        why="constants are values beside the states, which no link here takes",
    ),
    "unroll": Field(type=ignored, default=False, why="how TensorFlow goes over the steps"),
    "use_cudnn": Field(type=ignored, default=None, why="which kernel computes it"),
    "return_runtime": Field(type=ignored, default=None, why="which kernel computed it"),
    "weights": Field(
        type=ignored, default=None, why="arrays for a new layer; the weight file has those of a saved one"
    ),
}
DROPOUT = {
    "dropout": Field(type=_dropped, was="dropout_W", default=0.0),
    "recurrent_dropout": Field(type=_dropped, was="dropout_U", default=0.0),
    "implementation": Field(
        type=integer,
        was="consume_less",
        values={"cpu": 0, "mem": 1, "gpu": 2},
        default=Since({"0.3": 0, "2.0": 1, "2.3": 2}),
    ),
    "seed": Field(
        type=ignored,
        default=None,
        why="random numbers are drawn by NumPy or CuPy: its global state is the seed",
    ),
    "rng_type": Field(type=ignored, default=None, why="which generator of TensorFlow draws"),
    "enable_caching_device": Field(
        type=ignored, default=None, why="where TensorFlow keeps weights while it loops"
    ),
}
CELL = {
    "units": Field(type=positive, was="output_dim"),
    "activation": Field(type=anything, default="tanh"),
    "use_bias": Field(type=boolean, default=True),
    **DROPOUT,
    **param_fields("kernel", "recurrent", "bias"),
}
GATED = {"recurrent_activation": Field(type=anything, was="inner_activation", default=_gate)}
FORGET = {
    "unit_forget_bias": Field(
        type=boolean,
        was="forget_bias_init",
        values={"one": True, "ones": True, "zero": False, "zeros": False},
        default=True,
    ),
}

# configs of before 2.1.5 have no such key, and mean false
RESET = {"reset_after": Field(type=boolean, default=False)}


def function_of(value: Any) -> Any:
    """The name of a recurrent layer's activation. Raises Wrong for one that has numbers or weights of its own."""
    found = named(value)
    if found is None:
        return "linear"
    name = ALIASES.get(found, found) if isinstance(found, str) else None
    if name in NAMES:
        return name
    if isinstance(found, str):
        raise Wrong(f"activation `{found}` of a recurrent layer is none of Keras's", code="KC201")
    raise Wrong("an activation of this kind is not supported in a recurrent layer", code="KC204")


def _common(c: Config, xs: tuple[Shape, ...], dialect: Dialect, *, is_cell: bool = False) -> dict[str, Any]:
    """The attributes that all recurrent ops share."""
    forced = dialect.flavour == "tf_keras" or dialect.release >= (3,)
    one_for_all = c.implementation == 2 and not (forced and c.recurrent_dropout)
    layer = {
        "return_sequences": False, "return_state": False, "go_backwards": False, "stateful": False,
        "masked_output": "previous",
    }  # fmt: skip
    if not is_cell:
        layer = {k: getattr(c, k) for k in layer if k != "masked_output"}
        layer["masked_output"] = "zero" if c.zero_output_for_mask else "previous"
    return layer | {
        "initial_state": len(xs) > 1,
        "masked": False,
        "dropout": c.dropout,
        "recurrent_dropout": c.recurrent_dropout,
        "dropout_per_gate": not one_for_all,
        "use_bias": c.use_bias,
        "activation": function_of(c.activation),
        "hard_sigmoid_slope": SLOPE.at(dialect),
    }


def _simple(c: Config, common: dict[str, Any]) -> ops.SimpleRNN:
    return ops.SimpleRNN(units=c.units, **(common | {"dropout_per_gate": False}))


def _lstm(c: Config, common: dict[str, Any]) -> ops.LSTM:
    return ops.LSTM(
        units=c.units,
        recurrent_activation=function_of(c.recurrent_activation),
        unit_forget_bias=c.unit_forget_bias,
        **common,
    )


def _gru(c: Config, common: dict[str, Any]) -> ops.GRU:
    gates = function_of(c.recurrent_activation)
    return ops.GRU(units=c.units, recurrent_activation=gates, reset_after=c.reset_after, **common)


@translates("SimpleRNN", fields=CELL | LAYER)
def simple_rnn(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return _simple(c, _common(c, xs, dialect))


@translates("LSTM", "LSTMV1", "LSTMV2", fields=CELL | GATED | FORGET | LAYER)
def lstm(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return _lstm(c, _common(c, xs, dialect))


@translates("GRU", "GRUV1", "GRUV2", fields=CELL | GATED | RESET | LAYER)
def gru(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return _gru(c, _common(c, xs, dialect))


@translates("SimpleRNNCell", fields=CELL)
def simple_rnn_cell(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return _simple(c, _common(c, xs, dialect, is_cell=True))


@translates("LSTMCell", fields=CELL | GATED | FORGET)
def lstm_cell(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return _lstm(c, _common(c, xs, dialect, is_cell=True))


@translates("GRUCell", fields=CELL | GATED | RESET)
def gru_cell(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return _gru(c, _common(c, xs, dialect, is_cell=True))


# What CuDNN's layers leave out of their config, because it cannot be otherwise.
CUDNN = {
    name: Field(type=only(value), default=value, why="CuDNN computes nothing else")
    for name, value in {
        "activation": "tanh", "recurrent_activation": "sigmoid", "use_bias": True, "dropout": 0.0,
        "recurrent_dropout": 0.0, "reset_after": True, "implementation": 2,
    }.items()
} | {"cell": Field(type=ignored, default=None, why="written beside the keys of the layer, which say the same")}  # fmt: skip


@translates("CuDNNLSTM", fields=CELL | GATED | FORGET | LAYER | CUDNN)
def cudnn_lstm(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return _lstm(c, _common(c, xs, dialect))


@translates("CuDNNGRU", fields=CELL | GATED | LAYER | CUDNN)
def cudnn_gru(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return _gru(c, _common(c, xs, dialect))


def _conv_lstm_fields(rank: int, window: str | tuple[str, ...]) -> dict[str, Field]:
    return {
        "filters": Field(type=positive, was="nb_filter"),
        "kernel_size": Field(type=sizes(rank), was=window),
        "strides": Field(type=sizes(rank), was="subsample", default=1),
        "padding": PADDING,
        "data_format": DATA_FORMAT,
        "dilation_rate": Field(type=sizes(rank), default=1),
        "activation": Field(type=anything, default="tanh"),
        "use_bias": Field(type=boolean, default=True),
        "recurrent_activation": Field(type=anything, was="inner_activation", default=_conv_gate),
        **DROPOUT,
        **FORGET,
        **param_fields("kernel", "recurrent", "bias"),
        **LAYER,
    }


def _conv_gate(dialect: Dialect) -> str:
    return "sigmoid" if dialect.release >= (3,) else "hard_sigmoid"


def _conv_lstm(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> ops.ConvLSTM:
    rank = len(c.kernel_size)
    ones = (1,) * rank
    if len(xs[0]) != rank + 3:
        raise ShapeError(f"expected rank {rank + 3}")
    same = (
        same_conv(c.kernel_size, c.dilation_rate, c.strides, dialect) if c.padding == "same" else none(rank)
    )
    # as in a Conv2D the gates drop each their own, whatever the implementation
    common = _common(c, xs, dialect) | {"dropout_per_gate": True}
    return ops.ConvLSTM(
        filters=c.filters,
        kernel_size=c.kernel_size,
        strides=c.strides,
        padding=same,
        recurrent_padding=same_conv(c.kernel_size, ones, ones, dialect),
        dilation=c.dilation_rate,
        data_format=c.data_format,
        recurrent_activation=function_of(c.recurrent_activation),
        unit_forget_bias=c.unit_forget_bias,
        **common,
    )


@translates("ConvLSTM1D", fields=_conv_lstm_fields(1, "filter_length"))
def conv_lstm1d(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return _conv_lstm(c, xs, dialect)


@translates("ConvLSTM2D", fields=_conv_lstm_fields(2, ("nb_row", "nb_col")))
def conv_lstm2d(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return _conv_lstm(c, xs, dialect)


@translates("ConvLSTM3D", fields=_conv_lstm_fields(3, ("kernel_dim1", "kernel_dim2", "kernel_dim3")))
def conv_lstm3d(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return _conv_lstm(c, xs, dialect)
