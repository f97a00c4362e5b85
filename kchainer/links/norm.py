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
    """``L.BatchNormalization`` with the running statistics of each Keras.

    Source: keras.layers.BatchNormalization.

    Args:
        corrections: the running variance is fed the batch's times n / (n - c) for each c; Chainer's own: (1,).
        mode: 0; 1: each sample by itself (Keras 1); 2: batch statistics at inference too (Keras 1).
        offset: added to the batch's variance before it is corrected (Keras on Theano: eps).
        zero_debias: the running statistics are means of what was fed, as TensorFlow's ``zero_debias`` makes them;
            its state is persistent: biased_mean, biased_var, updates.
        deviation: ``avg_var`` holds sqrt(variance + eps), and eps is added to it once more (Keras 0.3).
        frozen: what stays as it is: None: nothing; "running": running statistics in training too; "batch": the
            batch's in training, which feed nothing; "batch_updating": the batch's, which do.
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
        offset: float = 0.0,
        zero_debias: bool = False,
        deviation: bool = False,
        frozen: str | None = None,
    ) -> None:
        super().__init__(size, decay=decay, eps=eps, use_gamma=use_gamma, use_beta=use_beta, axis=tuple(axis))
        self.corrections, self.mode, self.offset = tuple(corrections), mode, offset
        self.zero_debias, self.deviation, self.frozen = zero_debias, deviation, frozen
        if zero_debias:
            self.add_persistent("biased_mean", self.xp.zeros_like(self.avg_mean))
            self.add_persistent("biased_var", self.xp.zeros_like(self.avg_var))
            self.add_persistent("updates", 0)

    def forward(self, x: Any) -> chainer.Variable:
        """Shape and dtype of ``x``."""
        x = chainer.as_variable(x)
        if self.mode == 1:
            (axis,) = set(range(x.ndim)) - set(self.axis)
            inner = 0.0 if self.deviation else self.eps
            return KF.deviation_normalization(x, self.gamma, self.beta, axis, axis, self.eps, inner)
        train = chainer.config.train and self.frozen != "running"
        if not train and self.mode != 2:
            return self._by_running(x)
        mean, variance = self.xp.zeros_like(self.avg_mean), self.xp.zeros_like(self.avg_var)
        y = self._by_batch(x, mean, variance)
        if train and self.mode != 2 and self.frozen != "batch":
            self._feed(mean, self._corrected(variance, x.size // self.avg_var.size))
        return y

    def _by_running(self, x: Any) -> chainer.Variable:
        variance = self.avg_var
        if self.deviation:  # sqrt(variance + eps) is deviation + eps
            variance = (variance + self.eps) ** 2 - self.eps
        return F.fixed_batch_normalization(
            x, *self._affine(x), self.avg_mean, variance, eps=self.eps, axis=self.axis
        )

    def _by_batch(self, x: Any, mean: Any, variance: Any) -> chainer.Variable:
        """Normalised by the batch's statistics, which are put into ``mean`` and ``variance``."""
        if not self.deviation:  # decay 0: what was there before counts nothing
            y = F.batch_normalization(
                x, *self._affine(x), eps=self.eps, running_mean=mean, running_var=variance, decay=0.0, axis=self.axis
            )  # fmt: skip
            n = x.size // self.avg_var.size
            variance *= (n - 1) / n  # Chainer's is divided by n - 1
            return y
        mean[...] = x.array.mean(axis=self.axis)
        variance[...] = x.array.var(axis=self.axis)
        channels = tuple(set(range(x.ndim)) - set(self.axis))
        return KF.deviation_normalization(
            x, self.gamma, self.beta, self.axis, channels, self.eps, inner=self.eps
        )

    def _affine(self, x: Any) -> tuple[Any, Any]:
        """Gamma and beta, or ones and zeros."""
        xp, shape, dtype = self.xp, self.avg_var.shape, self.avg_var.dtype
        gamma = self.gamma if self.gamma is not None else xp.ones(shape, dtype)
        return gamma, self.beta if self.beta is not None else xp.zeros(shape, dtype)

    def _corrected(self, variance: Any, n: int) -> Any:
        """What the running variance is fed."""
        if self.deviation:
            return self.xp.sqrt(variance + self.eps)
        # one value per channel has no variance: whatever the factor, 0 is fed
        return (variance + self.offset) * math.prod(n / (n - c) for c in self.corrections if n > 1)

    def _feed(self, mean: Any, variance: Any) -> None:
        if not self.zero_debias:
            _approach(self.avg_mean, mean, self.decay)
            _approach(self.avg_var, variance, self.decay)
            return
        _approach(self.biased_mean, mean, self.decay)
        _approach(self.biased_var, variance, self.decay)
        self.updates += 1
        whole = 1 - self.decay**self.updates
        self.avg_mean[...] = self.biased_mean / whole
        self.avg_var[...] = self.biased_var / whole


def _approach(old: Any, new: Any, decay: float) -> None:
    old *= decay
    old += (1 - decay) * new


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
