"""What the functions of keras.ops that compute with values mean, as ops of the IR."""

from __future__ import annotations

from typing import Any

from kchainer.frontends.keras.layers.making import Maker, Refused, handles
from kchainer.ir import ops
from kchainer.ir.graph import Value

# Keras's class -> the op's function
UNARY = {
    "Negative": "negative", "Reciprocal": "reciprocal", "Sign": "sign", "Floor": "floor", "Ceil": "ceil",
    "Trunc": "trunc", "Log": "log", "Log2": "log2", "Log10": "log10", "Log1p": "log1p", "Expm1": "expm1",
    "Exp2": "exp2", "Rsqrt": "rsqrt", "Cbrt": "cbrt", "Sin": "sin", "Cos": "cos", "Tan": "tan", "Sinh": "sinh",
    "Cosh": "cosh", "Arcsin": "arcsin", "Arccos": "arccos", "Arctan": "arctan", "Arcsinh": "arcsinh",
    "Arccosh": "arccosh", "Arctanh": "arctanh", "Erf": "erf", "Erfc": "erfc", "Sinc": "sinc", "Deg2rad": "deg2rad",
    "Rad2deg": "rad2deg", "Isnan": "isnan", "Isinf": "isinf", "Isfinite": "isfinite",
    "LogicalNot": "logical_not", "StopGradient": "stop_gradient", "Erfinv": "erfinv", "I0": "i0",
    "Signbit": "signbit", "Isposinf": "isposinf", "Isneginf": "isneginf", "BitwiseNot": "bitwise_not",
    "BitwiseInvert": "bitwise_not",
}  # fmt: skip
ACTIVATIONS = {
    "Absolute": "absolute", "Abs": "absolute", "Fabs": "absolute", "Exp": "exponential", "Sqrt": "sqrt",
    "Square": "square", "Tanh": "tanh",
}  # fmt: skip
BINARY = {
    "Add": "add", "Subtract": "subtract", "Multiply": "multiply", "Divide": "divide", "TrueDivide": "divide",
    "Power": "power", "Maximum": "maximum", "Minimum": "minimum", "FloorDivide": "floor_divide", "Mod": "mod",
    "Fmod": "fmod", "Arctan2": "arctan2", "Hypot": "hypot", "Logaddexp": "logaddexp", "DivideNoNan": "divide_no_nan",
    "SquaredDifference": "squared_difference", "Equal": "equal", "NotEqual": "not_equal", "Less": "less",
    "LessEqual": "less_equal", "Greater": "greater", "GreaterEqual": "greater_equal", "LogicalAnd": "logical_and",
    "LogicalOr": "logical_or", "LogicalXor": "logical_xor", "Fmax": "fmax", "Fmin": "fmin",
    "Logaddexp2": "logaddexp2", "Ldexp": "ldexp", "Heaviside": "heaviside", "Nextafter": "nextafter", "Gcd": "gcd",
    "Lcm": "lcm",
}  # fmt: skip
BITS = {
    "BitwiseAnd": "bitwise_and", "BitwiseOr": "bitwise_or", "BitwiseXor": "bitwise_xor", "LeftShift": "left_shift",
    "BitwiseLeftShift": "left_shift", "RightShift": "right_shift", "BitwiseRightShift": "right_shift",
}  # fmt: skip
REDUCTIONS = {
    "Sum": "sum", "Mean": "mean", "Max": "max", "Amax": "max", "Min": "min", "Amin": "min", "Prod": "prod", "Var": "var",
    "Std": "std", "Logsumexp": "logsumexp", "All": "all", "Any": "any", "CountNonzero": "count_nonzero", "Nansum": "nansum",
    "Nanmean": "nanmean", "Nanmax": "nanmax", "Nanmin": "nanmin", "Nanprod": "nanprod", "Nanvar": "nanvar",
    "Nanstd": "nanstd",
}  # fmt: skip


def _unary(function: Any) -> Any:
    return lambda m, x: m(ops.Elementwise(function=function), m.value(x))


def _activation(function: Any) -> Any:
    return lambda m, x: m(ops.Activation(function=function), m.value(x))


def _binary(function: Any) -> Any:
    def translate(m: Maker, x1: Any, x2: Any) -> Value:
        return binary(m, function, x1, x2)

    return translate


def _bits(function: Any) -> Any:
    return lambda m, x, y: binary(m, function, x, y)


def _reduction(function: Any) -> Any:
    def translate(
        m: Maker, x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None, dtype: Any = None
    ) -> Value:
        if initial is not None:
            raise Refused("initial")
        return m.cast(reduce(m, function, x, axis, keepdims), dtype)

    return translate


def binary(m: Maker, function: Any, a: Any, b: Any) -> Value:
    """Two values, or one and a number, or one and an array of the file."""
    first = isinstance(b, tuple)
    number, x = (a, b) if first else (b, a)
    if isinstance(number, (int, float)):
        op = ops.Binary(
            function=function, constant=float(number), constant_first=first, whole=isinstance(number, int)
        )
        return m(op, m.value(x))
    if not isinstance(number, tuple) and isinstance(x, tuple):
        number = m.value(number, rank=len(m.shape(x)))
        a, b = (number, x) if first else (x, number)
    op = ops.Binary(function=function, constant=None, constant_first=False, whole=False)
    return m(op, m.value(a), m.value(b))


def reduce(m: Maker, function: Any, x: Any, axis: Any, keepdims: bool = False) -> Value:
    """Over all axes where none is named."""
    x = m.value(x)
    return m(ops.Reduce(function=function, axes=m.axes(x, axis), keepdims=keepdims), x)


for _table, _make in (
    (UNARY, _unary),
    (ACTIVATIONS, _activation),
    (BINARY, _binary),
    (BITS, _bits),
    (REDUCTIONS, _reduction),
):
    for _name, _function in _table.items():
        handles(_name)(_make(_function))


@handles("Copy", "ConvertToTensor", "Array", "Positive")
def same(m: Maker, x: Any, dtype: Any = None) -> Value:
    return m(ops.Identity(), m.value(x)) if dtype is None else cast(m, x, dtype)


@handles("Round")
def round_(m: Maker, x: Any, decimals: int = 0) -> Value:
    if decimals:
        x = binary(m, "multiply", x, 10.0**decimals)
    y = m(ops.Elementwise(function="round"), m.value(x))
    return binary(m, "divide", y, 10.0**decimals) if decimals else y


@handles("Argmax", "Argmin", "Nanargmax", "Nanargmin")
def argmax(m: Maker, x: Any, axis: Any = None, keepdims: bool = False) -> Value:
    function: Any = m.name.lower()
    if axis is None:
        raise Refused("without an axis it depends on the batch")
    return reduce(m, function, x, axis, keepdims)


@handles("Average")
def average(m: Maker, x: Any, weights: Any = None, axis: Any = None) -> Value:
    if weights is not None:
        raise Refused("weights")
    return reduce(m, "mean", x, axis)


@handles("Ptp")
def ptp(m: Maker, x: Any, axis: Any = None, keepdims: bool = False) -> Value:
    return binary(m, "subtract", reduce(m, "max", x, axis, keepdims), reduce(m, "min", x, axis, keepdims))


@handles("Moments")
def moments(m: Maker, x: Any, axes: Any, keepdims: bool = False, synchronized: bool = False) -> list[Value]:
    return [reduce(m, "mean", x, axes, keepdims), reduce(m, "var", x, axes, keepdims)]


@handles("Norm")
def norm(m: Maker, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Value:
    axes = m.axes(m.value(x), axis)
    if ord in (None, "fro", "euclidean") or (ord == 2 and len(axes) == 1):
        square = m(ops.Activation(function="square"), m.value(x))
        return m(ops.Activation(function="sqrt"), reduce(m, "sum", square, axis, keepdims))
    if ord == 1 and len(axes) == 1:
        return reduce(m, "sum", m(ops.Activation(function="absolute"), m.value(x)), axis, keepdims)
    raise Refused(f"ord {ord}")


@handles("Cumsum")
def cumsum(m: Maker, x: Any, axis: Any = None, dtype: Any = None) -> Value:
    return m(ops.Cumulative(function="sum", axis=m.axis(x, axis)), x)


@handles("Cumprod")
def cumprod(m: Maker, x: Any, axis: Any = None, dtype: Any = None) -> Value:
    return m(ops.Cumulative(function="prod", axis=m.axis(x, axis)), x)


@handles("Clip")
def clip(m: Maker, x: Any, x_min: Any, x_max: Any) -> Value:
    if isinstance(x_min, tuple) or isinstance(x_max, tuple):
        return binary(m, "minimum", binary(m, "maximum", x, x_min), x_max)
    low, high = (None if v is None else float(v) for v in (x_min, x_max))
    return m(ops.Clip(low=low, high=high), m.value(x))


@handles("Where")
def where(m: Maker, condition: Any, x1: Any = None, x2: Any = None) -> Value:
    if x1 is None or x2 is None:
        raise Refused("where without values gives a shape that depends on them")
    rank = len(m.shape(condition)) if isinstance(condition, tuple) else 0
    return m(ops.Where(), m.value(condition), m.value(x1, rank=rank), m.value(x2, rank=rank))


@handles("ZerosLike", "OnesLike")
def like(m: Maker, x: Any, dtype: Any = None) -> Value:
    function: Any = "zeros_like" if m.name == "ZerosLike" else "ones_like"
    return m.cast(m(ops.Elementwise(function=function), m.value(x)), dtype)


@handles("FullLike")
def full_like(m: Maker, x: Any, fill_value: Any, dtype: Any = None) -> Value:
    zero = m(ops.Elementwise(function="zeros_like"), m.value(x))
    return m.cast(binary(m, "add", zero, fill_value), dtype)


@handles("NanToNum")
def nan_to_num(m: Maker, x: Any, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Value:
    if nan or posinf is not None or neginf is not None:
        raise Refused("other values than NumPy's")
    return m(ops.Elementwise(function="nan_to_num"), m.value(x))


@handles("Cast")
def cast(m: Maker, x: Any, dtype: Any) -> Value:
    return m.cast(m.value(x), dtype)
