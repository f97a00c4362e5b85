"""What the functions of keras.ops.linalg mean, as ops of the IR."""

from __future__ import annotations

from typing import Any

from kchainer.frontends.keras.layers.making import Handler, Maker, handles
from kchainer.ir import ops
from kchainer.ir.graph import Value

# Keras's class -> the op's function
OF_MATRIX = {
    "Inv": "inv", "Pinv": "pinv", "Det": "det", "Logdet": "logdet", "MatrixRank": "rank",
}  # fmt: skip


def _function(function: Any) -> Handler:
    def translate(m: Maker, x: Any, rcond: None = None, tol: None = None) -> Value:
        if rcond is not None or tol is not None:
            raise ValueError("a tolerance of one's own")
        return of_matrix(m, function, x)

    return translate


def of_matrix(m: Maker, function: Any, x: Any) -> Value:
    return m(ops.MatrixFunction(function=function), m.value(x))


for _name, _given in OF_MATRIX.items():
    handles(_name)(_function(_given))


@handles("Cholesky", "CholeskyInverse")
def cholesky(m: Maker, x: Any, upper: bool = False) -> Value:
    name = "cholesky" if m.name == "Cholesky" else "cholesky_inverse"
    return of_matrix(m, name + "_upper" * upper, x)


@handles("Slogdet")
def slogdet(m: Maker, x: Any) -> list[Value]:
    return [of_matrix(m, "sign_of_det", x), of_matrix(m, "log_of_det", x)]


@handles("Qr")
def qr(m: Maker, x: Any, mode: str = "reduced") -> list[Value]:
    return [of_matrix(m, f"qr_{part}" + "_complete" * (mode == "complete"), x) for part in "qr"]


@handles("SVD")
def svd(m: Maker, x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    values = of_matrix(m, "svd_s", x)
    if not compute_uv:
        return values
    full = "_full" * full_matrices
    return [of_matrix(m, f"svd_u{full}", x), values, of_matrix(m, f"svd_vh{full}", x)]


@handles("Eigh")
def eigh(m: Maker, x: Any) -> list[Value]:
    return [of_matrix(m, "eigh_values", x), of_matrix(m, "eigh_vectors", x)]


@handles("Solve")
def solve(m: Maker, a: Any, b: Any) -> Value:
    return m(ops.SolveEquations(function="solve"), m.value(a), m.value(b))


@handles("SolveTriangular")
def solve_triangular(m: Maker, a: Any, b: Any, lower: bool = False) -> Value:
    how: Any = "lower" if lower else "upper"
    return m(ops.SolveEquations(function=how), m.value(a), m.value(b))


@handles("Lstsq")
def lstsq(m: Maker, a: Any, b: Any, rcond: None = None) -> Value:
    if rcond is not None:
        raise ValueError("a tolerance of one's own")
    return m(ops.SolveEquations(function="least_squares"), m.value(a), m.value(b))
