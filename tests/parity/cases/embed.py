"""Embeddings."""

from __future__ import annotations

from tests.parity.harness import Case, case

CASES: list[Case] = [
    case("Embedding", x=(3, 5), high=7, input_dim=7, output_dim=4),
    case("Embedding", x=(3, 1), high=7, input_dim=7, output_dim=4),
    case("Embedding", x=(3, 2, 5), high=7, input_dim=7, output_dim=1),
    case("Embedding", x=(3, None), feed=(3, 6), high=7, input_dim=9, output_dim=4),
    case("Embedding", x=(3, 5), high=7, input_dim=7, output_dim=4, trainable=False),
]
