"""What only old releases have of training, against what they recorded; every schedule as a Chainer extension."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import chainer
import chainer.functions as F
import keras
import numpy as np
import pytest

import kchainer
from kchainer import optimizers
from kchainer.api import to_optimizer
from kchainer.backends.chainer.objectives import optimizer_of
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.optimizers import SCHEDULES, owners_of
from kchainer.functions.penalties import eigenvalue_penalty
from kchainer.training.penalties import penalties_of

FIXTURES = Path(__file__).parent.parent / "fixtures" / "old-training"
RECORDED = json.loads((FIXTURES / "schedules.json").read_text())
TF = Dialect((2, 15), "tf_keras")
RADIAL = np.load(FIXTURES / "radial.npz")
EIGENVALUE = np.load(FIXTURES / "eigenvalue.npz")


@pytest.mark.parametrize("case", RECORDED["schedules"], ids=["plain", "periods", "below"])
def test_linear_cosine_decay_has_the_recorded_rates(case: dict[str, Any]) -> None:
    owners, faults = owners_of(case["optimizer"], TF)
    assert not faults
    schedule = optimizer_of(owners[0].optimizer).hyperparam.learning_rate
    assert isinstance(schedule, optimizers.LinearCosineDecay)
    largest = max(map(abs, case["rates"]))
    rates = [schedule(step) for step in RECORDED["steps"]]
    # where the cosine cancels, float32 keeps 1e-7 of the largest rate
    np.testing.assert_allclose(rates, case["rates"], rtol=1e-5, atol=1e-7 * largest)


def test_random_rates_are_refused_with_a_reason() -> None:
    rate = {
        "class_name": "NoisyLinearCosineDecay",
        "config": {"initial_learning_rate": 0.1, "decay_steps": 9},
    }
    owners, faults = owners_of({"class_name": "SGD", "config": {"learning_rate": rate}}, TF)
    assert not owners
    (fault,) = faults
    assert fault.code == "KC204"
    assert "random" in (fault.hint or "")


ARGUMENTS: dict[str, dict[str, Any]] = {
    "CosineDecay": {"initial_learning_rate": 0.1, "decay_steps": 8, "warmup_target": 0.2, "warmup_steps": 3},
    "CosineDecayRestarts": {"initial_learning_rate": 0.1, "first_decay_steps": 3},
    "ExponentialDecay": {"initial_learning_rate": 0.1, "decay_steps": 3, "decay_rate": 0.5},
    "InverseTimeDecay": {"initial_learning_rate": 0.1, "decay_steps": 3, "decay_rate": 0.5},
    "LinearCosineDecay": RECORDED["schedules"][1]["optimizer"]["config"]["learning_rate"]["config"],
    "PiecewiseConstantDecay": {"boundaries": [2, 5], "values": [0.3, 0.2, 0.1]},
    "PolynomialDecay": {"initial_learning_rate": 0.1, "decay_steps": 8, "power": 2.0},
}


def test_all_schedules_of_keras_are_tried_here() -> None:
    schedules = keras.optimizers.schedules
    theirs = {n for n in dir(schedules) if isinstance(getattr(schedules, n), type)} - {"LearningRateSchedule"}
    assert {*ARGUMENTS} == {*SCHEDULES} == theirs | {"LinearCosineDecay"}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_each_schedule_is_an_extension_for_chainer_s_own_optimizers(name: str) -> None:
    link = chainer.Link()
    with link.init_scope():
        link.W = chainer.Parameter(np.zeros(1, np.float32))
    theirs = chainer.optimizers.SGD().setup(link)
    link.__dict__["rates"] = []

    def loss(x: Any) -> Any:
        link.rates.append(theirs.lr)
        return F.sum(link.W * x)

    iterator = chainer.iterators.SerialIterator(np.ones((4, 1), np.float32), 2)
    updater = chainer.training.StandardUpdater(iterator, theirs, loss_func=loss)
    trainer = chainer.training.Trainer(updater, (12, "iteration"))
    arguments = {k: v for k, v in ARGUMENTS[name].items() if k != "name"}
    trainer.extend(optimizers.ScheduleRate(getattr(optimizers, name)(**arguments)))
    trainer.run()
    if name == "LinearCosineDecay":
        wanted = RECORDED["schedules"][1]["rates"][:12]
    else:
        schedule = getattr(keras.optimizers.schedules, name)(**ARGUMENTS[name])
        wanted = [float(schedule(step)) for step in range(12)]
    np.testing.assert_allclose(link.rates, wanted, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("size", [2, 3, 4, 5, 7])
def test_radial_windows_are_those_of_tf_keras(size: int) -> None:
    np.testing.assert_array_equal(optimizers.Radial()(RADIAL[f"w{size}"]), RADIAL[f"r{size}"])


def test_radial_refuses_what_has_no_rings() -> None:
    for shape in ((3, 4, 1, 1), (1, 1, 2, 2), (3, 3)):
        with pytest.raises(ValueError, match="square window"):
            optimizers.Radial()(np.zeros(shape, np.float32))


def test_a_file_with_radial_kernels_trains_as_in_tf_keras() -> None:
    model = kchainer.read(FIXTURES / "radial.h5")
    net = kchainer.to_chainer(model)
    optimizer = to_optimizer(model, net)
    t = RADIAL["t"]
    for _ in range(3):
        net.cleargrads()
        with chainer.using_config("train", True):
            F.mean_squared_error(net(RADIAL["x"]), t).backward()
        optimizer.update()
    by_shape = {p.shape: p.array for p in net.params()}
    kernel = by_shape[3, 2, 3, 3].transpose(2, 3, 1, 0)
    np.testing.assert_allclose(kernel, RADIAL["after0"], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(by_shape[(2,)], RADIAL["after3"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("case", range(4))
def test_eigenvalue_penalty_and_gradient_are_those_of_keras_1(case: int) -> None:
    w = chainer.Variable(EIGENVALUE[f"w{case}"])
    penalty = eigenvalue_penalty(w, 0.3)
    penalty.backward()
    np.testing.assert_allclose(penalty.array, EIGENVALUE[f"value{case}"], rtol=1e-5)
    slope = EIGENVALUE[f"slope{case}"]
    np.testing.assert_allclose(w.grad, slope, rtol=1e-5, atol=1e-5 * abs(slope).max())


def of_keras_1(**regularizer: Any) -> Any:
    written = {"name": "EigenvalueRegularizer", **regularizer}
    config = {"name": "d", "batch_input_shape": [None, 5], "output_dim": 2, "W_regularizer": written}
    layers = [{"class_name": "Dense", "config": config}]
    model = kchainer.from_keras({"class_name": "Sequential", "config": layers, "keras_version": "1.2.2"})
    return kchainer.to_chainer(model)


def test_eigenvalue_penalty_of_a_layer_is_of_its_kernel_in_the_layout_of_keras() -> None:
    net = of_keras_1(k=0.3)
    for param in net.params():
        param.array[...] = EIGENVALUE["w1"].T if param.ndim == 2 else 0
    total = penalties_of(net, with_frozen=False).total({})
    np.testing.assert_allclose(total.array, EIGENVALUE["value1"], rtol=1e-5)


def test_a_weight_that_keras_1_did_not_write_refuses_training() -> None:
    with pytest.raises(kchainer.KchainerError, match="does not say the weight"):
        penalties_of(of_keras_1(), with_frozen=False)


def test_state_that_tf_keras_leaves_out_of_keras_files_is_told() -> None:
    (told,) = kchainer.read(FIXTURES / "legacy.keras").warnings
    assert told.code == "KC502"
    assert "older optimizers" in told.message
    whole = kchainer.read(FIXTURES / "legacy.h5")
    assert not whole.warnings
    assert whole.gathered is not None
    assert whole.gathered.steps == 1


def test_state_of_another_number_of_optimizers_is_told() -> None:
    model = kchainer.read(FIXTURES / "legacy.h5")
    assert model.training is not None
    (owner,) = model.training.optimizers
    two = (dataclasses.replace(owner, params=("dense.*/kernel",)), owner)
    other = dataclasses.replace(model, training=dataclasses.replace(model.training, optimizers=two))
    with pytest.warns(UserWarning, match=r"KC502.*of 1 optimizers, the training names 2"):
        optimizer = to_optimizer(other, kchainer.to_chainer(other))
    assert optimizer.t == 0
