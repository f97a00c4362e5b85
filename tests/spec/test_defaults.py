"""Normalisation and weight normalisation as defaults of a spec."""

from __future__ import annotations

import json
from typing import Any

import pytest

import kchainer
from kchainer.ir.spec import to_json

SPEC: dict[str, Any] = {
    "kchainer": 1,
    "kind": "spec",
    "variables": {"weights": True, "norm": "BatchNormalization"},
    "defaults": {
        "activation": "relu",
        "normalization": "$norm",
        "weight_normalization": "$weights",
        "attributes": {"BatchNormalization": {"momentum": 0.9}},
    },
    "inputs": [16],
    "layers": [
        {"op": "Dense", "name": "a", "units": 8, "normalization": None},
        {"op": "Dense", "name": "b", "units": 8},
        {
            "op": "Dense", "name": "c", "units": 8, "weight_normalization": False,
            "normalization": {"op": "LayerNormalization", "epsilon": 1e-5},
        },
        {"op": "Dense", "name": "d", "units": 5, "activation": "softmax", "normalization": None},
    ],
}  # fmt: skip


def ops_of(spec: dict[str, Any], **variables: Any) -> list[str]:
    model = kchainer.from_spec(spec | {"variables": spec["variables"] | variables})
    return [type(model.network.layers[node.layer].op).__name__ for node in model.network.nodes]


def test_normalisation_stands_between_a_layer_and_its_activation() -> None:
    dense = "WeightNormalizedDense"
    assert ops_of(SPEC) == [
        "Input", dense, "Relu", dense, "BatchNormalization", "Relu", "Dense", "LayerNormalization", "Relu", dense, "Softmax",
    ]  # fmt: skip
    model = kchainer.from_spec(SPEC)
    assert model.network.layers["b/batchnormalization"].op.momentum == 0.9  # type: ignore[attr-defined]
    assert model.network.layers["c/layernormalization"].op.epsilon == 1e-5  # type: ignore[attr-defined]


def test_one_variable_changes_every_layer() -> None:
    assert ops_of(SPEC, weights=False, norm=None).count("Dense") == 4
    assert ops_of(SPEC, norm="RMSNormalization").count("RMSNormalization") == 1


def test_what_was_read_is_written_and_read_again() -> None:
    model = kchainer.from_spec(SPEC)
    again = kchainer.from_spec(json.loads(json.dumps(model.to_spec())))
    assert to_json(again)["networks"] == to_json(model)["networks"]


def test_a_shared_layer_is_normalised_by_one_layer() -> None:
    layers = [{"op": "Dense", "name": "a", "units": 16}, {"call": "a", "name": "again"}]
    model = kchainer.from_spec(SPEC | {"layers": layers})
    assert sum(type(one.op).__name__ == "BatchNormalization" for one in model.network.layers.values()) == 1
    assert len(model.network.nodes) == 7


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("normalization", "BatchNorm", "KC104"),
        ("normalization", {"op": "Dense", "units": 3}, "KC201"),
        ("normalization", {"op": "BatchNormalization", "momentun": 0.9}, "KC103"),
        ("weight_normalization", 1, "KC104"),
    ],
)
def test_wrong_ones_are_told(key: str, value: Any, code: str) -> None:
    layers = [{"op": "Dense", "units": 3, key: value}]
    with pytest.raises(kchainer.KchainerError) as caught:
        kchainer.from_spec(SPEC | {"layers": layers})
    assert code in {d.code for d in caught.value.diagnostics}
