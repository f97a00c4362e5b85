"""Weight normalisation (Salimans & Kingma 2016, arXiv:1602.07868): W = g * V / (||V|| + eps)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import chainer
import chainer.functions as F

from kchainer.links.conv import Convolution, Deconvolution
from kchainer.links.dense import Linear
from kchainer.links.parameters import parameter


class WeightNormalized(chainer.Link):
    """What the three kinds share: parameters V, g (1 on all but the output's axis), b.

    ``start`` makes g and b fit a batch; it is never called by itself.
    """

    output_axis = 0
    eps: float

    def normalize_weight(self, eps: float) -> None:
        """Split W, which the base class made, into V and g."""
        direction = self.W
        del self.W
        self.eps = eps
        shape = [n if i == self.output_axis else 1 for i, n in enumerate(direction.shape)]
        with self.init_scope():
            self.V = direction
            self.g = parameter(shape, 1)

    def direction(self) -> chainer.Variable:
        """V / (||V|| + eps)."""
        axes = tuple(i for i in range(self.V.ndim) if i != self.output_axis)
        norm = F.sqrt(F.sum(self.V * self.V, axis=axes, keepdims=True)) + self.eps
        return self.V / F.broadcast_to(norm, self.V.shape)

    def forward(self, x: Any) -> chainer.Variable:
        """As the link without weight normalisation, with the weight made of V and g."""
        v = self.direction()
        return self.apply(x, F.broadcast_to(self.g, v.shape) * v, self.b)

    def start(self, x: Any, epsilon: float = 1e-6) -> None:
        """Set g and b so that the outputs of this batch have mean 0 and variance 1, unit by unit.

        ``epsilon`` is added to the variance, so that a unit that is constant over the batch stays finite. A link
        without bias gets its g only.
        """
        with chainer.no_backprop_mode():
            t = self.apply(x, self.direction(), None).array
        axes = tuple(i for i in range(t.ndim) if i != self.unit_axis(t.ndim))
        mean, scale = t.mean(axis=axes), 1 / self.xp.sqrt(t.var(axis=axes) + epsilon)
        self.g.array[...] = scale.reshape(self.g.shape)
        if self.b is not None:
            self.b.array[...] = -mean * scale

    def unit_axis(self, ndim: int) -> int:
        """The axis of the output that its units stand along."""
        return 1


class WeightNormalizedLinear(WeightNormalized, Linear):
    """``Linear`` with a normalised weight: V (out_size, in_size), g (out_size, 1), b (out_size,)."""

    def __init__(
        self, in_size: int, out_size: int, nobias: bool = False, axis: int = -1, eps: float = 1e-9
    ) -> None:
        super().__init__(in_size, out_size, nobias, axis)
        self.normalize_weight(eps)

    def unit_axis(self, ndim: int) -> int:
        """The one that the weight is multiplied on."""
        return self.axis % ndim


class WeightNormalizedConvolution(WeightNormalized, Convolution):
    """``Convolution`` with a normalised weight: V (out, in / groups, k...), g (out, 1, 1...), b (out,)."""

    def __init__(self, *args: Any, eps: float = 1e-9, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.normalize_weight(eps)


class WeightNormalizedDeconvolution(WeightNormalized, Deconvolution):
    """``Deconvolution`` with a normalised weight: V (in, out, k...), g (1, out, 1...), b (out,)."""

    output_axis = 1

    def __init__(self, *args: Any, eps: float = 1e-9, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.normalize_weight(eps)


class _Starting(chainer.LinkHook):
    name = "kchainer.start_weight_normalization"

    def __init__(self, epsilon: float) -> None:
        super().__init__()
        self.epsilon, self.started = epsilon, 0

    def forward_preprocess(self, args: Any) -> None:
        if isinstance(args.link, WeightNormalized):
            args.link.start(args.args[0], self.epsilon)
            self.started += 1


@contextmanager
def _kept(net: chainer.Link) -> Iterator[None]:
    """Persistent values (running statistics) as they were before."""
    held = [(link, name, _copy(getattr(link, name))) for link in net.links() for name in link._persistent]
    try:
        yield
    finally:
        for link, name, value in held:
            setattr(link, name, value)


def _copy(value: Any) -> Any:
    return value.copy() if hasattr(value, "copy") else value


def start_weight_normalization(net: chainer.Link, *batch: Any, epsilon: float = 1e-6) -> int:
    """Start every weight-normalised link of ``net`` on a batch, in the order in which they are called.

    Each link's g and b are set so that its outputs have mean 0 and variance 1 over the batch, and the next link
    sees these outputs (data-dependent initialisation). Runs ``net(*batch)`` once as in training; running
    statistics stay as they were. ``epsilon`` is added to each variance.

    Returns:
        How many links were started.
    """
    hook = _Starting(epsilon)
    with _kept(net), chainer.using_config("train", True), chainer.no_backprop_mode(), hook:
        net(*batch)
    return hook.started
