"""Ops of values by NumPy's rules: element by element, reductions, products."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal, get_args

from kchainer.ir.op import Dim, Layout, Op, Shape, ShapeError, attr, op, show

Unary = Literal[
    "negative", "reciprocal", "sign", "floor", "ceil", "round", "trunc", "log", "log2", "log10", "log1p", "expm1",
    "exp2", "rsqrt", "cbrt", "sin", "cos", "tan", "sinh", "cosh", "arcsin", "arccos", "arctan", "arcsinh",
    "arccosh", "arctanh", "erf", "erfc", "sinc", "deg2rad", "rad2deg", "isnan", "isinf", "isfinite",
    "logical_not", "zeros_like", "ones_like", "stop_gradient", "nan_to_num",
    "erfinv", "i0", "signbit", "isposinf", "isneginf", "bitwise_not",
]  # fmt: skip
Comparison = Literal["equal", "not_equal", "less", "less_equal", "greater", "greater_equal"]
Logical = Literal["logical_and", "logical_or", "logical_xor"]
Number = Literal[
    "add", "subtract", "multiply", "divide", "power", "maximum", "minimum", "floor_divide", "mod", "fmod",
    "arctan2", "hypot", "logaddexp", "divide_no_nan", "squared_difference",
    "fmax", "fmin", "logaddexp2", "ldexp", "heaviside", "nextafter", "gcd", "lcm",
    "bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift",
]  # fmt: skip
Reduction = Literal[
    "sum", "mean", "max", "min", "prod", "var", "std", "logsumexp", "all", "any", "count_nonzero", "argmax", "argmin",
    "nansum", "nanmean", "nanmax", "nanmin", "nanprod", "nanvar", "nanstd", "nanargmax", "nanargmin",
]  # fmt: skip


@op
class Elementwise(Op):
    """A function of each value that is no activation; whole numbers become float32 where the function needs it.

    Input   x  any shape.
    Output  y  shape of ``x``; true or false for isnan, isinf, isfinite, logical_not.
    Source  keras.ops of the same names; trunc, floor and so on give no gradient.
    """

    layout: ClassVar[Layout] = "any"
    function: Unary = attr(doc="which")

    def infer(self, x: Shape) -> Shape:
        return x


def broadcast(*xs: Shape) -> Shape:
    """NumPy's rule: shapes are aligned at the end, sizes of 1 are repeated. Raises ShapeError."""
    rank = max(map(len, xs))
    out: list[Dim] = [1] * rank
    for x in xs:
        for i, d in enumerate((1,) * (rank - len(x)) + tuple(x)):
            if out[i] == 1:
                out[i] = d
            elif d is not None and d != 1:
                if out[i] is not None and out[i] != d:
                    raise ShapeError(f"cannot broadcast {' and '.join(map(show, xs))}")
                out[i] = d
    return tuple(out)


@op
class Binary(Op):
    """A function of two values, or of a value and a number, with NumPy's broadcasting.

    Input   one where ``constant`` is a number, else two.
    Output  the broadcast shape; true or false for comparisons and logic.
    Raises  ShapeError: shapes that do not fit.
    Source  keras.ops of the same names.
    """

    layout: ClassVar[Layout] = "any"
    function: Number | Comparison | Logical = attr(doc="how")
    constant: float | None = attr(doc="the other operand; null: a second value", spec=None)
    constant_first: bool = attr(doc="the number is the left operand", spec=False)
    whole: bool = attr(doc="the number is a whole one: whole values stay whole", spec=False)

    def infer(self, *xs: Shape) -> Shape:
        if len(xs) != (2 if self.constant is None else 1):
            raise ShapeError(f"{self.function} of {len(xs)} values")
        return broadcast(*xs)


@op
class Where(Op):
    """The second value where the first is true, else the third, with NumPy's broadcasting.

    Raises  ShapeError: shapes that do not fit.
    Source  keras.ops.where.
    """

    layout: ClassVar[Layout] = "any"

    def infer(self, condition: Shape, a: Shape, b: Shape) -> Shape:
        return broadcast(condition, a, b)


@op
class Clip(Op):
    """No value below ``low`` or above ``high``.

    Source  keras.ops.clip.
    """

    layout: ClassVar[Layout] = "any"
    low: float | None = attr(doc="least value; null: none")
    high: float | None = attr(doc="largest value; null: none")

    def infer(self, x: Shape) -> Shape:
        return x


@op
class Reduce(Op):
    """One value for all along some axes.

    Input   x  any rank.
    Output  y  without ``axes``, or with sizes of 1 there; argmax and the like: whole numbers; all, any: true or false.
    Raises  ShapeError: an axis that is none of ``x``.
    Source  keras.ops of the same names.
    """

    function: Reduction = attr(doc="which")
    axes: tuple[int, ...] = attr(doc="counted from the front", minimum=0)
    keepdims: bool = attr(doc="keep sizes of 1", spec=False)

    def check(self) -> Iterator[str]:
        if "arg" in self.function and len(self.axes) != 1:
            yield f"{self.function} over {len(self.axes)} axes"

    def infer(self, x: Shape) -> Shape:
        if max(self.axes, default=0) >= len(x):
            raise ShapeError(f"axes {self.axes} are not all axes of {show(x)}")
        if self.keepdims:
            return tuple(1 if i in self.axes else d for i, d in enumerate(x))
        return tuple(d for i, d in enumerate(x) if i not in self.axes)


@op
class Quantile(Op):
    """The value along some axes below which a share of the values stands.

    Output  y  without ``axes``, or with sizes of 1 there; float.
    Raises  ShapeError: an axis that is none of ``x``.
    Source  keras.ops.quantile, percentile, median and those that pass over NaN.
    """

    q: float = attr(doc="the share", minimum=0)
    axes: tuple[int, ...] = attr(doc="counted from the front", minimum=0)
    method: Literal["linear", "lower", "higher", "midpoint", "nearest"] = attr(
        doc="between two values", spec="linear"
    )
    keepdims: bool = attr(doc="keep sizes of 1", spec=False)
    skip_nan: bool = attr(doc="pass over NaN; else one makes the result NaN", spec=False)

    def check(self) -> Iterator[str]:
        if self.q > 1:
            yield f"a share of {self.q}"

    def infer(self, x: Shape) -> Shape:
        return Reduce(function="max", axes=self.axes, keepdims=self.keepdims).infer(x)


@op
class Cumulative(Op):
    """Sums or products of all values up to each place along an axis.

    Source  keras.ops.cumsum, cumprod.
    """

    function: Literal["sum", "prod"] = attr(doc="which")
    axis: int = attr(doc="counted from the front", minimum=0)

    def infer(self, x: Shape) -> Shape:
        if self.axis >= len(x):
            raise ShapeError(f"axis {self.axis} is none of {show(x)}")
        return x


@op
class MatMul(Op):
    """Matrix products over the last two axes, the others broadcast; vectors as NumPy takes them.

    Raises  ShapeError: sizes that differ.
    Source  keras.ops.matmul.
    """

    def infer(self, a: Shape, b: Shape) -> Shape:
        if not a or not b:
            raise ShapeError("a product of matrices takes no single number")
        left, right = (a if len(a) > 1 else (1, *a)), (b if len(b) > 1 else (*b, 1))
        if None not in (left[-1], right[-2]) and left[-1] != right[-2]:
            raise ShapeError(f"cannot multiply {show(a)} by {show(b)}")
        out = (*broadcast(left[:-2] or (1,), right[:-2] or (1,)), left[-2], right[-1])
        out = out if len(a) > 2 or len(b) > 2 else out[-2:]
        return out[: len(out) - 2] + ((out[-2],) if len(a) > 1 else ()) + ((out[-1],) if len(b) > 1 else ())


@op
class Einsum(Op):
    """Sums of products by an equation.

    Input   as many values as the equation has operands; no ellipsis.
    Raises  ShapeError: sizes that disagree.
    Source  keras.ops.einsum, dot, tensordot, inner, outer, vdot.
    """

    equation: str = attr(doc="like abc,cd->abd")

    def infer(self, *xs: Shape) -> Shape:
        left, _, out = self.equation.partition("->")
        names = left.split(",")
        if len(names) != len(xs) or any(len(n) != len(x) for n, x in zip(names, xs, strict=True)):
            raise ShapeError(f"`{self.equation}` does not fit {' and '.join(map(show, xs))}")
        sizes: dict[str, Dim] = {}
        for name, x in zip(names, xs, strict=True):
            for letter, d in zip(name, x, strict=True):
                if sizes.get(letter) is None:
                    sizes[letter] = d
                elif d is not None and d != sizes[letter]:
                    raise ShapeError(f"axis `{letter}` is {sizes[letter]} and {d}")
        return tuple(sizes[letter] for letter in out)


COMPARISONS = frozenset(get_args(Comparison))
