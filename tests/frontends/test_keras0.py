"""Configs of Keras 0.3: what is wrong with them is told at its place in the file."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import kchainer

DENSE: dict[str, Any] = {
    "name": "Dense", "custom_name": "d", "output_dim": 2, "activation": "linear", "input_shape": [3], "trainable": True,
}  # fmt: skip
GRAPH: dict[str, Any] = {
    "name": "Graph",
    "input_config": [{"name": "x", "dtype": "float", "input_shape": [3]}],
    "node_config": [{"name": "a", "input": "x", "inputs": []}, {"name": "b", "input": None, "inputs": ["x", "a"], "merge_mode": "concat", "concat_axis": -1}],
    "output_config": [{"name": "out", "input": "b", "inputs": []}],
    "input_order": ["x"], "output_order": ["out"],
    "nodes": {"a": {k: v for k, v in DENSE.items() if k != "input_shape"}, "b": {**DENSE, "output_dim": 4}},
}  # fmt: skip


def errors(config: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(kchainer.KchainerError) as caught:
        kchainer.from_keras(json.dumps(config), keras_backend="theano")
    return [(d.code, d.pointer) for d in caught.value.diagnostics]


def changed(config: dict[str, Any], path: list[Any], value: Any) -> dict[str, Any]:
    out = copy.deepcopy(config)
    place: Any = out
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return out


def test_a_graph_is_read_in_the_order_it_states() -> None:
    model = kchainer.from_keras(json.dumps(GRAPH))
    assert model.origin.dialect.startswith("Keras 0.3")
    assert model.network.output_names == ("out",)
    assert model.network.shape(model.network.outputs[0]) == (None, 4)
    assert [p.shape for p in model.network.layers["b"].params] == [(5, 4), (4,)]


def weights_file(path: Path, *, layers: Any = 2, params: Any = 2, shape: tuple[int, ...] = (3, 2)) -> Path:
    with h5py.File(path, "w") as f:
        f.attrs["nb_layers"] = layers
        for i, kernel in enumerate([shape, (2, 2)]):
            group = f.create_group(f"layer_{i}")
            group.attrs["nb_params"] = params
            group["param_0"], group["param_1"] = np.ones(kernel, "float32"), np.ones(2, "float32")
    return path


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, None), ({"layers": 3}, "KC402"), ({"layers": 1}, "KC401"), ({"layers": "many"}, "KC401"),
        ({"layers": [1, 2]}, "KC401"), ({"params": 1}, "KC401"), ({"params": 3}, "KC402"), ({"params": "x"}, "KC401"),
        ({"shape": (3, 3)}, "KC403"),
    ],
    ids=str,
)  # fmt: skip
def test_weights(tmp_path: Path, change: dict[str, Any], code: str | None) -> None:
    path = weights_file(tmp_path / "w.h5", **change)
    text = json.dumps(SEQUENTIAL)
    if code is None:
        net = kchainer.from_keras(text, path, keras_backend="theano").to_chainer()
        np.testing.assert_array_equal(net.predict(np.ones((1, 3), "float32")), [[9, 9]])
        return
    with pytest.raises(kchainer.KchainerError) as caught:
        kchainer.from_keras(text, path, keras_backend="theano")
    assert {d.code for d in caught.value.diagnostics} == {code}


SEQUENTIAL = {"name": "Sequential", "layers": [DENSE, {**DENSE, "input_shape": [2]}]}
BAD: list[tuple[dict[str, Any], str, str]] = [
    (changed(SEQUENTIAL, ["layers", 1], {**DENSE, "output_dmi": 1}), "KC103", "/layers/1/output_dmi"),
    (changed(SEQUENTIAL, ["layers", 1, "output_dim"], "2"), "KC104", "/layers/1/output_dim"),
    (changed(SEQUENTIAL, ["layers", 0, "name"], "Danse"), "KC201", "/layers/0/name"),
    (changed(SEQUENTIAL, ["layers", 0], 3), "KC104", "/layers/0"),
    (changed(SEQUENTIAL, ["layers"], None), "KC104", "/layers"),
    (changed(GRAPH, ["nodes"], {}), "KC104", "/node_config/0"),
    (changed(GRAPH, ["nodes", "b", "bais"], True), "KC103", "/nodes/b/bais"),
    (changed(GRAPH, ["node_config", 1, "inputs"], ["x", "zz"]), "KC104", "/node_config/1/inputs/1"),
    (changed(GRAPH, ["node_config", 1, "merge_mode"], "join"), "KC104", "/node_config/1/merge_mode"),
    (changed(GRAPH, ["output_config", 0, "input"], "nobody"), "KC104", "/output_config/0/input"),
    (changed(GRAPH, ["input_config", 0, "input_shape"], None), "KC305", "/input_config/0"),
]


@pytest.mark.parametrize(("config", "code", "pointer"), BAD, ids=lambda v: str(v)[-40:])
def test_what_is_wrong_is_told_at_its_place(config: dict[str, Any], code: str, pointer: str) -> None:
    assert (code, pointer) in errors(config)
