"""The error function in NumPy: without SciPy Chainer calls math.erf per element, with a warning."""

from __future__ import annotations

import math
from typing import Any

import chainer
import chainer.functions as F
import numpy as np

# Source: Cody, Rational Chebyshev approximation for the error function (1969); highest power first.
_SMALL_P = (
    1.85777706184603153e-1,
    3.16112374387056560,
    1.13864154151050156e2,
    3.77485237685302021e2,
    3.20937758913846947e3,
)
_SMALL_Q = (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3)
_LARGE_P = (
    2.15311535474403846e-8,
    5.64188496988670089e-1,
    8.88314979438837594,
    6.61191906371416295e1,
    2.98635138197400131e2,
    8.81952221241769090e2,
    1.71204761263407058e3,
    2.05107837782607147e3,
    1.23033935479799725e3,
)
_LARGE_Q = (
    1.0,
    1.57449261107098347e1,
    1.17693950891312499e2,
    5.37181101862009858e2,
    1.62138957456669019e3,
    3.29079923573345963e3,
    4.36261909014324716e3,
    3.43936767414372164e3,
    1.23033935480374942e3,
)


def _polynomial(coefficients: tuple[float, ...], x: np.ndarray) -> np.ndarray:
    y = np.full_like(x, coefficients[0])
    for c in coefficients[1:]:
        y *= x
        y += x.dtype.type(c)
    return y


def erf_array(x: np.ndarray) -> np.ndarray:
    """erf to the last few bits of the dtype of ``x``; float16 through float32."""
    v = x.astype(np.float32) if x.dtype == np.float16 else x
    # Beyond 6 erf is 1 in float64; the clip keeps the polynomials finite.
    size = np.minimum(np.abs(v), v.dtype.type(6))
    square = size * size
    small = size * _polynomial(_SMALL_P, square) / _polynomial(_SMALL_Q, square)
    large = 1 - np.exp(-square) * _polynomial(_LARGE_P, size) / _polynomial(_LARGE_Q, size)
    y: np.ndarray = np.copysign(np.where(size < 0.46875, small, large), v).astype(x.dtype, copy=False)
    return y


class _Erf(chainer.FunctionNode):
    def forward_cpu(self, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        self.retain_inputs((0,))
        return (erf_array(inputs[0]),)

    def backward(self, indexes: Any, gradients: tuple[Any, ...]) -> tuple[Any, ...]:
        (x,) = self.get_retained_inputs()
        return (2 / math.sqrt(math.pi) * F.exp(-x * x) * gradients[0],)


def erf(x: Any) -> chainer.Variable:
    """The error function; CuPy has its own."""
    if chainer.backend.get_array_module(x) is np:
        return _Erf().apply((x,))[0]
    return F.erf(x)
