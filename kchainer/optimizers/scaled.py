"""Rules that divide the gradient by a root of its squares: RMSprop, Adagrad, Adadelta, Ftrl."""

from __future__ import annotations

from typing import Any, Unpack

from chainer.optimizer import HyperparameterProxy

from kchainer.optimizers.base import Optimizer, Options, Rate, Rule


def _root(xp: Any, a: Any, hp: Any) -> Any:
    return xp.sqrt(a + hp.epsilon) if hp.eps_inside_sqrt else xp.sqrt(a) + hp.epsilon


class RMSpropRule(Rule):
    """a = rho * a + (1 - rho) * g^2; c likewise of g if centered; w -= rate * g / root(a [- c^2]), or momentum."""

    def step(self, xp: Any, w: Any, g: Any, rate: float, hp: Any, state: dict[str, Any]) -> None:
        a = state["velocity"]
        a *= hp.rho
        a += (1 - hp.rho) * (g * g)
        if hp.centered:
            mean = state["average_gradient"]
            mean *= hp.rho
            mean += (1 - hp.rho) * g
            a = a - mean * mean
        change = rate * g / _root(xp, a, hp)
        if "momentum" in self.slots:
            m = state["momentum"]
            m *= hp.momentum
            m += change
            change = m
        w -= change


class RMSprop(Optimizer):
    """Division by a running mean of squares.

    ``eps_inside_sqrt``: rate * g / sqrt(a + epsilon) (Keras since 2.11, and tf.keras before with momentum), else
    rate * g / (sqrt(a) + epsilon). Source: keras.optimizers.RMSprop.
    """

    rule = RMSpropRule
    rho = HyperparameterProxy("rho")
    momentum = HyperparameterProxy("momentum")
    epsilon = HyperparameterProxy("epsilon")

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        eps_inside_sqrt: bool = True,
        **options: Unpack[Options],
    ) -> None:
        hyper = {"rho": rho, "momentum": momentum, "epsilon": epsilon, "centered": centered}
        super().__init__(learning_rate, {**hyper, "eps_inside_sqrt": eps_inside_sqrt}, options)

    @property
    def slots(self) -> tuple[str, ...]:
        hp = self.hyperparam
        more = ("momentum",) * (hp.momentum > 0) + ("average_gradient",) * hp.centered
        return ("velocity", *more)


class AdagradRule(Rule):
    """a += g^2; w -= rate * g / root(a)."""

    def start(self, slot: str, w: Any) -> Any:
        return super().start(slot, w) + w.dtype.type(self.hyperparam.initial_accumulator_value)

    def step(self, xp: Any, w: Any, g: Any, rate: float, hp: Any, state: dict[str, Any]) -> None:
        a = state["accumulator"]
        a += g * g
        w -= rate * g / _root(xp, a, hp)


class Adagrad(Optimizer):
    """Division by the root of all squares so far.

    ``initial_accumulator_value`` is 0 in Keras before tf.keras; ``eps_inside_sqrt`` as in RMSprop, since 2.11.
    Source: keras.optimizers.Adagrad.
    """

    rule = AdagradRule
    epsilon = HyperparameterProxy("epsilon")

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        eps_inside_sqrt: bool = True,
        **options: Unpack[Options],
    ) -> None:
        hyper = {"initial_accumulator_value": initial_accumulator_value, "epsilon": epsilon}
        super().__init__(learning_rate, {**hyper, "eps_inside_sqrt": eps_inside_sqrt}, options)

    @property
    def slots(self) -> tuple[str, ...]:
        return ("accumulator",)


class AdadeltaRule(Rule):
    """d = g * sqrt(D + epsilon) / sqrt(a + epsilon); w -= rate * d; D = rho * D + (1 - rho) * d^2."""

    def step(self, xp: Any, w: Any, g: Any, rate: float, hp: Any, state: dict[str, Any]) -> None:
        a, total = state["accumulated_grad"], state["accumulated_delta_var"]
        a *= hp.rho
        a += (1 - hp.rho) * (g * g)
        d = g * xp.sqrt(total + hp.epsilon) / xp.sqrt(a + hp.epsilon)
        total *= hp.rho
        total += (1 - hp.rho) * (d * d)
        w -= rate * d


class Adadelta(Optimizer):
    """Steps as large as the steps before. Chainer's AdaDelta has no rate.

    Source: keras.optimizers.Adadelta, the same rule in all releases.
    """

    rule = AdadeltaRule
    rho = HyperparameterProxy("rho")
    epsilon = HyperparameterProxy("epsilon")

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, {"rho": rho, "epsilon": epsilon}, options)

    @property
    def slots(self) -> tuple[str, ...]:
        return ("accumulated_grad", "accumulated_delta_var")


class FtrlRule(Rule):
    """Follow the regularized leader, with a = sum of squares and z, see ``step``; p is learning_rate_power."""

    def start(self, slot: str, w: Any) -> Any:
        first = self.hyperparam.initial_accumulator_value if slot == "accumulator" else 0
        return super().start(slot, w) + w.dtype.type(first)

    def step(self, xp: Any, w: Any, g: Any, rate: float, hp: Any, state: dict[str, Any]) -> None:
        a, z = state["accumulator"], state["linear"]
        after = a + g * g
        root, before = after**-hp.learning_rate_power, a**-hp.learning_rate_power
        z += g + 2 * hp.l2_shrinkage_regularization_strength * w - (root - before) / rate * w
        l1, l2 = hp.l1_regularization_strength, hp.l2_regularization_strength + hp.beta / (2 * rate)
        w[...] = (xp.clip(z, -l1, l1) - z) / (root / rate + 2 * l2)
        a[...] = after


class Ftrl(Optimizer):
    """Follow the regularized leader. Source: keras.optimizers.Ftrl; McMahan et al. 2013."""

    rule = FtrlRule

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        **options: Unpack[Options],
    ) -> None:
        hyper = {
            "learning_rate_power": learning_rate_power,
            "initial_accumulator_value": initial_accumulator_value,
            "l1_regularization_strength": l1_regularization_strength,
            "l2_regularization_strength": l2_regularization_strength,
            "l2_shrinkage_regularization_strength": l2_shrinkage_regularization_strength,
            "beta": beta,
        }
        super().__init__(learning_rate, hyper, options)

    @property
    def slots(self) -> tuple[str, ...]:
        return ("accumulator", "linear")
