"""Functions of matrices as keras.ops has them; on CuPy by its own solvers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import chainer
import chainer.functions as F
import numpy as np

from kchainer.functions.math import floating, together


def _t(x: Any) -> Any:
    return F.swapaxes(x, -1, -2) if isinstance(x, chainer.Variable) else x.swapaxes(-1, -2)


def _svd(full: bool, part: int) -> Callable[[Any, Any], Any]:
    return lambda xp, x: xp.linalg.svd(x, full_matrices=full)[part]


def _qr(mode: str, part: int) -> Callable[[Any, Any], Any]:
    return lambda xp, x: xp.linalg.qr(x, mode)[part]


def _of_cholesky(xp: Any, low: Any) -> Any:
    return xp.linalg.inv(low @ _t(low))


# without a gradient: it is not defined where values meet, and a network seldom asks for it
_PLAIN: dict[str, Callable[[Any, Any], Any]] = {
    "pinv": lambda xp, x: xp.linalg.pinv(x),
    "rank": lambda xp, x: np.asarray(xp.linalg.matrix_rank(x)).astype(np.int32),
    "sign_of_det": lambda xp, x: xp.linalg.slogdet(x)[0],
    "cholesky_inverse": _of_cholesky,
    "cholesky_inverse_upper": lambda xp, x: _of_cholesky(xp, _t(x)),
    "qr_q": _qr("reduced", 0),
    "qr_r": _qr("reduced", 1),
    "qr_q_complete": _qr("complete", 0),
    "qr_r_complete": _qr("complete", 1),
    "svd_u": _svd(False, 0),
    "svd_s": _svd(False, 1),
    "svd_vh": _svd(False, 2),
    "svd_u_full": _svd(True, 0),
    "svd_vh_full": _svd(True, 2),
    "eigh_values": lambda xp, x: xp.linalg.eigh(x)[0],
    "eigh_vectors": lambda xp, x: xp.linalg.eigh(x)[1],
    "least_squares": lambda xp, a, b: xp.linalg.pinv(a) @ b,  # type: ignore[dict-item,misc]
}
_NO_SLOPE = ("rank", "sign_of_det")


class _Plain(chainer.FunctionNode):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def forward(self, inputs: Any) -> Any:
        xp = chainer.backend.get_array_module(*inputs)
        return (xp.asarray(_PLAIN[self.name](xp, *inputs)),)

    def backward(self, indexes: Any, gys: Any) -> Any:
        if self.name in _NO_SLOPE:
            return (None,)
        raise NotImplementedError(f"the gradient of {self.name} is not computed: stop it with stop_gradient")


class _Solve(chainer.FunctionNode):
    """x of a x = b for matrices b."""

    def forward(self, inputs: Any) -> Any:
        a, b = inputs
        self.retain_inputs((0,))
        self.retain_outputs((0,))
        return (chainer.backend.get_array_module(a).linalg.solve(a, b).astype(b.dtype),)

    def backward(self, indexes: Any, gys: Any) -> Any:
        (a,), (x,) = self.get_retained_inputs(), self.get_retained_outputs()
        gb = _Solve().apply((_t(a), gys[0]))[0]
        return -F.matmul(gb, x, transb=True), gb


class _LogDet(chainer.FunctionNode):
    def forward(self, inputs: Any) -> Any:
        self.retain_inputs((0,))
        return (chainer.backend.get_array_module(*inputs).linalg.slogdet(inputs[0])[1],)

    def backward(self, indexes: Any, gys: Any) -> Any:
        (x,) = self.get_retained_inputs()
        inverse = _inverse(x)
        return (F.broadcast_to(F.reshape(gys[0], (*gys[0].shape, 1, 1)), x.shape) * _t(inverse),)


class _Cholesky(chainer.FunctionNode):
    """The lower factor; its gradient is symmetric, as PyTorch has it."""

    def forward(self, inputs: Any) -> Any:
        self.retain_outputs((0,))
        return (chainer.backend.get_array_module(*inputs).linalg.cholesky(inputs[0]),)

    def backward(self, indexes: Any, gys: Any) -> Any:
        (low,) = self.get_retained_outputs()
        xp = low.xp
        inner = F.matmul(low, gys[0], transa=True)
        half = xp.tril(xp.ones(low.shape[-2:], low.dtype)) * (
            1 - 0.5 * xp.eye(low.shape[-1], dtype=low.dtype)
        )
        inner = inner * xp.broadcast_to(half, inner.shape)
        right = _t(_Solve().apply((_t(low), _t(inner)))[0])  # inner L^-1
        made = _Solve().apply((_t(low), right))[0]
        return (0.5 * (made + _t(made)),)


def _inverse(x: Any) -> Any:
    eye = x.xp.broadcast_to(x.xp.eye(x.shape[-1], dtype=x.dtype), x.shape)
    return _Solve().apply((x, chainer.as_variable(x.xp.ascontiguousarray(eye))))[0]


def _det(x: Any) -> Any:
    sign, size = chainer.as_variable(x.xp.linalg.slogdet(x.array)[0]), _LogDet().apply((x,))[0]
    return sign * F.exp(size)


_SMOOTH: dict[str, Callable[[Any], Any]] = {
    "inv": _inverse,
    "det": _det,
    "logdet": lambda x: F.log(_det(x)),
    "log_of_det": lambda x: _LogDet().apply((x,))[0],
    "cholesky": lambda x: _Cholesky().apply((x,))[0],
    "cholesky_upper": lambda x: _t(_Cholesky().apply((x,))[0]),
}


def matrix_function(x: Any, function: str) -> chainer.Variable:
    """A function of the matrices of the last two axes. Source: keras.ops.inv, det, qr, svd and so on.

    Raises NotImplementedError in backward where there is no gradient of it.
    """
    x = floating(x)
    return _SMOOTH[function](x) if function in _SMOOTH else _Plain(function).apply((x,))[0]


def solve_equations(a: Any, b: Any, function: str) -> chainer.Variable:
    """The solution of a x = b. Source: keras.ops.solve, solve_triangular, lstsq."""
    a, b = together(floating(a), floating(b))
    vector = b.ndim == a.ndim - 1
    b = F.expand_dims(b, b.ndim) if vector else b
    if function in ("lower", "upper"):
        xp = a.xp
        keep = xp.broadcast_to(
            (xp.tril if function == "lower" else xp.triu)(xp.ones(a.shape[-2:], a.dtype)), a.shape
        )
        a = a * keep
    front = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = F.broadcast_to(a, (*front, *a.shape[-2:])), F.broadcast_to(b, (*front, *b.shape[-2:]))
    node = _Plain(function) if function == "least_squares" else _Solve()
    y = node.apply((a, b))[0]
    return F.squeeze(y, y.ndim - 1) if vector else y
