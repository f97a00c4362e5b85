"""Operation nodes of functional models: keras.ops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops as o

from tests.parity.harness import Case, Dims, operation

X: Dims = (3, 4, 5)
Table = dict[str, Callable[..., Any]]


def table(rows: Table, **settings: Any) -> list[Case]:
    return [operation(name, of, **settings) for name, of in rows.items()]


def every(names: str, **settings: Any) -> list[Case]:
    """A case for each function of one value."""
    return table({name: getattr(o, name) for name in names.split()}, **settings)


def reduction(name: str, axis: Any, keepdims: bool) -> Callable[[Any], Any]:
    more = {"keepdims": True} if keepdims else {}
    return lambda x: getattr(o, name)(x, axis=axis, **more)


CASES: list[Case] = [
    # functions of each value; where a range is needed it is that of the function
    *every(
        "negative abs exp square sin cos sinh cosh tanh arctan arcsinh erf expm1 sign floor ceil round trunc sinc deg2rad "
        "rad2deg isnan isinf isfinite zeros_like ones_like exp2 sigmoid relu relu6 silu elu selu celu softplus "
        "softsign hard_sigmoid hard_silu hard_tanh tanh_shrink soft_shrink hard_shrink log_sigmoid leaky_relu gelu "
        "squareplus sparse_plus sparse_sigmoid stop_gradient logical_not nan_to_num",
        x=X,
    ),
    *every("sqrt log log2 log10 log1p rsqrt reciprocal cbrt", x=X, low=0.2, up=3.0),
    *every("arcsin arccos arctanh tan", x=X, low=-0.9, up=0.9),
    *every("arccosh", x=X, low=1.2, up=4.0),
    # two values, numbers on both sides, arrays, broadcasting
    *table(
        {
            name: getattr(o, name)
            for name in (
                "add subtract multiply divide true_divide power maximum minimum mod arctan2 hypot logaddexp "
                "divide_no_nan equal not_equal less less_equal greater greater_equal logical_and logical_or logical_xor"
            ).split()
        },
        x=[X, X],
        low=0.3,
        up=3.0,
    ),
    *table(
        {
            "x+2": lambda x: x + 2,
            "2-x": lambda x: 2 - x,
            "x*0.5": lambda x: x * 0.5,
            "1/x": lambda x: 1 / x,
            "x**2": lambda x: x**2,
            "x**0.5": lambda x: x**0.5,
            "2**x": lambda x: 2.0**x,
            "x>1": lambda x: x > 1,
            "max(1,x)": lambda x: o.maximum(1.0, x),
            "min(x,1)": lambda x: o.minimum(x, 1.0),
            "x//0.4": lambda x: o.stop_gradient(x) // 0.4,  # PyTorch has no gradient of it
            "x%0.4": lambda x: x % 0.4,
            "x+array": lambda x: x + np.arange(5, dtype="float32"),
            "array*x": lambda x: o.multiply(np.arange(20, dtype="float32").reshape(4, 5) / 10, x),
        },
        x=X,
        low=0.3,
        up=3.0,
    ),
    operation("add-broadcast", o.add, x=[(3, 4, 5), (3, 1, 5)]),
    operation("multiply-ranks", lambda a, b: a * b[0], x=[(3, 4, 5), (3, 5)]),
    operation("add-behind", lambda x: x + 1.0, x=(3, 4, 5, 2), behind=True),
    operation("add-array-behind", lambda x: x + np.arange(2.0, dtype="float32"), x=(3, 4, 5, 2), behind=True),
    # choosing
    *table(
        {
            "where": lambda x: o.where(x > 0, x, 0.1),
            "where-arrays": lambda x: o.where(x > 0, np.arange(5, dtype="float32"), x),
            "clip": lambda x: o.clip(x, -0.5, 0.8),
            "full_like": lambda x: o.full_like(x, 3.0) * x,
            "cast": lambda x: o.cast(x > 0, "float32") * x,
            "cast-int": lambda x: o.cast(x * 3, "int32"),
        },
        x=X,
    ),
    # reductions
    *[
        operation(f"{name}-{axis}-{keepdims}", _f, x=X)
        for name in "sum mean max min prod var std logsumexp any all count_nonzero".split()
        for axis, keepdims in ((-1, False), ((1, 2), False), (1, True))
        # Keras on PyTorch gives the transpose of a matrix of counts
        if not (name == "count_nonzero" and axis != (1, 2))
        for _f in [reduction(name, axis, keepdims)]
    ],
    *table(
        {
            "argmax": lambda x: o.argmax(x, axis=-1),
            "argmin-keep": lambda x: o.argmin(x, axis=1, keepdims=True),
            "cumsum": lambda x: o.cumsum(x, axis=1),
            "cumprod": lambda x: o.cumprod(x, axis=-1),
            "norm": lambda x: o.norm(x, axis=-1),
            "norm-1": lambda x: o.norm(x, ord=1, axis=1, keepdims=True),
            "ptp": lambda x: o.ptp(x, axis=1),
            "moments": lambda x: o.moments(x, axes=[1])[1],
            "average": lambda x: o.average(x, axis=1),
            "softmax": o.softmax,
            "softmax-1": lambda x: o.softmax(x, axis=1),
            "log_softmax": o.log_softmax,
            "normalize": o.normalize,
            "glu": lambda x: o.glu(x, axis=1),
            "sparsemax": o.sparsemax,
            "threshold": lambda x: o.threshold(x, 0.3, -1.0),
            "gelu-exact": lambda x: o.gelu(x, approximate=False),
            "mean-of-all": lambda x: x - o.mean(x, axis=(1, 2), keepdims=True),
        },
        x=X,
    ),
    # shapes
    *table(
        {
            "reshape": lambda x: o.reshape(x, (-1, 20)),
            "reshape-all": lambda x: o.reshape(o.reshape(x, (-1, 5)), (-1, 4, 5)),
            "transpose": lambda x: o.transpose(x, (0, 2, 1)),
            "swapaxes": lambda x: o.swapaxes(x, 1, 2),
            "moveaxis": lambda x: o.moveaxis(x, 1, -1),
            "expand_dims": lambda x: o.expand_dims(x, -1),
            "expand_dims-2": lambda x: o.expand_dims(x, (1, 3)),
            "squeeze": lambda x: o.squeeze(o.expand_dims(x, 1), 1),
            "split": lambda x: o.split(x, 2, axis=1)[1],
            "split-at": lambda x: o.split(x, [1, 3], axis=-1)[1],
            "unstack": lambda x: o.unstack(x, axis=1)[2],
            "unstack-sum": lambda x: sum(o.unstack(x, axis=2)),
            "[:,1:3]": lambda x: x[:, 1:3],
            "[:,0]": lambda x: x[:, 0],
            "[...,-1]": lambda x: x[..., -1],
            "[:,::2,None]": lambda x: x[:, ::2, None],
            "[...,None]": lambda x: x[..., None],
            "[:,:,-2:]": lambda x: x[:, :, -2:],
            "[:,-1:]": lambda x: x[:, -1:],
            "flip": lambda x: o.flip(x, axis=1),
            "roll": lambda x: o.roll(x, 2, axis=1),
            "tile": lambda x: o.tile(x, (1, 2, 3)),
            "repeat": lambda x: o.repeat(x, 3, axis=1),
            "pad": lambda x: o.pad(x, ((0, 0), (1, 2), (0, 1))),
            "pad-value": lambda x: o.pad(x, ((0, 0), (1, 2), (0, 1)), constant_values=2.0),
            "pad-reflect": lambda x: o.pad(x, ((0, 0), (1, 2), (0, 1)), mode="reflect"),
            "broadcast_to": lambda x: o.broadcast_to(x[:, :1], (3, 4, 5)),
            "take": lambda x: o.take(x, [2, 0, 2], axis=1),
            "take-one": lambda x: o.take(x, 1, axis=2),
            "sort": lambda x: o.sort(x, axis=1),
            "argsort": lambda x: o.argsort(x, axis=-1),
            "top_k": lambda x: o.top_k(x, 2)[0],
            "top_k-places": lambda x: o.cast(o.top_k(x, 2)[1], "int32"),  # int64 on PyTorch only
            "tril": lambda x: o.tril(x, k=1),
            "triu": lambda x: o.triu(x, k=-1),
            "diff": lambda x: o.diff(x, axis=1),
            "stack-self": lambda x: o.stack([x, x * 2], axis=-1),
            "ravel-back": lambda x: o.reshape(o.ravel(x), (-1, 4, 5)),
        },
        x=X,
    ),
    *table(
        {
            "concatenate": lambda a, b: o.concatenate([a, b], axis=1),
            "concatenate-last": lambda a, b: o.concatenate([a, b, a], axis=-1),
            "stack": lambda a, b: o.stack([a, b], axis=1),
            "hstack": lambda a, b: o.hstack([a, b]),
            "append": lambda a, b: o.append(a, b, axis=2),
            "einsum": lambda a, b: o.einsum("abc,adc->abd", a, b),
            "einsum-dots": lambda a, b: o.einsum("...c,...c->...", a, b),
            "matmul": lambda a, b: o.matmul(a, o.transpose(b, (0, 2, 1))),
            "take_along_axis": lambda a, b: o.take_along_axis(a, o.argsort(b, axis=1), axis=1),
            "where-both": lambda a, b: o.where(a > b, a, b),
            "keyword": lambda a, b: o.add(x1=a, x2=b),
        },
        x=[X, X],
    ),
    operation("matmul-vector", lambda a, b: o.matmul(a, b), x=[(3, 4, 5), (3, 5, 2)]),
    operation("matmul-array", lambda x: o.matmul(x, np.ones((5, 2), "float32")), x=X),
    operation("dot-array", lambda x: o.dot(x, np.ones((5, 2), "float32")), x=X),
    operation("tensordot", lambda x: o.tensordot(x, np.ones((4, 5, 2), "float32"), axes=2), x=X),
    operation("tensordot-axes", lambda x: o.tensordot(x, np.ones((4, 2), "float32"), axes=[[1], [0]]), x=X),
    operation("one_hot", lambda x: o.one_hot(x, 6), x=(3, 4), high=6),
    operation("one_hot-axis", lambda x: o.one_hot(x, 6, axis=1), x=(3, 4), high=6),
    operation("whole+2", lambda x: x + 2, x=(3, 4), high=6),
    operation("whole*0.5", lambda x: x * 0.5, x=(3, 4), high=6),
    operation("whole-mean", lambda x: o.mean(x, axis=1), x=(3, 4), high=6),
    operation("whole-sum", lambda x: o.sum(x, axis=1), x=(3, 4), high=6),
    operation("whole/2", lambda x: x / 2, x=(3, 4), high=6),
    # images
    operation("max_pool", lambda x: o.max_pool(x, 2, padding="same"), x=(2, 5, 6, 3)),
    operation("average_pool", lambda x: o.average_pool(x, (2, 3), strides=1), x=(2, 5, 6, 3)),
    operation("resize", lambda x: o.image.resize(x, (8, 9)), x=(2, 5, 6, 3)),
    operation("global-mean", lambda x: o.mean(x, axis=(1, 2)), x=(2, 5, 6, 3), behind=True),
    operation("unknown-sizes", lambda x: o.relu(x[:, 1:]) * 2.0, x=(2, None, None, 3), feed=(2, 5, 6, 3)),
]
