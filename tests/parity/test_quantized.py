"""Quantised layers of Keras 3 compute what Keras computes, in inference and in training."""

from __future__ import annotations

import json
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
MODES: dict[str, tuple[str, Any]] = {
    "int8": ("int8", lambda: None),
    "int8 of weights": ("int8", lambda: Q.Int8QuantizationConfig(activation_quantizer=None)),
    "int4": ("int4", lambda: None),
    "int4 in blocks": ("int4", lambda: Q.Int4QuantizationConfig(block_size=2)),
    "int4 by channel": ("int4", lambda: Q.Int4QuantizationConfig(block_size=None)),
    "int4 with inputs": (
        "int4",
        lambda: Q.Int4QuantizationConfig(block_size=None, activation_quantizer=Q.AbsMaxQuantizer()),
    ),
    "float8": ("float8", lambda: None),
}
LAYERS: dict[str, Any] = {
    "Dense": lambda: L.Dense(5, activation="relu"),
    "without bias": lambda: L.Dense(4, use_bias=False),
    "two axes": lambda: L.EinsumDense("abc,cde->abde", (None, 3, 5), bias_axes="de"),
    "turned": lambda: L.EinsumDense("abc,cde->abed", (None, 5, 3), bias_axes="ed"),
    "summed": lambda: L.EinsumDense("abc,bcd->ad", (5,), bias_axes="d"),
    "Embedding": lambda: L.Embedding(7, 5),
    "ReversibleEmbedding": lambda: L.ReversibleEmbedding(7, 5),
}


def model_of(layer: str, mode: str) -> Any:
    keras.utils.set_random_seed(1)
    table = "Embedding" in layer
    model = keras.Sequential([keras.Input((4,) if table else (4, 6)), LAYERS[layer]()])
    for v in model.weights:
        v.assign(np.random.default_rng(1).normal(size=v.shape) * 0.5)
    word, config = MODES[mode]
    model.quantize(word, config=config())
    for v in model.weights:
        if word == "float8" and v.path.endswith(("inputs_scale", "kernel_scale")):
            v.assign(0.01)
    return model


def values(layer: str) -> Any:
    rng = np.random.default_rng(2)
    return (
        rng.integers(0, 7, (5, 4)).astype("float32") if "Embedding" in layer else rng.normal(size=(5, 4, 6))
    )


@pytest.mark.parametrize("ending", ["keras", "h5"])
@pytest.mark.parametrize(
    ("layer", "mode"), [(y, m) for y in LAYERS for m in MODES if not ("Embedding" in y and m == "float8")]
)
def test_outputs(layer: str, mode: str, ending: str, tmp_path: Path) -> None:
    model, x = model_of(layer, mode), values(layer).astype("float32")
    model.save(tmp_path / f"m.{ending}")
    net = kchainer.load(tmp_path / f"m.{ending}")
    want = model.predict(x, verbose=0)
    assert np.abs(net.predict(x) - want).max() <= 1e-5 * np.abs(want).max()
    space: dict[str, Any] = {}
    exec(kchainer.read(tmp_path / f"m.{ending}").to_source(), space)
    printed = space["Net"]()
    for name, link in net.named_plan_links():
        getattr(printed, name).copyparams(link)  # persistent arrays with them
    given = x.astype("int32") if "Embedding" in layer else x
    with chainer.using_config("train", False):
        assert np.abs(printed(given).array - want).max() <= 1e-5 * np.abs(want).max()


@pytest.mark.parametrize("mode", ["int8", "int4", "float8"])
def test_training(mode: str, tmp_path: Path) -> None:
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((6,)), L.Dense(5, activation="relu"), L.Dense(3)])
    model.quantize(mode)
    model.save(tmp_path / "m.keras")
    net = kchainer.load(tmp_path / "m.keras")
    model.compile(keras.optimizers.SGD(0.1), "mse")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(5, 6)).astype("float32"), rng.normal(size=(5, 3)).astype("float32")
    optimizer = chainer.optimizers.SGD(0.1).setup(net)
    for _ in range(3):
        want = model.train_on_batch(x, y)
        with chainer.using_config("train", True):
            loss = chainer.functions.mean_squared_error(net(x), y)
            net.cleargrads()
            loss.backward()
            optimizer.update()
        assert float(loss.array) == pytest.approx(float(want), rel=1e-5)
    assert np.abs(net.predict(x) - model.predict(x, verbose=0)).max() < 1e-5


@pytest.mark.parametrize("policy", ["gptq/4/4", "awq/4/4"])
def test_calibrated_weights_are_refused(policy: str, tmp_path: Path) -> None:
    """Keras 3.15 saves them without their zero points, and cannot load its own file."""
    model = keras.Sequential([keras.Input((6,)), L.Dense(5, dtype=f"{policy}_from_float32")])
    model.save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match=r"expected . variables, but received"):
        keras.saving.load_model(tmp_path / "m.keras")
    with pytest.raises(kchainer.KchainerError) as caught:
        kchainer.load(tmp_path / "m.keras")
    assert [d.code for d in caught.value.diagnostics] == ["KC204"]


def test_float8_without_weights(tmp_path: Path) -> None:
    """Scales start at one, as Keras's do, and histories at zero."""
    model = keras.Sequential([keras.Input((6,)), L.Dense(5), L.EinsumDense("ab,bc->ac", 3)])
    model.quantize("float8")
    (tmp_path / "m.json").write_text(model.to_json())
    ours = kchainer.weights(kchainer.load(tmp_path / "m.json"))
    want = {f"{layer.name}/{w.name}": np.array(w) for layer in model.layers for w in layer.weights}
    fixed = [name for name in want if name.endswith(("_scale", "_amax_history"))]
    assert len(fixed) == 12
    for name in fixed:
        assert np.array_equal(ours[name], want[name]), name


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_attention_that_does_not_say_it(ending: str, use_bias: bool, tmp_path: Path) -> None:
    """Keras quantises the layers inside of it, says so nowhere, and cannot load what it wrote."""
    x = keras.Input((4, 5))
    model = keras.Model(x, L.MultiHeadAttention(2, 3, use_bias=use_bias)(x, x))
    model.quantize("int8")
    model.save(tmp_path / f"m.{ending}")
    with pytest.raises(ValueError, match=r"could not be loaded|expected|Layer"):
        keras.saving.load_model(tmp_path / f"m.{ending}")
    with pytest.raises(kchainer.KchainerError) as caught:
        kchainer.load(tmp_path / f"m.{ending}")
    assert {d.code for d in caught.value.diagnostics} == {"KC204"}
    assert "save it unquantised" in str(caught.value.diagnostics[0].hint)


def test_quantised_by_a_map() -> None:
    x = keras.Input((4, 5))
    model = keras.Model(x, L.MultiHeadAttention(2, 3, name="mha")(x, x))
    policies = keras.dtype_policies.DTypePolicyMap("float32", {})
    policies["mha/query"] = keras.dtype_policies.get("int8_from_float32")
    config = json.loads(model.to_json())
    config["config"]["layers"][1]["config"]["dtype"] = keras.dtype_policies.serialize(policies)
    with pytest.raises(kchainer.KchainerError) as caught:
        kchainer.from_keras(config)
    (one,) = caught.value.diagnostics
    assert one.code == "KC204"
    assert one.expected == "a map of policies that quantise nothing"
