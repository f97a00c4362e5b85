"""Activations."""

from __future__ import annotations

from tests.parity.cases.core import FUNCTIONS
from tests.parity.harness import Case, case

CASES: list[Case] = [case("Activation", x=(3, 4, 6), activation=name) for name in FUNCTIONS]
CASES += [
    case("Activation", x=(3, 4, 5, 6), activation=name, behind=True)
    for name in ("relu", "softmax", "log_softmax", "sparsemax")
]
# Keras's Activation says that it keeps the shape; glu halves it.
CASES += [
    case("Activation", x=(3, 4, 5, 6), activation="glu", says_less=True, behind=on) for on in (False, True)
]
CASES += [
    case("ReLU", x=(3, 5), max_value=top, negative_slope=slope, threshold=threshold)
    for top in (None, 1.5)
    for slope in (0.0, 0.3)
    for threshold in (0.0, 0.5)
]
CASES += [
    case("LeakyReLU", x=(3, 5)),
    case("LeakyReLU", x=(3, 5), negative_slope=0.1),
    case("ELU", x=(3, 5)),
    case("ELU", x=(3, 5), alpha=0.5),
    case("PReLU", x=(3, 5)),
    case("PReLU", x=(3, 4, 5, 6)),
    case("PReLU", x=(3, 4, 5, 6), behind=True),
    case("PReLU", x=(3, 4, 5, 6), shared_axes=[1, 2]),
    case("PReLU", x=(3, 4, 5, 6), shared_axes=[1, 2], behind=True),
    case("PReLU", x=(3, 4, 5, 6), shared_axes=[1]),
    case("PReLU", x=(3, 4, 5, 6), shared_axes=[3], behind=True),
    case("PReLU", x=(3, 4, 5), shared_axes=[1, 2]),
    case("Softmax", x=(3, 5)),
    case("Softmax", x=(3, 4, 5), axis=1),
    case("Softmax", x=(3, 4, 5), axis=(1, 2)),
    case("Softmax", x=(3, 4, 5, 6), axis=(1, 3)),
    case("Softmax", x=(3, 4, 5, 6), axis=1, behind=True),
    case("Softmax", x=(3, 4, 5, 6), axis=(2, 3), behind=True),
]
