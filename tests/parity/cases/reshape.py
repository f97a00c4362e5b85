"""Layers that move, repeat, cut or resize."""

from __future__ import annotations

from tests.parity.harness import Case, case

LAST, FIRST = "channels_last", "channels_first"
CASES: list[Case] = [
    case("Flatten", x=(2, 5)),
    case("Flatten", x=(2, 3, 4, 5)),
    case("Flatten", x=(2, 3, 4, 5), behind=True),
    case("Flatten", x=(2, 3, 4, 5), data_format=FIRST),
    case("Flatten", x=(2, 3, 4, 5), data_format=FIRST, behind=True),
    case("Flatten", x=(2, 3, 4), data_format=FIRST),
    case("Flatten", x=(2, 1, 1, 5), behind=True),
    case("Flatten", x=(2, 1, 4, 1), behind=True),
    case("Reshape", x=(2, 1, 1, 5), target_shape=(5,), behind=True),
    case("Reshape", x=(2, 1, 1, 5), target_shape=(1, 5, 1), behind=True),
    case("Reshape", x=(2, 3, 1, 5), target_shape=(3, 5), behind=True),
    case("Reshape", x=(2, 3, 5), target_shape=(1, 3, 5), behind=True),
    case("Reshape", x=(2, None, 5), feed=(2, 3, 5), target_shape=(-1, 1, 5), behind=True),
    case("Reshape", x=(2, 3, 4), target_shape=(4, 3)),
    case("Reshape", x=(2, 3, 4), target_shape=(-1,)),
    case("Reshape", x=(2, 3, 4), target_shape=(2, -1, 3)),
    case("Reshape", x=(2, 3, 4, 5), target_shape=(5, -1), behind=True),
    case("Reshape", x=(2, None, 4), feed=(2, 6, 4), target_shape=(-1, 8)),
    case("Permute", x=(2, 3, 4), dims=(2, 1)),
    case("Permute", x=(2, 3, 4, 5), dims=(3, 1, 2)),
    case("Permute", x=(2, 3, 4, 5), dims=(3, 1, 2), behind=True),
    case("RepeatVector", x=(2, 5), n=3),
    case("Cropping1D", x=(2, 9, 3), cropping=(1, 2)),
    case("Cropping1D", x=(2, 9, 3), cropping=(0, 2)),
    case("ZeroPadding1D", x=(2, 5, 3), padding=2),
    case("ZeroPadding1D", x=(2, 5, 3), padding=(0, 3)),
    case("UpSampling1D", x=(2, 5, 3), size=3),
    case("Rescaling", x=(2, 4, 5, 3), scale=0.5, offset=-1.0),
    case("Rescaling", x=(2, 4, 5, 3), scale=[0.5, 2.0, 3.0], offset=[1.0, 0.0, -1.0]),
    case("Rescaling", x=(2, 4, 5, 3), scale=[0.5, 2.0, 3.0], offset=[1.0, 0.0, -1.0], behind=True),
    case("Rescaling", x=(2, 4, 5, 3), scale=2.0, offset=[1.0, 0.0, -1.0]),
    case("UpSampling2D", x=(2, None, None, 3), feed=(2, 4, 5, 3), size=2, interpolation="bilinear"),
    case("ZeroPadding2D", x=(2, None, None, 3), feed=(2, 4, 5, 3), padding=1),
]
for _format in (LAST, FIRST):
    _x2 = (2, 7, 8, 3) if _format == LAST else (2, 3, 7, 8)
    _x3 = (2, 5, 6, 7, 3) if _format == LAST else (2, 3, 5, 6, 7)
    CASES += [
        case("Cropping2D", x=_x2, cropping=2, data_format=_format),
        case("Cropping2D", x=_x2, cropping=((0, 1), (2, 3)), data_format=_format),
        case("Cropping3D", x=_x3, cropping=((0, 1), (2, 1), (1, 0)), data_format=_format),
        case("ZeroPadding2D", x=_x2, padding=(1, 2), data_format=_format),
        case("ZeroPadding2D", x=_x2, padding=((0, 1), (2, 3)), data_format=_format),
        case("ZeroPadding3D", x=_x3, padding=((0, 1), (2, 1), (1, 0)), data_format=_format),
        case("UpSampling2D", x=_x2, size=(2, 3), data_format=_format),
        case("UpSampling2D", x=_x2, size=(2, 3), interpolation="bilinear", data_format=_format),
        case("UpSampling3D", x=_x3, size=(2, 1, 3), data_format=_format),
        case("CenterCrop", x=_x2, height=4, width=5, data_format=_format),
        case("CenterCrop", x=_x2, height=3, width=4, data_format=_format),
    ]
    CASES += [
        case("Resizing", x=_x2, height=height, width=width, interpolation=how, data_format=_format)
        for how in ("nearest", "bilinear")
        for height, width in ((4, 5), (13, 11), (7, 16))
    ]
