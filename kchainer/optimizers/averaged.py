"""AdamW without a schedule, by averaging: Keras 3.15's ScheduleFreeAdamW."""

from __future__ import annotations

from typing import Any, Unpack

from kchainer.optimizers.base import Optimizer, Options, Rate, Rule


class ScheduleFreeAdamWRule(Rule):
    """z -= rate * g / root; x = mean of all z; w = (1 - beta_1) * z + beta_1 * x. ``momentum`` holds z."""

    def start(self, slot: str, w: Any) -> Any:
        return w.copy() if slot == "momentum" else super().start(slot, w)

    def step(self, xp: Any, w: Any, g: Any, rate: float, hp: Any, state: dict[str, Any]) -> None:
        z, v = state["momentum"], state["velocity"]
        t = hp.iteration + 1
        if hp.warmup_steps > 0:
            rate *= min(t / hp.warmup_steps, 1)
        v *= hp.beta_2
        v += (1 - hp.beta_2) * (g * g)
        x = (w - (1 - hp.beta_1) * z) / hp.beta_1
        z -= rate * g / (xp.sqrt(v * (1 / (1 - hp.beta_2**t))) + hp.epsilon)
        x = (1 - 1 / t) * x + z / t
        w[...] = (1 - hp.beta_1) * z + hp.beta_1 * x


class ScheduleFreeAdamW(Optimizer):
    """Adam whose weights stand between the newest point and the mean of all.

    Keras on PyTorch changes the old z before it is used; this is the rule as Keras on JAX computes it.
    Source: keras.optimizers.ScheduleFreeAdamW (3.15); Defazio et al. 2024, arXiv:2405.15682.
    """

    rule = ScheduleFreeAdamWRule

    def __init__(
        self,
        learning_rate: Rate = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
        **options: Unpack[Options],
    ) -> None:
        hyper = {"beta_1": beta_1, "beta_2": beta_2, "epsilon": epsilon, "warmup_steps": warmup_steps}
        super().__init__(learning_rate, hyper, options)

    @property
    def slots(self) -> tuple[str, ...]:
        return ("momentum", "velocity")
