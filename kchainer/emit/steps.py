"""Steps as samples."""

from __future__ import annotations

from kchainer.emit.plan import Call, Emitted, Site, emits
from kchainer.ir import ops


@emits(ops.FoldSteps)
def fold_steps(op: ops.FoldSteps, site: Site) -> Emitted:
    return Call("kchainer.functions.fold_steps")


@emits(ops.UnfoldSteps)
def unfold_steps(op: ops.UnfoldSteps, site: Site) -> Emitted:
    return Call("kchainer.functions.unfold_steps")


@emits(ops.TakeStep)
def take_step(op: ops.TakeStep, site: Site) -> Emitted:
    return Call("chainer.functions.get_item", {"slices": (slice(None), op.step)})


@emits(ops.StackSteps)
def stack_steps(op: ops.StackSteps, site: Site) -> Emitted:
    return Call("chainer.functions.stack", {"axis": 1}, packed=True)
