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
from kchainer.diagnostics import CODES, Diagnostics
from kchainer.ir.graph import Model, Origin
from kchainer.ir.op import OPS, from_json, problems, schema, to_json
from kchainer.ir.schema import IR, ir_schema
from kchainer.ir.spec import from_json as model_from_json
from kchainer.ir.spec import to_json as model_to_json
from tests.ir.mutations import VALUES, mutated
from tests.ir.samples import layer_json, models, sample

ROOT = Path(__file__).parent.parent.parent
REAL = ROOT / "tests/fixtures/real-models"
WHOLE = jsonschema.Draft202012Validator(ir_schema())
VALIDATORS = {name: jsonschema.Draft202012Validator(schema(cls)) for name, cls in OPS.items()}
DOCUMENTS = [json.loads(json.dumps(model_to_json(model))) for _, model in models()]
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


@given(st.data())
@settings(max_examples=800, derandomize=True, deadline=None)
def test_own_check_and_published_schema_agree(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(OPS)))
    cls, one = OPS[name], layer_json(name)
    for key in data.draw(st.lists(st.sampled_from([k for k in one if k != "op"] + ["stray"]), max_size=2)):
        if data.draw(st.integers(0, 3)):
            one[key] = data.draw(VALUES)
        else:
            one.pop(key, None)
    ours = not list(problems(cls, one))
    theirs = VALIDATORS[name].is_valid(one)
    assert ours == theirs, one
    if ours:
        again = from_json(cls, one)
        assert from_json(cls, json.loads(json.dumps(to_json(again)))) == again


@pytest.mark.parametrize("name", OPS)
def test_every_op_survives_json(name: str) -> None:
    model = Model({"net": sample(name)}, Origin("sample", "none"))
    data = json.loads(json.dumps(model_to_json(model)))
    WHOLE.validate(data)
    found = Diagnostics("again")
    again = model_from_json(data, name="again", diagnostics=found, most_nodes=100)
    assert again is not None, found.items
    assert not found.items
    assert model_to_json(again) == data
    assert again.network.nodes == model.network.nodes


@given(mutated(DOCUMENTS))
@settings(max_examples=1000, derandomize=True, deadline=None)
def test_no_document_makes_the_reader_raise(data: Any) -> None:
    found = Diagnostics("any")
    model = model_from_json(data, name="any", diagnostics=found, most_nodes=100)
    assert (model is None) == found.has_errors
    assert all(d.code in CODES for d in found.items)
    assert (not list(IR.problems(data, ""))) == WHOLE.is_valid(data)
    if model is not None:
        assert model_to_json(model)["networks"]


def broken(**changes: Any) -> list[tuple[str, str]]:
    """Codes and places of what is wrong with a small network that is changed so."""
    network = {
        "layers": [
            {"name": "x", "op": "Input", "shape": [None, 4]},
            {"name": "d", "op": "Dense", "units": 3},
            {"name": "e", "op": "Dense", "units": 3},
        ],
        "nodes": [
            {"layer": "x", "inputs": []},
            {"layer": "d", "inputs": [[0, 0]]},
            {"layer": "e", "inputs": [[1, 0]]},
        ],
        "inputs": [0],
        "outputs": [[2, 0]],
    }
    data: dict[str, Any] = {"kchainer": 1, "kind": "ir", "networks": {"n": network}}
    for path, value in changes.items():
        *parents, last = path.split("__")
        place: Any = data if parents[:1] == ["top"] else network
        for key in parents[parents[:1] == ["top"] :]:
            place = place[int(key) if key.isdigit() else key]
        place[int(last) if last.isdigit() else last] = value
    found = Diagnostics("broken")
    model_from_json(data, name="broken", diagnostics=found, most_nodes=100)
    return [(d.code, d.pointer) for d in found.items]


PLACES: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    ({"top__stray": 1}, [("KC103", "/stray")]),
    ({"top__kind": "irr"}, [("KC104", "/kind")]),
    ({"top__kchainer": True}, [("KC109", "/kchainer")]),
    ({"top__kchainer": 2}, [("KC109", "/kchainer")]),
    ({"top__dtype": "float31"}, [("KC104", "/dtype")]),
    ({"top__origin": [1]}, [("KC104", "/origin")]),
    ({"top__networks": {}}, [("KC104", "/networks")]),
    ({"stray": 1}, [("KC103", "/networks/n/stray")]),
    ({"nodes__1__input": []}, [("KC103", "/networks/n/nodes/1/input")]),
    ({"nodes__1__inputs": "x"}, [("KC104", "/networks/n/nodes/1/inputs")]),
    ({"nodes__1": 7}, [("KC104", "/networks/n/nodes/1")]),
    ({"layers__1": None}, [("KC104", "/networks/n/layers/1"), ("KC302", "/networks/n/nodes/1")]),
    ({"layers__1__trainable": "yes"}, [("KC104", "/networks/n/layers/1/trainable")]),
    ({"layers__1__settings": {"kernel": 1}}, [("KC104", "/networks/n/layers/1/settings/kernel")]),
    ({"taps": {"a": [1]}}, [("KC104", "/networks/n/taps/a")]),
    ({"taps": {"a/b": [9, 0]}}, [("KC302", "/networks/n/taps/a~1b")]),
    ({"output_names": "d"}, [("KC104", "/networks/n/output_names")]),
    ({"output_names": ["d", "e"]}, [("KC104", "/networks/n/output_names")]),
    ({"inputs": [1]}, [("KC302", "/networks/n/inputs/0"), ("KC302", "/networks/n/inputs")]),
    ({"inputs": [0, 0]}, [("KC304", "/networks/n/inputs/1")]),
    ({"inputs": []}, [("KC302", "/networks/n/inputs")]),
    ({"nodes__0__inputs": [[0, 0]]}, [("KC302", "/networks/n/nodes/0/inputs/0")]),
    ({"layers__0__dtype": "float31"}, [("KC104", "/networks/n/nodes/0")]),
    ({"layers__0__shape": []}, [("KC104", "/networks/n/nodes/0")]),
    ({"layers__0__shape": [None] * 9}, [("KC901", "/networks/n/layers/0")]),
    ({"outputs": []}, [("KC104", "/networks/n/outputs")]),
    # what depends on something wrong is not told again, what does not is
    (
        {"layers__1__units": 0, "layers__2__units": "3", "outputs": [[8, 0]]},
        [
            ("KC104", "/networks/n/layers/1/units"),
            ("KC104", "/networks/n/layers/2/units"),
            ("KC302", "/networks/n/outputs/0"),
        ],
    ),
    (
        {"nodes__1__inputs": [[0, 0], [0, 0]], "nodes__2__inputs": [[2, 0]]},
        [("KC301", "/networks/n/layers/1"), ("KC302", "/networks/n/nodes/2/inputs/0")],
    ),
    ({"outputs": [[1, 0]]}, [("KC306", "/networks/n/layers/2")]),
]


@pytest.mark.parametrize(("changes", "expected"), PLACES, ids=lambda v: str(v)[:60])
def test_each_fault_has_its_code_and_place(changes: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert broken() == []
    assert broken(**changes) == expected


def test_messages_name_the_key_and_suggest() -> None:
    data = model_to_json(Model({"n": sample("Dense")}, Origin("x", "")))
    layer = data["networks"]["n"]["layers"][1]
    layer["unit"] = layer.pop("units")
    found = Diagnostics("bad")
    model_from_json(data, name="bad", diagnostics=found, most_nodes=100)
    unknown, missing = found.items
    assert unknown.message == 'unknown key `unit` of Dense "layer"'
    assert unknown.hint == "did you mean `units`?"
    assert missing.message == '`units` is missing from Dense "layer"'


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
