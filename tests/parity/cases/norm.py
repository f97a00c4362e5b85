"""Normalisation."""

from __future__ import annotations

from typing import Any

from keras.src.applications.convnext import LayerScale
from keras.src.applications.inception_resnet_v2 import CustomScaleLayer

from tests.parity.harness import Case, case, operation


def _scaled(x: Any) -> Any:
    return LayerScale(0.5, x.shape[-1], dtype=x.dtype, name="tested")(x)


def _summed(x: Any, y: Any) -> Any:
    return CustomScaleLayer(0.3, dtype=x.dtype, name="tested")([x, y])


CASES: list[Case] = [
    case("BatchNormalization", x=(8, 4)),
    case("BatchNormalization", x=(8, 5, 4)),
    case("BatchNormalization", x=(8, 5, 5, 3)),
    case("BatchNormalization", x=(4, 3, 5, 4, 3)),
    case("BatchNormalization", x=(8, 3, 6, 6), axis=1, momentum=0.9, epsilon=1e-2),
    case("BatchNormalization", x=(8, 5, 6, 3), axis=2),
    case("BatchNormalization", x=(8, 4), scale=False),
    case("BatchNormalization", x=(8, 4), center=False),
    case("BatchNormalization", x=(8, 5, 5, 3), scale=False, center=False),
    case("BatchNormalization", x=(8, None, None, 3), feed=(8, 4, 5, 3)),
    case("BatchNormalization", x=(8, 5, 5, 3), momentum=0.5),
    case("BatchNormalization", x=(8, 5, 5, 3), epsilon=1e-5),
    case("BatchNormalization", x=(8, 5, 5, 3), trainable=False),
    case("BatchNormalization", x=(8, 5, 5, 3), behind=True),
    case("BatchNormalization", x=(8, 5, 4, 3), axis=1, behind=True),
    case("LayerNormalization", x=(4, 6)),
    case("LayerNormalization", x=(4, 5, 6)),
    # An axis that is not the last fails in Keras on PyTorch itself.
    case("LayerNormalization", x=(4, 5, 6), axis=[1, 2]),
    case("LayerNormalization", x=(4, 3, 5, 6), axis=[-1, -2]),
    case("LayerNormalization", x=(4, 3, 5, 6), axis=[1, 3], epsilon=1e-5),
    case("LayerNormalization", x=(4, 3, 5, 6), behind=True),
    case("LayerNormalization", x=(4, 3, 5, 6), axis=[1, 3], behind=True),
    case("LayerNormalization", x=(4, 5, 6), axis=[1, 2], behind=True),
    case("RMSNormalization", x=(4, 3, 5, 6), behind=True),
    case("LayerNormalization", x=(4, 6), scale=False),
    case("LayerNormalization", x=(4, 6), center=False),
    case("LayerNormalization", x=(4, 6), scale=False, center=False),
    case("LayerNormalization", x=(4, 5, 6), rms_scaling=True),
    case("LayerNormalization", x=(4, 5, 6), axis=[1, 2], rms_scaling=True),
    case("LayerNormalization", x=(4, None, 6), feed=(4, 5, 6)),
    case("RMSNormalization", x=(4, 6)),
    case("RMSNormalization", x=(4, 5, 6), epsilon=1e-3),
    case("RMSNormalization", x=(4, 5, 6), axis=[1, 2]),
    case("RMSNormalization", x=(4, 3, 5, 6), behind=True),
    *(case("GroupNormalization", x=(4, 5, 4, 6), groups=groups) for groups in (1, 2, 3, 6, -1)),
    case("GroupNormalization", x=(4, 6), groups=2),
    case("GroupNormalization", x=(4, 6, 5, 4), groups=3, axis=1),
    case("GroupNormalization", x=(4, 5, 4, 6), groups=3, scale=False),
    case("GroupNormalization", x=(4, 5, 4, 6), groups=3, center=False, epsilon=1e-5),
    case("GroupNormalization", x=(4, 5, 4, 6), groups=3, behind=True),
    case("UnitNormalization", x=(4, 6)),
    case("UnitNormalization", x=(4, 5, 6), axis=1),
    case("UnitNormalization", x=(4, 5, 6), axis=[1, 2]),
    case("UnitNormalization", x=(4, 3, 5, 6), axis=[1, 3], behind=True),
    case("Normalization", x=(4, 6)),
    case("Normalization", x=(4, 5, 6)),
    case("Normalization", x=(4, 5, 6), axis=1),
    case("Normalization", x=(4, 5, 6), axis=[1, 2]),
    case("Normalization", x=(4, 5, 6), axis=None),
    case("Normalization", x=(4, 5, 6), invert=True),
    case("Normalization", x=(4, 3), mean=[1.0, 2.0, 3.0], variance=[0.5, 1.0, 2.0]),
    case("Normalization", x=(4, 3), mean=1.5, variance=2.0, axis=None),
    case("Normalization", x=(4, 3), mean=[1.0, 2.0, 3.0], variance=[0.5, 1.0, 2.0], invert=True),
    case("Normalization", x=(4, 5, 6, 3), mean=[1.0, 2.0, 3.0], variance=[0.5, 1.0, 2.0], behind=True),
    case("Normalization", x=(4, 5, 6, 3), behind=True),
    operation("LayerScale", _scaled, x=(4, 5, 6, 3)),
    operation("CustomScaleLayer", _summed, x=[(4, 5, 6, 3), (4, 5, 6, 3)]),
]
