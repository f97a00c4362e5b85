"""Masks made and taken."""

from __future__ import annotations

from tests.parity.harness import Case, case

CASES: list[Case] = [
    case("Masking", x=(4, 6, 3), masked=True),
    case("Masking", x=(4, 6, 3), mask_value=0.5),
    case("Masking", x=(4, 6, 1), low=0.0, up=1.0),
    case("Embedding", x=(3, 5), high=3, input_dim=7, output_dim=4, mask_zero=True),
    case("GlobalAveragePooling1D", x=(3, 6, 3), masked=True),
    case("GlobalMaxPooling1D", x=(4, 6, 3), masked=True),
]
CASES += [
    case("BatchNormalization", x=(4, 6, 3), masked=True),
    case("BatchNormalization", x=(4, 6, 3), masked=True, scale=False, momentum=0.8),
    case("BatchNormalization", x=(4, 6, 3), masked=True, trainable=False),
    case("BatchNormalization", x=(4, 6, 3), masked=True, axis=1),
    case("BatchNormalization", x=(4, 6, 3), masked=True, axis=1, center=False),
]
