"""Steps as samples: what wrappers do around a layer."""

from __future__ import annotations

from kchainer.ir.op import Op, Shape, ShapeError, attr, op, show


@op
class FoldSteps(Op):
    """Each step becomes a sample.

    Input   x  (N, T, ...).
    Output  y  (N T, ...).
    Source  keras.layers.TimeDistributed.
    """

    def infer(self, x: Shape) -> Shape:
        if len(x) < 3:
            raise ShapeError(f"expected rank 3 or more, found {show(x)}")
        return (None, *x[2:])


@op
class UnfoldSteps(Op):
    """The way back.

    Input   x (N T, ...); like (N, T, ...): its first two sizes count.
    Output  y  (N, T, ...).
    Source  keras.layers.TimeDistributed.
    """

    def infer(self, x: Shape, like: Shape) -> Shape:
        return (*like[:2], *x[1:])


@op
class TakeStep(Op):
    """One step of a sequence.

    Input   x  (N, T, ...).
    Output  y  (N, ...).
    Raises  ShapeError: there is no such step.
    Source  keras.layers.TimeDistributed of Keras 3, which calls its layer once a step.
    """

    step: int = attr(doc="counted from 0", minimum=0)

    def infer(self, x: Shape) -> Shape:
        if len(x) < 3 or (x[1] is not None and x[1] <= self.step):
            raise ShapeError(f"no step {self.step} in {show(x)}")
        return (x[0], *x[2:])


@op
class StackSteps(Op):
    """Values as the steps of a sequence.

    Input   one or more (N, ...) of equal shape.
    Output  (N, T, ...).
    Raises  ShapeError: shapes that differ.
    Source  keras.layers.TimeDistributed of Keras 3.
    """

    def infer(self, *xs: Shape) -> Shape:
        if any(x[1:] != xs[0][1:] for x in xs):
            raise ShapeError(f"cannot stack {' and '.join(map(show, xs))}")
        return (xs[0][0], len(xs), *xs[0][1:])
