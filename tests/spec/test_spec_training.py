"""The training section of spec and IR files: short forms, variables, there and back, problems where they stand."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

import kchainer
from kchainer import KchainerError
from kchainer.api import from_spec
from kchainer.ir import optimizers as ir
from kchainer.ir.schema import ir_schema
from kchainer.ir.spec import to_json
from kchainer.ir.spec_schema import spec_schema

ONE: dict[str, Any] = {
    "kchainer": 1,
    "kind": "spec",
    "variables": {"rate": 0.01},
    "inputs": [4],
    "layers": [{"op": "Dense", "units": 3, "activation": "softmax"}],
    "training": {
        "optimizers": {"op": "Adam", "learning_rate": "$rate", "weight_decay": 0.001, "global_clipnorm": 10},
        "losses": "CategoricalCrossentropy",
        "metrics": ["CategoricalAccuracy"],
    },
}
TWO: dict[str, Any] = {
    "kchainer": 1,
    "kind": "spec",
    "networks": {
        "q": {"inputs": [4], "layers": [{"op": "Dense", "units": 2, "name": "code"}]},
        "p": {
            "inputs": [2],
            "layers": [{"op": "Dense", "units": 4, "name": "a"}, {"op": "Dense", "units": 1, "name": "b", "inputs": "a"}],
            "outputs": ["a", "b"],
        },
    },
    "training": {
        "optimizers": [
            {"optimizer": {"op": "SGD", "learning_rate": 0.1, "momentum": 0.9}, "networks": ["q"]},
            {"optimizer": {"op": "Lion", "learning_rate": {"op": "CosineDecay", "initial_learning_rate": 0.1, "decay_steps": 9}}, "params": ["b/.*"]},
            {"optimizer": {"op": "LossScale", "inner": {"op": "Adam", "learning_rate": 0.1, "use_ema": True}}, "no_weight_decay": ["bias"]},
        ],
        "losses": [
            {"network": "p", "loss": "MeanSquaredError"},
            {"network": "p", "output": "b", "loss": {"op": "Huber", "delta": 2}, "weight": 0.5},
        ],
        "metrics": [{"network": "p", "output": 1, "metric": {"op": "MeanAbsoluteError"}, "weighted": True}],
        "missing_class_weight": None,
    },
}  # fmt: skip


@pytest.mark.parametrize("spec", [ONE, TWO], ids=["one", "two"])
def test_there_and_back(spec: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(spec_schema()).validate(spec)
    model = from_spec(spec)
    assert model.training is not None
    short = model.to_spec()
    jsonschema.Draft202012Validator(spec_schema()).validate(short)
    assert from_spec(short).training == model.training
    assert from_spec(short).to_spec() == short
    whole = json.loads(json.dumps(to_json(model)))
    jsonschema.Draft202012Validator(ir_schema()).validate(whole)
    again = from_spec(whole)
    assert again.training == model.training
    assert to_json(again) == whole


def test_short_forms_say_what_they_mean() -> None:
    model = from_spec(ONE)
    assert model.training is not None
    (owner,) = model.training.optimizers
    assert isinstance(owner.optimizer, ir.Adam)
    assert (owner.optimizer.learning_rate, owner.optimizer.weight_decay) == (0.01, 0.001)
    (objective,) = model.training.objectives
    assert (objective.network, objective.output, type(objective.loss).__name__) == (
        "model",
        0,
        "CategoricalCrossentropy",
    )
    assert model.to_spec()["training"] == ONE["training"] | {
        "optimizers": ONE["training"]["optimizers"] | {"learning_rate": 0.01, "global_clipnorm": 10.0}
    }
    two = from_spec(TWO).training
    assert two is not None
    assert [(o.network, o.output, o.weight) for o in two.objectives] == [("p", 0, 1.0), ("p", 1, 0.5)]


def changed(spec: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    return spec | {"training": spec["training"] | {key: value}}


OWNERS = TWO["training"]["optimizers"]


@pytest.mark.parametrize(
    ("spec", "code", "pointer"),
    [
        (changed(ONE, "optimizers", {"op": "Adm", "learning_rate": 1}), "KC104", "/training/optimizers/op"),
        (changed(ONE, "optimizers", {"op": "Adam"}), "KC105", "/training/optimizers"),
        (changed(ONE, "optimizers", {"op": "Adam", "learning_rate": "$speed"}), "KC302", "/training/optimizers/learning_rate"),
        (changed(ONE, "losses", "MeanSquareError"), "KC201", "/training/losses"),
        (changed(ONE, "losses", [{"loss": "Huber", "output": "b"}]), "KC104", "/training/losses/0/output"),
        (changed(ONE, "losses", [{"loss": "Huber", "output": 1}]), "KC104", "/training/losses/0/output"),
        (changed(ONE, "loss", "Huber"), "KC103", "/training/loss"),
        (changed(TWO, "losses", [{"loss": "Huber"}]), "KC105", "/training/losses/0"),
        (changed(TWO, "losses", [{"loss": "Huber", "network": "r"}]), "KC104", "/training/losses/0/network"),
        (changed(TWO, "optimizers", [OWNERS[0] | {"networks": ["r"]}]), "KC104", "/training/optimizers/0/networks/0"),
        (changed(TWO, "optimizers", [OWNERS[1] | {"params": ["("]}]), "KC104", "/training/optimizers/0/params/0"),
        (changed(TWO, "metrics", [{"metric": "MeanAbsoluteError"}]), "KC105", "/training/metrics/0"),
    ],
)  # fmt: skip
def test_problem_is_told_where_it_stands(spec: dict[str, Any], code: str, pointer: str) -> None:
    with pytest.raises(KchainerError) as caught:
        from_spec(spec)
    assert [(d.code, d.pointer) for d in caught.value.diagnostics] == [(code, pointer)]


def test_each_optimizer_updates_what_it_owns() -> None:
    """Two rates on two networks, one layer of them apart; the sum of it is one optimizer."""
    import numpy as np

    spec = changed(TWO, "optimizers", [*OWNERS[:2], {"optimizer": {"op": "SGD", "learning_rate": 0.0}}])
    model = from_spec(spec)
    nets = model.to_chainer()
    optimizer = model.to_optimizer(nets)
    before = {path: param.array.copy() for path, param in nets.namedparams()}
    for param in nets.params():
        param.grad = np.ones_like(param.array)
    optimizer.update()
    moved = {path: float(np.abs(p.array - before[path]).max()) for path, p in nets.namedparams()}
    assert {round(v, 4) for path, v in moved.items() if path.startswith("/q/")} == {0.1}
    assert {round(v, 4) for path, v in moved.items() if path.startswith("/p/b/")} == {0.1}
    assert {v for path, v in moved.items() if path.startswith("/p/a/")} == {0.0}
    kinds = [type(one).__name__ for one in optimizer.optimizers]
    assert kinds == ["SGD", "Lion", "SGD"]


def test_a_spec_trains() -> None:
    import numpy as np

    net = from_spec(ONE).to_chainer()
    step = kchainer.training.from_compiled(net)
    x, t = np.eye(4, dtype="float32"), np.eye(3, dtype="float32")[[0, 1, 2, 0]]
    losses = [step(x, t) for _ in range(60)]
    assert losses[-1] < 0.8 * losses[0]
    with pytest.raises(KchainerError) as caught:
        kchainer.training.from_compiled(from_spec(TWO).to_chainer())
    assert [d.code for d in caught.value.diagnostics] == ["KC503"]
