"""Rules by the gradient and one running mean of it: SGD, Lion."""

from __future__ import annotations

from typing import Any, Unpack

from chainer.optimizer import HyperparameterProxy

from kchainer.optimizers.base import Optimizer, Options, Rate, Rule


class SGDRule(Rule):
    """v = momentum * v - rate * g; w += v, or w += momentum * v - rate * g with ``nesterov``."""

    def step(self, xp: Any, w: Any, g: Any, rate: float, hp: Any, state: dict[str, Any]) -> None:
        change = g * -rate
        if self.slots:
            v = state["momentum"]
            v *= hp.momentum
            v += change
            change = v * hp.momentum + change if hp.nesterov else v
        w += change


class SGD(Optimizer):
    """Gradient descent. Chainer's NesterovAG is another rule than ``nesterov``.

    Source: keras.optimizers.SGD, the same rule in all releases.
    """

    rule = SGDRule
    momentum = HyperparameterProxy("momentum")

    def __init__(
        self,
        learning_rate: Rate = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, {"momentum": momentum, "nesterov": nesterov}, options)

    @property
    def slots(self) -> tuple[str, ...]:
        return ("momentum",) if self.hyperparam.momentum else ()


class LionRule(Rule):
    """w -= rate * sign(beta_1 * m + (1 - beta_1) * g); m = beta_2 * m + (1 - beta_2) * g."""

    def step(self, xp: Any, w: Any, g: Any, rate: float, hp: Any, state: dict[str, Any]) -> None:
        m = state["momentum"]
        w -= rate * xp.sign(m * hp.beta_1 + g * (1 - hp.beta_1))
        m *= hp.beta_2
        m += g * (1 - hp.beta_2)


class Lion(Optimizer):
    """Signs of an interpolated momentum. Source: keras.optimizers.Lion; Chen et al. 2023, arXiv:2302.06675."""

    rule = LionRule
    beta_1 = HyperparameterProxy("beta_1")
    beta_2 = HyperparameterProxy("beta_2")

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, {"beta_1": beta_1, "beta_2": beta_2}, options)

    @property
    def slots(self) -> tuple[str, ...]:
        return ("momentum",)
