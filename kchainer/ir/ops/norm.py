"""Normalisation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from kchainer.ir.op import Layout, Op, Param, Shape, ShapeError, attr, axes_of, known, op, show


def _size(x: Shape, axis: int) -> int:
    if axis >= len(x):
        raise ShapeError(f"axis {axis} is not an axis of {show(x)}")
    return known(x[axis], f"values along axis {axis}")


@op
class BatchNormalization(Op):
    """Normalise by batch statistics in training, by running ones in inference.

    Input   x  any rank; float.
    Output  y  shape and dtype of ``x``.
    Params  gamma, beta (C,); moving_mean, moving_variance (C,), not trainable.
    Update  moving = momentum * moving + (1 - momentum) * batch; the batch variance is first increased by
            ``offset``, then scaled by n / (n - c) for each c of ``corrections``, n being the values per channel.
            ``zero_debias``: a sum s of its own, 0 at first, takes moving's place there, and after the t-th update
            moving = s / (1 - momentum^t): what a file gives counts until the first update only.
    Raises  ShapeError: ``axis`` is not an axis of ``x``.
    Source  keras.layers.BatchNormalization; Ioffe & Szegedy 2015, arXiv:1502.03167.
    """

    layout: ClassVar[Layout] = "axes"
    updates: ClassVar[bool] = True
    axis: int = attr(doc="channel axis, counted from the front", minimum=1)
    momentum: float = attr(doc="weight of the old running value", spec=0.99, minimum=0, below=1)
    epsilon: float = attr(doc="added to the variance", spec=1e-3, minimum=0)
    corrections: tuple[float, ...] = attr(doc="of the running variance, see Update", spec=(), minimum=0)
    scale: bool = attr(doc="learn gamma", spec=True)
    center: bool = attr(doc="learn beta", spec=True)
    mode: Literal["batch", "always_batch", "sample"] = attr(
        doc="batch: running statistics at inference; always_batch: the batch's, also then; "
        "sample: each position by itself, over ``axis`` (Keras 1's modes 0, 2 and 1)",
        spec="batch",
    )
    offset: float = attr(doc="added to the batch's variance, see Update", spec=0.0, minimum=0)
    zero_debias: bool = attr(doc="of both running statistics, see Update", spec=False)
    statistic: Literal["variance", "deviation"] = attr(
        doc="deviation: moving_variance holds a deviation s, x is divided by s + epsilon, in training by "
        "s = sqrt(variance + epsilon), plus epsilon (Keras 0.3); in mode sample by s = sqrt(variance), plus epsilon",
        spec="variance",
    )
    frozen: Literal["running", "batch", "batch_updating"] = attr(
        doc="what a layer that is not trainable does in training: use running statistics (tf.keras, Keras 3), or the "
        "batch's (Keras 0.3 to 2.3), and then perhaps update the running ones (Keras 1.0 to 2.1.2)",
        spec="running",
    )

    def params(self, x: Shape) -> tuple[Param, ...]:
        shape = (_size(x, self.axis),)
        learned = [name for name, on in (("gamma", self.scale), ("beta", self.center)) if on]
        running = [Param(name, shape, "C", trainable=False) for name in ("moving_mean", "moving_variance")]
        return (*(Param(name, shape, "C") for name in learned), *running)

    def infer(self, x: Shape) -> Shape:
        _size(x, self.axis)
        return x


@op
class LayerNormalization(Op):
    """Normalise each sample over ``axes``.

    Input   x  any rank; float.
    Output  y  shape of ``x``.
    Params  gamma where ``scale``, beta where ``center``: the sizes of ``axes``.
    Raises  ShapeError: an axis that is none of ``x`` or has no known size.
    Source  keras.layers.LayerNormalization; Ba et al. 2016, arXiv:1607.06450.
    """

    layout: ClassVar[Layout] = "axes"
    axes: tuple[int, ...] = attr(doc="counted from the front", minimum=1)
    epsilon: float = attr(doc="added to the variance", spec=1e-3, minimum=0)
    scale: bool = attr(doc="learn gamma", spec=True)
    center: bool = attr(doc="learn beta", spec=True)
    rms_scaling: bool = attr(doc="divide by the deviation without taking the mean off", spec=False)

    def params(self, x: Shape) -> tuple[Param, ...]:
        shape = tuple(_size(x, a) for a in self.axes)
        letters = "ABCDEFGH"[: len(shape)]
        return tuple(
            Param(n, shape, letters) for n, on in (("gamma", self.scale), ("beta", self.center)) if on
        )

    def infer(self, x: Shape) -> Shape:
        if not self.axes:
            raise ShapeError("no axis to normalise over")
        axes_of(x, *self.axes)
        return x


@op
class RMSNormalization(Op):
    """Divide by the root mean square over ``axes``.

    Input   x  any rank; float.
    Params  scale: the sizes of ``axes``.
    Raises  ShapeError: an axis that is none of ``x`` or has no known size.
    Source  keras.layers.RMSNormalization; Zhang & Sennrich 2019, arXiv:1910.07467.
    """

    layout: ClassVar[Layout] = "axes"
    axes: tuple[int, ...] = attr(doc="counted from the front", minimum=1)
    epsilon: float = attr(doc="added to the mean square", spec=1e-6, minimum=0)

    def params(self, x: Shape) -> tuple[Param, ...]:
        shape = tuple(_size(x, a) for a in self.axes)
        return (Param("scale", shape, "ABCDEFGH"[: len(shape)]),)

    def infer(self, x: Shape) -> Shape:
        return x


@op
class GroupNormalization(Op):
    """Normalise each group of channels of each sample.

    Input   x  any rank; float.
    Params  gamma where ``scale``, beta where ``center``: (C,).
    Raises  ShapeError: channels that do not divide into the groups.
    Source  keras.layers.GroupNormalization; Wu & He 2018, arXiv:1803.08494.
    """

    layout: ClassVar[Layout] = "axes"
    groups: int = attr(doc="number of groups", spec=32, minimum=1)
    axis: int = attr(doc="channel axis, counted from the front", minimum=1)
    epsilon: float = attr(doc="added to the variance", spec=1e-3, minimum=0)
    scale: bool = attr(doc="learn gamma", spec=True)
    center: bool = attr(doc="learn beta", spec=True)

    def params(self, x: Shape) -> tuple[Param, ...]:
        shape = (_size(x, self.axis),)
        return tuple(Param(n, shape, "C") for n, on in (("gamma", self.scale), ("beta", self.center)) if on)

    def infer(self, x: Shape) -> Shape:
        channels = _size(x, self.axis)
        if channels % self.groups:
            raise ShapeError(f"{channels} channels do not divide into {self.groups} groups")
        return x


@op
class UnitNormalization(Op):
    """Divide by the length along ``axes``.

    Input   x  any rank; float.
    Raises  ShapeError: an axis that is none of ``x``.
    Source  keras.layers.UnitNormalization.
    """

    layout: ClassVar[Layout] = "axes"
    axes: tuple[int, ...] = attr(doc="counted from the front", minimum=0)
    floor: Literal["norm", "square"] = attr(
        doc="1e-12 is the least length (Keras 3) or the least square of it (tf.keras)", spec="norm"
    )

    def infer(self, x: Shape) -> Shape:
        axes_of(x, *self.axes)
        return x


@op
class LayerScale(Op):
    """Multiply the last axis by a learned vector.

    Input   x  any rank; float.
    Params  gamma (C,).
    Source  keras.applications.convnext LayerScale; Touvron et al. 2021, arXiv:2103.17239.
    """

    layout: ClassVar[Layout] = "axes"
    axis: int = attr(doc="counted from the front", minimum=1)

    def params(self, x: Shape) -> tuple[Param, ...]:
        return (Param("gamma", (_size(x, self.axis),), "C"),)

    def infer(self, x: Shape) -> Shape:
        return x


@op
class Normalization(Op):
    """(x - mean) / max(sqrt(variance), 1e-7) by constants, or its inverse.

    Input   x  any rank; float.
    Params  mean, variance over ``axes`` where they are not given as numbers: not trainable.
    Source  keras.layers.Normalization.
    """

    layout: ClassVar[Layout] = "axes"
    axes: tuple[int, ...] = attr(doc="counted from the front; empty: one number for all", minimum=0)
    mean: tuple[float, ...] | None = attr(doc="by channel; null: a param", spec=None)
    variance: tuple[float, ...] | None = attr(doc="by channel; null: a param", spec=None)
    invert: bool = attr(doc="x * sqrt(variance) + mean", spec=False)

    def check(self) -> Iterator[str]:
        if (self.mean is None) != (self.variance is None):
            yield "mean and variance are given both or not at all"

    def params(self, x: Shape) -> tuple[Param, ...]:
        if self.mean is not None:
            return ()
        shape = tuple(_size(x, a) for a in self.axes)
        letters = "ABCDEFGH"[: len(shape)]
        return tuple(Param(name, shape, letters, trainable=False) for name in ("mean", "variance"))

    def infer(self, x: Shape) -> Shape:
        axes_of(x, *self.axes)
        return x
