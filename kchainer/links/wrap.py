"""Links around another link."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import chainer
import chainer.functions as F

from kchainer.links.quantized import standing_in


class SpectralNormalization(chainer.Chain):
    """A link whose kernel is divided by an estimate of its largest singular value in each training call, for good.

    Unlike Chainer's link hook of that name the stored kernel is the normalised one, and no gradient goes through
    the estimate. Parameters: those of ``layer``. Persistent: u. Source: keras.layers.SpectralNormalization.

    Args:
        layer: the link.
        kernel: the name of its array.
        shape: the kernel as (before, axis, behind), the axis being the one that u runs along.
        power_iterations: in each training call.
    """

    def __init__(
        self, layer: chainer.Link, kernel: str, shape: Sequence[int], power_iterations: int = 1
    ) -> None:
        super().__init__()
        self.kernel, self.shape, self.power_iterations = kernel, tuple(shape), power_iterations
        with self.init_scope():
            self.layer = layer
        self.add_persistent("u", self.xp.zeros(self.shape[1], chainer.get_dtype()))

    def forward(self, *xs: Any) -> Any:
        """As the layer's."""
        if chainer.config.train:
            self._normalize(getattr(self.layer, self.kernel).array)
        return self.layer(*xs)

    def _normalize(self, kernel: Any) -> None:
        xp = self.xp
        if not kernel.any():
            return
        matrix = xp.moveaxis(kernel.reshape(self.shape), 1, 2).reshape(-1, self.shape[1])
        u = self.u
        for _ in range(self.power_iterations):
            v = matrix @ u
            v = v / xp.maximum(xp.sqrt((v * v).sum()), 1e-12)
            u = v @ matrix
            u = u / xp.maximum(xp.sqrt((u * u).sum()), 1e-12)
        self.u[...] = u
        kernel /= v @ (matrix @ u)


class LowRank(chainer.Chain):
    """A link whose kernel is used with the product of two thin matrices added to it, and does not learn itself.

    Parameters: those of ``layer``; a and b. Source: ``enable_lora`` of keras.layers, arXiv:2106.09685.

    Args:
        layer: the link.
        kernel: the name of its array.
        a: shape of the first matrix.
        b: shape of the second one, (rank, size).
        axes: order of the product's axes in the link, None as they are.
        scale: what the product is multiplied with.
    """

    def __init__(
        self,
        layer: chainer.Link,
        kernel: str,
        a: Sequence[int],
        b: Sequence[int],
        axes: Sequence[int] | None = None,
        scale: float = 1.0,
    ) -> None:
        super().__init__()
        self.kernel, self.axes, self.scale = kernel, None if axes is None else tuple(axes), scale
        with self.init_scope():
            self.layer = layer
            self.a = chainer.Parameter(chainer.initializers.HeUniform(), tuple(a))
            self.b = chainer.Parameter(0, tuple(b))

    def forward(self, *xs: Any) -> Any:
        """As the layer's."""
        kernel = getattr(self.layer, self.kernel)
        change = F.tensordot(self.a, self.b, 1) * self.scale
        if self.axes is not None:
            change = F.transpose(change, self.axes)
        with standing_in(self.layer, **{self.kernel: kernel + change}) as layer:
            return layer(*xs)
