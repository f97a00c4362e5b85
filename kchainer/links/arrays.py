"""Numbers that a network holds: some learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import chainer
import numpy as np

from kchainer.links.parameters import parameter


class Constant(chainer.Link):
    """Numbers that are saved with the network and never learn. Persistent: values.

    Source: arrays among the arguments of Keras's operation nodes.
    """

    def __init__(self, shape: Sequence[int], values: Sequence[float], dtype: str) -> None:
        super().__init__()
        kind = chainer.get_dtype() if dtype == "float" else np.dtype(dtype)
        self.add_persistent("values", self.xp.asarray(values, kind).reshape(tuple(shape)))

    def forward(self) -> Any:
        """The numbers."""
        return chainer.as_variable(self.values)


class Parameter(chainer.Link):
    """An array that learns. Parameters: value.

    Source: ``self.add_weight`` of layers that Keras does not define.
    """

    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__()
        with self.init_scope():
            self.value = parameter(shape, 0)

    def forward(self) -> chainer.Variable:
        """The array."""
        return chainer.as_variable(self.value)
