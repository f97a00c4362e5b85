"""Learning-rate schedules against Keras, at many steps."""

from __future__ import annotations

import itertools

import keras
import pytest

from kchainer import optimizers

CASES = [
    *(("ExponentialDecay", (0.1, n, r, s)) for n, r, s in itertools.product((1, 7), (0.5, 1.01), (False, True))),
    *(("InverseTimeDecay", (0.1, n, r, s)) for n, r, s in itertools.product((1, 7), (0.5, 2.0), (False, True))),
    ("PiecewiseConstantDecay", ([3, 10, 11], [1.0, 0.5, 0.25, 0.1])),
    ("PiecewiseConstantDecay", ([5], [0.1, 0.01])),
    *(("PolynomialDecay", (0.1, n, 0.01, p, c)) for n, p, c in itertools.product((4, 50), (1.0, 2.0, 0.5), (False, True))),
    ("CosineDecay", (0.1, 30)),
    ("CosineDecay", (0.1, 30, 0.2)),
    ("CosineDecay", (0.01, 30, 0.1, "c", 0.2, 10)),
    ("CosineDecay", (0.0, 7, 0.0, "c", 0.2, 3)),
    ("CosineDecayRestarts", (0.1, 10)),
    ("CosineDecayRestarts", (0.1, 7, 1.5, 0.8, 0.1)),
    ("CosineDecayRestarts", (0.1, 5, 1.0, 0.9, 0.1)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments"), CASES, ids=[f"{n}-{i}" for i, (n, _) in enumerate(CASES)])
def test_schedule_agrees_with_keras(name, arguments):
    theirs = getattr(keras.optimizers.schedules, name)(*arguments)
    ours = getattr(optimizers, name)(*(a for a in arguments if a != "c"))
    for step in (*range(130), 200, 500, 1000, 4000):
        # Keras computes in float32, whose steps at 1000 decay periods are 6e-5 of one
        assert ours(step) == pytest.approx(float(theirs(step)), rel=1e-4 if step > 130 else 1e-5, abs=1e-7)


def test_schedules_refuse_what_has_no_meaning():
    with pytest.raises(ValueError, match="above 0"):
        optimizers.ExponentialDecay(0.1, 0, 0.5)
    with pytest.raises(ValueError, match="one value more"):
        optimizers.PiecewiseConstantDecay((1,), (1.0,))
    with pytest.raises(ValueError, match="1 or more"):
        optimizers.CosineDecayRestarts(0.1, 5, t_mul=0.5)
