"""Dense layers, and transposes of the layout pass."""

from __future__ import annotations

from kchainer.emit.plan import Call, Emitted, Link, Site, Weight, emits
from kchainer.ir import ops


@emits(ops.Identity)
def identity(op: ops.Identity, site: Site) -> tuple[Emitted, ...]:
    return ()


@emits(ops.Input)
def given(op: ops.Input, site: Site) -> tuple[Emitted, ...]:
    return ()


@emits(ops.Dense)
def dense(op: ops.Dense, site: Site) -> Emitted:
    weights = {"W": Weight("kernel", "OI")} | ({"b": Weight("bias")} if op.use_bias else {})
    axis = site.axis(len(site.x) - 1)
    args = {"in_size": site.x[axis], "out_size": op.units} | ({} if op.use_bias else {"nobias": True})
    if len(site.x) == 2:
        return Link("chainer.links.Linear", args, weights)
    # Chainer's own flattens all axes behind the first
    return Link("kchainer.links.Linear", args | ({} if axis == len(site.x) - 1 else {"axis": axis}), weights)


@emits(ops.EinsumDense)
def einsum_dense(op: ops.EinsumDense, site: Site) -> Emitted:
    params = {p.name: p for p in op.params(site.x)}
    bias = params["bias"].shape if "bias" in params else None
    args = {"equation": op.equation, "kernel_shape": params["kernel"].shape, "bias_shape": bias}
    return Link("kchainer.links.EinsumDense", args, {name: Weight(name) for name in params})


@emits(ops.Transpose)
def transpose(op: ops.Transpose, site: Site) -> Emitted:
    return Call("chainer.functions.transpose", {"axes": op.axes})


@emits(ops.RandomFourierFeatures)
def random_fourier_features(op: ops.RandomFourierFeatures, site: Site) -> Emitted:
    args = {"in_size": site.x[1], "out_size": op.units}
    names = ("kernel_scale", "unscaled_kernel", "bias")
    return Link("kchainer.links.RandomFourierFeatures", args, {name: Weight(name) for name in names})
