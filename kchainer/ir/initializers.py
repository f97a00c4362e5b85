"""Where params start that no file fills. What releases of Keras draw differently is an attribute."""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

from kchainer.ir.definition import Setting, described
from kchainer.ir.op import attr

INITIALIZERS: dict[str, Any] = {}
# Windows by name, as sums of cosines or by a shape of their own.
Window = Literal[
    "boxcar", "rectangular", "hann", "hamming", "blackman", "blackmanharris", "nuttall", "flattop", "bartlett",
    "cosine",
]  # fmt: skip
WINDOWS: tuple[str, ...] = get_args(Window)


class Initializer(Setting):
    """Base of all initializers."""

    __slots__ = ()


@described(INITIALIZERS)
class Zeros(Initializer):
    """All 0. Source: keras.initializers.Zeros."""


@described(INITIALIZERS)
class Ones(Initializer):
    """All 1. Source: keras.initializers.Ones."""


@described(INITIALIZERS)
class Constant(Initializer):
    """One value everywhere, or stated values. Source: keras.initializers.Constant."""

    value: float | tuple[float, ...] = attr(doc="one number, or all of them in C order", spec=0.0)
    shape: tuple[int, ...] = attr(doc="of a list of values; it is broadcast to the param", spec=(), minimum=0)

    def fits(self, shape: tuple[int, ...]) -> str | None:
        pairs = zip(reversed(self.shape), reversed(shape), strict=False)
        if len(self.shape) > len(shape) or any(a not in (1, b) for a, b in pairs):
            return f"values of shape {self.shape} do not broadcast to {shape}"
        return None


@described(INITIALIZERS)
class RandomUniform(Initializer):
    """Uniform between two bounds. Source: keras.initializers.RandomUniform."""

    low: float = attr(doc="lower bound", spec=-0.05)
    high: float = attr(doc="upper bound", spec=0.05)
    seed: int | None = attr(doc="the same values each time; null: chance", spec=None)


@described(INITIALIZERS)
class RandomNormal(Initializer):
    """Normal, perhaps drawn again beyond two deviations.

    Source: keras.initializers.RandomNormal, TruncatedNormal.
    """

    mean: float = attr(doc="middle", spec=0.0)
    stddev: float = attr(doc="deviation before the cut", spec=0.05, minimum=0)
    truncated: bool = attr(doc="no value beyond two deviations: they are drawn again", spec=False)
    clip: bool = attr(
        doc="values beyond two deviations become two deviations, and are not drawn again (Keras 2.0 and 2.1 on Theano)",
        spec=False,
    )
    seed: int | None = attr(doc="the same values each time; null: chance", spec=None)


@described(INITIALIZERS)
class VarianceScaling(Initializer):
    """Variance ``scale`` over a fan: Glorot's, He's and LeCun's are all of this kind.

    The fans of a kernel are its last two sizes times its window, unless axes are stated.
    Source: keras.initializers.VarianceScaling; Glorot & Bengio 2010; He et al. 2015, arXiv:1502.01852.
    """

    scale: float = attr(doc="of the variance", spec=1.0, above=0)
    mode: Literal["fan_in", "fan_out", "fan_avg"] = attr(doc="what it is divided by", spec="fan_in")
    distribution: Literal["uniform", "normal", "truncated_normal", "cut_normal"] = attr(
        doc="truncated_normal: cut at two deviations and widened, so that the variance holds; cut_normal: cut, "
        "not widened (Keras 2.0 and 2.1)",
        spec="truncated_normal",
    )
    clip: bool = attr(
        doc="values beyond two deviations become two deviations, and are not drawn again (Keras 2.0 and 2.1 on Theano)",
        spec=False,
    )
    input_axes: tuple[int, ...] | None = attr(
        doc="axes whose sizes make fan_in; null: as usual", spec=None, minimum=0
    )
    output_axes: tuple[int, ...] | None = attr(
        doc="axes whose sizes make fan_out; null: as usual", spec=None, minimum=0
    )
    root_ranks: tuple[int, ...] = attr(
        doc="ranks of which both fans are the square root of the size (1 and 3 in Keras 1, 1 in Keras 2.0 to 2.3)",
        spec=(),
        minimum=0,
    )
    seed: int | None = attr(doc="the same values each time; null: chance", spec=None)

    def fits(self, shape: tuple[int, ...]) -> str | None:
        if any(not 0 <= a < len(shape) for a in (*(self.input_axes or ()), *(self.output_axes or ()))):
            return f"its axes are not all axes of {shape}"
        return None

    def fans(self, shape: tuple[int, ...]) -> tuple[float, float]:
        """Inputs and outputs of a param of this shape."""
        if self.input_axes is not None and self.output_axes is not None:
            return (
                float(math.prod(shape[a] for a in self.input_axes)),
                float(math.prod(shape[a] for a in self.output_axes)),
            )
        if len(shape) in self.root_ranks:
            return math.sqrt(math.prod(shape)), math.sqrt(math.prod(shape))
        if len(shape) < 2:
            return float(math.prod(shape)), float(math.prod(shape))
        window = math.prod(shape[:-2])
        return float(window * shape[-2]), float(window * shape[-1])

    def variance(self, shape: tuple[int, ...]) -> float:
        """Of the values, before a cut that is not made up for."""
        fan_in, fan_out = self.fans(shape)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        return self.scale / max(1.0, fan)


@described(INITIALIZERS)
class Orthogonal(Initializer):
    """Orthonormal rows or columns, whichever are fewer, of the param as a matrix.

    Source: keras.initializers.Orthogonal; Saxe et al. 2014, arXiv:1312.6120.
    """

    gain: float = attr(doc="factor", spec=1.0)
    rows: tuple[int, ...] | None = attr(
        doc="axes that make the rows of the matrix; null: all but the last", spec=None, minimum=0
    )
    seed: int | None = attr(doc="the same values each time; null: chance", spec=None)

    def fits(self, shape: tuple[int, ...]) -> str | None:
        if len(shape) < 2:
            return f"{shape} is no matrix"
        return "its axes are not all axes" if any(a >= len(shape) for a in self.rows or ()) else None


@described(INITIALIZERS)
class Identity(Initializer):
    """1 on the diagonal of a matrix, 0 elsewhere. Source: keras.initializers.Identity."""

    gain: float = attr(doc="factor", spec=1.0)

    def fits(self, shape: tuple[int, ...]) -> str | None:
        return None if len(shape) == 2 else f"{shape} is no matrix"


@described(INITIALIZERS)
class STFT(Initializer):
    """The kernel of a short-time Fourier transform, shape (frame, 1, frequencies).

    Source: keras.initializers.STFT.
    """

    side: Literal["real", "imag"] = attr(doc="cosines or sines", spec="real")
    window: Window | tuple[float, ...] | None = attr(doc="by name, its values, or null for none", spec="hann")
    scaling: Literal["density", "spectrum"] | None = attr(
        doc="the window is divided by its length or its sum", spec="density"
    )
    periodic: bool = attr(doc="the window is one of a period", spec=False)

    def fits(self, shape: tuple[int, ...]) -> str | None:
        if len(shape) != 3 or shape[2] < 2:
            return f"{shape} is no (frame, 1, frequencies)"
        if isinstance(self.window, tuple) and len(self.window) != shape[0]:
            return f"a window of {len(self.window)} values for frames of {shape[0]}"
        return None
