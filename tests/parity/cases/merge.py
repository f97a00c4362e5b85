"""Layers that join values."""

from __future__ import annotations

from tests.parity.harness import Case, case

NAMES = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")
CASES: list[Case] = [
    case(name, x=[(3, 4, 5)] * count)
    for name in NAMES
    for count in (2, 3)
    if not (name == "Subtract" and count == 3)
]
CASES += [case(name, x=[(3, 4, 5), (3, 1, 5)]) for name in NAMES]
CASES += [case(name, x=[(3, 4, 5), (3, 4, 1), (3, 1, 5)]) for name in NAMES if name != "Subtract"]
CASES += [case(name, x=[(3, 2, 4, 5), (3, 4, 5)]) for name in ("Add", "Multiply")]
CASES += [case(name, x=[(3, 4, 5, 6), (3, 1, 1, 6)], behind=True) for name in NAMES]
CASES += [
    case("Concatenate", x=[(3, 4, 5), (3, 4, 2)]),
    case("Concatenate", x=[(3, 4, 5), (3, 4, 2), (3, 4, 1)], axis=-1),
    case("Concatenate", x=[(3, 4, 5), (3, 2, 5)], axis=1),
    case("Concatenate", x=[(3, 4, 5, 6), (3, 4, 2, 6)], axis=2, behind=True),
    case("Concatenate", x=[(3, 4, 5, 6), (3, 4, 5, 2)], axis=3, behind=True),
    case("Concatenate", x=[(3, None, 5), (3, None, 2)], feed=[(3, 4, 5), (3, 4, 2)]),
]
CASES += [
    case("Dot", x=xs, axes=axes, normalize=normalize)
    for xs, axes in (
        ([(3, 5), (3, 5)], 1),
        ([(3, 4, 5), (3, 6, 5)], 2),
        ([(3, 4, 5), (3, 5, 6)], (2, 1)),
        ([(3, 4, 5), (3, 4, 6)], 1),
        ([(3, 4, 5), (3, 5)], (2, 1)),
        ([(3, 4, 5), (3, 6, 5)], -1),
    )
    for normalize in (False, True)
]
