"""Losses as data. No attribute has a Python default."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from kchainer.ir.definition import described
from kchainer.ir.op import attr
from kchainer.ir.parts import Part, base

LOSSES: dict[str, Any] = {}


@base
class Loss(Part):
    """Base of the losses: how the losses of samples become one.

    ``mask_rule``: "valid", the mean over what the mask leaves; "zero", zeros that still count; "mean", divided by the
    mask's mean (plus mask_epsilon). ``divisor``: of a weighted sum, the samples or the weights that are not 0.
    """

    table: ClassVar[dict[str, Any]] = LOSSES
    reduction: Literal["mean", "mean_with_sample_weight", "sum", "none"] = attr(
        doc="of all samples", spec="mean"
    )
    mask_rule: Literal["valid", "zero", "mean"] = attr(doc="how a mask counts", spec="valid")
    mask_epsilon: float = attr(doc="added to the mask's mean", spec=0.0, minimum=0)
    divisor: Literal["count", "nonzero"] = attr(doc="of a weighted sum", spec="count")


CLIP = "clips values that logarithms or quotients are taken of"
LOGITS = "predictions are logits, no probabilities"
SMOOTHING = "share of the label that is spread over all classes"
AXIS = "axis of the classes"


@described(LOSSES)
class MeanSquaredError(Loss):
    """Mean of the squared differences."""


@described(LOSSES)
class MeanAbsoluteError(Loss):
    """Mean of the differences' sizes."""


@described(LOSSES)
class MeanAbsolutePercentageError(Loss):
    """100 times the mean of the relative differences' sizes."""

    epsilon: float = attr(doc=CLIP, spec=1e-7, above=0)


@described(LOSSES)
class MeanSquaredLogarithmicError(Loss):
    """Mean of the squared differences of logarithms."""

    epsilon: float = attr(doc=CLIP, spec=1e-7, above=0)


CONVERT = "labels 0 and 1 stand for -1 and 1"


@described(LOSSES)
class Hinge(Loss):
    """Mean of max(1 - t p, 0)."""

    convert_labels: bool = attr(doc=CONVERT, spec=True)


@described(LOSSES)
class SquaredHinge(Loss):
    """Mean of max(1 - t p, 0)^2."""

    convert_labels: bool = attr(doc=CONVERT, spec=True)


@described(LOSSES)
class CategoricalHinge(Loss):
    """max(max((1 - t) p) - sum(t p) + 1, 0)."""


@described(LOSSES)
class Huber(Loss):
    """Squares up to delta, a line beyond."""

    delta: float = attr(doc="where the line begins", spec=1.0, above=0)


@described(LOSSES)
class LogCosh(Loss):
    """Mean of log(cosh(p - t))."""


@described(LOSSES)
class KLDivergence(Loss):
    """Sum of t log(t / p)."""

    epsilon: float = attr(doc=CLIP, spec=1e-7, above=0)


@described(LOSSES)
class Poisson(Loss):
    """Mean of p - t log(p)."""

    epsilon: float = attr(doc=CLIP, spec=1e-7, above=0)


@described(LOSSES)
class CosineSimilarity(Loss):
    """Minus the cosine of the angle."""

    axis: int = attr(doc="axis of the vectors", spec=-1)
    mean: bool = attr(doc="divide by the axis's length", spec=False)


@described(LOSSES)
class CategoricalCrossentropy(Loss):
    """Minus the sum of t log(p)."""

    from_logits: bool = attr(doc=LOGITS, spec=False)
    label_smoothing: float = attr(doc=SMOOTHING, spec=0.0, minimum=0)
    axis: int = attr(doc=AXIS, spec=-1)
    epsilon: float = attr(doc=CLIP, spec=1e-7, above=0)


@described(LOSSES)
class CategoricalFocalCrossentropy(CategoricalCrossentropy):
    """Cross-entropy that looks at hard samples."""

    alpha: float = attr(doc="factor", spec=0.25)
    gamma: float = attr(doc="exponent of 1 - p", spec=2.0)


@described(LOSSES)
class SparseCategoricalCrossentropy(Loss):
    """Minus log(p) of the class that the target names."""

    from_logits: bool = attr(doc=LOGITS, spec=False)
    ignore_class: int | None = attr(doc="class whose samples do not count", spec=None)
    axis: int = attr(doc=AXIS, spec=-1)
    epsilon: float = attr(doc=CLIP, spec=1e-7, above=0)
    divide_first: bool = attr(doc="divide probabilities by their sum before they are clipped", spec=True)


@described(LOSSES)
class BinaryCrossentropy(Loss):
    """Mean of -t log(p) - (1 - t) log(1 - p)."""

    from_logits: bool = attr(doc=LOGITS, spec=False)
    label_smoothing: float = attr(doc=SMOOTHING, spec=0.0, minimum=0)
    axis: int = attr(doc="axis of the mean", spec=-1)
    epsilon: float = attr(doc=CLIP, spec=1e-7, above=0)
    log_epsilon: float = attr(doc="added inside the logarithms", spec=0.0, minimum=0)


@described(LOSSES)
class BinaryFocalCrossentropy(BinaryCrossentropy):
    """Binary cross-entropy that looks at hard samples."""

    apply_class_balancing: bool = attr(doc="weight the classes by alpha", spec=False)
    alpha: float = attr(doc="weight of class 1", spec=0.25)
    gamma: float = attr(doc="exponent of 1 - p_t", spec=2.0)


@described(LOSSES)
class CategoricalGeneralizedCrossEntropy(Loss):
    """(1 - p^q) / q of the class that the target names."""

    q: float = attr(doc="exponent", spec=0.5, above=0)


@described(LOSSES)
class Dice(Loss):
    """1 minus twice the overlap over the sizes."""

    axis: int | tuple[int, ...] | None = attr(doc="axes of the sums; null: all", spec=None)
    epsilon: float = attr(doc="added to the divisor", spec=1e-7, minimum=0)


@described(LOSSES)
class Tversky(Loss):
    """1 minus the overlap over it, misses and false alarms."""

    alpha: float = attr(doc="weight of misses", spec=0.5)
    beta: float = attr(doc="weight of false alarms", spec=0.5)
    axis: int | tuple[int, ...] | None = attr(doc="axes of the sums; null: all", spec=None)
    epsilon: float = attr(doc="added to the divisor", spec=1e-7, minimum=0)


@described(LOSSES)
class CTC(Loss):
    """Connectionist temporal classification of logits; class 0 is the blank."""


@described(LOSSES)
class Circle(Loss):
    """Circle loss of normalised embeddings; samples without a loss do not count."""

    gamma: float = attr(doc="scale of similarities", spec=80.0)
    margin: float = attr(doc="relaxation", spec=0.4)
    remove_diagonal: bool = attr(doc="a sample is no pair with itself", spec=True)
