"""Activation functions."""

from __future__ import annotations

from kchainer.emit.plan import Call, Emitted, Link, Site, Weight, emits
from kchainer.ir import ops
from kchainer.ir.op import Op

# What Chainer has under another name; the others are kchainer's own.
CHAINER = {
    "tanh": "tanh", "sigmoid": "sigmoid", "softplus": "softplus", "exponential": "exp", "selu": "selu",
    "absolute": "absolute", "square": "square", "sqrt": "sqrt",
}  # fmt: skip


@emits(ops.Activation)
def activation(op: ops.Activation, site: Site) -> Emitted:
    if op.function in CHAINER:
        return Call(f"chainer.functions.{CHAINER[op.function]}")
    return Call(f"kchainer.functions.{op.function}")


@emits(ops.Relu)
def relu(op: ops.Relu, site: Site) -> Emitted:
    if op.threshold == 0 and op.max_value is None:
        slope = {"slope": op.negative_slope}
        return (
            Call("chainer.functions.leaky_relu", slope)
            if op.negative_slope
            else Call("chainer.functions.relu")
        )
    if op.threshold == 0 and op.negative_slope == 0:
        return Call("chainer.functions.clipped_relu", {"z": op.max_value})
    args = {"max_value": op.max_value, "negative_slope": op.negative_slope, "threshold": op.threshold}
    return Call("kchainer.functions.relu", args)


@emits(ops.Elu)
def elu(op: ops.Elu, site: Site) -> Emitted:
    return Call("chainer.functions.elu", {"alpha": op.alpha})


@emits(ops.Celu)
def celu(op: ops.Celu, site: Site) -> Emitted:
    return Call("kchainer.functions.celu", {"alpha": op.alpha})


@emits(ops.Gelu)
def gelu(op: ops.Gelu, site: Site) -> Emitted:
    return Call("kchainer.functions.gelu", {"approximate": op.approximate})


@emits(ops.HardSigmoid)
def hard_sigmoid(op: ops.HardSigmoid, site: Site) -> Emitted:
    if op.slope == 0.2:
        return Call("chainer.functions.hard_sigmoid")
    return Call("kchainer.functions.hard_sigmoid", {"slope": op.slope})


@emits(ops.Squareplus)
def squareplus(op: ops.Squareplus, site: Site) -> Emitted:
    return Call("kchainer.functions.squareplus", {"b": op.b})


@emits(ops.Shrink)
def shrink(op: ops.Shrink, site: Site) -> Emitted:
    return Call(f"kchainer.functions.{op.function}_shrink", {"threshold": op.threshold})


@emits(ops.Threshold)
def threshold(op: ops.Threshold, site: Site) -> Emitted:
    return Call("kchainer.functions.threshold", {"threshold": op.threshold, "default_value": op.value})


def _axis(axes: tuple[int, ...], site: Site) -> int | tuple[int, ...]:
    moved = tuple(sorted(site.axis(a) for a in axes))
    return moved[0] if len(moved) == 1 else moved


@emits(ops.Softmax)
def softmax(op: ops.Softmax, site: Site) -> Emitted:
    axis = _axis(op.axes, site)
    if op.sparse:
        return Call("kchainer.functions.sparsemax", {"axis": axis})
    return Call(f"{'chainer' if isinstance(axis, int) else 'kchainer'}.functions.softmax", {"axis": axis})


@emits(ops.LogSoftmax)
def log_softmax(op: ops.LogSoftmax, site: Site) -> Emitted:
    return Call("chainer.functions.log_softmax", {"axis": _axis(op.axes, site)})


@emits(ops.Glu)
def glu(op: ops.Glu, site: Site) -> Emitted:
    return Call("kchainer.functions.glu", {"axis": site.axis(op.axis)})


def of_sample(op: Op, site: Site) -> tuple[str, dict[str, tuple[int, ...]]]:
    """The axes of params that have the shape of a sample, in physical order, and their shapes."""
    params = op.params(site.logical)
    letters = "".join(params[0].axes[a - 1] for a in site.order if a)
    return letters, {p.name: tuple(p.shape[p.axes.index(a)] for a in letters) for p in params}


@emits(ops.PRelu)
def prelu(op: ops.PRelu, site: Site) -> Emitted:
    letters, shapes = of_sample(op, site)
    return Link("kchainer.links.PReLU", {"shape": shapes["alpha"]}, {"W": Weight("alpha", letters)})


@emits(ops.SRelu)
def srelu(op: ops.SRelu, site: Site) -> Emitted:
    letters, shapes = of_sample(op, site)
    return Link("kchainer.links.SReLU", {"shape": shapes["t_left"]}, {n: Weight(n, letters) for n in shapes})


@emits(ops.ParametricSoftplus)
def parametric_softplus(op: ops.ParametricSoftplus, site: Site) -> Emitted:
    letters, shapes = of_sample(op, site)
    weights = {"alpha": Weight("alphas", letters), "beta": Weight("betas", letters)}
    return Link("kchainer.links.ParametricSoftplus", {"shape": shapes["alphas"]}, weights)
