"""Numbers that a network holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import chainer
import numpy as np


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
