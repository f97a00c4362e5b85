"""Discrete Fourier transforms of pairs of real arrays."""

from __future__ import annotations

from typing import Any

import chainer

from kchainer.functions.math import floating, spread


class _Fourier(chainer.FunctionNode):
    """A part of the transform; since its matrix is symmetric, so is what its gradient needs."""

    def __init__(self, part: str, axes: int, inverse: bool) -> None:
        super().__init__()
        self.part, self.axes, self.inverse = part, axes, inverse

    def forward(self, inputs: Any) -> Any:
        xp = chainer.backend.get_array_module(*inputs)
        made = self._transform(xp, inputs[0] + 1j * inputs[1])
        return ((made.real if self.part == "real" else made.imag).astype(inputs[0].dtype),)

    def _transform(self, xp: Any, z: Any) -> Any:
        return getattr(xp.fft, "ifftn" if self.inverse else "fftn")(z, axes=tuple(range(-self.axes, 0)))

    def backward(self, indexes: Any, gys: Any) -> Any:
        (g,) = gys
        nothing = chainer.as_variable(g.xp.zeros_like(g.array))
        real, imaginary = (
            _Fourier(part, self.axes, self.inverse).apply((g, nothing))[0] for part in ("real", "imaginary")
        )
        return (real, -imaginary) if self.part == "real" else (imaginary, real)


def fourier(
    real: Any, imaginary: Any = None, *, part: str, axes: int = 1, inverse: bool = False
) -> chainer.Variable:
    """The real or imaginary part of a transform of the last axes. Source: keras.ops.fft, ifft2, rfft."""
    real = floating(real)
    if imaginary is None:
        imaginary = chainer.as_variable(real.xp.zeros_like(real.array))
    return _Fourier(part, axes, inverse).apply(tuple(spread(real, floating(imaginary))))[0]
