"""Weights that Keras 3 saved in several files are the model's, as Keras loads them."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "torch"

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import kchainer

L = keras.layers


def dense() -> Any:
    x = keras.Input((6,))
    y = L.BatchNormalization()(L.Dense(20)(x))
    return keras.Model(x, L.Dense(4)(L.Dropout(0.1)(L.Dense(30)(y))))


def nested() -> Any:
    inner = keras.Sequential([keras.Input((5, 6)), L.Bidirectional(L.LSTM(4)), L.Dense(7)], name="inner")
    x = keras.Input((5, 6))
    return keras.Model(x, L.Dense(3)(inner(x)))


def images() -> Any:
    layers = [L.SpectralNormalization(L.Conv2D(5, 3)), L.SeparableConv2D(4, 3), L.Flatten(), L.Dense(3)]
    return keras.Sequential([keras.Input((8, 8, 3)), *layers])


# With the KiB that part its arrays among several files.
MODELS = {"dense": (dense, 2.6), "nested": (nested, 0.5), "images": (images, 0.9)}


def saved(make: Any, path: Path, kib: float) -> Any:
    model = make()
    random = np.random.default_rng(4)
    model.set_weights([random.uniform(0.1, 1, w.shape).astype("float32") for w in model.get_weights()])
    (path.parent / "m.json").write_text(model.to_json())
    model.save_weights(path, max_shard_size=kib / 1024**2)
    return model


@pytest.mark.parametrize("parted", [True, False])
@pytest.mark.parametrize("name", MODELS)
def test_outputs(name: str, parted: bool, tmp_path: Path) -> None:
    path = tmp_path / "w.weights.json"
    make, kib = MODELS[name]
    model = saved(make, path, kib if parted else 1024)
    shards = list(tmp_path.glob("w_*.weights.h5"))
    assert (len(shards) > 1) == parted
    net = kchainer.load(tmp_path / "m.json", path)
    x = np.random.default_rng(5).normal(size=(3, *model.input_shape[1:])).astype("float32")
    again = keras.models.clone_model(model)
    again.load_weights(path)
    want = again.predict(x, verbose=0)
    assert np.array_equal(want, model.predict(x, verbose=0))
    assert np.abs(net.predict(x) - want).max() <= 1e-5 * np.abs(want).max()


def test_trained_and_quantised(tmp_path: Path) -> None:
    """The optimizer's arrays stand in shards of their own, and a layer's arrays may be parted."""
    model = dense()
    model.compile("adam", "mse")
    model.fit(np.ones((4, 6)), np.ones((4, 4)), verbose=0)
    model.save_weights(tmp_path / "w.weights.json", max_shard_size=2500 / 1024**3)
    (tmp_path / "m.json").write_text(model.to_json())
    parted = json.loads((tmp_path / "w.weights.json").read_text())["weight_map"]
    assert any(len(files) > 1 for group, files in parted.items() if "layers" in group)
    x = np.ones((2, 6), "float32")
    net = kchainer.load(tmp_path / "m.json", tmp_path / "w.weights.json")
    want = model.predict(x, verbose=0)
    assert np.abs(net.predict(x) - want).max() <= 1e-5 * np.abs(want).max()


def test_skip_mismatch(tmp_path: Path) -> None:
    path = tmp_path / "w.weights.json"
    model = saved(dense, path, 2.6)
    x = keras.Input((6,))
    other = keras.Model(x, L.Dense(9)(L.Dense(30)(L.BatchNormalization()(L.Dense(20)(x)))))
    other.load_weights(path, skip_mismatch=True)
    (tmp_path / "other.json").write_text(other.to_json())
    read = kchainer.read(tmp_path / "other.json", path, skip_mismatch=True)
    ours = kchainer.weights(kchainer.api.to_chainer(read))
    assert len(read.arrays) == 8
    for layer, _ in read.arrays:
        for w in other.get_layer(layer).weights:
            assert np.array_equal(ours[f"{layer}/{w.name}"], np.array(w))
    assert np.array_equal(np.array(other.layers[1].kernel), np.array(model.layers[1].kernel))
