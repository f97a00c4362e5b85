"""Masks of outputs in losses and metrics, against Keras 3 and against what older releases recorded."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import kchainer
from kchainer.backends.chainer.build import arrays_of
from kchainer.ir.spec import to_json

L = keras.layers
FIXTURES = Path(__file__).parents[1] / "fixtures/masks"
ENDS = (5, 3, 5, 1, 4, 0)  # the last sample counts nowhere
NAMES = {"acc": "categorical_accuracy", "accuracy": "categorical_accuracy", "mean_absolute_error": "mae"}


def tokens(rng: Any) -> Any:
    x = rng.integers(1, 9, (len(ENDS), 5))
    for row, end in enumerate(ENDS):
        x[row, end:] = 0
    return x


def onehot(rng: Any, *shape: int) -> Any:
    return np.eye(4, dtype="float32")[rng.integers(0, 4, shape)]


def tagger() -> Any:
    rows = [
        L.Embedding(9, 6, mask_zero=True),
        L.LSTM(7, return_sequences=True),
        L.Dense(4, activation="softmax"),
    ]
    return keras.Sequential([keras.Input((5,), dtype="int32"), *rows])


def bare() -> Any:
    """Nothing but the loss needs the mask."""
    rows = [L.Embedding(9, 6, mask_zero=True), L.Dense(4, activation="softmax")]
    return keras.Sequential([keras.Input((5,), dtype="int32"), *rows])


def both_ways() -> Any:
    x = keras.Input((5,), dtype="int32")
    inner = keras.Sequential(
        [L.Embedding(9, 4, mask_zero=True), L.Bidirectional(L.GRU(3, return_sequences=True))]
    )
    h = L.LayerNormalization()(inner(x))
    return keras.Model(x, L.TimeDistributed(L.Dense(4, activation="softmax"))(h))


def places(net: Any, model: Any) -> list[tuple[str, Any]]:
    """Our name of each of Keras's weights, which is told by its first values, with those."""
    have, out = arrays_of(net), []
    for w in model.get_weights():
        name = next(k for k, v in have.items() if v.shape == w.shape and (v == w).all())
        del have[name]
        out.append((name, np.array(w)))
    return out


def compare(net: Any, model: Any, before: list[tuple[str, Any]]) -> None:
    """After 20 steps: to 1e-4 of each tensor's scale, 2e-3 of how far it moved."""
    for (name, w0), w in zip(before, model.get_weights(), strict=True):
        error = np.abs(arrays_of(net)[name] - w).max()
        assert error <= 1e-4 * np.abs(w).max(), (w.shape, error)
        assert error <= max(2e-3 * np.abs(w - w0).max(), 2e-7), (w.shape, error)


@pytest.mark.parametrize("make", [tagger, bare, both_ways])
@pytest.mark.parametrize("weighted", [False, True])
def test_masked_steps_do_not_count_in_loss_and_metrics(
    make: Callable[[], Any], weighted: bool, tmp_path: Path
) -> None:
    rng = np.random.default_rng(3)
    keras.utils.set_random_seed(1)
    model, x, t = make(), tokens(rng), onehot(rng, 6, 5)
    weight = rng.random((6, 5)).astype("float32") if weighted else None
    model.compile(
        "adam", "categorical_crossentropy", metrics=["mae", keras.metrics.AUC()], weighted_metrics=["mae"]
    )
    model.save(tmp_path / "model.keras")
    net = kchainer.load(tmp_path / "model.keras")
    step = kchainer.training.from_compiled(net)
    before = places(net, model)
    for i in range(20):
        wanted = model.train_on_batch(x, t, sample_weight=weight, return_dict=True)
        model.reset_metrics()
        assert step(x, t, sample_weight=weight) == pytest.approx(float(wanted["loss"]), rel=1e-5)
        assert step.metrics["mae"] == pytest.approx(float(wanted["mae"]), rel=1e-5)
        assert step.metrics["weighted_mae"] == pytest.approx(float(wanted["weighted_mae"]), rel=1e-5)
        auc = next(float(v) for k, v in wanted.items() if k.startswith("auc"))
        # later a prediction may lie on the other side of one of 200 thresholds
        assert i or step.metrics["auc"] == pytest.approx(auc, rel=1e-5)
    compare(net, model, before)


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "mean_with_sample_weight", "sum"])
@pytest.mark.parametrize("weighted", [False, True])
def test_reductions_and_an_output_without_a_mask(reduction: str, weighted: bool, tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    keras.utils.set_random_seed(2)
    x = keras.Input((5,), dtype="int32")
    h = L.Embedding(9, 4, mask_zero=True)(x)
    model = keras.Model(x, [L.Dense(4, name="each")(h), L.Dense(2, name="all")(L.LSTM(3)(h))])
    loss = keras.losses.MeanSquaredError(reduction=reduction)
    model.compile(keras.optimizers.SGD(0.1), [loss, "mse"], loss_weights=[2.0, 0.5])
    model.save(tmp_path / "model.keras")
    net = kchainer.load(tmp_path / "model.keras")
    assert net.plan.masks[0] is not None
    assert net.plan.masks[1] is None
    step = kchainer.training.from_compiled(net)
    a, ts = tokens(rng), [onehot(rng, 6, 5), rng.normal(size=(6, 2)).astype("float32")]
    weights = [rng.random((6, 5)).astype("float32"), rng.random(6).astype("float32")] if weighted else None
    before = places(net, model)
    for _ in range(20):
        wanted = float(model.train_on_batch(a, ts, sample_weight=weights)[0])
        model.reset_metrics()
        assert step(a, ts, sample_weight=weights) == pytest.approx(wanted, rel=1e-5)
    compare(net, model, before)


@pytest.mark.parametrize("label", sorted(p.stem for p in FIXTURES.glob("*.npz")))
def test_each_release_counts_masks_its_own_way(label: str) -> None:
    data = np.load(FIXTURES / f"{label}.npz")
    net = kchainer.load(FIXTURES / f"{label}.h5")
    assert not net.model.warnings
    step = kchainer.training.from_compiled(net)
    names = [name.decode() for name in data["names"]]
    for i, row in enumerate(data["rows"]):
        loss = step(data["x"], data["t"], sample_weight=data["weight"] if i >= 3 else None)
        assert loss == pytest.approx(row[0], rel=2e-6)
        short = {k.replace("mean_absolute_error", "mae"): v for k, v in step.metrics.items()}
        wanted = dict(zip((NAMES.get(n, n) for n in names[1:3]), row[1:3], strict=True))
        assert {k: v for k, v in short.items() if k in wanted} == pytest.approx(wanted, rel=1e-5)
        if "weighted_mae" in short:  # files of Keras before 2.3 do not name them
            assert short["weighted_mae"] == pytest.approx(row[3], rel=1e-5)
    for k, array in enumerate(arrays_of(net).values()):
        np.testing.assert_allclose(array, data[f"w{k}"], rtol=0, atol=5e-7)  # some 1e-7 is a float32's own


def test_masks_go_with_the_network_through_all_forms(tmp_path: Path) -> None:
    keras.utils.set_random_seed(5)
    model = bare()
    model.compile("sgd", "categorical_crossentropy")
    model.save(tmp_path / "model.keras")
    read = kchainer.read(tmp_path / "model.keras")
    (mask,) = read.network.masks
    assert mask is not None
    assert read.network.shape(mask) == (None, 5)
    for data in (read.to_spec(), to_json(read)):
        again = kchainer.from_json(json.dumps(data)).fixed
        assert again.network.masks == read.network.masks
        assert again.network.nodes == read.network.nodes
    assert "not_equal" not in read.to_source()  # a program has no loss


def test_a_builders_model_counts_its_mask() -> None:
    rng = np.random.default_rng(6)
    x, t = tokens(rng), onehot(rng, 6, 5)
    layers = [kchainer.layers.Embedding(9, 6, mask_zero=True, input_shape=(5,)), kchainer.layers.Dense(4)]
    model = kchainer.Sequential(layers).compile("sgd", "mse", metrics=["mae"])
    model.build()
    step = kchainer.training.from_compiled(model)
    y = model.predict(x)
    kept = (x != 0).astype("float32")
    wanted = (((y - t) ** 2).mean(-1) * kept).sum() / kept.sum()
    assert step(x, t) == pytest.approx(float(wanted), rel=1e-5)
    history = model.fit(x, t, epochs=2, batch_size=6, progress=False, validation=(x, t))
    assert np.isfinite(history[-1]["main/loss"])
    assert history[-1]["validation/main/loss"] < history[0]["main/loss"]


def test_a_mask_that_is_none_of_the_network_is_told() -> None:
    whole = {
        "kchainer": 1, "kind": "spec", "inputs": {"x": {"shape": [3], "dtype": "int32"}},
        "layers": [{"op": "Embedding", "name": "e", "input_dim": 5, "output_dim": 2}],
        "masks": ["nowhere"],
    }  # fmt: skip
    with pytest.raises(kchainer.KchainerError) as told:
        kchainer.from_json(json.dumps(whole)).build()
    assert told.value.diagnostics[0].code == "KC302"
    assert told.value.diagnostics[0].pointer == "/masks/0"
