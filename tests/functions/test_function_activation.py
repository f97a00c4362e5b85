"""Activations against keras.ops."""

from __future__ import annotations

import math

import chainer
import keras
import numpy as np
import pytest
import torch

import kchainer.functions as KF
from kchainer.functions.erf import erf_array

K = keras.ops
CASES = {
    "gelu": (KF.gelu, lambda x: K.gelu(x, approximate=False)),
    "gelu tanh": (lambda x: KF.gelu(x, approximate=True), lambda x: K.gelu(x, approximate=True)),
    # PyTorch's gradient of hardsigmoid is 1/6 in float32 even for float64.
    "hard_sigmoid 3": (lambda x: KF.hard_sigmoid(x, 1 / 6), lambda x: K.relu6(x + 3) / 6),
    "hard_sigmoid 2": (KF.hard_sigmoid, lambda x: torch.clamp(0.2 * x + 0.5, 0, 1)),
    "silu": (KF.silu, K.silu),
    "hard_silu": (KF.hard_silu, K.hard_silu),
    "mish": (KF.mish, keras.activations.mish),
    "softsign": (KF.softsign, K.softsign),
    "thresholded_relu": (lambda x: KF.thresholded_relu(x, 0.7), lambda x: x * (x > 0.7)),
    "celu": (lambda x: KF.celu(x, 1.5), lambda x: K.celu(x, 1.5)),
    "glu": (lambda x: KF.glu(x, 1), lambda x: K.glu(x, 1)),
    "hard_tanh": (KF.hard_tanh, K.hard_tanh),
    "hard_shrink": (lambda x: KF.hard_shrink(x, 0.6), lambda x: K.hard_shrink(x, 0.6)),
    "soft_shrink": (lambda x: KF.soft_shrink(x, 0.6), lambda x: K.soft_shrink(x, 0.6)),
    "tanh_shrink": (KF.tanh_shrink, K.tanh_shrink),
    "log_sigmoid": (KF.log_sigmoid, K.log_sigmoid),
    "squareplus": (lambda x: KF.squareplus(x, 3.0), lambda x: K.squareplus(x, 3.0)),
    "sparse_plus": (KF.sparse_plus, K.sparse_plus),
    "sparse_sigmoid": (KF.sparse_sigmoid, K.sparse_sigmoid),
    "sparsemax": (KF.sparsemax, K.sparsemax),
    "sparsemax axis 1": (lambda x: KF.sparsemax(x, 1), lambda x: K.sparsemax(x, 1)),
    "threshold": (lambda x: KF.threshold(x, 0.3, -2.0), lambda x: K.threshold(x, 0.3, -2.0)),
    "exponential": (KF.exponential, K.exp),
    "softmax": (lambda x: KF.softmax(x, -1), lambda x: K.softmax(x, -1)),
    "softmax axis 1": (lambda x: KF.softmax(x, 1), lambda x: K.softmax(x, 1)),
    "softmax joint": (lambda x: KF.softmax(x, (1, 2)), lambda x: K.softmax(x, (1, 2))),
    "softmax joint last": (lambda x: KF.softmax(x, (1, -1)), lambda x: K.softmax(x, (1, 2))),
    "log_softmax": (lambda x: KF.log_softmax(x, -1), lambda x: K.log_softmax(x, -1)),
}


@pytest.mark.parametrize("case", CASES)
def test_activation(case, compare, draw):
    compare(*CASES[case], 2 * draw(3, 4, 6))


RELUS = [
    (6.0, 0.0, 0.0),
    (None, 0.2, 0.0),
    (1.5, 0.1, 0.5),
    (None, 0.0, 0.7),
    (None, 0.3, -0.4),
    (1.0, 0.2, 0.0),
]


@pytest.mark.parametrize("arguments", RELUS)
def test_relu(arguments, compare, draw):
    def reference(x):
        return keras.activations.relu(
            x, max_value=arguments[0], negative_slope=arguments[1], threshold=arguments[2]
        )

    compare(lambda x: KF.relu(x, *arguments), reference, 2 * draw(3, 7))


def test_sparsemax_of_the_paper_sums_to_one(draw):
    y = KF.sparsemax(chainer.Variable(draw(5, 6)), form="paper").array
    np.testing.assert_allclose(y.sum(axis=-1), 1, rtol=1e-12)
    np.testing.assert_allclose(KF.sparsemax(np.array([[1.0, 0.9]]), form="paper").array, [[0.55, 0.45]])


@pytest.mark.parametrize("case", CASES)
def test_half_precision_stays_half(case, draw):
    x = draw(3, 4, 6).astype(np.float16)
    y = CASES[case][0](chainer.Variable(x))
    assert y.dtype == np.float16
    wide = CASES[case][0](chainer.Variable(x.astype(np.float32))).array
    np.testing.assert_allclose(y.array, wide, atol=2e-2)


def test_erf_to_the_last_bits():
    x = np.concatenate([np.linspace(-7, 7, 20001), [np.inf, -np.inf, 0.0]])
    wanted = np.vectorize(math.erf)(x)
    np.testing.assert_allclose(erf_array(x), wanted, rtol=1e-15, atol=4e-16)
    np.testing.assert_allclose(erf_array(x.astype(np.float32)), wanted, rtol=1e-6)
    assert np.isnan(erf_array(np.array([np.nan]))).all()
