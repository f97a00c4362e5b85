"""Training goes on where several optimizers, loss scales of tf.keras and Keras 1's gates stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras.src.optimizers.multi_optimizer import MultiOptimizer, OptimizerMap

import kchainer
from kchainer.backends.chainer.build import arrays_of

L, O = keras.layers, keras.optimizers  # noqa: E741  as short as L
FIXTURES = Path(__file__).parents[1] / "fixtures/continued"


def assert_close(got: Any, wanted: Any, start: Any) -> None:
    error = np.abs(got - wanted).max()
    assert error <= 1e-4 * np.abs(wanted).max(), error
    assert error <= max(2e-3 * np.abs(wanted - start).max(), 2e-7), error


SEVERAL = {
    "adam-rmsprop-sgd": lambda: (
        O.SGD(0.05),
        {".*a/.*": O.Adam(0.01), ".*c/kernel": O.RMSprop(0.005, momentum=0.5)},
    ),
    "two-adams": lambda: (O.Adam(0.002, amsgrad=True), {".*b/.*": O.Adam(0.01)}),
    "nadam-first": lambda: (O.SGD(0.05, momentum=0.9), {".*a/.*": O.Nadam(0.01), ".*b/.*": O.Adamax(0.01)}),
    "one-owns-none": lambda: (O.Adam(0.01), {"nothing": O.RMSprop(0.01)}),
    "averages": lambda: (O.SGD(0.05), {".*a/.*": O.Adam(0.01, use_ema=True), ".*b/.*": O.Lion(0.001)}),
}


def model_of(optimizer: Any) -> tuple[Any, Any, Any]:
    keras.utils.set_random_seed(4)
    rng = np.random.default_rng(4)
    dense = [
        L.Dense(5, activation="tanh", name="a"),
        L.Dense(4, activation="tanh", name="b"),
        L.Dense(2, name="c"),
    ]
    model = keras.Sequential([keras.Input((3,)), *dense], name="whole")
    model.compile(optimizer, "mse")
    return model, rng.normal(size=(8, 3)).astype("float32"), rng.normal(size=(8, 2)).astype("float32")


@pytest.mark.parametrize("name", SEVERAL)
def test_several_optimizers_go_on(name: str, tmp_path: Path) -> None:
    default, patterns = SEVERAL[name]()
    model, x, t = model_of(MultiOptimizer(OptimizerMap(default, patterns)))
    start = [np.array(w) for w in model.get_weights()]
    for _ in range(10):
        model.train_on_batch(x, t)
    model.save(tmp_path / "model.keras")
    net = kchainer.load(tmp_path / "model.keras")
    assert not net.model.warnings
    step = kchainer.training.from_compiled(net)
    assert step.optimizer.t == 10
    for _ in range(10):
        assert step(x, t) == pytest.approx(float(model.train_on_batch(x, t)), rel=1e-4)
    for got, wanted, w0 in zip(arrays_of(net).values(), model.get_weights(), start, strict=True):
        assert_close(got, wanted, w0)


def test_patterns_that_hold_before_a_model_is_saved_only_are_told(tmp_path: Path) -> None:
    model, x, t = model_of(MultiOptimizer(OptimizerMap(O.SGD(0.05), {"whole/a/.*": O.Adam(0.01)})))
    model.train_on_batch(x, t)
    model.save(tmp_path / "model.keras")
    (told,) = kchainer.read(tmp_path / "model.keras").warnings
    assert told.code == "KC502"
    assert '"whole/"' in told.message


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*-10.*")), ids=lambda p: p.name)
def test_recorded_training_goes_on(path: Path) -> None:
    """Ten steps there, ten here, against twenty there."""
    data = np.load(str(path).partition("-10.")[0] + ".npz")
    net = kchainer.load(path)
    assert not net.model.warnings
    step = kchainer.training.from_compiled(net)
    start = {k: v.copy() for k, v in arrays_of(net).items()}
    for row in data["losses"]:
        assert step(data["x"], data["t"]) == pytest.approx(float(row), rel=1e-4)
    after = arrays_of(kchainer.load(str(path).partition("-10.")[0] + "-20.h5"))
    assert set(after) == set(start)
    for name, got in arrays_of(net).items():
        assert_close(got, after[name], start[name])
