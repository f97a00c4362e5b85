"""Dense layers and embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import chainer
import chainer.functions as F
import numpy as np

from kchainer.functions.dense import linear_on_axis
from kchainer.links.parameters import bias, parameter


class Linear(chainer.Link):
    """A matrix on one axis of any rank, the last one unless told; Chainer's own flattens all axes behind the first.

    Parameters: W (out_size, in_size), b (out_size,). Source: keras.layers.Dense.
    """

    def __init__(self, in_size: int, out_size: int, nobias: bool = False, axis: int = -1) -> None:
        super().__init__()
        self.axis = axis
        with self.init_scope():
            self.W = parameter((out_size, in_size))
            self.b = bias(out_size, nobias)

    def forward(self, x: Any) -> chainer.Variable:
        """(..., in_size, ...) to (..., out_size, ...)."""
        return self.apply(x, self.W, self.b)

    def apply(self, x: Any, W: Any, b: Any) -> chainer.Variable:
        """The same with another weight and bias."""
        if self.axis in (-1, x.ndim - 1):
            return F.linear(x, W, b, n_batch_axes=x.ndim - 1)
        return linear_on_axis(x, W, b, self.axis)


class EinsumDense(chainer.Link):
    """A product by an einsum equation. Parameters, in Keras's layout: kernel, bias (or None).

    Source: keras.layers.EinsumDense.
    """

    def __init__(
        self, equation: str, kernel_shape: Sequence[int], bias_shape: Sequence[int] | None = None
    ) -> None:
        super().__init__()
        self.equation = equation
        with self.init_scope():
            self.kernel = parameter(kernel_shape)
            self.bias = None if bias_shape is None else parameter(bias_shape)

    def forward(self, x: Any) -> chainer.Variable:
        """As the equation says."""
        y = F.einsum(self.equation, x, self.kernel)
        return y if self.bias is None else y + F.broadcast_to(self.bias, y.shape)


class EmbedID(chainer.Link):
    """Rows of a table by their numbers, which may be whole numbers written as floats.

    Parameters: W (in_size, out_size). ``dropout``: part of the rows that count as zeros in training (Keras 1).
    Source: keras.layers.Embedding.
    """

    def __init__(self, in_size: int, out_size: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = dropout
        with self.init_scope():
            self.W = parameter((in_size, out_size))

    def forward(self, x: Any) -> chainer.Variable:
        """(...) to (..., out_size). Raises IndexError for a number outside the table (checked on the CPU)."""
        x = getattr(x, "array", x)
        ids = x if x.dtype.kind in "iu" else x.astype(np.int32)
        if isinstance(ids, np.ndarray) and ids.size and not (ids.min() >= 0 and ids.max() < len(self.W)):
            raise IndexError(f"numbers from {ids.min()} to {ids.max()} for a table of {len(self.W)} rows")
        if not (self.dropout and chainer.config.train):
            return F.embed_id(ids, self.W)
        rows = F.dropout(self.xp.ones((len(self.W), 1), self.W.dtype), self.dropout)
        return F.embed_id(ids, self.W * F.broadcast_to(rows, self.W.shape))


class RandomFourierFeatures(chainer.Link):
    """cos(x unscaled_kernel / kernel_scale + bias), of which only the scale is learned.

    Parameters: kernel_scale (1,); persistent: unscaled_kernel (in_size, out_size), bias (out_size,).
    Source: tf.keras.layers.experimental.RandomFourierFeatures.
    """

    def __init__(self, in_size: int, out_size: int) -> None:
        super().__init__()
        dtype = chainer.get_dtype()
        with self.init_scope():
            self.kernel_scale = parameter((1,))
        self.add_persistent("unscaled_kernel", np.zeros((in_size, out_size), dtype))
        self.add_persistent("bias", np.zeros(out_size, dtype))

    def forward(self, x: Any) -> chainer.Variable:
        """(N, in_size) to (N, out_size)."""
        product = F.matmul(x, self.unscaled_kernel)
        scale = F.broadcast_to(self.kernel_scale, product.shape)
        return F.cos(product / scale + F.broadcast_to(self.bias, product.shape))
