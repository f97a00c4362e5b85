"""Strings, lookups and hashes as TensorFlow gave them: recorded by tests/fixtures/preprocessing/make.py."""

from __future__ import annotations

import functools
import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kchainer import api

import chainer  # isort: skip

FIXTURES = Path(__file__).parents[1] / "fixtures" / "preprocessing"
RELEASES = ("keras-3.15", "tf.keras-2.15")


@functools.cache
def _archive(release: str) -> zipfile.ZipFile:
    return zipfile.ZipFile(FIXTURES / f"{release}.zip")


def _arrays(release: str, case: str) -> tuple[list[Any], list[Any]]:
    with np.load(io.BytesIO(_archive(release).read(f"{case}.npz"))) as found:
        xs = [found[k] for k in sorted(found) if k.startswith("x")]
        return xs, [found[k] for k in sorted(found) if k.startswith("y")]


CASES = [
    (release, name.removesuffix(".npz"))
    for release in RELEASES
    for name in _archive(release).namelist()
    if name.endswith(".npz")
]


def _same(got: Any, wanted: Any) -> None:
    assert got.shape == wanted.shape
    if wanted.dtype.kind in "UO":
        assert got.tolist() == wanted.tolist()
    elif wanted.dtype.kind == "i" and got.dtype.kind == "i":
        np.testing.assert_array_equal(got, wanted)
    else:
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("release", "case"), CASES)
def test_as_tensorflow(release: str, case: str, tmp_path: Path, record_property: Any) -> None:
    path = tmp_path / "model.keras"
    path.write_bytes(_archive(release).read(f"{case}.keras"))
    xs, ys = _arrays(release, case)
    model = api.read(path)
    got = api.to_chainer(model).predict(*xs)
    got = got if isinstance(got, list) else [got]
    assert len(got) == len(ys)
    for ours, theirs in zip(got, ys, strict=True):
        _same(ours, theirs)
        if theirs.dtype.kind == "f":
            record_property("error", float(np.abs(ours - theirs).max() / (np.abs(theirs).max() or 1)))
        else:
            record_property("error", 0.0)
    record_property("file", [str(path), None, None])


@pytest.mark.parametrize(("release", "case"), CASES)
def test_json_alone(release: str, case: str) -> None:
    config = json.loads(_archive(release).read(f"{case}.json"))
    layers = [one["config"] for one in config["config"]["layers"]]
    if case == "nested" or any("vocabulary" in c and c["vocabulary"] is None for c in layers):
        with pytest.raises(api.KchainerError, match="KC401"):
            api.from_keras(config)
        return
    xs, ys = _arrays(release, case)
    model = api.from_keras(config)
    if any(layer.params for layer in model.network.layers.values()):
        return
    got = api.to_chainer(model).predict(*xs)
    _same(got, ys[0])


@pytest.mark.parametrize(("release", "case"), [(r, "string_adapted") for r in RELEASES])
def test_json_with_the_file_as_its_weights(release: str, case: str, tmp_path: Path) -> None:
    for ending in ("keras", "json"):
        (tmp_path / f"m.{ending}").write_bytes(_archive(release).read(f"{case}.{ending}"))
    xs, ys = _arrays(release, case)
    _same(api.load(tmp_path / "m.json", tmp_path / "m.keras").predict(*xs), ys[0])


@pytest.mark.parametrize("kind", ["keras", "h5"])
def test_random_fourier_features(kind: str, record_property: Any) -> None:
    model = api.read(FIXTURES / f"fourier.{kind}")
    with np.load(FIXTURES / "fourier.npz") as found:
        got = api.to_chainer(model).predict(found["x"])
        _same(got, found["y"])
        record_property("error", float(np.abs(got - found["y"]).max() / np.abs(found["y"]).max()))
    record_property("file", [str(FIXTURES / f"fourier.{kind}"), None, None])


SOME = [
    ("keras-3.15", c)
    for c in ("classifier", "structured", "text_ngrams2", "hash_mask", "string_invert", "cross")
]


@pytest.mark.parametrize(("release", "case"), SOME)
def test_printed_copied_and_pickled(release: str, case: str, tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    path.write_bytes(_archive(release).read(f"{case}.keras"))
    xs, _ = _arrays(release, case)
    model = api.read(path)
    network = api.to_chainer(model)
    wanted = network.predict(*xs)
    _same(pickle.loads(pickle.dumps(network)).predict(*xs), wanted)
    _same(network.copy().predict(*xs), wanted)
    space: dict[str, Any] = {}
    exec(api.to_source(model), space)  # the program under test
    made = space["Net"]()
    for name, link in network.named_plan_links():
        getattr(made, name).copyparams(link)
    with chainer.using_config("train", False):
        given = [x.astype("float32") if x.dtype.kind == "f" else x for x in xs]
        got = made(*given)
    _same(getattr(got, "array", got), wanted)


def _string_lookup(**config: Any) -> Any:
    given = {"class_name": "InputLayer", "config": {"batch_shape": [None, 2], "dtype": "string", "name": "x"}}
    layer = {"class_name": "StringLookup", "config": {"name": "look", "trainable": True} | config}
    return {
        "class_name": "Sequential",
        "config": {"name": "net", "layers": [given, layer]},
        "keras_version": "3.15.1",
    }


def test_strings_of_every_kind_are_taken() -> None:
    network = api.to_chainer(api.from_keras(_string_lookup(vocabulary=["a", "é"])))
    for given in (np.array([["a", "é"]]), np.array([["a", "é".encode()]], object)):
        assert network.predict(given).tolist() == [[1, 2]]


def test_a_token_without_a_place_is_an_error() -> None:
    network = api.to_chainer(api.from_keras(_string_lookup(vocabulary=["a"], num_oov_indices=0)))
    assert network.predict(np.array([["a", "a"]])).tolist() == [[0, 0]]
    with pytest.raises(ValueError, match="'b' is not in the vocabulary"):
        network.predict(np.array([["a", "b"]]))


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"vocabulary": None}, "KC401"),
        ({"vocabulary": "/etc/passwd"}, "KC204"),
        ({"vocabulary": ["a", 1]}, "KC104"),
        ({"vocabulary": [1, 2]}, "KC104"),
        ({"vocabulary": ["a", "a"]}, "KC104"),
        ({"vocabulary": ["a"], "output_mode": "tf_idf"}, "KC401"),
        ({"vocabulary": ["a"], "encoding": "latin-1"}, "KC204"),
    ],
)
def test_what_cannot_be_read_is_said(config: dict[str, Any], code: str) -> None:
    with pytest.raises(api.KchainerError, match=code):
        api.from_keras(_string_lookup(**config))


def test_a_function_of_a_user_is_refused() -> None:
    config = _string_lookup()
    config["config"]["layers"][1] = {
        "class_name": "TextVectorization",
        "config": {
            "name": "t",
            "vocabulary": ["a"],
            "standardize": {"class_name": "function", "config": "clean"},
        },
    }
    with pytest.raises(api.KchainerError, match="KC202"):
        api.from_keras(config)
