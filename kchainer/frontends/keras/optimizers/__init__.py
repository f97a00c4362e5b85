"""Optimizers and schedules of every Keras: their configs as ``ir.optimizers``."""

from __future__ import annotations

from kchainer.frontends.keras.optimizers.read import optimizer_of, owners_of
from kchainer.frontends.keras.optimizers.tables import OPTIMIZERS, SCHEDULES

__all__ = ["OPTIMIZERS", "SCHEDULES", "optimizer_of", "owners_of"]
