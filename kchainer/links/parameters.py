"""Parameters of links: zeros or ones until weights are loaded, at no cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import chainer


def parameter(shape: Sequence[int], value: float = 0) -> chainer.Parameter:
    """A parameter of ``shape`` filled with ``value``, in ``chainer.config.dtype``."""
    return chainer.Parameter(chainer.initializers.Constant(value), tuple(shape))


def bias(size: int, nobias: bool) -> Any:
    """A bias of zeros, or None."""
    return None if nobias else parameter((size,))
