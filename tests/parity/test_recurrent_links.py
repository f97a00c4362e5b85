"""Recurrent links by themselves: one function or step by step, dropout, states, second derivatives, devices' copies."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import kchainer  # noqa: F401  before Chainer

import chainer  # isort: skip
import chainer.functions as F

import kchainer.links as KL
from kchainer import api

LINKS: list[tuple[type[KL.Recurrent], dict[str, Any]]] = [
    (KL.SimpleRNN, {}),
    (KL.LSTM, {}),
    (KL.GRU, {}),
    (KL.GRU, {"reset_after": False}),
    (KL.GRU, {"nobias": True}),
]


def made(link: type[KL.Recurrent], **options: Any) -> KL.Recurrent:
    out = link(3, 4, **options)
    rng = np.random.default_rng(0)
    for param in out.params():
        param.array[...] = rng.normal(size=param.shape) * 0.3
    return out


def results(link: KL.Recurrent, *inputs: Any, train: bool = False) -> list[Any]:
    """The outputs, and the gradients by inputs and parameters of a random sum of them."""
    given = [chainer.Variable(x) if x.dtype.kind == "f" else x for x in inputs]
    link.cleargrads()
    with chainer.using_config("train", train):
        out = link(*given)
    out = out if isinstance(out, tuple) else (out,)
    rng = np.random.default_rng(1)
    loss = sum(F.sum(y * rng.normal(size=y.shape).astype("f")) for y in out)
    loss.backward()
    params = [p.grad for _, p in sorted(link.namedparams())]
    return [*(y.array for y in out), *(v.grad for v in given if isinstance(v, chainer.Variable)), *params]


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize(("link", "options"), LINKS)
@pytest.mark.parametrize("functions", [("tanh", "sigmoid"), ("relu", "hard_sigmoid"), ("linear", "tanh")])
def test_one_function_and_step_by_step_agree(
    link: type[KL.Recurrent],
    options: dict[str, Any],
    sequences: bool,
    masked: bool,
    functions: tuple[str, str],
) -> None:
    rng = np.random.default_rng(2)
    one = made(
        link, return_sequences=sequences, return_state=True, initial_state=True, masked=masked, go_backwards=True,
        activation=functions[0], recurrent_activation=functions[1], **options,
    )  # fmt: skip
    plain = copy.deepcopy(one)
    plain.plain = True
    states = [rng.normal(size=(5, 4)).astype("f") for _ in range(link.states)]
    inputs = [
        rng.normal(size=(5, 6, 3)).astype("f"),
        *states,
        *([rng.uniform(size=(5, 6)) < 0.5] if masked else []),
    ]
    for a, b in zip(results(one, *inputs), results(plain, *inputs), strict=True):
        assert np.abs(a - b).max() <= 1e-5 * np.abs(b).max()


def test_second_derivatives_step_by_step_only() -> None:
    x = chainer.Variable(np.ones((1, 2, 3), "f"))
    link = made(KL.LSTM)
    (gx,) = chainer.grad([F.sum(link(x))], [x], enable_double_backprop=True)
    with pytest.raises(RuntimeError, match="plain"):
        F.sum(gx * gx).backward()
    link.plain = True
    (gx,) = chainer.grad([F.sum(link(x))], [x], enable_double_backprop=True)
    F.sum(gx * gx).backward()
    assert (x.grad != 0).any()


def test_the_inputs_dropped_are_the_same_at_every_step() -> None:
    link = KL.SimpleRNN(6, 6, activation="linear", dropout=0.5, return_sequences=True)
    link.W.array[...] = np.eye(6)
    with chainer.using_config("train", True):
        y = link(np.ones((50, 4, 6), "f")).array
    assert set(np.unique(y)) == {0.0, 2.0}
    assert (y == y[:, :1]).all()
    assert 0.3 < (y == 0).mean() < 0.7
    with chainer.using_config("train", False):
        assert (link(np.ones((50, 4, 6), "f")).array == 1).all()


@pytest.mark.parametrize("per_gate", [False, True])
def test_each_gate_drops_its_own(per_gate: bool) -> None:
    link = KL.LSTM(
        1, 1, dropout=0.5, dropout_per_gate=per_gate, activation="linear", recurrent_activation="linear"
    )
    link.W.array[...] = 1
    with chainer.using_config("train", True):
        # f does not count at the first step: h = (i c) o of what is left of 1, 2 each
        y = link(np.ones((4000, 1, 1), "f")).array
    share = (y == 8).mean()
    assert abs(share - (0.125 if per_gate else 0.5)) < 0.03


def test_the_state_dropped_is_the_same_at_every_step() -> None:
    link = KL.SimpleRNN(1, 1, activation="linear", recurrent_dropout=0.5, return_sequences=True)
    link.W.array[...], link.U.array[...] = 1, 0.5
    with chainer.using_config("train", True):
        y = link(np.ones((200, 4, 1), "f")).array[:, :, 0]
    assert {tuple(row) for row in y} == {(1, 1, 1, 1), (1, 2, 3, 4)}


def test_a_stateful_link_goes_on_where_it_ended() -> None:
    x = np.random.default_rng(0).normal(size=(2, 8, 3)).astype("f")
    whole = made(KL.GRU, return_sequences=True)
    link = made(KL.GRU, return_sequences=True, stateful=True)
    wanted = whole(x).array
    got = np.concatenate([link(x[:, :3]).array, link(x[:, 3:]).array], axis=1)
    np.testing.assert_allclose(got, wanted, rtol=1e-6)
    with pytest.raises(ValueError, match="reset_state"):
        link(x[:1])
    link.reset_state()
    np.testing.assert_allclose(link(x).array, wanted, rtol=1e-6)


def test_copies_and_pickles_compute_the_same() -> None:
    x = np.ones((2, 3, 3), "f")
    link = made(KL.LSTM)
    for other in (link.copy(mode="copy"), pickle.loads(pickle.dumps(link)), copy.deepcopy(link)):
        np.testing.assert_array_equal(other(x).array, link(x).array)


@pytest.mark.parametrize("forget", [True, False])
def test_without_weights_gate_f_begins_open(forget: bool) -> None:
    config = {"name": "lstm", "units": 3, "batch_input_shape": [None, 4, 2], "unit_forget_bias": forget}
    model = {
        "class_name": "Sequential",
        "config": {"name": "s", "layers": [{"class_name": "LSTM", "config": config}]},
    }
    net = api.to_chainer(api.from_keras(model))
    bias = dict(net.namedparams())["/0/b"].array
    np.testing.assert_array_equal(bias, [0, 0, 0, *([1 if forget else 0] * 3), *[0] * 6])


def test_whole_rows_of_a_table_are_dropped() -> None:
    link = KL.EmbedID(400, 3, dropout=0.5)
    link.W.array[...] = 1
    ids = np.repeat(np.arange(400, dtype="i")[:, None], 2, axis=1)
    with chainer.using_config("train", True):
        y = link(ids).array
    assert set(np.unique(y)) == {0.0, 2.0}
    assert (y == y[:, :1, :1]).all()
    assert 0.3 < (y == 0).mean() < 0.7
