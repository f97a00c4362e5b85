"""Ops around another op."""

from __future__ import annotations

from typing import ClassVar

from kchainer.ir.op import Op, Param, Shape, ShapeError, attr, op
from kchainer.ir.ops.conv import Convolution, DepthwiseConvolution, TransposedConvolution
from kchainer.ir.ops.core import Dense, EinsumDense

# Layers with one kernel, the array that is divided by its largest singular value.
Kernelled = Dense | EinsumDense | Convolution | TransposedConvolution | DepthwiseConvolution


@op
class SpectralNormalization(Op):
    """A layer whose kernel is divided by an estimate of its largest singular value, in training only.

    Input   x  as the layer's.
    Output  y  as the layer's.
    Params  those of the layer; vector_u (1, last axis of the kernel), not trainable.
    Update  in training, before the layer is called, ``power_iterations`` times: v = u K', u = v K, both of length 1;
            then K is divided by v K u' for good. A kernel of zeros stays.
    Source  keras.layers.SpectralNormalization; Miyato et al. 2018, arXiv:1802.05957.
    """

    updates: ClassVar[bool] = True
    layer: Kernelled = attr(doc="the layer whose kernel is normalised")
    power_iterations: int = attr(doc="in each training call", spec=1, minimum=1)

    def params(self, *xs: Shape) -> tuple[Param, ...]:
        inner = self.layer.params(*xs)
        kernels = [p for p in inner if p.name == "kernel"]
        if not kernels:
            raise ShapeError("the layer has no kernel")
        return (*inner, Param("vector_u", (1, kernels[0].shape[-1]), "ZU", trainable=False))

    def infer(self, *xs: Shape) -> Shape:
        return self.layer.infer(*xs)
