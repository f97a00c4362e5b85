"""`convert --verify`: Keras in a process of its own says what the outputs should have been."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import keras
import pytest

from kchainer.cli import main


@pytest.fixture
def model(tmp_path: Path) -> Path:
    x = keras.Input((8, 8, 3))
    h = keras.layers.Conv2D(4, 3, activation="relu", name="first")(x)
    h = keras.layers.Flatten()(h)
    path = tmp_path / "model.keras"
    keras.Model(x, keras.layers.Dense(2, activation="softmax", name="second")(h)).save(path)
    return path


def test_outputs_are_compared(model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", str(model), "-o", str(tmp_path / "out"), "--verify", "--quiet"]) == 0
    assert capfd.readouterr().out.endswith("ok\n")


def test_the_first_layer_that_differs_is_named(
    model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is changed between kchainer's reading and Keras's: only its second layer's activation."""
    from kchainer import bundle

    write = bundle.write

    def then_change(*args: object) -> object:
        written = write(*args)  # type: ignore[arg-type]
        with zipfile.ZipFile(model) as old:
            files = {name: old.read(name) for name in old.namelist()}
        config = json.loads(files["config.json"])
        config["config"]["layers"][-1]["config"]["activation"] = "sigmoid"
        with zipfile.ZipFile(model, "w") as new:
            for name, data in (files | {"config.json": json.dumps(config).encode()}).items():
                new.writestr(name, data)
        return written

    monkeypatch.setattr(bundle, "write", then_change)
    assert main(["convert", str(model), "-o", str(tmp_path / "out"), "--verify", "--quiet"]) == 1
    said = capfd.readouterr().out
    assert "DIFFERS" in said
    assert 'layer    "second" is the first that differs' in said


def test_without_keras_it_says_so(
    model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "none such")
    assert main(["convert", str(model), "-o", str(tmp_path / "out"), "--verify", "--quiet"]) == 1
    said = capfd.readouterr().err
    assert said.startswith("not verified: Keras does not run this file here: ValueError")
    assert (tmp_path / "out" / "weights.npz").exists()
