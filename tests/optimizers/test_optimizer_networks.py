"""Twenty steps of whole networks beside Keras: weights, running statistics and losses, for every optimizer."""

from __future__ import annotations

import chainer
import keras
import numpy as np
import pytest

import kchainer
from kchainer import optimizers
from kchainer.backends.chainer.build import arrays_of
from kchainer.backends.chainer.objectives import views_of
from kchainer.functions import losses
from kchainer.functions.weighting import Loss

L = keras.layers
STEPS = 20
RNG = np.random.default_rng(11)


def onehot(n, k):
    return np.eye(k, dtype="float32")[RNG.integers(0, k, n)]


def mlp():
    model = keras.Sequential(
        [keras.Input((6,)), L.Dense(8, activation="tanh"), L.Dense(5, activation="gelu"), L.Dense(3, activation="softmax")]
    )  # fmt: skip
    return model, RNG.normal(size=(12, 6)).astype("float32"), onehot(12, 3)


def cnn():
    model = keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            L.Conv2D(4, 3, padding="same", activation="relu"),
            L.BatchNormalization(momentum=0.8),
            L.MaxPooling2D(),
            # a bias before a normalisation has a gradient of 0: rounding noise, which Adam makes whole steps of
            L.DepthwiseConv2D(3, depth_multiplier=2, padding="same", use_bias=False),
            L.BatchNormalization(momentum=0.9),
            L.Activation("tanh"),
            L.Flatten(),
            L.Dense(3, activation="softmax"),
        ]
    )
    return model, RNG.normal(size=(10, 8, 8, 2)).astype("float32"), onehot(10, 3)


def embedding():
    model = keras.Sequential(
        [keras.Input((5,), dtype="int32"), L.Embedding(11, 6), L.Flatten(), L.Dense(7, activation="tanh"), L.Dense(3, activation="softmax")]
    )  # fmt: skip
    return model, RNG.integers(0, 11, (12, 5)).astype("int32"), onehot(12, 3)


NETWORKS = {"mlp": mlp, "cnn": cnn, "embedding": embedding}
# optimizer -> rate, options beside the defaults
CASES = {
    "SGD": (0.05, {"momentum": 0.9, "nesterov": True}, {"weight_decay": 0.1, "clipnorm": 0.3}),
    "RMSprop": (0.003, {"momentum": 0.5, "centered": True}, {"global_clipnorm": 0.5}),
    "Adagrad": (0.05, {}, {"clipvalue": 0.02}),
    "Adadelta": (1.0, {}, {"gradient_accumulation_steps": 2}),
    "Adam": (0.005, {"amsgrad": True}, {"use_ema": True, "ema_overwrite_frequency": 3, "ema_momentum": 0.8}),
    "AdamW": (0.005, {}, {"weight_decay": 0.2}),
    "Adamax": (0.005, {}, {"global_clipnorm": 0.5}),
    "Nadam": (0.005, {}, {"clipnorm": 0.1}),
    "Ftrl": (0.05, {"l1_regularization_strength": 1e-3, "l2_regularization_strength": 1e-2, "beta": 0.1}, {}),
    "Lion": (0.001, {}, {"weight_decay": 0.1}),
    "Lamb": (0.005, {}, {"gradient_accumulation_steps": 3}),
    "Adafactor": (0.02, {}, {"clipnorm": 0.3}),
    "Muon": (0.01, {}, {"weight_decay": 0.1}),
}
PAIRS = [
    pytest.param(net, name, options, id=f"{net}-{name}{'-options' * bool(options)}")
    for net in NETWORKS
    for name, (_, own, more) in CASES.items()
    for options in ([{}, {**own, **more}] if own or more else [{}])
]


def assert_close(got, wanted, first, what):
    error, scale, moved = np.abs(got - wanted).max(), np.abs(wanted).max(), np.abs(wanted - first).max()
    assert error <= 1e-4 * max(scale, 1e-3), (what, error, scale)
    # a float32 of size 1 moves by no less than 1.2e-7
    assert error <= max(2e-3 * moved, 2e-7 * scale), (what, error, moved)


@pytest.mark.parametrize(("network", "name", "options"), PAIRS)
def test_twenty_steps_agree_with_keras(tmp_path, network, name, options):
    keras.utils.set_random_seed(7)
    model, x, t = NETWORKS[network]()
    model.save(tmp_path / "model.keras")
    net = kchainer.load(tmp_path / "model.keras")
    rate = CASES[name][0]
    model.compile(getattr(keras.optimizers, name)(rate, **options), "categorical_crossentropy")
    optimizer = getattr(optimizers, name)(rate, **options).setup(net, views=views_of(net))
    loss = Loss(losses.categorical_crossentropy)
    first = {w.path: keras.ops.convert_to_numpy(w) for w in model.weights}
    for step in range(STEPS):
        wanted = model.train_on_batch(x, t)
        with chainer.using_config("train", True):
            value = loss(t, net(x))
        net.cleargrads()
        value.backward()
        optimizer.update()
        assert float(value.array) == pytest.approx(float(wanted), rel=1e-3, abs=1e-4), step
    got = arrays_of(net)
    assert len(got) == len(model.weights)
    for w in model.weights:
        key = w.path.split("/", 1)[1] if w.path not in got else w.path
        assert_close(got[key], keras.ops.convert_to_numpy(w), first[w.path], w.path)
