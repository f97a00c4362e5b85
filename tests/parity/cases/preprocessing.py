"""Numbers and categories; strings need TensorFlow: tests/recorded/test_preprocessing.py."""

from __future__ import annotations

from typing import Any

import keras

from tests.parity.harness import Case, case, operation

BINS = {"bin_boundaries": [-1.0, -0.25, 0.5, 0.75]}


def _weighted(numbers: Any, counts: Any) -> Any:
    return keras.layers.CategoryEncoding(5, "count", name="tested")(
        keras.ops.cast(numbers * 3 + 2, "int32"), count_weights=counts
    )


CASES: list[Case] = [
    case("Discretization", x=(5, 6), **BINS),
    case("Discretization", x=(5, 3, 2), **BINS),
    case("Discretization", x=(5, 1), output_mode="one_hot", **BINS),
    case("Discretization", x=(5, 4), output_mode="multi_hot", says_less=True, **BINS),
    case("Discretization", x=(5, 4), output_mode="count", says_less=True, **BINS),
    case("Discretization", x=(5, 4), high=3, **BINS),
    *(
        case("CategoryEncoding", x=(5, 4), high=7, num_tokens=7, output_mode=mode)
        for mode in ("multi_hot", "count")
    ),
    case("CategoryEncoding", x=(5, 1), high=7, num_tokens=9, output_mode="one_hot"),
    case("CategoryEncoding", x=(5, 3), high=7, num_tokens=7, output_mode="one_hot"),
    case("CategoryEncoding", x=(5, 3, 2), high=7, num_tokens=7, output_mode="one_hot"),
    operation("CategoryEncoding", _weighted, x=[(6, 4), (6, 4)], low=0, double=None),
    case("ReversibleEmbedding", x=(5, 3), high=7, input_dim=7, output_dim=4),
]
