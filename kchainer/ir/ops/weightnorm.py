"""Weight normalisation: a kernel as a length times a direction."""

from __future__ import annotations

from kchainer.ir.op import Param, Shape, attr, op
from kchainer.ir.ops.conv import Convolution, TransposedConvolution
from kchainer.ir.ops.core import Dense


def _with_length(params: tuple[Param, ...], units: int) -> tuple[Param, ...]:
    kernel, *bias = params
    return (kernel, Param("g", (units,), "O"), *bias)


@op
class WeightNormalizedDense(Dense):
    """A dense layer with the kernel g * V / (||V|| + epsilon), the norm over each unit's weights.

    Input   x  (..., I) of rank 2 or more; float.
    Output  y  (..., units).
    Params  kernel (I, units): V; g (units,); bias (units,) where ``use_bias``.
    Raises  ShapeError: rank below 2, or a last axis of unknown size.
    Source  Salimans & Kingma 2016, arXiv:1602.07868; chainer-sequential's Linear.
    """

    epsilon: float = attr(doc="added to the norm", spec=1e-9, minimum=0)

    def params(self, x: Shape) -> tuple[Param, ...]:
        return _with_length(Dense.params(self, x), self.units)


@op
class WeightNormalizedConvolution(Convolution):
    """A convolution with the kernel g * V / (||V|| + epsilon), the norm over each filter's weights.

    Params  kernel (spatial, C / groups, filters): V; g (filters,); bias (filters,) where ``use_bias``.
    Raises  ShapeError: as Convolution.
    Source  Salimans & Kingma 2016, arXiv:1602.07868; chainer-sequential's Convolution2D.
    """

    epsilon: float = attr(doc="added to the norm", spec=1e-9, minimum=0)

    def params(self, x: Shape) -> tuple[Param, ...]:
        return _with_length(Convolution.params(self, x), self.filters)


@op
class WeightNormalizedTransposedConvolution(TransposedConvolution):
    """A transposed convolution with the kernel g * V / (||V|| + epsilon), the norm over each filter's weights.

    Params  kernel (spatial, filters, C): V; g (filters,); bias (filters,) where ``use_bias``.
    Raises  ShapeError: as TransposedConvolution.
    Source  Salimans & Kingma 2016, arXiv:1602.07868; chainer-sequential's Deconvolution2D.
    """

    epsilon: float = attr(doc="added to the norm", spec=1e-9, minimum=0)

    def params(self, x: Shape) -> tuple[Param, ...]:
        return _with_length(TransposedConvolution.params(self, x), self.filters)
