"""Activation functions."""

from __future__ import annotations

from typing import ClassVar, Literal

from kchainer.ir.op import Layout, Op, Param, SameShape, Shape, ShapeError, attr, axes_of, known, op, show


@op
class Activation(SameShape):
    """A function of each value that has no numbers of its own.

    Input   x  any shape; float.
    Output  y  shape of ``x``.
    Source  keras.activations.
    """

    function: Literal[
        "tanh", "sigmoid", "softplus", "softsign", "exponential", "selu", "silu", "hard_silu", "mish",
        "log_sigmoid", "hard_tanh", "tanh_shrink", "sparse_plus", "sparse_sigmoid", "absolute", "square", "sqrt",
    ] = attr(doc="name of the function")  # fmt: skip


@op
class Relu(SameShape):
    """max_value where x >= max_value; x where x >= threshold; else negative_slope * (x - threshold).

    Input   x  any shape; float.
    Source  keras.layers.ReLU, LeakyReLU.
    """

    max_value: float | None = attr(doc="upper bound", spec=None, minimum=0)
    negative_slope: float = attr(doc="slope below the threshold", spec=0.0)
    threshold: float = attr(doc="where the identity begins", spec=0.0)


@op
class Elu(SameShape):
    """x where x > 0, else alpha * (exp(x) - 1).

    Input   x  any shape; float.
    Source  keras.layers.ELU; Clevert et al. 2015, arXiv:1511.07289.
    """

    alpha: float = attr(doc="value at minus infinity, negated", spec=1.0)


@op
class Celu(SameShape):
    """max(0, x) + min(0, alpha * (exp(x / alpha) - 1)).

    Input   x  any shape; float.
    Source  keras.activations.celu; Barron 2017, arXiv:1704.07483.
    """

    alpha: float = attr(doc="scale of the negative part", spec=1.0)


@op
class Gelu(SameShape):
    """x * P(X <= x) for a normal X.

    Input   x  any shape; float.
    Source  keras.activations.gelu; Hendrycks & Gimpel 2016, arXiv:1606.08415.
    """

    approximate: bool = attr(doc="by tanh", spec=False)


@op
class HardSigmoid(SameShape):
    """clip(slope * x + 0.5, 0, 1).

    Input   x  any shape; float.
    Source  keras.activations.hard_sigmoid: slope 0.2 before Keras 3, 1/6 since.
    """

    slope: float = attr(doc="slope at 0")


@op
class Squareplus(SameShape):
    """(x + sqrt(x^2 + b)) / 2.

    Input   x  any shape; float.
    Source  keras.activations.squareplus; Barron 2021, arXiv:2112.11687.
    """

    b: float = attr(doc="roundness", spec=4.0, minimum=0)


@op
class Shrink(SameShape):
    """Values nearer to 0 than ``threshold`` become 0; soft: the others move by it.

    Input   x  any shape; float.
    Source  keras.activations.hard_shrink, soft_shrink.
    """

    function: Literal["hard", "soft"] = attr(doc="whether the others move")
    threshold: float = attr(doc="half the width of what becomes 0", spec=0.5, minimum=0)


@op
class Threshold(SameShape):
    """x where x > threshold, else ``value``.

    Input   x  any shape; float.
    Source  keras.activations.threshold; keras.layers.ThresholdedReLU before Keras 3.
    """

    threshold: float = attr(doc="bound")
    value: float = attr(doc="what stands below it", spec=0.0)


@op
class Softmax(Op):
    """exp(x) / sum exp(x) over ``axes``.

    Input   x  rank 2 or more; float.
    Raises  ShapeError: an axis that is none of ``x``.
    Source  keras.layers.Softmax, keras.activations.softmax, sparsemax.
    """

    layout: ClassVar[Layout] = "axes"
    axes: tuple[int, ...] = attr(doc="counted from the front", minimum=0)
    sparse: bool = attr(doc="sparsemax: the projection on the simplex", spec=False)

    def infer(self, x: Shape) -> Shape:
        axes_of(x, *self.axes)
        return x


@op
class LogSoftmax(Op):
    """x - log sum exp(x) over ``axes``.

    Input   x  rank 2 or more; float.
    Raises  ShapeError: an axis that is none of ``x``.
    Source  keras.activations.log_softmax.
    """

    layout: ClassVar[Layout] = "axes"
    axes: tuple[int, ...] = attr(doc="counted from the front", minimum=0)

    def infer(self, x: Shape) -> Shape:
        axes_of(x, *self.axes)
        return x


@op
class Glu(Op):
    """The first half along ``axis`` times the sigmoid of the second.

    Input   x  an even size along ``axis``.
    Raises  ShapeError: an axis that is none of ``x``, an odd size.
    Source  keras.activations.glu.
    """

    layout: ClassVar[Layout] = "axes"
    axis: int = attr(doc="counted from the front", minimum=1)

    def infer(self, x: Shape) -> Shape:
        axes_of(x, self.axis)
        size = known(x[self.axis], "values")
        if size % 2:
            raise ShapeError(f"axis {self.axis} of {show(x)} is odd")
        return (*x[: self.axis], size // 2, *x[self.axis + 1 :])


def _one_of(x: Shape, shared_axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(1 if i in shared_axes else known(d, "values") for i, d in enumerate(x) if i)


@op
class PRelu(Op):
    """max(0, x) + alpha * min(0, x) with a learned alpha.

    Input   x  any shape; float.
    Params  alpha: shape of a sample, 1 along ``shared_axes``.
    Raises  ShapeError: unknown sizes on axes that are not shared.
    Source  keras.layers.PReLU; He et al. 2015, arXiv:1502.01852.
    """

    layout: ClassVar[Layout] = "axes"
    shared_axes: tuple[int, ...] = attr(doc="axes with one alpha, counted with the batch", spec=(), minimum=1)

    def params(self, x: Shape) -> tuple[Param, ...]:
        shape = _one_of(x, self.shared_axes)
        return (Param("alpha", shape, "ABCDEFGH"[: len(shape)]),)

    def infer(self, x: Shape) -> Shape:
        return x


@op
class SRelu(Op):
    """t_left + relu(x - t_left, slope a_left, at most t_right - t_left) + a_right * relu(x - t_right).

    The right threshold is t_left + |t_right|.

    Params  t_left, a_left, t_right, a_right: shape of a sample, 1 along ``shared_axes``.
    Source  keras.layers.SReLU of Keras 1; Jin et al. 2015, arXiv:1512.07030.
    """

    layout: ClassVar[Layout] = "axes"
    shared_axes: tuple[int, ...] = attr(doc="axes with one value, counted with the batch", spec=(), minimum=1)

    def params(self, x: Shape) -> tuple[Param, ...]:
        shape = _one_of(x, self.shared_axes)
        names = ("t_left", "a_left", "t_right", "a_right")
        return tuple(Param(n, shape, "ABCDEFGH"[: len(shape)]) for n in names)

    def infer(self, x: Shape) -> Shape:
        return x


@op
class ParametricSoftplus(Op):
    """alpha * log(1 + exp(beta * x)) with learned alpha and beta.

    Params  alphas, betas: shape of a sample, 1 along ``shared_axes``.
    Source  keras.layers.ParametricSoftplus of Keras 0.3 and 1.
    """

    layout: ClassVar[Layout] = "axes"
    shared_axes: tuple[int, ...] = attr(doc="axes with one value, counted with the batch", spec=(), minimum=1)

    def params(self, x: Shape) -> tuple[Param, ...]:
        shape = _one_of(x, self.shared_axes)
        return tuple(Param(n, shape, "ABCDEFGH"[: len(shape)]) for n in ("alphas", "betas"))

    def infer(self, x: Shape) -> Shape:
        return x
