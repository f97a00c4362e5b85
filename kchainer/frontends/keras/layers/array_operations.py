"""What the functions of keras.ops mean, as ops of the IR: numpy, core and math."""

from __future__ import annotations

import string
from typing import Any

from kchainer.frontends.keras.layers.making import Array, Dims, Maker, Refused, handles, integers
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
    "LogicalNot": "logical_not", "StopGradient": "stop_gradient",
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
    "LogicalOr": "logical_or", "LogicalXor": "logical_xor",
}  # fmt: skip
REDUCTIONS = {
    "Sum": "sum", "Mean": "mean", "Max": "max", "Amax": "max", "Min": "min", "Amin": "min", "Prod": "prod", "Var": "var",
    "Std": "std", "Logsumexp": "logsumexp", "All": "all", "Any": "any", "CountNonzero": "count_nonzero",
}  # fmt: skip


def _unary(function: Any) -> Any:
    return lambda m, x: m(ops.Elementwise(function=function), m.value(x))


def _activation(function: Any) -> Any:
    return lambda m, x: m(ops.Activation(function=function), m.value(x))


def _binary(function: Any) -> Any:
    def translate(m: Maker, x1: Any, x2: Any) -> Value:
        return binary(m, function, x1, x2)

    return translate


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


@handles("Argmax")
def argmax(m: Maker, x: Any, axis: Any = None, keepdims: bool = False) -> Value:
    return _arg(m, "argmax", x, axis, keepdims)


@handles("Argmin")
def argmin(m: Maker, x: Any, axis: Any = None, keepdims: bool = False) -> Value:
    return _arg(m, "argmin", x, axis, keepdims)


def _arg(m: Maker, function: Any, x: Any, axis: Any, keepdims: bool) -> Value:
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


# ------------------------------------------------------------------ shapes


@handles("Reshape")
def reshape(m: Maker, x: Any, newshape: Any) -> Value:
    x, shape = m.value(x), [-1 if d is None else d for d in Dims.plain(newshape)]
    have, rest = m.shape(x), tuple(integers(shape)[1:])
    if have and have[0] is None and shape and shape[0] == -1 and -1 not in rest and None not in have[1:]:
        try:
            ops.Reshape(target=rest).infer(have)
        except Exception as wrong:  # noqa: BLE001  the batch does not stay: the whole is reshaped
            assert type(wrong).__name__ == "ShapeError"
        else:
            return m(ops.Reshape(target=rest), x)
    return m(ops.ReshapeAll(shape=integers(shape)), x)


@handles("Ravel")
def ravel(m: Maker, x: Any) -> Value:
    return m(ops.ReshapeAll(shape=(-1,)), m.value(x))


@handles("Transpose")
def transpose(m: Maker, x: Any, axes: Any = None) -> Value:
    x = m.value(x)
    rank = len(m.shape(x))
    order = range(rank - 1, -1, -1) if axes is None else (a % rank for a in integers(axes))
    return m(ops.Transpose(axes=tuple(order)), x)


@handles("Swapaxes")
def swapaxes(m: Maker, x: Any, axis1: int, axis2: int) -> Value:
    order = list(range(len(m.shape(x))))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return m(ops.Transpose(axes=tuple(order)), x)


@handles("Moveaxis")
def moveaxis(m: Maker, x: Any, source: Any, destination: Any) -> Value:
    rank = len(m.shape(x))
    one, two = ([a % rank for a in integers(v)] for v in (source, destination))
    order = [a for a in range(rank) if a not in one]
    for to, what in sorted(zip(two, one, strict=True)):
        order.insert(to, what)
    return m(ops.Transpose(axes=tuple(order)), x)


@handles("ExpandDims")
def expand_dims(m: Maker, x: Any, axis: Any) -> Value:
    x, many = m.value(x), integers(axis)
    rank = len(m.shape(x)) + len(many)
    return m(ops.ExpandDims(axes=tuple(sorted(a % rank for a in many))), x)


@handles("Squeeze")
def squeeze(m: Maker, x: Any, axis: Any = None) -> Value:
    x = m.value(x)
    if axis in (None, []):
        axes = tuple(i for i, d in enumerate(m.shape(x)) if d == 1)
    else:
        axes = m.axes(x, axis)
    return m(ops.Squeeze(axes=axes), x)


@handles("Concatenate")
def concatenate(m: Maker, xs: Any, axis: Any = 0) -> Value:
    values = [m.value(x) for x in m.many(xs)]
    if axis is None:
        raise Refused("axis None")
    return m(ops.Concatenate(axis=m.axis(values[0], axis)), *values)


@handles("Append")
def append(m: Maker, x1: Any, x2: Any, axis: Any = None) -> Value:
    return concatenate(m, [x1, x2], axis)


@handles("Stack")
def stack(m: Maker, x: Any, axis: int = 0) -> Value:
    values = [m.value(one) for one in m.many(x)]
    axis %= len(m.shape(values[0])) + 1
    return m(ops.Concatenate(axis=axis), *(m(ops.ExpandDims(axes=(axis,)), v) for v in values))


@handles("Hstack")
def hstack(m: Maker, xs: Any) -> Value:
    return concatenate(m, xs, 0 if len(m.shape(m.many(xs)[0])) == 1 else 1)


@handles("Vstack")
def vstack(m: Maker, xs: Any) -> Value:
    return concatenate(m, xs, 0)


def _cut(m: Maker, x: Value, axis: int, start: int, stop: int | None) -> Value:
    items: list[Any] = [(None, None, None)] * len(m.shape(x))
    items[axis] = (start, stop, None)
    return m(ops.Slice(items=tuple(items)), x)


@handles("Split", "ArraySplit")
def split(m: Maker, x: Any, indices_or_sections: Any, axis: int = 0) -> list[Value]:
    x, axis = m.value(x), m.axis(x, axis)
    size = m.size(x, axis)
    if isinstance(indices_or_sections, int):
        n, more = divmod(size, indices_or_sections)
        if more and m.name == "Split":
            raise Refused(f"{size} in {indices_or_sections} equal parts")
        ends = [0]
        for i in range(indices_or_sections):
            ends.append(ends[-1] + n + (i < more))
    else:
        ends = [0, *integers(indices_or_sections), size]
    return [_cut(m, x, axis, a, b) for a, b in zip(ends, ends[1:], strict=False)]


@handles("Unstack")
def unstack(m: Maker, x: Any, num: Any = None, axis: int = 0) -> list[Value]:
    x, axis = m.value(x), m.axis(x, axis)
    items: list[Any] = [(None, None, None)] * len(m.shape(x))
    return [
        m(ops.Slice(items=(*items[:axis], i, *items[axis + 1 :])), x) for i in range(num or m.size(x, axis))
    ]


@handles("GetItem")
def get_item(m: Maker, x: Any, key: Any) -> Any:
    if isinstance(x, Dims):
        return x.item(key)
    x, keys = m.value(x), list(key) if isinstance(key, list) else [key]
    rank = len(m.shape(x))
    arrays = [k for k in keys if isinstance(k, (tuple, list, Array))]
    if arrays:
        if len(arrays) > 1 or any(k not in (slice(None), Ellipsis) for k in keys if k is not arrays[0]):
            raise Refused("several arrays as indices")
        at = keys.index(arrays[0])
        axis = at if Ellipsis not in keys[:at] else rank - (len(keys) - at)
        return m(ops.Take(axis=axis), x, m.value(arrays[0], whole=True))
    if Ellipsis not in keys:
        keys.append(Ellipsis)
    at = keys.index(Ellipsis)
    rest = rank - sum(k is not None and k is not Ellipsis for k in keys)
    keys[at : at + 1] = [slice(None)] * rest
    items: list[Any] = []
    new: list[int] = []
    axis = 0
    for k in keys:
        if k is None:
            new.append(axis)
        elif isinstance(k, slice):
            items.append((k.start, k.stop, k.step))
        elif isinstance(k, int) and not isinstance(k, bool):
            items.append(k)
            continue
        else:
            raise Refused(f"index {k!r}")
        axis += 1
    if any(isinstance(i, int) or i not in ((None, None, None), (None, None, 1)) for i in items):
        x = m(ops.Slice(items=tuple(items)), x)
    if new:
        x = m(ops.ExpandDims(axes=tuple(new)), x)
    return x


@handles("Slice")
def slice_(m: Maker, inputs: Any, start_indices: Any, shape: Any) -> Value:
    starts, sizes = integers(start_indices), integers(shape)
    items = tuple((a, None if n == -1 else a + n, None) for a, n in zip(starts, sizes, strict=True))
    return m(ops.Slice(items=items), m.value(inputs))


@handles("Flip")
def flip(m: Maker, x: Any, axis: Any = None) -> Value:
    x = m.value(x)
    axes = m.axes(x, axis)
    items = tuple((None, None, -1 if i in axes else None) for i in range(len(m.shape(x))))
    return m(ops.Slice(items=items), x)


@handles("Roll")
def roll(m: Maker, x: Any, shift: Any, axis: Any = None) -> Value:
    x = m.value(x)
    if axis is None:
        raise Refused("without an axis it rolls the batch too")
    for s, a in zip(integers(shift), integers(axis), strict=True):
        x = m(ops.Roll(shift=s, axis=m.axis(x, a)), x)
    return x


@handles("Tile")
def tile(m: Maker, x: Any, repeats: Any) -> Value:
    x, many = m.value(x), integers(repeats)
    rank = len(m.shape(x))
    if len(many) > rank:
        x = m(ops.ExpandDims(axes=tuple(range(len(many) - rank))), x)
    return m(ops.Tile(repeats=(1,) * (rank - len(many)) + many), x)


@handles("Repeat")
def repeat(m: Maker, x: Any, repeats: Any, axis: Any = None) -> Value:
    if axis is None or not isinstance(repeats, int):
        raise Refused("repeats by entry, or without an axis")
    return m(ops.Repeat(repeats=repeats, axis=m.axis(x, axis)), m.value(x))


@handles("BroadcastTo")
def broadcast_to(m: Maker, x: Any, shape: Any) -> Value:
    sizes = tuple(None if d in (None, -1) else d for d in Dims.plain(shape))
    return m(ops.BroadcastTo(shape=sizes), m.value(x))


@handles("Pad")
def pad(m: Maker, x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Value:
    x = m.value(x)
    rank = len(m.shape(x))
    if isinstance(pad_width, int):
        pad_width = [pad_width] * 2
    if not isinstance(pad_width[0], list):
        pad_width = [pad_width]
    widths = [tuple(integers(w)) * (2 // len(integers(w))) for w in pad_width]
    widths = widths * rank if len(widths) == 1 else widths
    if mode not in ("constant", "reflect", "symmetric", "edge"):
        raise Refused(f"mode {mode}")
    how: Any = mode
    return m(ops.Pad(widths=tuple(widths), mode=how, value=float(constant_values or 0)), x)


@handles("Take")
def take(m: Maker, x: Any, indices: Any, axis: Any = None) -> Value:
    if axis is None:
        raise Refused("without an axis it takes from the whole batch")
    if isinstance(indices, int):
        items: list[Any] = [(None, None, None)] * len(m.shape(x))
        items[m.axis(x, axis)] = indices
        return m(ops.Slice(items=tuple(items)), x)
    return m(ops.Take(axis=m.axis(x, axis)), m.value(x), m.value(indices, whole=True))


@handles("TakeAlongAxis")
def take_along_axis(m: Maker, x: Any, indices: Any, axis: Any = None) -> Value:
    return m(ops.TakeAlongAxis(axis=m.axis(x, axis)), m.value(x), m.value(indices, whole=True))


@handles("OneHot")
def one_hot(
    m: Maker, x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> Value:
    rank = len(m.shape(x)) + 1
    return m.cast(m(ops.OneHot(num_classes=num_classes, axis=axis % rank), m.value(x)), dtype)


@handles("Sort")
def sort(m: Maker, x: Any, axis: int = -1) -> Value:
    return m(ops.Sort(axis=m.axis(x, axis), descending=False, places=False), x)


@handles("Argsort")
def argsort(m: Maker, x: Any, axis: int = -1) -> Value:
    return m(ops.Sort(axis=m.axis(x, axis), descending=False, places=True), x)


@handles("TopK")
def top_k(m: Maker, x: Any, k: int, sorted: bool = True) -> list[Value]:
    axis = m.axis(x, -1)
    return [
        _cut(m, m(ops.Sort(axis=axis, descending=True, places=places), x), axis, 0, k)
        for places in (False, True)
    ]


@handles("Tril", "Triu")
def triangle(m: Maker, x: Any, k: int = 0) -> Value:
    return m(ops.Triangle(upper=m.name == "Triu", k=k), m.value(x))


@handles("Diff")
def diff(m: Maker, a: Any, n: int = 1, axis: int = -1) -> Value:
    for _ in range(n):
        at = m.axis(a, axis)
        a = binary(m, "subtract", _cut(m, a, at, 1, None), _cut(m, a, at, 0, -1))
    return m.value(a)


# ------------------------------------------------------------------ products


@handles("Matmul")
def matmul(m: Maker, x1: Any, x2: Any) -> Value:
    return m(ops.MatMul(), m.value(x1), m.value(x2))


@handles("Einsum")
def einsum(m: Maker, *operands: Any, subscripts: str) -> Value:
    xs = [m.value(x) for x in operands]
    left, arrow, out = subscripts.replace(" ", "").partition("->")
    names = left.split(",")
    if len(names) != len(xs):
        raise Refused(subscripts)
    most = max(len(m.shape(x)) - len(n.replace("...", "")) for n, x in zip(names, xs, strict=True))
    free = "".join(c for c in string.ascii_letters if c not in subscripts)[:most]
    full = []
    for name, x in zip(names, xs, strict=True):
        dots = len(m.shape(x)) - len(name.replace("...", ""))
        full.append(name.replace("...", free[most - dots :]))
    if not arrow:
        once = sorted(c for c in set(left) if c.isalpha() and left.count(c) == 1)
        out = ("..." if "..." in left else "") + "".join(once)
    return m(ops.Einsum(equation=f"{','.join(full)}->{out.replace('...', free)}"), *xs)


def _contract(m: Maker, a: Any, b: Any, one: tuple[int, ...], two: tuple[int, ...]) -> Value:
    a, b = m.value(a), m.value(b)
    left = list(string.ascii_letters[: len(m.shape(a))])
    right = list(string.ascii_letters[26 : 26 + len(m.shape(b))])
    for i, j in zip(one, two, strict=True):
        right[j] = left[i]
    out = [c for i, c in enumerate(left) if i not in one] + [c for j, c in enumerate(right) if j not in two]
    return m(ops.Einsum(equation=f"{''.join(left)},{''.join(right)}->{''.join(out)}"), a, b)


@handles("Tensordot")
def tensordot(m: Maker, x1: Any, x2: Any, axes: Any = 2) -> Value:
    x1, x2 = m.value(x1), m.value(x2)
    ranks = len(m.shape(x1)), len(m.shape(x2))
    if isinstance(axes, int):
        return _contract(m, x1, x2, tuple(range(ranks[0] - axes, ranks[0])), tuple(range(axes)))
    one, two = (tuple(a % r for a in integers(v)) for v, r in zip(axes, ranks, strict=True))
    return _contract(m, x1, x2, one, two)


@handles("Dot")
def dot(m: Maker, x1: Any, x2: Any) -> Value:
    if isinstance(x1, (int, float)) or isinstance(x2, (int, float)):
        return binary(m, "multiply", x1, x2)
    x1, x2 = m.value(x1), m.value(x2)
    ranks = len(m.shape(x1)), len(m.shape(x2))
    return _contract(m, x1, x2, (ranks[0] - 1,), (max(ranks[1] - 2, 0),))


@handles("Inner")
def inner(m: Maker, x1: Any, x2: Any) -> Value:
    x1, x2 = m.value(x1), m.value(x2)
    return _contract(m, x1, x2, (len(m.shape(x1)) - 1,), (len(m.shape(x2)) - 1,))
