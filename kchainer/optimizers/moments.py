"""Rules by two moments of the gradient: Adam and what came of it."""

from __future__ import annotations

from typing import Any, Unpack

import chainer
from chainer.optimizer import HyperparameterProxy

from kchainer.optimizers.base import Optimizer, Options, Rate, Rule


def follow(mean: Any, value: Any, beta: float) -> None:
    """mean = beta * mean + (1 - beta) * value, in place."""
    mean *= beta
    mean += (1 - beta) * value


class Moments(Optimizer):
    """Base of optimizers that follow the gradient and its square."""

    beta_1 = HyperparameterProxy("beta_1")
    beta_2 = HyperparameterProxy("beta_2")
    epsilon = HyperparameterProxy("epsilon")

    @property
    def slots(self) -> tuple[str, ...]:
        return ("momentum", "velocity")


class _PlainMoments(Moments):
    """Base of those that take nothing else."""

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, {"beta_1": beta_1, "beta_2": beta_2, "epsilon": epsilon}, options)


class AdamRule(Rule):
    """w -= rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) * m / (sqrt(v) + epsilon)."""

    def step(self, xp: Any, w: Any, g: Any, rate: float, hp: Any, state: dict[str, Any]) -> None:
        m, v = state["momentum"], state["velocity"]
        follow(m, g, hp.beta_1)
        follow(v, g * g, hp.beta_2)
        if hp.amsgrad:
            v = xp.maximum(state["velocity_hat"], v, out=state["velocity_hat"])
        t = hp.iteration + 1
        root = (1 - hp.beta_2**t) ** 0.5
        denominator = xp.sqrt(v)
        denominator += hp.epsilon * root if hp.adaptive_epsilon else hp.epsilon
        w -= m * (rate * root / (1 - hp.beta_1**t)) / denominator


class Adam(Moments):
    """Adaptive moments.

    ``adaptive_epsilon``: epsilon is multiplied by sqrt(1 - beta_2^t), which is the paper's first form (an option of
    tf_keras). ``amsgrad`` divides by the largest v so far, not corrected.
    Source: keras.optimizers.Adam, the same rule in all releases; Kingma & Ba 2014, arXiv:1412.6980.
    """

    rule = AdamRule

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        adaptive_epsilon: bool = False,
        **options: Unpack[Options],
    ) -> None:
        hyper = {"beta_1": beta_1, "beta_2": beta_2, "epsilon": epsilon, "amsgrad": amsgrad}
        super().__init__(learning_rate, {**hyper, "adaptive_epsilon": adaptive_epsilon}, options)

    @property
    def slots(self) -> tuple[str, ...]:
        return ("momentum", "velocity", *(("velocity_hat",) if self.hyperparam.amsgrad else ()))


class AdamW(Adam):
    """Adam with ``weight_decay`` 0.004 unless told otherwise. Source: keras.optimizers.AdamW."""

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        adaptive_epsilon: bool = False,
        **options: Unpack[Options],
    ) -> None:
        given: Options = {"weight_decay": 0.004, **options}
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, adaptive_epsilon, **given)


class AdamaxRule(Rule):
    """u = max(beta_2 * u, |g|); w -= rate / (1 - beta_1^t) * m / (u + epsilon)."""

    def step(self, xp: Any, w: Any, g: Any, rate: float, hp: Any, state: dict[str, Any]) -> None:
        m, u = state["momentum"], state["norm"]
        follow(m, g, hp.beta_1)
        u *= hp.beta_2
        xp.maximum(u, xp.abs(g), out=u)
        w -= m * (rate / (1 - hp.beta_1 ** (hp.iteration + 1))) / (u + hp.epsilon)


class Adamax(_PlainMoments):
    """Adam by the largest gradient. Source: keras.optimizers.Adamax, the same rule in all releases."""

    rule = AdamaxRule

    @property
    def slots(self) -> tuple[str, ...]:
        return ("momentum", "norm")


class NadamRule(Rule):
    """Adam's moments with Nesterov's look ahead; ``hp.u_product`` is the product of the momenta so far."""

    number = 0  # of the parameter, counted from 0

    def step(self, xp: Any, w: Any, g: Any, rate: float, hp: Any, state: dict[str, Any]) -> None:
        m, v = state["momentum"], state["velocity"]
        follow(m, g, hp.beta_1)
        follow(v, g * g, hp.beta_2)
        t = hp.iteration + 1
        now, after = warmed(hp.beta_1, t, hp.schedule_decay), warmed(hp.beta_1, t + 1, hp.schedule_decay)
        if hp.product_per_variable and self.number != t - hp.variables:
            hp.parent.u_product *= now
        mean = m * (after / (1 - hp.u_product * after)) + g * ((1 - now) / (1 - hp.u_product))
        root = xp.sqrt(v * (1 / (1 - hp.beta_2**t)))
        root += hp.epsilon
        w -= rate * mean / root


def warmed(beta: float, t: int, schedule_decay: float) -> float:
    """Nadam's momentum of step t, counted from 1."""
    return float(beta * (1 - 0.5 * 0.96 ** (t * schedule_decay)))


class Nadam(Moments):
    """Adam with Nesterov momentum that warms up.

    ``schedule_decay`` scales the exponent of the warming: 0.004 in Keras before tf.keras 2.11, 1 (no such
    argument) since. ``product_per_variable``: the product takes in each step's momentum once for every parameter, in
    the order of the parameters, but for number t - n at step t, n being their count. That is what the compiled
    graph of tf.keras 2.11 to 2.15 does. Source: keras.optimizers.Nadam; Dozat 2016.
    """

    rule = NadamRule

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        schedule_decay: float = 1.0,
        product_per_variable: bool = False,
        **options: Unpack[Options],
    ) -> None:
        hyper = {"beta_1": beta_1, "beta_2": beta_2, "epsilon": epsilon, "schedule_decay": schedule_decay}
        own = {"product_per_variable": product_per_variable, "u_product": 1.0, "variables": 0}
        super().__init__(learning_rate, {**hyper, **own}, options)

    @property
    def u_product(self) -> float:
        """Product of the momenta of all steps so far; a saved file's may be set."""
        return float(self.hyperparam.u_product)

    @u_product.setter
    def u_product(self, value: float) -> None:
        self.hyperparam.u_product = float(value)

    def load_state(self, state: Any, step: int) -> None:
        """As of the base; the product is that of so many steps."""
        super().load_state(state, step)
        hp = self.hyperparam
        count = sum(1 for _ in self.owned())
        for t in range(1, step // (hp.gradient_accumulation_steps or 1) + 1):
            times = count - (0 <= t - count < count) if hp.product_per_variable else 1
            hp.u_product *= warmed(hp.beta_1, t, hp.schedule_decay) ** times

    def setup(self, link: chainer.Link, **how: Any) -> Optimizer:
        """As of the base; the product begins anew."""
        self.hyperparam.u_product = 1.0
        return super().setup(link, **how)

    def begin(self, params: list[Any]) -> None:
        hp = self.hyperparam
        hp.variables = len(params)
        for number, param in enumerate(params):
            param.update_rule.number = number
        if not hp.product_per_variable:
            hp.u_product *= warmed(hp.beta_1, hp.iteration + 1, hp.schedule_decay)

    def serialize(self, serializer: Any) -> None:
        """Chainer's, and the product."""
        super().serialize(serializer)
        self.hyperparam.u_product = float(serializer("u_product", self.hyperparam.u_product))


class LambRule(Rule):
    """w -= rate * |w| / |r| * r with r = Adam's step, both moments corrected; the ratio is 1 if a norm is 0."""

    def step(self, xp: Any, w: Any, g: Any, rate: float, hp: Any, state: dict[str, Any]) -> None:
        m, v = state["momentum"], state["velocity"]
        follow(m, g, hp.beta_1)
        follow(v, g * g, hp.beta_2)
        t = hp.iteration + 1
        root = xp.sqrt(v * (1 / (1 - hp.beta_2**t)))
        root += hp.epsilon
        change = m * (1 / (1 - hp.beta_1**t)) / root
        size, length = xp.sqrt((w * w).sum()), xp.sqrt((change * change).sum())
        ratio = xp.where((size > 0) & (length > 0), size / xp.where(length > 0, length, 1), 1)
        w -= (ratio * rate).astype(w.dtype) * change


class Lamb(_PlainMoments):
    """Layer-wise scaled Adam. Source: keras.optimizers.Lamb; You et al. 2019, arXiv:1904.00962."""

    rule = LambRule

    @property
    def slots(self) -> tuple[str, ...]:
        return ("momentum", "velocity")
