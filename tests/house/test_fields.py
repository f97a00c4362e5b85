"""Every key that any release of Keras writes is declared, and every class is read or has a reason why not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import kchainer.frontends.keras.layers
from kchainer.frontends.keras import constraints, initializers, regularizers
from kchainer.frontends.keras.dialect import parse
from kchainer.frontends.keras.entries import MODELS, OPERATION_CLASSES, ROWS
from kchainer.frontends.keras.layers.activation import ALIASES, FUNCTIONS, SIMPLE, activation_of
from kchainer.frontends.keras.translate import BASE_KEYS, TRANSLATORS
from kchainer.frontends.keras.unsupported import LATER, UNSUPPORTED

KEYS = json.loads((Path(__file__).parent.parent / "fixtures/keras-keys/keys.json").read_text())
assert kchainer.frontends.keras.layers
KINDS = {
    "initializer": initializers.INITIALIZERS,
    "regularizer": regularizers.REGULARIZERS,
    "constraint": constraints.CONSTRAINTS,
}
# Of these kinds, what no file names: bases, and test classes of tf.keras.
NOT_READ = {
    "initializer": {"RandomInitializer"},
    "regularizer": {"IdentityRegularizer", "ReduceSumRegularizer"},
    "constraint": set[str](),
}


# Keys of another class of that name: TensorFlow 1's own cell.
OTHERS = {"GRUCell": {"num_units", "reuse"}}


@pytest.mark.parametrize("name", sorted(set(KEYS["layer"]) & set(TRANSLATORS)))
def test_every_key_of_a_layer_is_declared(name: str) -> None:
    fields = TRANSLATORS[name].fields
    declared = {*fields, *(older for field in fields.values() for older in field.older), *BASE_KEYS}
    assert not set(KEYS["layer"][name]) - declared - OTHERS.get(name, set())


def test_every_key_of_the_base_class_is_declared() -> None:
    assert set(KEYS["base"]) <= BASE_KEYS | {"input_shape"}


def test_every_class_is_read_or_has_a_reason() -> None:
    known = {*TRANSLATORS, *UNSUPPORTED, *MODELS, *ROWS, *OPERATION_CLASSES, "Graph"}
    assert not set(KEYS["layer"]) - known
    aliases = {alias for alias, name in KEYS["aliases"].items() if name in TRANSLATORS or name in UNSUPPORTED}
    assert not aliases - known - {"identity", "IdentityInitializer"}  # those are initializers


def test_the_table_of_reasons_names_no_class_that_is_read() -> None:
    stale = {name for name, reason in UNSUPPORTED.items() if name in TRANSLATORS and reason != LATER}
    assert not stale


def test_the_table_of_reasons_names_classes_of_keras_only() -> None:
    # written under its public name; the base of all; a class of keras.applications
    aside = {"GroupQueryAttention", "Layer", "CustomScaleLayer"}
    assert not set(UNSUPPORTED) - set(KEYS["layer"]) - set(KEYS["aliases"]) - aside


@pytest.mark.parametrize("kind", KINDS)
def test_initializers_regularizers_and_constraints(kind: str) -> None:
    table = KINDS[kind]
    for name, keys in KEYS[kind].items():
        if name in NOT_READ[kind]:
            assert name not in table.classes
            continue
        fields = table.classes[name].fields
        declared = {*fields, *(older for field in fields.values() for older in field.older), "name"}
        assert not set(keys) - declared, name


def test_every_activation_function_is_read() -> None:
    aside = {"threshold"}  # Keras cannot call it by name: it has arguments without defaults
    unread = set(KEYS["activation"]) - set(FUNCTIONS) - set(SIMPLE) - set(ALIASES) - aside
    assert not unread
    for name in set(KEYS["activation"]) - aside:
        activation_of(name, (None, 4), parse("3.15.1"))
