"""What the tests of functions and links share: Keras on PyTorch as the reference."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "torch"

import kchainer  # isort: skip  # noqa: F401  (before Chainer: it makes Chainer importable)

import chainer
import numpy as np
import pytest
import torch

TOLERANCE = {np.dtype(np.float32): 1e-5, np.dtype(np.float64): 1e-10}


def close(got, wanted, dtype, what="output", tolerance=None):
    assert got.shape == wanted.shape, what
    assert got.dtype == dtype, what
    scale = max(float(np.abs(wanted).max(initial=0)), 1e-3)
    assert np.abs(got - wanted).max(initial=0) <= (tolerance or TOLERANCE[np.dtype(dtype)]) * scale, what


@pytest.fixture(params=["float32", "float64"])
def compare(request):
    """Compares values and the gradients by every array of two functions, in both dtypes.

    Keras layers compute float64 in float32 here and there: such tests pass ``double``,
    the tolerance in float64 alone.
    """
    dtype = np.dtype(request.param)

    def run(ours, theirs, *arrays, gradients=True, double=None):
        tolerance = double if dtype == np.float64 else None
        arrays = [np.asarray(a).astype(dtype) for a in arrays]
        variables = [chainer.Variable(a) for a in arrays]
        tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
        y, t = ours(*variables), theirs(*tensors)
        close(y.array, t.detach().numpy(), dtype, "output", tolerance)
        if gradients:
            gradient = np.random.default_rng(0).normal(size=y.shape).astype(dtype)
            y.grad = gradient
            y.backward()
            t.backward(torch.tensor(gradient))
            for i, (v, s) in enumerate(zip(variables, tensors, strict=True)):
                close(v.grad, s.grad.numpy(), dtype, f"gradient by argument {i}", tolerance)

    return run


@pytest.fixture
def draw():
    """Normal numbers of a shape."""
    rng = np.random.default_rng(1)
    return lambda *shape: rng.normal(size=shape)
