"""Ops of matrices: factorisations, inverses, systems of equations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from kchainer.ir.op import Dim, Op, Shape, ShapeError, attr, op, show
from kchainer.ir.ops.math import broadcast

OfMatrix = Literal[
    "inv", "pinv", "det", "logdet", "sign_of_det", "log_of_det", "cholesky", "cholesky_upper", "cholesky_inverse",
    "cholesky_inverse_upper", "qr_q", "qr_r", "qr_q_complete", "qr_r_complete", "svd_u", "svd_s", "svd_vh",
    "svd_u_full", "svd_vh_full", "eigh_values", "eigh_vectors", "rank",
]  # fmt: skip
_SQUARE = ("inv", "det", "logdet", "sign_of_det", "log_of_det", "eigh_values", "eigh_vectors")


def _least(m: Dim, n: Dim) -> Dim:
    return None if m is None or n is None else min(m, n)


# the last axes of the result for a matrix of m rows and n columns
_RESULT: dict[str, Callable[[Dim, Dim], Shape]] = {
    "pinv": lambda m, n: (n, m),
    **dict.fromkeys(("det", "logdet", "sign_of_det", "log_of_det", "rank"), lambda m, n: ()),
    **dict.fromkeys(("qr_q", "svd_u"), lambda m, n: (m, _least(m, n))),
    **dict.fromkeys(("qr_r", "svd_vh"), lambda m, n: (_least(m, n), n)),
    **dict.fromkeys(("qr_q_complete", "svd_u_full"), lambda m, n: (m, m)),
    "qr_r_complete": lambda m, n: (m, n),
    "svd_vh_full": lambda m, n: (n, n),
    "svd_s": lambda m, n: (_least(m, n),),
    "eigh_values": lambda m, n: (m,),
}


@op
class MatrixFunction(Op):
    """A function of each matrix of the last two axes; singular and eigenvectors are up to signs.

    Input   x  rank 2 or more; square but for pinv, qr, svd and rank.
    Raises  ShapeError: another rank, no square. In backward NotImplementedError: of pinv, qr, svd, eigh.
    Source  keras.ops.inv, det, slogdet, cholesky, qr, svd, eigh and so on.
    """

    function: OfMatrix = attr(doc="which")

    def infer(self, x: Shape) -> Shape:
        if len(x) < 2:
            raise ShapeError(f"expected matrices, found {show(x)}")
        m, n = x[-2:]
        square = self.function in _SQUARE or self.function.startswith("cholesky")
        if square and m != n and None not in (m, n):
            raise ShapeError(f"expected square matrices, found {show(x)}")
        made = _RESULT.get(self.function)
        return (*x[:-2], *(made(m, n) if made else (m, n)))


@op
class SolveEquations(Op):
    """The solution of a x = b: exactly, by a triangle of a, or by least squares.

    Input   a (..., M, N), b (..., M, K) or (..., M).
    Raises  ShapeError: sizes that do not fit. In backward NotImplementedError: of least squares.
    Source  keras.ops.solve, solve_triangular, lstsq.
    """

    function: Literal["solve", "lower", "upper", "least_squares"] = attr(doc="how")

    def infer(self, a: Shape, b: Shape) -> Shape:
        if len(a) < 2 or len(b) < len(a) - 1 or not b:
            raise ShapeError(f"cannot solve {show(a)} for {show(b)}")
        vector = len(b) == len(a) - 1
        rows = b[-1] if vector else b[-2]
        if None not in (rows, a[-2]) and rows != a[-2]:
            raise ShapeError(f"cannot solve {show(a)} for {show(b)}")
        front = broadcast(a[:-2] or (1,), (b[:-1] if vector else b[:-2]) or (1,))
        front = front if len(a) > 2 or len(b) > 2 else ()
        return (*front, a[-1]) if vector else (*front, a[-1], b[-1])
