"""Layers whose weights came quantised, and what quantises their inputs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kchainer.ir.op import Layout, Op, Param, SameShape, Shape, attr, axes_of, op
from kchainer.ir.ops.core import Dense, EinsumDense
from kchainer.ir.ops.embed import Embedding


def _frozen_first(params: tuple[Param, ...]) -> tuple[Param, ...]:
    first, *others = params
    return (Param(first.name, first.shape, first.axes, trainable=False), *others)


@op
class QuantizedDense(Dense):
    """A Dense whose kernel was quantised: it holds the numbers that the whole numbers stand for, and is not learned.

    Params  kernel (I, units), not trainable; bias (units,) where ``use_bias``.
    Source  keras.layers.Dense after ``quantize``: int8 and int4.
    """

    def params(self, x: Shape) -> tuple[Param, ...]:
        return _frozen_first(Dense.params(self, x))


@op
class QuantizedEinsumDense(EinsumDense):
    """An EinsumDense whose kernel was quantised, as in QuantizedDense.

    Source  keras.layers.EinsumDense after ``quantize``.
    """

    def params(self, x: Shape) -> tuple[Param, ...]:
        return _frozen_first(EinsumDense.params(self, x))


@op
class QuantizedEmbedding(Embedding):
    """An Embedding whose table was quantised, as in QuantizedDense.

    Source  keras.layers.Embedding and ReversibleEmbedding after ``quantize``.
    """

    def params(self, x: Shape) -> tuple[Param, ...]:
        return _frozen_first(Embedding.params(self, x))


@op
class QuantizeByMaximum(SameShape):
    """Round to whole steps of the largest magnitude over ``axes``, and give what the rounded values stand for.

    Input   x  any shape; float.
    Output  y  clip(round(x s), low, high) / s, where s = high / (max |x| over ``axes`` + epsilon).
    Raises  ShapeError: ``axes`` are not axes of ``x``.
    Source  keras.quantizers.AbsMaxQuantizer on the inputs of a layer. Its gradient is that of the identity.
    """

    layout: ClassVar[Layout] = "logical"
    axes: tuple[int, ...] = attr(doc="counted from the front", minimum=0)
    low: int = attr(doc="smallest whole number", spec=-127)
    high: int = attr(doc="largest whole number", spec=127, minimum=1)
    epsilon: float = attr(doc="added to the largest magnitude", spec=1e-7, minimum=0)

    def check(self) -> Iterator[str]:
        if not self.axes:
            yield "it names no axis"

    def infer(self, x: Shape) -> Shape:
        axes_of(x, *self.axes)
        return x


@op
class Float8(Op):
    """A dense layer that rounds inputs and kernel to eight bits (e4m3), and the gradient of its product to e5m2.

    Input   x  as the layer's.
    Output  y  as the layer's; its bias is rounded to bfloat16.
    Params  those of the layer; for ``inputs``, ``kernel`` and ``outputs_grad`` each a ``_scale`` () and an
            ``_amax_history`` (history,), not trainable. A value x becomes scale * round(x / scale).
    Update  in training, scale = max(history) / the largest number of the format, if that is above 0; the history moves
            on by one, and its first entry is the largest magnitude of this step.
    Source  keras.layers.Dense and EinsumDense after ``quantize("float8")``; Micikevicius et al. 2022, arXiv:2209.05433.
    """

    layer: Dense | EinsumDense = attr(doc="the layer that computes with eight bits")
    history: int = attr(doc="steps that a scale looks back", spec=1024, minimum=1)

    def params(self, *xs: Shape) -> tuple[Param, ...]:
        scales = [
            Param(f"{name}_{kind}", shape, axes, trainable=False)
            for name in ("inputs", "kernel", "outputs_grad")
            for kind, shape, axes in (("scale", (), ""), ("amax_history", (self.history,), "H"))
        ]
        return (*self.layer.params(*xs), *scales)

    def infer(self, *xs: Shape) -> Shape:
        return self.layer.infer(*xs)
