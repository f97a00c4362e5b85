"""Images: as Keras at inference, and in training where that is computed."""

from __future__ import annotations

from tests.parity.harness import Case, case

SHAPE = (3, 6, 8, 3)
FIRST = (3, 3, 6, 8)

TILES = "ContrastLimitedAdaptiveHistogramEqualization"

CASES: list[Case] = [
    *(
        case("Resizing", x=x, height=h, width=w, interpolation=how, **more)
        for how in ("nearest", "bilinear")
        for h, w in ((4, 5), (9, 13))
        for x, more in ((SHAPE, {}), (FIRST, {"data_format": "channels_first"}))
    ),
    case("Resizing", x=SHAPE, height=4, width=5, antialias=True),
    case("Resizing", x=SHAPE, height=9, width=13, antialias=True),
    case("Resizing", x=SHAPE, height=4, width=5, interpolation="nearest", antialias=True),
    case("Resizing", x=SHAPE, height=4, width=5, interpolation="bicubic", antialias=True),
    case("Resizing", x=SHAPE, height=9, width=13, interpolation="bicubic", antialias=True),
    *(
        case("Resizing", x=SHAPE, height=h, width=w, crop_to_aspect_ratio=True)
        for h, w in ((4, 4), (4, 11), (9, 5))
    ),
    *(
        case("Resizing", x=SHAPE, height=h, width=w, pad_to_aspect_ratio=True, fill_value=0.5)
        for h, w in ((4, 4), (4, 11), (9, 5))
    ),
    case("Resizing", x=(3, 7, 4, 3), height=4, width=5, pad_to_aspect_ratio=True, behind=True),
    case("Resizing", x=SHAPE, height=3, width=4, high=200),
    case("Resizing", x=SHAPE, height=4, width=5, behind=True),
    case("Resizing", x=(3, None, None, 3), feed=SHAPE, height=4, width=5, crop_to_aspect_ratio=True),
    case("RandomFlip", x=(300, 5, 4, 3), noise=0.02),
    case("RandomFlip", x=(300, 5, 4, 3), mode="horizontal", noise=0.02, behind=True),
    case("RandomFlip", x=(300, 3, 5, 4), mode="vertical", data_format="channels_first", noise=0.02),
    case("RandomContrast", x=(2000, 4, 4, 3), low=0, up=255, factor=0.9, noise=6.0),
    case("RandomContrast", x=(2000, 4, 4, 3), low=0, factor=(0.5, 0.9), value_range=(0, 1), noise=0.02),
    case(
        "RandomContrast",
        x=(2000, 3, 4, 4),
        low=0,
        factor=0.4,
        value_range=(0, 1),
        data_format="channels_first",
        noise=0.02,
    ),
    case("RandomRotation", x=(60, 12, 12, 1), low=0, up=1, factor=0.3, noise=0.03),
    case(
        "RandomTranslation",
        x=(60, 1, 12, 10),
        low=0,
        height_factor=0.3,
        width_factor=0.2,
        data_format="channels_first",
        noise=0.03,
    ),
    case(
        "RandomZoom",
        x=(60, 12, 10, 2),
        low=0,
        height_factor=0.3,
        fill_mode="nearest",
        behind=False,
        noise=0.03,
    ),
    case("RandomCrop", x=SHAPE, height=6, width=8),
    case("AutoContrast", x=SHAPE, low=0, up=255),
    case("AutoContrast", x=SHAPE, low=0.2, up=0.7, value_range=(0, 1)),
    case("AutoContrast", x=SHAPE, behind=True, value_range=(-3, 3)),
    case("AutoContrast", x=FIRST, low=20, up=70, data_format="channels_first"),
    # Keras on PyTorch cuts the limit of a bin to a whole number, on TensorFlow and JAX it does not: here it is whole
    case(TILES, x=(2, 64, 64, 3), low=0, up=255),
    case(
        TILES,
        x=(2, 15, 22, 3),
        low=0,
        value_range=(0, 1),
        tile_grid_size=(2, 2),
        clip_limit=2.909090909090909,
    ),
    case(TILES, x=(2, 3, 16, 16), low=0, up=255, clip_limit=0.0, data_format="channels_first"),
    case("MaxNumBoundingBoxes", x=SHAPE, max_number=3),
]
