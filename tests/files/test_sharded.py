"""Indexes of sharded weights and shards of unknown origin: nothing outside of the folder, nothing left out."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from kchainer.diagnostics import KchainerError
from kchainer.files import Limits, ShardedWeights
from kchainer.frontends.keras.reader import open_weights

A, B = "/layers/a/vars", "/layers/b/vars"
GOOD: dict[str, Any] = {A: "w_0.weights.h5", B: ["w_0.weights.h5", "w_1.weights.h5"]}


def write(folder: Path, table: object = GOOD, **more: object) -> Path:
    """Two shards, between which the arrays of one layer are parted, and an index."""
    with h5py.File(folder / "w_0.weights.h5", "w") as file:
        file[f"{A}/0"], file[f"{B}/0"] = np.arange(6.0).reshape(2, 3), np.ones(4, "float32")
    with h5py.File(folder / "w_1.weights.h5", "w") as file:
        file[f"{B}/1"] = np.full((2, 2), 7.0)
    index = folder / "w.weights.json"
    index.write_text(json.dumps({"metadata": {"total_size": 9.0}, "weight_map": table, **more}))
    return index


def opened(index: Path, **limits: int) -> ShardedWeights:
    made = open_weights(index, Limits(**limits))
    assert isinstance(made, ShardedWeights)
    return made


def test_one_file(tmp_path: Path) -> None:
    with opened(write(tmp_path)) as file:
        assert file.datasets() == [f"{A}/0", f"{B}/0", f"{B}/1"]
        assert file.children("/layers") == ["a", "b"]
        assert file.children(B) == ["0", "1"]
        assert f"{B}/1" in file
        assert "/layers/c" not in file
        assert file.is_group(B)
        assert not file.is_group(f"{B}/1")
        assert file.attributes() == {}
        assert file.dataset(f"{A}/0").shape == (2, 3)
        assert (file.read(f"{B}/1") == 7).all()
        target = np.empty((2, 3))
        file.copy_to(f"{A}/0", target)
        assert (target == np.arange(6.0).reshape(2, 3)).all()
        with pytest.raises(KchainerError, match="no shard"):
            file.read("/layers/c/vars/0")


def test_by_a_name_without_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path)
    monkeypatch.chdir(tmp_path)
    with opened(Path("w.weights.json")) as file:
        assert len(file.datasets()) == 3


def changed(change: Callable[[h5py.File], object], name: str = "w_1.weights.h5") -> Callable[[Path], object]:
    def done(folder: Path) -> None:
        with h5py.File(folder / name, "a") as file:
            change(file)

    return done


def outside(folder: Path) -> None:
    """A file that exists, outside of the folder of the index."""
    os.replace(folder / "w_1.weights.h5", folder.parent / "out.weights.h5")  # noqa: PTH105


def linked(folder: Path) -> None:
    outside(folder)
    (folder / "w_1.weights.h5").symlink_to(folder.parent / "out.weights.h5")


def piped(folder: Path) -> None:
    (folder / "w_1.weights.h5").unlink()
    os.mkfifo(folder / "w_1.weights.h5")


def files(*names: object) -> dict[str, Any]:
    return {**GOOD, B: ["w_0.weights.h5", *names]}


def nothing(folder: Path) -> None:
    """The shards are good."""


NAMES: dict[str, object] = {
    "up": "../out.weights.h5",
    "down": "sub/w.weights.h5",
    "root": "/etc/w.weights.h5",
    "backslash": "..\\out.weights.h5",
    "drive": "c:out.weights.h5",
    "NUL": "w\0.weights.h5",
    "newline": "w\n.weights.h5",
    "the folder": ".",
    "the folder above": "..",
    "another kind": "passwd",
    "no text": 7,
    "a list": ["w_1.weights.h5"],
    "null": None,
    "empty": "",
}
CASES: dict[str, tuple[object, Callable[[Path], object], str, str]] = {
    "table is a list": ([], nothing, "KC104", "no object"),
    "table is null": (None, nothing, "KC104", "no object"),
    "group goes up": ({**GOOD, "/layers/../vars": "w_0.weights.h5"}, nothing, "KC104", "group"),
    "group is relative": ({**GOOD, "layers/c/vars": "w_0.weights.h5"}, nothing, "KC104", "group"),
    "group is no list of variables": ({**GOOD, "/layers/c": "w_0.weights.h5"}, nothing, "KC104", "group"),
    "group is empty": ({**GOOD, "": "w_0.weights.h5"}, nothing, "KC104", "group"),
    "no files": ({**GOOD, B: []}, nothing, "KC104", "no list"),
    "files are an object": ({**GOOD, B: {"a": 1}}, nothing, "KC104", "no list"),
    "missing shard": (GOOD, lambda f: (f / "w_1.weights.h5").unlink(), "KC101", "no such file"),
    "shard is a folder": (files("d.h5"), lambda f: (f / "d.h5").mkdir(), "KC101", "directory"),
    "shard is a link": (GOOD, linked, "KC101", "a link"),
    "shard is a pipe": (GOOD, piped, "KC101", "pipe"),
    "shard is text": (GOOD, lambda f: (f / "w_1.weights.h5").write_text("a: 1"), "KC106", "yaml"),
    "shard is empty": (GOOD, lambda f: (f / "w_1.weights.h5").write_bytes(b""), "KC106", "no HDF5"),
    "shard is cut off": (GOOD, lambda f: os.truncate(f / "w_1.weights.h5", 700), "KC905", "damaged"),
    "array in two shards": (GOOD, changed(lambda f: f.__setitem__(f"{B}/0", [1.0])), "KC905", "two shards"),
    "array that is not listed": (
        GOOD, changed(lambda f: f.__setitem__(f"{A}/1", [1.0])), "KC905", "does not list",
    ),
    "group without arrays": (
        {**GOOD, A: ["w_0.weights.h5", "w_1.weights.h5"]}, nothing, "KC401", "no array",
    ),
    "array is a group": (GOOD, changed(lambda f: f.__setitem__(f"{B}/2/x", [1.0])), "KC905", "does not list"),
    "external link": (
        GOOD, changed(lambda f: f.__setitem__(f"{B}/2", h5py.ExternalLink("w_0.weights.h5", f"{A}/0"))),
        "KC902", "external",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_refused(name: str, tmp_path: Path) -> None:
    table, change, code, says = CASES[name]
    (tmp_path / "in").mkdir()
    index = write(tmp_path / "in", table)
    change(tmp_path / "in")
    with pytest.raises(KchainerError) as caught:
        opened(index)
    (found,) = caught.value.diagnostics
    assert found.code == code
    assert says in found.message


@pytest.mark.parametrize("name", NAMES)
def test_names_of_files(name: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    index = write(tmp_path / "in", files(NAMES[name]))
    outside(tmp_path / "in")
    with pytest.raises(KchainerError) as caught:
        opened(index)
    (found,) = caught.value.diagnostics
    assert found.code == "KC104"
    assert found.pointer == "/weight_map/~1layers~1b~1vars"
    assert found.line == 1
    assert found.message.isprintable()


def test_a_missing_shard_is_told_with_its_place(tmp_path: Path) -> None:
    index = write(tmp_path)
    (tmp_path / "w_1.weights.h5").unlink()
    with pytest.raises(KchainerError) as caught:
        opened(index)
    (found,) = caught.value.diagnostics
    assert found.file == str(index)
    assert found.found == "w_1.weights.h5"
    assert found.pointer == "/weight_map/~1layers~1b~1vars"


@pytest.mark.parametrize("limit", ["shards", "model_bytes", "hdf5_objects", "text_bytes", "depth"])
def test_limits(limit: str, tmp_path: Path) -> None:
    with pytest.raises(KchainerError) as caught:
        opened(write(tmp_path), **{limit: 1})
    assert caught.value.diagnostics[0].code == "KC901"
    assert f"`{limit}`" in caught.value.diagnostics[0].message


def test_many_shards_are_refused_before_any_is_opened(tmp_path: Path) -> None:
    index = write(tmp_path, {A: [f"w_{i}.h5" for i in range(100_000)]})
    with pytest.raises(KchainerError, match="shards"):
        opened(index)


@pytest.mark.parametrize(
    "text", ['{"weight_map": {}, "weight_map": 1}', '{"weight_map": NaN}', '{"weight_map": {']
)
def test_json_is_strict(text: str, tmp_path: Path) -> None:
    (tmp_path / "w.weights.json").write_text(text)
    with pytest.raises(KchainerError):
        open_weights(tmp_path / "w.weights.json")


def test_nothing_stays_open_after_an_error(tmp_path: Path) -> None:
    index = write(tmp_path)
    os.truncate(tmp_path / "w_1.weights.h5", 700)
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for _ in range(5):
        with pytest.raises(KchainerError):
            opened(index)
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
