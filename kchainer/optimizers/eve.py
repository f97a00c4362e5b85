"""Eve: Adam whose rate follows the objective."""

from __future__ import annotations

from typing import Any, Unpack

import chainer
from chainer.optimizer import HyperparameterProxy

from kchainer.optimizers.base import Optimizer, Options, Rate, Rule
from kchainer.optimizers.moments import Moments, follow


class EveRule(Rule):
    """w -= rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) * m / (d * sqrt(v) + epsilon)."""

    def step(self, xp: Any, w: Any, g: Any, rate: float, hp: Any, state: dict[str, Any]) -> None:
        m, v = state["momentum"], state["velocity"]
        follow(m, g, hp.beta_1)
        follow(v, g * g, hp.beta_2)
        t = hp.iteration + 1
        factor = rate * (1 - hp.beta_2**t) ** 0.5 / (1 - hp.beta_1**t)
        w -= m * factor / (hp.d * xp.sqrt(v) + hp.epsilon)


class Eve(Moments):
    """Adam whose rate is divided by ``d``, a running mean of the objective's relative change.

    It needs the loss: ``update(lossfun, ...)`` sees it, otherwise set ``objective_value`` before ``update()``.
    Source: Koushik & Hayashi 2016, arXiv:1611.01505.
    """

    rule = EveRule
    beta_3 = HyperparameterProxy("beta_3")

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        beta_3: float = 0.999,
        epsilon: float = 1e-8,
        lower_threshold: float = 0.1,
        upper_threshold: float = 10.0,
        **options: Unpack[Options],
    ) -> None:
        hyper = {
            "beta_1": beta_1,
            "beta_2": beta_2,
            "beta_3": beta_3,
            "epsilon": epsilon,
            "lower_threshold": lower_threshold,
            "upper_threshold": upper_threshold,
            "d": 1.0,
        }
        super().__init__(learning_rate, hyper, options)
        self.followed = 0.0  # the objective, each change kept within the thresholds
        self.objective_value: float | None = None

    def setup(self, link: chainer.Link, **how: Any) -> Optimizer:
        """As of the base; what is known of the objective is forgotten."""
        self.hyperparam.d, self.followed, self.objective_value = 1.0, 0.0, None
        return super().setup(link, **how)

    def objective(self, loss: Any) -> None:
        """Remember the loss of this step."""
        self.objective_value = float(loss.array)

    def begin(self, params: list[Any]) -> None:
        if self.objective_value is None:
            raise RuntimeError("Eve needs the loss: call update(lossfun, ...), or set objective_value first")
        value, self.objective_value = self.objective_value, None
        hp = self.hyperparam
        if hp.iteration == 0:
            self.followed = value
            return
        lower, upper = hp.lower_threshold + 1, hp.upper_threshold + 1
        least, most = (lower, upper) if value > self.followed else (1 / upper, 1 / lower)
        before = self.followed
        self.followed = min(max(value / (before + 1e-12), least), most) * before
        change = abs(self.followed - before) / (min(self.followed, before) + 1e-12)
        hp.d += (1 - hp.beta_3) * (change - hp.d)

    def serialize(self, serializer: Any) -> None:
        """Chainer's, and what is known of the objective."""
        super().serialize(serializer)
        self.hyperparam.d = float(serializer("d", self.hyperparam.d))
        self.followed = float(serializer("followed", self.followed))
