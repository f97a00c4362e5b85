"""Pooling and resizing against keras.ops and keras.layers, channels first."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch

import kchainer.functions as KF

K = keras.ops
POOLS = [
    ((7,), (2,), (2,), "valid"),
    ((7,), (2,), (2,), "same"),
    ((7, 8), (3, 2), (2, 2), "same"),
    ((6, 7), (2, 2), (1, 1), "same"),
    ((6, 7), (3, 3), (1, 1), "same"),
    ((5, 5), (2, 2), (3, 3), "valid"),
    ((4, 5, 6), (2, 3, 2), (2, 2, 1), "same"),
]


def average_of_real_cells(x, k, s, padding):
    """TensorFlow's rule. Keras 3 on PyTorch replicates the edge, and counts it, if pads are asymmetric."""
    if padding == "valid":
        return K.average_pool(x, k, s, padding, data_format="channels_first")
    pads = [side for pair in reversed(KF.same_pads(x.shape[2:], k, s)) for side in pair]
    total, count = (
        K.average_pool(torch.nn.functional.pad(a, pads), k, s, "valid", data_format="channels_first")
        for a in (x, torch.ones_like(x))
    )
    return total / count


@pytest.mark.parametrize(("sizes", "k", "s", "padding"), POOLS)
@pytest.mark.parametrize("kind", ["max", "average"])
def test_pooling(kind, sizes, k, s, padding, compare, draw):
    pads = "same_upper" if padding == "same" else tuple((0, 0) for _ in k)
    ours = KF.max_pooling if kind == "max" else KF.average_pooling

    def theirs(x):
        if kind == "average":
            return average_of_real_cells(x, k, s, padding)
        return K.max_pool(x, k, s, padding, data_format="channels_first")

    compare(lambda x: ours(x, k, s, pads), theirs, draw(2, 3, *sizes))


def test_average_excludes_padding():
    y = KF.average_pooling(np.ones((1, 1, 3, 3), np.float32), 3, 1, "same_upper")
    np.testing.assert_allclose(y.array, 1, rtol=1e-6)
    wide = KF.average_pooling(np.ones((1, 1, 3), np.float16), 2, 1, ((3, 0),))
    assert wide.dtype == np.float16
    np.testing.assert_allclose(wide.array, [[[0, 0, 1, 1, 1]]], rtol=1e-3)  # float16's spacing at 1


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (KF.global_average_pooling, lambda x: x.mean((2, 3))),
        (KF.global_max_pooling, lambda x: x.amax((2, 3))),
        (lambda x: KF.global_average_pooling(x, True), lambda x: x.mean((2, 3), keepdim=True)),
        (lambda x: KF.global_max_pooling(x, True, (1,)), lambda x: x.amax(1, keepdim=True)),
        (
            lambda x: KF.adaptive_average_pooling(x, (3, 7)),
            keras.layers.AdaptiveAveragePooling2D((3, 7), data_format="channels_first", dtype="float64"),
        ),
        (
            lambda x: KF.adaptive_max_pooling(x, (3, 4)),
            keras.layers.AdaptiveMaxPooling2D((3, 4), data_format="channels_first", dtype="float64"),
        ),
    ],
)
def test_global_and_adaptive(ours, theirs, compare, draw):
    compare(ours, lambda x: theirs(x).to(x.dtype), draw(2, 3, 5, 7))


RESIZES = [((10, 14), False), ((9, 4), False), ((3, 20), False), ((3, 4), True), ((7, 3), True)]


@pytest.mark.parametrize(
    ("interpolation", "size", "antialias"),
    [
        (interpolation, *resize)
        for interpolation in ("nearest", "bilinear", "bicubic")
        for resize in RESIZES
        if not (interpolation == "nearest" and resize[1])  # which has no antialias
    ],
)
def test_resize(size, antialias, interpolation, compare, draw):
    def theirs(x):
        return K.image.resize(x, size, interpolation, antialias=antialias, data_format="channels_first")

    compare(lambda x: KF.resize(x, size, interpolation, antialias), theirs, draw(2, 3, 5, 7))


def test_resize_of_older_keras():
    x = np.array([[[0.0, 1.0]]])
    np.testing.assert_allclose(KF.resize(x, 4, "bilinear_corner").array[0, 0], [0, 0.5, 1, 1])
    np.testing.assert_allclose(KF.resize(x, 4, "bilinear").array[0, 0], [0, 0.25, 0.75, 1])
    with pytest.raises(ValueError, match="lanczos"):
        KF.resize(x, 4, "lanczos")


@pytest.mark.parametrize("size", [(2,), (2, 3), (2, 1, 3)])
def test_upsampling_nearest(size, compare, draw):
    def theirs(x):
        for axis, n in enumerate(size, 2):
            x = torch.repeat_interleave(x, n, axis)
        return x

    compare(lambda x: KF.upsampling_nearest(x, size), theirs, draw(2, 3, *(3, 2, 4)[: len(size)]))


def test_upsampling_bilinear(compare, draw):
    layer = keras.layers.UpSampling2D(
        (2, 3), data_format="channels_first", interpolation="bilinear", dtype="float64"
    )
    compare(lambda x: KF.upsampling_bilinear(x, (2, 3)), lambda x: layer(x).to(x.dtype), draw(2, 3, 4, 5))
