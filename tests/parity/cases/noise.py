"""Dropout and noise: as Keras in inference, of the same statistics in training."""

from __future__ import annotations

from tests.parity.harness import Case, case

# Tolerances are of mean, deviation and share of zeros: four standard errors of as many draws as a case has, or more.
CASES: list[Case] = [
    *(case("Dropout", x=(100, 20, 30), rate=rate, noise=0.02) for rate in (0.1, 0.5, 0.9)),
    case("Dropout", x=(200, 30, 20), rate=0.4, noise_shape=(None, 1, 20), noise=0.06),
    case("Dropout", x=(200, 4, 4, 20), rate=0.4, noise_shape=(None, 1, 1, 20), behind=True, noise=0.3),
    case("Dropout", x=(20, 5), rate=0.0),
    case("SpatialDropout1D", x=(500, 5, 40), rate=0.3, noise=0.05),
    case("SpatialDropout2D", x=(500, 3, 3, 40), rate=0.3, noise=0.05),
    case("SpatialDropout2D", x=(500, 40, 3, 3), rate=0.3, data_format="channels_first", noise=0.05),
    case("SpatialDropout3D", x=(500, 2, 2, 2, 40), rate=0.3, noise=0.05),
    case("SpatialDropout3D", x=(500, 40, 2, 2, 2), rate=0.3, data_format="channels_first", noise=0.05),
    case("GaussianNoise", x=(100, 20, 30), stddev=0.7, noise=0.02),
    case("GaussianDropout", x=(100, 20, 30), rate=0.3, noise=0.02),
    case("AlphaDropout", x=(100, 20, 30), rate=0.2, noise=0.02),
    case("AlphaDropout", x=(200, 30, 20), rate=0.2, noise_shape=(None, 1, 20), noise=0.06),
    case("ActivityRegularization", x=(3, 5), l1=0.1, l2=0.2),
]
