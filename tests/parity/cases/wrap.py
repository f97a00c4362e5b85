"""Layers around another layer."""

from __future__ import annotations

from typing import Any

from tests.parity.harness import Case, case


def inner(layer: str, **config: Any) -> dict[str, Any]:
    return {"layer": layer, **config}


CASES: list[Case] = [
    case("SpectralNormalization", x=(3, 5), layer=inner("Dense", units=4)),
    case(
        "SpectralNormalization",
        x=(3, 5),
        layer=inner("Dense", units=4, activation="relu"),
        power_iterations=3,
    ),
    case("SpectralNormalization", x=(3, 6, 5), layer=inner("Dense", units=4, use_bias=False)),
    case("SpectralNormalization", x=(3, 2, 6, 5), layer=inner("Dense", units=4), behind=True),
    case("SpectralNormalization", x=(3, 7, 4), layer=inner("Conv1D", filters=5, kernel_size=3)),
    case(
        "SpectralNormalization",
        x=(2, 7, 6, 4),
        layer=inner("Conv2D", filters=6, kernel_size=(3, 2), strides=2, padding="same", groups=2),
    ),
    case(
        "SpectralNormalization",
        x=(2, 5, 4, 3),
        layer=inner("Conv2DTranspose", filters=6, kernel_size=3, strides=2),
        power_iterations=2,
    ),
    case(
        "SpectralNormalization",
        x=(2, 6, 6, 3),
        layer=inner("DepthwiseConv2D", kernel_size=3, depth_multiplier=2),
        behind=True,
    ),
    case(
        "SpectralNormalization",
        x=(3, 6, 5),
        layer=inner("EinsumDense", equation="abc,cde->abde", output_shape=(6, 2, 4), bias_axes="de"),
        says_less=True,
    ),
    case("SpectralNormalization", x=(3, 5), layer=inner("Dense", units=4), trainable=False),
    case("SpectralNormalization", x=(3, 5), layer=inner("Dense", units=4, trainable=False)),
]
