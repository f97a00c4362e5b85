"""Opening what is no file, and writing that leaves the old output or the new one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hostile import code_of

from kchainer.diagnostics import KchainerError
from kchainer.files import Limits, atomic_directory, atomic_write, open_regular, refuse_same_file, sniff


def _fail(path: Path) -> None:
    with atomic_write(path) as file:
        file.write(b"half")
        raise RuntimeError("stop")


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path, tmp_path / "fifo", Path("/dev/zero"), tmp_path / "absent", "a\0b"):
        assert code_of(lambda path=path: open_regular(path)) == "KC101"


def test_link_to_a_file_is_opened(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with open_regular(tmp_path / "b") as file:
        assert file.read() == b"x"


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b'  {"a"', "json"),
        (b"\xef\xbb\xbf[", "json"),
        (b"class_name: Model\n", "yaml"),
        (b"\x89HDF\r\n\x1a\n", "hdf5"),
        (b"PK\x03\x04", "zip"),
        (b"\x80\x04\x95", "pickle"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"\x93NUMPY", "npy"),
        (b"\x00\x01", "unknown"),
        (b"", "unknown"),
    ],
)
def test_kind_is_told_by_content(head: bytes, kind: str) -> None:
    assert sniff(head) == kind


def test_write_replaces_the_old_file_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError):
        _fail(path)
    assert path.read_bytes() == b"old"
    with atomic_write(path, mode="w") as file:
        file.write("né\n")
    assert path.read_bytes() == "né\n".encode()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_writes_that_the_system_refuses_are_diagnostics(tmp_path: Path) -> None:
    (tmp_path / "dir").mkdir()
    cases = {tmp_path / "absent" / "out": "KC906", tmp_path / "dir": "KC904", Path("/dev/full"): "KC904"}
    for path, code in cases.items():
        assert code_of(lambda path=path: atomic_write(path).__enter__()) == code
    assert [path.name for path in tmp_path.iterdir()] == ["dir"]


def test_directory_is_merged_and_keeps_other_files(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "mine").write_text("kept")
    (target / "model").write_text("old")
    with atomic_directory(target) as folder:
        (folder / "model").write_text("new")
    assert sorted((path.name, path.read_text()) for path in target.iterdir()) == [
        ("mine", "kept"),
        ("model", "new"),
    ]
    with pytest.raises(RuntimeError), atomic_directory(target) as folder:  # noqa: PT012  both are in the block
        (folder / "model").write_text("half")
        raise RuntimeError("stop")
    assert (target / "model").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_output_that_is_the_input_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert code_of(lambda: refuse_same_file(tmp_path / "b", tmp_path / "a")) == "KC904"


def test_limits_are_set_by_name() -> None:
    assert Limits().changed(["depth=9", "values=1_000"]) == Limits(depth=9, values=1000)
    for setting, code in {"deep=1": "KC103", "depth=-1": "KC104", "depth": "KC104"}.items():
        with pytest.raises(KchainerError) as caught:
            Limits().changed([setting])
        assert caught.value.diagnostics[0].code == code
