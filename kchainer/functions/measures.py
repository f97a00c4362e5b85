"""Metrics that gather over batches: ``update(y_true, y_pred, sample_weight)``, ``result()``, ``reset()``.

Sums are kept in float64 on the CPU. ``METRICS`` has all of Keras 3.15 by Keras's class name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kchainer.functions import losses, metrics
from kchainer.functions.confusion import AUC, AtConstraint, ConfusionCount, Precision, Recall
from kchainer.functions.losses import same_rank
from kchainer.functions.metrics import Array, host


def sample_values(values: Array, weight: Any, by: Callable[..., Any]) -> tuple[Array, Array | None]:
    """One weighted value for each sample, and the weights; further axes are brought together by ``by``."""
    values = np.asarray(values, np.float64)
    if weight is not None:
        values, weight = same_rank(values, np.asarray(host(weight), np.float64))
        if values.ndim > weight.ndim:
            values = by(values, axis=tuple(range(weight.ndim, values.ndim)))
        weight = np.broadcast_to(weight, values.shape)
        values = values * weight
        if weight.ndim > 1:
            weight = by(weight, axis=tuple(range(1, weight.ndim)))
    if values.ndim > 1:
        values = by(values, axis=tuple(range(1, values.ndim)))
    return values, weight


class Sum:
    """Sum of all values."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all values."""
        self.total = 0.0

    def update(self, values: Any, sample_weight: Any = None) -> None:
        """Take in values of a batch."""
        self.total += float(sample_values(host(values), sample_weight, np.sum)[0].sum())

    def result(self) -> float:
        """The sum so far."""
        return self.total


class Mean:
    """Weighted mean of all values; 0 without any."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all values."""
        self.total = self.count = 0.0

    def update(self, values: Any, sample_weight: Any = None) -> None:
        """Take in values of a batch."""
        one, weight = sample_values(host(values), sample_weight, np.mean)
        self.total += float(one.sum())
        self.count += float(weight.sum()) if weight is not None else max(len(np.atleast_1d(one)), 1)

    def result(self) -> float:
        """The mean so far."""
        return self.total / self.count if self.count else 0.0


def masked_weight(weight: Any, mask: Any) -> Any:
    """Weights that are 0 where a mask is; None without either."""
    if mask is None:
        return weight
    kept = host(mask).astype(np.float64)
    if weight is None:
        return kept
    kept, weight = same_rank(kept, np.asarray(host(weight), np.float64))
    return kept * weight.reshape(weight.shape + (1,) * (kept.ndim - weight.ndim))


class MeanOf:
    """Mean of a function of targets and predictions."""

    def __init__(self, function: Callable[..., Array], **arguments: Any) -> None:
        self.function, self.arguments, self.mean = function, arguments, Mean()

    def reset(self) -> None:
        """Forget all batches."""
        self.mean.reset()

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None) -> None:
        """Take in a batch; ``mask`` is that of the prediction."""
        values = self.function(y_true, y_pred, **self.arguments)
        ignored = self.arguments.get("ignore_class")
        if ignored is not None:
            valid = losses.valid_classes(host(y_true), host(y_pred), ignored, self.arguments.get("axis", -1))
            mask = valid if mask is None else valid & host(mask).astype(bool)
        if mask is not None:
            sample_weight = masked_weight(sample_weight, mask)
        self.mean.update(values, sample_weight)

    def result(self) -> float:
        """The mean so far."""
        return self.mean.result()


class RootMeanSquaredError(MeanOf):
    """Root of the mean squared difference."""

    def __init__(self) -> None:
        super().__init__(_squares)

    def result(self) -> float:
        """The root so far."""
        return float(super().result() ** 0.5)


def _squares(y_true: Any, y_pred: Any) -> Array:
    t, p = same_rank(np.asarray(host(y_true), np.float64), np.asarray(host(y_pred), np.float64))
    square: Array = (p - t) ** 2
    return square


class R2Score:
    """Share of the variance that is explained, over outputs (N, D)."""

    def __init__(self, class_aggregation: str | None = "uniform_average", num_regressors: int = 0) -> None:
        if class_aggregation not in (None, "uniform_average", "variance_weighted_average"):
            raise ValueError(f"{class_aggregation!r} is no way to bring outputs together")
        self.class_aggregation, self.num_regressors = class_aggregation, num_regressors
        self.reset()

    def reset(self) -> None:
        """Forget all batches."""
        self.sums: Any = np.zeros(4)[:, None]
        self.samples = 0

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch."""
        t, p = same_rank(np.asarray(host(y_true), np.float64), np.asarray(host(y_pred), np.float64))
        weight = np.ones(()) if sample_weight is None else np.asarray(host(sample_weight), np.float64)
        weight = np.broadcast_to(weight[:, None] if weight.ndim == 1 else weight, t.shape)
        terms = np.stack([t * weight, t * t * weight, (t - p) ** 2 * weight, weight])
        self.sums = self.sums + terms.sum(axis=1)
        self.samples += t.size

    def result(self) -> Any:
        """The score so far; an array for each output without aggregation."""
        total, squares, errors, count = self.sums
        spread = squares - total * total / count
        with np.errstate(divide="ignore"):
            scores = 1 - errors / spread
        scores = np.where(np.isinf(scores), 0.0, scores)
        if self.class_aggregation == "uniform_average":
            scores = scores.mean()
        elif self.class_aggregation is not None:
            scores = (spread * scores).sum() / spread.sum()
        left = self.samples - self.num_regressors - 1
        if self.num_regressors and left > 0:
            scores = 1 - (1 - scores) * (self.samples - 1) / left
        return scores


class FBetaScore:
    """Weighted harmonic mean of precision and recall of classes (N, C)."""

    def __init__(self, average: str | None = None, beta: float = 1.0, threshold: float | None = None) -> None:
        if average not in (None, "micro", "macro", "weighted"):
            raise ValueError(f"{average!r} is no average")
        self.average, self.beta, self.threshold = average, beta, threshold
        self.reset()

    def reset(self) -> None:
        """Forget all batches."""
        self.sums: Any = 0.0

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch."""
        t, p = np.asarray(host(y_true), np.float64), np.asarray(host(y_pred), np.float64)
        if self.threshold is None:
            p = ((p >= p.max(-1, keepdims=True)) & (abs(p) > 1e-9)).astype(np.float64)
        else:
            p = (p > self.threshold).astype(np.float64)
        terms = np.stack([p * t, p * (1 - t), (1 - p) * t, t])
        if sample_weight is not None:
            terms = terms * np.asarray(host(sample_weight), np.float64)[:, None]
        self.sums = self.sums + terms.sum(axis=(1, 2) if self.average == "micro" else 1)

    def result(self) -> Any:
        """The score so far; an array of classes without an average."""
        hits, wrong, missed, weight = self.sums
        precision, recall = hits / (hits + wrong + 1e-7), hits / (hits + missed + 1e-7)
        square = self.beta**2
        score = (1 + square) * precision * recall / (square * precision + recall + 1e-7)
        if self.average == "weighted":
            return (score * weight / (weight.sum() + 1e-7)).sum()
        return score if self.average is None else score.mean()


class F1Score(FBetaScore):
    """FBetaScore of beta 1."""

    def __init__(self, average: str | None = None, threshold: float | None = None) -> None:
        super().__init__(average, 1.0, threshold)


class IoU:
    """Mean over classes of the overlap of labels and predictions over their union. Weights are whole numbers."""

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        ids = range(num_classes) if target_class_ids is None else target_class_ids
        self.num_classes, self.target_class_ids = num_classes, list(ids)
        if max(self.target_class_ids) >= num_classes:
            raise ValueError(f"class {max(self.target_class_ids)} is none of {num_classes}")
        self.ignore_class, self.axis = ignore_class, axis
        self.sparse_y_true, self.sparse_y_pred = sparse_y_true, sparse_y_pred
        self.reset()

    def reset(self) -> None:
        """Forget all batches."""
        self.confusion = np.zeros((self.num_classes, self.num_classes), np.int64)

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch."""
        t, p = host(y_true), host(y_pred)
        t = (t if self.sparse_y_true else t.argmax(self.axis)).astype(np.int64).ravel()
        p = (p if self.sparse_y_pred else p.argmax(self.axis)).astype(np.int64).ravel()
        weight = np.asarray(1 if sample_weight is None else host(sample_weight)).astype(np.int64)
        weight = np.broadcast_to(weight.ravel() if weight.ndim else weight, t.shape)
        known = (t >= 0) & (t < self.num_classes) & (p >= 0) & (p < self.num_classes)
        if self.ignore_class is not None:
            known &= t != self.ignore_class
        np.add.at(self.confusion, (t[known], p[known]), weight[known])

    def result(self) -> float:
        """The mean so far, of the classes that were seen."""
        hits = np.diag(self.confusion)[self.target_class_ids]
        union = (self.confusion.sum(0) + self.confusion.sum(1))[self.target_class_ids] - hits
        seen = union > 0
        return float((hits[seen] / (union[seen] + 1e-7)).sum() / (seen.sum() + 1e-7))


class BinaryIoU(IoU):
    """IoU of two classes, told by a threshold."""

    def __init__(self, target_class_ids: Any = (0, 1), threshold: float = 0.5) -> None:
        super().__init__(2, target_class_ids)
        self.threshold = threshold

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch."""
        super().update(y_true, host(y_pred) >= self.threshold, sample_weight)


def _mean_of(function: Callable[..., Array]) -> Callable[..., MeanOf]:
    return lambda **arguments: MeanOf(function, **arguments)


def _mean_of_loss(function: Callable[..., Any]) -> Callable[..., MeanOf]:
    return _mean_of(metrics.of_loss(function))


def _one_hot(num_classes: int, target_class_ids: Any = None, **more: Any) -> IoU:
    return IoU(num_classes, target_class_ids, sparse_y_true=False, **{"sparse_y_pred": False, **more})


METRICS: dict[str, Callable[..., Any]] = {
    "Sum": Sum,
    "Mean": Mean,
    "Accuracy": _mean_of(metrics.accuracy),
    "BinaryAccuracy": _mean_of(metrics.binary_accuracy),
    "CategoricalAccuracy": _mean_of(metrics.categorical_accuracy),
    "SparseCategoricalAccuracy": _mean_of(metrics.sparse_categorical_accuracy),
    "TopKCategoricalAccuracy": _mean_of(metrics.top_k_categorical_accuracy),
    "SparseTopKCategoricalAccuracy": _mean_of(metrics.sparse_top_k_categorical_accuracy),
    "PearsonCorrelation": _mean_of(metrics.pearson_correlation),
    "ConcordanceCorrelation": _mean_of(metrics.concordance_correlation),
    "CosineSimilarity": _mean_of(metrics.cosine_similarity),
    "MeanSquaredError": _mean_of_loss(losses.mean_squared_error),
    "MeanAbsoluteError": _mean_of_loss(losses.mean_absolute_error),
    "MeanAbsolutePercentageError": _mean_of_loss(losses.mean_absolute_percentage_error),
    "MeanSquaredLogarithmicError": _mean_of_loss(losses.mean_squared_logarithmic_error),
    "LogCoshError": _mean_of_loss(losses.log_cosh),
    "Hinge": _mean_of_loss(losses.hinge),
    "SquaredHinge": _mean_of_loss(losses.squared_hinge),
    "CategoricalHinge": _mean_of_loss(losses.categorical_hinge),
    "KLDivergence": _mean_of_loss(losses.kl_divergence),
    "Poisson": _mean_of_loss(losses.poisson),
    "BinaryCrossentropy": _mean_of_loss(losses.binary_crossentropy),
    "CategoricalCrossentropy": _mean_of_loss(losses.categorical_crossentropy),
    "SparseCategoricalCrossentropy": _mean_of_loss(losses.sparse_categorical_crossentropy),
    "RootMeanSquaredError": RootMeanSquaredError,
    "R2Score": R2Score,
    "FBetaScore": FBetaScore,
    "F1Score": F1Score,
    "IoU": IoU,
    "MeanIoU": IoU,
    "BinaryIoU": BinaryIoU,
    "OneHotIoU": _one_hot,
    "OneHotMeanIoU": _one_hot,
    "AUC": AUC,
    "Precision": Precision,
    "Recall": Recall,
    "TruePositives": lambda **a: ConfusionCount("true_positives", **a),
    "TrueNegatives": lambda **a: ConfusionCount("true_negatives", **a),
    "FalsePositives": lambda **a: ConfusionCount("false_positives", **a),
    "FalseNegatives": lambda **a: ConfusionCount("false_negatives", **a),
    "SensitivityAtSpecificity": lambda specificity, **a: AtConstraint(
        "sensitivity", "specificity", specificity, **a
    ),
    "SpecificityAtSensitivity": lambda sensitivity, **a: AtConstraint(
        "specificity", "sensitivity", sensitivity, **a
    ),
    "PrecisionAtRecall": lambda recall, **a: AtConstraint("precision", "recall", recall, **a),
    "RecallAtPrecision": lambda precision, **a: AtConstraint("recall", "precision", precision, **a),
}
