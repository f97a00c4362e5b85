"""Who hands a mask on, takes it, joins it or loses it: small models against Keras 3.15, made anew from their files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.parity import harness  # before Keras

import keras  # isort: skip
import chainer
import torch
from keras import layers as KL

import kchainer
from kchainer import api

SHAPE = (5, 6, 4)


def masked_input(seed: int = 0) -> harness.Array:
    """Steps of zeros at the begin, at the end and between; nowhere all of a sample."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=SHAPE).astype("float32")
    keep = rng.uniform(size=SHAPE[:2]) < 0.6
    keep[:, 2] = True
    keep[0] = [False, False, True, True, True, True]
    keep[1] = [True, True, True, True, False, False]
    return x * keep[:, :, None]


BETWEEN: list[Callable[[], Any]] = [
    lambda: KL.Dense(4),
    lambda: KL.Dropout(0.5),
    lambda: KL.SpatialDropout1D(0.5),
    lambda: KL.GaussianNoise(0.5),
    lambda: KL.GaussianDropout(0.5),
    lambda: KL.AlphaDropout(0.5),
    lambda: KL.ActivityRegularization(0.1),
    lambda: KL.Activation("tanh"),
    lambda: KL.ReLU(),
    lambda: KL.LeakyReLU(),
    lambda: KL.ELU(),
    lambda: KL.PReLU(),
    lambda: KL.BatchNormalization(),
    lambda: KL.LayerNormalization(),
    lambda: KL.GroupNormalization(2),
    lambda: KL.UnitNormalization(),
    lambda: KL.RMSNormalization(),
    lambda: KL.Identity(),
    lambda: KL.Rescaling(2.0),
    lambda: KL.EinsumDense("abc,cd->abd", output_shape=(None, 4)),
    lambda: KL.Conv1D(4, 3, padding="same"),
    lambda: KL.MaxPooling1D(2),
    lambda: KL.Cropping1D(1),
    lambda: KL.ZeroPadding1D(1),
    lambda: KL.Reshape((6, 4)),
    lambda: KL.Permute((1, 2)),
    lambda: KL.UpSampling1D(2),
    lambda: KL.TimeDistributed(KL.Dense(4)),
    lambda: KL.TimeDistributed(KL.Activation("relu")),
    lambda: KL.GRU(4, return_sequences=True),
    lambda: KL.LSTM(4, return_sequences=True, go_backwards=True),
    lambda: KL.Bidirectional(KL.SimpleRNN(4, return_sequences=True)),
    lambda: KL.RNN(KL.GRUCell(4), return_sequences=True),
    lambda: KL.Masking(0.5),
    lambda: keras.Sequential([KL.Dense(4), KL.Dropout(0.1)]),
    lambda: keras.Sequential([KL.Conv1D(4, 1)]),
]
ENDS: list[Callable[[], Any]] = [
    lambda: KL.LSTM(3),
    lambda: KL.GlobalAveragePooling1D(),
]
MORE_ENDS: list[Callable[[], Any]] = [
    lambda: KL.Bidirectional(KL.GRU(3, return_sequences=True)),
    lambda: KL.GlobalMaxPooling1D(),
    lambda: KL.GlobalAveragePooling1D(keepdims=True),
]


def randomised(model: Any) -> Any:
    rng = np.random.default_rng(0)
    for variable in model.weights:
        value = variable.numpy()
        if value.dtype.kind == "f":
            draw = (
                rng.uniform(0.5, 1.5, value.shape)
                if "variance" in variable.name
                else rng.normal(size=value.shape)
            )
            variable.assign(draw.astype(value.dtype) * 0.5)
    return model


def agree(model: Any, folder: Path, *xs: harness.Array, gradients: bool = True) -> None:
    """Outputs and gradients by the inputs, of the model and of what kchainer makes of its file."""
    path = folder / "model.keras"
    randomised(model).save(path)
    net = kchainer.load(path)
    tensors = [torch.tensor(x, requires_grad=x.dtype.kind == "f") for x in xs]
    wanted = model(tensors if len(tensors) > 1 else tensors[0], training=False)
    wanted.sum().backward()
    variables = [chainer.Variable(x, requires_grad=x.dtype.kind == "f") for x in xs]
    with chainer.using_config("train", False):
        got = net(*variables)
        chainer.functions.sum(got).backward()
    assert harness.error(got.array, wanted.detach().numpy()) <= 1e-5
    for tensor, variable in zip(tensors, variables, strict=True) if gradients else ():
        if tensor.requires_grad:
            assert harness.error(variable.grad, tensor.grad.numpy()) <= 1e-5
    space: dict[str, Any] = {}
    exec(api.to_source(api.read(path)), space)


def name_of(layer: Any) -> str:
    inner = getattr(layer, "layer", None) or getattr(layer, "layers", [None])[0]
    return type(layer).__name__ + (f"({type(inner).__name__})" if inner is not None else "")


@pytest.mark.parametrize("end", ENDS, ids=lambda f: name_of(f()))
@pytest.mark.parametrize("between", BETWEEN, ids=lambda f: name_of(f()))
def test_a_mask_through_a_layer(tmp_path: Path, between: Callable[[], Any], end: Callable[[], Any]) -> None:
    sequential = keras.Sequential([KL.Input(SHAPE[1:]), KL.Masking(), between(), end()])
    agree(sequential, tmp_path, masked_input())


@pytest.mark.parametrize("end", MORE_ENDS, ids=lambda f: name_of(f()))
def test_a_mask_at_the_end(tmp_path: Path, end: Callable[[], Any]) -> None:
    agree(keras.Sequential([KL.Input(SHAPE[1:]), KL.Masking(), KL.Dense(4), end()]), tmp_path, masked_input())


@pytest.mark.parametrize("between", BETWEEN, ids=lambda f: name_of(f()))
def test_a_mask_that_the_file_holds_as_nodes(tmp_path: Path, between: Callable[[], Any]) -> None:
    x = KL.Input(SHAPE[1:])
    agree(keras.Model(x, KL.LSTM(3)(between()(KL.Masking()(x)))), tmp_path, masked_input())


JOINS = (KL.Add, KL.Subtract, KL.Multiply, KL.Average, KL.Maximum, KL.Minimum)


@pytest.mark.parametrize("both", [True, False])
@pytest.mark.parametrize("join", JOINS)
def test_masks_joined(tmp_path: Path, join: Any, both: bool) -> None:
    a, b = KL.Input(SHAPE[1:]), KL.Input(SHAPE[1:])
    joined = join()([KL.Masking()(a), KL.Masking()(b) if both else b])
    agree(keras.Model([a, b], KL.LSTM(3)(joined)), tmp_path, masked_input(1), masked_input(2))


def test_a_mask_of_words(tmp_path: Path) -> None:
    ids = np.array([[1, 2, 0, 0], [0, 3, 1, 0], [4, 4, 4, 4]], "int32")
    model = keras.Sequential([KL.Input((4,), dtype="int32"), KL.Embedding(5, 3, mask_zero=True), KL.LSTM(2)])
    agree(model, tmp_path, ids)
    x = KL.Input((4,), dtype="int32")
    y = KL.Embedding(5, 3, mask_zero=True)(x)
    agree(keras.Model(x, KL.Bidirectional(KL.LSTM(2))(KL.Dropout(0.5)(y))), tmp_path, ids)


def test_a_mask_given_by_hand_counts(tmp_path: Path) -> None:
    x = KL.Input(SHAPE[1:])
    other = KL.Input((SHAPE[1],), dtype="int32")
    y = KL.LSTM(3)(KL.Masking()(x), mask=keras.ops.not_equal(other, 2))
    ids = np.random.default_rng(0).integers(0, 4, SHAPE[:2]).astype("int32")
    agree(keras.Model([x, other], y), tmp_path, masked_input(), ids)


@pytest.mark.parametrize("layer", [KL.MultiHeadAttention(2, 3), KL.GroupQueryAttention(3, 4, 2)], ids=name_of)
def test_heads_see_no_masked_value(tmp_path: Path, layer: Any) -> None:
    query, value = KL.Input(SHAPE[1:]), KL.Input(SHAPE[1:])
    y = KL.GlobalAveragePooling1D()(layer(query, KL.Masking()(value)))
    agree(keras.Model([query, value], y), tmp_path, masked_input(1), masked_input(2))


def test_masked_attention_to_itself(tmp_path: Path) -> None:
    """PyTorch's fused function gives a masked query's weights another gradient than their value: outputs only."""
    x = KL.Input(SHAPE[1:])
    masked = KL.Masking()(x)
    y = KL.MultiHeadAttention(2, 3)(masked, masked, use_causal_mask=True)
    agree(keras.Model(x, y), tmp_path, masked_input(), gradients=False)
    y = KL.LSTM(2)(KL.Add()([masked, KL.MultiHeadAttention(2, 3, dropout=0.1)(masked, masked)]))
    agree(keras.Model(x, y), tmp_path, masked_input())


def test_a_mask_of_pairs(tmp_path: Path) -> None:
    x, pairs = KL.Input(SHAPE[1:]), KL.Input((SHAPE[1], SHAPE[1]), dtype="int32")
    y = KL.MultiHeadAttention(2, 3)(x, x, attention_mask=keras.ops.not_equal(pairs, 0))
    given = np.random.default_rng(0).integers(0, 2, (*SHAPE[:2], SHAPE[1])).astype("int32")
    given[:, :, 0] = 1
    agree(keras.Model([x, pairs], y), tmp_path, masked_input(), given)


def test_a_softmax_of_what_a_mask_shows(tmp_path: Path) -> None:
    x, other = KL.Input(SHAPE[1:]), KL.Input(SHAPE[1:], dtype="int32")
    y = KL.Softmax()(x, mask=keras.ops.not_equal(other, 1))
    given = np.random.default_rng(0).integers(0, 3, SHAPE).astype("int32")
    given[0, 0] = 1
    agree(keras.Model([x, other], KL.Dense(2)(y)), tmp_path, masked_input(), given)


def _row(*layers: Any) -> Callable[[Any], Any]:
    def call(x: Any) -> Any:
        for layer in layers:
            x = layer(x)
        return x

    return call


SHARED: list[Callable[[], Any]] = [
    lambda: KL.LSTM(4),
    lambda: KL.GRU(4, return_sequences=True),
    lambda: KL.SimpleRNN(4, go_backwards=True),
    lambda: KL.Bidirectional(KL.GRU(2)),
    lambda: KL.RNN([KL.LSTMCell(3), KL.GRUCell(4)]),
    lambda: keras.Sequential([KL.Input(SHAPE[1:]), KL.GRU(4, return_sequences=True), KL.LSTM(4)]),
]


@pytest.mark.parametrize("first", ["with a mask", "without one", "without one twice"])
@pytest.mark.parametrize("shared", SHARED, ids=lambda f: name_of(f()))
def test_a_layer_with_a_mask_here_and_none_there(tmp_path: Path, shared: Any, first: str) -> None:
    x, layer, dense = KL.Input(SHAPE[1:]), shared(), KL.Dense(4)
    masked, plain = _row(KL.Masking(), dense, layer), _row(dense, layer)
    if first == "with a mask":
        y = [masked(x), plain(x)]
    else:
        y = [plain(x), masked(x)]
        y += [layer(KL.Dense(4)(x))] if first == "without one twice" else []
    agree(keras.Model(x, KL.Add()(y)), tmp_path, masked_input())


def test_a_mask_late_in_a_row_of_shared_layers(tmp_path: Path) -> None:
    """The second layer's calls differ because the first one's do."""
    x = KL.Input(SHAPE[1:])
    row = _row(KL.GRU(4, return_sequences=True), KL.LSTM(4, return_sequences=True), KL.GRU(3))
    agree(keras.Model(x, KL.Add()([row(x), row(KL.Masking()(x))])), tmp_path, masked_input())


def test_what_is_told_of_a_model_read_twice_is_told_once(tmp_path: Path) -> None:
    x, layer = KL.Input(SHAPE[1:]), KL.LSTM(4)
    dense = KL.Dense(4)
    y = KL.Add()([layer(dense(x)), layer(KL.Masking()(x))])
    model = keras.Model(x, y)
    dense.enable_lora(2)
    model.save(tmp_path / "m.keras")
    assert [d.code for d in api.read(tmp_path / "m.keras").warnings] == ["KC207"]
