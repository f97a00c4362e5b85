"""Normalisation."""

from __future__ import annotations

from typing import Any

from kchainer.emit.plan import Call, Emitted, Link, Site, Weight, emits
from kchainer.ir import ops
from kchainer.ir.op import known


@emits(ops.BatchNormalization)
def batch_normalization(op: ops.BatchNormalization, site: Site) -> Emitted:
    axis = site.axis(op.axis)
    args: dict[str, Any] = {
        "size": site.x[axis],
        "axis": tuple(i for i in range(len(site.x)) if i != axis),
        "decay": op.momentum,
        "eps": op.epsilon,
        "use_gamma": op.scale,
        "use_beta": op.center,
    }
    weights = {"avg_mean": Weight("moving_mean"), "avg_var": Weight("moving_variance")}
    weights |= {name: Weight(name) for name, on in (("gamma", op.scale), ("beta", op.center)) if on}
    if op.mode == "batch" and not site.frozen and op.corrections == (1.0,):  # Chainer's own divides by n - 1
        return Link("chainer.links.BatchNormalization", args, weights)
    args |= {"corrections": op.corrections} if op.corrections else {}
    args |= {"mode": {"batch": 0, "sample": 1, "always_batch": 2}[op.mode]} if op.mode != "batch" else {}
    args |= {"trainable": False} if site.frozen else {}
    return Link("kchainer.links.BatchNormalization", args, weights)


@emits(ops.LayerNormalization)
def layer_normalization(op: ops.LayerNormalization, site: Site) -> Emitted:
    args = {
        "shape": tuple(site.x[a] for a in op.axes), "axes": op.axes, "eps": op.epsilon,
        "use_gamma": op.scale, "use_beta": op.center, "rms_scaling": op.rms_scaling,
    }  # fmt: skip
    names = [name for name, on in (("gamma", op.scale), ("beta", op.center)) if on]
    return Link("kchainer.links.LayerNormalization", args, {name: Weight(name) for name in names})


@emits(ops.RMSNormalization)
def rms_normalization(op: ops.RMSNormalization, site: Site) -> Emitted:
    args = {"shape": tuple(site.x[a] for a in op.axes), "axes": op.axes, "eps": op.epsilon}
    return Link("kchainer.links.RMSNormalization", args, {"gamma": Weight("scale")})


@emits(ops.GroupNormalization)
def group_normalization(op: ops.GroupNormalization, site: Site) -> Emitted:
    axis = site.axis(op.axis)
    args: dict[str, Any] = {
        "size": site.x[axis], "groups": op.groups, "eps": op.epsilon, "axis": axis,
        "use_gamma": op.scale, "use_beta": op.center,
    }  # fmt: skip
    names = [name for name, on in (("gamma", op.scale), ("beta", op.center)) if on]
    return Link("kchainer.links.GroupNormalization", args, {name: Weight(name) for name in names})


@emits(ops.UnitNormalization)
def unit_normalization(op: ops.UnitNormalization, site: Site) -> Emitted:
    axes = tuple(sorted(site.axis(a) for a in op.axes))
    return Call("kchainer.functions.unit_normalization", {"axes": axes, "form": f"max_{op.floor}"})


@emits(ops.LayerScale)
def layer_scale(op: ops.LayerScale, site: Site) -> Emitted:
    axis = site.axis(op.axis)
    shape = tuple(known(d) if i == axis else 1 for i, d in enumerate(site.x) if i)
    return Link("kchainer.links.LayerScale", {"shape": shape}, {"gamma": Weight("gamma", None, shape)})


def _broadcast(op: ops.Normalization, site: Site) -> tuple[int, ...]:
    axes = {site.axis(a) for a in op.axes}
    return tuple((d or 1) if i in axes else 1 for i, d in enumerate(site.x))


@emits(ops.Normalization)
def normalization(op: ops.Normalization, site: Site) -> Emitted:
    shape = _broadcast(op, site)
    if op.mean is not None:
        many = op.mean is not None and len(op.mean) > 1
        args = {
            "mean": op.mean,
            "variance": op.variance,
            "shape": shape if many else (1,) * len(shape),
            "invert": op.invert,
        }
        return Call("kchainer.functions.normalize", args)
    weights = {name: Weight(name, None, shape) for name in ("mean", "variance")}
    return Link("kchainer.links.Normalization", {"shape": shape, "invert": op.invert}, weights)
