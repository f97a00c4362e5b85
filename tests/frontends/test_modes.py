"""Calls that say in which mode they run."""

from __future__ import annotations

from typing import Any

import pytest

import kchainer


def config(training: Any, class_name: str = "Dropout") -> dict[str, Any]:
    inner = {"rate": 0.5, "name": "d"} if class_name == "Dropout" else {"name": "d"}
    layers = [
        {"class_name": "InputLayer", "name": "x", "config": {"batch_shape": [None, 4], "name": "x"}, "inbound_nodes": []},
        {"class_name": class_name, "name": "d", "config": inner, "inbound_nodes": [[["x", 0, 0, {"training": training}]]]},
    ]  # fmt: skip
    ends = {"input_layers": [["x", 0, 0]], "output_layers": [["d", 0, 0]]}
    return {"class_name": "Functional", "config": {"name": "m", "layers": layers, **ends}}


@pytest.mark.parametrize("class_name", ["Dropout", "BatchNormalization"])
def test_a_layer_that_stays_in_training_is_refused(class_name: str) -> None:
    with pytest.raises(kchainer.KchainerError, match="training=True") as caught:
        kchainer.from_keras(config(True, class_name), dialect="tf.keras 2.15")
    assert [d.code for d in caught.value.diagnostics] == ["KC205"]


def test_a_layer_that_never_trains_is_read_with_a_warning() -> None:
    model = kchainer.from_keras(config(False), dialect="tf.keras 2.15")
    assert [(d.code, d.severity) for d in model.warnings] == [("KC205", "warning")]


@pytest.mark.parametrize("training", [None, "learning_phase"])
def test_a_call_that_follows_the_network_is_read_without(training: Any) -> None:
    assert not kchainer.from_keras(config(training), dialect="tf.keras 2.15").warnings


@pytest.mark.parametrize("training", [True, False])
def test_keras_3_goes_by_the_networks_mode_whatever_the_file_says(training: bool) -> None:
    """Keras 3.15: Dropout(0.5)(x, training=True) predicts x, before and after saving."""
    assert not kchainer.from_keras(config(training), dialect="3.15").warnings
