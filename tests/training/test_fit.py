"""``fit`` and ``compile``: Chainer's Trainer around the step, against Keras's own ``fit``; kills and resumes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import kchainer
from kchainer import KchainerError, Sequential
from kchainer.layers import Dense

import chainer  # isort: skip

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 4)).astype("float32")
T = np.eye(3, dtype="float32")[(X[:, 0] > 0).astype(int) + (X[:, 1] > 0.5)]


def ours() -> Any:
    layers = [
        Dense(8, activation="tanh", input_shape=(4,), kernel_regularizer="l2"),
        Dense(3, activation="softmax"),
    ]
    adam = {"class_name": "Adam", "config": {"learning_rate": 0.02}}
    return Sequential(layers).compile(adam, "categorical_crossentropy", ["accuracy"])


def test_history_is_that_of_keras(tmp_path: Path) -> None:
    """The same batches in the same order: losses, metrics and validation of three epochs."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, activation="tanh"),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "categorical_crossentropy", metrics=["accuracy"])
    model.save(tmp_path / "model.keras")
    weight = RNG.random(40).astype("float32")
    wanted = model.fit(
        X[:40], T[:40], sample_weight=weight, epochs=3, batch_size=10, shuffle=False, verbose=0,
        validation_data=(X[40:], T[40:]),
    ).history  # fmt: skip
    net = kchainer.load(tmp_path / "model.keras")
    log = kchainer.training.fit(
        net, X[:40], T[:40], sample_weight=weight, epochs=3, batch_size=10, shuffle=False,
        validation=(X[40:], T[40:]), progress=False,
    )  # fmt: skip
    names = {
        "main/loss": "loss",
        "main/categorical_accuracy": "accuracy",
        "validation/main/loss": "val_loss",
        "validation/main/categorical_accuracy": "val_accuracy",
    }
    assert [entry["epoch"] for entry in log] == [1, 2, 3]
    for name, theirs in names.items():
        np.testing.assert_allclose([entry[name] for entry in log], wanted[theirs], rtol=1e-4, err_msg=name)
    with chainer.using_config("train", False):
        np.testing.assert_allclose(net.predict(X), model.predict(X, verbose=0), rtol=1e-4, atol=1e-5)


def test_builder_compiles_and_learns(capsys: pytest.CaptureFixture[str]) -> None:
    np.random.seed(0)
    log = ours().fit(X, T, epochs=15, batch_size=5, validation=(X, T), seed=0)
    assert log[-1]["validation/main/categorical_accuracy"] > 0.8
    assert log[-1]["main/loss"] < 0.7 * log[0]["main/loss"]
    shown = capsys.readouterr().out
    assert "main/categorical_accuracy" in shown
    assert "validation/main/loss" in shown


def test_compile_tells_what_it_does_not_know() -> None:
    with pytest.raises(KchainerError) as caught:
        Sequential([Dense(3, input_shape=(4,))]).compile("adm", "mse").build()
    assert [d.code for d in caught.value.diagnostics] == ["KC201"]
    with pytest.raises(KchainerError) as caught:
        kchainer.training.from_compiled(Sequential([Dense(3, input_shape=(4,))]).build())
    assert [d.code for d in caught.value.diagnostics] == ["KC503"]


def test_custom_loss_is_told_when_training_is_asked_for(tmp_path: Path) -> None:
    def odd(y_true: Any, y_pred: Any) -> Any:
        return keras.ops.mean((y_true - y_pred) ** 4, axis=-1)

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model.compile("adam", odd)
    model.save(tmp_path / "model.keras")
    net = kchainer.load(tmp_path / "model.keras")
    assert net.predict(X).shape == (50, 3)
    assert [d.code for d in net.model.warnings] == ["KC501"]
    with pytest.raises(KchainerError, match="loss `odd` is not supported"):
        kchainer.training.from_compiled(net)
    assert net.model.to_optimizer(net) is None


def test_resumed_training_is_the_same(tmp_path: Path) -> None:
    def begun() -> Any:
        np.random.seed(4)
        return ours().build()

    whole = begun()
    log = whole.fit(X, T, epochs=4, batch_size=8, seed=2, progress=False, out=tmp_path / "whole")
    begun().fit(X, T, epochs=2, batch_size=8, seed=2, progress=False, out=tmp_path / "half")
    second = begun()
    again = second.fit(
        X, T, epochs=4, batch_size=8, seed=9, progress=False, out=tmp_path / "half", resume=True
    )
    assert [e["main/loss"] for e in again] == [e["main/loss"] for e in log]
    for a, b in zip(whole.net.params(), second.net.params(), strict=True):
        np.testing.assert_array_equal(a.array, b.array)
    assert sorted(p.name for p in (tmp_path / "half").iterdir()) == ["log", "snapshot.npz"]


def test_a_kill_leaves_a_whole_snapshot(tmp_path: Path) -> None:
    """Killed without warning again and again; what is left can always be resumed."""
    program = f"""
        import numpy as np
        from kchainer import Sequential
        from kchainer.layers import Dense
        x = np.random.RandomState(0).randn(64, 20).astype("f")
        net = Sequential([Dense(800, input_shape=(20,)), Dense(20)]).compile("adam", "mse")
        net.fit(x, x, epochs=10_000, batch_size=64, progress=False, out={str(tmp_path)!r}, resume=True,
                extend=[lambda trainer: print("step", flush=True)])
    """
    path = tmp_path / "snapshot.npz"
    for wait in (1, 3, 4):
        run = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE)
        assert run.stdout is not None
        for _ in range(wait):
            assert run.stdout.readline() == b"step\n"
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
        run.stdout.close()
        if path.exists():
            with np.load(path) as arrays:
                assert all(arrays[name] is not None for name in arrays.files)
    assert path.exists()


def test_wrong_sizes_are_told() -> None:
    with pytest.raises(ValueError, match="different numbers of samples"):
        ours().fit(X, T[:10], progress=False)


def test_compiled_settings_go_into_the_json_and_come_back() -> None:
    layers = kchainer.layers
    x = kchainer.Input((4,), name="x")
    h = layers.Dense(5, activation="tanh", kernel_regularizer="l2")(x)
    ends = [layers.Dense(3, activation="softmax", name="kind")(h), layers.Dense(1, name="size")(h)]
    model = kchainer.Model(x, ends)
    assert "training" not in model.to_dict()
    model.compile(
        {"class_name": "SGD", "config": {"learning_rate": 0.1, "momentum": 0.9}},
        {"kind": "categorical_crossentropy", "size": "huber"},
        {"size": ["mae"]},
        loss_weights={"kind": 1.0, "size": 0.5},
    )
    text = model.to_json()
    back = kchainer.from_json(text)
    assert json.loads(back.to_json())["training"] == json.loads(text)["training"]
    model.build()
    back.build()
    for (_, ours), (_, theirs) in zip(back.net.namedparams(), model.net.namedparams(), strict=True):
        ours.array[...] = theirs.array
    first, second = kchainer.training.from_compiled(model), kchainer.training.from_compiled(back)
    rng = np.random.default_rng(1)
    a = rng.normal(size=(7, 4)).astype("float32")
    ts = [np.eye(3, dtype="float32")[rng.integers(0, 3, 7)], rng.normal(size=(7, 1)).astype("float32")]
    losses = [first(a, ts) for _ in range(5)]
    assert [second(a, ts) for _ in range(5)] == losses
    assert losses[-1] < losses[0]
    assert second.metrics == first.metrics
