"""Several optimizers that share a target, as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import chainer

from kchainer.optimizers.loss_scale import LossScale


class Several(chainer.Optimizer):
    """Updates with each of ``optimizers``, which are set up and own different parameters of ``target``.

    Hooks added here run around all of them.
    """

    t: int = 0
    epoch: int = 0

    def __init__(self, target: chainer.Link, optimizers: Sequence[Any]) -> None:
        super().__init__()
        if any(isinstance(one, LossScale) for one in optimizers):
            raise TypeError("a loss scale goes around the only optimizer of a loss")
        self.optimizers = tuple(optimizers)
        super().setup(target)

    def update(self, lossfun: Any = None, *args: Any, **kwds: Any) -> None:
        """One step of each, by the gradients that stand in the parameters or those of ``lossfun(*args, **kwds)``."""
        if lossfun is not None:
            loss = lossfun(*args, **kwds)
            for one in self.optimizers:
                if hasattr(one, "objective"):
                    one.objective(loss)
            self.target.cleargrads()
            loss.backward(loss_scale=self.optimizers[0]._loss_scale)
            del loss
        self.call_hooks("pre")
        for one in self.optimizers:
            one.update()
        self.t += 1
        self.call_hooks("post")

    def new_epoch(self, auto: bool = False) -> None:
        """Also of each."""
        super().new_epoch(auto)
        for one in self.optimizers:
            one.epoch = self.epoch

    def serialize(self, serializer: Any) -> None:
        """Each under its number."""
        self.t = int(serializer("t", self.t))
        self.epoch = int(serializer("epoch", self.epoch))
        for i, one in enumerate(self.optimizers):
            one.serialize(serializer[str(i)])
