"""Compiled settings of a shape that no release wrote: a fault with its place, never an exception."""

from __future__ import annotations

import copy
import itertools
import random
from collections.abc import Iterator
from typing import Any

import pytest

from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.losses import training_of
from kchainer.frontends.keras.losses.compiled import Output

DECAY = {"initial_learning_rate": 0.1, "decay_steps": 3, "decay_rate": 0.5, "staircase": True}
SGD = {
    "class_name": "SGD",
    "config": {"learning_rate": {"class_name": "ExponentialDecay", "config": DECAY}, "momentum": 0.5},
}
MUON = {"class_name": "Muon", "config": {"exclude_layers": ["a.*"]}}
MAP = {"class_name": "OptimizerMap", "config": {"optimizer_map": {"a.*": SGD}, "default_optimizer": MUON}}
OPTIMIZERS: list[Any] = [
    SGD,
    {"class_name": "MultiOptimizer", "config": {"optimizer_map": MAP}},
    {"class_name": "LossScaleOptimizer", "config": {"inner_optimizer": SGD, "dynamic": True}},
    {"name": "SGD", "lr": 0.1},
]
HUBER = {"module": "keras.losses", "class_name": "Huber", "config": {"delta": 1.0, "reduction": "sum"}}
WRAPPED = {"class_name": "LossFunctionWrapper", "config": {"fn": {"class_name": "function", "config": "mse"}}}
METRIC = {"class_name": "MeanMetricWrapper", "config": {"fn": "mae", "name": "x", "axis": [1]}}
LOSSES: list[dict[str, Any]] = [
    {"loss": HUBER, "loss_weights": [0.5], "metrics": [METRIC]},
    {
        "loss": {"a": "mse", "b": HUBER},
        "loss_weights": {"a": 1.0},
        "metrics": {"a": ["acc", METRIC], "b": "mae"},
    },
    {
        "loss": ["mse", WRAPPED],
        "loss_weights": [1, 2],
        "metrics": [["acc"], [None]],
        "weighted_metrics": ["mse"],
    },
]
JUNK: list[Any] = [
    None, True, 0, -1, 1.5, float("nan"), float("inf"), 10**400, "", "x", [], [1], ["x"], [[]], [None], {}, {"a": 1},
    {"class_name": 1}, {"class_name": "Adam", "config": 1}, {"class_name": "Huber", "config": "x"}, {"config": {}},
]  # fmt: skip
DIALECTS = [
    Dialect((0, 3, 3)),
    Dialect((2, 2, 4)),
    Dialect((2, 10), "tf_keras"),
    Dialect((3, 15, 1), "keras"),
]
OUTPUTS = [[Output("a", 3, "softmax")], [Output("a", 3), Output("b", None)]]


def places(value: Any, start: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in pairs:
        yield (*start, key)
        yield from places(one, (*start, key))


def changed(value: Any, place: tuple[Any, ...], junk: Any) -> Any:
    out = copy.deepcopy(value)
    inner = out
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = copy.deepcopy(junk)
    return out


def test_no_junk_at_any_place_raises_and_each_fault_has_a_place() -> None:
    draw = random.Random(0)
    told = 0
    for optimizer, losses in itertools.product(OPTIMIZERS, LOSSES):
        whole = {"optimizer": optimizer, **losses}
        for place, junk in itertools.product(places(whole), JUNK):
            training, faults = training_of(
                changed(whole, place, junk), draw.choice(DIALECTS), "net", draw.choice(OUTPUTS)
            )
            assert all(fault.key.startswith("/") for fault in faults)
            assert (training is None) == bool(faults) or not junk
            told += bool(faults)
    assert told > 1_000


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({"optimizer": {"class_name": "SGD", "config": 1}, "loss": "mse"}, "/optimizer/config"),
        ({"optimizer": 1, "loss": "mse"}, "/optimizer"),
        ({"optimizer": "sgd", "loss": {"class_name": "Huber", "config": [1]}}, "/loss/config"),
        ({"optimizer": "sgd", "loss": "mse", "loss_weights": ["x"]}, "/loss_weights"),
        ({"optimizer": "sgd", "loss": "mse", "metrics": [{"class_name": "A", "config": 1}]}, "/metrics"),
        ({"optimizer": {"class_name": "MultiOptimizer", "config": {"optimizer_map": []}}, "loss": "mse"}, "/optimizer"),
    ],
)  # fmt: skip
def test_malformed_settings_say_where(settings: dict[str, Any], place: str) -> None:
    training, faults = training_of(settings, DIALECTS[-1], "net", OUTPUTS[0])
    assert training is None
    assert [(f.code, f.key) for f in faults] == [("KC104", place)]
