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
    more: dict[str, Any] = {
        "corrections": op.corrections,
        "mode": {"batch": 0, "sample": 1, "always_batch": 2}[op.mode],
        "offset": op.offset,
        "zero_debias": op.zero_debias,
        "deviation": op.statistic == "deviation",
        "frozen": op.frozen if site.frozen else None,
    }
    said = {name: value for name, value in more.items() if value}
    if said == {"corrections": (1.0,)}:  # Chainer's own divides by n - 1
        return Link("chainer.links.BatchNormalization", args, weights)
    args |= said
    return Link("kchainer.links.BatchNormalization", args, weights)


def _of_axes(axes: tuple[int, ...], site: Site) -> tuple[dict[str, tuple[int | None, ...]], str]:
    """Physical axes in their order, their sizes, and the letters of params that have one dimension for each."""
    letters = {site.axis(a): letter for a, letter in zip(axes, "ABCDEFGH", strict=False)}
    moved = tuple(sorted(letters))
    return {"shape": tuple(site.x[a] for a in moved), "axes": moved}, "".join(letters[a] for a in moved)


@emits(ops.LayerNormalization)
def layer_normalization(op: ops.LayerNormalization, site: Site) -> Emitted:
    args, letters = _of_axes(op.axes, site)
    rest = {"eps": op.epsilon, "use_gamma": op.scale, "use_beta": op.center, "rms_scaling": op.rms_scaling}
    names = [name for name, on in (("gamma", op.scale), ("beta", op.center)) if on]
    return Link("kchainer.links.LayerNormalization", args | rest, {n: Weight(n, letters) for n in names})


@emits(ops.RMSNormalization)
def rms_normalization(op: ops.RMSNormalization, site: Site) -> Emitted:
    args, letters = _of_axes(op.axes, site)
    return Link(
        "kchainer.links.RMSNormalization", args | {"eps": op.epsilon}, {"gamma": Weight("scale", letters)}
    )


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
