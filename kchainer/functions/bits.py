"""NumPy's rarer functions of one and two values: bits, signs, inverse error and Bessel functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import chainer
import chainer.functions as F
import numpy as np

from kchainer.functions.erf import erf_array


def erfinv(xp: Any, x: Any) -> Any:
    """The inverse of the error function: Giles's start (2010), then Newton's steps in float64."""
    wide = x.astype(np.float64)
    w = -xp.log((1 - wide) * (1 + wide))
    # Winitzki's formula is within 0.4 %, from where four steps reach float64 away from the ends
    half = 2 / (math.pi * 0.147) - w / 2
    y = xp.sign(wide) * xp.sqrt(xp.sqrt(half * half + w / 0.147) - half)
    inside = abs(wide) < 1
    y = xp.where(inside, y, 0)
    for _ in range(4):
        y = y - (_erf(xp, y) - wide) * (math.sqrt(math.pi) / 2) * xp.exp(xp.minimum(y * y, 600))
    ends = xp.where(abs(wide) == 1, xp.sign(wide) * math.inf, math.nan)
    return xp.where(inside, y, ends).astype(x.dtype)


def _erf(xp: Any, x: Any) -> Any:
    return erf_array(x) if xp is np else F.erf(x).array


def _bessel(xp: Any, x: Any, order: int) -> Any:
    """The integral over half a turn, by points at which the trapezoid rule is exact to rounding."""
    points = 256
    angle = (xp.arange(points) + 0.5) * (math.pi / points)
    values = xp.exp(x.astype(np.float64)[..., None] * xp.cos(angle))
    return (values * xp.cos(order * angle)).mean(axis=-1).astype(x.dtype)


def i0(xp: Any, x: Any) -> Any:
    """The modified Bessel function of order 0."""
    return _bessel(xp, x, 0)


class _I1(chainer.FunctionNode):
    def forward(self, inputs: Any) -> Any:
        self.retain_inputs((0,))
        return (_bessel(chainer.backend.get_array_module(*inputs), inputs[0], 1),)

    def backward(self, indexes: Any, gys: Any) -> Any:
        raise NotImplementedError("the second derivative of i0 is not computed")


def i1(x: chainer.Variable) -> Any:
    """The modified Bessel function of order 1: the derivative of order 0."""
    return _I1().apply((x,))[0]


def _nan(x: Any) -> Any:
    return x.xp.isnan(x.array)


def _fmax(a: Any, b: Any) -> Any:
    return F.where(_nan(b), a, F.where(_nan(a), b, F.maximum(a, b)))


def _fmin(a: Any, b: Any) -> Any:
    return F.where(_nan(b), a, F.where(_nan(a), b, F.minimum(a, b)))


def _logaddexp2(a: Any, b: Any) -> Any:
    least, most = F.minimum(a, b), F.maximum(a, b)
    return most + F.log1p(F.exp((least - most) * math.log(2))) / math.log(2)


def _by_numpy(name: str) -> Callable[[Any, Any], Any]:
    return lambda a, b: chainer.as_variable(getattr(a.xp, name)(a.array, b.array))


def _heaviside(a: Any, b: Any) -> Any:
    xp = a.xp
    values = xp.where(a.array == 0, b.array, (a.array > 0).astype(a.dtype))
    return chainer.as_variable(xp.where(_nan(a), a.array, values))


# of two values; those of bits and steps give no gradient
NUMBERS: dict[str, Callable[[Any, Any], Any]] = {
    "fmax": _fmax,
    "fmin": _fmin,
    "logaddexp2": _logaddexp2,
    "ldexp": lambda a, b: a * F.exp(b * math.log(2)),
    "heaviside": _heaviside,
    "nextafter": _by_numpy("nextafter"),
    **{n: _by_numpy(n) for n in ("bitwise_and", "bitwise_or", "bitwise_xor", "gcd", "lcm")},
    **{n: _by_numpy(n) for n in ("left_shift", "right_shift")},
}
FLOATING = ("fmax", "fmin", "logaddexp2", "ldexp", "heaviside", "nextafter")
# of one value, without a gradient
STEPS: dict[str, Callable[[Any, Any], Any]] = {
    "signbit": lambda xp, x: xp.signbit(x),
    "isposinf": lambda xp, x: x == math.inf,
    "isneginf": lambda xp, x: x == -math.inf,
    "bitwise_not": lambda xp, x: xp.invert(x),
}
