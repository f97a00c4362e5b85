"""Every class and key of every Keras is read, ignored for a stated reason, or refused for a stated reason.

docs/keras_classes.json says which there are: see tools/keras_classes.py.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import kchainer.frontends.keras.layers
from kchainer.frontends.fields import Field, ignored, read, refuses_values
from kchainer.frontends.keras import constraints, initializers, policies, regularizers
from kchainer.frontends.keras.dialect import KERAS1_KEYS, parse
from kchainer.frontends.keras.entries import MODELS, OPERATION_CLASSES, ROWS
from kchainer.frontends.keras.layers.activation import ALIASES, FUNCTIONS, SIMPLE, activation_of
from kchainer.frontends.keras.layers.operations import HANDLERS
from kchainer.frontends.keras.losses.tables import COMMON, LOSSES, NAMES, bare
from kchainer.frontends.keras.optimizers.read import LOSS_SCALE
from kchainer.frontends.keras.optimizers.tables import OPTIMIZERS, SCHEDULES
from kchainer.frontends.keras.translate import BASE_KEYS, TRANSLATORS
from kchainer.frontends.keras.unsupported import LATER, OTHERS, UNSUPPORTED
from tools.keras_classes import inside

ROOT = Path(__file__).parent.parent.parent
FACTS = json.loads((ROOT / "docs/keras_classes.json").read_text())
RELEASES = FACTS["releases"]
assert kchainer.frontends.keras.layers
KINDS = {
    "initializer": initializers.INITIALIZERS,
    "regularizer": regularizers.REGULARIZERS,
    "constraint": constraints.CONSTRAINTS,
}
LOSS_SCALES = ("LossScaleOptimizer", "LossScaleOptimizerV1", "LossScaleOptimizerV3")
# Read key by key elsewhere: its optimizers by their own tables.
BY_HAND = {"MultiOptimizer"}
NAME = {"name": Field(type=ignored, default=None, why="Keras 1 writes the class there")}

Table = Mapping[str, Mapping[str, Field]]
TABLES: dict[str, Table] = {
    "layer": {name: one.fields for name, one in TRANSLATORS.items()},
    "layer_v1": {name: one.fields for name, one in TRANSLATORS.items()},
    "optimizer": {name: one.fields for name, one in OPTIMIZERS.items()}
    | dict.fromkeys(LOSS_SCALES, LOSS_SCALE),
    "schedule": {name: fields for name, (fields, _) in SCHEDULES.items()},
    "loss": {name: {**COMMON, **one.fields} for name, one in LOSSES.items()},
    **{kind: {n: {**one.fields, **NAME} for n, one in t.classes.items()} for kind, t in KINDS.items()},
}
for _kind in ("optimizer_legacy", "optimizer_experimental", "optimizer_v1"):
    TABLES[_kind] = TABLES["optimizer"]
BASE = {"layer": BASE_KEYS, "layer_v1": BASE_KEYS}
# Classes that another module reads, each as a whole.
ELSEWHERE = {"layer": {*MODELS, *ROWS, *OPERATION_CLASSES, "Graph"}, "optimizer": BY_HAND}
# Keys of another class of that name: TensorFlow 1's own cell.
ANOTHER = {"GRUCell": {"num_units", "reuse"}}
# What a constructor takes and no file holds.
UNWRITTEN = {
    "weights": "arrays of a new layer, which are its weights then",
    "input_tensor": "a tensor of the program",
    "shape": "written with the batch size, as batch_shape",
    "batch_size": "written with the shape, as batch_shape",
    "use_one_hot_matmul": "how a kernel of TensorFlow looks rows up",
    "reverse_state_order": "an order of states of Keras 2.1, for models of before",
    "trainable": "a key of every layer",
    "name": "a key of every layer",
    "dtype": "a key of every layer",
    "adjustment": "a function of the program",
    "shared_axes": "the shape of the array tells it",
}


def refused(kind: str) -> Mapping[str, str]:
    """Class -> reason."""
    return (
        UNSUPPORTED if kind.startswith("layer") else OTHERS.get(kind.partition("_v1")[0], OTHERS["optimizer"])
    )


def written(kind: str, name: str) -> Iterator[tuple[str, set[str]]]:
    """Each release that has a class, with the keys that it writes."""
    one = FACTS["kinds"][kind][name]
    spans = {key: inside(span or one["in"], RELEASES) for key, span in one["keys"].items()}
    for release in RELEASES:
        if release in inside(one["in"], RELEASES):
            yield release, {key for key, found in spans.items() if release in found}


ALL = [(kind, name) for kind in TABLES for name in FACTS["kinds"][kind]]


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_a_class_and_each_of_its_keys_are_read_or_refused_for_a_reason(kind: str, name: str) -> None:
    """In each release that has it: no key is unknown, and none is missing that the table needs."""
    if name not in TABLES[kind]:
        assert name in ELSEWHERE.get(kind, ()) or refused(kind).get(name), f"{kind} {name} has no reason"
        return
    for release, keys in written(kind, name):
        if FACTS["kinds"][kind][name]["keys"] and (not keys or keys & ANOTHER.get(name, set())):
            continue  # it has no get_config yet, or is TensorFlow's own of that name
        config = dict.fromkeys(keys)
        _, faults = read(TABLES[kind][name], config, parse(release), base=BASE.get(kind, frozenset()))
        wrong = [fault.message for fault in faults if fault.code in ("KC103", "KC105")]
        assert not wrong, f"{kind} {name} of {release}: {wrong}"


@pytest.mark.parametrize("name", sorted(set(FACTS["kinds"]["layer"]) & set(TRANSLATORS)))
def test_an_argument_that_no_file_holds_has_a_reason(name: str) -> None:
    fields = TRANSLATORS[name].fields
    known = {*fields, *(older for field in fields.values() for older in field.older), *BASE_KEYS, *UNWRITTEN}
    assert not set(FACTS["kinds"]["layer"][name].get("unwritten", ())) - known


def every_field() -> Iterator[tuple[str, str, Field]]:
    for kind, table in TABLES.items():
        for name, fields in table.items():
            for key, field in fields.items():
                yield f"{kind} {name}", key, field


def test_a_key_that_is_ignored_or_refused_says_why() -> None:
    bare = {
        (of, key)
        for of, key, field in every_field()
        if (field.type is ignored or refuses_values(field.type)) and not field.why
    }
    assert not bare


def test_a_key_that_is_neither_ignored_nor_refused_is_used() -> None:
    """A table that declares a key as read has code that names it."""
    named = {"stateful"}  # by the names of the attributes, see layers/recurrent.py
    of_params = ("_initializer", "_regularizer", "_constraint")  # read by the names of the params
    for file in (ROOT / "kchainer/frontends").rglob("*.py"):
        tree = ast.parse(file.read_text())
        named |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        named |= {
            part
            for node in ast.walk(tree)
            if isinstance(node, (ast.Call, ast.Subscript, ast.Compare, ast.For, ast.comprehension))
            for inner in ast.walk(node)
            if isinstance(inner, ast.Constant) and isinstance(inner.value, str)
            for part in inner.value.split()
        }
    unused = {
        (of, key)
        for of, key, field in every_field()
        if of.startswith("layer ") and not field.why and not key.endswith(of_params) and key not in named
    }
    assert not unused


def test_keys_that_tell_keras_1_are_written_by_no_later_release() -> None:
    # layers that Keras 2 had from Keras 1 write them as they did
    legacy = {"Merge", "MaxoutDense", "Highway", "Recurrent", "ConvRecurrent2D"}
    old = inside("0.3.3..1.2.2", RELEASES)
    later = {
        (key, name)
        for name in set(FACTS["kinds"]["layer"]) - legacy
        for release, keys in written("layer", name)
        for key in keys & KERAS1_KEYS
        if release not in old
    }
    assert not later


def test_every_key_of_the_base_class_is_declared() -> None:
    assert {key for keys in FACTS["base"].values() for key in keys} <= BASE_KEYS


def test_every_alias_is_known() -> None:
    tables: dict[str, Mapping[str, Any]] = {**TABLES, "op": HANDLERS}
    known = {"layer": {*UNSUPPORTED, *ELSEWHERE["layer"]}, "optimizer": {n.lower() for n in OPTIMIZERS}}
    for alias, targets in FACTS["aliases"].items():
        kinds = [
            kind for kind in (*KINDS, "layer", "loss") for target in targets if target in FACTS["kinds"][kind]
        ]
        names = {name for kind in kinds for name in (*tables[kind], *known.get(kind, ()))}
        names |= set(NAMES) if "loss" in kinds else set()
        assert not kinds or alias in names or bare(alias) in names, f"{kinds} {alias}"


def test_the_table_of_reasons_names_no_class_that_is_read() -> None:
    stale = {name for name, reason in UNSUPPORTED.items() if name in TRANSLATORS and reason != LATER}
    assert not stale


def test_the_tables_of_reasons_name_classes_of_keras_only() -> None:
    # written under its public name; the base of all; a class of keras.applications
    aside = {"GroupQueryAttention", "Layer", "CustomScaleLayer"}
    v1 = set(FACTS["kinds"]["layer_v1"])
    assert not set(UNSUPPORTED) - set(FACTS["kinds"]["layer"]) - set(FACTS["aliases"]) - aside - v1
    for kind, table in OTHERS.items():
        assert not set(table) - set(FACTS["kinds"][kind]), kind


@pytest.mark.parametrize("release", RELEASES)
def test_every_activation_function_is_read(release: str) -> None:
    functions = FACTS["kinds"]["activation_fn"]
    here = {name for name, one in functions.items() if release in inside(one["in"], RELEASES)}
    here -= set(OTHERS["activation_fn"])
    assert not here - set(FUNCTIONS) - set(SIMPLE) - set(ALIASES)
    for name in here:
        activation_of(name, (None, 4), parse(release))


def test_every_operation_is_read_or_has_a_reason() -> None:
    assert not set(FACTS["kinds"]["op"]) - set(HANDLERS) - set(OTHERS["op"])


def test_every_policy_is_read_or_has_a_reason() -> None:
    for kind in ("dtype_policy", "quantization_config"):
        assert not set(FACTS["kinds"][kind]) - set(policies.CLASSES) - set(OTHERS[kind])


# A value of each argument of a metric.
METRIC = {
    "num_classes": 3, "target_class_ids": [0], "threshold": 0.5, "thresholds": [0.5], "k": 2, "from_logits": False,
    "label_smoothing": 0.1, "axis": -1, "ignore_class": None, "sparse_y_true": True, "sparse_y_pred": True,
    "average": None, "beta": 1.0, "curve": "ROC", "label_weights": None, "multi_label": False, "num_labels": None,
    "num_thresholds": 10, "summation_method": "interpolation", "top_k": None, "class_id": None, "recall": 0.5,
    "precision": 0.5, "sensitivity": 0.5, "specificity": 0.5, "class_aggregation": "uniform_average",
    "num_regressors": 0, "from_sorted_ids": False,
}  # fmt: skip


@pytest.mark.parametrize("name", FACTS["kinds"]["metric"])
def test_every_metric_takes_every_argument_or_has_a_reason(name: str) -> None:
    from kchainer.functions.measures import METRICS

    if name not in METRICS:
        assert OTHERS["metric"].get(name), f"{name} has no reason"
        return
    keys = {key for _, found in written("metric", name) for key in found} - {"name", "dtype", "fn"}
    assert METRICS[name](**{key: METRIC[key] for key in keys}) is not None
