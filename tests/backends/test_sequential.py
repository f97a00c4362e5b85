"""kchainer's Sequential: the names of stock ``append``, everything else of chainer.Sequential, linear time."""

from __future__ import annotations

import copy
import gc
import io
import json
import pickle
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import kchainer  # before chainer, which it repairs
from kchainer import api

import chainer  # isort: skip
import chainer.functions as F  # isort: skip
import chainer.links as L  # isort: skip

X = np.arange(8, dtype="float32").reshape(2, 4) / 8


def config(kinds: str) -> dict[str, Any]:
    """A Sequential of Keras 2: D a Dense, A an Activation."""
    layers: list[dict[str, Any]] = []
    for i, kind in enumerate(kinds):
        own = {"D": {"units": 4}, "A": {"activation": "tanh"}}[kind]
        name = {"D": "Dense", "A": "Activation"}[kind]
        layers.append({"class_name": name, "config": {"name": f"l{i}", **own}})
    layers[0]["config"]["batch_input_shape"] = [None, 4]
    head = {"class_name": "Sequential", "keras_version": "2.3.1", "backend": "tensorflow"}
    return {**head, "config": {"name": "s", "layers": layers}}


def network(kinds: str) -> Any:
    return kchainer.from_keras(config(kinds)).to_chainer()


def stock(net: Any) -> chainer.Sequential:
    """The same layers, copied, by chainer's own append."""
    return chainer.Sequential(*(x.copy("copy") if isinstance(x, chainer.Link) else x for x in net))


def state(net: chainer.Link) -> dict[str, Any]:
    target = chainer.serializers.DictionarySerializer()
    net.serialize(target)
    return dict(target.target)


KINDS = ["D", "A", "DD", "DDDDD", "ADDDD", "AADDDDDD", "DADADAD", "ADADDAADD", "AAADAD"]


@pytest.mark.parametrize("kinds", KINDS)
def test_children_are_named_as_stock_append_names_them(kinds: str) -> None:
    net = network(kinds)
    other = stock(net)
    ours, theirs = state(net), state(other)
    assert list(ours) == list(theirs)
    assert [c.name for c in net.children()] == [c.name for c in other.children()]
    for key, value in theirs.items():
        np.testing.assert_array_equal(ours[key], value)


@pytest.mark.parametrize("kinds", KINDS)
def test_npz_files_interchange_with_a_stock_sequential(kinds: str) -> None:
    net, again = network(kinds), network(kinds)
    other = stock(again)
    file = io.BytesIO()
    chainer.serializers.save_npz(file, net)
    file.seek(0)
    chainer.serializers.load_npz(file, other)
    np.testing.assert_array_equal(other(X).array, net(X).array)
    file = io.BytesIO()
    chainer.serializers.save_npz(file, other)
    file.seek(0)
    chainer.serializers.load_npz(file, again)
    np.testing.assert_array_equal(again.predict(X), net.predict(X))


COPIES: dict[str, Callable[[Any], Any]] = {
    "copy": lambda net: net.copy("copy"),
    "share": lambda net: net.copy(),
    "deepcopy": copy.deepcopy,
    "pickle": lambda net: pickle.loads(pickle.dumps(net)),
}


@pytest.mark.parametrize("how", COPIES)
def test_copies_predict_the_same_and_keep_their_names(how: str) -> None:
    net = network("ADADD")
    made = COPIES[how](net)
    assert isinstance(made, chainer.Sequential)
    np.testing.assert_array_equal(made.predict(X), net.predict(X))
    assert list(state(made)) == list(state(net))
    assert list(kchainer.weights(made)) == list(kchainer.weights(net))
    before = net.predict(X)
    for param in made.params():
        param.array[...] += 1
    assert np.array_equal(net.predict(X), before) == (how != "share")


def test_copy_with_new_values_and_repeat() -> None:
    net = network("DAD")
    fresh = net.copy("init")
    assert not np.array_equal(fresh.predict(X), net.predict(X))
    row = net.repeat(3, "copy")
    assert len(row) == 3
    np.testing.assert_allclose(row(X).array, net(net(net(X))).array, rtol=1e-6)


def test_slices_insert_append_and_delete_are_those_of_chainer() -> None:
    net = network("DADAD")
    other = stock(net)
    assert net[1:3] == [net[1], net[2]]
    assert list(reversed(net)) == net[::-1]
    for one in (net, other):
        one.insert(2, F.sigmoid)
        one.append(L.Linear(4, 2, initialW=0.5))
        one.insert(0, L.Linear(4, 4, initialW=0.25))
        del one[1]
        one.pop(3)
    assert list(state(net)) == list(state(other))
    np.testing.assert_array_equal(net(X).array, other(X).array)
    assert net.predict(X).shape == (2, 2)
    with pytest.raises(TypeError, match="changed"):
        kchainer.weights(net)
    np.testing.assert_array_equal(net.flatten()(X).array, other(X).array)


def test_device_optimizer_and_hooks_see_every_layer() -> None:
    net = network("DADAD")
    net.to_device("@numpy")
    assert len(list(net.links())) == 4
    before = state(net.copy("copy"))
    optimizer = chainer.optimizers.SGD(0.1).setup(net)
    optimizer.update(lambda x: F.sum(net(x) ** 2), X)
    after = state(net)
    assert all(not np.array_equal(after[k], before[k]) for k in before)
    other = network("DADAD")
    other.copyparams(net)
    np.testing.assert_array_equal(other.predict(X), net.predict(X))


def calls(function: Callable[[], object]) -> int:
    """Calls of Python and C functions: a measure of work that no other load disturbs."""
    count = 0

    def counting(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counting)
    try:
        function()
    finally:
        sys.setprofile(None)
    return count


def read_plan_and_build(n: int) -> Any:
    model = kchainer.from_keras(config("DA" * (n // 2)))
    api.to_source(model)
    net = api.to_chainer(model)
    return net.copy("share")


def test_work_grows_with_the_number_of_layers_not_faster() -> None:
    read_plan_and_build(10)
    few, many = (calls(lambda n=n: read_plan_and_build(n)) for n in (300, 1_200))
    assert many < 4.2 * few


def seconds(n: int) -> float:
    gc.collect()
    gc.disable()  # what collections cost grows with all that the test session holds
    try:
        start = time.process_time()
        read_plan_and_build(n)
        return time.process_time() - start
    finally:
        gc.enable()


def test_time_grows_with_the_number_of_layers_not_faster() -> None:
    # quadratic would be 64 times; loops inside C functions, which `calls` does not see, show here
    assert any(seconds(8_000) < 14 * seconds(1_000) for _ in range(3))


def test_10_000_layers_need_no_stack() -> None:
    depth = 0
    frame = sys._getframe()
    while (up := frame.f_back) is not None:
        depth, frame = depth + 1, up
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(depth + 150)
    try:
        text = json.dumps(config("DA" * 5_000))
        net = api.to_chainer(kchainer.from_keras(text))
        assert net.predict(X).shape == (2, 4)
    finally:
        sys.setrecursionlimit(limit)
    assert len(net) == 10_000
