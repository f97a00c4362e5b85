"""Dtype policies: computed as they ask where Chainer can, else refused, and allowed by name."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "torch"

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import kchainer


def model_of(policy: str, *, last: str | None = None) -> Any:
    keras.utils.set_random_seed(3)
    x = inputs = keras.Input((8, 9, 3), dtype="float32")
    x = keras.layers.Conv2D(6, 3, padding="same", strides=2, activation="relu", dtype=policy)(x)
    x = keras.layers.BatchNormalization(dtype=policy)(x)
    x = keras.layers.DepthwiseConv2D(3, dtype=policy)(x)
    x = keras.layers.LayerNormalization(dtype=policy)(x)
    x = keras.layers.AveragePooling2D(2, dtype=policy)(x)
    x = keras.layers.Flatten(dtype=policy)(x)
    x = keras.layers.Dropout(0.3, dtype=policy)(x)
    x = keras.layers.Dense(5, activation="tanh", dtype=policy)(x)
    x = keras.layers.Dense(4, activation="softmax", dtype=last or policy)(x)
    model = keras.Model(inputs, x)
    rng = np.random.default_rng(1)
    for v in model.weights:
        low = 0.5 if "variance" in v.path or "gamma" in v.path else -0.5
        v.assign(rng.uniform(low, low + 1, v.shape))
    return model


def inputs() -> Any:
    return np.random.default_rng(2).normal(size=(4, 8, 9, 3)).astype("float32")


def difference(net: Any, model: Any) -> float:
    theirs = model.predict(inputs(), verbose=0).astype("float64")
    return float(np.abs(net.predict(inputs()).astype("float64") - theirs).max() / np.abs(theirs).max())


# half of the spacing of float16 at 1 is 5e-4: eight layers of it
@pytest.mark.parametrize(("policy", "limit"), [("float16", 4e-3), ("float32", 1e-5), ("float64", 1e-6)])
@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_plain_policies_are_computed_in_their_dtype(
    policy: str, limit: float, ending: str, tmp_path: Path
) -> None:
    model = model_of(policy)
    path = tmp_path / f"m.{ending}"
    model.save(path)
    net = kchainer.load(path)
    assert net.dtype == policy
    assert {p.dtype for p in net.params()} == {np.dtype(policy)}
    assert net.predict(inputs()).dtype == np.dtype(policy)
    assert difference(net, model) < limit
    for key, value in kchainer.weights(net).items():
        assert value.dtype == np.dtype(policy), key


def stored(model: Any) -> list[Any]:
    return [keras.ops.convert_to_numpy(keras.ops.cast(v.value, "float32")) for v in model.weights]


# bfloat16 keeps 8 bits: 4e-3 for each of eight layers; mixed policies keep float32 variables
@pytest.mark.parametrize(
    ("policy", "last", "limit"),
    [
        ("mixed_float16", None, 4e-3), ("mixed_bfloat16", None, 4e-2), ("bfloat16", None, 4e-2),
        ("mixed_float16", "float32", 4e-3), ("float16", "float32", 4e-3),
    ],
)  # fmt: skip
@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_other_policies_are_refused_and_allowed_by_name(
    policy: str, last: str | None, limit: float, ending: str, tmp_path: Path
) -> None:
    model = model_of(policy, last=last)
    path = tmp_path / f"m.{ending}"
    model.save(path)
    with pytest.raises(kchainer.KchainerError) as caught:
        kchainer.load(path)
    (one,) = caught.value.diagnostics
    if (policy, ending) == ("bfloat16", "h5"):
        assert one.code == "KC404"  # Keras writes two bytes each and nothing that tells what they are
        return
    assert one.code == "KC206"
    assert policy in one.message
    assert "--allow KC206" in (one.hint or "")
    read = kchainer.read(path, allow=("KC206",))
    assert [d.code for d in read.warnings] == ["KC206"]
    net = read.to_chainer()
    assert difference(net, model) < limit
    have = list(kchainer.weights(net).values())
    by_shape = sorted((a.shape, a.sum()) for a in stored(model))
    for (shape, total), (ours, mine) in zip(by_shape, sorted((a.shape, a.sum()) for a in have), strict=True):
        assert shape == ours
        assert total == mine


def dense(dtype: Any, release: str) -> str:
    config = {"name": "d", "units": 2, "batch_input_shape": [None, 3], "dtype": dtype}
    return json.dumps(
        {
            "class_name": "Sequential",
            "keras_version": release,
            "config": [{"class_name": "Dense", "config": config}],
        }
    )


# how each release writes the same policy
FORMS: list[tuple[str, Any, str]] = [
    ("2.2.4", "float64", "float64"),
    ("2.3.1", "float16", "float16"),
    ("2.2.4-tf", {"class_name": "Policy", "config": {"name": "float64"}}, "float64"),
    ("2.4.0", {"class_name": "PolicyV1", "config": {"name": "float16", "loss_scale": None}}, "float16"),
    ("3.0.5", "float64", "float64"),
    ("3.6.0", {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float16"}, "registered_name": None}, "float16"),
    ("3.15.1", {"class_name": "DTypePolicyMap", "config": {"default_policy": None, "policy_map": {
        "d": {"class_name": "DTypePolicy", "config": {"name": "float64"}}}}}, "float64"),
]  # fmt: skip


@pytest.mark.parametrize(("release", "written", "dtype"), FORMS, ids=lambda v: str(v)[:30])
def test_forms(release: str, written: Any, dtype: str) -> None:
    assert kchainer.from_keras(dense(written, release)).dtype == dtype


@pytest.mark.parametrize(
    "written",
    [
        "float8", "int32", 3, {"class_name": "Policy", "config": {"name": "mixed_float8"}},
        {"class_name": "QuantizedDTypePolicy", "config": {"mode": "int2", "source_name": "float32"}},
        {"class_name": "Mine", "config": {}}, {"class_name": "Policy"}, ["float32"],
    ],
)  # fmt: skip
def test_what_is_no_float_policy_is_refused(written: Any) -> None:
    with pytest.raises(kchainer.KchainerError) as caught:
        kchainer.from_keras(dense(written, "3.15.1"))
    assert [d.code for d in caught.value.diagnostics] == ["KC204"]


def test_other_codes_cannot_be_allowed() -> None:
    with pytest.raises(kchainer.KchainerError) as caught:
        kchainer.from_keras(dense("float32", "2.3.1"), allow=("KC201",))
    assert [d.code for d in caught.value.diagnostics] == ["KC103"]


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from kchainer.cli import main

    model_of("mixed_float16").save(tmp_path / "m.keras")
    out = str(tmp_path / "out")
    assert main(["convert", str(tmp_path / "m.keras"), "-o", out]) == 1
    assert not (tmp_path / "out").exists()
    assert "KC206" in capsys.readouterr().err
    assert main(["convert", str(tmp_path / "m.keras"), "-o", out, "--allow", "KC206"]) == 0
    assert "warning[KC206]" in capsys.readouterr().err
    assert main(["verify", out]) == 0


def test_a_float16_network_is_written_and_read_back(tmp_path: Path) -> None:
    model = model_of("float16")
    model.save(tmp_path / "m.keras")
    kchainer.convert(tmp_path / "m.keras", tmp_path / "out")
    again = kchainer.load(tmp_path / "out")
    assert again.dtype == "float16"
    np.testing.assert_array_equal(
        again.predict(inputs()), kchainer.load(tmp_path / "m.keras").predict(inputs())
    )
