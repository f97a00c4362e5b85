"""Minibatch discrimination."""

from __future__ import annotations

from typing import Any

import chainer
import chainer.functions as F

from kchainer.links.parameters import bias, parameter


class MinibatchDiscrimination(chainer.Link):
    """``x``, and how near each sample is to the others of its batch.

    Parameters: W (num_kernels * ndim_kernel, in_size), b, which cancels.
    Source: Salimans et al. 2016, arXiv:1606.03498, without the pair of a sample with itself.
    """

    def __init__(self, in_size: int, num_kernels: int, ndim_kernel: int = 5) -> None:
        super().__init__()
        self.num_kernels, self.ndim_kernel = num_kernels, ndim_kernel
        with self.init_scope():
            self.W = parameter((num_kernels * ndim_kernel, in_size))
            self.b = bias(num_kernels * ndim_kernel, False)

    def forward(self, x: Any) -> chainer.Variable:
        """(N, in_size) to (N, in_size + num_kernels)."""
        n = len(x)
        m = F.reshape(F.linear(x, self.W, self.b), (n, 1, self.num_kernels, self.ndim_kernel))
        shape = (n, n, self.num_kernels, self.ndim_kernel)
        apart = F.sum(abs(F.broadcast_to(m, shape) - F.broadcast_to(F.swapaxes(m, 0, 1), shape)), axis=3)
        others = 1 - self.xp.eye(n, dtype=apart.dtype)[:, :, None]
        near = F.sum(F.exp(-apart) * self.xp.broadcast_to(others, apart.shape), axis=1)
        return F.concat((x, near), axis=1)
