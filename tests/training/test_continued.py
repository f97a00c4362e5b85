"""Ten steps in Keras, saved, ten steps here: against twenty in Keras. And steps as ``train_on_batch`` counts them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import kchainer
from kchainer.backends.chainer.build import arrays_of

import chainer  # isort: skip

L, O = keras.layers, keras.optimizers  # noqa: E741  as short as L
RNG = np.random.default_rng(3)


def onehot(n: int, k: int) -> Any:
    return np.eye(k, dtype="float32")[RNG.integers(0, k, n)]


def mlp() -> tuple[Any, Any, Any]:
    layers = [keras.Input((6,)), L.Dense(8, activation="tanh"), L.Dense(5, activation="gelu"), L.Dense(3, activation="softmax")]  # fmt: skip
    return keras.Sequential(layers), RNG.normal(size=(12, 6)).astype("float32"), onehot(12, 3)


def cnn() -> tuple[Any, Any, Any]:
    layers = [
        keras.Input((8, 8, 2)),
        L.Conv2D(4, 3, padding="same", activation="relu", kernel_regularizer="l2"),
        L.BatchNormalization(momentum=0.8),
        L.MaxPooling2D(),
        L.DepthwiseConv2D(3, padding="same", use_bias=False, depthwise_constraint="max_norm"),
        L.Activation("tanh"),
        L.Flatten(),
        L.Dense(3, activation="softmax"),
    ]
    return keras.Sequential(layers), RNG.normal(size=(10, 8, 8, 2)).astype("float32"), onehot(10, 3)


def embedding() -> tuple[Any, Any, Any]:
    layers = [keras.Input((5,), dtype="int32"), L.Embedding(11, 6), L.Flatten(), L.Dense(7, activation="tanh"), L.Dense(3, activation="softmax")]  # fmt: skip
    return keras.Sequential(layers), RNG.integers(0, 11, (12, 5)).astype("int32"), onehot(12, 3)


OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "SGD": lambda: O.SGD(0.05),
    "SGD-momentum": lambda: O.SGD(0.05, momentum=0.9, nesterov=True, weight_decay=0.01),
    "RMSprop": lambda: O.RMSprop(0.003),
    "RMSprop-centered": lambda: O.RMSprop(0.003, momentum=0.5, centered=True, clipnorm=0.5),
    "Adagrad": lambda: O.Adagrad(0.05),
    "Adadelta": lambda: O.Adadelta(1.0),
    "Adam": lambda: O.Adam(0.005),
    "Adam-amsgrad-ema": lambda: O.Adam(0.005, amsgrad=True, use_ema=True, ema_overwrite_frequency=7),
    "Adam-accumulated": lambda: O.Adam(0.005, gradient_accumulation_steps=3),
    "Adam-schedule": lambda: O.Adam(O.schedules.ExponentialDecay(0.01, 5, 0.5), global_clipnorm=0.5),
    "AdamW": lambda: O.AdamW(0.005, weight_decay=0.1),
    "Adamax": lambda: O.Adamax(0.005),
    "Nadam": lambda: O.Nadam(0.005),
    "Ftrl": lambda: O.Ftrl(0.05, l1_regularization_strength=1e-3),
    "Lion": lambda: O.Lion(0.001),
    "Lamb": lambda: O.Lamb(0.005),
    "Adafactor": lambda: O.Adafactor(0.02),
    "Muon": lambda: O.Muon(0.01),
    "LossScale": lambda: O.LossScaleOptimizer(O.Adam(0.005), dynamic_growth_steps=4),
}
# Keras itself cannot write these into .h5 ("name already exists").
NO_H5 = ("Adafactor", "LossScale")
# Rules that see axes, names or several arrays of one parameter.
EVERYWHERE = ("SGD-momentum", "RMSprop-centered", "Adam-amsgrad-ema", "Adafactor", "Muon")
PAIRS = [
    pytest.param(net, name, kind, id=f"{net.__name__}-{name}{kind}")
    for net in (mlp, cnn, embedding)
    for name in OPTIMIZERS
    for kind in (".keras", ".h5")
    if net is mlp or (name in EVERYWHERE and kind == ".keras")
    if not (kind == ".h5" and name in NO_H5)
]


def saved(model: Any, path: Path) -> Path:
    if path.suffix == ".h5":
        keras.src.legacy.saving.legacy_h5_format.save_model_to_hdf5(model, str(path))
    else:
        model.save(path)
    return path


def compare(net: Any, model: Any, before: dict[str, Any]) -> None:
    got = arrays_of(net)
    assert len(got) == len(model.weights)
    for w in model.weights:
        ours, wanted = (
            got[w.path.split("/", 1)[1] if w.path not in got else w.path],
            keras.ops.convert_to_numpy(w),
        )
        error, scale, moved = (
            np.abs(ours - wanted).max(),
            np.abs(wanted).max(),
            np.abs(wanted - before[w.path]).max(),
        )
        assert error <= 1e-4 * max(scale, 1e-3), (w.path, error, scale)
        assert error <= max(2e-3 * moved, 2e-7 * scale), (w.path, error, moved)


def weights(model: Any) -> dict[str, Any]:
    return {w.path: np.array(keras.ops.convert_to_numpy(w)) for w in model.weights}


@pytest.mark.parametrize(("make", "name", "kind"), PAIRS)
def test_training_goes_on_where_keras_stopped(tmp_path: Path, make: Any, name: str, kind: str) -> None:
    keras.utils.set_random_seed(5)
    model, x, t = make()
    before = weights(model)
    model.compile(OPTIMIZERS[name](), "categorical_crossentropy", metrics=["accuracy"])
    for _ in range(10):
        model.train_on_batch(x, t)
    net = kchainer.load(saved(model, tmp_path / f"model{kind}"))
    assert not net.model.warnings
    step = kchainer.training.from_compiled(net)
    scaled = getattr(step.optimizer, "inner", step.optimizer)
    assert scaled.t == 10
    for _ in range(10):
        wanted = float(model.train_on_batch(x, t)[0])
        model.reset_metrics()
        assert step(x, t) == pytest.approx(wanted, rel=1e-3, abs=1e-5)
    compare(net, model, before)


def several() -> Any:
    """Two inputs, three outputs of which one has no loss, penalties of all kinds, a constraint, a frozen layer."""
    a, b = keras.Input((4,), name="a"), keras.Input((3,), name="b")
    shared = L.Dense(5, activation="relu", activity_regularizer="l2", kernel_regularizer="l1", name="shared")
    frozen = L.Dense(4, name="frozen", trainable=False, kernel_regularizer="l2")
    left = L.Dense(5, kernel_regularizer=keras.regularizers.OrthogonalRegularizer(0.1), name="left")(a)
    right = L.ActivityRegularization(l1=0.01)(L.Dense(5, kernel_constraint="unit_norm", name="right")(b))
    both = L.Add()([shared(frozen(a)), shared(L.Dense(4, name="lift")(right))])
    out = [
        L.Dense(3, activation="softmax", name="classes")(both),
        L.Dense(1, name="value")(left),
        L.Dense(2, activation="sigmoid", name="flags")(both),
    ]
    return keras.Model([a, b], out)


@pytest.mark.parametrize("named", [False, True])
def test_several_outputs(tmp_path: Path, named: bool) -> None:
    keras.utils.set_random_seed(6)
    model = several()
    names = ["classes", "value", "flags"]
    losses, factors = ["sparse_categorical_crossentropy", "mse", "binary_crossentropy"], [1.0, 0.3, 2.0]
    settings: dict[str, Any] = {
        "loss": losses,
        "loss_weights": factors,
        "metrics": [["accuracy"], ["mae"], []],
    }
    if named:
        settings = {k: dict(zip(names, v, strict=True)) for k, v in settings.items()}
    model.compile(O.Adam(0.01), **settings)
    before = weights(model)
    xs = [RNG.normal(size=(9, n)).astype("float32") for n in (4, 3)]
    ts = [RNG.integers(0, 3, (9,)), RNG.normal(size=(9, 1)).astype("float32"), RNG.integers(0, 2, (9, 2)).astype("float32")]  # fmt: skip
    ws = [RNG.random(9).astype("float32") for _ in ts]
    net = kchainer.load(saved(model, tmp_path / "model.keras"))
    step = kchainer.training.from_compiled(net)
    for i in range(5):
        weight = ws if i % 2 else None
        wanted = float(model.train_on_batch(xs, ts, sample_weight=weight)[0])
        model.reset_metrics()
        given = dict(zip(names, ts, strict=True)) if i == 2 else ts
        inputs = {"a": xs[0], "b": xs[1]} if i == 3 else xs
        assert step(inputs, given, sample_weight=weight) == pytest.approx(wanted, rel=1e-4)
    assert set(step.metrics) == {"classes_sparse_categorical_accuracy", "value_mae"}
    compare(net, model, before)


def test_class_weight(tmp_path: Path) -> None:
    keras.utils.set_random_seed(7)
    model, x, t = mlp()
    before = weights(model)
    model.compile(O.SGD(0.1), keras.losses.CategoricalCrossentropy(label_smoothing=0.1))
    step = kchainer.training.from_compiled(kchainer.load(saved(model, tmp_path / "model.keras")))
    for _ in range(3):
        wanted = float(model.train_on_batch(x, t, class_weight={0: 0.5, 2: 3.0}))
        assert step(x, t, class_weight={0: 0.5, 2: 3.0}) == pytest.approx(wanted, rel=1e-4)
        model.reset_metrics()
    compare(step.net, model, before)


@pytest.mark.parametrize("name", ["Adam", "SGD-momentum", "Nadam", "LossScale", "Adam-accumulated"])
def test_state_is_saved_and_resumed_here(tmp_path: Path, name: str) -> None:
    model, x, t = mlp()
    model.compile(OPTIMIZERS[name](), "categorical_crossentropy")
    model.train_on_batch(x, t)
    path = saved(model, tmp_path / "model.keras")
    whole = kchainer.training.from_compiled(kchainer.load(path))
    first = kchainer.training.from_compiled(kchainer.load(path))
    for _ in range(4):
        whole(x, t)
        first(x, t)
    chainer.serializers.save_npz(tmp_path / "net.npz", first.net)
    chainer.serializers.save_npz(tmp_path / "state.npz", first.optimizer)
    second = kchainer.training.from_compiled(kchainer.load(path))
    chainer.serializers.load_npz(tmp_path / "net.npz", second.net)
    chainer.serializers.load_npz(tmp_path / "state.npz", second.optimizer)
    for _ in range(4):
        assert whole(x, t) == second(x, t)


def unused_halves() -> Any:
    """A nested model of which one output is used: what makes the others runs in Keras, and its penalties count."""
    x = keras.Input((6, 3))
    seen = L.Masking()(x)
    used = L.Dense(4, activation="tanh", name="used")(seen)
    unused = [
        L.Dense(5, activation="relu", activity_regularizer="l2", name="active")(x),
        L.Dense(2, kernel_regularizer="l2", bias_regularizer="l1", name="weighed")(x),
        L.ActivityRegularization(l2=0.1)(L.Dense(3, name="before")(x)),
        L.BatchNormalization(momentum=0.5, name="moving")(x),
    ]
    inner = keras.Model(x, [used, *unused], name="inner")
    again = keras.Input((6, 3))
    return keras.Model(again, L.Dense(1, name="value")(inner(again)[0]))


def test_what_nobody_uses_of_a_nested_model(tmp_path: Path) -> None:
    keras.utils.set_random_seed(9)
    model = unused_halves()
    x, t = RNG.normal(size=(9, 6, 3)).astype("float32"), RNG.normal(size=(9, 6, 1)).astype("float32")
    x[:, 4:] = 0
    model.compile(O.SGD(0.05), "mse")
    step = kchainer.training.from_compiled(kchainer.load(saved(model, tmp_path / "model.keras")))
    for _ in range(4):
        wanted = float(model.train_on_batch(x, t))
        model.reset_metrics()
        assert step(x, t) == pytest.approx(wanted, rel=1e-4)
    got = arrays_of(step.net)
    for w in model.weights:  # Keras names them without the nested model
        ours = got[w.path if w.path in got else f"inner/{w.path}"]
        np.testing.assert_allclose(ours, keras.ops.convert_to_numpy(w), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("train", [False, True])
def test_the_states_of_a_call_that_nobody_uses_move(tmp_path: Path, train: bool) -> None:
    x = keras.Input(batch_shape=(2, 6, 3))
    inner = keras.Model(x, [L.Dense(2)(x), L.SimpleRNN(4, stateful=True, name="rnn")(x)], name="inner")
    a, b = keras.Input(batch_shape=(2, 6, 3), name="a"), keras.Input(batch_shape=(2, 6, 3), name="b")
    model = keras.Model([a, b], [inner(a)[0], inner(b)[1]])
    net = kchainer.load(saved(model, tmp_path / "model.keras"))
    for _ in range(3):
        given = [RNG.normal(size=(2, 6, 3)).astype("float32") for _ in range(2)]
        wanted = model(given, training=train)[1].detach().numpy()
        with chainer.using_config("train", train):
            np.testing.assert_allclose(net(*given)[1].array, wanted, rtol=1e-5, atol=1e-6)


def test_inference_runs_nothing_that_nobody_uses(tmp_path: Path) -> None:
    net = kchainer.load(saved(unused_halves(), tmp_path / "model.keras"))
    hook = chainer.function_hooks.TimerHook()
    x = RNG.normal(size=(2, 6, 3)).astype("float32")
    mean = net.inner_moving.avg_mean.copy()
    with hook, chainer.using_config("train", False):
        net(x)
    ran = {name for name, _ in hook.call_history}
    assert not {"FixedBatchNormalization", "ReLU"} & ran
    with chainer.using_config("train", True):
        net(x)
    assert not np.array_equal(net.inner_moving.avg_mean, mean)
