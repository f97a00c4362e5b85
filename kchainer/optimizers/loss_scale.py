"""A loss made larger so that float16 gradients do not vanish."""

from __future__ import annotations

from typing import Any

import chainer

from kchainer.optimizers.base import Optimizer
from kchainer.optimizers.views import Views


class LossScale(chainer.Optimizer):
    """Scales the loss, divides the gradients again, and steps with ``inner`` where all of them are finite.

    The scale is doubled after ``dynamic_growth_steps`` finite steps one after the other, and halved, the step left
    out, where a gradient is not finite. Without ``lossfun``, call ``scale_loss(loss).backward()`` (or
    ``loss.backward(loss_scale=optimizer.scale)``) before ``update()``.
    Source: keras.optimizers.LossScaleOptimizer. There a scale beyond 2^127 becomes infinite and training ends; here
    it stays.
    """

    LARGEST = 2.0**127
    t: int = 0
    epoch: int = 0

    def __init__(
        self, inner: Optimizer, initial_scale: float = 2.0**15, dynamic_growth_steps: int = 2000
    ) -> None:
        super().__init__()
        if initial_scale <= 0 or dynamic_growth_steps < 1:
            raise ValueError("initial_scale has to be above 0, dynamic_growth_steps 1 or more")
        self.inner, self.scale, self.dynamic_growth_steps = inner, float(initial_scale), dynamic_growth_steps
        self.counter = 0

    @property
    def lr(self) -> float:
        """The rate of the inner optimizer."""
        return self.inner.lr

    @lr.setter
    def lr(self, rate: Any) -> None:
        self.inner.lr = rate

    def setup(self, link: chainer.Link, *, only: Any = None, views: Views | None = None) -> LossScale:
        """As of the inner optimizer."""
        super().setup(link)
        self.inner.setup(link, only=only, views=views)
        self.counter = 0
        return self

    def scale_loss(self, loss: Any) -> Any:
        """The loss to call ``backward`` of."""
        return loss * self.scale

    def update(self, lossfun: Any = None, *args: Any, **kwds: Any) -> None:
        """One step, or none where a gradient is not finite."""
        if lossfun is not None:
            loss = lossfun(*args, **kwds)
            self.inner.objective(loss)
            self.target.cleargrads()
            loss.backward(loss_scale=self.scale)
            del loss
        self._check_set_up()
        params = [p for _, p in self.inner.owned() if p.grad is not None]
        for param in params:
            param.grad /= self.scale if param._loss_scale is None else param._loss_scale
            param._loss_scale = None
        self.call_hooks("pre")
        if all(bool(p.xp.isfinite(p.grad).all()) for p in params):
            self.inner.update()
            self.counter += 1
            if self.counter == self.dynamic_growth_steps:
                self.scale, self.counter = min(self.scale * 2, self.LARGEST), 0
        else:
            self.scale, self.counter = self.scale / 2, 0
        self.t += 1
        self.call_hooks("post")

    def new_epoch(self, auto: bool = False) -> None:
        """Also of the inner optimizer."""
        super().new_epoch(auto)
        self.inner.epoch = self.epoch

    def serialize(self, serializer: Any) -> None:
        """The inner optimizer, the scale and the counter."""
        self.inner.serialize(serializer["inner"])
        self.t = int(serializer("t", self.t))
        self.epoch = int(serializer("epoch", self.epoch))
        self.scale = float(serializer("scale", self.scale))
        self.counter = int(serializer("counter", self.counter))
