"""Ops that do something in training only."""

from __future__ import annotations

from typing import ClassVar

from kchainer.ir.op import Layout, SameShape, attr, op
from kchainer.ir.ops.spatial import DataFormat


@op
class Dropout(SameShape):
    """Zero a share of the values in training and scale the others by 1 / (1 - rate).

    Input   x  any shape; float.
    Output  y  shape of ``x``.
    Source  keras.layers.Dropout; Srivastava et al. 2014.
    """

    layout: ClassVar[Layout] = "axes"
    rate: float = attr(doc="share that is dropped", minimum=0, below=1)
    noise_shape: tuple[int | None, ...] | None = attr(
        doc="1: one draw for the whole axis", spec=None, minimum=1
    )


@op
class SpatialDropout(SameShape):
    """Dropout of whole channels.

    Input   x  (N, spatial, C) or (N, C, spatial).
    Output  y  shape of ``x``.
    Source  keras.layers.SpatialDropout1D, 2D, 3D.
    """

    layout: ClassVar[Layout] = "spatial"
    rate: float = attr(doc="share that is dropped", minimum=0, below=1)
    data_format: DataFormat = attr(doc="where the channels stand", spec="channels_last")


@op
class GaussianNoise(SameShape):
    """Add normal noise in training.

    Input   x  any shape; float.
    Source  keras.layers.GaussianNoise.
    """

    stddev: float = attr(doc="standard deviation", minimum=0)


@op
class GaussianDropout(SameShape):
    """Multiply by normal noise of mean 1 and deviation sqrt(rate / (1 - rate)) in training.

    Input   x  any shape; float.
    Source  keras.layers.GaussianDropout.
    """

    rate: float = attr(doc="share that a Dropout would drop", minimum=0, below=1)


@op
class AlphaDropout(SameShape):
    """Dropout that keeps the mean and variance of selu's outputs.

    Input   x  any shape; float.
    Source  keras.layers.AlphaDropout; Klambauer et al. 2017, arXiv:1706.02515.
    """

    layout: ClassVar[Layout] = "axes"
    rate: float = attr(doc="share that is dropped", minimum=0, below=1)
    noise_shape: tuple[int | None, ...] | None = attr(
        doc="1: one draw for the whole axis", spec=None, minimum=1
    )


@op
class ActivityRegularization(SameShape):
    """Hands its input on; its loss term l1 * sum|x| + l2 * sum x^2 belongs to training.

    Input   x  any shape; float.
    Source  keras.layers.ActivityRegularization.
    """

    penalises: ClassVar[bool] = True
    l1: float = attr(doc="factor of the absolute values", spec=0.0, minimum=0)
    l2: float = attr(doc="factor of the squares", spec=0.0, minimum=0)
    per_sample: bool = attr(doc="divide by the batch size (since tf.keras)", spec=True)
