"""SpectralNormalization in every file format that Keras 3.15 writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.parity import harness  # before Keras

import keras  # isort: skip
from keras import layers as KL

import kchainer

SHAPE = (3, 6, 6, 2)
FORMATS = ("model.keras", "model.h5", "model.json")


def wrapped(layer: Any, **more: Any) -> Any:
    return KL.SpectralNormalization(layer, **more)


def sequence() -> Any:
    """Each layer with a kernel; two of the same class, one without a bias."""
    return keras.Sequential(
        [
            KL.Input(SHAPE[1:]),
            wrapped(KL.Conv2D(3, 3, padding="same")),
            wrapped(KL.Conv2D(4, 3, use_bias=False), power_iterations=2),
            wrapped(KL.DepthwiseConv2D(2)),
            KL.BatchNormalization(),
            wrapped(KL.Conv2DTranspose(2, 2)),
            KL.Flatten(),
            wrapped(KL.Dense(5)),
            KL.Dense(2),
        ]
    )


def nested() -> Any:
    """In a model inside of a model, called twice, and beside a frozen one."""
    inner = keras.Sequential([KL.Input((4,)), wrapped(KL.Dense(4, activation="tanh")), KL.Dense(4)])
    x = KL.Input(SHAPE[1:])
    y = KL.GlobalAveragePooling2D()(wrapped(KL.Conv2D(4, 2))(x))
    frozen = wrapped(KL.Dense(4), trainable=False)
    return keras.Model(x, KL.Add()([inner(inner(y)), frozen(y)]))


def frozen() -> Any:
    """Set after the model is made, in one that is itself inside: Keras sets it on each layer in it."""
    inner = keras.Sequential(
        [KL.Input((4,)), wrapped(KL.Dense(4, activation="tanh")), KL.BatchNormalization()]
    )
    x = KL.Input(SHAPE[1:])
    y = KL.GlobalAveragePooling2D()(wrapped(KL.Conv2D(4, 2))(x))
    model = keras.Model(x, KL.Dense(3)(inner(y)))
    inner.trainable = False
    return model


def randomised(model: Any) -> Any:
    random = np.random.default_rng(3)
    for weight in model.weights:
        low = 0.5 if "variance" in weight.path else -0.5
        weight.assign(random.uniform(low, 1, weight.shape))
    return model


def saved(model: Any, folder: Path, name: str) -> tuple[Path, ...]:
    if name != "model.json":
        model.save(folder / name)
        return (folder / name,)
    (folder / name).write_text(model.to_json())
    model.save_weights(folder / "model.weights.h5")
    return folder / name, folder / "model.weights.h5"


@pytest.mark.parametrize("make", [sequence, nested, frozen])
@pytest.mark.parametrize("name", FORMATS)
def test_prediction(tmp_path: Path, make: Any, name: str) -> None:
    model = randomised(make())
    net = kchainer.load(*saved(model, tmp_path, name))
    x = np.random.default_rng(5).normal(size=SHAPE).astype("float32")
    assert harness.error(net.predict(x), model.predict(x, verbose=0)) <= 1e-5


@pytest.mark.parametrize("name", FORMATS)
def test_the_vector_comes_along(tmp_path: Path, name: str) -> None:
    """What the vector is shows in training only: the kernels are divided by what it gives."""
    model = randomised(sequence())
    net = kchainer.load(*saved(model, tmp_path, name))
    x = np.random.default_rng(5).normal(size=SHAPE).astype("float32")
    import chainer

    with chainer.using_config("train", True):
        net(x)
    model(x, training=True)
    kept = {weight.path: weight.numpy() for weight in model.weights if "vector_u" in weight.path}
    assert len(kept) == 5
    got = kchainer.weights(net)
    own = [value for path, value in got.items() if path.endswith("vector_u")]
    assert len(own) == 5
    for one, wanted in zip(own, kept.values(), strict=True):
        assert harness.error(np.asarray(one).reshape(wanted.shape), wanted) <= 1e-5
    # the normalised kernels give the outputs of the next call
    assert harness.error(net.predict(x), model.predict(x, verbose=0)) <= 2e-5
