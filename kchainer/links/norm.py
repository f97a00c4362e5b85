"""Normalisation that agrees with Keras in inference and in training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import chainer
import chainer.functions as F
import chainer.links as L

from kchainer.functions import norm as KF
from kchainer.links.parameters import parameter


class BatchNormalization(L.BatchNormalization):
    """``L.BatchNormalization`` with Keras's running variance.

    Source: keras.layers.BatchNormalization.

    Args:
        corrections: the running variance is fed the batch's times n / (n - c) for each c; Chainer's own: (1,).
        mode: 0; 1: each sample by itself (Keras 1); 2: batch statistics at inference too (Keras 1).
        trainable: False: running statistics in training too, and they stay as they are.
    """

    def __init__(
        self,
        size: int,
        axis: Sequence[int],
        decay: float,
        eps: float,
        use_gamma: bool = True,
        use_beta: bool = True,
        corrections: Sequence[float] = (),
        mode: int = 0,
        trainable: bool = True,
    ) -> None:
        super().__init__(size, decay=decay, eps=eps, use_gamma=use_gamma, use_beta=use_beta, axis=tuple(axis))
        self.corrections, self.mode, self.trainable = tuple(corrections), mode, trainable

    def forward(self, x: Any, **kwargs: Any) -> chainer.Variable:
        """Shape and dtype of ``x``."""
        x = chainer.as_variable(x)
        if self.mode == 1:
            (axis,) = set(range(x.ndim)) - set(self.axis)
            return KF.samplewise_normalization(x, self.gamma, self.beta, self.eps, axis)
        train = chainer.config.train and self.trainable
        before = self.avg_var.copy() if train else None
        with chainer.using_config("train", train or self.mode == 2):
            if self.mode == 2 and not train:
                return F.batch_normalization(x, *self._affine(x), eps=self.eps, axis=self.axis)
            y = super().forward(x, **kwargs)
        if before is not None:
            self._correct(before, x.size // self.avg_var.size)
        return y

    def _affine(self, x: Any) -> tuple[Any, Any]:
        """Gamma and beta, or ones and zeros."""
        xp, shape, dtype = self.xp, self.avg_var.shape, x.dtype
        gamma = self.gamma if self.gamma is not None else xp.ones(shape, dtype)
        return gamma, self.beta if self.beta is not None else xp.zeros(shape, dtype)

    def _correct(self, before: Any, n: int) -> None:
        """Chainer fed n / max(n - 1, 1) times the batch's variance."""
        unbiased = n / max(n - 1.0, 1.0)
        kept = self.decay * before
        # one value per channel has no variance: whatever the factor, 0 is fed
        corrections = [n / (n - c) for c in self.corrections if n > 1]
        factor = math.prod(corrections) / unbiased
        self.avg_var[...] = kept + (self.avg_var - kept) * factor


class _Affine(chainer.Link):
    """gamma and beta of one shape, either of them optional."""

    def __init__(self, shape: Sequence[int], use_gamma: bool, use_beta: bool) -> None:
        super().__init__()
        with self.init_scope():
            self.gamma = parameter(shape, 1) if use_gamma else None
            self.beta = parameter(shape) if use_beta else None


class LayerNormalization(_Affine):
    """Each sample normalised over ``axes``. Parameters: gamma, beta with the sizes of ``axes``.

    Source: keras.layers.LayerNormalization.
    """

    def __init__(
        self,
        shape: Sequence[int],
        axes: Sequence[int],
        eps: float,
        use_gamma: bool = True,
        use_beta: bool = True,
        rms_scaling: bool = False,
    ) -> None:
        super().__init__(shape, use_gamma, use_beta)
        self.axes, self.eps, self.rms_scaling = tuple(axes), eps, rms_scaling

    def forward(self, x: Any) -> chainer.Variable:
        """Shape and dtype of ``x``."""
        return KF.layer_normalization(x, self.gamma, self.beta, self.axes, self.eps, self.rms_scaling)


class RMSNormalization(_Affine):
    """Divided by the root mean square over ``axes``. Parameters: gamma. Source: keras.layers.RMSNormalization."""

    def __init__(self, shape: Sequence[int], axes: Sequence[int], eps: float) -> None:
        super().__init__(shape, True, False)
        self.axes, self.eps = tuple(axes), eps

    def forward(self, x: Any) -> chainer.Variable:
        """Shape and dtype of ``x``."""
        return KF.rms_normalization(x, self.gamma, self.axes, self.eps)


class GroupNormalization(_Affine):
    """Each group of channels of each sample. Parameters: gamma, beta (size,).

    Source: keras.layers.GroupNormalization.
    """

    def __init__(
        self, size: int, groups: int, eps: float, axis: int = 1, use_gamma: bool = True, use_beta: bool = True
    ) -> None:
        super().__init__((size,), use_gamma, use_beta)
        self.groups, self.eps, self.axis = groups, eps, axis

    def forward(self, x: Any) -> chainer.Variable:
        """Shape and dtype of ``x``."""
        return KF.group_normalization(x, self.gamma, self.beta, self.groups, self.eps, self.axis)


class LayerScale(chainer.Link):
    """Multiplied by a vector. Parameters: gamma, which broadcasts against a sample.

    Source: keras.applications' LayerScale.
    """

    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__()
        with self.init_scope():
            self.gamma = parameter(shape, 1)

    def forward(self, x: Any) -> chainer.Variable:
        """Shape and dtype of ``x``."""
        return x * F.broadcast_to(self.gamma, x.shape)


class Normalization(chainer.Link):
    """(x - mean) / max(sqrt(variance), 1e-7) by constants that are saved with the link.

    Persistent: mean, variance, which broadcast against ``x``. Source: keras.layers.Normalization.
    """

    def __init__(self, shape: Sequence[int], invert: bool = False) -> None:
        super().__init__()
        self.invert = invert
        dtype = chainer.get_dtype()
        self.add_persistent("mean", self.xp.zeros(tuple(shape), dtype))
        self.add_persistent("variance", self.xp.ones(tuple(shape), dtype))

    def forward(self, x: Any) -> chainer.Variable:
        """Shape and dtype of ``x``."""
        x = chainer.as_variable(x)
        width = self.xp.broadcast_to(self.xp.maximum(self.xp.sqrt(self.variance), 1e-7), x.shape)
        middle = self.xp.broadcast_to(self.mean, x.shape)
        return x * width + middle if self.invert else (x - middle) / width
