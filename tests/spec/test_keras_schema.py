"""The published schema of Keras configs: never stricter than the reader, equal to it where types can say all."""

from __future__ import annotations

import copy
import json
import zipfile
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kchainer
from kchainer.frontends.fields import Field, read, schema_of
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.schema import config_schema, keras_schema
from kchainer.frontends.keras.translate import BASE_KEYS, TRANSLATORS
from tests.ir.mutations import VALUES, mutated

FIXTURES = Path(__file__).parent.parent / "fixtures"
VALIDATOR = jsonschema.Draft202012Validator(keras_schema())
CONFIGS = {name: jsonschema.Draft202012Validator(config_schema(t.fields)) for name, t in TRANSLATORS.items()}
NEW = Dialect((3, 15))


def written() -> list[tuple[str, dict[str, Any]]]:
    """Every JSON config that a Keras release wrote for the fixtures."""
    out = []
    for path in sorted((FIXTURES / "old-keras").glob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith(".json"):
                    data = json.loads(archive.read(name))
                    if isinstance(data, dict) and "class_name" in data:
                        out.append((f"{path.stem}/{name}", data))
    return out


WRITTEN = written()


def accepted(config: dict[str, Any]) -> bool:
    for backend in (None, "theano", "tensorflow"):
        try:
            kchainer.from_keras(copy.deepcopy(config), keras_backend=backend)
        except Exception:  # noqa: BLE001  of any kind: that reading raises nothing else is not asked here
            continue
        return True
    return False


@pytest.mark.parametrize(("name", "config"), WRITTEN, ids=[n for n, _ in WRITTEN])
def test_what_a_keras_wrote_and_is_read_is_valid(name: str, config: dict[str, Any]) -> None:
    if accepted(config):
        VALIDATOR.validate(config)


def test_there_are_such_files() -> None:
    assert sum(accepted(config) for _, config in WRITTEN) > 100


@given(mutated([config for _, config in WRITTEN if len(json.dumps(config)) < 1500][::5]))
@settings(max_examples=150, derandomize=True, deadline=None)
def test_the_schema_is_never_stricter_than_the_reader(config: Any) -> None:
    if isinstance(config, dict) and not VALIDATOR.is_valid(config):
        assert not accepted(config)


def says_all(field: Field) -> bool:
    return bool(schema_of(field.type)) and not isinstance(field.was, tuple)


def holds_whole_real(value: Any) -> bool:
    """64.0, which JSON Schema takes for the whole number that it equals and Keras's readers do not."""
    if isinstance(value, list):
        return any(map(holds_whole_real, value))
    return isinstance(value, float) and value.is_integer()


@given(st.data())
@settings(max_examples=500, derandomize=True, deadline=None)
def test_verdicts_on_a_config_are_equal_where_the_types_say_all(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(TRANSLATORS)))
    fields = TRANSLATORS[name].fields
    config: dict[str, Any] = {}
    for key, field in fields.items():
        if field.default is ... or data.draw(st.integers(0, 3)) == 0:
            older = isinstance(field.was, str) and data.draw(st.booleans())
            value = data.draw(st.sampled_from([1, 2, 0.5, True, "same", [1, 2], None]) | VALUES)
            config[str(field.was) if older else key] = value
    if data.draw(st.integers(0, 5)) == 0:
        config[data.draw(st.sampled_from(["stray", "name", "trainable"]))] = 1
    theirs = CONFIGS[name].is_valid(config)
    ours = not read(fields, config, NEW, base=BASE_KEYS)[1]
    if not theirs:
        assert not ours, config
    known = [f for k, f in fields.items() if k in config or (isinstance(f.was, str) and f.was in config)]
    if all(map(says_all, known)) and not any(map(holds_whole_real, config.values())):
        assert ours == theirs, config


def test_most_types_can_say_what_they_take() -> None:
    fields = {
        id(f): f
        for t in TRANSLATORS.values()
        for f in t.fields.values()
        if getattr(f.type, "__name__", "by dialect") not in ("ignored", "anything", "by dialect")
    }  # fmt: skip
    known = [f for f in fields.values() if schema_of(f.type)]
    assert len(known) / len(fields) > 0.8
