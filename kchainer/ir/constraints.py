"""What params are brought back to after each update. Axes are those of the param's own (Keras's) layout."""

from __future__ import annotations

from typing import Any

from kchainer.ir.definition import Setting, described
from kchainer.ir.op import attr

CONSTRAINTS: dict[str, Any] = {}
AXES = "over which the norm is taken"


class Constraint(Setting):
    """Base of all constraints."""

    __slots__ = ()

    def fits(self, shape: tuple[int, ...]) -> str | None:
        axes: tuple[int, ...] = getattr(self, "axes", ())
        return (
            f"axes {axes} are not all axes of {shape}" if any(not 0 <= a < len(shape) for a in axes) else None
        )


@described(CONSTRAINTS)
class MaxNorm(Constraint):
    """w * clip(n, 0, max) / (1e-7 + n), n being the norm over ``axes``. Source: keras.constraints.MaxNorm."""

    max: float = attr(doc="largest norm", spec=2.0, minimum=0)
    axes: tuple[int, ...] = attr(doc=AXES, spec=(0,), minimum=0)


@described(CONSTRAINTS)
class MinMaxNorm(Constraint):
    """w * (rate * clip(n, min, max) + (1 - rate) * n) / (1e-7 + n). Source: keras.constraints.MinMaxNorm."""

    min: float = attr(doc="least norm", spec=0.0, minimum=0)
    max: float = attr(doc="largest norm", spec=1.0, minimum=0)
    rate: float = attr(doc="how much of the way is gone each time", spec=1.0)
    axes: tuple[int, ...] = attr(doc=AXES, spec=(0,), minimum=0)


@described(CONSTRAINTS)
class UnitNorm(Constraint):
    """w / (1e-7 + n). Source: keras.constraints.UnitNorm."""

    axes: tuple[int, ...] = attr(doc=AXES, spec=(0,), minimum=0)


@described(CONSTRAINTS)
class NonNeg(Constraint):
    """max(w, 0). Source: keras.constraints.NonNeg."""


@described(CONSTRAINTS)
class Radial(Constraint):
    """A square window made equal at equal distance from its middle.

    Source: tf.keras.constraints.RadialConstraint.
    """

    def fits(self, shape: tuple[int, ...]) -> str | None:
        is_window = len(shape) == 4 and shape[0] == shape[1] and shape[0] > 1
        return None if is_window else f"{shape} has no square window of 2 or more"
