"""Pooling."""

from __future__ import annotations

from kchainer.emit.conv import symmetric
from kchainer.emit.plan import Call, Emitted, Site, emits
from kchainer.ir import ops


@emits(ops.Pooling)
def pooling(op: ops.Pooling, site: Site) -> Emitted:
    spatial = len(op.pool_size)
    pad = symmetric(op.padding, op.pool_size, op.strides, (1,) * spatial)
    args = {"ksize": op.pool_size, "stride": op.strides}
    if op.function == "max" and pad is not None:
        nd = {1: "1d", 2: "2d", 3: "3d"}[spatial]
        one = {k: v[0] for k, v in args.items()} if spatial == 1 else args
        padding = {"pad": pad[0] if spatial == 1 else pad} if any(pad) else {}
        return Call(f"chainer.functions.max_pooling_{nd}", one | padding | {"cover_all": False})
    return Call(f"kchainer.functions.{op.function}_pooling", args | {"pads": op.padding})


@emits(ops.GlobalPooling)
def global_pooling(op: ops.GlobalPooling, site: Site) -> Emitted:
    axes = tuple(range(2, len(site.x)))
    args = {"axis": axes} | ({"keepdims": True} if op.keepdims else {})
    return Call(f"chainer.functions.{'max' if op.function == 'max' else 'average'}", args)


@emits(ops.AdaptivePooling)
def adaptive_pooling(op: ops.AdaptivePooling, site: Site) -> Emitted:
    return Call(f"kchainer.functions.adaptive_{op.function}_pooling", {"output_size": op.output_size})
