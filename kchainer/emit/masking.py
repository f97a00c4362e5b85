"""Masks."""

from __future__ import annotations

from typing import Any

from kchainer.emit.plan import Call, Emitted, Link, Site, Weight, emits
from kchainer.ir import ops


@emits(ops.MaskConcatenate)
def mask_concatenate(op: ops.MaskConcatenate, site: Site) -> Emitted:
    return Call("kchainer.functions.mask_concatenate", {"axis": op.axis} if op.axis != 1 else {})


@emits(ops.MaskOnes)
def mask_ones(op: ops.MaskOnes, site: Site) -> Emitted:
    return Call("kchainer.functions.mask_ones", {"rank": op.rank} if op.rank != 2 else {})


@emits(ops.Masking)
def masking(op: ops.Masking, site: Site) -> Emitted:
    return Call("kchainer.functions.masking", {"value": op.value})


@emits(ops.MaskedMerge)
def masked_merge(op: ops.MaskedMerge, site: Site) -> Emitted:
    return Call("kchainer.functions.masked_merge", {"function": op.function, "masked": op.masked})


@emits(ops.MaskedBatchNormalization)
def masked_batch_normalization(op: ops.MaskedBatchNormalization, site: Site) -> Emitted:
    channels = len(site.x) - 1 if op.axis is None else op.axis
    args: dict[str, Any] = {
        "size": site.x[channels],
        "axis": tuple(a for a in range(len(site.x)) if a != channels),
        "decay": op.momentum,
        "eps": op.epsilon,
        "use_gamma": op.scale,
        "use_beta": op.center,
    }
    args |= {"frozen": "running"} if site.frozen else {}
    weights = {"avg_mean": Weight("moving_mean"), "avg_var": Weight("moving_variance")}
    weights |= {name: Weight(name) for name, on in (("gamma", op.scale), ("beta", op.center)) if on}
    return Link("kchainer.links.MaskedBatchNormalization", args, weights)


@emits(ops.MaskedSoftmax)
def masked_softmax(op: ops.MaskedSoftmax, site: Site) -> Emitted:
    args: dict[str, object] = {"axis": op.axes[0] if len(op.axes) == 1 else op.axes}
    return Call(
        "kchainer.functions.masked_softmax", args | ({"hidden": op.hidden} if op.hidden != "zero" else {})
    )


@emits(ops.MaskedAverage)
def masked_average(op: ops.MaskedAverage, site: Site) -> Emitted:
    return Call("kchainer.functions.masked_average", {"keepdims": True} if op.keepdims else {})
