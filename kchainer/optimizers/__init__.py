"""Optimizers with Keras's rules, as Chainer optimizers: ``setup``, ``update``, hooks, serializers, Trainer."""

from __future__ import annotations

from kchainer.optimizers.averaged import ScheduleFreeAdamW
from kchainer.optimizers.base import Optimizer, Options, Rule
from kchainer.optimizers.constraints import (
    Constrain,
    Constraint,
    MaxNorm,
    MinMaxNorm,
    NonNeg,
    Radial,
    UnitNorm,
)
from kchainer.optimizers.eve import Eve
from kchainer.optimizers.loss_scale import LossScale
from kchainer.optimizers.matrices import Adafactor, Muon
from kchainer.optimizers.moments import Adam, Adamax, AdamW, Lamb, Nadam
from kchainer.optimizers.momentum import SGD, Lion
from kchainer.optimizers.scaled import Adadelta, Adagrad, Ftrl, RMSprop
from kchainer.optimizers.schedules import (
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    InverseTimeDecay,
    LinearCosineDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
    Schedule,
    ScheduleRate,
)
from kchainer.optimizers.several import Several
from kchainer.optimizers.views import View

__all__ = [
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Constrain",
    "Constraint",
    "CosineDecay",
    "CosineDecayRestarts",
    "Eve",
    "ExponentialDecay",
    "Ftrl",
    "InverseTimeDecay",
    "Lamb",
    "LinearCosineDecay",
    "Lion",
    "LossScale",
    "MaxNorm",
    "MinMaxNorm",
    "Muon",
    "Nadam",
    "NonNeg",
    "Optimizer",
    "Options",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "RMSprop",
    "Radial",
    "Rule",
    "Schedule",
    "ScheduleFreeAdamW",
    "ScheduleRate",
    "Several",
    "UnitNorm",
    "View",
]
