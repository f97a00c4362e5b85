"""Strings, lookups and hashes as TensorFlow gave them: recorded by tests/fixtures/preprocessing/make.py."""

from __future__ import annotations

import functools
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kchainer import api

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
    if wanted.dtype.kind == "U":
        assert got.tolist() == wanted.tolist()
    elif wanted.dtype.kind == "i" and got.dtype.kind == "i":
        np.testing.assert_array_equal(got, wanted)
    else:
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("release", "case"), CASES)
def test_as_tensorflow(release: str, case: str, tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    path.write_bytes(_archive(release).read(f"{case}.keras"))
    xs, ys = _arrays(release, case)
    model = api.read(path)
    got = api.to_chainer(model).predict(*xs)
    got = got if isinstance(got, list) else [got]
    assert len(got) == len(ys)
    for ours, theirs in zip(got, ys, strict=True):
        _same(ours, theirs)


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


@pytest.mark.parametrize("kind", ["keras", "h5"])
def test_random_fourier_features(kind: str) -> None:
    model = api.read(FIXTURES / f"fourier.{kind}")
    with np.load(FIXTURES / "fourier.npz") as found:
        _same(api.to_chainer(model).predict(found["x"]), found["y"])
