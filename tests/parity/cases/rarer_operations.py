"""Operation nodes of keras.ops: bits, NaN, matrices, places, transforms, images."""

from __future__ import annotations

import numpy as np
from keras import ops as o

from tests.parity.cases.operations import X, every, table
from tests.parity.harness import Case, operation

AFFINE = np.array([1, 0.2, -0.4, 0.1, 0.9, 0.3, 0, 0], "float32")
EYE = 3 * np.eye(4, dtype="float32")


def square(x):  # type: ignore[no-untyped-def]
    """Symmetric matrices with positive eigenvalues."""
    return o.matmul(x, o.transpose(x, (0, 2, 1))) + EYE


def lost(x):  # type: ignore[no-untyped-def]
    """Some NaN, of which each row has at most a few."""
    none = o.log(-1.0 - o.abs(o.stop_gradient(x)))  # JSON has no NaN
    return o.where(x > 0.9, none, x)


def frozen(of):  # type: ignore[no-untyped-def]
    """Without a gradient on either side."""
    return lambda *xs: of(*(o.stop_gradient(x) for x in xs))


def without(name, axis):  # type: ignore[no-untyped-def]
    """A reduction that passes over NaN."""
    return lambda x: getattr(o, name)(lost(x), axis=axis)


CASES: list[Case] = [
    *every("erfinv", x=X, low=-0.95, up=0.95),
    *every("signbit isposinf isneginf i0", x=X),
    *table(
        {
            "logaddexp2": o.logaddexp2,
            "heaviside": frozen(o.heaviside),
            "nextafter": frozen(o.nextafter),
        },
        x=[X, X],
        low=-2.0,
        up=2.0,
    ),
    *table({"fmax": lambda a, b: o.fmax(lost(a), b), "fmin": lambda a, b: o.fmin(a, b)}, x=[X, X]),
    operation("ldexp", lambda x: o.ldexp(x, np.arange(5, dtype="int32")), x=X),
    *table(
        {
            name: getattr(o, name)
            for name in "bitwise_and bitwise_or bitwise_xor left_shift bitwise_right_shift gcd lcm".split()
        },
        x=[(3, 4), (3, 4)],
        high=9,
    ),
    operation("bitwise_not", o.bitwise_not, x=(3, 4), high=9),
    # reductions over NaN, quantiles
    *[
        operation(f"{name}-{axis}", without(name, axis), x=X)
        for name in "nansum nanmean nanmax nanmin nanprod nanvar nanargmax nanargmin".split()
        for axis in (1, -1)
    ],
    operation("nanstd", lambda x: o.nanstd(lost(x), axis=(1, 2), keepdims=True), x=X),
    *table(
        {
            "median": lambda x: o.median(x, axis=1),
            "median-keep": lambda x: o.median(x, axis=(1, 2), keepdims=True),
            "nanmedian": lambda x: o.nanmedian(lost(x), axis=-1),
            "quantile": lambda x: o.quantile(x, 0.3, axis=-1),
            "percentile-nearest": lambda x: o.percentile(x, 30, axis=1, method="nearest"),
            "percentile": lambda x: o.percentile(x, 70, axis=-1, method="higher"),
            "nanquantile": lambda x: o.nanquantile(lost(x), 0.4, axis=1),
            "nanpercentile": lambda x: o.nanpercentile(lost(x), 40, axis=1),
            "nancumsum": lambda x: o.nancumsum(lost(x), axis=1),
            "nancumprod": lambda x: o.nancumprod(lost(x), axis=-1),
        },
        x=X,
    ),
    # matrices
    *table(
        {
            "inv": lambda x: o.inv(square(x)),
            "det": lambda x: o.det(square(x)),
            "logdet": lambda x: o.logdet(square(x)),
            "slogdet": lambda x: o.slogdet(square(x))[1],
            "slogdet-sign": lambda x: o.slogdet(square(x))[0] * x[:, 0, 0],
            "cholesky": lambda x: o.cholesky(square(x)),
            "cholesky-upper": lambda x: o.cholesky(square(x), upper=True),
            "cholesky_inverse": frozen(lambda x: o.cholesky_inverse(o.cholesky(square(x)))),
            "pinv": frozen(o.pinv),
            "svd": frozen(lambda x: o.svd(x, compute_uv=False)),
            "svd-back": frozen(lambda x: (lambda u, s, v: o.matmul(u * s[:, None], v))(*o.svd(x, False))),
            "qr-back": frozen(lambda x: o.matmul(*o.qr(x))),
            "eigh": frozen(lambda x: o.eigh(square(x))[0]),
            "matrix_rank": frozen(o.matrix_rank),
            "trace": lambda x: o.trace(x, axis1=1, axis2=2),
            "diagonal": lambda x: o.diagonal(x, offset=1, axis1=1, axis2=2),
        },
        x=X,
    ),
    operation("solve", lambda a, b: o.solve(square(a), b), x=[X, (3, 4, 2)], double=None),
    operation(
        "solve_triangular", lambda a, b: o.solve_triangular(square(a), b, lower=True), x=[X, (3, 4, 2)]
    ),
    operation("lstsq", frozen(lambda a, b: o.lstsq(o.transpose(a[0]), b[0])), x=[X, (3, 5, 2)]),
    # places
    *table(
        {
            "slice_update": lambda x: o.slice_update(x[0], (1, 2), o.ones((2, 2)) * x[0, 0, 0]),
            "in_top_k": lambda x: o.in_top_k(o.argmax(x[:, 0], -1), x[:, 1], 2),
            "is_close": lambda x: o.isclose(x, o.round(x), 1e-1, 1e-1),
            "isin": lambda x: o.isin(o.round(x), [0.0, 1.0]),
            "searchsorted": lambda x: o.searchsorted(np.array([-1, 0, 1], "float32"), x[0, 0]),
            "digitize": lambda x: o.digitize(x, np.array([-1.0, 0.0, 1.0], "float32")),
            "hsplit": lambda x: o.hsplit(x, 2)[1],
            "dsplit": lambda x: o.dsplit(x, [2])[0],
            "fliplr": o.fliplr,
            "rot90": lambda x: o.rot90(x, 3, axes=(1, 2)),
            "select": lambda x: o.select([x > 1, x > 0], [x, x * 2], 0.5),
            "saturate_cast": lambda x: o.saturate_cast(x * 200, "uint8"),
        },
        x=X,
    ),
    operation("scatter_update", lambda x: o.scatter_update(x[0], [[0], [2]], x[0, 2:]), x=X),
    operation(
        "scatter_update-add", lambda x: o.scatter_update(x[0], [[0, 1], [0, 1]], x[0, :2, 0], "add"), x=X
    ),
    operation("scatter", lambda x: o.scatter([[0], [2], [0], [1]], x[0], (4, 5)), x=X),
    operation("segment_sum", lambda x: o.segment_sum(x[0], np.array([0, 2, 0, 1]), num_segments=3), x=X),
    operation("segment_max", lambda x: o.segment_max(x[0], np.array([0, 1, 0, 1]), num_segments=2), x=X),
    operation("segment_min", lambda x: o.segment_min(x[0], np.array([0, 1, 0, 1]), num_segments=2), x=X),
    operation("multi_hot", lambda x: o.multi_hot(x, 6), x=(3, 4), high=6),
    operation("unravel_index", lambda x: o.unravel_index(x, (2, 3))[1], x=(3, 4), high=6),
    operation("diag", lambda x: o.diag(x[0, 0], k=1), x=X),
    operation("diagflat", lambda x: o.diagflat(x[0]), x=X),
    # products
    *table(
        {
            "vdot": lambda a, b: o.vdot(a[0, 0], b[0, 0]) * a,
            "outer": lambda a, b: o.outer(a[0], b[0]),
            "kron": lambda a, b: o.kron(a[0], b[0]),
            "cdist": lambda a, b: o.cdist(a, b + 3.0),
            "dstack": lambda a, b: o.dstack([a, b]),
        },
        x=[X, X],
    ),
    *table(
        {
            "trapezoid": lambda x: o.trapezoid(x, dx=0.5, axis=1),
            "vander": frozen(lambda x: o.vander(x[0, 0], 3)),
            "rearrange": lambda x: o.rearrange(x[0], "(h k) c -> h (c k)", k=2),
            "extract_sequences": lambda x: o.extract_sequences(x, 3, 2),
            "real": o.real,
            "angle": lambda x: o.angle(o.stop_gradient(x)),
        },
        x=X,
    ),
    # without an axis PyTorch takes the first of size 3
    operation("cross", o.cross, x=[(2, 4, 3), (2, 4, 3)]),
    operation("corrcoef", lambda x: o.corrcoef(x[0]), x=X, says_less=True),
    # transforms
    *table(
        {
            "fft": lambda a, b: o.fft((a, b))[0],
            "fft-imaginary": lambda a, b: o.fft((a, b))[1],
            "fft2": lambda a, b: o.fft2((a, b))[1],
            "ifft2": lambda a, b: o.ifft2((a, b))[0],
            "irfft": lambda a, b: o.irfft((a, b)),
            "irfft-7": lambda a, b: o.irfft((a, b), fft_length=7),
        },
        x=[X, X],
    ),
    *table(
        {
            "rfft": lambda x: o.rfft(x)[0],
            "rfft-4": lambda x: o.rfft(x, fft_length=4)[1],
            "rfft-8": lambda x: o.rfft(x, fft_length=8)[1],
        },
        x=X,
    ),
    operation("stft", lambda x: o.stft(x, 8, 4, 8)[0], x=(2, 40)),
    operation("stft-short", lambda x: o.stft(x, 6, 3, 8, window="hamming", center=False)[1], x=(2, 40)),
    operation("istft", lambda x: o.istft(o.stft(x, 8, 4, 8), 8, 4, 8), x=(2, 40)),
    # images
    *table(
        {
            "grayscale": o.image.rgb_to_grayscale,
            "rgb_to_hsv": o.image.rgb_to_hsv,
            "hsv_to_rgb": o.image.hsv_to_rgb,
            "crop_images": lambda x: o.image.crop_images(x, 1, 2, target_height=3, target_width=2),
            "pad_images": lambda x: o.image.pad_images(x, 1, 2, target_height=9, target_width=9),
            "extract_patches": lambda x: o.image.extract_patches(x, (2, 3)),
            "extract_patches-same": lambda x: o.image.extract_patches(x, 3, strides=2, padding="same"),
            "unfold": lambda x: o.unfold(x, (2, 3), padding=1, stride=2),
            "fold": lambda x: o.fold(o.unfold(x, 3, padding=1), (6, 3), 3, padding=1),
            "map_coordinates": lambda x: o.image.map_coordinates(
                x[0, :, :, 0], np.array([[0.3, 1.2, 7.0], [0.4, 2.1, 1.0]], "float32"), 1
            ),
        },
        x=(2, 5, 6, 3),
        low=0.05,
        up=0.95,
    ),
    operation(
        "affine",
        lambda x, m: o.image.affine_transform(x, o.stop_gradient(m) * AFFINE, fill_value=0.5),
        x=[(2, 5, 6, 3), (2, 8)],
        low=0.3,
        up=1.1,
    ),
    operation("space_to_depth", lambda x: o.space_to_depth(x, 2), x=(2, 4, 6, 3)),
    operation("depth_to_space", lambda x: o.depth_to_space(x, 2), x=(2, 4, 6, 8)),
]
