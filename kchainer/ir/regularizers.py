"""Penalties on params and outputs, added to the loss."""

from __future__ import annotations

from typing import Any, Literal

from kchainer.ir.definition import Setting, described
from kchainer.ir.op import attr

REGULARIZERS: dict[str, Any] = {}


class Regularizer(Setting):
    """Base of all regularizers."""

    __slots__ = ()


@described(REGULARIZERS)
class L1L2(Regularizer):
    """l1 * sum |w| + l2 * sum w^2. Source: keras.regularizers.L1L2."""

    l1: float = attr(doc="weight of the sum of absolute values", spec=0.0, minimum=0)
    l2: float = attr(doc="weight of the sum of squares, without the factor 1/2", spec=0.0, minimum=0)
    per_sample: bool = attr(doc="of an output: divided by the batch size (tf.keras and Keras 3)", spec=False)


@described(REGULARIZERS)
class Orthogonality(Regularizer):
    """factor * mean |cos| between all pairs of rows, or of columns, of a matrix.

    Source: keras.regularizers.OrthogonalRegularizer.
    """

    factor: float = attr(doc="weight", spec=0.01, minimum=0)
    mode: Literal["rows", "columns"] = attr(doc="of what the pairs are", spec="rows")

    def fits(self, shape: tuple[int, ...]) -> str | None:
        return None if len(shape) == 2 else f"{shape} is no matrix"


@described(REGULARIZERS)
class Eigenvalue(Regularizer):
    """k * the root of the largest eigenvalue of w^T w, found by nine steps of power iteration.

    Source: keras.regularizers.EigenvalueRegularizer of Keras 1.
    """

    k: float | None = attr(doc="weight; null: the file does not say, and it cannot be trained", minimum=0)

    def fits(self, shape: tuple[int, ...]) -> str | None:
        return None if len(shape) == 2 else f"{shape} is no matrix"
