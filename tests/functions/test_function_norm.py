"""Normalisations and merges against keras.layers and keras.ops."""

from __future__ import annotations

import chainer
import keras
import numpy as np
import pytest
import torch

import kchainer.functions as KF

K = keras.ops


DOUBLE = 1e-6  # Keras on torch computes these through float32 also in float64


@pytest.mark.parametrize(
    ("axes", "rms"), [(-1, False), ((1, 2), False), ((1,), False), (-1, True), ((1, 2), True)]
)
def test_layer_normalization(axes, rms, compare, draw):
    shape = {-1: (5,), (1,): (4,), (1, 2): (4, 5)}[axes]
    arrays = [draw(3, 4, 5), draw(*shape), draw(*shape)][: 2 if rms else 3]

    def theirs(x, gamma, beta=None):
        if axes == (1,):
            return theirs_last(x.transpose(1, 2), gamma, beta).transpose(1, 2)
        return K.layer_normalization(x, gamma, beta, axes, 1e-3, rms_scaling=rms)

    def theirs_last(x, gamma, beta):
        return K.layer_normalization(x, gamma, beta, -1, 1e-3)

    compare(
        lambda x, gamma, beta=None: KF.layer_normalization(x, gamma, beta, axes, 1e-3, rms),
        theirs,
        *arrays,
        double=DOUBLE,
    )


def test_rms_normalization(compare, draw):
    def theirs(x, scale):
        return K.rms_normalization(x, scale, -1, 1e-3)

    compare(lambda x, g: KF.rms_normalization(x, g, -1, 1e-3), theirs, draw(3, 4, 5), draw(5), double=DOUBLE)


@pytest.mark.parametrize(("groups", "axis"), [(2, 1), (6, 1), (1, 1), (3, -1)])
def test_group_normalization(groups, axis, compare, draw):
    shape = (2, 6, 3, 4) if axis == 1 else (2, 3, 4, 6)

    def theirs(x, gamma, beta):
        layer = keras.layers.GroupNormalization(groups, axis=axis, dtype="float64")
        layer.build(shape)
        y = layer.stateless_call([gamma.double(), beta.double()], [], x.double())[0]
        return y.to(x.dtype)

    compare(
        lambda x, gamma, beta: KF.group_normalization(x, gamma, beta, groups, 1e-3, axis),
        theirs,
        draw(*shape),
        draw(6),
        draw(6),
        double=DOUBLE,
    )
    with pytest.raises(ValueError, match="4 groups"):
        KF.group_normalization(draw(1, 6, 2), None, None, 4)


@pytest.mark.parametrize("axes", [-1, (1, 2)])
def test_unit_normalization(axes, compare, draw):
    compare(
        lambda x: KF.unit_normalization(x, axes),
        lambda x: K.normalize(x, axes, 2, 1e-12),
        draw(2, 3, 4),
        double=DOUBLE,
    )


def test_unit_normalization_of_nothing():
    x = np.array([[1e-8, 0.0], [0.0, 0.0]], np.float32)
    np.testing.assert_allclose(KF.unit_normalization(x).array, [[1, 0], [0, 0]], rtol=1e-6)
    np.testing.assert_allclose(
        KF.unit_normalization(x, form="max_square").array, [[0.01, 0], [0, 0]], rtol=1e-6
    )


def test_samplewise_normalization(compare, draw):
    def theirs(x, gamma, beta):
        mean, var = x.mean(-1, keepdim=True), x.var(-1, keepdim=True, correction=0)
        return gamma * (x - mean) / (torch.sqrt(var + 0.01) + 0.01) + beta

    compare(
        lambda x, g, b: KF.samplewise_normalization(x, g, b, 0.01), theirs, draw(2, 3, 4), draw(4), draw(4)
    )


DOTS = [
    ((2, 3), (2, 3), 1, False),
    ((2, 3), (2, 3), -1, True),
    ((2, 3, 4), (2, 4), (2, 1), False),
    ((2, 4), (2, 3, 4), (1, 2), True),
    ((2, 3, 4), (2, 5, 4), 2, True),
    ((2, 3, 4), (2, 3, 4), (1, 1), False),
    ((2, 3, 4, 5), (2, 4, 6), (2, 1), True),
]


@pytest.mark.parametrize(("a", "b", "axes", "normalize"), DOTS)
def test_dot(a, b, axes, normalize, compare, draw):
    def theirs(x, y):
        return keras.layers.Dot(axes, normalize, dtype="float64")([x, y]).to(x.dtype)

    compare(lambda x, y: KF.dot(x, y, axes, normalize), theirs, draw(*a), draw(*b), double=DOUBLE)


def test_merge_cos(compare, draw):
    def theirs(a, b):
        return torch.nn.functional.cosine_similarity(a, b, 1)[:, None, None]

    compare(lambda a, b: KF.merge_cos(a, b, 1), theirs, draw(3, 4), draw(3, 4))
    with pytest.raises(ValueError, match="batch"):
        KF.merge_cos(draw(3, 4), draw(3, 4), 0)


@pytest.mark.parametrize(("size", "target"), [((6, 7), (3, 4)), ((4, 5), (4, 8)), ((9, 3), (5, 6))])
def test_center_crop(size, target, compare, draw):
    layer = keras.layers.CenterCrop(*target, data_format="channels_first", dtype="float64")
    compare(lambda x: KF.center_crop(x, *target), lambda x: layer(x).to(x.dtype), draw(2, 3, *size))


def test_crop_and_repeat(draw):
    x = draw(2, 3, 5, 6)
    np.testing.assert_array_equal(KF.crop(x, ((1, 2), (0, 3))).array, x[:, :, 1:3, :3])
    np.testing.assert_array_equal(KF.repeat_vector(x[:, :, 0, 0], 2).array, np.stack([x[:, :, 0, 0]] * 2, 1))


NOISES = {
    "dropout": lambda x: KF.dropout(x, 0.3),
    "dropout rows": lambda x: KF.dropout(x, 0.3, (None, 1, None)),
    "spatial": lambda x: KF.spatial_dropout(x, 0.3),
    "gaussian": lambda x: KF.gaussian_noise(x, 0.3),
    "gaussian_dropout": lambda x: KF.gaussian_dropout(x, 0.3),
    "alpha": lambda x: KF.alpha_dropout(x, 0.3),
}


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("case", NOISES)
def test_noise_is_of_training_only(case, dtype, draw):
    x = draw(2, 30, 4).astype(dtype)
    with chainer.using_config("train", False):
        np.testing.assert_array_equal(NOISES[case](x).array, x)
    with chainer.using_config("train", True):
        y = NOISES[case](x).array
    assert y.dtype == dtype
    assert (y != x).any()


def test_noise_keeps_mean_and_variance():
    np.random.seed(0)  # the generator that Chainer draws from
    ones = np.ones((200, 20, 30))
    with chainer.using_config("train", True):
        for case in ("dropout", "dropout rows", "spatial", "gaussian", "gaussian_dropout"):
            assert abs(NOISES[case](ones).array.mean() - 1) < 0.02
        assert abs(NOISES["gaussian_dropout"](ones).array.var() - 3 / 7) < 0.02
        y = NOISES["alpha"](np.random.normal(size=ones.shape)).array
        assert abs(y.mean()) < 0.02
        assert abs(y.var() - 1) < 0.02
        maps = NOISES["spatial"](ones).array
        assert set(np.unique(maps.round(6))) == {0, 1.428571}
        assert (maps == maps[:, :, :1]).all()
        assert (KF.dropout(ones, 1.0).array == 0).all()
