"""Losses against Keras 3.15: values and gradients by the prediction, with weights, masks and every reduction."""

from __future__ import annotations

import chainer
import keras
import numpy as np
import pytest
import torch

from kchainer.functions import losses
from kchainer.functions.weighting import Loss, class_weights, reduced

K = keras.losses
RNG = np.random.default_rng(5)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return (e / e.sum(-1, keepdims=True)).astype("float32")


PLAIN = RNG.normal(size=(4, 3)).astype("float32"), RNG.normal(size=(4, 3)).astype("float32")
STEPS = RNG.normal(size=(4, 5, 3)).astype("float32"), RNG.normal(size=(4, 5, 3)).astype("float32")
POSITIVE = RNG.uniform(0.1, 3, (4, 3)).astype("float32"), RNG.uniform(0.1, 3, (4, 3)).astype("float32")
ONES = np.eye(3, dtype="float32")[[0, 2, 1, 1]]
SHARES = softmax(RNG.normal(size=(4, 3)))
LOGITS = RNG.normal(size=(4, 3)).astype("float32") * 3
BINARY = RNG.integers(0, 2, (4, 3)).astype("float32")
CHANCES = RNG.uniform(0.05, 0.95, (4, 3)).astype("float32")
SATURATED = np.array([[0, 1, 0], [1, 0, 0], [0.5, 0.5, 0], [1, 1, 1]], "float32")
CLASSES = np.array([0, 2, 1, 1])
IGNORED = np.array([[0, 2, 1, -1, 2], [-1, -1, 0, 1, 1], [0, 0, 0, 0, 0], [1, -1, 1, 2, 2]])
STEP_LOGITS = RNG.normal(size=(4, 5, 3)).astype("float32")
UNIT = RNG.normal(size=(6, 4)).astype("float32")
UNIT /= np.linalg.norm(UNIT, axis=1, keepdims=True)
IMAGES = RNG.integers(0, 2, (2, 4, 4, 1)).astype("float32"), RNG.uniform(0, 1, (2, 4, 4, 1)).astype("float32")

CASES = {
    "mse": (losses.mean_squared_error, K.MeanSquaredError, {}, PLAIN),
    "mse steps": (losses.mean_squared_error, K.MeanSquaredError, {}, STEPS),
    "mse (N,) (N, 1)": (losses.mean_squared_error, K.MeanSquaredError, {}, (PLAIN[0][:, 0], PLAIN[1][:, :1])),
    "mse (N, 1) (N,)": (losses.mean_squared_error, K.MeanSquaredError, {}, (PLAIN[0][:, :1], PLAIN[1][:, 0])),
    "mae": (losses.mean_absolute_error, K.MeanAbsoluteError, {}, PLAIN),
    "mape": (losses.mean_absolute_percentage_error, K.MeanAbsolutePercentageError, {}, PLAIN),
    "mape of 0": (losses.mean_absolute_percentage_error, K.MeanAbsolutePercentageError, {}, (BINARY, PLAIN[1])),
    "msle": (losses.mean_squared_logarithmic_error, K.MeanSquaredLogarithmicError, {}, PLAIN),
    "hinge": (losses.hinge, K.Hinge, {}, PLAIN),
    "hinge of 0 and 1": (losses.hinge, K.Hinge, {}, (BINARY, PLAIN[1])),
    "squared hinge": (losses.squared_hinge, K.SquaredHinge, {}, (BINARY * 2 - 1, PLAIN[1])),
    "categorical hinge": (losses.categorical_hinge, K.CategoricalHinge, {}, (ONES, PLAIN[1])),
    "huber": (losses.huber, K.Huber, {}, PLAIN),
    "huber delta": (losses.huber, K.Huber, {"delta": 0.3}, STEPS),
    "log cosh": (losses.log_cosh, K.LogCosh, {}, PLAIN),
    "kl": (losses.kl_divergence, K.KLDivergence, {}, (softmax(PLAIN[0]), SHARES)),
    "kl clips": (losses.kl_divergence, K.KLDivergence, {}, (ONES, POSITIVE[0])),
    "poisson": (losses.poisson, K.Poisson, {}, POSITIVE),
    "cosine": (losses.cosine_similarity, K.CosineSimilarity, {}, PLAIN),
    "cosine axis": (losses.cosine_similarity, K.CosineSimilarity, {"axis": 1}, STEPS),
    "cce": (losses.categorical_crossentropy, K.CategoricalCrossentropy, {}, (ONES, SHARES)),
    "cce sums to more": (losses.categorical_crossentropy, K.CategoricalCrossentropy, {}, (ONES, POSITIVE[1])),
    "cce logits": (losses.categorical_crossentropy, K.CategoricalCrossentropy, {"from_logits": True}, (ONES, LOGITS)),
    "cce smooth": (losses.categorical_crossentropy, K.CategoricalCrossentropy, {"label_smoothing": 0.2}, (ONES, SHARES)),
    "cce logits smooth": (losses.categorical_crossentropy, K.CategoricalCrossentropy, {"from_logits": True, "label_smoothing": 0.1}, (ONES, LOGITS)),
    "cce axis": (losses.categorical_crossentropy, K.CategoricalCrossentropy, {"axis": 1}, (np.abs(STEPS[0]), np.abs(STEPS[1]))),
    "cce saturated": (losses.categorical_crossentropy, K.CategoricalCrossentropy, {}, (ONES, SATURATED)),
    "focal cce": (losses.categorical_focal_crossentropy, K.CategoricalFocalCrossentropy, {"alpha": 0.4, "gamma": 1.5}, (ONES, SHARES)),
    "focal cce logits": (losses.categorical_focal_crossentropy, K.CategoricalFocalCrossentropy, {"from_logits": True, "label_smoothing": 0.1}, (ONES, LOGITS)),
    "sparse": (losses.sparse_categorical_crossentropy, K.SparseCategoricalCrossentropy, {}, (CLASSES, SHARES)),
    "sparse (N, 1)": (losses.sparse_categorical_crossentropy, K.SparseCategoricalCrossentropy, {}, (CLASSES[:, None], POSITIVE[0])),
    "sparse logits": (losses.sparse_categorical_crossentropy, K.SparseCategoricalCrossentropy, {"from_logits": True}, (CLASSES, LOGITS)),
    "sparse steps": (losses.sparse_categorical_crossentropy, K.SparseCategoricalCrossentropy, {"from_logits": True}, (IGNORED * (IGNORED > 0), STEP_LOGITS)),
    "sparse ignores": (losses.sparse_categorical_crossentropy, K.SparseCategoricalCrossentropy, {"from_logits": True, "ignore_class": -1}, (IGNORED, STEP_LOGITS)),
    "sparse ignores 0": (losses.sparse_categorical_crossentropy, K.SparseCategoricalCrossentropy, {"from_logits": True, "ignore_class": 0}, (IGNORED * (IGNORED > 0), STEP_LOGITS)),
    "sparse axis": (losses.sparse_categorical_crossentropy, K.SparseCategoricalCrossentropy, {"axis": 1}, (np.array([[0, 4, 1], [2, 3, 3], [0, 0, 1], [4, 4, 2]]), np.abs(STEP_LOGITS))),
    "bce": (losses.binary_crossentropy, K.BinaryCrossentropy, {}, (BINARY, CHANCES)),
    "bce saturated": (losses.binary_crossentropy, K.BinaryCrossentropy, {}, (BINARY, SATURATED)),
    "bce logits": (losses.binary_crossentropy, K.BinaryCrossentropy, {"from_logits": True}, (BINARY, LOGITS * 5)),
    "bce smooth": (losses.binary_crossentropy, K.BinaryCrossentropy, {"label_smoothing": 0.1}, (BINARY, CHANCES)),
    "bce (N,) (N, 1)": (losses.binary_crossentropy, K.BinaryCrossentropy, {}, (BINARY[:, 0], CHANCES[:, :1])),
    "bce axis": (losses.binary_crossentropy, K.BinaryCrossentropy, {"axis": 0}, (BINARY, CHANCES)),
    "focal bce": (losses.binary_focal_crossentropy, K.BinaryFocalCrossentropy, {}, (BINARY, CHANCES)),
    "focal bce balanced": (losses.binary_focal_crossentropy, K.BinaryFocalCrossentropy, {"apply_class_balancing": True, "alpha": 0.4, "gamma": 1.5, "from_logits": True}, (BINARY, LOGITS)),
    "gce": (losses.categorical_generalized_cross_entropy, K.CategoricalGeneralizedCrossEntropy, {"q": 0.7}, (CLASSES, SHARES)),
    "dice": (losses.dice, K.Dice, {}, IMAGES),
    "dice axis": (losses.dice, K.Dice, {"axis": (1, 2, 3)}, IMAGES),
    "tversky": (losses.tversky, K.Tversky, {"alpha": 0.3, "beta": 0.7}, IMAGES),
    "tversky axis": (losses.tversky, K.Tversky, {"axis": (1, 2, 3)}, IMAGES),
    "ctc": (losses.ctc, K.CTC, {}, (np.array([[1, 2, 0], [2, 2, 1], [1, 0, 0], [2, 1, 2]]), RNG.normal(size=(4, 7, 3)).astype("float32"))),
    "circle": (losses.circle, K.Circle, {"gamma": 20.0}, (np.array([0, 1, 1, 0, 2, 2]), UNIT)),
    "circle keeps diagonal": (losses.circle, K.Circle, {"gamma": 10.0, "margin": 0.3, "remove_diagonal": False}, (np.array([0, 1, 1, 0, 2, 2]), UNIT)),
}  # fmt: skip
NO_AXIS = ("cosine axis", "bce axis", "dice", "tversky")  # what is left of these is no list of samples

CLIPS = ("cce saturated", "bce saturated", "kl clips")  # no gradient where they clip
WAYS = [
    pytest.param(name, weight, mask, id=f"{name}{' weighted' * weight}{' masked' * mask}")
    for name in CASES
    for weight in (False, True)
    for mask in (False, True)
    if name not in NO_AXIS or not (weight or mask)
]


def weight_for(values):
    return np.random.default_rng(1).uniform(0, 2, values).astype("float32")


def run_keras(y_true, y_pred, cls, arguments, reduction, weight, mask):
    tensor = torch.tensor(y_pred, requires_grad=True)
    if mask is not None:
        keras.src.backend.set_keras_mask(tensor, torch.tensor(mask))
    loss = cls(reduction={"mean": "sum_over_batch_size"}.get(reduction, reduction), **arguments)
    value = loss(y_true, tensor, sample_weight=weight)
    value.sum().backward()
    return value.detach().numpy(), tensor.grad.numpy()


def run_ours(y_true, y_pred, function, arguments, reduction, weight, mask):
    variable = chainer.Variable(y_pred)
    value = Loss(function, arguments, reduction)(y_true, variable, weight, mask)
    chainer.functions.sum(value).backward()
    return value.array, variable.grad


@pytest.mark.parametrize("reduction", ["mean", "sum", "none", "mean_with_sample_weight"])
@pytest.mark.parametrize(("name", "with_weight", "with_mask"), WAYS)
def test_loss_agrees_with_keras(name, with_weight, with_mask, reduction):
    function, cls, arguments, (y_true, y_pred) = CASES[name]
    shape = function(y_true, chainer.Variable(y_pred), **arguments).shape
    weight = weight_for(shape) if with_weight else None
    mask = np.random.default_rng(2).integers(0, 2, shape).astype(bool) if with_mask else None
    if with_mask:
        mask.flat[0], mask.flat[1] = True, False
    got = run_ours(y_true, y_pred, function, arguments, reduction, weight, mask)
    wanted = run_keras(y_true, y_pred, cls, arguments, reduction, weight, mask)
    for ours, theirs in zip(got, wanted, strict=True):
        assert ours.shape == theirs.shape
        assert np.abs(ours - theirs).max() <= 1e-5 * max(np.abs(theirs).max(), 1e-3)


@pytest.mark.parametrize("name", [name for name in CASES if name not in CLIPS])
def test_loss_in_float64_has_numerical_gradients(name):
    function, _, arguments, (y_true, y_pred) = CASES[name]
    x = y_pred.astype("float64")
    variable = chainer.Variable(x)
    loss = chainer.functions.sum(function(y_true, variable, **arguments))
    loss.backward()
    assert loss.dtype == np.float64
    direction, step = np.random.default_rng(9).normal(size=x.shape), 1e-6
    up, down = (
        chainer.functions.sum(function(y_true, x + s * direction, **arguments)).array for s in (step, -step)
    )
    assert np.isclose((up - down) / (2 * step), (variable.grad * direction).sum(), rtol=1e-5, atol=1e-7)


def test_weights_before_keras_23_are_divided_by_those_not_zero():
    values = chainer.Variable(np.array([1, 4], "float32"))
    weight = np.array([0, 3], "float32")
    assert reduced(values, weight, divisor="nonzero").array == pytest.approx(12)  # Keras 2.2.4
    assert reduced(values, weight).array == pytest.approx(6)  # Keras 2.3.1 and later


def test_masks_by_release():
    values = chainer.Variable(np.array([[1, 9, 9], [1, 4, 9]], "float32"))
    mask = np.array([[1, 0, 0], [1, 1, 0]])
    assert reduced(values, mask=mask).array == pytest.approx(2)  # tf.keras 2.11 and later, Keras 3
    assert reduced(values, mask=mask, mask_rule="zero").array == pytest.approx(
        1
    )  # Keras 2.3, tf.keras to 2.9
    assert reduced(values, mask=mask, mask_rule="mean", divisor="nonzero").array == pytest.approx(2)  # before


def test_class_weights():
    weights = {0: 2.0, 2: 0.5}
    assert class_weights(ONES, weights).tolist() == [2.0, 0.5, 1.0, 1.0]
    assert class_weights(CLASSES[:, None], weights).tolist() == [2.0, 0.5, 1.0, 1.0]
    with pytest.raises(ValueError, match="class 1 has no weight"):
        class_weights(CLASSES, weights, missing=None)


def test_losses_of_older_releases():
    one = np.array([[0.0]], "float32")
    low = losses.binary_crossentropy(1 - one, one, log_epsilon=1e-7).array
    assert low == pytest.approx(15.4249, abs=1e-3)  # tf.keras
    assert losses.binary_crossentropy(1 - one, one).array == pytest.approx(16.118, abs=1e-3)  # Keras 3
    t, p = PLAIN
    unit = [v / np.linalg.norm(v, axis=1, keepdims=True) for v in PLAIN]
    np.testing.assert_allclose(
        losses.cosine_similarity(t, p, mean=True).array, -(unit[0] * unit[1]).mean(1), rtol=1e-5
    )
    np.testing.assert_allclose(
        losses.hinge(BINARY, p, convert_labels=False).array, np.maximum(1 - BINARY * p, 0).mean(1), rtol=1e-5
    )
    clipped = np.clip(POSITIVE[0], 1e-7, 1 - 1e-7)
    chosen = clipped[np.arange(4), CLASSES] / clipped.sum(1)
    got = losses.sparse_categorical_crossentropy(CLASSES, POSITIVE[0], divide_first=False)
    np.testing.assert_allclose(got.array, -np.log(chosen), rtol=1e-5)
