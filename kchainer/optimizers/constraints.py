"""Constraints of parameters, as a hook that runs after each update. Axes count in the source's layout."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Protocol

import chainer

from kchainer.optimizers.views import SAME, Views

Axes = int | tuple[int, ...]


class Constraint(Protocol):
    """An array that a weight is brought back to."""

    def __call__(self, w: Any) -> Any:
        """The nearest array that is allowed, in the shape of ``w``."""


def _norm(w: Any, axis: Axes) -> Any:
    xp = chainer.backend.get_array_module(w)
    return xp.sqrt((w * w).sum(axis=axis, keepdims=True))


@dataclasses.dataclass(frozen=True, slots=True)
class MaxNorm:
    """w * clip(n, 0, max_value) / (epsilon + n), n being the norm over ``axis``."""

    max_value: float = 2.0
    axis: Axes = 0
    epsilon: float = 1e-7

    def __call__(self, w: Any) -> Any:
        n = _norm(w, self.axis)
        return w * (n.clip(0, self.max_value) / (self.epsilon + n))


@dataclasses.dataclass(frozen=True, slots=True)
class MinMaxNorm:
    """w * (rate * clip(n, min_value, max_value) + (1 - rate) * n) / (epsilon + n)."""

    min_value: float = 0.0
    max_value: float = 1.0
    rate: float = 1.0
    axis: Axes = 0
    epsilon: float = 1e-7

    def __call__(self, w: Any) -> Any:
        n = _norm(w, self.axis)
        wanted = self.rate * n.clip(self.min_value, self.max_value) + (1 - self.rate) * n
        return w * (wanted / (self.epsilon + n))


@dataclasses.dataclass(frozen=True, slots=True)
class UnitNorm:
    """w / (epsilon + n)."""

    axis: Axes = 0
    epsilon: float = 1e-7

    def __call__(self, w: Any) -> Any:
        return w / (self.epsilon + _norm(w, self.axis))


@dataclasses.dataclass(frozen=True, slots=True)
class NonNeg:
    """max(w, 0)."""

    def __call__(self, w: Any) -> Any:
        return w * (w >= 0)


@dataclasses.dataclass(frozen=True, slots=True)
class Radial:
    """A square window whose rings are equal: each gets the number that stands on the diagonal beyond the middle.

    As in tf.keras, an odd window takes its middle from the number before it, and the first ring the middle's own.
    Raises: ValueError for a window that is not square, of one pixel, or not the first two of four axes.
    """

    def __call__(self, w: Any) -> Any:
        if w.ndim != 4 or w.shape[0] != w.shape[1] or w.shape[0] < 2:
            raise ValueError(
                f"expected a square window of 2 or more and two more axes, found shape {w.shape}"
            )
        n, start = w.shape[0], w.shape[0] // 2
        odd = n % 2
        out = chainer.backend.get_array_module(w).empty_like(w)
        diagonal = [start - 1, *range(start + 1 - odd, 2 * start)]  # from the middle out
        for ring, at in enumerate(reversed(diagonal)):
            out[ring : n - ring, ring : n - ring] = w[at, at]
        return out


class Constrain:
    """Hook for ``optimizer.add_hook``: brings parameters, by path, back to what their constraint allows.

    It runs after the update, and leaves frozen parameters alone.
    """

    name = "Constrain"
    timing = "post"
    call_for_each_param = False

    def __init__(self, constraints: Mapping[str, Constraint], views: Views | None = None) -> None:
        self.constraints, self.views = dict(constraints), dict(views or {})

    def __call__(self, optimizer: Any) -> None:
        """Apply all."""
        params = dict(optimizer.target.namedparams())
        for path, constraint in self.constraints.items():
            param = params.get(path)
            if param is None:
                raise KeyError(f"{path} is no parameter of the target")
            rule = param.update_rule
            if rule is not None and rule.enabled:
                view = self.views.get(path, SAME)
                param.array[...] = view.physical(constraint(view.logical(param.array)), param.shape)
