"""What a config says of its release, and keys that say nonsense."""

from __future__ import annotations

import time
from typing import Any

import pytest

import kchainer
from kchainer import api
from kchainer.emit.plan import attribute
from kchainer.frontends.keras.dialect import common_format


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
