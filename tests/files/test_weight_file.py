"""HDF5 files that must be refused, and layouts that must be read as h5py reads them."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy
import pytest
from hostile import code_of, hdf5, read_everything
from hypothesis import given, settings
from hypothesis import strategies as st

from kchainer.diagnostics import KchainerError
from kchainer.files import Limits, WeightFile
from kchainer.ir.arrays import LazyArray

FLOATS = numpy.arange(24, dtype="f4").reshape(4, 6)


def _virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout(shape=(4,), dtype="f4")
    layout[:] = h5py.VirtualSource(".", "x", shape=(4,))
    file.create_virtual_dataset("x", layout)


def _external_storage(file: h5py.File) -> None:
    file.create_dataset("x", (4,), "f4", external=[("/etc/hostname", 0, 16)])


def _link(kind: str) -> Callable[[h5py.File], None]:
    links = {
        "external": lambda: h5py.ExternalLink("other.h5", "/x"),
        "soft": lambda: h5py.SoftLink("/a"),
        "dangling": lambda: h5py.SoftLink("/nowhere"),
        "circle": lambda: h5py.SoftLink("/x"),
    }

    def write(file: h5py.File) -> None:
        file["a"] = FLOATS
        file["x"] = links[kind]()

    return write


def _dataset(**options: object) -> Callable[[h5py.File], None]:
    return lambda file: file.create_dataset("x", **options) and None


def _deep(file: h5py.File) -> None:
    file.create_group("/".join(["a"] * 100))


def _committed(file: h5py.File) -> None:
    file["t"] = numpy.dtype("f4")
    file.create_dataset("x", (4,), dtype=file["t"])


REFUSED = {
    "virtual": (_virtual, "KC902"),
    "external storage": (_external_storage, "KC902"),
    "external link": (_link("external"), "KC902"),
    "soft link": (_link("soft"), "KC902"),
    "dangling link": (_link("dangling"), "KC902"),
    "circle of links": (_link("circle"), "KC902"),
    "committed type": (_committed, "KC902"),
    "deep groups": (_deep, "KC901"),
    "null": (_dataset(data=h5py.Empty("f4")), "KC404"),
    "complex": (_dataset(data=numpy.zeros(3, "c8")), "KC404"),
    "compound": (_dataset(data=numpy.zeros(3, [("a", "f4")])), "KC404"),
    "text": (_dataset(data=numpy.array([b"abc"])), "KC404"),
    "vlen text": (_dataset(data=["abc"], dtype=h5py.string_dtype()), "KC404"),
    "vlen": (_dataset(shape=(3,), dtype=h5py.vlen_dtype("f4")), "KC404"),
    "reference": (_dataset(shape=(3,), dtype=h5py.ref_dtype), "KC404"),
    "opaque": (_dataset(data=numpy.zeros(3, "V2")), "KC404"),
    "array": (_dataset(shape=(3,), dtype=numpy.dtype(("f4", (2,)))), "KC404"),
    "enum": (_dataset(shape=(3,), dtype=h5py.enum_dtype({"a": 1, "b": 2, "c": 3})), "KC404"),
    "long double": (_dataset(data=numpy.zeros(3, "g")), "KC404"),
    "unsigned": (_dataset(data=numpy.zeros(3, "u4")), "KC404"),
    "never written": (_dataset(shape=(3,), dtype="f4"), "KC905"),
    "sparse chunks": (_dataset(shape=(300,), dtype="f4", chunks=(3,)), "KC905"),
    "scale-offset filter": (_dataset(data=numpy.arange(9), chunks=(3,), scaleoffset=0), "KC404"),
    "rank": (_dataset(data=numpy.zeros((1,) * 9)), "KC901"),
    "bomb": (_dataset(data=numpy.zeros(2**23, "f4"), chunks=(2**23,), compression="gzip"), "KC901"),
    "claims too much": (_dataset(shape=(2**34,), dtype="f4"), "KC901"),
}


@pytest.mark.parametrize(("write", "code"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_structures_keras_never_writes_are_refused(
    write: Callable[[h5py.File], None], code: str, libver: str
) -> None:
    data = hdf5(write, libver=libver)
    # the newest index of chunks is refused before anything else is looked at
    chunked = libver == "latest" and data.count(b"OHDR") and code in {"KC901", "KC905"}
    assert code_of(lambda: read_everything(data)) in ({code, "KC404"} if chunked else {code})


READ = {
    "float16": {"data": FLOATS.astype("f2")},
    "float32": {"data": FLOATS},
    "float64": {"data": FLOATS.astype("f8")},
    "big-endian": {"data": FLOATS.astype(">f4")},
    "int8": {"data": FLOATS.astype("i1")},
    "int64": {"data": FLOATS.astype("i8")},
    "uint8": {"data": FLOATS.astype("u1")},
    "bool": {"data": FLOATS > 3},
    "scalar": {"data": numpy.float32(3)},
    "empty": {"data": numpy.zeros((0, 3), "f4")},
    "chunks": {"data": FLOATS, "chunks": (3, 4)},
    "gzip": {"data": FLOATS, "chunks": (3, 4), "compression": "gzip"},
    "lzf": {"data": numpy.tile(FLOATS, (20, 20)), "chunks": (30, 40), "compression": "lzf"},
    "all filters": {
        "data": FLOATS.astype(">f8"),
        "chunks": (2, 5),
        "compression": "gzip",
        "shuffle": True,
        "fletcher32": True,
    },
    "fletcher32 of odd bytes": {"data": FLOATS.astype("i1"), "chunks": (3, 3), "fletcher32": True},
    "fletcher32 of zeros": {"data": FLOATS * 0, "chunks": (4, 6), "fletcher32": True},
}


@pytest.mark.parametrize("options", READ.values(), ids=READ)
def test_arrays_are_those_of_h5py(options: dict[str, object]) -> None:
    data = hdf5(lambda file: file.create_dataset("g/x", **options))
    with h5py.File(io.BytesIO(data)) as reference:
        expected = reference["g/x"][()]
    found = read_everything(data)["/g/x"][1]
    numpy.testing.assert_array_equal(found, expected)
    assert found.dtype == numpy.asarray(expected).dtype.newbyteorder("=")
    assert found.flags.writeable


def test_bfloat16_as_keras_3_writes_it() -> None:
    bits = numpy.array([0x3F80, 0xC000, 0x7F80], "<u2")  # 1, -2, infinity

    def write(file: h5py.File) -> None:
        file.create_dataset("x", data=bits.view("V2"))
        file["x"].attrs["dtype"] = "bfloat16"

    found = read_everything(hdf5(write))["/x"][1]
    numpy.testing.assert_array_equal(found, numpy.array([1, -2, numpy.inf], "f4"))


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize("count", [1, 12, 500])
@pytest.mark.parametrize("track_order", [False, True])
def test_groups_of_every_layout_keep_their_order(libver: str, count: int, track_order: bool) -> None:
    names = [f"layer_{i * 7919 % 1000}" for i in range(count)]

    def write(file: h5py.File) -> None:
        group = file.create_group("g", track_order=track_order)
        for number, name in enumerate(names):
            group[name] = numpy.float32(number)
            group.attrs[name] = name

    data = hdf5(write, libver=libver)
    with WeightFile.open(io.BytesIO(data), name="m.h5") as file:
        assert file.children("g") == (names if track_order and libver == "latest" else file.children("g"))
        assert sorted(file.children("g")) == sorted(names)
        assert file.attributes("g") == {name: name for name in names}
        assert [float(file.read(f"g/{name}")) for name in names] == list(range(count))


def test_attributes_are_plain_values() -> None:
    def write(file: h5py.File) -> None:
        file.attrs["model_config"] = '{"a": "' + "x" * 100_000 + '"}'
        file.attrs["keras_version"] = numpy.bytes_(b"2.3.1")
        file.attrs["layer_names"] = numpy.array([b"a", b"bcd"])
        file.attrs["weight_names0"] = numpy.array([b"a"])
        file.attrs["weight_names1"] = numpy.array([b"b", b"c"])
        file.attrs["count"] = 3
        file.attrs["rate"] = 0.5
        file.attrs["flag"] = True

    found = read_everything(hdf5(write))["/"]
    assert len(found.pop("model_config")) == 100_009
    assert found == {
        "keras_version": "2.3.1",
        "layer_names": ["a", "bcd"],
        "weight_names": ["a", "b", "c"],
        "count": 3,
        "rate": 0.5,
        "flag": True,
    }


def test_attributes_beyond_their_limits_are_refused() -> None:
    data = hdf5(lambda file: file.attrs.__setitem__("model_config", "x" * 1000))
    with WeightFile.open(io.BytesIO(data), name="m.h5", limits=Limits(text_bytes=999)) as file:
        assert code_of(file.attributes) == "KC901"


def test_attribute_that_is_not_utf8_is_refused() -> None:
    data = hdf5(lambda file: file.attrs.__setitem__("model_config", numpy.bytes_(b"\xff\xfe")))
    assert code_of(lambda: read_everything(data)) == "KC102"


def test_paths_never_lead_elsewhere() -> None:
    data = hdf5(lambda file: file.create_dataset("g/x", data=FLOATS))
    with WeightFile.open(io.BytesIO(data), name="m.h5") as file:
        assert "/g/x" in file
        assert "g/x" in file
        assert file.is_group("g")
        assert not file.is_group("g/x")
        assert "g/y" not in file
        assert "g/x/y" not in file
        assert code_of(lambda: file.read("g/../g/x")) == "KC902"
        assert code_of(lambda: file.read("g/y")) == "KC401"
        assert code_of(lambda: file.read("g")) == "KC905"
        assert code_of(lambda: file.children("g/x")) == "KC905"


def test_group_in_a_circle_is_walked_once() -> None:
    def write(file: h5py.File) -> None:
        group = file.create_group("a")
        group["x"] = FLOATS
        group["again"] = group

    with WeightFile.open(io.BytesIO(hdf5(write)), name="m.h5") as file:
        assert file.datasets() == ["/a/x"]
        assert [item.code for item in file.diagnostics.items] == ["KC902"]
        assert code_of(lambda: file.is_group("/a" + "/again" * 100)) == "KC901"


def test_cut_file_is_refused() -> None:
    data = hdf5(lambda file: file.create_dataset("x", data=FLOATS))
    assert code_of(lambda: read_everything(data[:-1])) == "KC905"


def test_contiguous_data_beyond_the_file_is_refused() -> None:
    data = hdf5(lambda file: file.create_dataset("x", data=FLOATS))
    at = data.index(FLOATS.tobytes())
    moved = data.replace(struct.pack("<QQ", at, 96), struct.pack("<QQ", len(data), 96))
    assert moved != data
    assert code_of(lambda: read_everything(moved)) == "KC905"


@pytest.mark.parametrize("level", [0, 9])
def test_chunk_that_inflates_to_another_size_is_refused(level: int) -> None:
    import zlib

    whole = numpy.random.default_rng(0).normal(size=64).astype("f4")
    options = {"data": whole, "chunks": (64,), "compression": "gzip", "compression_opts": 9}
    data = hdf5(lambda file: file.create_dataset("x", **options))
    stored = zlib.compress(whole.tobytes(), 9)
    assert stored in data
    short = zlib.compress(whole.tobytes()[:-16], level).ljust(len(stored), b"\0")[: len(stored)]
    assert code_of(lambda: read_everything(data.replace(stored, short))) == "KC905"


def test_wrong_checksum_is_refused() -> None:
    data = hdf5(lambda file: file.create_dataset("x", data=FLOATS, chunks=(4, 6), fletcher32=True))
    broken = data.replace(FLOATS.tobytes(), FLOATS.tobytes()[:-1] + b"\x01")
    assert code_of(lambda: read_everything(broken)) == "KC905"


def test_file_on_disk_is_closed_and_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    path.write_bytes(hdf5(lambda file: file.create_dataset("x", data=FLOATS)))
    before = path.read_bytes(), path.stat().st_mtime_ns
    with WeightFile.open(path, name="m.h5") as file:
        numpy.testing.assert_array_equal(file.read("/x"), FLOATS)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def _keras_like(file: h5py.File) -> None:
    file.attrs["layer_names"] = numpy.array([b"dense", b"conv"])
    file.attrs["model_config"] = '{"a": 1}' * 50
    file.create_dataset("dense/dense/kernel:0", data=FLOATS)
    file.create_dataset("conv/conv/kernel:0", data=FLOATS, chunks=(2, 3), compression="gzip", shuffle=True)
    file["dense"].attrs["weight_names"] = numpy.array([b"dense/kernel:0"])


SEEDS = [hdf5(_keras_like, libver="earliest"), hdf5(_keras_like, libver="latest")]
_EDITS = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.sampled_from([1, 2, 4, 8]), st.integers(0, 2**64 - 1)),
    min_size=1,
    max_size=4,
)


@settings(derandomize=True, max_examples=200, deadline=2000)
@given(st.sampled_from(SEEDS), _EDITS, st.booleans())
def test_no_bytes_make_the_hdf5_reader_raise_anything_else(
    seed: bytes, edits: list[tuple[float, int, int]], cut: bool
) -> None:
    data = bytearray(seed)
    used = [i for i, byte in enumerate(seed) if byte]  # most of a small file is padding
    for place, width, value in edits:
        at = used[int(place * len(used))]
        data[at : at + width] = value.to_bytes(8, "little")[:width]
    if cut:
        del data[used[int(edits[0][0] * len(used))] :]
    try:
        read_everything(bytes(data))
    except KchainerError as error:
        str(error)


@pytest.mark.parametrize("piece", [8, 40, 100, 2**24])
@pytest.mark.parametrize("shape", [(), (0, 3), (7,), (5, 3), (1, 50), (2, 3, 4, 5), (1, 1, 30), (40, 1)])
@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", "<f2"])
def test_filling_in_pieces_is_reading(
    dtype: str, shape: tuple[int, ...], piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kchainer.files.weight_file._PIECE", piece)
    values = numpy.random.default_rng(0).standard_normal(shape).astype(dtype)
    data = hdf5(lambda f: f.create_dataset("x", data=values))
    with WeightFile.open(io.BytesIO(data), name="m.h5") as file:
        target = numpy.full(shape[::-1], 7, "float32")  # a view of it in the other order is filled
        file.copy_to("x", target.T)
        numpy.testing.assert_array_equal(target.T, file.read("x").astype("float32"))
        lazy = LazyArray(shape, "x", lambda: file.read("x"), lambda t: file.copy_to("x", t))
        axes = tuple(range(len(shape)))[::-1]
        for changed in (lazy.permuted(axes), lazy.flipped(axes[:1]), lazy.permuted(axes).flipped(axes[1:])):
            target = numpy.full(changed.shape, 7, "float32")
            changed.copy_to(target)
            numpy.testing.assert_array_equal(target, changed.read().astype("float32"))
