"""NumPy's functions of values, as keras.ops has them: types follow Keras's rules, all on any device.

Whole numbers become float32 where a function needs it. Steps (floor, sign, comparisons) give no gradient.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import chainer
import chainer.functions as F
import numpy as np

from kchainer.functions import bits, nan
from kchainer.functions.erf import erf

Derivative = Callable[[chainer.Variable], Any]
_LN2, _LN10 = math.log(2.0), math.log(10.0)


def _sinc(xp: Any, x: Any) -> Any:
    return xp.sinc(x).astype(x.dtype)


def _sinc_slope(x: chainer.Variable) -> Any:
    """cos(pi x) / x - sin(pi x) / (pi x^2), and 0 at 0."""
    at_zero = x.array == 0
    safe = F.where(at_zero, chainer.as_variable(x.xp.ones_like(x.array)), x)
    slope = F.cos(math.pi * safe) / safe - F.sin(math.pi * safe) / (math.pi * safe * safe)
    return F.where(at_zero, chainer.as_variable(x.xp.zeros_like(x.array)), slope)


# name -> values by NumPy or CuPy, and the derivative
SMOOTH: dict[str, tuple[Callable[[Any, Any], Any], Derivative]] = {
    "reciprocal": (lambda xp, x: 1 / x, lambda x: -1.0 / (x * x)),
    "log": (lambda xp, x: xp.log(x), lambda x: 1.0 / x),
    "log2": (lambda xp, x: xp.log2(x), lambda x: 1.0 / (x * _LN2)),
    "log10": (lambda xp, x: xp.log10(x), lambda x: 1.0 / (x * _LN10)),
    "log1p": (lambda xp, x: xp.log1p(x), lambda x: 1.0 / (x + 1.0)),
    "expm1": (lambda xp, x: xp.expm1(x), F.exp),
    "exp2": (lambda xp, x: xp.exp2(x), lambda x: F.exp(x * _LN2) * _LN2),
    "rsqrt": (lambda xp, x: 1 / xp.sqrt(x), lambda x: -0.5 / (x * F.sqrt(x))),
    "cbrt": (lambda xp, x: xp.cbrt(x), lambda x: F.exp(F.log(abs(x)) * (-2.0 / 3.0)) / 3.0),
    "sin": (lambda xp, x: xp.sin(x), F.cos),
    "cos": (lambda xp, x: xp.cos(x), lambda x: -F.sin(x)),
    "tan": (lambda xp, x: xp.tan(x), lambda x: 1.0 + F.tan(x) ** 2),
    "sinh": (lambda xp, x: xp.sinh(x), F.cosh),
    "cosh": (lambda xp, x: xp.cosh(x), F.sinh),
    "arcsin": (lambda xp, x: xp.arcsin(x), lambda x: 1.0 / F.sqrt(1.0 - x * x)),
    "arccos": (lambda xp, x: xp.arccos(x), lambda x: -1.0 / F.sqrt(1.0 - x * x)),
    "arctan": (lambda xp, x: xp.arctan(x), lambda x: 1.0 / (1.0 + x * x)),
    "arcsinh": (lambda xp, x: xp.arcsinh(x), lambda x: 1.0 / F.sqrt(x * x + 1.0)),
    "arccosh": (lambda xp, x: xp.arccosh(x), lambda x: 1.0 / F.sqrt(x * x - 1.0)),
    "arctanh": (lambda xp, x: xp.arctanh(x), lambda x: 1.0 / (1.0 - x * x)),
    "sinc": (_sinc, _sinc_slope),
    "deg2rad": (lambda xp, x: x * (math.pi / 180), lambda x: x * 0.0 + math.pi / 180),
    "rad2deg": (lambda xp, x: x * (180 / math.pi), lambda x: x * 0.0 + 180 / math.pi),
    "erfinv": (
        bits.erfinv,
        lambda x: F.exp(F.square(_Smooth("erfinv").apply((x,))[0])) * (math.sqrt(math.pi) / 2),
    ),
    "i0": (bits.i0, bits.i1),
}
# name -> values; no gradient
STEPS: dict[str, Callable[[Any, Any], Any]] = {
    "sign": lambda xp, x: xp.sign(x),
    "floor": lambda xp, x: xp.floor(x),
    "ceil": lambda xp, x: xp.ceil(x),
    "round": lambda xp, x: xp.round(x),
    "trunc": lambda xp, x: xp.trunc(x),
    "isnan": lambda xp, x: xp.isnan(x),
    "isinf": lambda xp, x: xp.isinf(x),
    "isfinite": lambda xp, x: xp.isfinite(x),
    "logical_not": lambda xp, x: xp.logical_not(x),
    "zeros_like": lambda xp, x: xp.zeros_like(x),
    "ones_like": lambda xp, x: xp.ones_like(x),
    "stop_gradient": lambda xp, x: x,
    **bits.STEPS,
}
_WHOLE = frozenset({"sign", "zeros_like", "ones_like", "stop_gradient", "logical_not", "bitwise_not"})


class _Smooth(chainer.FunctionNode):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.values, self.slope = SMOOTH[name]

    def forward(self, inputs: Any) -> Any:
        self.retain_inputs((0,))
        (x,) = inputs
        return (self.values(chainer.backend.get_array_module(x), x),)

    def backward(self, indexes: Any, gys: Any) -> Any:
        (x,) = self.get_retained_inputs()
        return (gys[0] * self.slope(x),)


def floating(x: Any) -> chainer.Variable:
    """Whole numbers and truth values as float32."""
    x = chainer.as_variable(x)
    return x if x.dtype.kind == "f" else chainer.as_variable(x.array.astype(np.float32))


def elementwise(x: Any, function: str) -> chainer.Variable:
    """One of the functions of ``SMOOTH`` and ``STEPS``, negative, erf, erfc or nan_to_num, of each value."""
    x = chainer.as_variable(x)
    if function == "negative":
        return -x
    if function in STEPS:
        x = x if function in _WHOLE else floating(x)
        return chainer.as_variable(STEPS[function](x.xp, x.array))
    x = floating(x)
    if function in ("erf", "erfc"):
        return erf(x) if function == "erf" else 1.0 - erf(x)
    if function == "nan_to_num":
        lost = x.xp.logical_not(x.xp.isfinite(x.array))
        return F.where(lost, chainer.as_variable(x.xp.nan_to_num(x.array)), x)
    return _Smooth(function).apply((x,))[0]


# ------------------------------------------------------------------ two values


def _mod(a: Any, b: Any) -> Any:
    """The rest of a division, with the sign of ``b``."""
    if a.dtype.kind != "f":
        return chainer.as_variable(a.xp.mod(a.array, b.array))
    whole = chainer.as_variable(a.xp.floor_divide(a.array, b.array))
    return a - whole * b


def _fmod(a: Any, b: Any) -> Any:
    return a - chainer.as_variable(a.xp.trunc(a.array / b.array).astype(a.dtype)) * b


def _hypot(a: Any, b: Any) -> Any:
    return F.sqrt(a * a + b * b)


def _logaddexp(a: Any, b: Any) -> Any:
    return F.maximum(a, b) + F.log1p(F.exp(-abs(a - b)))


def _divide_no_nan(a: Any, b: Any) -> Any:
    none = b.array == 0
    safe = F.where(none, chainer.as_variable(b.xp.ones_like(b.array)), b)
    return F.where(none, chainer.as_variable(a.xp.zeros_like(a.array)), a / safe)


NUMBERS: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "power": lambda a, b: a**b,
    "maximum": F.maximum,
    "minimum": F.minimum,
    "floor_divide": lambda a, b: chainer.as_variable(a.xp.floor_divide(a.array, b.array)),
    "mod": _mod,
    "fmod": _fmod,
    "arctan2": F.arctan2,
    "hypot": _hypot,
    "logaddexp": _logaddexp,
    "divide_no_nan": _divide_no_nan,
    "squared_difference": lambda a, b: (a - b) ** 2,
    **bits.NUMBERS,
}
TRUTHS = (
    "equal", "not_equal", "less", "less_equal", "greater", "greater_equal",
    "logical_and", "logical_or", "logical_xor",
)  # fmt: skip
# These work with a number as it is, which saves filling an array with it.
_DIRECT = ("add", "subtract", "multiply", "divide", "power")
_FLOATING = ("divide", "divide_no_nan", "arctan2", "hypot", "logaddexp", *bits.FLOATING)
_WHOLE_BY_NUMPY = {"maximum": "maximum", "minimum": "minimum", "power": "power"}


def together(*xs: Any) -> list[chainer.Variable]:
    """Values in one dtype by Keras's rules: floats before whole numbers before truth values."""
    values = [chainer.as_variable(x) for x in xs]
    floats = [v.dtype for v in values if v.dtype.kind == "f"]
    dtype = np.result_type(*(floats or [v.dtype for v in values]))
    return [
        v if v.dtype == dtype else F.cast(v, dtype) if v.dtype.kind == "f"
        else chainer.as_variable(v.array.astype(dtype)) for v in values
    ]  # fmt: skip


def spread(*xs: Any) -> list[chainer.Variable]:
    """Values broadcast by NumPy's rule."""
    values = [chainer.as_variable(x) for x in xs]
    rank = max(v.ndim for v in values)
    values = [v if v.ndim == rank else F.reshape(v, (*(1,) * (rank - v.ndim), *v.shape)) for v in values]
    return values if len({v.shape for v in values}) == 1 else list(F.broadcast(*values))


def binary(
    a: Any,
    b: Any = None,
    *,
    function: str,
    constant: float | None = None,
    constant_first: bool = False,
    whole: bool = False,
) -> chainer.Variable:
    """A function of two values, or of one and a number, with NumPy's broadcasting. Source: keras.ops."""
    a = chainer.as_variable(a)
    if b is None:
        assert constant is not None
        if a.dtype.kind != "f" and (not whole or function in _FLOATING):
            a = floating(a)
        if function in _DIRECT and a.dtype.kind == "f":
            return NUMBERS[function](*((constant, a) if constant_first else (a, constant)))
        value = int(constant) if whole and a.dtype.kind in "iu" else constant
        dtype = np.int32 if whole and a.dtype.kind == "b" else a.dtype
        b = chainer.as_variable(a.xp.full(a.shape, value, dtype))
    first, second = spread(*together(*((b, a) if constant_first else (a, b))))
    if function in TRUTHS:
        return chainer.as_variable(getattr(first.xp, function)(first.array, second.array))
    if function in _FLOATING:
        first, second = floating(first), floating(second)
    if first.dtype.kind != "f" and function in _WHOLE_BY_NUMPY:
        values = getattr(first.xp, _WHOLE_BY_NUMPY[function])(first.array, second.array)
        return chainer.as_variable(values)
    return NUMBERS[function](first, second)


def choose(condition: Any, a: Any, b: Any) -> chainer.Variable:
    """``a`` where ``condition``, else ``b``, with NumPy's broadcasting. Source: keras.ops.where."""
    condition = chainer.as_variable(condition)
    truth = chainer.as_variable(condition.array.astype(bool))
    a, b = together(a, b)
    truth, a, b = spread(truth, a, b)
    if a.dtype.kind != "f":
        return chainer.as_variable(truth.xp.where(truth.array, a.array, b.array))
    return F.where(truth.array, a, b)


def clip(x: Any, low: float | None, high: float | None) -> chainer.Variable:
    """No value below ``low`` or above ``high``. Source: keras.ops.clip."""
    x = chainer.as_variable(x)
    low, high = -math.inf if low is None else low, math.inf if high is None else high
    if x.dtype.kind != "f":
        return chainer.as_variable(x.xp.clip(x.array, low, high).astype(x.dtype))
    return F.clip(x, low, high)


# ------------------------------------------------------------------ reductions and products


def _variance(x: Any, axis: Sequence[int], keepdims: bool) -> chainer.Variable:
    centred = x - F.broadcast_to(F.mean(x, axis=axis, keepdims=True), x.shape)
    return F.mean(centred * centred, axis=axis, keepdims=keepdims)


def _logsumexp(x: Any, axis: Sequence[int], keepdims: bool) -> chainer.Variable:
    y = F.logsumexp(x, axis=axis)
    return F.reshape(y, tuple(1 if i in axis else d for i, d in enumerate(x.shape))) if keepdims else y


_REDUCTIONS: dict[str, Callable[..., Any]] = {
    "sum": F.sum,
    "mean": F.mean,
    "max": F.max,
    "min": F.min,
    "prod": F.prod,
    "var": _variance,
    "std": lambda x, axis, keepdims: F.sqrt(_variance(x, axis, keepdims)),
    "logsumexp": _logsumexp,
    **nan.REDUCTIONS,
}
_BY_NUMPY = ("all", "any", "count_nonzero", "argmax", "argmin")


def reduce(x: Any, function: str, axes: Sequence[int], keepdims: bool = False) -> chainer.Variable:
    """One value for all along ``axes``. Source: keras.ops.sum, mean, argmax and so on."""
    x, axes = chainer.as_variable(x), tuple(axes)
    if function in _BY_NUMPY:
        axis = axes[0] if function.startswith("arg") else axes
        values = x.array != 0 if function in ("all", "any", "count_nonzero") else x.array
        name = "sum" if function == "count_nonzero" else function
        made = getattr(x.xp, name)(values, axis=axis)
        made = made if function in ("all", "any") else made.astype(np.int32)
        return chainer.as_variable(x.xp.expand_dims(made, axes) if keepdims else made)
    if not axes:
        return x
    if x.dtype.kind != "f":
        if function in ("sum", "max", "min", "prod"):
            kind = np.int32 if x.dtype.kind == "b" else x.dtype
            return chainer.as_variable(
                getattr(x.xp, function)(x.array, axis=axes, keepdims=keepdims).astype(kind)
            )
        x = floating(x)
    return chainer.as_variable(_REDUCTIONS[function](x, axis=axes, keepdims=keepdims))


def cumulative(x: Any, function: str, axis: int) -> chainer.Variable:
    """Sums or products up to each place. Source: keras.ops.cumsum, cumprod."""
    x = chainer.as_variable(x)
    if x.dtype.kind != "f":
        return chainer.as_variable(getattr(x.xp, f"cum{function}")(x.array, axis=axis).astype(np.int32))
    return (F.cumsum if function == "sum" else F.cumprod)(x, axis=axis)


def matmul(a: Any, b: Any) -> chainer.Variable:
    """Matrix products over the last two axes, others broadcast. Source: keras.ops.matmul."""
    a, b = together(a, b)
    left = F.expand_dims(a, 0) if a.ndim == 1 else a
    right = F.expand_dims(b, 1) if b.ndim == 1 else b
    rank = max(left.ndim, right.ndim)
    left = F.reshape(left, (*(1,) * (rank - left.ndim), *left.shape))
    right = F.reshape(right, (*(1,) * (rank - right.ndim), *right.shape))
    front = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    y = F.matmul(
        F.broadcast_to(left, (*front, *left.shape[-2:])), F.broadcast_to(right, (*front, *right.shape[-2:]))
    )
    if a.ndim == 1:
        y = F.squeeze(y, y.ndim - 2)
    return F.squeeze(y, y.ndim - 1) if b.ndim == 1 else y


def einsum(*xs: Any, equation: str) -> chainer.Variable:
    """Sums of products by an equation. Source: keras.ops.einsum, dot, tensordot."""
    return F.einsum(equation, *together(*xs))
