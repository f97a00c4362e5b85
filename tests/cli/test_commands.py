"""The commands as a user runs them: output, exit codes, and what is left on disk."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import kchainer
from kchainer.cli import main

ROOT = Path(__file__).parent.parent.parent
FACES = ROOT / "tests/fixtures/real-models/face_classification/gender_models"
MODEL = FACES / "gender_mini_XCEPTION.21-0.95.hdf5"
REFERENCE = FACES / "gender_mini_XCEPTION.21-0.95.npz"
DENSE = {"class_name": "Dense", "config": {"name": "d", "units": 3, "batch_input_shape": [None, 4]}}


def sequential(*layers: object) -> dict[str, object]:
    return {
        "class_name": "Sequential",
        "keras_version": "2.3.1",
        "backend": "tensorflow",
        "config": {"name": "s", "layers": list(layers)},
    }


def changed(**config: object) -> dict[str, object]:
    return {"class_name": "Dense", "config": DENSE["config"] | config}  # type: ignore[operator]


BAD = {
    "an unknown layer": (sequential({"class_name": "Densse", "config": {"name": "d"}}), "KC201", "Dense"),
    "a misspelt argument": (sequential(changed(unitss=3)), "KC103", "units"),
    "a wrong type": (sequential(changed(units="3")), "KC104", "an integer"),
    "a missing argument": (
        sequential({"class_name": "Dense", "config": {"name": "d", "batch_input_shape": [None, 4]}}),
        "KC105",
        "units",
    ),
    "a Lambda": (
        sequential(DENSE, {"class_name": "Lambda", "config": {"name": "l", "function": ["x", None, None]}}),
        "KC202",
        "never run",
    ),
    "no shape": (
        sequential({"class_name": "Dense", "config": {"name": "d", "units": 3}}),
        "KC305",
        "batch_input_shape",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_config_gives_a_place_and_a_hint(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, code, word = BAD[name]
    file, out = tmp_path / "bad.json", tmp_path / "out"
    file.write_text(json.dumps(config))
    assert main(["convert", str(file), "-o", str(out)]) == 1
    text = capsys.readouterr().err
    assert code in text
    assert word in text
    assert "bad.json:1:" in text
    assert "Traceback" not in text
    assert list(tmp_path.iterdir()) == [file]


def test_every_problem_is_reported_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "bad.json"
    layers = [
        DENSE,
        *({"class_name": name, "config": {"name": name}} for name in ("LSTM2", "Lstm", "Nonsense")),
    ]
    file.write_text(json.dumps(sequential(*layers)))
    assert main(["validate", str(file)]) == 1
    assert capsys.readouterr().err.count("error[KC201]") == 3


def test_missing_weight_extra_tensor_and_truncated_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = ROOT / "tests/fixtures/real-models/hls4ml/KERAS_3layer.weights.h5"
    config = json.loads((ROOT / "tests/fixtures/real-models/hls4ml/KERAS_3layer.json").read_text())
    layers = config["config"]["layers"]
    extra = tmp_path / "extra.json"
    renamed = json.loads(json.dumps(config).replace(layers[1]["name"], "another"))
    extra.write_text(json.dumps(renamed))
    assert main(["convert", str(extra), "--weights", str(weights), "-o", str(tmp_path / "out")]) == 1
    text = capsys.readouterr().err
    assert "KC401" in text
    assert "KC402" in text
    cut = tmp_path / "cut.h5"
    cut.write_bytes(MODEL.read_bytes()[:100_000])
    assert main(["convert", str(cut), "-o", str(tmp_path / "out")]) == 1
    assert "Traceback" not in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_convert_verify_and_load(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "gender"
    assert main(["convert", str(MODEL), "-o", str(out)]) == 0
    assert "52,658 parameters" in capsys.readouterr().out
    assert sorted(p.name for p in out.iterdir()) == ["check.npz", "model.json", "model.py", "weights.npz"]
    assert main(["verify", str(out)]) == 0
    assert main(["verify", str(out), "--reference", str(REFERENCE)]) == 0
    assert kchainer.verify(out, REFERENCE)[0] < 2e-6
    arrays = np.load(REFERENCE)
    arrays = {"x0": arrays["x0"], "y0": arrays["y0"] + 0.1}
    np.savez(tmp_path / "other.npz", **arrays)
    assert main(["verify", str(out), "--reference", str(tmp_path / "other.npz")]) == 1


def test_the_program_runs_with_plain_chainer_serializers(tmp_path: Path) -> None:
    out = tmp_path / "gender"
    kchainer.convert(MODEL, out)
    program = (
        "import model, chainer, numpy as np\n"
        "net = model.Net(); chainer.serializers.load_npz('weights.npz', net)\n"
        "z = np.load('check.npz')\n"
        "with chainer.using_config('train', False):\n"
        "    print(float(abs(net(z['x0']).array - z['y0']).max()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=out, capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 1e-6


def test_a_changed_weight_is_noticed_when_a_folder_is_loaded(tmp_path: Path) -> None:
    out = tmp_path / "gender"
    kchainer.convert(MODEL, out)
    with np.load(out / "weights.npz") as arrays:
        changed_arrays = {k: v + 0.01 if k.endswith("conv2d_1/W") else v for k, v in arrays.items()}
    np.savez(out / "weights.npz", **changed_arrays)
    with pytest.raises(kchainer.KchainerError) as caught:
        kchainer.load(out)
    assert caught.value.diagnostics[0].code == "KC406"


def test_theano_or_tensorflow_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    conv = {
        "name": "c",
        "nb_filter": 2,
        "nb_row": 2,
        "nb_col": 2,
        "border_mode": "same",
        "dim_ordering": "tf",
        "batch_input_shape": [None, 8, 8, 3],
    }
    config = {
        "class_name": "Sequential",
        "keras_version": "1.2.2",
        "config": [{"class_name": "Convolution2D", "config": conv}],
    }
    file = tmp_path / "k1.json"
    file.write_text(json.dumps(config))
    assert main(["validate", str(file)]) == 1
    text = capsys.readouterr().err
    assert "KC108" in text
    assert "--keras-backend" in text
    assert main(["validate", str(file), "--keras-backend", "theano"]) == 0


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["doctor"], ["explain", "KC103"], ["validate", str(MODEL)], ["inspect", str(MODEL)]],
)
def test_command_succeeds(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    assert capsys.readouterr().out


def test_usage_errors_are_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nonsense"]) == 2
    assert main(["convert"]) == 2
    assert main([]) == 2
    assert capsys.readouterr().err


def test_readme_shows_what_convert_and_validate_print(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = (ROOT / "README.md").read_text()
    monkeypatch.chdir(ROOT)
    assert main(["convert", str(MODEL.relative_to(ROOT)), "-o", str(tmp_path / "gender")]) == 0
    printed = capsys.readouterr().out.replace(str(tmp_path / "gender"), "gender")
    for line in printed.splitlines():
        assert line in readme
    assert main(["validate", "tests/fixtures/bad/misspelt.json"]) == 1
    assert capsys.readouterr().err.splitlines()[0] in readme
    assert main(["validate", "tests/fixtures/good/mlp.json"]) == 0
    assert capsys.readouterr().out in readme.replace("    tests/", "tests/")


def test_readme_python_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    code = (ROOT / "README.md").read_text().split("```python\n")[1].split("```")[0]
    exec(compile(code, "README.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Sequential"
    assert "fc1_relu/bias" in lines[1]


def test_demo_runs() -> None:
    done = subprocess.run(
        [sys.executable, "examples/demo.py"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "largest difference" in done.stdout


def test_an_internal_error_is_3_and_shows_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(*args: object, **kwargs: object) -> None:
        raise ModuleNotFoundError("No module named 'nothing'", name="nothing")

    monkeypatch.setattr("kchainer.api.read_document", missing)
    assert main(["validate", str(MODEL)]) == 3
    assert "please report" in capsys.readouterr().err


def test_the_first_layer_that_differs_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "gender"
    kchainer.convert(MODEL, out)
    with np.load(out / "check.npz") as arrays:
        names = arrays["layers"].tolist()
        assert arrays["digests"].shape == (len(names), 8)
        assert arrays["digests"].nbytes < 10_000
    with np.load(out / "weights.npz") as arrays:
        changed_arrays = {k: v * 1.01 if k == "conv2d_3/W" else v for k, v in arrays.items()}
    np.savez(out / "weights.npz", **changed_arrays)
    assert main(["verify", str(out)]) == 1
    assert 'layer    "conv2d_3" is the first that differs' in capsys.readouterr().out
    with pytest.raises(kchainer.KchainerError, match="conv2d_3"):
        kchainer.load(out)


def test_digests_are_those_of_the_layers_in_keras_shapes(tmp_path: Path) -> None:
    kchainer.convert(MODEL, tmp_path / "out")
    net = kchainer.load(tmp_path / "out")
    with np.load(tmp_path / "out/check.npz") as arrays:
        known = dict(zip(arrays["layers"].tolist(), arrays["digests"], strict=True))
        x = arrays["x0"][:1]
    import chainer

    with chainer.using_config("train", False):
        (made,) = net(x, outputs=["conv2d_3"])
    assert made.shape[-1] == net.conv2d_3.W.shape[0]
    flat = made.array.reshape(-1)
    places = np.linspace(0, flat.size - 1, 6).astype(int)
    want = [flat.mean(dtype="f8"), flat.std(dtype="f8"), *flat[places]]
    np.testing.assert_allclose(known["conv2d_3"], want, rtol=1e-5, atol=1e-7)
