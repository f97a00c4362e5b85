"""Ops that join values."""

from __future__ import annotations

from kchainer.emit.plan import Call, Emitted, Site, emits
from kchainer.ir import ops


@emits(ops.Merge)
def merge(op: ops.Merge, site: Site) -> Emitted:
    if op.function == "add" and len({x[1:] for x in site.xs}) == 1:
        return Call("chainer.functions.add")
    return Call(f"kchainer.functions.{op.function}")


@emits(ops.ScaledAdd)
def scaled_add(op: ops.ScaledAdd, site: Site) -> Emitted:
    return Call("kchainer.functions.scaled_add", {"scale": op.scale})


@emits(ops.Concatenate)
def concatenate(op: ops.Concatenate, site: Site) -> Emitted:
    return Call("chainer.functions.concat", {"axis": site.axis(op.axis)}, packed=True)


@emits(ops.Dot)
def dot(op: ops.Dot, site: Site) -> Emitted:
    return Call("kchainer.functions.dot", {"axes": op.axes, "normalize": op.normalize})


@emits(ops.CosineSimilarity)
def cosine_similarity(op: ops.CosineSimilarity, site: Site) -> Emitted:
    return Call("kchainer.functions.merge_cos", {"axes": op.axes})
