"""Inputs and dense layers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kchainer.ir.op import Layout, Op, Param, Shape, ShapeError, attr, known, op, show

DTYPES = (
    *(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)),
    "float16",
    "bfloat16",
    "float32",
    "float64",
    "bool",
    "string",
)


@op
class Input(Op):
    """A value that the caller gives.

    Output  y  ``shape``, batch included; null where a size is not known.
    Source  keras.layers.InputLayer.
    """

    shape: tuple[int | None, ...] = attr(doc="shape with the batch first; null: any size", minimum=0)
    dtype: str = attr(doc="NumPy name of the element type", spec="float32")

    def check(self) -> Iterator[str]:
        if not self.shape:
            yield "its shape has no batch axis"
        if self.dtype not in DTYPES:
            yield f"`{self.dtype}` is none of {', '.join(DTYPES)}"

    def infer(self) -> Shape:
        return self.shape


@op
class Identity(Op):
    """Hands its input on.

    Input   x  anything.
    Output  y  ``x``.
    Source  keras.layers.Identity; layers that do nothing at inference.
    """

    layout: ClassVar[Layout] = "any"

    def infer(self, x: Shape) -> Shape:
        return x


@op
class Dense(Op):
    """Multiply the last axis by a matrix.

    Input   x  (..., I) of rank 2 or more; float.
    Output  y  (..., units).
    Params  kernel (I, units); bias (units,) where ``use_bias``.
    Raises  ShapeError: rank below 2, or a last axis of unknown size.
    Source  keras.layers.Dense.
    """

    layout: ClassVar[Layout] = "axes"
    units: int = attr(doc="size of the output's last axis", minimum=1)
    use_bias: bool = attr(doc="add a bias", spec=True)

    def params(self, x: Shape) -> tuple[Param, ...]:
        if len(x) < 2:
            raise ShapeError(f"expected rank 2 or more, found {show(x)}")
        kernel = Param("kernel", (known(x[-1], "features"), self.units), "IO")
        return (kernel, Param("bias", (self.units,), "O")) if self.use_bias else (kernel,)

    def infer(self, x: Shape) -> Shape:
        return (*x[:-1], self.units)


@op
class EinsumDense(Op):
    """A dense layer whose product is an einsum equation.

    Input   x  as the equation's first operand; the first letter is the batch.
    Output  y  as the equation says.
    Params  kernel: the equation's second operand; bias over ``bias_axes`` where that is not null.
    Raises  ShapeError: sizes that disagree, or that nothing gives.
    Source  keras.layers.EinsumDense.
    """

    equation: str = attr(doc="einsum with two operands, ellipsis allowed")
    output_shape: tuple[int | None, ...] = attr(
        doc="output without the batch; null: as in the input", minimum=1
    )
    bias_axes: str | None = attr(doc="letters of the output that the bias has", spec=None)

    def _sizes(self, x: Shape) -> tuple[dict[str, int | None], str, str, int]:
        left, out = self.equation.replace(" ", "").split("->")
        first, second = left.split(",")
        dots = len(x) - len(first.replace("...", ""))
        if dots < 0 or (dots and "..." not in first):
            raise ShapeError(f"`{first}` does not fit {show(x)}")
        stand = "".join(chr(0x3B1 + i) for i in range(dots))  # Greek letters for the ellipsis
        first, out = first.replace("...", stand), out.replace("...", stand)
        sizes: dict[str, int | None] = dict(zip(first, x, strict=True))
        given = (x[0], *self.output_shape)
        tail = out[-len(given) :] if len(given) <= len(out) else out
        for letter, size in zip(reversed(tail), reversed(given), strict=False):
            if size is not None and sizes.setdefault(letter, size) not in (size, None):
                raise ShapeError(f"axis `{letter}` is {sizes[letter]} in the input and {size} in the output")
        return sizes, second, out, dots

    def params(self, x: Shape) -> tuple[Param, ...]:
        sizes, second, out, _ = self._sizes(x)
        kernel = Param("kernel", tuple(known(sizes.get(a), f"axis {a}") for a in second), second)
        if self.bias_axes is None:
            return (kernel,)
        start = min(out.index(a) for a in self.bias_axes)
        shape = tuple(known(sizes.get(a), f"axis {a}") if a in self.bias_axes else 1 for a in out[start:])
        return (kernel, Param("bias", shape, out[start:]))

    def infer(self, x: Shape) -> Shape:
        sizes, _, out, _ = self._sizes(x)
        return tuple(sizes.get(a) for a in out)


@op
class RandomFourierFeatures(Op):
    """Cosines of a matrix product: cos(x kernel / scale + bias).

    Input   x  (N, I); float.
    Output  y  (N, units).
    Params  kernel_scale (1,); unscaled_kernel (I, units), bias (units,), not trainable.
    Source  tf.keras.layers.experimental.RandomFourierFeatures; Rahimi and Recht 2007.
    """

    units: int = attr(doc="how many cosines", minimum=1)

    def params(self, x: Shape) -> tuple[Param, ...]:
        if len(x) != 2:
            raise ShapeError(f"expected rank 2, found {show(x)}")
        kernel = (known(x[1], "features"), self.units)
        return (
            Param("kernel_scale", (1,), "S"),
            Param("unscaled_kernel", kernel, "IO", trainable=False),
            Param("bias", (self.units,), "O", trainable=False),
        )

    def infer(self, x: Shape) -> Shape:
        return (x[0], self.units)
