"""Keras on PyTorch as the reference of training."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "torch"

import kchainer  # isort: skip  # noqa: F401  (before Chainer: it makes Chainer importable)
