"""Operation nodes as tf.keras 2.4 to 2.15 writes them, against NumPy written from TensorFlow's rule."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import pytest

import kchainer
from kchainer import api

Array = np.ndarray[Any, Any]
X = np.random.default_rng(0).normal(size=(3, 4, 5)).astype("float32")


def lambda_node(name: str, function: str, inbound: Any, class_name: str = "TFOpLambda") -> dict[str, Any]:
    config = {"name": name, "trainable": True, "dtype": "float32", "function": function}
    return {"class_name": class_name, "config": config, "name": name, "inbound_nodes": inbound}


def graph_node(name: str, op: str, constants: dict[str, Any], inbound: Any) -> dict[str, Any]:
    node = {"name": name, "op": op, "input": [], "attr": {}}
    config = {"name": name, "trainable": True, "dtype": "float32", "node_def": node, "constants": constants}
    return {"class_name": "TensorFlowOpLayer", "config": config, "name": name, "inbound_nodes": inbound}


def output(*nodes: dict[str, Any]) -> Array:
    given = {
        "batch_input_shape": [None, 4, 5],
        "dtype": "float32",
        "sparse": False,
        "ragged": False,
        "name": "x",
    }
    first = {"class_name": "InputLayer", "config": given, "name": "x", "inbound_nodes": []}
    config = {
        "name": "net",
        "layers": [first, *nodes],
        "input_layers": [["x", 0, 0]],
        "output_layers": [[nodes[-1]["name"], 0, 0]],
    }
    return np.asarray(api.from_keras({"class_name": "Functional", "config": config}).to_chainer().predict(X))


ONE: list[tuple[str, dict[str, Any], Callable[[Array], Array]]] = [
    ("math.multiply", {"y": 2.0, "name": None}, lambda x: x * 2),
    ("__operators__.add", {"y": 1, "name": None}, lambda x: x + 1),
    ("math.subtract", {"y": [1.0, 2.0, 3.0, 4.0, 5.0]}, lambda x: x - np.arange(1, 6)),
    ("math.reduce_mean", {"axis": [1], "keepdims": True}, lambda x: x.mean(1, keepdims=True)),
    ("math.reduce_sum", {"axis": -1}, lambda x: x.sum(-1)),
    ("nn.relu", {}, lambda x: np.maximum(x, 0)),
    ("nn.leaky_relu", {"alpha": 0.1}, lambda x: np.where(x > 0, x, 0.1 * x)),
    ("reshape", {"shape": [-1, 20]}, lambda x: x.reshape(-1, 20)),
    ("transpose", {"perm": [0, 2, 1]}, lambda x: x.transpose(0, 2, 1)),
    ("expand_dims", {"axis": -1}, lambda x: x[..., None]),
    ("tile", {"multiples": [1, 2, 1]}, lambda x: np.tile(x, (1, 2, 1))),
    ("clip_by_value", {"clip_value_min": -0.5, "clip_value_max": 0.5}, lambda x: x.clip(-0.5, 0.5)),
    ("gather", {"indices": [1, 0], "axis": 1}, lambda x: x[:, [1, 0]]),
    ("pad", {"paddings": [[0, 0], [1, 1], [0, 0]]}, lambda x: np.pad(x, ((0, 0), (1, 1), (0, 0)))),
    ("cast", {"dtype": "float32"}, lambda x: x),
    ("math.l2_normalize", {"axis": -1}, lambda x: x / np.sqrt((x * x).sum(-1, keepdims=True))),
]


@pytest.mark.parametrize(("function", "kwargs", "rule"), ONE, ids=[row[0] for row in ONE])
def test_a_function(function: str, kwargs: dict[str, Any], rule: Callable[[Array], Array]) -> None:
    got = output(lambda_node("op", function, [["x", 0, 0, kwargs]]))
    np.testing.assert_allclose(got, rule(X), rtol=1e-5, atol=1e-6)


def test_concat_takes_a_list() -> None:
    twice = lambda_node("twice", "math.multiply", [["x", 0, 0, {"y": 2.0}]])
    joined = lambda_node("joined", "concat", [[["x", 0, 0, {"axis": -1}], ["twice", 0, 0, {"axis": -1}]]])
    np.testing.assert_allclose(output(twice, joined), np.concatenate([X, 2 * X], -1), rtol=1e-6)


def test_a_keyword_is_a_tensor() -> None:
    twice = lambda_node("twice", "math.multiply", [["x", 0, 0, {"y": 2.0}]])
    added = lambda_node("added", "math.add", [["x", 0, 0, {"y": ["twice", 0, 0], "name": None}]])
    np.testing.assert_allclose(output(twice, added), 3 * X, rtol=1e-6)


def test_the_shape_of_the_batch_is_folded() -> None:
    whole = {"start": None, "stop": None, "step": None}
    shape = lambda_node("shape", "compat.v1.shape", [["x", 0, 0, {}]])
    first = lambda_node(
        "first", "__operators__.getitem", [["shape", 0, 0, {"slice_spec": 0}]], "SlicingOpLambda"
    )
    flat = lambda_node("flat", "reshape", [["x", 0, 0, {"shape": [["first", 0, 0], 20]}]])
    part = lambda_node(
        "part",
        "__operators__.getitem",
        [["flat", 0, 0, {"slice_spec": [whole, {"start": 2, "stop": 7, "step": None}]}]],
        "SlicingOpLambda",
    )
    np.testing.assert_array_equal(output(shape, first, flat, part), X.reshape(-1, 20)[:, 2:7])


def test_nodes_of_a_graph_keep_constants_apart() -> None:
    less = graph_node("less", "Sub", {"0": 1.0}, [[["x", 0, 0, {}]]])
    np.testing.assert_allclose(output(less), 1 - X, rtol=1e-6)


def test_operations_of_a_keras_3_h5_file_name_no_module(tmp_path: Path) -> None:
    x = keras.Input((4, 5))
    model = keras.Model(x, keras.ops.multiply(keras.ops.cos(x), keras.ops.add(x, 2.0)))
    model.save(tmp_path / "model.h5")
    got = kchainer.load(tmp_path / "model.h5").predict(X)
    np.testing.assert_allclose(got, model.predict(X, verbose=0), rtol=1e-5, atol=1e-6)
