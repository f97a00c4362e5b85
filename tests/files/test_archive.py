"""`.keras` archives that must be refused."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
from collections.abc import Callable

import numpy
import pytest
from hostile import code_of, hdf5, read_archive
from hypothesis import given, settings
from hypothesis import strategies as st

from kchainer.diagnostics import KchainerError
from kchainer.files import KerasArchive, Limits

WEIGHTS = hdf5(lambda file: file.create_dataset("layers/d/vars/0", data=numpy.arange(6, dtype="f4")))
MEMBERS = {
    "metadata.json": b"{}",
    "config.json": b'{"class_name": "Sequential"}',
    "model.weights.h5": WEIGHTS,
}


def archive(
    change: Callable[[zipfile.ZipFile], object] = lambda _: None,
    method: int = zipfile.ZIP_STORED,
    **members: bytes | None,
) -> bytes:
    """A sound archive with members added, replaced or (None) left out."""
    memory = io.BytesIO()
    content = {**MEMBERS, **{name.replace("__", "."): data for name, data in members.items()}}
    with warnings.catch_warnings(), zipfile.ZipFile(memory, "w", method) as file:
        warnings.simplefilter("ignore")
        for name, data in content.items():
            if data is not None:
                file.writestr(name, data)
        change(file)
    return memory.getvalue()


def _with_attributes(value: int) -> bytes:
    def change(file: zipfile.ZipFile) -> None:
        file.getinfo("config.json").external_attr = value

    return archive(change)


def _with_flag(flag: int) -> bytes:
    """Both headers of config.json say that it is encrypted."""
    data = bytearray(archive())
    local = data.index(b"config.json") - 30
    central = data.rindex(b"config.json") - 46
    data[local + 6] |= flag
    data[central + 8] |= flag
    return bytes(data)


def _with_size(size: int) -> bytes:
    data = bytearray(archive())
    struct.pack_into("<I", data, data.rindex(b"config.json") - 46 + 24, size)
    return bytes(data)


def _renamed_locally() -> bytes:
    data = archive()
    at = data.index(b"config.json")
    return data[:at] + b"konfig.json" + data[at + 11 :]


def _overlapping() -> bytes:
    data = bytearray(archive())
    struct.pack_into("<I", data, data.rindex(b"config.json") - 46 + 42, 0)
    return bytes(data)


def _many() -> bytes:
    return archive(lambda file: [file.writestr(f"x{i}", b"") for i in range(10_001)])


REFUSED = {
    "not a zip": (b"PK nothing", "KC106"),
    "hdf5": (WEIGHTS, "KC106"),
    "empty zip": (b"PK\x05\x06" + bytes(18), "KC106"),
    "no config": (archive(config__json=None), "KC106"),
    "no metadata": (archive(metadata__json=None), "KC106"),
    "second config": (archive(lambda file: file.writestr("config.json", b"{}")), "KC903"),
    "config in another case": (archive(lambda file: file.writestr("Config.JSON", b"{}")), "KC903"),
    "config by another path": (archive(lambda file: file.writestr("./config.json", b"{}")), "KC903"),
    "link": (_with_attributes(0o120777 << 16), "KC903"),
    "directory": (_with_attributes(0o040777 << 16), "KC903"),
    "encrypted": (_with_flag(1), "KC903"),
    "bzip2": (archive(method=zipfile.ZIP_BZIP2), "KC903"),
    "lzma": (archive(method=zipfile.ZIP_LZMA), "KC903"),
    "two sizes": (_with_size(7), "KC903"),
    "other local name": (_renamed_locally(), "KC905"),
    "overlap": (_overlapping(), "KC905"),
    "wrong crc": (archive().replace(b"Sequential", b"Sequentia1"), "KC905"),
    "cut": (archive()[:-30], "KC905"),
    "bomb": (archive(method=zipfile.ZIP_DEFLATED, config__json=b" " * 50_000_000), "KC901"),
    "large config": (archive(config__json=b" " * (2**26 + 1)), "KC901"),
    "many members": (_many(), "KC901"),
    "weights that are none": (archive(model__weights__h5=b"\x80\x04."), "KC106"),
}


@pytest.mark.parametrize(("data", "code"), REFUSED.values(), ids=REFUSED)
def test_archives_keras_never_writes_are_refused(data: bytes, code: str) -> None:
    assert code_of(lambda: read_archive(data)) == code


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_sound_archives_are_read(method: int) -> None:
    found = read_archive(archive(method=method))
    assert (found.metadata, found.config) == (MEMBERS["metadata.json"], MEMBERS["config.json"])
    assert found.weights is not None
    numpy.testing.assert_array_equal(found.weights.read("/layers/d/vars/0"), numpy.arange(6, dtype="f4"))
    assert not found.diagnostics.items


def test_archive_without_weights_has_none() -> None:
    data = archive(model__weights__h5=None)
    assert read_archive(data).weights is None


def test_other_members_are_not_read_and_odd_names_are_warned_of() -> None:
    data = archive(
        lambda file: [file.writestr(name, b"x") for name in ("../evil", "/abs", "assets/fine.txt")]
    )
    assert [item.code for item in read_archive(data).diagnostics.items] == ["KC903", "KC903"]


def test_limit_of_the_weights_is_that_of_the_model() -> None:
    with pytest.raises(KchainerError, match="model_bytes"):
        KerasArchive.open(io.BytesIO(archive()), name="m.keras", limits=Limits(model_bytes=100))


SEEDS = [archive(), archive(method=zipfile.ZIP_DEFLATED)]


@settings(derandomize=True, max_examples=200, deadline=2000)
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 2**32 - 1)), max_size=3),
    st.integers(0, 60),
)
def test_no_bytes_make_the_archive_reader_raise_anything_else(
    seed: bytes, edits: list[tuple[int, int]], cut: int
) -> None:
    data = bytearray(seed)
    for at, value in edits:  # the central directory and the end record stand last
        place = len(data) - 1 - at
        data[place : place + 4] = value.to_bytes(4, "little")[: len(data) - place]
    try:
        read_archive(bytes(data[: len(data) - cut // 20]))
    except KchainerError as error:
        str(error)
