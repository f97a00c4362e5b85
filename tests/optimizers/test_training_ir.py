"""The training section as JSON: there and back, its schema, its problems; and attributes named as arguments."""

from __future__ import annotations

import copy
import dataclasses
import inspect

import jsonschema
import pytest

from kchainer import optimizers
from kchainer.backends.chainer.objectives import loss_of, made, optimizer_of, owned
from kchainer.emit import training as emission
from kchainer.functions import losses
from kchainer.ir import definition
from kchainer.ir.losses import LOSSES
from kchainer.ir.optimizers import OPTIMIZERS, SCHEDULES, STEPPERS
from kchainer.ir.training import Metric, Training
from kchainer.optimizers import View, base

NEEDED = {
    "learning_rate": 0.01,
    "inner": {"op": "Adam", "learning_rate": {"op": "ExponentialDecay", "initial_learning_rate": 0.1, "decay_steps": 3, "decay_rate": 0.5}},
    "initial_learning_rate": 0.1,
    "decay_steps": 5,
    "decay_rate": 0.5,
    "first_decay_steps": 4,
    "boundaries": [1, 2],
    "values": [1.0, 0.5, 0.1],
}  # fmt: skip


def least(table, name):
    """The JSON form of a setting with only what it must have."""
    one = table[name]
    missing = [p.expected for p in definition.problems(table, {"op": name}, "")]
    return definition.from_json(table, {"op": one.name} | {key: NEEDED[key] for key in missing})


EVERY = [(t, n) for t in (SCHEDULES, OPTIMIZERS, LOSSES) for n in t]
IDS = [n for _, n in EVERY]


@pytest.mark.parametrize(("table", "name"), EVERY, ids=IDS)
def test_setting_goes_to_json_and_back(table, name):
    one = least(table, name)
    data = definition.to_json(one)
    assert definition.from_json(table, data) == one
    assert not list(definition.problems(table, data, ""))
    jsonschema.Draft202012Validator(definition.schema(table)).validate(data)
    wrong = data | {"nonsense": 1}
    assert [p.pointer for p in definition.problems(table, wrong, "")] == ["/nonsense"]
    assert not jsonschema.Draft202012Validator(definition.schema(table)).is_valid(wrong)


@pytest.mark.parametrize("name", [*STEPPERS, *SCHEDULES])
def test_attributes_are_the_arguments_and_their_defaults(name):
    """A default of the JSON form is the constructor's, wherever both have one."""
    cls = {**STEPPERS, **SCHEDULES}[name]
    arguments = dict(inspect.signature(getattr(optimizers, name).__init__).parameters)
    known = dict(base.DEFAULTS) if name in STEPPERS else {}
    names = {f.name for f in dataclasses.fields(cls)}
    assert names == (set(arguments) | set(known)) - {"self", "options"}
    for field in dataclasses.fields(cls):
        spec = field.metadata["spec"]
        if field.name == "epsilon" and name in ("Eve", "ScheduleFreeAdamW"):
            continue  # their papers' 1e-8; the JSON form has one default for all rules of two moments
        if field.name == "weight_decay" and name == "Muon":
            continue  # 0.004 of its own
        if field.name in arguments and arguments[field.name].default is not inspect.Parameter.empty:
            default = arguments[field.name].default
            assert spec == default or field.name == "learning_rate", field.name
        elif field.name in known:
            assert spec == known[field.name], field.name


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_is_made(name):
    one = least(OPTIMIZERS, name)
    assert type(optimizer_of(one)).__name__ == name


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_is_made(name):
    assert 0 <= made(emission.optimizer(least(SCHEDULES, name)))(3) <= 1


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_is_made(name):
    loss = loss_of(least(LOSSES, name))
    parameters = inspect.signature(loss.function).parameters
    assert set(loss.arguments) <= set(parameters)
    assert loss.function is getattr(losses, emission.FUNCTIONS[LOSSES[name]])


SECTION = {
    "optimizers": [
        {"optimizer": {"op": "LossScale", "inner": NEEDED["inner"]}, "params": ["g/.*"]},
        {"optimizer": {"op": "SGD", "learning_rate": 0.1}, "no_weight_decay": ["bias"]},
    ],
    "objectives": [
        {"network": "m", "output": 0, "loss": {"op": "BinaryCrossentropy"}, "on_logits": True},
        {"network": "m", "output": 1, "loss": None},
    ],
    "metrics": [{"network": "m", "output": 0, "metric": {"op": "AUC", "thresholds": [0.1, 0.2]}}],
}


def test_section_goes_to_json_and_back():
    assert not list(Training.problems(SECTION))
    section = Training.from_json(SECTION)
    again = Training.from_json(section.json())
    assert again == section
    assert again.metrics[0].metric == Metric(name="AUC", arguments=(("thresholds", (0.1, 0.2)),))
    schema = jsonschema.Draft202012Validator(Training.schema())
    schema.validate(section.json())
    schema.validate(SECTION)


@pytest.mark.parametrize(
    ("path", "value", "pointer"),
    [
        (("optimizers", 0, "optimizer", "inner", "learning_rate", "decay_steps"), 0, "/optimizers/0/optimizer/inner/learning_rate/decay_steps"),
        (("optimizers", 1, "optimizer", "op"), "Sgd", "/optimizers/1/optimizer/op"),
        (("objectives", 0, "loss", "epsilon"), 0, "/objectives/0/loss/epsilon"),
        (("objectives", 0, "reduction"), "sum", "/objectives/0/reduction"),
        (("objectives", 1, "output"), -1, "/objectives/1/output"),
        (("metrics", 0, "op"), "Measure", "/metrics/0/op"),
    ],
)  # fmt: skip
def test_problem_is_found_where_it_stands(path, value, pointer):
    data = copy.deepcopy(SECTION)
    place = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert [p.pointer for p in Training.problems(data)] == [pointer]
    assert not jsonschema.Draft202012Validator(Training.schema()).is_valid(data)


def test_owners_share_parameters_by_pattern():
    section = Training.from_json(SECTION)
    views = {"/a/W": View("g/kernel"), "/b/W": View("d/kernel")}
    assert owned(section.optimizers, views) == [["/a/W"], ["/b/W"]]
    twice = (section.optimizers[0], section.optimizers[0])
    with pytest.raises(ValueError, match="several optimizers"):
        owned(twice, views)
