"""Metrics against Keras 3.15: two batches, with and without weights, and after a reset."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from kchainer.functions.measures import METRICS

RNG = np.random.default_rng(3)


def batches(kind):
    out = []
    for _ in range(2):
        x, y = RNG.normal(size=(8, 4)).astype("float32"), RNG.normal(size=(8, 4)).astype("float32")
        shares = (np.exp(y) / np.exp(y).sum(1, keepdims=True)).astype("float32")
        onehot = np.eye(4, dtype="float32")[RNG.integers(0, 4, 8)]
        chances = RNG.uniform(0, 1, (8, 4)).astype("float32")
        classes = RNG.integers(0, 4, 8)
        out.append(
            {
                "real": (x, y),
                "steps": (RNG.normal(size=(8, 3, 4)).astype("float32"), RNG.normal(size=(8, 3, 4)).astype("float32")),
                "shares": (onehot, shares),
                "classes": (classes, shares),
                "column": (classes[:, None], shares),
                "binary": ((chances > 0.6).astype("float32"), chances[:, ::-1].copy()),
                "binary 1": (RNG.integers(0, 2, 8).astype("float32"), chances[:, :1]),
                "logits": (RNG.integers(0, 2, 8).astype("float32"), x[:, 0]),
                "ids": (classes, RNG.integers(0, 4, 8)),
                "id sets": (classes, np.argsort(-shares, axis=1)),
                "positive": (np.abs(x), np.abs(y)),
            }[kind]
        )  # fmt: skip
    return out


CASES = [
    ("Accuracy", {}, "ids"), ("BinaryAccuracy", {}, "binary"), ("BinaryAccuracy", {"threshold": 0.3}, "binary 1"),
    ("CategoricalAccuracy", {}, "shares"), ("SparseCategoricalAccuracy", {}, "classes"), ("SparseCategoricalAccuracy", {}, "column"),
    ("TopKCategoricalAccuracy", {"k": 2}, "shares"), ("SparseTopKCategoricalAccuracy", {"k": 2}, "classes"),
    ("SparseTopKCategoricalAccuracy", {"k": 2, "from_sorted_ids": True}, "id sets"),
    ("PearsonCorrelation", {}, "real"), ("ConcordanceCorrelation", {}, "real"), ("CosineSimilarity", {}, "real"),
    ("MeanSquaredError", {}, "real"), ("MeanSquaredError", {}, "steps"), ("MeanAbsoluteError", {}, "real"),
    ("MeanAbsolutePercentageError", {}, "real"), ("MeanSquaredLogarithmicError", {}, "positive"), ("LogCoshError", {}, "real"),
    ("RootMeanSquaredError", {}, "real"), ("RootMeanSquaredError", {}, "steps"),
    ("Hinge", {}, "real"), ("SquaredHinge", {}, "binary"), ("CategoricalHinge", {}, "shares"), ("KLDivergence", {}, "shares"),
    ("Poisson", {}, "positive"), ("BinaryCrossentropy", {}, "binary"), ("BinaryCrossentropy", {"label_smoothing": 0.1}, "binary"),
    ("CategoricalCrossentropy", {}, "shares"), ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.2}, "shares"),
    ("SparseCategoricalCrossentropy", {}, "classes"), ("SparseCategoricalCrossentropy", {"from_logits": True}, "column"),
    ("R2Score", {}, "real"), ("R2Score", {"class_aggregation": None}, "real"),
    ("R2Score", {"class_aggregation": "variance_weighted_average", "num_regressors": 2}, "real"),
    *(("FBetaScore", {"average": a, "beta": 2.0}, "shares") for a in (None, "micro", "macro", "weighted")),
    ("F1Score", {"threshold": 0.4}, "binary"),
    ("IoU", {"num_classes": 4, "target_class_ids": [0, 2]}, "ids"), ("MeanIoU", {"num_classes": 4}, "ids"),
    ("MeanIoU", {"num_classes": 4, "ignore_class": 1}, "ids"), ("BinaryIoU", {"threshold": 0.4}, "binary"),
    ("OneHotIoU", {"num_classes": 4, "target_class_ids": [1, 3]}, "shares"), ("OneHotMeanIoU", {"num_classes": 4}, "shares"),
    *((n, {}, "binary") for n in ("TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives")),
    ("TruePositives", {"thresholds": [0.2, 0.9, 0.5]}, "binary 1"),
    ("Precision", {}, "binary"), ("Recall", {}, "binary"), ("Precision", {"thresholds": [0.3, 0.8]}, "binary"),
    ("Precision", {"top_k": 2}, "shares"), ("Recall", {"top_k": 2, "class_id": 1}, "shares"), ("Recall", {"class_id": 2}, "binary"),
    ("SensitivityAtSpecificity", {"specificity": 0.5}, "binary"), ("SpecificityAtSensitivity", {"sensitivity": 0.6}, "binary"),
    ("PrecisionAtRecall", {"recall": 0.5}, "binary"), ("RecallAtPrecision", {"precision": 0.3, "num_thresholds": 11}, "binary"),
    *(("AUC", {"curve": c, "summation_method": s}, "binary") for c in ("ROC", "PR", "PRGAIN") for s in ("interpolation", "minoring", "majoring")),
    ("AUC", {"thresholds": [0.1, 0.5, 0.55]}, "binary"), ("AUC", {"num_thresholds": 7}, "binary 1"), ("AUC", {"from_logits": True}, "logits"),
    ("AUC", {"multi_label": True}, "binary"), ("AUC", {"multi_label": True, "curve": "PR", "label_weights": [0.5, 1.0, 2.0, 0.1]}, "binary"),
    ("AUC", {"label_weights": [0.5, 1.0, 2.0, 0.1]}, "binary"),
]  # fmt: skip
WHOLE = ("IoU", "MeanIoU", "BinaryIoU", "OneHotIoU", "OneHotMeanIoU")


@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
@pytest.mark.parametrize(
    ("name", "arguments", "kind"), CASES, ids=[f"{n}-{i}" for i, (n, *_) in enumerate(CASES)]
)
def test_metric_agrees_with_keras(name, arguments, kind, weighted):
    theirs, ours = getattr(keras.metrics, name)(**arguments), METRICS[name](**arguments)
    for _ in range(2):
        for t, p in batches(kind):
            weight = RNG.uniform(0, 2, 8).astype("float32") if weighted else None
            if weighted and name in WHOLE:
                weight = RNG.integers(0, 3, p.shape if name == "BinaryIoU" else 8)
            theirs.update_state(t, p, sample_weight=weight)
            ours.update(t, p, weight)
        wanted = keras.ops.convert_to_numpy(theirs.result())
        np.testing.assert_allclose(ours.result(), wanted, rtol=2e-5, atol=1e-6)
        theirs.reset_state()
        ours.reset()


@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
@pytest.mark.parametrize("name", ["Sum", "Mean"])
def test_reductions_agree_with_keras(name, weighted):
    theirs, ours = getattr(keras.metrics, name)(), METRICS[name]()
    for shape in ((5,), (5, 3)):
        values = RNG.normal(size=shape).astype("float32")
        weight = RNG.uniform(0, 2, 5).astype("float32") if weighted else None
        theirs.update_state(values, weight)
        ours.update(values, weight)
    # a sum of 20 numbers of size 1 that cancel, in Keras in float32
    assert ours.result() == pytest.approx(float(theirs.result()), rel=1e-5, abs=2e-6)


def test_all_metrics_of_keras_are_there():
    theirs = {
        name
        for name in dir(keras.metrics)
        if isinstance(getattr(keras.metrics, name), type) and name not in ("Metric", "MeanMetricWrapper")
    }
    assert theirs - set(METRICS) == set()
