"""Losses and compiled settings of every Keras, as ``ir.training``."""

from __future__ import annotations

from kchainer.frontends.keras.losses.compiled import training_of
from kchainer.frontends.keras.losses.tables import LOSSES, loss_of

__all__ = ["LOSSES", "loss_of", "training_of"]
