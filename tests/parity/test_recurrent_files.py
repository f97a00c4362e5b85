"""Recurrent and attention layers through every file format, kchainer's own and the bundle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.parity import harness  # before Keras

import keras  # isort: skip
from keras import layers as KL

import kchainer
from kchainer import api
from kchainer.diagnostics import Diagnostics
from kchainer.ir import spec
from tests.parity.test_masks import SHAPE, masked_input, randomised


def mixed() -> Any:
    """Each kind of nesting once."""
    x = KL.Input(SHAPE[1:])
    y = KL.Bidirectional(KL.LSTM(3, return_sequences=True))(KL.Masking()(x))
    y = KL.RNN([KL.GRUCell(3), KL.LSTMCell(2), KL.GRUCell(4)], return_sequences=True)(y)
    y = KL.TimeDistributed(KL.Dense(4))(y)
    z = KL.MultiHeadAttention(2, 3)(y, x)
    z = KL.GroupQueryAttention(2, 2, 1)(KL.Add()([y, z]), y)
    a, h, c = KL.LSTM(3, return_state=True)(z)
    b = KL.LSTM(3, go_backwards=True)(z, initial_state=[h, c])
    nested = keras.Sequential([KL.GRU(3, return_sequences=True, reset_after=False), KL.SimpleRNN(2)])
    return keras.Model(x, [KL.Concatenate()([a, b]), nested(z)])


@pytest.fixture(scope="module")
def model() -> Any:
    return randomised(mixed())


def close(net: Any, model: Any) -> None:
    x = masked_input()
    for got, wanted in zip(net.predict(x), model.predict(x, verbose=0), strict=True):
        assert harness.error(got, wanted) <= 1e-5


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_whole_models(tmp_path: Path, model: Any, name: str) -> None:
    model.save(tmp_path / name)
    close(kchainer.load(tmp_path / name), model)


def test_config_and_weights(tmp_path: Path, model: Any) -> None:
    (tmp_path / "model.json").write_text(model.to_json())
    model.save_weights(tmp_path / "model.weights.h5")
    close(kchainer.load(tmp_path / "model.json", tmp_path / "model.weights.h5"), model)


def test_bundle(tmp_path: Path, model: Any) -> None:
    model.save(tmp_path / "model.keras")
    kchainer.convert(tmp_path / "model.keras", tmp_path / "out")
    close(kchainer.load(tmp_path / "out"), model)


def test_own_format_gives_the_same_graph(tmp_path: Path, model: Any) -> None:
    model.save(tmp_path / "model.keras")
    read = api.read(tmp_path / "model.keras")
    data = json.loads(json.dumps(spec.to_json(read)))
    again = spec.from_json(data, name="again", diagnostics=Diagnostics("again", 10), most_nodes=10_000)
    assert again is not None
    assert again.network.nodes == read.network.nodes
    assert {n: layer.op for n, layer in again.network.layers.items()} == {
        n: layer.op for n, layer in read.network.layers.items()
    }


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
@pytest.mark.parametrize("layer", ["LSTM", "GRU", "Bidirectional"])
def test_states_in_a_file_are_no_weights(tmp_path: Path, layer: str, name: str) -> None:
    one = (
        KL.Bidirectional(KL.LSTM(3, stateful=True))
        if layer == "Bidirectional"
        else getattr(KL, layer)(3, stateful=True)
    )
    model = randomised(keras.Sequential([KL.Input(batch_shape=SHAPE), one]))
    x = masked_input()
    for variable in model.non_trainable_weights:
        variable.assign(np.zeros(variable.shape))
    model.save(tmp_path / name)
    net = kchainer.load(tmp_path / name)
    for _ in range(2):  # the second call goes on from the states of the first
        wanted = model(x, training=False).detach().numpy()
        assert harness.error(net.predict(x), wanted) <= 1e-5
