"""Initializers against Keras 3.15 itself: what is exact to the last digits, what is drawn by its distribution."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "torch"

import json
import math
import pathlib
from typing import Any

import keras
import numpy as np
import pytest
from keras.src.initializers.random_initializers import compute_fans

import kchainer
from kchainer.backends.chainer.initial import initial, values
from kchainer.ir.initializers import STFT, VarianceScaling
from kchainer.ir.settings import setting

# scipy.signal.get_window of SciPy 1.2.3: "name periodic(0, 1) size" -> values. Keras asks SciPy for windows by name.
WINDOWS = json.loads((pathlib.Path(__file__).parent.parent / "fixtures/windows.json").read_text())
W9 = WINDOWS["hann 0 9"]
SHAPES = [(30, 20), (20, 30), (3, 3, 8, 16), (5, 6, 7), (2, 3, 2, 4, 6), (3, 2, 2, 2, 3, 4)]
RANDOM = [
    ("RandomUniform", {}), ("RandomUniform", {"minval": -0.3, "maxval": 0.7}), ("RandomNormal", {}),
    ("RandomNormal", {"mean": 0.2, "stddev": 0.4}), ("TruncatedNormal", {}),
    ("TruncatedNormal", {"mean": -0.2, "stddev": 0.4}), ("GlorotUniform", {}), ("GlorotNormal", {}),
    ("HeUniform", {}), ("HeNormal", {}), ("LecunUniform", {}), ("LecunNormal", {}), ("Orthogonal", {}),
    ("Orthogonal", {"gain": 1.7}), ("VarianceScaling", {}), ("VarianceScaling", {"scale": 3.0, "mode": "fan_out"}),
    ("VarianceScaling", {"mode": "fan_avg", "distribution": "uniform"}),
    ("VarianceScaling", {"distribution": "untruncated_normal"}),
    ("VarianceScaling", {"distribution": "normal"}),
    ("GlorotUniform", {"input_axes": [0, -1], "output_axes": [1]}),
]  # fmt: skip
EXACT: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("Zeros", {}, (3, 4)), ("Ones", {}, (3, 4)), ("Constant", {"value": 0.3}, (3, 4)), ("Constant", {}, (4,)),
    ("Constant", {"value": [[1.0, 2.0], [3.0, 4.0]]}, (2, 2)),
    ("Identity", {}, (4, 4)), ("Identity", {}, (3, 5)), ("Identity", {}, (5, 3)),
    ("STFT", {"window": W9}, (9, 1, 9)), ("STFT", {"side": "imag", "window": W9}, (9, 1, 5)),
    ("STFT", {"window": None}, (16, 1, 9)), ("STFT", {"scaling": None, "window": W9}, (9, 1, 17)),
    ("STFT", {"scaling": "spectrum", "window": W9}, (9, 1, 9)),
]  # fmt: skip


def of(name: str, config: dict[str, Any]) -> Any:
    """Keras's initializer, and kchainer's as it is read from a file that Keras wrote."""
    theirs = getattr(keras.initializers, name)(**config)
    return theirs, read(theirs)


def read(theirs: Any) -> Any:
    layer = keras.layers.Dense(3, kernel_initializer=theirs, name="d")
    config = keras.layers.serialize(layer)["config"]["kernel_initializer"]
    from kchainer.frontends.keras.dialect import parse
    from kchainer.frontends.keras.initializers import INITIALIZERS

    return INITIALIZERS.read(config, parse("3.15.1"))


def theirs_of(initializer: Any, shape: tuple[int, ...]) -> Any:
    return initializer(shape, dtype="float64").cpu().numpy()


@pytest.mark.parametrize(("name", "config", "shape"), EXACT)
def test_exact_values(name: str, config: dict[str, Any], shape: tuple[int, ...]) -> None:
    theirs, ours = of(name, config)
    assert ours.fits(shape) is None
    np.testing.assert_allclose(values(ours, shape), theirs_of(theirs, shape), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("said", WINDOWS)
def test_windows(said: str) -> None:
    name, periodic, size = said.split()
    one = STFT(side="real", window=name, scaling=None, periodic=periodic == "1")  # type: ignore[arg-type]
    got = values(one, (int(size), 1, 2))[:, 0, 0]  # the first frequency is constant: the window itself
    np.testing.assert_allclose(got, WINDOWS[said], atol=1e-11)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_fans_are_exact(shape: tuple[int, ...]) -> None:
    one = read(keras.initializers.GlorotUniform())
    assert one.fans(shape) == compute_fans(shape)
    assert one.fans((7,)) == compute_fans((7,))


@pytest.mark.parametrize(("name", "config"), RANDOM, ids=str)
def test_moments_and_bounds(name: str, config: dict[str, Any]) -> None:
    """Of 60,000 values each: means within 5 standard errors, deviations within 3 %, the same bounds."""
    theirs, ours = of(name, config)
    shape = (200, 300)
    if "input_axes" in config:
        shape = (20, 30, 100)
        ours = _placed(theirs, shape)
    np.random.seed(1)
    got, want = values(ours, shape), theirs_of(theirs, shape)
    error = want.std() / math.sqrt(want.size)
    assert abs(got.mean() - want.mean()) < 5 * math.sqrt(2) * error
    assert got.std() == pytest.approx(want.std(), rel=0.03)
    kind = getattr(theirs, "distribution", name)
    if "Uniform" in name or kind == "uniform":
        assert got.max() == pytest.approx(want.max(), abs=0.002 * (want.max() - want.min()))
        assert got.min() == pytest.approx(want.min(), abs=0.002 * (want.max() - want.min()))
    if "Truncated" in name or kind == "truncated_normal":
        # Keras on PyTorch lets one value in 230,000 through, so its outermost ones tell nothing
        edge = np.quantile(np.abs(want - want.mean()), 0.999)
        assert edge < np.abs(got - got.mean()).max() < 1.02 * edge
    # the whole distribution: the largest distance of the two cumulative ones (5 sigma is about 0.014)
    points = np.quantile(want, np.linspace(0.01, 0.99, 99))
    ours_below = np.searchsorted(np.sort(got.ravel()), points) / got.size
    assert np.abs(ours_below - np.linspace(0.01, 0.99, 99)).max() < 0.014


def _placed(theirs: Any, shape: tuple[int, ...]) -> Any:
    """Negative axes are counted from the front once the shape is known: read through a whole model."""
    config = keras.Sequential(
        [
            keras.Input((shape[0],)),
            keras.layers.EinsumDense("ab,bcd->acd", shape[1:], kernel_initializer=theirs),
        ]
    ).to_json()
    net = kchainer.from_keras(config).network
    one = next(x for x in net.layers.values() if x.params)
    assert one.params[0].shape == shape
    return setting(one.settings, "kernel", "initializer")


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("gain", [1.0, 1.7])
def test_orthogonality(shape: tuple[int, ...], gain: float) -> None:
    theirs, ours = of("Orthogonal", {"gain": gain})
    for matrix in (values(ours, shape), theirs_of(theirs, shape)):
        flat = matrix.reshape(-1, shape[-1])
        small = flat @ flat.T if flat.shape[0] < flat.shape[1] else flat.T @ flat
        np.testing.assert_allclose(small, gain**2 * np.eye(len(small)), atol=1e-6)


def test_seeds_repeat_and_chance_does_not() -> None:
    _, seeded = of("GlorotNormal", {"seed": 3})
    np.testing.assert_array_equal(values(seeded, (4, 5)), values(seeded, (4, 5)))
    _, free = of("GlorotNormal", {})
    assert (values(free, (4, 5)) != values(free, (4, 5))).any()


def test_every_initializer_of_keras_is_read() -> None:
    """All that Keras 3.15 registers, in the form it writes them, and each of its strings."""
    from keras.src.initializers import ALL_OBJECTS, ALL_OBJECTS_DICT

    from kchainer.frontends.keras.dialect import parse
    from kchainer.frontends.keras.initializers import INITIALIZERS

    for cls in ALL_OBJECTS:
        if cls.__name__ not in ("Initializer", "RandomInitializer"):
            more = {"window": W9} if cls.__name__ == "STFT" else {}  # by name Keras wants SciPy
            assert read(cls(**more)) is not None
    for name in ALL_OBJECTS_DICT:
        if name.lower() != "initializer":
            assert INITIALIZERS.read(name, parse("3.15.1")) is not None, name


def test_usual_starting_values_of_layers() -> None:
    """Every array of layers that state nothing has the mean and deviation that Keras's own has."""
    inputs = keras.Input((9, 9, 8))
    x = keras.layers.Conv2D(32, 3)(inputs)
    x = keras.layers.DepthwiseConv2D(3)(x)
    x = keras.layers.SeparableConv2D(40, 3)(x)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.PReLU(shared_axes=[1, 2])(x)
    x = keras.layers.Dense(50)(keras.layers.Flatten()(x))
    x = keras.layers.LayerNormalization()(x)
    model = keras.Model(inputs, x)
    net = kchainer.from_keras(model.to_json())
    ours = {
        f"{layer.name}/{p.name}": initial(p, layer, "float32")
        for layer in net.network.layers.values()
        for p in layer.params
    }
    theirs = {v.path: v.numpy() for v in model.weights}
    assert len(ours) == len(theirs)
    for (path, got), want in zip(ours.items(), theirs.values(), strict=True):
        assert got.shape == want.shape, path
        if want.std() == 0:
            np.testing.assert_array_equal(got, want)
        else:
            assert got.std() == pytest.approx(want.std(), rel=0.15), path
            assert np.abs(got).max() == pytest.approx(np.abs(want).max(), rel=0.15), path


def test_an_embedding_starts_as_keras_lets_it() -> None:
    model = keras.Sequential([keras.Input((4,), dtype="int32"), keras.layers.Embedding(500, 20)])
    net = kchainer.from_keras(model.to_json())
    layer = next(x for x in net.network.layers.values() if x.params)
    got = initial(layer.params[0], layer, "float32")
    assert got.std() == pytest.approx(model.weights[0].numpy().std(), rel=0.05)


def test_variance_scaling_without_widening() -> None:
    """Keras 2.0 and 2.1 cut a normal distribution at two deviations and left it so: 0.8796 of the deviation."""
    cut = VarianceScaling(
        scale=1.0, mode="fan_in", distribution="cut_normal", clip=False, input_axes=None, output_axes=None,
        root_ranks=(), seed=4,
    )  # fmt: skip
    got = values(cut, (400, 300))
    assert got.std() == pytest.approx(0.87962566 / math.sqrt(400), rel=0.01)
    assert np.abs(got).max() <= 2 / math.sqrt(400)
