"""What old releases load by name, and what they leave: ``tests/fixtures/partial-weights``."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

import kchainer

FIXTURES = Path(__file__).parents[1] / "fixtures" / "partial-weights"
MARK = np.float32(0.123)
TARGETS = ("head", "swapped", "units", "features", "bias")


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("label", ["keras-2.3.1-tensorflow", "tf.keras-2.15"])
def test_by_name(label: str, target: str, skip: bool) -> None:
    with np.load(FIXTURES / f"{label}.npz") as file:
        start = f"{target}/{'skip' if skip else 'strict'}/"
        want = {key.removeprefix(start): file[key] for key in file.files if key.startswith(start)}
    config, weights = FIXTURES / f"{label}-{target}.json", FIXTURES / f"{label}.h5"
    if "-" in want:
        with pytest.raises(kchainer.KchainerError) as caught:
            kchainer.read(config, weights, by_name=True, skip_mismatch=skip)
        assert {d.code for d in caught.value.diagnostics} <= {"KC401", "KC402", "KC403"}
        return
    model = kchainer.read(config, weights, by_name=True, skip_mismatch=skip)
    ours = kchainer.weights(kchainer.api.to_chainer(model))
    loaded = {f"{layer}/{param}" for layer, param in model.arrays}
    assert set(ours) == set(want)
    assert loaded == {path for path, value in want.items() if not (value == MARK).all()}
    for path in loaded:
        assert np.array_equal(ours[path], want[path]), path
    assert all(d.severity == "warning" for d in model.warnings)
    assert {d.code for d in model.warnings} >= {"KC407"} or target in ("units", "features")


def test_other_kinds_of_files_are_refused() -> None:
    """Only Keras's files have layers and weights apart."""
    spec = Path(__file__).parents[1] / "fixtures" / "good" / "mlp.json"
    for how in ({"by_name": True}, {"skip_mismatch": True}):
        with pytest.raises(kchainer.KchainerError, match="Keras's files"):
            kchainer.read(spec, **how)


@pytest.mark.parametrize("shape", [(), (4,), (3, 4), (2, 3, 3), (1, 1, 2, 3, 4)])
def test_a_convolution_of_keras_1_with_an_array_of_another_rank(
    shape: tuple[int, ...], tmp_path: Path
) -> None:
    conv = {"name": "c", "nb_filter": 4, "nb_row": 3, "nb_col": 3, "batch_input_shape": [None, 2, 8, 8]}
    layer = {"class_name": "Convolution2D", "config": {**conv, "dim_ordering": "th"}}
    (tmp_path / "m.json").write_text(
        json.dumps({"class_name": "Sequential", "keras_version": "1.2.2", "config": [layer]})
    )
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.attrs["layer_names"] = [b"c"]
        group = file.create_group("c")
        group.attrs["weight_names"] = [b"c_W:0", b"c_b:0"]
        group["c_W:0"], group["c_b:0"] = np.ones(shape, "float32"), np.ones(4, "float32")
    with pytest.raises(kchainer.KchainerError) as caught:
        kchainer.read(tmp_path / "m.json", tmp_path / "w.h5")
    assert [d.code for d in caught.value.diagnostics] == ["KC403"]
    model = kchainer.read(tmp_path / "m.json", tmp_path / "w.h5", by_name=True, skip_mismatch=True)
    assert [d.code for d in model.warnings] == ["KC403"]
    assert [param for _, param in model.arrays] == ["bias"]


@pytest.mark.parametrize("shape", [(), (3,), (2, 4), (2, 3, 1)])
@pytest.mark.parametrize("at", [0, 3])
def test_gates_of_keras_1_that_differ(at: int, shape: tuple[int, ...], tmp_path: Path) -> None:
    """Never joined to something that fits by chance."""
    layer = {
        "class_name": "LSTM",
        "config": {"name": "r", "output_dim": 3, "batch_input_shape": [None, 5, 2]},
    }
    config = {"class_name": "Sequential", "keras_version": "1.2.2", "config": [layer]}
    (tmp_path / "m.json").write_text(json.dumps(config))
    names = [f"r_{kind}_{gate}" for gate in "icfo" for kind in "WUb"]
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.attrs["layer_names"] = [b"r"]
        group = file.create_group("r")
        group.attrs["weight_names"] = [name.encode() for name in names]
        for name in names:
            group[name] = np.ones({"W": (2, 3), "U": (3, 3), "b": (3,)}[name[2]], "float32")
        del group[names[at]]
        group[names[at]] = np.ones(shape, "float32")
    with pytest.raises(kchainer.KchainerError) as caught:
        kchainer.read(tmp_path / "m.json", tmp_path / "w.h5")
    assert [d.code for d in caught.value.diagnostics] == ["KC403"]


@pytest.mark.parametrize("archive", ["old-keras/keras-3.15-torch.zip", "preprocessing/keras-3.15.zip"])
def test_files_that_fit_are_read_alike(archive: str, tmp_path: Path) -> None:
    """With ``skip_mismatch`` nothing is left out of a file that fits, and nothing more is told."""
    read = 0
    with zipfile.ZipFile(FIXTURES.parent / archive) as every:
        for name in [n for n in every.namelist() if n.endswith((".keras", ".h5"))]:
            try:
                strict = kchainer.read(path := every.extract(name, tmp_path))
            except kchainer.KchainerError:  # weights alone, or something that is refused
                continue
            lenient = kchainer.read(path, skip_mismatch=True)
            told = [d for d in strict.warnings if d.code != "KC502"]  # the optimizer's state, left out then
            assert list(lenient.warnings) == told, name
            assert sorted(lenient.arrays) == sorted(strict.arrays), name
            read += 1
    assert read > 20
