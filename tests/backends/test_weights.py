"""``kchainer.weights`` gives Keras's own arrays back, and ``predict`` takes several inputs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import pytest

import kchainer

layers = keras.layers


def inner() -> keras.Model:
    """A model with statistics, to be nested."""
    x = keras.Input((6, 6, 3), name="image")
    y = layers.Conv2D(4, 3, name="conv")(x)
    y = layers.BatchNormalization(name="bn")(y)
    return keras.Model(x, layers.Flatten(name="flat")(y), name="inner")


def nested() -> keras.Model:
    """Two inputs of which one goes through a nested model twice, two outputs, random weights."""
    image, other, words = (
        keras.Input((6, 6, 3), name="a"),
        keras.Input((6, 6, 3), name="b"),
        keras.Input((5,), name="c"),
    )
    shared = inner()
    head = keras.Sequential([layers.Dense(7, activation="relu"), layers.Dense(3)], name="head")
    both = layers.Add(name="add")([shared(image), shared(other)])
    joined = layers.Concatenate(name="join")([both, layers.Dense(4, name="words")(words)])
    model = keras.Model(
        [image, other, words], [head(joined), layers.Dense(2, name="side")(words)], name="outer"
    )
    random = np.random.default_rng(0)
    model.set_weights([random.uniform(0.1, 1, w.shape).astype("float32") for w in model.get_weights()])
    return model


def path_in_keras(weight: Any, model: keras.Model) -> str:
    """The path under which kchainer has a weight: layer, layer, name."""
    found = []
    todo = [(model, "")]
    while todo:
        one, base = todo.pop()
        for layer in one.layers:
            path = f"{base}{layer.name}"
            if hasattr(layer, "layers"):
                todo.append((layer, f"{path}/"))
            elif any(w is weight for w in layer.weights):
                found.append(f"{path}/{weight.name}")
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("suffix", [".keras", ".h5", ".weights.h5"])
def test_weights_are_those_of_keras_by_path(suffix: str, tmp_path: Path) -> None:
    model = nested()
    file = tmp_path / f"m{suffix}"
    if suffix == ".weights.h5":
        model.save_weights(file)
        (tmp_path / "m.json").write_text(model.to_json())
        net = kchainer.load(tmp_path / "m.json", file)
    else:
        model.save(file)
        net = kchainer.load(file)
    ours = kchainer.weights(net)
    theirs = {path_in_keras(w, model): np.asarray(keras.ops.convert_to_numpy(w.value)) for w in model.weights}
    assert sorted(ours) == sorted(theirs)
    for name, array in theirs.items():
        np.testing.assert_array_equal(ours[name], array)


@pytest.mark.parametrize("batch_size", [1, 3, 32, None])
def test_predict_takes_several_inputs_and_gives_several_outputs(
    batch_size: int | None, tmp_path: Path
) -> None:
    model = nested()
    model.save(tmp_path / "m.keras")
    net = kchainer.load(tmp_path / "m.keras")
    random = np.random.default_rng(1)
    xs = [random.standard_normal(s).astype("float32") for s in ((7, 6, 6, 3), (7, 6, 6, 3), (7, 5))]
    made = net.predict(*xs, batch_size=batch_size)
    wanted = model.predict(xs, verbose=0)
    assert len(made) == len(wanted) == 2
    for got, want in zip(made, wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5 * np.abs(want).max())
    with pytest.raises(TypeError, match="takes 3 inputs, 2 given"):
        net.predict(*xs[:2])


def test_weights_survive_convert_and_load(tmp_path: Path) -> None:
    model = nested()
    model.save(tmp_path / "m.keras")
    first = kchainer.weights(kchainer.load(tmp_path / "m.keras"))
    kchainer.convert(tmp_path / "m.keras", tmp_path / "out")
    again = kchainer.weights(kchainer.load(tmp_path / "out"))
    assert list(first) == list(again)
    for name, array in first.items():
        np.testing.assert_array_equal(again[name], array)
