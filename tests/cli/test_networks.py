"""Files of several networks through the commands, and variables of a spec."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import numpy as np
import pytest

import kchainer  # isort: skip
import chainer

from kchainer.cli import main

ROOT = Path(__file__).parent.parent.parent
ADGM = ROOT / "examples" / "adgm" / "networks.yaml"
SMALL = ["--set", "x=9", "--set", "width=8", "--set", "a=3", "--set", "z=4"]


def test_several_networks_are_converted_verified_and_loaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "adgm"
    assert main(["convert", str(ADGM), "-o", str(out), *SMALL]) == 0
    capsys.readouterr()
    assert main(["verify", str(out)]) == 0
    assert capsys.readouterr().out.count(" ok") == 8  # outputs of five networks
    nets = kchainer.load(out)
    plain = runpy.run_path(str(out / "model.py"))["Net"]()
    chainer.serializers.load_npz(out / "weights.npz", plain)
    x = np.random.default_rng(0).standard_normal((4, 9)).astype("f")
    with chainer.using_config("train", False):
        for got, want in zip(plain.q_a_x(x), nets.q_a_x(x), strict=True):
            np.testing.assert_array_equal(got.array, want.array)
    assert "q_a_x/dense_1/kernel" in kchainer.weights(nets)


def test_a_changed_weight_of_one_network_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "adgm"
    main(["convert", str(ADGM), "-o", str(out), *SMALL, "--quiet"])
    arrays = dict(np.load(out / "weights.npz"))
    arrays["q_z_axy/top/beta"] = arrays["q_z_axy/top/beta"] + 1
    np.savez(out / "weights.npz", **arrays)
    assert main(["verify", str(out)]) == 1
    assert '"q_z_axy/top' in capsys.readouterr().out


def test_inspect_shows_every_network(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(ADGM), "--set", "width=7", "--set", "activation=relu"]) == 0
    shown = capsys.readouterr().out
    assert all(
        name in shown for name in ("q_a_x", "q_y_ax", "q_z_axy", "p_x_yz", "p_a_xyz", "(N, 7)", "Relu")
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--set", "widht=7"], "did you mean `width`"),
        (["--set", "width"], "NAME=VALUE"),
        (["--set", "width=seven"], "expected an integer"),
    ],
)
def test_wrong_variables_are_told(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", str(ADGM), *arguments]) == 1
    assert said in capsys.readouterr().err


def test_variables_are_those_of_a_spec_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = {"class_name": "Sequential", "config": {"name": "s", "layers": []}}
    (tmp_path / "keras.json").write_text(json.dumps(config))
    assert main(["inspect", str(tmp_path / "keras.json"), "--set", "width=7"]) == 1
    assert "spec" in capsys.readouterr().err


def test_the_test_vector_of_an_embedding_has_numbers_of_rows(tmp_path: Path) -> None:
    """Keras writes the input of a first Embedding as float32."""
    layers = [
        {"class_name": "InputLayer", "config": {"batch_shape": [None, 5], "dtype": "float32", "name": "x"}},
        {"class_name": "Embedding", "config": {"input_dim": 3, "output_dim": 2, "mask_zero": True, "name": "e"}},
        {"class_name": "LSTM", "config": {"units": 2, "name": "l"}},
    ]  # fmt: skip
    config = {"class_name": "Sequential", "config": {"name": "s", "layers": layers}}
    (tmp_path / "m.json").write_text(json.dumps(config))
    assert main(["convert", str(tmp_path / "m.json"), "-o", str(tmp_path / "out"), "--quiet"]) == 0
    assert main(["verify", str(tmp_path / "out")]) == 0
