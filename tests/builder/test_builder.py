"""Models written in Python: Keras's layers against Keras, chainer-sequential's against its definitions."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kchainer  # isort: skip
import chainer
import chainer.functions as F
import keras

from kchainer import (
    Activation,
    BatchNormalization,
    Chain,
    Convolution2D,
    Deconvolution2D,
    Gaussian,
    Linear,
    Merge,
    MinibatchDiscrimination,
    PixelShuffler2D,
    Residual,
    Sequential,
    layers,
)

SHAPE = (9, 10, 3)


def keras_like(module: Any, make_input: Any) -> tuple[Any, Any]:
    """The same program for Keras and for the builder."""
    x = make_input(SHAPE)
    h = module.Conv2D(4, 3, padding="same", activation="relu", name="conv")(x)
    h = module.BatchNormalization(name="bn")(h)
    shared = module.Conv2D(4, (1, 1), name="shared")
    h = module.Add()([shared(h), shared(module.Activation("tanh")(h))])
    h = module.MaxPooling2D(2)(h)
    h = module.Flatten()(h)
    h = module.Concatenate()([h, module.Dense(3, name="side")(h)])
    return x, module.Dense(5, activation="softmax", name="out")(module.Dropout(0.2)(h))


def test_a_keras_program_gives_the_same_numbers_as_keras() -> None:
    theirs = keras.Model(*keras_like(keras.layers, keras.Input))
    ours = kchainer.Model(*keras_like(layers, kchainer.Input)).build()
    random = np.random.default_rng(1)
    for variable in theirs.weights:
        variable.assign(
            random.uniform(0.1, 1, variable.shape) - 0.4 * ("moving_variance" not in variable.path)
        )
    paths = {v.path: np.array(v) for v in theirs.weights}
    for attribute, link in ours.net.named_plan_links():
        described = ours.net.plan.links[attribute]
        for name, weight in described.weights.items():
            value = paths[f"{ours.net.plan.layers[attribute]}/{weight.param}"]
            param = next(p for p in ours.net.params_of[attribute] if p.name == weight.param)
            place = getattr(link, name)
            moved = value.transpose([param.axes.index(a) for a in weight.axes or param.axes])
            np.copyto(getattr(place, "array", place), moved)
    x = random.standard_normal((2, *SHAPE)).astype("f")
    np.testing.assert_allclose(ours.predict(x), theirs.predict(x, verbose=0), rtol=1e-5, atol=1e-6)
    (tapped,) = ours(x, outputs=["conv"], test=True)
    inner = keras.Model(theirs.input, theirs.get_layer("conv").output)
    np.testing.assert_allclose(tapped.array, inner.predict(x, verbose=0), rtol=1e-5, atol=1e-5)


def test_positional_arguments_are_those_of_keras() -> None:
    from kchainer.frontends.builder.signatures import SIGNATURES

    scope: dict[str, Any] = {
        "__name__": "make_signatures",
        "__file__": str(Path("docs/make_signatures.py").resolve()),
    }
    exec(Path("docs/make_signatures.py").read_text(), scope)
    assert {k: tuple(v.split()) for k, v in SIGNATURES.items()} == {
        k: v for k, v in scope["signatures"]().items() if v
    }


def test_every_name_at_the_top_level_makes_a_layer() -> None:
    assert kchainer.Dense(3).class_name == layers.Dense(3).class_name == "Dense"
    assert kchainer.dropout(0.3).config == {"ratio": 0.3}
    with pytest.raises(AttributeError, match="did you mean `Linear`"):
        _ = kchainer.Linaer


@pytest.mark.parametrize(
    ("make", "config"),
    [
        (lambda: BatchNormalization(500), {"size": 500}),
        (lambda: BatchNormalization(size=5, decay=0.8), {"size": 5, "decay": 0.8}),
        (lambda: BatchNormalization(axis=1), {"axis": 1}),
        (lambda: BatchNormalization(-1, 0.9), {"axis": -1, "momentum": 0.9}),
        (lambda: BatchNormalization(), {}),
        (lambda: Convolution2D(3, 8, 4, stride=2, pad=1), {"in_channels": 3, "out_channels": 8, "ksize": 4, "stride": 2, "pad": 1}),
        (lambda: Convolution2D(None, 8, 4), {"in_channels": None, "out_channels": 8, "ksize": 4}),
        (lambda: Convolution2D(8, 3), {"filters": 8, "kernel_size": 3}),
    ],
)  # fmt: skip
def test_arguments_tell_whose_layer_it_is(make: Any, config: dict[str, Any]) -> None:
    assert make().config == config


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: layers.Dense(unit=3), "units"),
        (lambda: layers.Dense("three"), "integer"),
        (lambda: Linear(3, 4, use_weightnrom=True), "use_weightnorm"),
        (lambda: layers.Dense(3, "relu", True, units=4), "twice"),
        (lambda: Sequential([lambda x: x]), "no layer"),
        (lambda: Sequential(weight_initializer="Uniform").add(Linear(3, 4)).build(), "Uniform"),
        (lambda: Sequential([Linear(3, 4), Linear(5, 4)]).build(), "5 features"),
        (lambda: Sequential([Linear(None, 4)]).to_json(), "input"),
        (lambda: Sequential([Linear(3, 4)]).build().add(Linear(4, 5)), "built"),
        (lambda: Chain().setup_optimizers("adamm", 0.1), "did you mean `adam`"),
        (lambda: Chain()(np.zeros((1, 2))), "no sequence"),
    ],
)
def test_mistakes_are_told_in_words(make: Any, said: str) -> None:
    with pytest.raises(kchainer.KchainerError, match=said):
        make()


# ------------------------------------------------------------------ chainer-sequential


def article() -> Chain:
    """The program of chainer-sequential's article."""
    sequence = Sequential(weight_initializer="GlorotNormal", weight_init_std=0.05)
    sequence.add(Linear(784, 500, use_weightnorm=True))
    sequence.add(BatchNormalization(500))
    sequence.add(Activation("relu"))
    sequence.add(Linear(None, 500))
    sequence.add(Activation("relu"))
    sequence.add(Linear(500, 28 * 28))
    sequence.build()
    chain = Chain()
    chain.add_sequence(sequence)
    chain.setup_optimizers("adam", 0.001, momentum=0.9, weight_decay=0.000001, gradient_clipping=10)
    return chain


def test_the_articles_program_trains() -> None:
    np.random.seed(0)
    chain = article()
    x = np.random.uniform(0, 1, (64, 784)).astype("f")
    losses = []
    for _ in range(15):
        loss = F.mean_squared_error(chain(x), x)
        chain.backprop(loss)
        losses.append(float(loss.array))
    assert (np.diff(losses) < 0).all()
    assert chain.optimizer.beta1 == 0.9
    assert chain.optimizer.alpha == 0.001
    assert chain.optimizer.t == 15
    w = chain.sequence.links[3].W.array  # GlorotNormal: scale * sqrt(2 / (fan_in + fan_out))
    assert np.isclose(w.std(), 0.05 * np.sqrt(2 / 1000), rtol=0.2)


@pytest.mark.parametrize("name", ["model.npz", "model.h5", "model"])
def test_what_is_saved_is_loaded(tmp_path: Path, name: str) -> None:
    one, other = article(), article()
    x = np.random.default_rng(0).uniform(0, 1, (8, 784)).astype("f")
    one(x)
    one.save(tmp_path / name)
    assert other.load(tmp_path / name) is True
    np.testing.assert_array_equal(one(x, test=True).array, other(x, test=True).array)
    assert other.load(tmp_path / "nothing.npz") is False


def test_a_damaged_or_foreign_file_changes_nothing(tmp_path: Path) -> None:
    chain, small = article(), Chain()
    small.add_sequence(Sequential([Linear(3, 4)]))
    small.save(tmp_path / "small.npz")
    (tmp_path / "torn.npz").write_bytes((tmp_path / "small.npz").read_bytes()[:200])
    before = {name: p.array.copy() for name, p in chain.namedparams()}
    for file in ("small.npz", "torn.npz"):
        with pytest.raises(kchainer.KchainerError):
            chain.load(tmp_path / file)
    assert all((p.array == before[name]).all() for name, p in chain.namedparams())


def test_sizes_are_inferred_at_the_first_call_and_the_optimizer_knows_all_params() -> None:
    chain = Chain(weight_initializer="Normal", weight_std=0.1)
    body = [
        Merge(2, 20),
        BatchNormalization(20),
        Activation("elu"),
        Linear(None, 8),
        Activation("elu"),
        Gaussian(None, 3),
    ]
    chain.add_sequence(Sequential(body), "q")
    chain.setup_optimizers("momentumsgd", 0.1, momentum=0.5)
    x, z = np.ones((5, 7), "f"), np.ones((5, 4), "f")
    mean, ln_var = chain.q(x, z)
    assert mean.shape == ln_var.shape == (5, 3)
    names = {name for name, _ in chain.namedparams()}
    assert names >= {"/q_0_0/W", "/q_0_1/W", "/q_1/gamma", "/q_3/W", "/q_5_mean/W", "/q_5_ln_var/b"}
    before = chain["q_5_mean"].W.array.copy()
    chain.backprop(F.sum(mean) + F.sum(ln_var))
    assert (chain["q_5_mean"].W.array != before).any()
    assert chain["q_3"].W.array.std() == pytest.approx(0.1, rel=0.4)


@pytest.mark.parametrize(
    ("name", "momentum", "rate"),
    [
        ("adam", "beta1", "alpha"), ("AdaGrad", None, "lr"), ("adadelta", "rho", None), ("nesterov", "momentum", "lr"),
        ("NesterovAG", "momentum", "lr"), ("rmsprop", "alpha", "lr"), ("momentumsgd", "momentum", "lr"), ("sgd", None, "lr"),
    ],
)  # fmt: skip
def test_every_optimizer_takes_its_numbers(name: str, momentum: str | None, rate: str | None) -> None:
    chain = Chain()
    chain.add_sequence(Sequential([Linear(3, 2)]))
    optimizer = chain.setup_optimizers(name, 0.02, momentum=0.7, weight_decay=0.1, gradient_clipping=1)
    assert [type(h).__name__ for h in optimizer._hookable._pre_update_hooks.values()] == [
        "WeightDecay",
        "GradientClipping",
    ]
    for key, value in ((momentum, 0.7), (rate, 0.02)):
        assert key is None or getattr(optimizer, key) == value
    chain.update_momentum(0.6)
    chain.update_learning_rate(0.01)
    for key, value in ((momentum, 0.6), (rate, 0.01)):
        assert key is None or getattr(optimizer, key) == value
    before = chain["link_0"].W.array.copy()
    chain.backprop(lambda: F.sum(chain(np.ones((1, 3), "f")) ** 2))
    assert (chain["link_0"].W.array != before).any()


def test_a_residual_block_adds_its_input() -> None:
    sequence = Sequential([Linear(4, 4), Residual([Linear(None, 4), Activation("relu")])]).build()
    first, inner = [link for link in sequence.links if isinstance(link, chainer.Link)]
    x = np.random.default_rng(2).standard_normal((3, 4)).astype("f")
    h = first(x)
    np.testing.assert_allclose(sequence(x).array, (F.relu(inner(h)) + h).array, rtol=1e-6)


def test_activations_are_returned_but_the_first_element_and_softmax() -> None:
    kinds = ["elu", "relu", "softmax", "tanh"]
    sequence = Sequential(
        [Activation("relu"), *(one for k in kinds for one in (Linear(None, 4), Activation(k)))]
    )
    sequence.build((4,))
    y, activations = sequence(np.ones((2, 4), "f"), return_activations=True)
    assert len(activations) == 3
    np.testing.assert_array_equal(activations[-1].array, y.array)


def numpy_weight(v: Any, g: Any, axes: tuple[int, ...]) -> Any:
    return g * v / (np.sqrt((v**2).sum(axis=axes, keepdims=True)) + 1e-9)


@pytest.mark.parametrize(
    ("layer", "shape", "axes", "function"),
    [
        (Linear(5, 4, use_weightnorm=True), (5,), (1,), F.linear),
        (Convolution2D(3, 4, 3, stride=2, pad=1, use_weightnorm=True), (3, 7, 8), (1, 2, 3), lambda x, w, b: F.convolution_2d(x, w, b, 2, 1)),
        (Deconvolution2D(3, 4, 4, stride=2, pad=1, use_weightnorm=True), (3, 5, 6), (0, 2, 3), lambda x, w, b: F.deconvolution_2d(x, w, b, 2, 1)),
    ],
    ids=["linear", "convolution", "deconvolution"],
)  # fmt: skip
def test_weight_normalisation(
    layer: Any, shape: tuple[int, ...], axes: tuple[int, ...], function: Any
) -> None:
    random = np.random.default_rng(3)
    sequence = Sequential([layer], weight_initializer="Normal", weight_std=1).build(shape)
    (link,) = sequence.links
    x = random.standard_normal((16, *shape)).astype("f")
    link.g.array[...] = random.uniform(0.5, 2, link.g.shape)
    w = chainer.Parameter(numpy_weight(link.V.array, link.g.array, axes))
    y, want = sequence(x), function(x, w, link.b)
    np.testing.assert_allclose(y.array, want.array, rtol=1e-5, atol=1e-5)
    link.cleargrads()
    F.sum(y**2).backward()
    w.cleargrad()
    F.sum(want**2).backward()
    norm = np.sqrt((link.V.array**2).sum(axis=axes, keepdims=True))
    unit = link.V.array / norm
    dg = (w.grad * unit).sum(axis=axes, keepdims=True)
    np.testing.assert_allclose(link.g.grad, dg, rtol=1e-4, atol=1e-4 * np.abs(dg).max())
    dv = link.g.array / norm * (w.grad - dg * unit)
    np.testing.assert_allclose(link.V.grad, dv, rtol=1e-4, atol=1e-4 * np.abs(dv).max())
    assert sequence.start_weight_normalization(x) == 1
    started = sequence(x).array
    over = tuple(i for i in range(started.ndim) if i != 1)
    np.testing.assert_allclose(started.mean(axis=over), 0, atol=1e-4)
    # less than 1 by epsilon / (2 variance): 1e-6 in a variance of 1e-3 or more
    np.testing.assert_allclose(started.std(axis=over), 1, rtol=1e-3)


def test_a_batch_of_one_starts_weight_normalisation_finitely_and_no_statistics_move() -> None:
    sequence = Sequential(
        [
            Linear(4, 3, use_weightnorm=True),
            BatchNormalization(3),
            Linear(3, 2, use_weightnorm=True, nobias=True),
        ]
    ).build()
    before = sequence.links[1].avg_mean.copy()
    assert sequence.start_weight_normalization(np.ones((1, 4), "f"), epsilon=1e-3) == 2
    assert all(np.isfinite(p.array).all() for p in sequence.net.params())
    np.testing.assert_array_equal(sequence.links[1].avg_mean, before)


def test_minibatch_discrimination_is_its_formula() -> None:
    random = np.random.default_rng(4)
    sequence = Sequential([MinibatchDiscrimination(6, 4, ndim_kernel=3)], weight_initializer="Normal").build()
    (link,) = sequence.links
    x = random.standard_normal((5, 6)).astype("f")
    m = (x @ link.W.array.T).reshape(5, 4, 3)
    o = np.zeros((5, 4))
    for i in range(5):
        for j in range(5):
            o[i] += 0 if i == j else np.exp(-np.abs(m[i] - m[j]).sum(axis=1))
    np.testing.assert_allclose(sequence(x).array, np.concatenate([x, o], 1), rtol=1e-4, atol=1e-5)
    link.cleargrads()
    F.sum(sequence(x) ** 2).backward()
    assert np.isfinite(link.W.grad).all()
    assert np.abs(link.W.grad).max() > 0


def test_the_pixel_shuffler_is_a_convolution_and_depth_to_space() -> None:
    sequence = Sequential([PixelShuffler2D(2, 3, ksize=3, r=2, pad=1)], weight_initializer="Normal").build(
        (2, 5, 6)
    )
    conv = next(link for link in sequence.links if isinstance(link, chainer.Link))
    x = np.random.default_rng(5).standard_normal((2, 2, 5, 6)).astype("f")
    np.testing.assert_allclose(sequence(x).array, F.depth2space(conv(x), 2).array, rtol=1e-5, atol=1e-6)


def test_what_is_built_is_the_ir_and_survives_json_copy_and_source() -> None:
    sequence = Sequential([Linear(6, 4, use_weightnorm=True), Activation("crelu"), Linear(None, 2)]).build()
    again = Sequential().from_json(sequence.to_json())
    assert again.to_dict() == sequence.to_dict()
    assert json.loads(sequence.to_json())["kind"] == "ir"
    assert "WeightNormalizedLinear" in sequence.model().to_source()
    x = np.ones((3, 6), "f")
    again.build()
    twin = copy.deepcopy(sequence)
    np.testing.assert_array_equal(twin(x).array, sequence(x).array)
    assert again(x).shape == (3, 2)


def test_a_sequence_is_a_layer_of_another_model() -> None:
    encoder = Sequential([layers.Dense(4, activation="tanh"), layers.Dense(3)], name="encoder")
    a, b = kchainer.Input((5,)), kchainer.Input((5,))
    model = kchainer.Model([a, b], layers.Subtract()([encoder(a), encoder(b)]))
    x = np.random.default_rng(6).standard_normal((2, 5)).astype("f")
    np.testing.assert_allclose(model(x, x).array, 0, atol=1e-7)
    assert sum(1 for _ in model.net.params()) == 4  # shared
