"""Links that compute with eight bits."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import chainer
import chainer.functions as F

from kchainer.functions.quantized import (
    BFLOAT16,
    E4M3,
    E5M2,
    Format,
    gradient_through,
    rounded,
    scaled_rounded,
    straight_through,
)


@contextlib.contextmanager
def standing_in(link: chainer.Link, **values: Any) -> Iterator[chainer.Link]:
    """The link with other values in place of its parameters, which it keeps."""
    kept = {name: link.__dict__[name] for name in values}
    link.__dict__.update(values)
    try:
        yield link
    finally:
        link.__dict__.update(kept)


class Float8(chainer.Chain):
    """A link of one matrix that rounds it and its inputs to eight bits (e4m3), and the product's gradient to e5m2.

    Parameters: those of ``layer``. Persistent: inputs_scale, kernel_scale, outputs_grad_scale, and of each the
    largest magnitudes of the last steps, inputs_amax_history and so on; training moves them on.
    Source: keras.layers.Dense after ``quantize("float8")``.

    Args:
        layer: the link.
        kernel: the name of its matrix.
        bias: the name of its bias, which is added rounded to bfloat16.
        history: steps that a scale looks back.
    """

    def __init__(
        self, layer: chainer.Link, kernel: str, bias: str | None = None, history: int = 1024
    ) -> None:
        super().__init__()
        self.kernel, self.bias_name = kernel, bias
        with self.init_scope():
            self.layer = layer
        for name in ("inputs", "kernel", "outputs_grad"):
            self.add_persistent(f"{name}_scale", self.xp.ones((), "float32"))
            self.add_persistent(f"{name}_amax_history", self.xp.zeros(history, "float32"))

    def forward(self, x: Any) -> chainer.Variable:
        """As the layer's."""
        kernel = getattr(self.layer, self.kernel)
        bias = None if self.bias_name is None else getattr(self.layer, self.bias_name)
        x = straight_through(x, lambda x: self._rounded("inputs", x, E4M3))
        kernel = straight_through(kernel, lambda k: self._rounded("kernel", k, E4M3))
        absent = {} if self.bias_name is None else {self.bias_name: None}
        with standing_in(self.layer, **{self.kernel: kernel}, **absent) as layer:
            product = layer(x)
        product = gradient_through(product, lambda g: self._rounded("outputs_grad", g, E5M2))
        return product if bias is None else self._with_bias(product, bias)

    def _with_bias(self, y: Any, bias: Any) -> chainer.Variable:
        if bias.dtype == "float32":
            bias = gradient_through(bias, lambda g: rounded(g, BFLOAT16))  # its cast rounds on both ways
            bias = straight_through(bias, lambda b: rounded(b, BFLOAT16))
        axis = getattr(self.layer, "axis", -1) % y.ndim
        if bias.ndim == 1 and axis != y.ndim - 1:
            bias = F.reshape(bias, (-1, *(1,) * (y.ndim - 1 - axis)))
        return y + F.broadcast_to(bias, y.shape)

    def _rounded(self, name: str, x: Any, format: Format) -> Any:
        """Rounded by the scale as it stands; in training scale and history then move on."""
        scale, history = getattr(self, f"{name}_scale"), getattr(self, f"{name}_amax_history")
        out = scaled_rounded(x, scale, format)
        if chainer.config.train:
            most = history.max()
            new = self.xp.where(self.xp.isfinite(most) & (most > 0), most / format[2], scale)
            scale[...] = new
            history[...] = self.xp.roll(history, -1)
            history[0] = abs(x).max()
        return out
