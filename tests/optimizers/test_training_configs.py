"""Compiled settings as files have them: live Keras 3.15 configs for every class, and the forms of older releases."""

from __future__ import annotations

import dataclasses
import json

import chainer
import keras
import numpy as np
import pytest

from kchainer.backends.chainer.objectives import loss_of, optimizer_of
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.losses import loss_of as read_loss
from kchainer.frontends.keras.losses import training_of
from kchainer.frontends.keras.losses.compiled import Output
from kchainer.frontends.keras.optimizers import OPTIMIZERS, owners_of
from kchainer.frontends.keras.optimizers import optimizer_of as read
from kchainer.ir import losses as ir_losses
from kchainer.ir import optimizers as ir
from kchainer.ir.patterns import pattern
from kchainer.ir.training import owning
from kchainer.optimizers import View

NEW = Dialect((3, 15, 1), "keras", "torch")
OUT = [Output("out", 3)]
SCHEDULES = keras.optimizers.schedules


def serialized(one):
    return json.loads(json.dumps(keras.saving.serialize_keras_object(one)))


@pytest.mark.parametrize("name", [n for n in OPTIMIZERS if hasattr(keras.optimizers, n)])
def test_live_config_of_every_optimizer_is_read(name):
    theirs = getattr(keras.optimizers, name)(0.25)
    one, faults = read(serialized(theirs), NEW)
    assert not faults
    config = theirs.get_config()
    for key, value in config.items():
        if hasattr(one, key) and key != "name":
            stated = getattr(one, key)
            assert stated == (tuple(value) if isinstance(value, list) else pytest.approx(value)), key
    assert optimizer_of(one).lr == pytest.approx(0.25)
    default, faults = read(name.lower(), NEW)
    assert not faults
    ours = {k: v for k, v in config.items() if k not in ("learning_rate", "name") and hasattr(default, k)}
    assert all(getattr(default, k) == (tuple(v) if isinstance(v, list) else v) for k, v in ours.items())


@pytest.mark.parametrize(
    "schedule",
    [
        SCHEDULES.ExponentialDecay(0.1, 3, 0.5, staircase=True),
        SCHEDULES.InverseTimeDecay(0.1, 3, 0.5),
        SCHEDULES.PiecewiseConstantDecay([2, 5], [0.3, 0.2, 0.1]),
        SCHEDULES.PolynomialDecay(0.1, 6, power=2.0, cycle=True),
        SCHEDULES.CosineDecay(0.01, 5, warmup_target=0.1, warmup_steps=3),
        SCHEDULES.CosineDecayRestarts(0.1, 4, alpha=0.1),
    ],
)
def test_live_config_of_every_schedule_is_read(schedule):
    one, faults = read(serialized(keras.optimizers.SGD(schedule)), NEW)
    assert not faults
    made = optimizer_of(one)
    for step in range(12):
        made.t = step
        assert made.lr == pytest.approx(float(schedule(step)), rel=1e-5)


LOSSES = [
    n
    for n in dir(keras.losses)
    if isinstance(getattr(keras.losses, n), type) and n != "Loss" and n == getattr(keras.losses, n).__name__
]


@pytest.mark.parametrize("name", LOSSES)
def test_live_config_of_every_loss_is_read(name):
    one, faults = read_loss(serialized(getattr(keras.losses, name)(reduction="sum")), NEW)
    assert not faults
    assert one.reduction == "sum"
    assert type(one).__name__ == name
    assert loss_of(one)


def test_reading_a_compiled_model():
    x = keras.Input((3,))
    a, b = keras.layers.Dense(1, name="a")(x), keras.layers.Dense(4, name="b")(x)
    model = keras.Model(x, [a, b])
    model.compile(
        keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01)),
        {"a": keras.losses.mean_squared_error, "b": keras.losses.SparseCategoricalCrossentropy(from_logits=True)},
        loss_weights={"b": 0.5},
        metrics={"a": ["mae"], "b": ["acc", keras.metrics.TopKCategoricalAccuracy(k=2)]},
    )  # fmt: skip
    config = json.loads(model.to_json())["compile_config"]
    section, faults = training_of(config, NEW, "m", [Output("a", 1), Output("b", 4)])
    assert not faults
    assert isinstance(section.optimizers[0].optimizer, ir.LossScale)
    first, second = section.objectives
    assert (type(first.loss).__name__, first.weight) == ("MeanSquaredError", 1.0)
    assert (second.loss.from_logits, second.weight) == (True, 0.5)
    names = [m.metric.name for m in section.metrics]
    assert names == ["mae", "SparseCategoricalAccuracy", "TopKCategoricalAccuracy"]


def test_several_optimizers_keep_their_patterns():
    from keras.src.optimizers.multi_optimizer import MultiOptimizer, OptimizerMap

    several = MultiOptimizer(OptimizerMap(keras.optimizers.SGD(0.1), {"a/.*": keras.optimizers.Adam(0.01)}))
    owners, faults = owners_of(serialized(several), NEW)
    assert not faults
    assert [(type(o.optimizer).__name__, o.params) for o in owners] == [("Adam", ("a/.*",)), ("SGD", ())]


def test_clipnorm_is_of_all_gradients_before_tf_keras():
    raw = {"class_name": "SGD", "config": {"lr": 0.1, "clipnorm": 0.5, "clipvalue": 0.1}}
    old, _ = read(raw, Dialect((2, 2, 4)))
    new, _ = read(raw, Dialect((2, 9), "tf_keras"))
    assert (old.global_clipnorm, old.clipnorm, old.clipvalue) == (0.5, None, 0.1)
    assert (new.global_clipnorm, new.clipnorm) == (None, 0.5)


@pytest.mark.parametrize(
    ("dialect", "raw", "wanted"),
    [
        (Dialect((0, 3, 3)), {"name": "Adagrad", "lr": 0.01}, {"epsilon": 1e-6, "initial_accumulator_value": 0, "eps_inside_sqrt": False}),
        (Dialect((1, 2, 2)), "adam", {"epsilon": 1e-8, "learning_rate": 0.001}),
        (Dialect((2, 2, 4)), {"class_name": "Adam", "config": {"lr": [0.5], "epsilon": None}}, {"epsilon": 1e-7, "learning_rate": 0.5}),
        (Dialect((2, 1, 0)), "nadam", {"epsilon": 1e-8, "schedule_decay": 0.004, "learning_rate": 0.002}),
        (Dialect((2, 9), "tf_keras"), {"class_name": "Nadam", "config": {"decay": 0.02}}, {"schedule_decay": 0.02, "decay": 0}),
        (Dialect((2, 15), "tf_keras"), {"class_name": "Custom>Nadam", "config": {"is_legacy_optimizer": False}}, {"schedule_decay": 1, "product_per_variable": True}),
        (Dialect((2, 9), "tf_keras"), {"class_name": "RMSprop", "config": {"momentum": 0}}, {"eps_inside_sqrt": False}),
        (Dialect((2, 9), "tf_keras"), {"class_name": "RMSprop", "config": {"momentum": 0.5}}, {"eps_inside_sqrt": True}),
        (Dialect((2, 15), "tf_keras"), {"class_name": "Adagrad", "config": {"decay": 0.0}}, {"eps_inside_sqrt": False}),
        (Dialect((2, 15), "tf_keras"), {"class_name": "Adagrad", "config": {}}, {"eps_inside_sqrt": True}),
        (Dialect((3, 12)), {"class_name": "Muon", "config": {"weight_decay": 0.1}}, {"ratio_scale": True, "adam_weight_decay": 0.1, "ns_steps": 6}),
        (Dialect((2, 15), "tf_keras"), {"class_name": "LossScaleOptimizer", "config": {"inner_optimizer": {"class_name": "SGD", "config": {}}, "dynamic": False, "initial_scale": 8}}, {"loss_scale_factor": 8}),
    ],
)  # fmt: skip
def test_releases_mean_different_things(dialect, raw, wanted):
    one, faults = read(raw, dialect)
    assert not faults
    assert {k: getattr(one, k) for k in wanted} == wanted


def test_losses_of_releases():
    old, _ = read_loss("cosine_proximity", Dialect((1, 2, 2)))
    assert old.mean
    assert (old.mask_rule, old.divisor) == ("mean", "nonzero")
    middle, _ = read_loss("binary_crossentropy", Dialect((2, 3, 1), "keras", "tensorflow"))
    assert (middle.log_epsilon, middle.mask_rule, middle.divisor) == (1e-7, "zero", "count")
    new, _ = read_loss(
        {"class_name": "LossFunctionWrapper", "config": {"fn": "hinge", "reduction": "none"}}, NEW
    )
    assert isinstance(new, ir_losses.Hinge)
    assert (new.convert_labels, new.reduction, new.mask_rule) == (True, "none", "valid")


@pytest.mark.parametrize(
    ("config", "code", "key"),
    [
        ({"optimizer": "adem", "loss": "mse"}, "KC201", "/optimizer"),
        ({"optimizer": {"class_name": "SGD", "config": {"momentun": 1}}, "loss": "mse"}, "KC103", "/optimizer/config/momentun"),
        ({"optimizer": {"class_name": "SGD", "config": {"momentum": "x"}}, "loss": "mse"}, "KC104", "/optimizer/config/momentum"),
        ({"optimizer": {"class_name": "SGD", "config": {"learning_rate": {"class_name": "NoisyLinearCosineDecay", "config": {}}}}, "loss": "mse"}, "KC204", "/optimizer/config/learning_rate"),
        ({"optimizer": "sgd", "loss": "my_loss"}, "KC201", "/loss"),
        ({"optimizer": "sgd", "loss": {"nowhere": "mse"}}, "KC104", "/loss/nowhere"),
        ({"optimizer": "sgd", "loss": ["mse", "mse"]}, "KC104", "/loss"),
        ({"optimizer": 3, "loss": "mse"}, "KC104", "/optimizer"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(config, code, key):
    section, faults = training_of(config, NEW, "m", OUT)
    assert section is None
    assert (faults[0].code, faults[0].key) == (code, key)


def test_a_model_that_was_not_compiled_has_no_section():
    assert training_of({}, NEW, "m", OUT) == (None, [])
    assert training_of(None, NEW, "m", OUT) == (None, [])


@pytest.mark.parametrize(
    ("release", "loss", "activation", "wanted"),
    [
        ((2, 15), "binary_crossentropy", "softmax", True),
        ((2, 15), "sparse_categorical_crossentropy", "softmax", True),
        ((2, 15), "mse", "softmax", False),
        ((2, 15), "categorical_crossentropy", "relu", False),
        ((2, 2, 4), "binary_crossentropy", "softmax", False),
        ((2, 2, 4), "binary_crossentropy", "sigmoid", True),
    ],
)
def test_losses_of_tf_keras_see_logits(release, loss, activation, wanted):
    config = {"optimizer": "sgd", "loss": loss}
    section, _ = training_of(config, Dialect(release, "tf_keras"), "m", [Output("out", 3, activation)])
    (objective,) = section.objectives
    assert objective.on_logits == wanted
    assert getattr(objective.loss, "from_logits", False) == wanted
    keras3, _ = training_of(config, NEW, "m", [Output("out", 3, activation)])
    assert not keras3.objectives[0].on_logits


HANGS = "(a+)+$"


@pytest.mark.parametrize("text", ["(?=a)", "(a)\\1", "(", "(a{100}){100}"])
def test_patterns_that_are_not_supported_are_faults_with_their_place(text: str) -> None:
    sgd = {"class_name": "SGD", "config": {}}
    several = {"optimizer_map": {"config": {"optimizer_map": {text: sgd}, "default_optimizer": sgd}}}
    _, faults = owners_of({"class_name": "MultiOptimizer", "config": several}, NEW)
    assert [(f.code, f.key) for f in faults] == [
        ("KC204", f"/config/optimizer_map/config/optimizer_map/{text}")
    ]
    _, faults = owners_of({"class_name": "Muon", "config": {"exclude_layers": [text]}}, NEW)
    assert [(f.code, f.key) for f in faults] == [("KC204", "/config/exclude_layers")]


def test_more_patterns_than_can_be_matched_in_time_are_a_fault() -> None:
    for count, codes in ((64, []), (65, ["KC204"])):
        raw = {
            "class_name": "Muon",
            "config": {"exclude_layers": [f"a{i}.*" for i in range(count)] + ["plain"]},
        }
        assert [f.code for f in owners_of(raw, NEW)[1]] == codes


def test_a_pattern_of_a_file_that_hangs_re_does_not_hang() -> None:
    ((plain,), _) = owners_of("SGD", NEW)
    name = "a" * 5_000 + "b"
    owner = dataclasses.replace(plain, params=(HANGS,), no_weight_decay=(HANGS,))
    assert owning([owner], name) == []
    raw = {"class_name": "Muon", "config": {"exclude_layers": [HANGS], "weight_decay": 0.1}}
    (muon,), _ = owners_of(raw, NEW)
    one = optimizer_of(muon.optimizer)
    link = chainer.Link()
    with link.init_scope():
        link.W = chainer.Parameter(np.ones((2, 2), np.float32))
    one.setup(link, views={"/W": View(name)})
    one.exclude_from_weight_decay(*map(pattern, owner.no_weight_decay))
    link.W.grad = np.ones((2, 2), np.float32)
    one.update()
    assert link.W.update_rule.decays
    assert not link.W.update_rule.uses_adam(2)
