"""What a config says of its release, and keys that say nonsense."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

import kchainer
from kchainer import api
from kchainer.emit.plan import attribute
from kchainer.frontends.keras.dialect import common_format, of_dictionary, parse, told


def dense(**more: Any) -> dict[str, Any]:
    return {
        "class_name": "Dense",
        "config": {"name": "d", "units": 2, "activation": "linear", "batch_input_shape": [None, 3], **more},
    }


def sequence(*layers: dict[str, Any]) -> dict[str, Any]:
    return {"class_name": "Sequential", "config": {"name": "s", "layers": list(layers)}}


@pytest.mark.parametrize("value", [[], {}, ["tf"], 3, True, None])
def test_a_data_format_that_is_no_name_says_nothing(value: Any) -> None:
    config = [{"dim_ordering": value}, {"dim_ordering": "th"}]
    assert common_format(config) == "channels_first"


@pytest.mark.parametrize("key", ["dim_ordering", "data_format"])
@pytest.mark.parametrize("value", [[], {}, ["tf"], 3])
def test_a_data_format_that_is_no_name_is_refused(key: str, value: Any) -> None:
    pool = {
        "class_name": "MaxPooling2D",
        "config": {"name": "p", "pool_size": [2, 2], "batch_input_shape": [None, 8, 8, 3], key: value},
    }
    with pytest.raises(kchainer.KchainerError) as caught:
        api.from_keras(sequence(pool))
    (found,) = caught.value.diagnostics
    assert found.code == "KC104"
    assert found.pointer == f"/config/layers/0/config/{key}"


def test_many_unknown_keys_take_little_time() -> None:
    wrong = dense(**{f"unitss{i}": 1 for i in range(100_000)})
    began = time.perf_counter()
    with pytest.raises(kchainer.KchainerError) as caught:
        api.from_keras(sequence(wrong))
    assert time.perf_counter() - began < 10
    assert {d.code for d in caught.value.diagnostics} >= {"KC103"}
    assert caught.value.diagnostics[0].hint


def test_many_names_of_one_base_take_little_time() -> None:
    taken: dict[str, int] = {}
    began = time.perf_counter()
    names = [attribute(name, taken) for name in ["a b"] * 20_000 + ["A_B"] * 20_000 + ["a_b_7", "a_b_7_1"]]
    assert time.perf_counter() - began < 5
    assert len({name.lower() for name in names}) == len(names)
    assert names[:3] == ["a_b", "a_b_1", "a_b_2"]


NONE = ["banana", "99.0", "4.0", "", "2.x", "-1", "1" * 200, 3.15, True, 3, ["2.3.1"], {}]


@pytest.mark.parametrize("value", NONE, ids=lambda v: str(v)[:20])
def test_a_version_that_is_none_is_a_warning_and_the_form_decides(value: Any) -> None:
    text = json.dumps(sequence(dense()) | {"keras_version": value}, indent=1)
    model = api.from_keras(text)
    (warning,) = model.warnings
    assert (warning.code, warning.severity, warning.pointer) == ("KC108", "warning", "/keras_version")
    assert warning.line == text[: text.index("keras_version")].count("\n") + 1
    assert "--dialect" in (warning.hint or "")
    without = api.from_keras(json.dumps(sequence(dense())))
    assert (model.origin.dialect, model.origin.reasons) == (without.origin.dialect, without.origin.reasons)
    assert not api.from_keras(text, dialect="2.3.1").warnings


VERSIONS = {
    "0.3.3": "Keras 0.3.3", "2.3.1": "Keras 2.3.1", "2.2.4-tf": "tf.keras 2.2.4", "2.15.0": "tf.keras 2.15.0",
    "tf.keras 2.15": "tf.keras 2.15", "tf.keras-2.10": "tf.keras 2.10", "tf_keras-2.21.0": "tf.keras 2.21.0",
    "keras==2.2.4": "Keras 2.2.4", "3.20.0": "Keras 3.20.0", "2.16.0rc1": "tf.keras 2.16.0",
    "3.0.0.dev2023": "Keras 3.0.0", "2.2.4-tf-nightly": "tf.keras 2.2.4",
}  # fmt: skip


@pytest.mark.parametrize("said", VERSIONS)
def test_a_version_is_read_as_it_is_written(said: str) -> None:
    model = api.from_keras(sequence(dense()) | {"keras_version": said})
    assert model.origin.dialect == VERSIONS[said]
    assert not model.warnings


def test_an_embedding_tells_nothing_of_its_release() -> None:
    """Its `output_dim` is that of all releases; that of a Dense is Keras 1's."""
    embedding = {"class_name": "Embedding", "config": {"name": "e", "input_dim": 5, "output_dim": 2}}
    old = {"class_name": "Dense", "config": {"name": "d", "output_dim": 2}}
    assert told(sequence(embedding), None, None).release == (2, 3, 1)
    assert told(sequence(embedding, old), None, None).release == (1, 2, 2)
    for version in ("2.3.1", "2.15.0", "3.15.1"):
        document = parse(version)
        assert of_dictionary("Embedding", embedding["config"], document) is document
        assert of_dictionary("Dense", old["config"], document).release == (1, 2, 2)


def test_the_signs_that_agree_are_all_reasons() -> None:
    one = {
        "class_name": "InputLayer",
        "module": "keras.layers",
        "registered_name": None,
        "config": {"batch_shape": [None, 3]},
    }
    assert told(sequence(one), None, None).reasons == ("batch_shape", "module and registered_name")


def test_what_the_file_alone_says_stays_a_reason() -> None:
    model = api.from_keras(sequence(dense()) | {"keras_version": "2.3.1"}, dialect="2.2.4-tf")
    assert model.origin.dialect == "tf.keras 2.2.4"
    assert model.origin.reasons == (
        "as the caller says",
        "the file alone: Keras 2.3.1, by keras_version 2.3.1",
    )
