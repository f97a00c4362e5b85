"""What no Keras 3 case reaches: links of older releases, called by themselves."""

from __future__ import annotations

import kchainer  # isort: skip  (before Chainer: it makes Chainer importable)

import chainer
import numpy as np

import kchainer.links as KL


def test_batch_normalization_of_one_value_per_channel_feeds_no_variance() -> None:
    assert kchainer.__version__
    link = KL.BatchNormalization(3, axis=(0,), decay=0.9, eps=1e-3, corrections=(1.0,))
    with chainer.using_config("train", True):
        y = link(np.array([[1.0, 2.0, 3.0]], "f"))
    np.testing.assert_allclose(y.array, 0, atol=1e-6)
    np.testing.assert_allclose(link.avg_var, 0.9, rtol=1e-6)


def test_batch_normalization_corrections_scale_the_running_variance() -> None:
    x = np.random.default_rng(0).normal(size=(6, 3)).astype("f")
    link = KL.BatchNormalization(3, axis=(0,), decay=0.9, eps=1e-3, corrections=(1.0, 1.001))
    with chainer.using_config("train", True):
        link(x)
    np.testing.assert_allclose(link.avg_var, 0.9 + 0.1 * x.var(0) * 6 / 5 * 6 / (6 - 1.001), rtol=1e-5)


def test_frozen_parameters_stay_frozen_after_a_copy_and_learn_when_asked() -> None:
    link = KL.Linear(3, 2)
    KL.freeze(link)
    for one in (link, link.copy(mode="copy")):
        optimizer = chainer.optimizers.SGD(lr=1.0).setup(one)
        optimizer.update(lambda one=one: chainer.functions.sum(one(np.ones((1, 3), "f"))))
        assert (one.W.array == 0).all()
        one.enable_update()
        optimizer.update(lambda one=one: chainer.functions.sum(one(np.ones((1, 3), "f"))))
        assert (one.W.array == -1).all()
        one.W.array[...] = 0
        one.disable_update()
