"""What the functions of keras.ops that sum products mean, as ops of the IR."""

from __future__ import annotations

import string
from typing import Any

from kchainer.frontends.keras.layers.making import Maker, Refused, handles, integers
from kchainer.frontends.keras.layers.math_operations import binary
from kchainer.ir import ops
from kchainer.ir.graph import Value


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
