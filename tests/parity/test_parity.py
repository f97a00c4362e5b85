"""Every test here runs over all cases: nobody writes them again for a layer."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from tests.parity import harness
from tests.parity.harness import Array, Case

FAMILIES = (
    "conv",
    "core",
    "pool",
    "preprocessing",
    "norm",
    "activation",
    "noise",
    "reshape",
    "sound",
    "embed",
    "image",
    "merge",
    "wrap",
    "operations",
    "rarer_operations",
    "recurrent",
    "steps",
    "masking",
    "attention",
)
Record = Callable[[str, object], None]


def _cases() -> list[tuple[str, Case]]:
    modules = [(f, importlib.import_module(f"tests.parity.cases.{f}")) for f in FAMILIES]
    return [(family, case) for family, module in modules for case in module.CASES]


CASES = _cases()


def over(wanted: Callable[[Case], Any]) -> Any:
    """Run a test over the cases that ``wanted`` picks."""
    found = []
    for family, case in CASES:
        if wanted(case):
            marks = [pytest.mark.xfail(reason=case.xfail, strict=True)] if case.xfail else []
            found.append(pytest.param(case, id=f"{family}:{case}", marks=marks))
    return pytest.mark.parametrize("case", found)


def close(got: Array, wanted: Array, rtol: float, record: Record, what: str = "output") -> None:
    """Within ``rtol`` of the largest value wanted."""
    error = harness.error(got, wanted)
    record("error", error)
    assert error <= rtol, f"{what}: {error:.2e} of its scale"


def _all_close(
    got: Mapping[str, Array], wanted: Mapping[str, Array], rtol: float, record: Record, what: str
) -> None:
    # a gradient that is zero but for rounding is compared at the scale of the others
    largest = max((float(np.abs(v).max()) for v in wanted.values() if v.size), default=0.0)
    for name, value in wanted.items():
        if value.size and np.abs(value).max() < 1e-6 * largest:
            assert np.abs(got[harness.ours(name, got)]).max() < 1e-5 * largest, f"{what} {name}"
            continue
        close(got[harness.ours(name, got)], value, rtol, record, f"{what} {name}")


@over(lambda case: True)
def test_inference(case: Case, record_property: Record) -> None:
    it = harness.pair(case)
    close(harness.inference(it.network(), it.xs), harness.keras_inference(it), case.rtol, record_property)


@over(lambda case: True)
def test_shape(case: Case) -> None:
    it = harness.pair(case)
    network = it.model.network
    (output,) = network.outputs
    wanted = harness.keras_inference(it).shape if case.says_less else it.keras.output_shape
    assert network.shape(output)[1:] == tuple(wanted)[1:]


@over(lambda case: True)
def test_json_alone_gives_the_same_network(case: Case) -> None:
    it = harness.pair(case)
    from_json = harness.api.from_keras(it.keras.to_json()).network
    from_file = it.model.network
    assert [n.shapes for n in from_json.nodes] == [n.shapes for n in from_file.nodes]
    assert {k: v.op for k, v in from_json.layers.items()} == {k: v.op for k, v in from_file.layers.items()}


@over(lambda case: True)
def test_batch_of_one(case: Case, record_property: Record) -> None:
    it = harness.pair(case)
    one = [x[:1] for x in it.xs]
    close(harness.inference(it.network(), one), harness.keras_inference(it, one), case.rtol, record_property)


@over(lambda case: case.noise is None)
def test_training_and_gradients(case: Case, record_property: Record) -> None:
    got, wanted = harness.chainer_training(case), harness.keras_training(case)
    close(got.y, wanted.y, case.rtol, record_property)
    for i, (ours, theirs) in enumerate(zip(got.inputs, wanted.inputs, strict=True)):
        close(ours, theirs, case.rtol, record_property, f"gradient by input {i}")
    _all_close(got.gradients, wanted.gradients, case.rtol, record_property, "gradient by")


@over(lambda case: case.noise is None and case.layer in ("BatchNormalization", "SpectralNormalization"))
def test_running_statistics(case: Case, record_property: Record) -> None:
    got, wanted = harness.chainer_training(case), harness.keras_training(case)
    assert wanted.running
    _all_close(got.running, wanted.running, case.rtol, record_property, "statistics")


@over(lambda case: case.noise is None)
def test_one_step_of_sgd(case: Case, record_property: Record) -> None:
    got, wanted = harness.chainer_training(case), harness.keras_training(case)
    _all_close(got.stepped, wanted.stepped, case.rtol, record_property, "weights")


@over(lambda case: case.config.get("trainable") is False)
def test_frozen_weights_stay(case: Case, record_property: Record) -> None:
    got, wanted = harness.chainer_training(case), harness.keras_training(case)
    frozen = {name: value for name, value in wanted.running.items() if name in got.stepped}
    _all_close(got.stepped, frozen, case.rtol, record_property, "frozen")


@over(lambda case: case.noise is None)
def test_source_computes_the_same(case: Case) -> None:
    it = harness.pair(case)
    network = it.network()
    made = harness.inference(harness.printed(it, network), it.xs)
    np.testing.assert_array_equal(made, harness.inference(network, it.xs))


@over(lambda case: case.double is not None)
def test_float64(case: Case, record_property: Record) -> None:
    assert case.double is not None
    it = harness.pair(case, "float64")
    got, wanted = harness.inference(it.network(), it.xs), harness.keras_inference(it)
    if wanted.dtype.kind != "f" or not any(x.dtype == "float64" for x in it.xs):
        close(got, wanted, case.rtol, record_property)
        return
    assert got.dtype == "float64"
    if wanted.dtype == "float32":  # Keras on PyTorch gives some results of two float64 so
        close(got.astype("float32"), wanted, case.rtol, record_property)
    else:
        close(got, wanted, case.double, record_property)


def _statistics(y: Array) -> tuple[float, float, float]:
    return float(y.mean()), float(y.std()), float((y == 0).mean())


@over(lambda case: case.noise)
def test_noise_has_the_same_statistics(case: Case) -> None:
    it = harness.pair(case)
    harness.keras.utils.set_random_seed(0)
    theirs = harness.keras_training(case).y
    np.random.seed(0)  # Chainer draws from the global state
    ours = harness.chainer_training(case).y
    np.testing.assert_allclose(_statistics(ours), _statistics(theirs), rtol=0, atol=case.noise or 0)
    assert (ours != harness.inference(it.network(), it.xs)).any()
