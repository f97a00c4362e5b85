"""Ops around another op."""

from __future__ import annotations

from typing import ClassVar

from kchainer.ir.op import Op, Param, Shape, ShapeError, attr, op
from kchainer.ir.ops.conv import Convolution, DepthwiseConvolution, TransposedConvolution
from kchainer.ir.ops.core import Dense, EinsumDense
from kchainer.ir.ops.embed import Embedding

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


@op
class LowRank(Op):
    """A layer whose kernel stays, and learns by the product of two thin matrices that is added to it (LoRA).

    Input   x  as the layer's.
    Output  y  as that of the layer with the kernel K + alpha / rank * A B; A B sums over ``rank``.
    Params  those of the layer, its kernel (an embedding's table) K not trainable; for a kernel of the name k also
            lora_k_a, A (all axes of K but the last, rank), and lora_k_b, B (rank, last axis of K).
    Raises  ShapeError: the layer has no kernel.
    Source  ``enable_lora`` of keras.layers; Hu et al. 2021, arXiv:2106.09685.
    """

    layer: Dense | EinsumDense | Convolution | Embedding = attr(doc="the layer whose kernel stays")
    rank: int = attr(doc="size that A and B share", minimum=1)
    alpha: float = attr(doc="weight of the product, times the rank")

    def params(self, *xs: Shape) -> tuple[Param, ...]:
        inner = self.layer.params(*xs)
        kernel = next((p for p in inner if p.name in ("kernel", "embeddings")), None)
        if kernel is None:
            raise ShapeError("the layer has no kernel")
        still = Param(kernel.name, kernel.shape, kernel.axes, trainable=False)
        thin = next(letter for letter in "RQZ" if letter not in kernel.axes)
        return (
            *(still if p is kernel else p for p in inner),
            Param(f"lora_{kernel.name}_a", (*kernel.shape[:-1], self.rank), kernel.axes[:-1] + thin),
            Param(f"lora_{kernel.name}_b", (self.rank, kernel.shape[-1]), thin + kernel.axes[-1]),
        )

    def infer(self, *xs: Shape) -> Shape:
        return self.layer.infer(*xs)
