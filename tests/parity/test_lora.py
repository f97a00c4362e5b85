"""LoRA of Keras 3 by its own files: the numbers of the model that was saved, and its training with lora="keep"."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "torch"

from pathlib import Path
from typing import Any

import kchainer  # before Chainer, which it lets run on today's NumPy

import chainer  # isort: skip
import h5py
import keras
import numpy as np
import pytest

L = keras.layers
LAYERS: dict[str, tuple[tuple[int, ...], Any]] = {
    "Dense": ((6,), lambda: L.Dense(5, activation="tanh")),
    "Dense of steps": ((4, 6), lambda: L.Dense(5, use_bias=False)),
    "EinsumDense": ((4, 6), lambda: L.EinsumDense("abc,cde->abde", (4, 3, 5), bias_axes="e")),
    "Embedding": ((4,), lambda: L.Embedding(7, 5)),
    "ReversibleEmbedding": ((4,), lambda: L.ReversibleEmbedding(7, 5)),
    "Conv1D": ((5, 4), lambda: L.Conv1D(3, 2, activation="relu")),
    "Conv2D": ((5, 6, 4), lambda: L.Conv2D(3, (2, 3), padding="same")),
    "Conv2D of groups": ((5, 6, 4), lambda: L.Conv2D(6, 2, groups=2, strides=2)),
    "Conv3D": ((3, 4, 5, 2), lambda: L.Conv3D(3, 2, use_bias=False)),
    "in TimeDistributed": ((3, 6), lambda: L.TimeDistributed(L.Dense(5))),
}


def model_of(layer: str) -> Any:
    keras.utils.set_random_seed(1)
    shape, make = LAYERS[layer]
    model = keras.Sequential([keras.Input(shape), make(), L.Flatten(), L.Dense(3)])
    main = model.layers[0]
    (main.layer if layer == "in TimeDistributed" else main).enable_lora(2, lora_alpha=3.0)
    rng = np.random.default_rng(1)
    for v in model.weights:
        v.assign(rng.normal(size=v.shape) * 0.5)
    return model


def values(layer: str) -> Any:
    rng, shape = np.random.default_rng(2), LAYERS[layer][0]
    given = rng.integers(0, 7, (5, *shape)) if "Embedding" in layer else rng.normal(size=(5, *shape))
    return given.astype("float32")


@pytest.mark.parametrize("how", ["merge", "keep"])
@pytest.mark.parametrize("ending", ["keras", "h5"])
@pytest.mark.parametrize("layer", LAYERS)
def test_outputs(layer: str, ending: str, how: Any, tmp_path: Path) -> None:
    """Those of the model that was saved: what Keras 3.15 gets from the .h5 of a Dense has lost ``lora_alpha``."""
    model, x = model_of(layer), values(layer)
    model.save(tmp_path / f"m.{ending}")
    want = model.predict(x, verbose=0)
    net = kchainer.load(tmp_path / f"m.{ending}", lora=how)
    assert np.abs(net.predict(x) - want).max() <= 1e-5 * np.abs(want).max()
    read = kchainer.read(tmp_path / f"m.{ending}", lora=how)
    assert [d.code for d in read.warnings] == (["KC207"] if how == "merge" else [])
    space: dict[str, Any] = {}
    exec(read.to_source(), space)
    printed = space["Net"]()
    for name, link in net.named_plan_links():
        getattr(printed, name).copyparams(link)
    given = x.astype("int32") if "Embedding" in layer else x
    with chainer.using_config("train", False):
        assert np.abs(printed(given).array - want).max() <= 1e-5 * np.abs(want).max()


@pytest.mark.parametrize("ending", ["keras", "h5"])
@pytest.mark.parametrize("layer", ["Dense", "EinsumDense", "Embedding", "Conv1D", "Conv2D", "Conv3D"])
def test_training(layer: str, ending: str, tmp_path: Path) -> None:
    """Of what is kept. From a .keras Keras trains with both matrices at zero, where they stay."""
    model, x = model_of(layer), values(layer)
    model.save(tmp_path / f"m.{ending}")
    if ending == "keras":
        model = keras.models.load_model(tmp_path / "m.keras")
    net = kchainer.load(tmp_path / f"m.{ending}", lora="keep")
    y = np.random.default_rng(3).normal(size=(5, 3)).astype("float32")
    model.compile(keras.optimizers.SGD(0.01), "mse")
    optimizer = chainer.optimizers.SGD(0.01).setup(net)
    for _ in range(3):
        want = model.train_on_batch(x, y)
        with chainer.using_config("train", True):
            loss = chainer.functions.mean_squared_error(net(x), y)
            net.cleargrads()
            loss.backward()
            optimizer.update()
        assert float(loss.array) == pytest.approx(float(want), rel=1e-5)
    out = model.predict(x, verbose=0)
    assert np.abs(net.predict(x) - out).max() <= 1e-5 * np.abs(out).max()


def test_penalties_are_those_of_the_matrices(tmp_path: Path) -> None:
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((6,)), L.Dense(5, kernel_regularizer="l2")])
    model.layers[0].enable_lora(2)
    for v in model.weights:
        v.assign(np.random.default_rng(1).normal(size=v.shape))
    model.save(tmp_path / "m.h5")
    layer = kchainer.read(tmp_path / "m.h5", lora="keep").network.layers[model.layers[0].name]
    said = {name for name, one in layer.settings.items() if "regularizer" in one}
    assert said == {"lora_kernel_a", "lora_kernel_b"}
    assert len(model.losses) == 2  # Keras's own count


@pytest.mark.parametrize("mode", ["int8", "int4"])
@pytest.mark.parametrize("layer", ["Dense", "EinsumDense", "Embedding"])
def test_quantised(layer: str, mode: str, tmp_path: Path) -> None:
    """Keras's .keras has both in one kernel, quantised anew; its .h5 has them apart, which is refused."""
    keras.utils.set_random_seed(1)
    shape, make = LAYERS[layer]
    model = keras.Sequential([keras.Input(shape), make()])
    model.quantize(mode)
    model.layers[0].enable_lora(2, lora_alpha=3.0)
    for v in model.trainable_weights:
        v.assign(np.random.default_rng(1).normal(size=v.shape) * 0.5)
    model.save(tmp_path / "m.keras")
    model.save(tmp_path / "m.h5")
    x, again = values(layer), keras.models.load_model(tmp_path / "m.keras")
    want = again.predict(x, verbose=0)
    assert np.abs(kchainer.load(tmp_path / "m.keras").predict(x) - want).max() <= 1e-5 * np.abs(want).max()
    for ending, how in (("h5", "merge"), ("keras", "keep")):
        with pytest.raises(kchainer.KchainerError) as caught:
            kchainer.load(tmp_path / f"m.{ending}", lora=how)  # type: ignore[arg-type]
        assert [d.code for d in caught.value.diagnostics] == ["KC204"]


def test_without_weights_it_starts_as_keras_does(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text(model_of("Dense").to_json())
    net = kchainer.load(tmp_path / "m.json", lora="keep")
    link = dict(net.named_plan_links())
    found = next(one for one in link.values() if hasattr(one, "a"))
    assert not found.b.array.any()
    assert found.a.array.any()
    assert np.abs(found.a.array).max() <= np.sqrt(6 / 6)  # he_uniform of six inputs


@pytest.mark.parametrize("broken", ["a", "b"])
@pytest.mark.parametrize("shape", [(), (4, 4), (4, 3)])
def test_a_matrix_of_another_shape_is_told(broken: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    """Also one that has the shape of the kernel."""
    x = keras.Input((4,))
    layer = keras.layers.Dense(3, name="dense")
    model = keras.Model(x, layer(x))
    layer.enable_lora(2)
    model.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "r+") as file:
        group = file["model_weights/dense"]
        found: list[str] = []
        group.visit(lambda name: found.append(name) if name.endswith(f"lora_kernel_{broken}") else None)
        path = found[0]
        del group[path]
        group[path] = np.zeros(shape, "float32")
    with pytest.raises(kchainer.KchainerError, match="a matrix of LoRA beside `kernel`") as caught:
        kchainer.read(tmp_path / "m.h5")
    assert caught.value.diagnostics[-1].code == "KC403"
