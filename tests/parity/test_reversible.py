"""ReversibleEmbedding called both ways computes and learns what Keras does, quantised or not."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "torch"

from pathlib import Path
from typing import Any

import kchainer  # before Chainer, which it lets run on today's NumPy

import chainer  # isort: skip
import keras
import numpy as np
import pytest

L, Q = keras.layers, keras.quantizers
X = np.random.default_rng(2).integers(0, 7, (5, 4)).astype("float32")
MODES: dict[str, Any] = {
    "": None,
    "int8": lambda m: m.quantize("int8"),
    "int8 of weights": lambda m: m.quantize(
        "int8", config=Q.Int8QuantizationConfig(activation_quantizer=None)
    ),
    "int4": lambda m: m.quantize("int4"),
    "int4 in blocks": lambda m: m.quantize("int4", config=Q.Int4QuantizationConfig(block_size=2)),
    "int4 by channel": lambda m: m.quantize("int4", config=Q.Int4QuantizationConfig(block_size=None)),
    "policy": lambda m: m.get_layer("table").quantize("int4"),
}


def model_of(**config: Any) -> Any:
    keras.utils.set_random_seed(1)
    ids = keras.Input((4,))
    table = L.ReversibleEmbedding(7, 5, name="table", **config)
    y = L.GRU(5, return_sequences=True)(table(ids))
    model = keras.Model(ids, [table(y, reverse=True), y])
    for v in model.weights:
        v.assign(np.random.default_rng(1).normal(size=v.shape))
    return model


@pytest.mark.parametrize("ending", ["keras", "h5"])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("config", [{}, {"logit_soft_cap": 2.0, "mask_zero": True}], ids=str)
def test_outputs(config: Any, mode: str, ending: str, tmp_path: Path) -> None:
    model = model_of(**config)
    if mode:
        MODES[mode](model)
    model.save(tmp_path / f"m.{ending}")
    net = kchainer.load(tmp_path / f"m.{ending}")
    for want, got in zip(model.predict(X, verbose=0), net.predict(X), strict=True):
        assert np.abs(got - want).max() <= 1e-5 * np.abs(want).max()


def test_training(tmp_path: Path) -> None:
    ids = keras.Input((4,))
    table = L.ReversibleEmbedding(7, 5, logit_soft_cap=3.0)
    model = keras.Model(ids, table(L.Dense(5, "tanh")(table(ids)), reverse=True))
    model.save(tmp_path / "m.keras")
    net = kchainer.load(tmp_path / "m.keras")
    model.compile(keras.optimizers.SGD(0.1), "mse")
    optimizer = chainer.optimizers.SGD(0.1).setup(net)
    y = np.random.default_rng(3).normal(size=(5, 4, 7)).astype("float32")
    for _ in range(3):
        want = model.train_on_batch(X, y)
        with chainer.using_config("train", True):
            loss = chainer.functions.mean_squared_error(net(X), y)
            net.cleargrads()
            loss.backward()
            optimizer.update()
        assert float(loss.array) == pytest.approx(float(want), rel=1e-5)
    out = model.predict(X, verbose=0)
    assert np.abs(net.predict(X) - out).max() <= 1e-5 * np.abs(out).max()


def test_lora_is_merged(tmp_path: Path) -> None:
    model = model_of()
    model.get_layer("table").enable_lora(2)
    for v in model.get_layer("table").weights:
        v.assign(np.random.default_rng(1).normal(size=v.shape) * 0.5)
    model.save(tmp_path / "m.keras")
    want, got = model.predict(X, verbose=0), kchainer.load(tmp_path / "m.keras").predict(X)
    assert np.abs(got[0] - want[0]).max() <= 1e-5 * np.abs(want[0]).max()
    with pytest.raises(kchainer.KchainerError, match="called in reverse"):
        kchainer.load(tmp_path / "m.keras", lora="keep")


@pytest.mark.parametrize("config", [{"tie_weights": False}, {"reverse_dtype": "float16"}], ids=str)
def test_what_is_not_read(config: Any, tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text(model_of(**config).to_json())
    with pytest.raises(kchainer.KchainerError) as caught:
        kchainer.load(tmp_path / "m.json")
    assert {d.code for d in caught.value.diagnostics} == {"KC204"}


@pytest.mark.parametrize("quantised", [False, True])
def test_its_mask(quantised: bool, tmp_path: Path) -> None:
    """Keras makes it in the call, and a quantised layer has another one."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((4,)), L.ReversibleEmbedding(7, 5, mask_zero=True), L.GRU(3)])
    if quantised:
        model.layers[0].quantize("int8")
    model.save(tmp_path / "m.keras")
    want = model.predict(X, verbose=0)
    assert (X == 0).any()
    assert np.abs(kchainer.load(tmp_path / "m.keras").predict(X) - want).max() <= 1e-5 * np.abs(want).max()
