"""Constraints and penalties against Keras."""

from __future__ import annotations

import chainer
import keras
import numpy as np
import pytest
import torch

from kchainer import optimizers
from kchainer.functions import penalties

SHAPE = (3, 2, 4, 5)
W = np.random.default_rng(0).normal(size=SHAPE).astype("float32")
C = keras.constraints
CONSTRAINTS = {
    "MaxNorm": (optimizers.MaxNorm(0.9), C.MaxNorm(0.9)),
    "MaxNorm axes": (optimizers.MaxNorm(0.9, axis=(0, 1, 2)), C.MaxNorm(0.9, axis=[0, 1, 2])),
    "UnitNorm": (optimizers.UnitNorm(axis=(0, 1, 2)), C.UnitNorm(axis=[0, 1, 2])),
    "NonNeg": (optimizers.NonNeg(), C.NonNeg()),
    "MinMaxNorm": (optimizers.MinMaxNorm(0.8, 1.5, 0.6, axis=3), C.MinMaxNorm(0.8, 1.5, 0.6, axis=3)),
}


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_constraint_agrees_with_keras(name):
    ours, theirs = CONSTRAINTS[name]
    wanted = keras.ops.convert_to_numpy(theirs(keras.ops.convert_to_tensor(W)))
    np.testing.assert_allclose(ours(W), wanted, rtol=1e-5, atol=1e-6)


def test_hook_sees_the_layout_of_keras():
    link = chainer.links.Convolution2D(4, 5, (3, 2), initialW=W.transpose(3, 2, 0, 1))
    view = optimizers.View(axes=(2, 3, 1, 0))
    optimizer = optimizers.SGD(0.0).setup(link)
    optimizer.add_hook(optimizers.Constrain({"/W": optimizers.MaxNorm(0.9)}, {"/W": view}))
    link.W.grad = np.ones_like(link.W.array)
    optimizer.update()
    np.testing.assert_allclose(view.logical(link.W.array), optimizers.MaxNorm(0.9)(W), rtol=1e-6)
    with pytest.raises(KeyError, match="no parameter"):
        optimizers.Constrain({"/V": optimizers.NonNeg()})(optimizer)


R = keras.regularizers
PENALTIES = {
    "l1": (lambda x: penalties.l1_penalty(x, 0.02), R.L1(0.02)),
    "l2": (lambda x: penalties.l2_penalty(x, 0.02), R.L2(0.02)),
    "l1_l2": (lambda x: penalties.l1_l2_penalty(x, 0.01, 0.02), R.L1L2(0.01, 0.02)),
    "rows": (lambda x: penalties.orthogonal_penalty(x, 0.3), R.OrthogonalRegularizer(0.3)),
    "columns": (
        lambda x: penalties.orthogonal_penalty(x, 0.3, "columns"),
        R.OrthogonalRegularizer(0.3, mode="columns"),
    ),
}


@pytest.mark.parametrize("name", PENALTIES)
def test_penalty_agrees_with_keras(name):
    ours, theirs = PENALTIES[name]
    w = W[0, 0]
    variable, tensor = chainer.Variable(w), torch.tensor(w, requires_grad=True)
    got, wanted = ours(variable), theirs(tensor)
    got.backward()
    wanted.backward()
    assert float(got.array) == pytest.approx(wanted.item(), rel=1e-5)
    np.testing.assert_allclose(variable.grad, tensor.grad.numpy(), rtol=1e-4, atol=1e-6)
