"""Weights that fit a model in part: the same arrays as Keras's ``load_weights`` with by_name and skip_mismatch."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "torch"

import warnings
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

import kchainer

L = keras.layers
MARK = 0.123  # what arrays hold that nothing was loaded into


def plain(units: int = 5, last: int = 3, name: str = "last") -> Any:
    x = keras.Input((4,), name="x")
    y = L.Dense(units, name="first")(x)
    y = L.BatchNormalization(name="norm")(y)
    y = L.Dense(6, name="middle")(y)
    return keras.Model(x, L.Dense(last, name=name)(y))


def images(features: int = 3, filters: int = 4, bias: bool = True) -> Any:
    x = keras.Input((8, 8, features), name="x")
    y = L.Conv2D(filters, 3, name="conv", use_bias=bias)(x)
    y = L.SpectralNormalization(L.Conv2D(5, 3, name="inner"), name="spectral")(y)
    y = L.DepthwiseConv2D(3, name="depth")(y)
    return keras.Model(x, L.Dense(2, name="out")(L.Flatten(name="flat")(y)))


def rows(units: int = 3, features: int = 2) -> Any:
    x = keras.Input((5, features), name="x")
    y = L.Bidirectional(L.LSTM(units, return_sequences=True, name="lstm"), name="both")(x)
    y = L.GRU(4, name="gru")(y)
    return keras.Model(x, L.Dense(2, name="out")(y))


def nested(units: int = 3) -> Any:
    inner = keras.Sequential(
        [keras.Input((4,)), L.Dense(5, name="a"), L.Dense(units, name="b")], name="inner"
    )
    x = keras.Input((4,), name="x")
    return keras.Model(x, L.Dense(2, name="out")(inner(x)))


def longer() -> Any:
    x = keras.Input((4,), name="x")
    y = L.Dense(5, name="first")(x)
    y = L.Dense(7, name="more")(y)
    return keras.Model(x, L.Dense(3, name="last")(L.Dense(6, name="middle")(y)))


# The model that wrote the weights, and the one that takes them.
PAIRS: dict[str, tuple[Any, Any]] = {
    "the same": (lambda: plain(), lambda: plain()),
    "another head": (lambda: plain(), lambda: plain(last=7)),
    "a head of another name": (lambda: plain(), lambda: plain(last=7, name="head")),
    "another beginning": (lambda: plain(), lambda: plain(units=6)),
    "more channels": (lambda: images(), lambda: images(features=1)),
    "more filters": (lambda: images(), lambda: images(filters=6)),
    "without bias": (lambda: images(), lambda: images(bias=False)),
    "with bias": (lambda: images(bias=False), lambda: images()),
    "recurrent": (lambda: rows(), lambda: rows(units=4)),
    "other rows": (lambda: rows(), lambda: rows(features=3)),
    "nested": (lambda: nested(), lambda: nested(units=4)),
    "a layer more": (lambda: plain(), longer),
    "a layer less": (longer, lambda: plain()),
}  # fmt: skip


def written(pair: str, path: Path) -> Any:
    """Saves the weights of the first model; the second one, all of whose weights are marked, its config saved."""
    source, target = (make() for make in PAIRS[pair])
    random = np.random.default_rng(3)
    source.set_weights([random.uniform(0.2, 1, w.shape).astype("float32") for w in source.get_weights()])
    (source.save if path.name == "w.h5" else source.save_weights)(path)
    target.set_weights([np.full(w.shape, MARK, "float32") for w in target.get_weights()])
    (path.parent / "m.json").write_text(target.to_json())
    return target


def compared(target: Any, net: Any, model: Any) -> None:
    """Every array that Keras loaded is ours; every other one has no array in the file for us either."""
    ours = kchainer.weights(net)
    loaded = {f"{layer}/{param}" for layer, param in model.arrays}
    seen = 0
    todo = [(one, "") for one in target.layers]
    while todo:
        layer, base = todo.pop()
        if isinstance(layer, keras.Model):
            todo += [(one, f"{base}{layer.name}/") for one in layer.layers]
            continue
        for w in layer.weights:
            path = name_of(w, f"{base}{layer.name}", ours)
            value = np.array(w)
            seen += 1
            if (value == np.float32(MARK)).all():
                assert path not in loaded, path
            else:
                assert path in loaded, path
                assert np.abs(ours[path] - value).max() <= 1e-6, path
    assert seen == len(ours)


def name_of(weight: Any, layer: str, ours: Any) -> str:
    parts = weight.path.split("/")
    found = [p for p in ours if p.startswith(f"{layer}/") and p.endswith(f"/{parts[-1]}")]
    if len(found) > 1:
        side = next(p for p in parts if p.startswith(("forward", "backward")))
        found = [p for p in found if side.partition("_")[0] in p]
    assert len(found) == 1, (weight.path, found, list(ours))
    return found[0]


def both(target: Any, path: Path, **how: bool) -> tuple[str, Any]:
    """What Keras says, and the model that we read, or our error."""
    failed, model = "", None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            target.load_weights(path, **how)
        except ValueError as error:
            failed = str(error)
    try:
        model = kchainer.read(path.parent / "m.json", path, **how)
    except kchainer.KchainerError as error:
        assert failed, [d.message for d in error.diagnostics]
    return failed, model


@pytest.mark.parametrize("name", ["w.weights.h5", "w.h5"])
@pytest.mark.parametrize("pair", PAIRS)
def test_skip_mismatch(pair: str, name: str, tmp_path: Path) -> None:
    target = written(pair, tmp_path / name)
    failed, model = both(target, tmp_path / name, skip_mismatch=True)
    if failed:
        assert model is None, failed
        return
    compared(target, kchainer.api.to_chainer(model), model)
    assert bool(model.warnings) == (pair != "the same")


@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize("pair", PAIRS)
def test_by_name(pair: str, skip: bool, tmp_path: Path) -> None:
    target = written(pair, tmp_path / "w.h5")
    failed, model = both(target, tmp_path / "w.h5", by_name=True, skip_mismatch=skip)
    if failed:
        assert not skip
        assert model is None, failed
        return
    compared(target, kchainer.api.to_chainer(model), model)
    assert bool(model.warnings) == (pair != "the same")


def test_warnings(tmp_path: Path) -> None:
    """What is skipped is told with its name and both shapes; what got nothing, in one warning."""
    written("another head", tmp_path / "w.weights.h5")
    found = kchainer.read(tmp_path / "m.json", tmp_path / "w.weights.h5", skip_mismatch=True).warnings
    assert [(d.code, d.severity) for d in found] == [("KC403", "warning")] * 2 + [("KC407", "warning")]
    assert '"last"' in found[0].message
    assert (found[0].found or "").startswith("[6, 3] in ")
    assert found[0].expected == "[6, 7]"
    assert found[2].found == "last"


def test_strict_unless_told(tmp_path: Path) -> None:
    written("another head", tmp_path / "w.weights.h5")
    with pytest.raises(kchainer.KchainerError) as caught:
        kchainer.load(tmp_path / "m.json", tmp_path / "w.weights.h5")
    assert {d.code for d in caught.value.diagnostics} == {"KC403"}


def test_by_name_needs_names(tmp_path: Path) -> None:
    target = written("the same", tmp_path / "w.weights.h5")
    with pytest.raises(ValueError, match="by_name"):
        target.load_weights(tmp_path / "w.weights.h5", by_name=True)
    with pytest.raises(kchainer.KchainerError, match="by_name"):
        kchainer.load(tmp_path / "m.json", tmp_path / "w.weights.h5", by_name=True)
    with pytest.raises(kchainer.KchainerError, match="there are none"):
        kchainer.load(tmp_path / "m.json", by_name=True)


def test_initial_values(tmp_path: Path) -> None:
    """A layer without weights starts as its initializer says."""
    x = keras.Input((4,))
    head = L.Dense(2, name="head", kernel_initializer="ones", bias_initializer=keras.initializers.Constant(4))
    model = keras.Model(x, head(L.Dense(5, name="first")(x)))
    (tmp_path / "m.json").write_text(model.to_json())
    written_by = plain()
    written_by.save(tmp_path / "w.h5")
    net = kchainer.load(tmp_path / "m.json", tmp_path / "w.h5", by_name=True)
    ours = kchainer.weights(net)
    assert (ours["head/kernel"] == 1).all()
    assert (ours["head/bias"] == 4).all()
    assert np.array_equal(ours["first/kernel"], written_by.layers[1].get_weights()[0])


def test_layer_without_arrays_in_the_file(tmp_path: Path) -> None:
    """A namesake without arrays is another number of arrays, in Keras too."""
    target = written("the same", tmp_path / "w.h5")
    with h5py.File(tmp_path / "w.h5", "a") as file:
        file["model_weights/last"].attrs["weight_names"] = np.array([], "S1")
    failed, model = both(target, tmp_path / "w.h5", by_name=True)
    assert failed
    assert model is None
