"""IR files: to JSON and back, the published schema, and what is wrong with bad ones."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kchainer
from kchainer.diagnostics import Diagnostics
from kchainer.ir import ops
from kchainer.ir.op import OPS, Op, from_json, problems, schema, to_json
from kchainer.ir.schema import ir_schema
from kchainer.ir.spec import from_json as model_from_json
from kchainer.ir.spec import to_json as model_to_json

ROOT = Path(__file__).parent.parent.parent
REAL = ROOT / "tests/fixtures/real-models"
MODELS = [
    REAL / "face_classification/gender_models/gender_mini_XCEPTION.21-0.95.hdf5",
    REAL / "pypi/inaSpeechSegmenter_speech_music_noise.hdf5",
    REAL / "hls4ml/KERAS_3layer.json",
]


@pytest.mark.parametrize("path", MODELS, ids=lambda p: p.stem)
def test_to_json_and_back_is_the_same_network(path: Path) -> None:
    model = kchainer.read(path)
    data = json.loads(json.dumps(model_to_json(model)))
    jsonschema.Draft202012Validator(ir_schema()).validate(data)
    again = model_from_json(data, name="again", diagnostics=Diagnostics("again"), most_nodes=10_000)
    assert again is not None
    assert model_to_json(again) == model_to_json(model)
    assert again.network.nodes == model.network.nodes
    assert {n: layer.params for n, layer in again.network.layers.items()} == {
        n: layer.params for n, layer in model.network.layers.items()
    }


def test_published_schema_is_in_step() -> None:
    published = json.loads((ROOT / "schemas/ir.schema.json").read_text())
    assert published == ir_schema(), "run `make schemas`"


BAD: dict[str, tuple[list[Any], Any, str]] = {
    "unknown op": (["layers", 1, "op"], "Denze", "KC201"),
    "wrong type": (["layers", 1, "units"], "64", "KC104"),
    "out of bounds": (["layers", 1, "units"], 0, "KC104"),
    "unknown key": (["layers", 1, "unitz"], 3, "KC103"),
    "dangling node": (["nodes", 1, "layer"], "nobody", "KC302"),
    "forward reference": (["nodes", 1, "inputs"], [[9999, 0]], "KC302"),
    "negative reference": (["nodes", 1, "inputs"], [[-1, 0]], "KC302"),
    "bad output": (["outputs"], [[0, 7]], "KC302"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_ir_file_is_told_with_its_place(name: str, tmp_path: Path) -> None:
    path, value, code = BAD[name]
    data = copy.deepcopy(model_to_json(kchainer.read(MODELS[2])))
    (network,) = data["networks"].values()
    place = network
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    file = tmp_path / "bad.json"
    file.write_text(json.dumps(data))
    found = kchainer.validate(file)
    assert code in {d.code for d in found}
    assert all(d.pointer.startswith("/networks/") for d in found)


SAMPLES: list[Op] = [
    ops.Dense(units=3, use_bias=True),
    ops.Convolution(
        filters=4,
        kernel_size=(3,),
        strides=(1,),
        padding="same_upper",
        dilation=(1,),
        groups=1,
        use_bias=True,
        data_format="channels_last",
    ),
    ops.BatchNormalization(
        axis=1,
        momentum=0.9,
        epsilon=1e-3,
        corrections=(1.0,),
        scale=True,
        center=True,
        mode="batch",
        offset=0.0,
        zero_debias=False,
        statistic="variance",
        frozen="running",
    ),
    ops.Rescaling(scale=(1.0, 2.0), offset=0.5),
    ops.Relu(max_value=None, negative_slope=0.1, threshold=0.0),
    ops.Input(shape=(None, 3), dtype="float32"),
]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 40)
    | st.floats(-3, 40, allow_nan=False)
    | st.sampled_from(["same_upper", "x", "max"]),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=6,
)


@given(st.data())
@settings(max_examples=400, derandomize=True, deadline=None)
def test_own_check_and_published_schema_agree(data: st.DataObject) -> None:
    one = to_json(data.draw(st.sampled_from(SAMPLES)))
    key = data.draw(st.sampled_from([k for k in one if k != "op"] + ["stray"]))
    if data.draw(st.booleans()):
        one[key] = data.draw(VALUES)
    else:
        one.pop(key, None)
    cls = OPS[one["op"]]
    ours = not list(problems(cls, one))
    theirs = jsonschema.Draft202012Validator(schema(cls)).is_valid(one)
    assert ours == theirs, one
    if ours:
        again = from_json(cls, one)
        assert from_json(cls, json.loads(json.dumps(to_json(again)))) == again


@pytest.mark.parametrize(
    "layer",
    [
        {"op": "Glu", "axis": 9},
        {"op": "LayerNormalization", "axes": []},
        {"op": "EinsumDense", "equation": "nope", "output_shape": [3]},
        {
            "op": "Convolution",
            "filters": 2,
            "kernel_size": [3],
            "strides": [1, 1],
            "padding": [[0, 0]],
            "dilation": [1],
        },
        {"op": "Pooling", "function": "max", "pool_size": [2, 2], "strides": [2], "padding": "same_upper"},
    ],
    ids=lambda layer: layer["op"],
)
def test_an_op_that_does_not_fit_is_reported(layer: dict[str, Any], tmp_path: Path) -> None:
    layers = [{"name": "x", "op": "Input", "shape": [None, 4, 4, 3]}, {"name": "y"} | layer]
    nodes = [{"layer": "x", "inputs": []}, {"layer": "y", "inputs": [[0, 0]]}]
    network = {"layers": layers, "nodes": nodes, "inputs": [0], "outputs": [[1, 0]]}
    file = tmp_path / "bad.json"
    file.write_text(json.dumps({"kchainer": 1, "kind": "ir", "networks": {"n": network}}))
    assert {d.code for d in kchainer.validate(file)} <= {"KC301", "KC104"}
    assert kchainer.validate(file)
