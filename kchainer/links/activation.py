"""Activations with learned numbers; their parameters broadcast against a sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import chainer

from kchainer.functions import activation as KF
from kchainer.links.parameters import parameter


class PReLU(chainer.Link):
    """x where positive, W x elsewhere. Source: keras.layers.PReLU."""

    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__()
        with self.init_scope():
            self.W = parameter(shape)

    def forward(self, x: Any) -> chainer.Variable:
        """Shape and dtype of ``x``."""
        return KF.prelu(x, self.W)


class SReLU(chainer.Link):
    """S-shaped: see ``kchainer.functions.srelu``. Source: keras.layers.SReLU of Keras 1."""

    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__()
        with self.init_scope():
            self.t_left, self.a_left = parameter(shape), parameter(shape)
            self.t_right, self.a_right = parameter(shape), parameter(shape)

    def forward(self, x: Any) -> chainer.Variable:
        """Shape and dtype of ``x``."""
        return KF.srelu(x, self.t_left, self.a_left, self.t_right, self.a_right)


class ParametricSoftplus(chainer.Link):
    """alpha softplus(beta x). Source: keras.layers.ParametricSoftplus of Keras 0.3 and 1."""

    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__()
        with self.init_scope():
            self.alpha, self.beta = parameter(shape), parameter(shape)

    def forward(self, x: Any) -> chainer.Variable:
        """Shape and dtype of ``x``."""
        return KF.parametric_softplus(x, self.alpha, self.beta)
