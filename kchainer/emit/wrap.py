"""Ops around another op."""

from __future__ import annotations

import dataclasses
import math

from kchainer.emit.plan import EMISSIONS, Emitted, Link, Site, Weight, emits
from kchainer.ir import ops


@emits(ops.SpectralNormalization)
def spectral_normalization(op: ops.SpectralNormalization, site: Site) -> Emitted:
    inner = EMISSIONS[type(op.layer)](op.layer, site)
    assert isinstance(inner, Link), "layers with a kernel are links"
    attribute, kernel = next((a, w) for a, w in inner.weights.items() if w.param == "kernel")
    param = next(p for p in op.layer.params(*(site.logical for _ in site.xs)) if p.name == "kernel")
    letters = kernel.axes or param.axes
    sizes = tuple(param.shape[param.axes.index(a)] for a in letters)
    axis = letters.index(param.axes[-1])
    args = {
        "layer": dataclasses.replace(inner, weights={}),
        "kernel": attribute,
        # the kernel as (what stands before the axis, the axis, what stands behind it)
        "shape": (math.prod(sizes[:axis]), sizes[axis], math.prod(sizes[axis + 1 :])),
        "power_iterations": op.power_iterations,
    }
    weights = {f"layer.{name}": weight for name, weight in inner.weights.items()}
    return Link(
        "kchainer.links.SpectralNormalization",
        args,
        weights | {"u": Weight("vector_u", None, (sizes[axis],))},
    )


@emits(ops.LowRank)
def low_rank(op: ops.LowRank, site: Site) -> Emitted:
    inner = EMISSIONS[type(op.layer)](op.layer, site)
    assert isinstance(inner, Link), "layers with a kernel are links"
    still, a, b = (p for p in op.params(*(site.logical for _ in site.xs)) if p.name != "bias")
    attribute, kernel = next((k, w) for k, w in inner.weights.items() if w.param == still.name)
    order = tuple(still.axes.index(letter) for letter in kernel.axes or still.axes)
    args = {
        "layer": dataclasses.replace(inner, weights={}),
        "kernel": attribute,
        "a": a.shape,
        "b": b.shape,
        # how the kernel's axes stand in the link
        "axes": None if order == tuple(range(len(order))) else order,
        "scale": op.alpha / op.rank,
    }
    weights = {f"layer.{name}": weight for name, weight in inner.weights.items()}
    weights[f"layer.{attribute}"] = dataclasses.replace(kernel, frozen=True)
    return Link("kchainer.links.LowRank", args, weights | {"a": Weight(a.name), "b": Weight(b.name)})
