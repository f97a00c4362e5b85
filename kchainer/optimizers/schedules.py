"""Learning rates as functions of the step, counted from 0. Source: keras.optimizers.schedules."""

from __future__ import annotations

import bisect
import dataclasses
import math
from typing import Any, Protocol

import chainer
import numpy as np


class Schedule(Protocol):
    """A learning rate for each step."""

    def __call__(self, step: int) -> float:
        """The rate of a step."""


def _positive(name: str, value: float) -> None:
    if value <= 0:
        raise ValueError(f"{name} has to be above 0")


@dataclasses.dataclass(frozen=True, slots=True)
class ExponentialDecay:
    """initial * decay_rate ** (step / decay_steps); ``staircase`` takes the whole part of the exponent."""

    initial_learning_rate: float
    decay_steps: float
    decay_rate: float
    staircase: bool = False

    def __post_init__(self) -> None:
        _positive("decay_steps", self.decay_steps)

    def __call__(self, step: int) -> float:
        p = step / self.decay_steps
        return self.initial_learning_rate * float(self.decay_rate) ** (math.floor(p) if self.staircase else p)


@dataclasses.dataclass(frozen=True, slots=True)
class InverseTimeDecay:
    """initial / (1 + decay_rate * step / decay_steps); ``staircase`` takes the whole part of the quotient."""

    initial_learning_rate: float
    decay_steps: float
    decay_rate: float
    staircase: bool = False

    def __post_init__(self) -> None:
        _positive("decay_steps", self.decay_steps)

    def __call__(self, step: int) -> float:
        p = step / self.decay_steps
        return self.initial_learning_rate / (1 + self.decay_rate * (math.floor(p) if self.staircase else p))


@dataclasses.dataclass(frozen=True, slots=True)
class PiecewiseConstantDecay:
    """values[i] up to and with boundaries[i], the last value after all of them."""

    boundaries: tuple[float, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.values) != len(self.boundaries) + 1:
            raise ValueError("expected one value more than boundaries")

    def __call__(self, step: int) -> float:
        return self.values[bisect.bisect_left(self.boundaries, step)]


@dataclasses.dataclass(frozen=True, slots=True)
class PolynomialDecay:
    """(initial - end) * (1 - step / decay_steps) ** power + end; ``cycle`` begins anew, longer each time."""

    initial_learning_rate: float
    decay_steps: float
    end_learning_rate: float = 1e-4
    power: float = 1.0
    cycle: bool = False

    def __post_init__(self) -> None:
        _positive("decay_steps", self.decay_steps)

    def __call__(self, step: int) -> float:
        steps = self.decay_steps
        if self.cycle:
            steps *= max(math.ceil(step / steps), 1)
        p = min(step, steps) / steps
        end = self.end_learning_rate
        return (self.initial_learning_rate - end) * math.pow(1 - p, self.power) + end


def _cosine(fraction: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * fraction))


@dataclasses.dataclass(frozen=True, slots=True)
class CosineDecay:
    """Half a cosine from initial to alpha times it.

    With ``warmup_target`` the rate first goes there in a line for ``warmup_steps``, and falls from there.
    """

    initial_learning_rate: float
    decay_steps: float
    alpha: float = 0.0
    warmup_target: float | None = None
    warmup_steps: float = 0

    def __post_init__(self) -> None:
        _positive("decay_steps", self.decay_steps)

    def __call__(self, step: int) -> float:
        start, first = self.initial_learning_rate, 0.0
        if self.warmup_target is not None:
            first = self.warmup_steps
            if step < first:
                return (self.warmup_target - start) * (step / first) + start
            start = self.warmup_target
        fraction = min(step - first, self.decay_steps) / self.decay_steps
        return start * ((1 - self.alpha) * _cosine(fraction) + self.alpha)


@dataclasses.dataclass(frozen=True, slots=True)
class CosineDecayRestarts:
    """Half cosines, each t_mul times as long and m_mul times as high as the one before."""

    initial_learning_rate: float
    first_decay_steps: float
    t_mul: float = 2.0
    m_mul: float = 1.0
    alpha: float = 0.0

    def __post_init__(self) -> None:
        _positive("first_decay_steps", self.first_decay_steps)
        if self.t_mul < 1:  # Keras's rate becomes NaN once the shrinking periods are used up
            raise ValueError("t_mul has to be 1 or more")

    def __call__(self, step: int) -> float:
        restarts, fraction = self._period(np.float32(step) / np.float32(self.first_decay_steps))
        height = float(self.m_mul) ** restarts
        return self.initial_learning_rate * ((1 - self.alpha) * height * _cosine(fraction) + self.alpha)

    def _period(self, done: np.float32) -> tuple[int, float]:
        """How many restarts there were, and the part of this period that is done.

        In float32 as in Keras: where it rounds down just at a restart, this rounds down too, for the old period's
        last rate and the new one's first are far apart.
        """
        if self.t_mul == 1:
            return int(done), float(done - np.floor(done))
        one, t_mul = np.float32(1), np.float32(self.t_mul)
        restarts = np.floor(np.log(one - done * (one - t_mul)) / np.log(t_mul))
        begun = (one - t_mul**restarts) / (one - t_mul)
        return int(restarts), float((done - begun) / t_mul**restarts)


@dataclasses.dataclass(frozen=True, slots=True)
class LinearCosineDecay:
    """initial * ((alpha + what is left of the steps) * a cosine of num_periods + beta).

    Source: tf.keras.experimental.LinearCosineDecay; Bello et al. 2017, arXiv:1709.07417.
    """

    initial_learning_rate: float
    decay_steps: float
    num_periods: float = 0.5
    alpha: float = 0.0
    beta: float = 0.001

    def __post_init__(self) -> None:
        _positive("decay_steps", self.decay_steps)

    def __call__(self, step: int) -> float:
        done = min(step, self.decay_steps) / self.decay_steps
        share = (self.alpha + 1 - done) * _cosine(2 * self.num_periods * done) + self.beta
        return self.initial_learning_rate * share


class ScheduleRate(chainer.training.Extension):
    """Trainer extension: sets ``attr`` of the optimizer to ``schedule(step)`` before each iteration.

    For any optimizer of Chainer; those of this package take a schedule as their learning rate themselves. Counts
    the optimizer's own steps, so that it needs no state. Source: keras.callbacks.LearningRateScheduler.
    """

    trigger = (1, "iteration")
    priority = chainer.training.PRIORITY_EDITOR

    def __init__(self, schedule: Schedule, attr: str = "lr", optimizer: str = "main") -> None:
        self.schedule, self.attr, self.optimizer = schedule, attr, optimizer

    def initialize(self, trainer: Any) -> None:
        """Set the rate of the first step."""
        self(trainer)

    def __call__(self, trainer: Any) -> None:
        """Set the rate of the step to come."""
        optimizer = trainer.updater.get_optimizer(self.optimizer)
        setattr(optimizer, self.attr, self.schedule(optimizer.t))
