"""Convolutions."""

from __future__ import annotations

from tests.parity.harness import Case, case

SIZES = {1: (9,), 2: (8, 7), 3: (6, 5, 7)}
FORMATS = ("channels_last", "channels_first")


def _x(rank: int, data_format: str, channels: int) -> tuple[int, ...]:
    return (2, channels, *SIZES[rank]) if data_format == "channels_first" else (2, *SIZES[rank], channels)


GRID = [
    case(
        f"Conv{rank}D",
        x=_x(rank, data_format, 3),
        filters=4,
        kernel_size=kernel,
        strides=strides,
        padding=padding,
        data_format=data_format,
    )
    for rank in (1, 2, 3)
    for data_format in FORMATS
    for kernel in (2, 3)
    for strides in (1, 2, 3)
    for padding in ("valid", "same")
]
TRANSPOSED = [
    case(
        f"Conv{rank}DTranspose",
        x=_x(rank, data_format, 3),
        filters=4,
        kernel_size=kernel,
        strides=strides,
        padding=padding,
        data_format=data_format,
    )
    for rank in (1, 2, 3)
    for data_format in FORMATS
    for kernel, strides in ((3, 1), (2, 2), (3, 2), (4, 3), (2, 3))
    for padding in ("valid", "same")
]
OTHERS = [
    case("Conv1D", x=(2, 9, 3), filters=4, kernel_size=3, padding="causal"),
    case("Conv1D", x=(2, 9, 3), filters=4, kernel_size=2, padding="causal", dilation_rate=2),
    case("Conv1D", x=(2, 9, 3), filters=4, kernel_size=3, padding="causal", strides=2),
    case("Conv1D", x=(2, None, 3), feed=(2, 8, 3), filters=4, kernel_size=3, strides=2, padding="same"),
    case("Conv2D", x=(2, 7, 8, 3), filters=4, kernel_size=(3, 2), strides=2, padding="same"),
    case("Conv2D", x=(2, 8, 8, 3), filters=4, kernel_size=(1, 5), strides=(2, 1), padding="same"),
    case("Conv2D", x=(2, 8, 8, 6), filters=4, kernel_size=3, groups=2, use_bias=False),
    case("Conv2D", x=(2, 6, 8, 8), filters=6, kernel_size=3, groups=3, data_format="channels_first"),
    case("Conv2D", x=(2, 8, 8, 6), filters=4, kernel_size=2, groups=2, padding="same"),
    case("Conv2D", x=(2, 9, 9, 3), filters=4, kernel_size=3, dilation_rate=2),
    case("Conv2D", x=(2, 9, 9, 3), filters=4, kernel_size=(2, 3), dilation_rate=(3, 2), padding="same"),
    case(
        "Conv2D",
        x=(2, None, None, 3),
        feed=(2, 9, 10, 3),
        filters=4,
        kernel_size=3,
        strides=2,
        padding="same",
    ),
    case("Conv2D", x=(2, None, None, 3), feed=(2, 9, 10, 3), filters=4, kernel_size=2, padding="same"),
    case(
        "Conv2D", x=(2, 3, None, 8), feed=(2, 3, 7, 8), filters=4, kernel_size=3, data_format="channels_first"
    ),
    case("Conv2D", x=(2, 8, 8, 3), filters=4, kernel_size=3, behind=True),
    case("Conv3D", x=(2, 6, 6, 6, 4), filters=4, kernel_size=3, groups=2, padding="same", use_bias=False),
    case("Conv3D", x=(2, 7, 7, 7, 2), filters=3, kernel_size=2, dilation_rate=2),
]
OTHERS += [
    case("Conv2D", x=(2, 5, 5, 3), filters=4, kernel_size=2, activation=activation)
    for activation in ("relu", "softmax", "gelu", "hard_sigmoid", "selu", "log_softmax", "mish")
]
OTHERS += [
    case(
        "Conv2DTranspose",
        x=(2, 5, 4, 3),
        filters=4,
        kernel_size=3,
        strides=2,
        padding=padding,
        output_padding=more,
    )
    for padding in ("valid", "same")
    for more in (0, 1)
]
OTHERS += [
    case(
        "Conv1DTranspose", x=(2, 5, 3), filters=4, kernel_size=3, strides=2, padding="same", output_padding=1
    ),
    case(
        "Conv1DTranspose", x=(2, 5, 3), filters=4, kernel_size=4, strides=3, padding="same", output_padding=2
    ),
    case(
        "Conv1DTranspose", x=(2, 5, 3), filters=4, kernel_size=2, strides=3, padding="same", output_padding=1
    ),
    case(
        "Conv3DTranspose",
        x=(2, 3, 4, 3, 3),
        filters=2,
        kernel_size=3,
        strides=2,
        padding="same",
        output_padding=1,
    ),
    case(
        "Conv1DTranspose", x=(2, 5, 3), filters=4, kernel_size=5, strides=3, padding="same", output_padding=2
    ),
    case("Conv2DTranspose", x=(2, 5, 4, 3), filters=4, kernel_size=3, dilation_rate=2),
    case("Conv2DTranspose", x=(2, 5, 4, 3), filters=4, kernel_size=3, dilation_rate=2, padding="same"),
    case("Conv2DTranspose", x=(2, 5, 4, 3), filters=4, kernel_size=(3, 2), strides=(1, 2), use_bias=False),
    case(
        "Conv2DTranspose",
        x=(2, None, None, 3),
        feed=(2, 4, 5, 3),
        filters=4,
        kernel_size=3,
        strides=2,
        padding="same",
    ),
    case("Conv2DTranspose", x=(2, 5, 4, 3), filters=4, kernel_size=3, strides=2, activation="relu"),
]
DEPTHWISE = [
    case(
        f"DepthwiseConv{rank}D",
        x=_x(rank, data_format, 3),
        kernel_size=kernel,
        strides=strides,
        padding=padding,
        depth_multiplier=multiplier,
        data_format=data_format,
    )
    for rank in (1, 2)
    for data_format in FORMATS
    for kernel in (2, 3)
    for strides in (1, 2)
    for padding in ("valid", "same")
    for multiplier in (1, 2)
]
DEPTHWISE += [
    case("DepthwiseConv2D", x=(2, 9, 9, 3), kernel_size=3, dilation_rate=2, use_bias=False),
    case("DepthwiseConv2D", x=(2, 5, 5, 3), kernel_size=3, activation="relu"),
    case(
        "DepthwiseConv2D", x=(2, None, None, 3), feed=(2, 7, 8, 3), kernel_size=3, strides=2, padding="same"
    ),
]
SEPARABLE = [
    case(
        f"SeparableConv{rank}D",
        x=_x(rank, data_format, 3),
        filters=4,
        kernel_size=3,
        strides=strides,
        padding=padding,
        depth_multiplier=2,
        data_format=data_format,
    )
    for rank in (1, 2)
    for data_format in FORMATS
    for strides in (1, 2)
    for padding in ("valid", "same")
]
SEPARABLE += [
    case("SeparableConv2D", x=(2, 9, 9, 3), filters=4, kernel_size=(2, 3), dilation_rate=2, use_bias=False),
    case("SeparableConv2D", x=(2, 6, 6, 3), filters=4, kernel_size=2, activation="tanh"),
]
CASES: list[Case] = [*GRID, *TRANSPOSED, *OTHERS, *DEPTHWISE, *SEPARABLE]
