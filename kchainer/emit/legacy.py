"""Layers that only older releases had."""

from __future__ import annotations

from typing import Any

from kchainer.emit.plan import Emitted, Link, Site, Weight, emits
from kchainer.ir import ops


def _nobias(op: Any) -> dict[str, Any]:
    return {} if op.use_bias else {"nobias": True}


@emits(ops.MaxoutDense)
def maxout_dense(op: ops.MaxoutDense, site: Site) -> Emitted:
    args = {"in_size": site.x[1], "out_size": op.units, "features": op.features} | _nobias(op)
    weights = {"W": Weight("kernel")} | ({"b": Weight("bias")} if op.use_bias else {})
    return Link("kchainer.links.MaxoutDense", args, weights)


@emits(ops.Highway)
def highway(op: ops.Highway, site: Site) -> Emitted:
    args: dict[str, Any] = {"size": site.x[1], "activation": op.activation}
    if op.activation == "hard_sigmoid":
        args["hard_sigmoid_slope"] = op.hard_sigmoid_slope
    weights = {"W": Weight("kernel", "OI"), "C": Weight("carry_kernel", "OI")}
    if op.use_bias:
        weights |= {"b": Weight("bias"), "c": Weight("carry_bias")}
    return Link("kchainer.links.Highway", args | _nobias(op), weights)


@emits(ops.LocallyConnected)
def locally_connected(op: ops.LocallyConnected, site: Site) -> Emitted:
    _, *bias = op.params(site.logical)
    sizes = op.infer(site.logical)
    args: dict[str, Any] = {
        "in_channels": site.x[1],
        "out_channels": op.filters,
        "ksize": op.kernel_size,
        "stride": op.strides,
        "outsize": sizes[2:] if op.data_format == "channels_first" else sizes[1:-1],
    }
    if op.data_format == "channels_first":
        args["channels_last"] = False
    weights = {"W": Weight("kernel")} | ({"b": Weight("bias")} if bias else {})
    return Link("kchainer.links.LocallyConnected", args | _nobias(op), weights)
