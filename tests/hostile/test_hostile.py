"""Bad input through the real command line: exit code, diagnostic, nothing left, bounded time and memory."""

from __future__ import annotations

import dataclasses
import gzip
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import parts
import pytest
from parts import archive, dense, entry, functional, hdf5, layer, node, sequential, text

# A process that has imported kchainer, Chainer and their libraries maps more than a gigabyte.
MEMORY, CPU, WALL = 4 * 2**30, 20, 60


@dataclasses.dataclass(frozen=True)
class Done:
    """What a command left."""

    returncode: int
    stdout: str
    stderr: str


Kchainer = Callable[..., Done]


@pytest.fixture(scope="module")
def kchainer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kchainer]:
    """The command in a process of its own, within limits."""
    out, err = (tmp_path_factory.mktemp("streams") / name for name in ("out", "err"))
    environment = os.environ | {
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONPATH": str(Path.cwd()),
    }
    server = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("server.py"))],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, env=environment,
    )  # fmt: skip
    assert server.stdin
    assert server.stdout

    def run(*arguments: str, cwd: Path) -> Done:
        job = {"arguments": arguments, "cwd": str(cwd), "out": str(out), "err": str(err)}
        server.stdin.write(json.dumps({**job, "memory": MEMORY, "cpu": CPU, "wall": WALL}) + "\n")  # type: ignore[union-attr]
        code = int(server.stdout.readline())  # type: ignore[union-attr]
        return Done(code, out.read_text(), err.read_text())

    yield run
    server.stdin.close()
    assert server.wait(30) == 0


@dataclasses.dataclass(frozen=True)
class Case:
    """A file's bytes (or what makes them in a folder), its name, and the code that is expected.

    ``says`` are words of the output; ``more`` further arguments of ``convert``.
    """

    data: bytes | Callable[[Path], object]
    code: str
    says: tuple[str, ...] = ()
    name: str = "bad.json"
    more: tuple[str, ...] = ()


def bad(config: Any, code: str, *says: str) -> Case:
    return Case(text(config), code, says)


def h5(data: bytes, code: str, *says: str) -> Case:
    return Case(data, code, says, "bad.h5")


def keras(data: bytes, code: str, *says: str) -> Case:
    return Case(data, code, says, "bad.keras")


def yaml(data: str, code: str, *says: str) -> Case:
    return Case(data.encode(), code, says, "bad.yaml")


def weights(data: bytes | Callable[[Path], object], code: str, *says: str) -> Case:
    """A good config, and weights that are not."""

    def make(folder: Path) -> None:
        (folder / "good.json").write_bytes(text(sequential(dense())))
        if callable(data):
            data(folder)
        else:
            (folder / "w").write_bytes(data)

    return Case(make, code, says, "good.json", ("--weights", "w"))


D = text(sequential(dense()))
CONFIGS = {
    "unknown layer": bad(sequential(layer("Densse")), "KC201", "did you mean", "Dense"),
    "misspelt argument": bad(sequential(dense(unitss=3)), "KC103", "did you mean", "units"),
    "wrong type": bad(sequential(dense(units="3")), "KC104", "an integer"),
    "boolean for a number": bad(sequential(dense(units=True)), "KC104"),
    "fraction for a whole number": bad(sequential(dense(units=3.5)), "KC104"),
    "number for a boolean": bad(sequential(dense(use_bias="maybe")), "KC104"),
    "zero units": bad(sequential(dense(units=0)), "KC104"),
    "negative units": bad(sequential(dense(units=-1)), "KC104"),
    "10^12 units": bad(sequential(dense(units=10**12)), "KC901"),
    "30 digits": bad(sequential(dense(units=10**30)), "KC901", "int_digits"),
    "missing argument": bad(sequential({"class_name": "Dense", "config": {"name": "d"}}), "KC105", "units"),
    "no shape": bad(sequential(layer("Dense", units=3)), "KC305", "batch_input_shape"),
    "Lambda": bad(sequential(dense(), layer("Lambda", function=["4wEA", None, None])), "KC202", "never run"),
    "class of another module": bad(sequential({"module": "os", **layer("system")}), "KC201"),
    "custom class": bad(
        sequential({"module": None, "registered_name": "my>Dense", **layer("MyDense")}), "KC202"
    ),
    "class_name is an object": bad(sequential({"class_name": {"a": 1}, "config": {}}), "KC104"),
    "activation names code": bad(sequential(dense(activation="os.system")), "KC20"),
    "activation is code": bad(
        sequential(dense(activation={"class_name": "__lambda__", "config": {"value": "4wEA"}})), "KC"
    ),
    "no layers": bad({"class_name": "Sequential", "config": 3}, "KC105"),
    "layers is a text": bad(
        {"class_name": "Sequential", "config": {"name": "s", "layers": "Dense"}}, "KC105"
    ),
    "a layer is a number": bad({"class_name": "Sequential", "config": {"name": "s", "layers": [3]}}, "KC104"),
    "an empty object": bad({}, "KC201"),
    "cycle": bad(
        functional(entry(), node("Dense", "d", "e", units=4), node("Dense", "e", "d", units=4)), "KC30"
    ),
    "self reference": bad(functional(entry(), node("Dense", "d", "d", units=4)), "KC30"),
    "dangling name": bad(functional(entry(), node("Dense", "d", "nobody", units=4)), "KC30", "nobody"),
    "negative node index": bad(functional(entry(), node("Dense", "d", ("i", -1, 0), units=4)), "KC30"),
    "node index out of range": bad(functional(entry(), node("Dense", "d", ("i", 7, 0), units=4)), "KC30"),
    "tensor index is a text": bad(functional(entry(), node("Dense", "d", ("i", 0, "0"), units=4)), "KC"),
    "two layers of one name": bad(
        functional(entry(), node("Dense", "d", "i", units=4), node("Dense", "d", "i", units=5)), "KC30", "d"
    ),
    "output that is not there": bad(functional(entry(), outputs="nobody"), "KC30", "nobody"),
    "inputs of other shapes": bad(
        functional(entry(), node("Dense", "e", "i", units=3), node("Add", "d", "i", "e")), "KC30", "(N, 3)"
    ),
    "kernel larger than its input": bad(
        sequential(layer("Conv2D", filters=2, kernel_size=[9, 9], batch_input_shape=[None, 4, 4, 3])), "KC30"
    ),
    "reshape to another size": bad(sequential(dense(), layer("Reshape", target_shape=[5])), "KC30"),
    "name of 5,000 signs": bad(sequential(dense("x" * 5000)), "KC104", "length"),
    "name with half a sign": bad(sequential(dense("\ud800")), "KC102"),
    "20,000 wrong layers": bad(sequential(*(layer("Nonsense") for _ in range(20_000))), "KC201", "more"),
    "80 models inside each other": bad(parts.stack(80), "KC901", "nested more"),
    "200 models inside each other": bad(parts.stack(200), "KC901", "depth"),
    "2^40 calls": Case(
        text(parts.doubling(40)), "KC901", ("nodes",), "bad.json", ("--limit", "nodes=20_000")
    ),
}
TEXTS = {
    "empty file": Case(b"", "KC106"),
    "white space": Case(b" \n ", "KC106"),
    "not JSON": Case(b"{'a': 1}", "KC102"),
    "cut off JSON": Case(D[: len(D) // 2], "KC102"),
    "trailing text": Case(D + b"{}", "KC102"),
    "a list on top": Case(b"[1]", "KC104"),
    "duplicate keys": Case(D.replace(b'"units": 3', b'"units": 3, "units": 4'), "KC107", ("units",)),
    "NaN": Case(D.replace(b'"units": 3', b'"units": NaN'), "KC102", ("NaN",)),
    "Infinity": Case(D.replace(b'"units": 3', b'"units": -Infinity'), "KC102"),
    "1e999": Case(D.replace(b'"units": 3', b'"units": 1e999'), "KC102"),
    "UTF-16": Case(D.decode().encode("utf-16"), "KC10"),
    "UTF-16 without a mark": Case(D.decode().encode("utf-16-le"), "KC10"),
    "not UTF-8": Case(D.replace(b'"d"', b'"\xff"'), "KC102", ("UTF-8",)),
    "NUL": Case(D.replace(b'"d"', b'"d\\u0000"'), "KC10"),
    "deep nesting": Case(b"[" * 100_000, "KC901", ("depth",)),
    "deep nesting inside": Case(D.replace(b"3", b"[" * 5000 + b"]" * 5000), "KC901", ("depth",)),
    "yaml runs python": yaml("a: !!python/object/apply:os.system ['touch pwned']", "KC202", "never run"),
    "yaml object": yaml("a: !!python/name:os.system", "KC202"),
    "yaml alias bomb": yaml(
        "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)),
        "KC901",
        "values",
    ),
    "yaml contains itself": yaml("a: &a [*a]", "KC102"),
    "yaml twice": yaml("a: 1\n---\na: 2\n", "KC102"),
    "yaml duplicate keys": yaml("a: 1\na: 2\n", "KC107"),
    "yaml key is a list": yaml("? [1, 2]\n: 3\n", "KC102"),
    "yaml deep nesting": yaml("a: " + "[" * 20_000, "KC102", "nesting"),
}


def _bomb(group: h5py.Group, name: str) -> None:
    group.create_dataset(
        name, (20_000, 20_000), "f4", chunks=(10_000, 10_000), compression="gzip", fillvalue=0
    )
    group[name][:10_000, :10_000] = 0


def _cycle(file: h5py.File) -> None:
    file["model_weights/d/up"] = file["model_weights"]
    del file["model_weights/d/d/kernel:0"]


H5 = hdf5()
HDF5 = {
    **{
        f"cut after {n:,} bytes": h5(H5[:n], "KC905", "get it again")
        for n in (8, 64, 100, 800, 2048, len(H5) // 2, len(H5) - 1)
    },
    "missing weight": h5(hdf5(parts.without("model_weights/d/d/bias:0")), "KC401", "bias"),
    "missing layer": h5(hdf5(config=sequential(dense(), layer("Dense", units=2))), "KC401", "dense"),
    "extra tensor": h5(hdf5(config=sequential(dense(use_bias=False))), "KC402"),
    "another shape": h5(hdf5(config=sequential(dense(units=5))), "KC403", "[4, 3]", "[4, 5]"),
    "hard links in a circle": h5(hdf5(_cycle), "KC401"),
    "soft link": h5(parts.in_place_of_kernel(lambda g, n: g.update({n: h5py.SoftLink("/x")})), "KC902"),
    "soft links in a circle": h5(
        parts.in_place_of_kernel(lambda g, n: g.update({n: h5py.SoftLink(f"{g.name}/{n}")})), "KC902"
    ),
    "external link": h5(
        parts.in_place_of_kernel(lambda g, n: g.update({n: h5py.ExternalLink("/etc/hostname", "/x")})),
        "KC902",
    ),
    "external storage": h5(
        parts.in_place_of_kernel(
            lambda g, n: g.create_dataset(n, (4, 3), "f4", external=[("/etc/passwd", 0, 48)])
        ),
        "KC902",
    ),
    "huge shape without data": h5(
        parts.in_place_of_kernel(lambda g, n: g.create_dataset(n, (2**20, 2**20), "f4")), "KC901"
    ),
    "compressed bomb": h5(parts.in_place_of_kernel(_bomb), "KC"),
    "texts for numbers": h5(
        parts.in_place_of_kernel(lambda g, n: g.create_dataset(n, data=["a"] * 3, dtype=h5py.string_dtype())),
        "KC404",
    ),
    "complex numbers": h5(
        parts.in_place_of_kernel(lambda g, n: g.create_dataset(n, data=np.zeros((4, 3), "c8"))), "KC404"
    ),
    "a group for an array": h5(parts.in_place_of_kernel(lambda g, n: g.create_group(n)), "KC"),
    "weight name climbs": h5(
        parts.attribute("model_weights/d", "weight_names", [b"../d/d/kernel:0", b"d/bias:0"]), "KC"
    ),
    "layer names are numbers": h5(parts.attribute("model_weights", "layer_names", [1, 2]), "KC"),
    "weight names are a text": h5(parts.attribute("model_weights/d", "weight_names", "kernel"), "KC"),
    "model_config is a number": h5(parts.attribute("/", "model_config", 3), "KC10"),
    "model_config is no JSON": h5(parts.attribute("/", "model_config", "{"), "KC102"),
    "model_config is a list": h5(parts.attribute("/", "model_config", "[]"), "KC104"),
    "weights without a config": h5(parts.weights3(), "KC105", "--weights"),
    "optimizer bomb": h5(hdf5(lambda f: _bomb(f, "x"), config=sequential(dense(units=0))), "KC104"),
}
Z = archive()
ZIPS = {
    **{
        f"cut after {n:,} bytes": keras(Z[:n], "KC905", "get it again")
        for n in (10, 400, len(Z) // 2, len(Z) - 30, len(Z) - 1)
    },
    "empty archive": keras(b"PK\x05\x06" + bytes(18), "KC106"),
    "no config": keras(archive(config__json=None), "KC106", "config.json"),
    "no metadata": keras(archive(metadata__json=None), "KC106", "metadata.json"),
    "metadata is a list": keras(archive(metadata__json=b"[]"), "KC104"),
    "config bomb": keras(
        archive(method=zipfile.ZIP_DEFLATED, config__json=b" " * 200_000_000), "KC901", "zip_ratio"
    ),
    "weights bomb": keras(
        archive(method=zipfile.ZIP_DEFLATED, model__weights__h5=bytes(200_000_000)), "KC901", "zip_ratio"
    ),
    "encrypted": keras(parts.encrypted(), "KC903"),
    "another compression": keras(archive(method=zipfile.ZIP_BZIP2), "KC903"),
    "config twice": keras(archive(parts.member("CONFIG.json", b"{}")), "KC903"),
    "config is a link": keras(
        archive(parts.member("config.json", b"/etc/passwd", 0o120777), config__json=None), "KC903"
    ),
    "10,001 members": keras(
        archive(lambda z: [z.writestr(f"{i}", b"") for i in range(10_001)]), "KC901", "zip_members"
    ),
    "a bit of the weights flipped": keras(parts.flipped(Z, Z.index(parts.KERNEL.tobytes())), "KC905"),
    "weights cut off inside": keras(archive(model__weights__h5=parts.weights3()[:900]), "KC905"),
    "weights are a pickle": keras(archive(model__weights__h5=b"\x80\x04K\x00."), "KC106"),
    "config lacks an argument": keras(archive(config__json=text(sequential(layer("Dense")))), "KC"),
    "weights with one more": keras(
        archive(model__weights__h5=parts.weights3(lambda f: f.create_dataset("layers/x/vars/0", data=1.0))),
        "KC402",
    ),
    "weights with one less": keras(
        archive(model__weights__h5=parts.weights3(parts.without("layers/dense/vars/1"))), "KC401", "bias"
    ),
}


def _at(name: str, make: Callable[[Path], object], code: str = "KC101", *says: str) -> Case:
    return Case(lambda folder: make(folder / name), code, says, name)


PLACES = {
    "missing file": Case(lambda folder: None, "KC101", ("no such file",), "nowhere.json"),
    "directory": _at("folder.keras", Path.mkdir, "KC101", "directory"),
    "named pipe": _at("pipe.json", os.mkfifo, "KC101", "pipe"),
    "device": Case(lambda folder: None, "KC101", ("device",), "/dev/zero"),
    "link to a device": _at("zero.json", lambda p: p.symlink_to("/dev/zero"), "KC101", "device"),
    "link to itself": _at("loop.json", lambda p: p.symlink_to(p)),
    "dangling link": _at("gone.json", lambda p: p.symlink_to("nowhere")),
    "name with control signs": _at(
        "a\x1b[31m\n.json", lambda p: p.write_bytes(b"{}"), "KC201", "\\x1b[31m\\x0a"
    ),
    "unknown limit": Case(D, "KC103", ("limit",), "bad.json", ("--limit", "nothing=1")),
    "pickle": Case(b"\x80\x04\x95\x00\x00\x00\x00.", "KC106", ("pickle",), "bad.h5"),
    "gzip": Case(gzip.compress(D), "KC106", ("gzip",)),
    "npy": Case(b"\x93NUMPY\x01\x00", "KC106", ("npy",)),
    "random bytes": Case(np.random.default_rng(0).bytes(2000), "KC106"),
    "nonsense dialect": Case(D, "KC108", (), "bad.json", ("--dialect", "nonsense")),
    "nonsense backend": Case(D, "KC108", (), "bad.json", ("--keras-backend", "nonsense")),
    "limit that is no number": Case(D, "KC104", (), "bad.json", ("--limit", "depth=x")),
    "weights missing": weights(lambda folder: None, "KC101", "no such file"),
    "weights are a directory": weights(lambda folder: (folder / "w").mkdir(), "KC101", "directory"),
    "weights are JSON": weights(D, "KC106"),
    "sharded weights without shards": weights(
        text({"weight_map": {"/layers/dense/vars": "w_0.weights.h5"}}), "KC101", "w_0.weights.h5"
    ),
    "sharded weights elsewhere": weights(
        text({"weight_map": {"/layers/dense/vars": "../w_0.weights.h5"}}), "KC104", "none beside it"
    ),
    "index of shards for a model": bad({"weight_map": {}}, "KC105", "--weights"),
    "weights are a pickled npz": weights(parts.pickled_npz(), "KC106"),
    "weights are cut off": weights(H5[:2000], "KC905"),
    "weights of another model": weights(hdf5(lambda f: f["model_weights"].move("d", "e")), "KC401", "d"),
    "weights without groups": weights(parts.weights3(parts.without("layers")), "KC401"),
    "IR of another kind": Case(b'{"kchainer": 7}', "KC"),
    "IR without a network": Case(b'{"kchainer": "ir/1", "networks": []}', "KC"),
}
CASES = {
    f"{group}: {name}": case
    for group, table in {
        "config": CONFIGS, "text": TEXTS, "hdf5": HDF5, "zip": ZIPS, "place": PLACES,
    }.items()
    for name, case in table.items()
}  # fmt: skip


def put(case: Case, folder: Path) -> None:
    if callable(case.data):
        case.data(folder)
    else:
        (folder / case.name).write_bytes(case.data)


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_one_with_a_diagnostic_and_nothing_left(
    name: str, tmp_path: Path, kchainer: Kchainer
) -> None:
    case = CASES[name]
    put(case, tmp_path)
    before = sorted(tmp_path.rglob("*"))
    done = kchainer("convert", case.name, "-o", "out", *case.more, cwd=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr[-2000:]
    assert not done.stdout
    assert "Traceback" not in done.stderr
    assert re.search(rf"error\[{case.code}\d*\]: ", done.stderr), done.stderr[:2000]
    assert all(sign.isprintable() or sign == "\n" for sign in done.stderr)
    assert len(done.stderr) < 100_000
    for word in case.says:
        assert word in done.stderr, done.stderr[:2000]
    assert sorted(tmp_path.rglob("*")) == before


GOOD: dict[str, Case] = {
    "json": Case(D, "layers"),
    "json with a byte order mark": Case(b"\xef\xbb\xbf" + D, "layers"),
    "h5": Case(H5, "layers", name="good.h5"),
    "keras": Case(Z, "layers", name="good.keras"),
    "deflated keras": Case(archive(method=zipfile.ZIP_DEFLATED), "layers", name="good.keras"),
    "a link to a file": Case(
        lambda folder: [(folder / "x").write_bytes(D), (folder / "l.json").symlink_to("x")],
        "layers",
        name="l.json",
    ),
    "members that climb": Case(
        archive(lambda z: [parts.member(n)(z) for n in ("../../pwned", "/tmp/pwned", "a\\..\\pwned")]),
        "KC903",
        name="good.keras",
    ),
    "name with control signs": Case(text(sequential(dense("a\x1b[31m"))), "layers"),
    "names of attributes of Chain": Case(
        text(
            sequential(
                dense("params"), layer("Dense", units=2) | {"config": {"name": "__init__", "units": 2}}
            )
        ),
        "layers",
    ),
    "a group that stands twice": Case(
        hdf5(lambda f: f.__setitem__("again", f["model_weights"])), "layers", name="good.h5"
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_is_odd_but_good_is_converted(name: str, tmp_path: Path, kchainer: Kchainer) -> None:
    case = GOOD[name]
    put(case, tmp_path)
    before = set(tmp_path.rglob("*"))
    done = kchainer("convert", case.name, "-o", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert case.code in done.stdout + done.stderr
    assert all(sign.isprintable() or sign == "\n" for sign in done.stdout + done.stderr)
    left = {p.relative_to(tmp_path).as_posix() for p in set(tmp_path.rglob("*")) - before}
    assert left == {"out", *(f"out/{n}" for n in ("model.json", "model.py", "weights.npz", "check.npz"))}
    assert kchainer("verify", "out", cwd=tmp_path).returncode == 0


OUTPUTS: dict[str, tuple[Callable[[Path], object], tuple[str, ...], int, str]] = {
    "a file in the way": (lambda f: (f / "out").write_text("mine"), ("-o", "out"), 1, "KC904"),
    "no folder": (lambda f: None, ("-o", "no/where/out"), 1, "KC906"),
    "a folder for a file": (lambda f: (f / "out").mkdir(), ("-o", "out", "--to", "ir"), 1, "KC904"),
    "a device": (lambda f: None, ("-o", "/dev/full", "--to", "source"), 1, "KC904"),
    "the input": (lambda f: None, ("-o", "good.json", "--to", "ir"), 1, "KC904"),
    "the output is not said": (lambda f: None, (), 2, "-o"),
    "unknown option": (lambda f: None, ("-o", "out", "--nonsense"), 2, "--nonsense"),
    "unknown form": (lambda f: None, ("-o", "out", "--to", "nonsense"), 2, "nonsense"),
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_outputs_that_cannot_be_written(name: str, tmp_path: Path, kchainer: Kchainer) -> None:
    make, arguments, code, says = OUTPUTS[name]
    (tmp_path / "good.json").write_bytes(D)
    make(tmp_path)
    before = {p: p.read_bytes() if p.is_file() else b"" for p in tmp_path.rglob("*")}
    done = kchainer("convert", "good.json", *arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert {p: p.read_bytes() if p.is_file() else b"" for p in tmp_path.rglob("*")} == before


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "weights.npz is missing": (lambda f: (f / "weights.npz").unlink(), "KC"),
    "weights.npz is cut off": (lambda f: os.truncate(f / "weights.npz", 100), "KC905"),
    "weights.npz is a pickle": (lambda f: (f / "weights.npz").write_bytes(parts.pickled_npz("d/W")), "KC40"),
    "weights.npz is no zip": (lambda f: (f / "weights.npz").write_bytes(b"\x80\x04K\x00."), "KC905"),
    "check.npz is missing": (lambda f: (f / "check.npz").unlink(), "KC101"),
    "check.npz is a pickle": (lambda f: (f / "check.npz").write_bytes(parts.pickled_npz("x0")), "KC404"),
    "check.npz is cut off": (lambda f: os.truncate(f / "check.npz", 100), "KC905"),
    "model.json is missing": (lambda f: (f / "model.json").unlink(), "KC101"),
    "model.json is cut off": (lambda f: os.truncate(f / "model.json", 100), "KC102"),
    "the folder is missing": (lambda f: f.rename(f.parent / "moved"), "KC101"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_verify_reports_damaged_folders(name: str, tmp_path: Path, kchainer: Kchainer) -> None:
    damage, code = DAMAGE[name]
    (tmp_path / "good.h5").write_bytes(H5)
    assert kchainer("convert", "good.h5", "-o", "out", cwd=tmp_path).returncode == 0
    damage(tmp_path / "out")
    done = kchainer("verify", "out", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert f"error[{code}" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "pwned").exists()


def test_validate_and_inspect_refuse_as_convert_does(tmp_path: Path, kchainer: Kchainer) -> None:
    (tmp_path / "bad.json").write_bytes(text(sequential(dense(unitss=3))))
    for command in ("validate", "inspect"):
        done = kchainer(command, "bad.json", cwd=tmp_path)
        assert done.returncode == 1
        assert "error[KC103]" in done.stderr
    found = json.loads(kchainer("validate", "bad.json", "--format", "json", cwd=tmp_path).stdout)[
        "diagnostics"
    ]
    assert found[0]["hint"]
    assert found[0]["pointer"]
    assert found[0]["line"]
