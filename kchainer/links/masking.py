"""Normalisation that leaves masked steps out."""

from __future__ import annotations

from typing import Any

import chainer
import chainer.functions as F

from kchainer.links.norm import BatchNormalization

TINY = 1e-7  # Keras's epsilon


class MaskedBatchNormalization(BatchNormalization):
    """``BatchNormalization`` whose batch statistics leave masked steps out.

    Source: keras.layers.BatchNormalization of Keras 3.
    """

    def forward(self, x: Any, mask: Any) -> chainer.Variable:  # type: ignore[override]  # the mask comes with x
        """``x`` and a boolean mask of all axes but its last; shape and dtype of ``x``."""
        x = chainer.as_variable(x)
        if not chainer.config.train or self.frozen == "running":
            return super().forward(x)
        xp, shape = self.xp, x.shape
        keep = xp.broadcast_to(getattr(mask, "array", mask).astype(bool)[..., None], shape)
        zeros = xp.zeros_like(x.array)
        count = keep.sum(axis=self.axis).astype(x.dtype) + x.dtype.type(TINY)
        mean = F.sum(F.where(keep, x, zeros), axis=self.axis) / count
        apart = F.where(keep, x - self._along(mean, shape), zeros)
        variance = F.sum(apart * apart, axis=self.axis) / count
        self.avg_mean[...] = self.decay * self.avg_mean + (1 - self.decay) * mean.array
        self.avg_var[...] = self.decay * self.avg_var + (1 - self.decay) * variance.array
        y = (x - self._along(mean, shape)) / self._along(F.sqrt(variance + self.eps), shape)
        gamma, beta = self._affine(x)
        return y * self._along(gamma, shape) + self._along(beta, shape)

    def _along(self, vector: Any, shape: tuple[int, ...]) -> Any:
        """A value of each channel at the axis of the channels."""
        sizes = [1 if a in self.axis else n for a, n in enumerate(shape)]
        return F.broadcast_to(F.reshape(vector, sizes), shape)
