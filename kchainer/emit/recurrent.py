"""Recurrent layers: one link each, all steps inside."""

from __future__ import annotations

import dataclasses
from typing import Any

from kchainer.emit.plan import Call, Emitted, Link, Site, Weight, emits
from kchainer.ir import ops
from kchainer.ir.op import defaults
from kchainer.ir.ops.spatial import LETTERS

# Attributes that links have under the same name.
OPTIONS = (
    "return_sequences", "return_state", "go_backwards", "stateful", "initial_state", "masked", "masked_output",
    "dropout", "recurrent_dropout", "dropout_per_gate", "activation", "recurrent_activation",
)  # fmt: skip


def _options(op: Any) -> dict[str, Any]:
    """What is not as a link has it anyway."""
    usual = defaults(type(op))
    names = {f.name for f in dataclasses.fields(op)}
    out = {n: getattr(op, n) for n in OPTIONS if n in names and getattr(op, n) != usual[n]}
    if "hard_sigmoid" in (op.activation, getattr(op, "recurrent_activation", "")):
        out["hard_sigmoid_slope"] = op.hard_sigmoid_slope
    if not op.use_bias:
        out["nobias"] = True
    return out


def _dense(op: Any, site: Site, **more: Any) -> Link:
    weights = {"W": Weight("kernel", "OI"), "U": Weight("recurrent_kernel", "OH")}
    if op.use_bias:
        weights["b"] = Weight("bias")
    args = {"in_size": site.x[-1], "units": op.units} | more | _options(op)
    return Link(f"kchainer.links.{op.name}", args, weights)


@emits(ops.SimpleRNN)
def simple_rnn(op: ops.SimpleRNN, site: Site) -> Emitted:
    return _dense(op, site)


@emits(ops.LSTM)
def lstm(op: ops.LSTM, site: Site) -> Emitted:
    return _dense(op, site)


@emits(ops.GRU)
def gru(op: ops.GRU, site: Site) -> Emitted:
    return _dense(op, site, **({} if op.reset_after else {"reset_after": False}))


@emits(ops.ConvLSTM)
def conv_lstm(op: ops.ConvLSTM, site: Site) -> Emitted:
    last = op.data_format == "channels_last"
    axes = "OI" + LETTERS[len(op.kernel_size)]
    weights = {"W": Weight("kernel", axes), "U": Weight("recurrent_kernel", axes)}
    if op.use_bias:
        weights["b"] = Weight("bias")
    args: dict[str, Any] = {
        "in_channels": site.x[-1] if last else site.x[2],
        "filters": op.filters,
        "ksize": op.kernel_size,
        "stride": op.strides,
        "pads": op.padding,
    }
    if op.recurrent_padding != "same_upper":
        args["recurrent_pads"] = op.recurrent_padding
    if set(op.dilation) != {1}:
        args["dilate"] = op.dilation
    if not last:
        args["channels_last"] = False
    return Link("kchainer.links.ConvLSTM", args | _options(op), weights)


@emits(ops.Reverse)
def reverse(op: ops.Reverse, site: Site) -> Emitted:
    return Call("kchainer.functions.reverse")
