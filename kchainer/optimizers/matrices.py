"""Rules that look at rows and columns: Adafactor, Muon. They need the view of a parameter, see ``View``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from kchainer.optimizers.base import Optimizer, Options, Rate, Rule, Searched, is_found
from kchainer.optimizers.moments import follow


def _rms(xp: Any, x: Any) -> Any:
    return xp.sqrt((x * x).mean())


class AdafactorRule(Rule):
    """Division by the product of row and column means of squares; steps relative to the weights' size."""

    by_axes = True

    def start(self, slot: str, w: Any) -> Any:
        shapes = {"r": w.shape[:-1], "c": w.shape[:-2] + w.shape[-1:], "velocity": w.shape}
        xp_zeros = super().start(slot, w)
        # Keras keeps a number in place of the means of a vector
        shape = shapes[slot] if w.ndim >= 2 or slot == "velocity" else ()
        return xp_zeros if shape == w.shape else xp_zeros.ravel()[:1].repeat(_size(shape)).reshape(shape)

    def step(self, xp: Any, w: Any, g: Any, rate: float, hp: Any, state: dict[str, Any]) -> None:
        r, c, v = state["r"], state["c"], state["velocity"]
        t = hp.iteration + 1
        square = g * g + hp.epsilon_1
        beta = 1 - t**hp.beta_2_decay
        if w.ndim >= 2:
            follow(r, square.mean(axis=-1), beta)
            follow(c, square.mean(axis=-2), beta)
            v[...] = (r / r.mean(axis=-1, keepdims=True))[..., None] * c[..., None, :]
        else:
            follow(v, square, beta)
        change = g / xp.sqrt(v)
        change /= xp.maximum(1, _rms(xp, change) / hp.clip_threshold)
        w -= xp.maximum(hp.epsilon_2, _rms(xp, w)) * min(rate, t**-0.5) * change


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for n in shape:
        size *= n
    return size


class Adafactor(Optimizer):
    """Factored second moments.

    The rate is at most 1 / sqrt(t) in any case: Keras's ``relative_step`` changes nothing, so there is none here.
    Source: keras.optimizers.Adafactor; Shazeer & Stern 2018, arXiv:1804.04235.
    """

    rule = AdafactorRule

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        **options: Unpack[Options],
    ) -> None:
        hyper = {
            "beta_2_decay": beta_2_decay,
            "epsilon_1": epsilon_1,
            "epsilon_2": epsilon_2,
            "clip_threshold": clip_threshold,
        }
        super().__init__(learning_rate, hyper, options)

    @property
    def slots(self) -> tuple[str, ...]:
        return ("r", "c", "velocity")


def orthogonalized(xp: Any, x: Any, steps: int, a: float, b: float, c: float) -> Any:
    """The Newton-Schulz iteration of Muon: a matrix with about the same singular vectors, values near 1.

    Of more than two axes, the last two are matrices.
    """
    turned = x.shape[-2] > x.shape[-1]
    x = x.swapaxes(-1, -2) if turned else x
    x = x / (xp.sqrt((x * x).sum(axis=(-2, -1), keepdims=True)) + 1e-7)
    for _ in range(steps):
        square = x @ x.swapaxes(-1, -2)
        x = a * x + (b * square + c * (square @ square)) @ x
    return x.swapaxes(-1, -2) if turned else x


class MuonRule(Rule):
    """Orthogonalized momentum for matrices, Adam for everything else."""

    by_axes = True

    def uses_adam(self, ndim: int) -> bool:
        """Whether this parameter is none of Muon's matrices."""
        hp = self.hyperparam
        is_embedding = hp.exclude_embeddings and "embedding" in self.name.lower()
        return ndim not in hp.ranks or is_embedding or any(is_found(p, self.name) for p in hp.exclude_layers)

    def start(self, slot: str, w: Any) -> Any:
        zeros = super().start(slot, w)
        needed = slot == "momentum" or self.uses_adam(w.ndim)
        return zeros if needed else zeros.ravel()[:1].reshape(()).copy()

    def weight_decay(self) -> float | None:
        hp = self.hyperparam
        ndim = len(self.view.shape) if self.view.shape is not None else self.ndim
        value: float | None = hp.adam_weight_decay if self.uses_adam(ndim) else hp.weight_decay
        return value

    def update_core_cpu(self, param: Any) -> None:
        self.ndim = param.ndim
        super().update_core_cpu(param)

    update_core_gpu = update_core_cpu

    def step(self, xp: Any, w: Any, g: Any, rate: float, hp: Any, state: dict[str, Any]) -> None:
        m = state["momentum"]
        if self.uses_adam(w.ndim):
            self._adam(xp, w, g, rate * hp.adam_lr_ratio, hp, m, state["velocity"])
            return
        m *= hp.momentum
        m += g
        change = orthogonalized(
            xp, g + hp.momentum * m if hp.nesterov else m, hp.ns_steps, hp.muon_a, hp.muon_b, hp.muon_c
        )
        w -= (rate * self.size(w.shape)) * change

    def size(self, shape: tuple[int, ...]) -> float:
        """The factor of a matrix's step."""
        hp = self.hyperparam
        if hp.ratio_scale:
            return float(max(1, shape[0] / shape[1]) ** 0.5)
        return 1.0 if hp.rms_rate is None else float(max(shape[:2]) ** 0.5 * hp.rms_rate)

    def _adam(self, xp: Any, w: Any, g: Any, rate: float, hp: Any, m: Any, v: Any) -> None:
        t = hp.iteration + 1
        follow(m, g, hp.adam_beta_1)
        follow(v, g * g, hp.adam_beta_2)
        factor = rate * (1 - hp.adam_beta_2**t) ** 0.5 / (1 - hp.adam_beta_1**t)
        w -= m * factor / (xp.sqrt(v) + hp.epsilon)


class Muon(Optimizer):
    """Momentum orthogonalized by Newton-Schulz steps for matrices; Adam for the rest.

    Left to Adam: what is no matrix, embeddings (by name) unless ``exclude_embeddings`` is off, and names in which a
    pattern of ``exclude_layers`` is found. ``weight_decay`` is for Muon's matrices, ``adam_weight_decay`` for the
    rest. Steps are scaled by rms_rate * sqrt(max(rows, columns)), or with ``ratio_scale`` by sqrt(max(1, rows /
    columns)) (Keras 3.12, where ``ranks`` were 2 and 3). Source: keras.optimizers.Muon; Jordan 2024; Liu et al. 2025, arXiv:2502.16982.
    """

    rule = MuonRule

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-7,
        exclude_layers: Sequence[Searched] = (),
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.775,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1.0,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
        ratio_scale: bool = False,
        ranks: tuple[int, ...] = (2,),
        **options: Unpack[Options],
    ) -> None:
        hyper = {
            "adam_beta_1": adam_beta_1,
            "adam_beta_2": adam_beta_2,
            "adam_weight_decay": adam_weight_decay,
            "epsilon": epsilon,
            "exclude_layers": tuple(exclude_layers),
            "exclude_embeddings": exclude_embeddings,
            "muon_a": muon_a,
            "muon_b": muon_b,
            "muon_c": muon_c,
            "adam_lr_ratio": adam_lr_ratio,
            "momentum": momentum,
            "ns_steps": ns_steps,
            "nesterov": nesterov,
            "rms_rate": rms_rate,
            "ratio_scale": ratio_scale,
            "ranks": tuple(ranks),
        }
        given: Options = {"weight_decay": 0.004, **options}
        super().__init__(learning_rate, hyper, given)

    @property
    def slots(self) -> tuple[str, ...]:
        return ("momentum", "velocity")
