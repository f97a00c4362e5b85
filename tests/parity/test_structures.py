"""Networks whose inputs and outputs stand in dictionaries and nested lists, against Keras."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.parity import harness  # before Keras

import keras  # isort: skip
from keras import layers as KL

import kchainer
from kchainer.diagnostics import Diagnostics
from kchainer.ir import spec
from tests.parity.test_masks import randomised

assert harness


def by_name() -> Any:
    """Names whose order is not that of their making, in the model and in a model inside."""
    a, b = KL.Input((3,), name="zz"), KL.Input((4,), name="aa")
    p, q = KL.Input((3,), name="z"), KL.Input((3,), name="k")
    inner = keras.Model({"z": p, "k": q}, {"s": KL.Subtract()([p, q]), "d": KL.Dense(2)(q)}, name="inner")
    y = inner({"z": a, "k": KL.Dense(3)(b)})
    return keras.Model({"zz": a, "aa": b}, {"out2": y["d"], "out1": [y["s"], KL.Dense(5)(a)]})


def same(got: Any, wants: Any) -> None:
    """The same dictionaries and lists, in the same order, around the same numbers."""
    if isinstance(wants, dict):
        assert list(got) == list(wants)
        for key, want in wants.items():
            same(got[key], want)
    elif isinstance(wants, (list, tuple)):
        assert isinstance(got, (list, tuple))
        for one, want in zip(got, wants, strict=True):
            same(one, want)
    else:
        np.testing.assert_allclose(getattr(got, "array", got), np.asarray(wants), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_by_order_and_by_name(suffix: str, tmp_path: Path) -> None:
    model = randomised(by_name())
    path = tmp_path / f"m{suffix}"
    model.save(path)
    net = kchainer.load(path)
    rng = np.random.default_rng(0)
    xs = {"zz": rng.standard_normal((2, 3)).astype("f"), "aa": rng.standard_normal((2, 4)).astype("f")}
    said = model(xs)
    wants = keras.tree.map_structure(keras.ops.convert_to_numpy, said)
    for got in (net.predict(xs), net.predict(xs["aa"], xs["zz"]), net(xs)):
        same(got, wants)
    with pytest.raises(TypeError, match="names aa, zz expected; given are zz, a"):
        net({"zz": xs["zz"], "a": xs["aa"]})


A, B, C = KL.Input((3,), name="layer_a"), KL.Input((3,), name="layer_b"), KL.Input((3,), name="layer_c")
MADE = {
    "one": ({"x": A}, {"y": KL.Dense(2)(A)}),
    "keys": ({"q": A, "p": B}, {"z": KL.Add()([A, B]), "b": KL.Dense(2)(A)}),
    "nested": ({"q": [A, {"r": B}], "p": C}, [KL.Dense(2)(C), {"d": [A * 2, B], "a": C}]),
    "lists": ([A, [B, C]], [[A + B], C - B]),
}


@pytest.mark.parametrize("name", MADE)
def test_keys_that_are_no_names_of_layers(name: str, tmp_path: Path) -> None:
    inputs, outputs = MADE[name]
    model = keras.Model(inputs, outputs)
    path = tmp_path / "m.keras"
    model.save(path)
    rng = np.random.default_rng(0)
    xs = keras.tree.map_structure(lambda v: rng.standard_normal((2, 3)).astype("f"), inputs)
    wants = keras.tree.map_structure(keras.ops.convert_to_numpy, model(xs))
    read = kchainer.read(path)
    arrays = read.arrays
    written = [
        kchainer.from_spec(read.to_spec()),
        spec.from_json(spec.to_json(read), name="ir", diagnostics=Diagnostics("ir"), most_nodes=100),
    ]
    again = [dataclasses.replace(one, arrays=arrays).to_chainer() for one in written if one]
    assert len(again) == len(written)
    for net in (kchainer.load(path), *again):
        same(net(xs), wants)
        same(net.predict(xs, batch_size=1), wants)
    space: dict[str, Any] = {}
    exec(read.to_source(), space)  # the program under test
    program = space["Net"]()
    for link_name, link in again[0].named_plan_links():
        getattr(program, link_name).copyparams(link)
    same(program(*keras.tree.flatten(xs)), wants)
    with pytest.raises(TypeError, match="expected"):
        kchainer.load(path)({"no": A} if isinstance(inputs, dict) else [A])
