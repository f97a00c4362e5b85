"""Convolutions. Physical order is settled by then: batch, channels, pixels."""

from __future__ import annotations

from typing import Any

from kchainer.emit.plan import Emitted, Link, Site, Weight, emits
from kchainer.ir import ops
from kchainer.ir.ops.spatial import LETTERS, Pads


def _bias(op: Any) -> dict[str, Weight]:
    return {"b": Weight("bias")} if op.use_bias else {}


def symmetric(
    pads: Pads, ks: tuple[int, ...], strides: tuple[int, ...], dilation: tuple[int, ...]
) -> tuple[int, ...] | None:
    """The padding as Chainer takes it, one number for both sides; None where the sides differ."""
    if isinstance(pads, str):
        reach = [d * (k - 1) for k, d in zip(ks, dilation, strict=True)]
        if any(s != 1 for s in strides) or any(r % 2 for r in reach):
            return None
        return tuple(r // 2 for r in reach)
    return tuple(before for before, _ in pads) if all(b == a for b, a in pads) else None


def _one(values: tuple[int, ...]) -> int | tuple[int, ...]:
    return values[0] if len(set(values)) == 1 else values


@emits(ops.Convolution)
def convolution(op: ops.Convolution, site: Site) -> Emitted:
    spatial = len(op.kernel_size)
    weights = {"W": Weight("kernel", "OI" + LETTERS[spatial])} | _bias(op)
    args: dict[str, Any] = {
        "in_channels": site.x[1],
        "out_channels": op.filters,
        "ksize": _one(op.kernel_size),
    }
    args |= {"stride": _one(op.strides)} if set(op.strides) != {1} else {}
    rest: dict[str, Any] = {"dilate": _one(op.dilation)} if set(op.dilation) != {1} else {}
    rest |= {"groups": op.groups} if op.groups != 1 else {}
    rest |= {"nobias": True} if not op.use_bias else {}
    pad = symmetric(op.padding, op.kernel_size, op.strides, op.dilation)
    if pad is None:
        return Link(
            "kchainer.links.Convolution", args | {"ksize": op.kernel_size, "pads": op.padding} | rest, weights
        )
    return Link(
        f"chainer.links.Convolution{spatial}D",
        args | ({"pad": _one(pad)} if any(pad) else {}) | rest,
        weights,
    )


@emits(ops.DepthwiseConvolution)
def depthwise(op: ops.DepthwiseConvolution, site: Site) -> Emitted:
    channels = site.x[1] or 0
    args = {
        "channels": channels, "multiplier": op.depth_multiplier, "ksize": op.kernel_size, "stride": op.strides,
        "pads": op.padding, "dilate": op.dilation, "nobias": not op.use_bias,
    }  # fmt: skip
    shape = (channels * op.depth_multiplier, 1, *op.kernel_size)
    weights = {"W": Weight("kernel", "CM" + LETTERS[len(op.kernel_size)], shape)} | _bias(op)
    return Link("kchainer.links.DepthwiseConvolution", args, weights)


@emits(ops.SeparableConvolution)
def separable(op: ops.SeparableConvolution, site: Site) -> Emitted:
    channels, letters = site.x[1] or 0, LETTERS[len(op.kernel_size)]
    args = {
        "in_channels": channels, "out_channels": op.filters, "multiplier": op.depth_multiplier,
        "ksize": op.kernel_size, "stride": op.strides, "pads": op.padding, "dilate": op.dilation,
        "nobias": not op.use_bias,
    }  # fmt: skip
    shape = (channels * op.depth_multiplier, 1, *op.kernel_size)
    weights = {
        "depthwise_W": Weight("depthwise_kernel", "CM" + letters, shape),
        "pointwise_W": Weight("pointwise_kernel", "OI" + letters),
    }
    return Link("kchainer.links.SeparableConvolution", args, weights | _bias(op))


@emits(ops.TransposedConvolution)
def transposed(op: ops.TransposedConvolution, site: Site) -> Emitted:
    args = {
        "in_channels": site.x[1], "out_channels": op.filters, "ksize": op.kernel_size, "stride": op.strides,
        "padding": op.padding, "output_padding": op.output_padding, "dilate": op.dilation, "nobias": not op.use_bias,
    }  # fmt: skip
    args |= {"begin": op.begin} if op.begin is not None else {}
    args |= {"outsize": op.output_size} if op.output_size is not None else {}
    weights = {"W": Weight("kernel", "IO" + LETTERS[len(op.kernel_size)])} | _bias(op)
    return Link("kchainer.links.Deconvolution", args, weights)
