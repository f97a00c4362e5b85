"""Metrics by thresholds: counts of true and false positives and negatives, and what follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kchainer.functions.losses import same_rank
from kchainer.functions.metrics import Array, host


def ratio(a: Any, b: Any) -> Any:
    """a / b, 0 where b is 0."""
    b = np.asarray(b, np.float64)
    return np.where(b != 0, a / np.where(b != 0, b, 1), 0.0)


class Confusion:
    """Weighted counts at each threshold; a prediction above a threshold is positive."""

    def __init__(
        self,
        thresholds: Sequence[float],
        top_k: int | None = None,
        class_id: int | None = None,
        by_label: bool = False,
        label_weights: Any = None,
    ) -> None:
        self.thresholds = np.asarray(thresholds, np.float32)
        self.order = np.argsort(self.thresholds, kind="stable")
        self.top_k, self.class_id, self.by_label, self.label_weights = (
            top_k,
            class_id,
            by_label,
            label_weights,
        )
        self.reset()

    def reset(self) -> None:
        """Forget all batches."""
        self.true_positives: Any = 0.0
        self.false_positives: Any = 0.0
        self.positives: Any = 0.0
        self.negatives: Any = 0.0

    @property
    def false_negatives(self) -> Any:
        """Weight of true labels that no prediction met."""
        return self.positives - self.true_positives

    @property
    def true_negatives(self) -> Any:
        """Weight of false labels that no prediction claimed."""
        return self.negatives - self.false_positives

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch."""
        p, t = same_rank(np.asarray(host(y_pred), np.float32), host(y_true))
        if self.top_k is not None:
            p = np.where(_largest(p, self.top_k), p, np.float32(-1e10))
        if self.class_id is not None:
            t, p = t[..., self.class_id, None], p[..., self.class_id, None]
        weight = np.ones(p.shape)
        if sample_weight is not None:
            w = np.asarray(host(sample_weight), np.float64)
            weight = weight * w.reshape(w.shape + (1,) * (p.ndim - w.ndim))
        if self.label_weights is not None and not self.by_label:
            weight = weight * np.asarray(self.label_weights, np.float64)
        t = t.astype(bool)
        columns = p.shape[-1] if self.by_label else 1
        if not self.by_label:
            t, p, weight = t.ravel(), p.ravel(), weight.ravel()
        t, p, weight = (a.reshape(-1, columns) for a in (t, p, weight))
        hits, wrong = self._above(p, weight * t), self._above(p, weight * ~t)
        self.true_positives = self.true_positives + hits
        self.false_positives = self.false_positives + wrong
        self.positives = self.positives + self._shaped((weight * t).sum(0)[None])
        self.negatives = self.negatives + self._shaped((weight * ~t).sum(0)[None])

    def _above(self, p: Array, weight: Array) -> Array:
        """By threshold, the weight of predictions above it."""
        ordered, out = self.thresholds[self.order], np.zeros((len(self.thresholds), p.shape[1]))
        for column in range(p.shape[1]):
            passed = np.searchsorted(ordered, p[:, column], side="left")
            counts = np.bincount(passed, weight[:, column], len(ordered) + 1)
            out[self.order, column] = counts[::-1].cumsum()[::-1][1:]
        return self._shaped(out)

    def _shaped(self, out: Array) -> Array:
        return out if self.by_label else out[:, 0]


def _largest(p: Array, k: int) -> Array:
    """Mask of the ``k`` largest of the last axis; of equal ones the first."""
    order = np.argsort(-p, axis=-1, kind="stable")[..., :k]
    mask = np.zeros(p.shape, bool)
    np.put_along_axis(mask, order, True, axis=-1)
    return mask


def _listed(thresholds: Any, default: float) -> list[float]:
    if thresholds is None:
        return [default]
    several = list(thresholds) if isinstance(thresholds, (list, tuple)) else [thresholds]
    if any(not 0 <= t <= 1 for t in several):
        raise ValueError("thresholds have to be from 0 to 1")
    return several


def _single(values: Array) -> Any:
    return values[0] if len(values) == 1 else values


class ConfusionCount(Confusion):
    """One of the four counts, an array for several thresholds."""

    def __init__(self, what: str, thresholds: Any = None) -> None:
        super().__init__(_listed(thresholds, 0.5))
        self.what = what

    def result(self) -> Any:
        """The count so far."""
        return _single(getattr(self, self.what))


class Precision(Confusion):
    """Share of positive predictions that are true."""

    def __init__(self, thresholds: Any = None, top_k: int | None = None, class_id: int | None = None) -> None:
        super().__init__(_listed(thresholds, 0.5 if top_k is None else -1e10), top_k, class_id)

    def result(self) -> Any:
        """The share so far, an array for several thresholds."""
        return _single(ratio(self.true_positives, self.true_positives + self.false_positives))


class Recall(Precision):
    """Share of true labels that are predicted."""

    def result(self) -> Any:
        """The share so far, an array for several thresholds."""
        return _single(ratio(self.true_positives, self.positives))


def _even(number: int, margin: float = 0.0) -> list[float]:
    inner = [(i + 1) / (number - 1) for i in range(number - 2)]
    return [-margin, *inner, 1 + margin]


class AtConstraint(Confusion):
    """The largest ``wanted`` at thresholds where ``bound`` is ``value`` or more."""

    def __init__(
        self, wanted: str, bound: str, value: float, num_thresholds: int = 200, class_id: int | None = None
    ) -> None:
        if not 0 <= value <= 1:
            raise ValueError(f"{bound} has to be from 0 to 1")
        super().__init__([0.5] if num_thresholds == 1 else _even(num_thresholds), class_id=class_id)
        self.wanted, self.bound, self.value = wanted, bound, value

    def _rates(self, name: str) -> Array:
        if name == "specificity":
            return np.asarray(ratio(self.true_negatives, self.negatives))
        whole = self.true_positives + self.false_positives if name == "precision" else self.positives
        return np.asarray(ratio(self.true_positives, whole))

    def result(self) -> float:
        """The largest so far, 0 if the bound is never met."""
        # the bound is float32 in Keras, where 0.8 is met by 4 of 5
        met = self._rates(self.bound).astype(np.float32) >= np.float32(self.value)
        return float(np.where(met, self._rates(self.wanted), 0).max(initial=0))


class AUC(Confusion):
    """Area under a curve of ROC, PR or PRGAIN by Riemann sums."""

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ) -> None:
        if curve.upper() not in ("ROC", "PR", "PRGAIN"):
            raise ValueError(f"{curve!r} is no curve")
        if summation_method.lower() not in ("interpolation", "minoring", "majoring"):
            raise ValueError(f"{summation_method!r} is no way to sum")
        margin = 1e-7
        marks = (
            _even(num_thresholds, margin)
            if thresholds is None
            else [-margin, *sorted(thresholds), 1 + margin]
        )
        super().__init__(marks, by_label=multi_label, label_weights=label_weights)
        self.curve, self.summation, self.from_logits = curve.upper(), summation_method.lower(), from_logits

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch."""
        p = np.asarray(host(y_pred), np.float32)
        chances: Array = np.asarray(1 / (1 + np.exp(-p)) if self.from_logits else p)
        super().update(y_true, chances.clip(0, 1), sample_weight)

    def result(self) -> float:
        """The area so far; of several labels their (weighted) mean."""
        if self.curve == "PR" and self.summation == "interpolation":
            parts = self._interpolated()
        else:
            x, y = self._points()
            low, high = y[:-1], y[1:]
            heights = {
                "interpolation": (low + high) / 2,
                "minoring": np.minimum(low, high),
                "majoring": np.maximum(low, high),
            }[self.summation]
            parts = (x[:-1] - x[1:]) * heights
        areas = parts.sum(axis=0)
        if not self.by_label:
            return float(areas)
        weights = np.ones(len(areas)) if self.label_weights is None else np.asarray(self.label_weights)
        return float(ratio((areas * weights).sum(), weights.sum()))

    def _points(self) -> tuple[Array, Array]:
        recall = ratio(self.true_positives, self.positives)
        if self.curve == "ROC":
            return ratio(self.false_positives, self.negatives), recall
        if self.curve == "PR":
            return recall, ratio(self.true_positives, self.true_positives + self.false_positives)
        scale = ratio(self.positives, self.negatives)
        seen = self.true_positives != 0
        x = np.where(seen, 1 - scale * ratio(self.false_negatives, self.true_positives), 0.0)
        y = np.where(seen, 1 - scale * ratio(self.false_positives, self.true_positives), 1.0)
        return np.maximum(x, 0), y

    def _interpolated(self) -> Array:
        """Davis & Goadrich 2006: precision between two points follows the true positives, not a line."""
        hits, claimed = self.true_positives, self.true_positives + self.false_positives
        gained, more = hits[:-1] - hits[1:], claimed[:-1] - claimed[1:]
        slope = ratio(gained, np.maximum(more, 0))
        intercept = hits[1:] - slope * claimed[1:]
        both = (claimed[:-1] > 0) & (claimed[1:] > 0)
        logs = np.log(np.where(both, ratio(claimed[:-1], claimed[1:]), 1.0))
        whole = np.broadcast_to(self.positives, hits.shape)[1:]
        return np.asarray(ratio(slope * (gained + intercept * logs), whole))
