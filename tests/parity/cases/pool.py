"""Pooling."""

from __future__ import annotations

from tests.parity.harness import Case, case

SIZES = {1: (9,), 2: (8, 7), 3: (6, 5, 7)}
FORMATS = ("channels_last", "channels_first")


def _x(rank: int, data_format: str) -> tuple[int, ...]:
    return (2, 3, *SIZES[rank]) if data_format == "channels_first" else (2, *SIZES[rank], 3)


CASES: list[Case] = [
    case(
        f"{function}Pooling{rank}D",
        x=_x(rank, data_format),
        pool_size=size,
        strides=strides,
        padding=padding,
        data_format=data_format,
    )
    for function in ("Max", "Average")
    for rank in (1, 2, 3)
    for data_format in FORMATS
    for size, strides in ((2, None), (3, 2), (3, 1), (2, 3))
    for padding in ("valid", "same")
    # Keras on PyTorch repeats the border where the sides' padding differs; on TensorFlow and JAX it does not count.
    if not (function == "Average" and rank > 1 and (size, strides, padding) == (3, 2, "same"))
]
CASES += [
    case(
        f"Global{function}Pooling{rank}D", x=_x(rank, data_format), keepdims=keepdims, data_format=data_format
    )
    for function in ("Max", "Average")
    for rank in (1, 2, 3)
    for data_format in FORMATS
    for keepdims in (False, True)
]
CASES += [
    case(
        f"Adaptive{function}Pooling{rank}D",
        x=_x(rank, data_format),
        output_size=size,
        data_format=data_format,
    )
    for function in ("Max", "Average")
    for rank in (1, 2, 3)
    for data_format in FORMATS
    for size in (1, 2, 4)
]
CASES += [
    case(
        f"{function}Pooling2D",
        x=(2, None, None, 3),
        feed=(2, 7, 8, 3),
        pool_size=(3, 2),
        strides=2,
        padding=padding,
    )
    for function in ("Max", "Average")
    for padding in ("valid", "same")
]
CASES += [
    case("MaxPooling2D", x=(2, 8, 7, 3), pool_size=(2, 3), strides=(1, 2), padding="same"),
    case("AveragePooling2D", x=(2, 8, 7, 3), pool_size=(3, 1), strides=1, padding="same", behind=True),
    case("GlobalAveragePooling2D", x=(2, None, None, 3), feed=(2, 7, 8, 3)),
]
