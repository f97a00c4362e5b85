"""Numbers of the file, and axes of size 1."""

from __future__ import annotations

from kchainer.emit.plan import Call, Emitted, Link, Site, Weight, emits
from kchainer.ir import ops


@emits(ops.Constant)
def constant(op: ops.Constant, site: Site) -> Emitted:
    return Link("kchainer.links.Constant", {"shape": op.shape, "values": op.values, "dtype": op.dtype}, {})


@emits(ops.Parameter)
def parameter(op: ops.Parameter, site: Site) -> Emitted:
    return Link("kchainer.links.Parameter", {"shape": op.shape}, {"value": Weight("value")})


@emits(ops.ExpandDims)
@emits(ops.Squeeze)
def units(op: ops.ExpandDims | ops.Squeeze, site: Site) -> Emitted | tuple[Emitted, ...]:
    shape = op.infer(site.logical)
    moved = tuple(shape[a] for a in site.out)
    if sum(d is None for d in moved) <= 1:
        return Call(
            "kchainer.functions.reshape_whole", {"shape": tuple(-1 if d is None else d for d in moved)}
        )
    # sizes that are not known: axis by axis, in the logical order that such a value is in
    if isinstance(op, ops.Squeeze):
        return Call("chainer.functions.squeeze", {"axis": op.axes})
    return tuple(Call("chainer.functions.expand_dims", {"axis": a}) for a in sorted(op.axes))
