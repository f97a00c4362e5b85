"""Initializers, regularizers and constraints in the form of each release, and what is wrong with bad ones."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import kchainer
from kchainer.backends.chainer.initial import initial


def settings(layer: dict[str, Any], backend: str | None = None, **more: Any) -> dict[str, Any]:
    """The settings of the first layer with params of a Sequential that holds this layer."""
    model = kchainer.from_keras(
        {"class_name": "Sequential", "config": [layer], **more}, keras_backend=backend
    )
    return dict(next(x for x in model.network.layers.values() if x.params).settings)


def dense(release: str, **config: Any) -> dict[str, Any]:
    units = {"output_dim": 4} if release.startswith("1") else {"units": 4}
    base = {"name": "d", "batch_input_shape": [None, 3], **units, **config}
    return settings({"class_name": "Dense", "config": base}, keras_version=release)


def fixed(**more: Any) -> dict[str, Any]:
    scaled = {
        "op": "VarianceScaling", "scale": 1.0, "mode": "fan_in", "distribution": "truncated_normal", "clip": False,
        "input_axes": None, "output_axes": None, "root_ranks": [], "seed": None,
    }  # fmt: skip
    return {**scaled, **more}


# release, what the file writes, the setting; from each release's own source and recorded configs
INITIALIZERS: list[tuple[str, Any, dict[str, Any]]] = [
    ("1.2.2", "glorot_uniform", fixed(mode="fan_avg", distribution="uniform", root_ranks=[1, 3])),
    ("1.2.2", "he_normal", fixed(scale=2.0, distribution="normal", root_ranks=[1, 3])),
    ("1.2.2", "lecun_uniform", fixed(distribution="uniform", root_ranks=[1, 3])),
    ("1.2.2", "uniform", {"op": "RandomUniform", "low": -0.05, "high": 0.05, "seed": None}),
    ("1.2.2", "normal", {"op": "RandomNormal", "mean": 0.0, "stddev": 0.05, "truncated": False, "clip": False, "seed": None}),
    ("1.2.2", "zero", {"op": "Zeros"}),
    ("1.2.2", "one", {"op": "Ones"}),
    ("1.2.2", "orthogonal", {"op": "Orthogonal", "gain": 1.1, "rows": [0], "seed": None}),
    ("1.2.2", "identity", {"op": "Identity", "gain": 1.0}),
    (
        "2.0.9",
        {"class_name": "VarianceScaling", "config": {"scale": 1.0, "mode": "fan_avg", "distribution": "normal", "seed": None}},
        fixed(mode="fan_avg", distribution="cut_normal", root_ranks=[1]),
    ),
    (
        "2.2.4",
        {"class_name": "VarianceScaling", "config": {"scale": 1.0, "mode": "fan_avg", "distribution": "normal", "seed": 7}},
        fixed(mode="fan_avg", root_ranks=[1], seed=7),
    ),
    ("2.2.4-tf", {"class_name": "GlorotNormal", "config": {"seed": None, "dtype": "float32"}}, fixed(mode="fan_avg")),
    ("2.3.1", {"class_name": "Orthogonal", "config": {"gain": 1.0, "seed": None}},
     {"op": "Orthogonal", "gain": 1.0, "rows": None, "seed": None}),
    ("2.15.0", {"module": "keras.initializers", "class_name": "HeUniform", "config": {"seed": None},
                "registered_name": None}, fixed(scale=2.0, distribution="uniform")),
    ("2.15.0", {"class_name": "Identity", "config": {"gain": 2.5}}, {"op": "Identity", "gain": 2.5}),
    ("3.0.5", {"module": "keras.initializers", "class_name": "OrthogonalInitializer",
               "config": {"gain": 1.0, "seed": None}, "registered_name": None},
     {"op": "Orthogonal", "gain": 1.0, "rows": None, "seed": None}),
    ("3.15.1", {"module": "keras.initializers", "class_name": "VarianceScaling", "registered_name": None,
                "config": {"scale": 2.0, "mode": "fan_out", "distribution": "untruncated_normal",
                           "seed": {"class_name": "SeedGenerator", "config": {"seed": 5}},
                           "input_axes": [0], "output_axes": [-1]}},
     fixed(scale=2.0, mode="fan_out", distribution="normal", seed=5, input_axes=[0], output_axes=[1])),
    ("3.15.1", {"class_name": "Constant", "config": {"value": 0.5}}, {"op": "Constant", "value": 0.5, "shape": []}),
    ("3.15.1", {"class_name": "Constant", "config": {"value": {"class_name": "__numpy__", "config":
                {"value": [[1.0, 2.0, 3.0, 4.0]], "dtype": "float32"}}}},
     {"op": "Constant", "value": [1.0, 2.0, 3.0, 4.0], "shape": [1, 4]}),
]  # fmt: skip


@pytest.mark.parametrize(("release", "written", "wanted"), INITIALIZERS, ids=lambda v: str(v)[:40])
def test_initializers_of_each_release(release: str, written: Any, wanted: dict[str, Any]) -> None:
    key = "init" if release.startswith("1") else "kernel_initializer"
    assert dense(release, **{key: written})["kernel"]["initializer"] == wanted


REGULARIZERS: list[tuple[str, Any, tuple[float, float]]] = [
    ("1.0.8", {"name": "WeightRegularizer", "l1": 0.0, "l2": 0.01}, (0.0, 0.01)),
    ("1.2.2", {"name": "L1L2Regularizer", "l1": 0.003, "l2": 0.004}, (0.003, 0.004)),
    ("1.2.2", "l1l2", (0.01, 0.01)),
    ("1.2.2", "l2", (0.0, 0.01)),
    ("2.3.1", {"class_name": "L1L2", "config": {"l1": 0.0, "l2": 0.1}}, (0.0, 0.1)),
    ("2.15.0", {"class_name": "L2", "config": {"l2": 0.02}}, (0.0, 0.02)),
    ("3.15.1", {"module": "keras.regularizers", "class_name": "L1", "config": {"l1": 0.02}, "registered_name": None},
     (0.02, 0.0)),
]  # fmt: skip


@pytest.mark.parametrize(("release", "written", "wanted"), REGULARIZERS, ids=lambda v: str(v)[:40])
def test_regularizers_of_each_release(release: str, written: Any, wanted: tuple[float, float]) -> None:
    key = "W_regularizer" if release.startswith("1") else "kernel_regularizer"
    made = dense(release, **{key: written})["kernel"]["regularizer"]
    assert made == {"op": "L1L2", "l1": wanted[0], "l2": wanted[1], "per_sample": False}


@pytest.mark.parametrize(
    ("release", "per_sample"), [("1.2.2", False), ("2.3.1", False), ("2.2.4-tf", True), ("3.15.1", True)]
)
def test_penalty_of_the_output(release: str, per_sample: bool) -> None:
    written = (
        {"name": "L1L2Regularizer", "l1": 0.0, "l2": 0.5}
        if release == "1.2.2"
        else {"class_name": "L1L2", "config": {"l1": 0.0, "l2": 0.5}}
    )
    made = dense(release, activity_regularizer=written)["activity"]["regularizer"]
    assert made == {"op": "L1L2", "l1": 0.0, "l2": 0.5, "per_sample": per_sample}


CONSTRAINTS: list[tuple[str, Any, dict[str, Any]]] = [
    ("1.2.2", {"name": "MaxNorm", "m": 1.5, "axis": 0}, {"op": "MaxNorm", "max": 1.5, "axes": [0]}),
    ("1.2.2", {"name": "NonNeg"}, {"op": "NonNeg"}),
    ("1.2.2", "nonneg", {"op": "NonNeg"}),
    ("1.2.2", {"name": "MinMaxNorm", "low": 0.1, "high": 0.9, "rate": 0.5, "axis": 1},
     {"op": "MinMaxNorm", "min": 0.1, "max": 0.9, "rate": 0.5, "axes": [1]}),
    ("2.3.1", {"class_name": "MaxNorm", "config": {"max_value": 2, "axis": 0}},
     {"op": "MaxNorm", "max": 2.0, "axes": [0]}),
    ("2.15.0", {"class_name": "UnitNorm", "config": {"axis": [0, -1]}}, {"op": "UnitNorm", "axes": [0, 1]}),
    ("3.15.1", "min_max_norm", {"op": "MinMaxNorm", "min": 0.0, "max": 1.0, "rate": 1.0, "axes": [0]}),
]  # fmt: skip


@pytest.mark.parametrize(("release", "written", "wanted"), CONSTRAINTS, ids=lambda v: str(v)[:40])
def test_constraints_of_each_release(release: str, written: Any, wanted: dict[str, Any]) -> None:
    key = "W_constraint" if release.startswith("1") else "kernel_constraint"
    assert dense(release, **{key: written})["kernel"]["constraint"] == wanted


def convolution(release: str, ordering: str, **config: Any) -> dict[str, Any]:
    shape = [None, 8, 9, 3] if ordering == "tf" else [None, 3, 8, 9]
    base = {
        "name": "c", "batch_input_shape": shape, "nb_filter": 5, "nb_row": 2, "nb_col": 4, "dim_ordering": ordering,
        "border_mode": "valid", **config,
    }  # fmt: skip
    layer = {"class_name": "Convolution2D", "config": base}
    return settings(layer, "theano", keras_version=release)["kernel"]


def test_radial_windows_are_of_convolutions_only() -> None:
    radial = {"class_name": "RadialConstraint", "config": {}}
    config = {
        "name": "c",
        "batch_input_shape": [None, 8, 9, 3],
        "filters": 2,
        "kernel_size": 3,
        "kernel_constraint": radial,
    }
    layer = {"class_name": "Conv2D", "config": config}
    assert settings(layer, "tensorflow", keras_version="2.15.0")["kernel"]["constraint"] == {"op": "Radial"}
    with pytest.raises(kchainer.KchainerError, match="square window"):
        dense("2.15.0", kernel_constraint=radial)


# what get_fans of that Keras gives for th (5, 3, 2, 4) and tf (2, 4, 3, 5); before 1.2 it took the latter for the former
@pytest.mark.parametrize(
    ("release", "ordering", "fans"),
    [
        ("1.2.2", "th", (24, 40)),
        ("1.2.2", "tf", (24, 40)),
        ("1.0.8", "th", (24, 40)),
        ("1.0.8", "tf", (4 * 3 * 5, 2 * 3 * 5)),
    ],
)
def test_fans_of_keras_1_convolutions(release: str, ordering: str, fans: tuple[int, int]) -> None:
    said = convolution(release, ordering, init="glorot_uniform")["initializer"]
    shape = (2, 4, 3, 5)  # as kchainer has it
    for axes, want in ((said["input_axes"], fans[0]), (said["output_axes"], fans[1])):
        assert np.prod([shape[a] for a in axes]) == want


@pytest.mark.parametrize(("ordering", "axes"), [("th", [2, 3]), ("tf", [0, 2])])
def test_axes_of_keras_1_constraints_are_moved_to_keras_2s(ordering: str, axes: list[int]) -> None:
    """Axes 0 and 2 of (out, in, row, col) are out and row; of (row, col, in, out) they are row and in."""
    said = convolution("1.2.2", ordering, W_constraint={"name": "MaxNorm", "m": 2, "axis": [0, 2]})
    assert said["constraint"]["axes"] == sorted([3, 0] if ordering == "th" else axes)


def test_orthogonal_kernels_of_keras_1_are_orthogonal_by_output() -> None:
    base = {"name": "c", "batch_input_shape": [None, 3, 8, 9], "nb_filter": 5, "nb_row": 2, "nb_col": 4,
            "dim_ordering": "th", "border_mode": "valid", "init": "orthogonal"}  # fmt: skip
    model = kchainer.from_keras(
        {
            "class_name": "Sequential",
            "keras_version": "1.2.2",
            "config": [{"class_name": "Convolution2D", "config": base}],
        },
        keras_backend="theano",
    )
    layer = next(x for x in model.network.layers.values() if x.params)
    flat = initial(layer.params[0], layer, "float64").reshape(-1, 5)
    np.testing.assert_allclose(flat.T @ flat, 1.1**2 * np.eye(5), atol=1e-12)


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"kernel_initializer": "glorot_unifrom"}, "KC201", "glorot_uniform"),
    ({"kernel_initializer": {"class_name": "MyInit", "config": {}}}, "KC201", "replace"),
    ({"kernel_initializer": {"module": None, "class_name": "MyInit", "registered_name": "pkg>MyInit", "config": {}}},
     "KC202", ""),
    ({"kernel_initializer": {"class_name": "__lambda__", "config": {"value": {}}}}, "KC202", ""),
    ({"kernel_initializer": {"class_name": "RandomNormal", "config": {"stdev": 1.0}}}, "KC103", "stddev"),
    ({"kernel_initializer": {"class_name": "RandomNormal", "config": {"stddev": "1"}}}, "KC104", ""),
    ({"kernel_initializer": 3}, "KC104", ""),
    ({"kernel_initializer": {"class_name": "VarianceScaling", "config": {"scale": 0.0}}}, "KC104", ""),
    ({"bias_initializer": "orthogonal"}, "KC301", ""),
    ({"bias_initializer": {"class_name": "Constant", "config": {"value": [1.0, 2.0]}}}, "KC301", ""),
    ({"kernel_regularizer": {"class_name": "L1L3", "config": {}}}, "KC201", "L1L2"),
    ({"kernel_regularizer": {"class_name": "L2", "config": {"l2": -1.0}}}, "KC104", ""),
    ({"kernel_constraint": "max_nrom"}, "KC201", "max_norm"),
    ({"kernel_constraint": {"class_name": "MaxNorm", "config": {"max_value": 1, "axis": 5}}}, "KC301", ""),
    ({"activity_regularizer": {"class_name": "Mine", "config": {}}}, "KC201", ""),
    ({"kernel_constraint": {"class_name": "MaxNorm", "config": {"axis": -5}}}, "KC301", ""),
    ({"kernel_initializer": {"class_name": "GlorotNormal", "config": {"input_axes": [0], "output_axes": [-7]}}}, "KC301", ""),
]  # fmt: skip


@pytest.mark.parametrize(("config", "code", "hint"), BAD, ids=lambda v: str(v)[:50])
def test_what_is_wrong_is_told(config: dict[str, Any], code: str, hint: str) -> None:
    with pytest.raises(kchainer.KchainerError) as caught:
        dense("2.3.1", **config)
    (one,) = caught.value.diagnostics
    assert one.code == code
    assert hint in (one.hint or "")


def test_the_place_of_a_wrong_key_is_inside_the_initializer() -> None:
    bad = {"class_name": "RandomNormal", "config": {"stdev": 1.0}}
    with pytest.raises(kchainer.KchainerError) as caught:
        dense("2.3.1", kernel_initializer=bad)
    assert caught.value.diagnostics[0].pointer.endswith("/kernel_initializer/config/stdev")


def test_settings_survive_json() -> None:
    from kchainer.diagnostics import Diagnostics
    from kchainer.ir.spec import from_json, to_json

    text = json.dumps({"class_name": "Sequential", "keras_version": "2.3.1", "config": [{"class_name": "Dense", "config": {
        "name": "d", "units": 4, "batch_input_shape": [None, 3], "kernel_initializer": "he_normal",
        "kernel_regularizer": "l2", "kernel_constraint": {"class_name": "MaxNorm", "config": {"max_value": 1}}}}]})  # fmt: skip
    model = kchainer.from_keras(text)
    data = json.loads(json.dumps(to_json(model)))
    again = from_json(data, name="again", diagnostics=Diagnostics("again"), most_nodes=100)
    assert again is not None
    assert to_json(again) == to_json(model)
    data["networks"]["model"]["layers"][1]["settings"]["kernel"]["initializer"]["scal"] = 1
    found = Diagnostics("again")
    assert from_json(data, name="again", diagnostics=found, most_nodes=100) is None
    assert [d.code for d in found.items] == ["KC103"]


ODD: list[Any] = [
    None, True, 3, -1, 1.5, "x", "glorot_uniform", [], [[1, 2], [3]], {}, {"class_name": 3}, {"name": 3},
    {"class_name": "Constant", "config": {"value": [[1, 2], [3]]}}, {"class_name": "Constant", "config": {"value": []}},
    {"class_name": "Constant", "config": {"value": {"config": 3}}}, {"class_name": "STFT", "config": {"window": [1]}},
    {"class_name": "VarianceScaling", "config": {"scale": 1e30, "input_axes": [0, 9], "output_axes": [-7]}},
    {"class_name": "Orthogonal", "config": {"gain": "x"}}, {"name": "MaxNorm", "m": 1, "axis": [9]},
    {"class_name": "MaxNorm", "config": {"axis": [0, "a"]}}, {"class_name": "function", "config": "x"},
    {"class_name": "RandomUniform", "config": {"seed": {"class_name": "SeedGenerator", "config": {"seed": []}}}},
    {"class_name": "L1L2", "config": []}, {"class_name": "DTypePolicyMap", "config": {"policy_map": [1]}},
    {"class_name": "Policy", "config": {"name": {}}}, {"class_name": "Policy", "config": {"name": ["a"]}},
]  # fmt: skip
KEYS1 = [
    "init",
    "W_regularizer",
    "b_regularizer",
    "W_constraint",
    "b_constraint",
    "activity_regularizer",
    "dtype",
]
KEYS2 = [
    "kernel_initializer", "bias_initializer", "kernel_regularizer", "kernel_constraint", "bias_constraint",
    "activity_regularizer", "dtype",
]  # fmt: skip


@pytest.mark.parametrize("release", ["0.3.3", "1.0.8", "1.2.2", "2.0.9", "2.2.4", "2.15.0", "3.15.1"])
def test_odd_values_anywhere_are_diagnostics(release: str) -> None:
    """Every odd value at every key: a network, or a KchainerError, nothing else."""
    old = release[0] in "01"
    base: dict[str, Any] = {"name": "c", "batch_input_shape": [None, 9, 9, 3]}
    base |= {"nb_filter": 2, "nb_row": 3, "nb_col": 3} if old else {"filters": 2, "kernel_size": 3}
    made = 0
    for key in KEYS1 if old else KEYS2:
        for value in ODD:
            layer = {"class_name": "Convolution2D", "config": {**base, key: value}}
            model = {"class_name": "Sequential", "keras_version": release, "config": [layer]}
            try:
                made += kchainer.from_keras(model, keras_backend="theano").to_chainer() is not None
            except kchainer.KchainerError as error:
                assert error.diagnostics
    assert 7 <= made < 60  # null everywhere, and what fits
