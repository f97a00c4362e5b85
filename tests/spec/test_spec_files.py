"""kchainer's own spec: short forms, round trips for every op, what is wrong with bad ones, the published schema."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kchainer
import kchainer.api  # fills the table of backends
from kchainer.diagnostics import CODES, Diagnostic, Diagnostics
from kchainer.frontends import spec
from kchainer.ir import short
from kchainer.ir.graph import Model, Origin
from kchainer.ir.op import OPS, kinds
from kchainer.ir.schema import LAYER
from kchainer.ir.spec import to_json
from kchainer.ir.spec_schema import NAMED, SPEC, layer_kinds, spec_schema
from tests.ir.mutations import VALUES, mutated, places
from tests.ir.samples import models, sample

Json = dict[str, Any]
ROOT = Path(__file__).parent.parent.parent
FIXTURES = ROOT / "tests/fixtures"
VALIDATOR = jsonschema.Draft202012Validator(spec_schema())
WRITTEN = {name: json.loads(json.dumps(model.to_spec())) for name, model in models()}
GOOD = sorted(p for p in (FIXTURES / "good").iterdir() if p.suffix in (".json", ".yaml"))
SHORT: list[Json] = [json.loads(p.read_text()) for p in GOOD if p.suffix == ".json"]
DOCUMENTS = [*WRITTEN.values(), *SHORT]


def read(data: Json) -> tuple[Model | None, list[Diagnostic]]:
    found = Diagnostics("a.json")
    return spec.read(copy.deepcopy(data), name="a.json", diagnostics=found, most_nodes=100), found.items


def ir_of(model: Model | None) -> Json:
    assert model is not None
    return {k: v for k, v in to_json(model).items() if k != "origin"}


def net(*layers: Json, inputs: Any = (4,), **more: Any) -> Json:
    return {"kchainer": 1, "kind": "spec", "inputs": inputs if isinstance(inputs, dict) else list(inputs)} | {
        "layers": list(layers),
        **more,
    }


# ------------------------------------------------------------------ round trips


@pytest.mark.parametrize("name", OPS)
def test_ir_to_spec_to_ir_is_the_identity(name: str) -> None:
    model, found = read(WRITTEN[name])
    assert not found
    assert ir_of(model) == ir_of(Model({"net": sample(name)}, Origin("", "")))


@pytest.mark.parametrize("name", OPS)
def test_spec_to_ir_to_spec_is_the_identity(name: str) -> None:
    model, _ = read(WRITTEN[name])
    assert model is not None
    VALIDATOR.validate(WRITTEN[name])
    assert model.to_spec() == WRITTEN[name]


@pytest.mark.parametrize(
    "path",
    [
        "face_classification/gender_models/gender_mini_XCEPTION.21-0.95.hdf5",
        "pypi/inaSpeechSegmenter_speech_music_noise.hdf5",
        "hls4ml/KERAS_3layer.json",
        "hls4ml/KERAS_conv1d_small.json",
    ],
)
def test_real_models_survive(path: str) -> None:
    model = kchainer.read(FIXTURES / "real-models" / path)
    data = json.loads(json.dumps(model.to_spec()))
    VALIDATOR.validate(data)
    again, found = read(data)
    assert not found
    assert ir_of(again) == ir_of(model)
    assert "taps" not in data


def test_several_networks_and_float64_survive() -> None:
    nets = {name: sample(name) for name in ("Dense", "Flatten", "Merge")}
    model = Model(nets, Origin("", ""), {}, "float64")
    again, _ = read(model.to_spec())
    assert ir_of(again) == ir_of(model)


def test_calls_named_like_layers_survive() -> None:
    layers = [
        {"op": "Dense", "name": "d", "units": 4},
        {"op": "Dense", "name": "d@2", "units": 4},
        {"call": "d", "name": "again"},
        {"op": "Merge", "name": "m", "function": "add", "inputs": ["d@2", "again"]},
    ]
    model, found = read(net(*layers))
    assert not found
    assert model is not None
    again, found = read(model.to_spec())
    assert not found
    assert ir_of(again) == ir_of(model)


# ------------------------------------------------------------------ short forms


SAME: dict[str, tuple[Json, Json, tuple[int | None, ...]]] = {
    "window": (
        {"op": "Convolution", "filters": 2, "kernel_size": 3, "padding": "same"},
        {
            "op": "Convolution",
            "filters": 2,
            "kernel_size": [3, 3],
            "strides": [1, 1],
            "padding": "same_upper",
            "dilation": [1, 1],
        },
        (6, 6, 3),
    ),
    "one number of padding": (
        {"op": "Convolution", "filters": 2, "kernel_size": 3, "padding": 1, "strides": 2},
        {
            "op": "Convolution",
            "filters": 2,
            "kernel_size": [3, 3],
            "strides": [2, 2],
            "padding": [[1, 1], [1, 1]],
            "dilation": [1, 1],
        },
        (6, 6, 3),
    ),
    "pooling": (
        {"op": "Pooling", "function": "max", "pool_size": 2},
        {
            "op": "Pooling",
            "function": "max",
            "pool_size": [2, 2],
            "strides": [2, 2],
            "padding": [[0, 0], [0, 0]],
        },
        (6, 6, 3),
    ),
    "last axis": ({"op": "BatchNormalization"}, {"op": "BatchNormalization", "axis": 3}, (6, 6, 3)),
    "axis from the end": ({"op": "Softmax", "axes": [-2, 3]}, {"op": "Softmax", "axes": [2, 3]}, (6, 6, 3)),
    "space": (
        {"op": "GlobalPooling", "function": "average"},
        {"op": "GlobalPooling", "function": "average", "spatial": 1},
        (6, 3),
    ),
    "padding": ({"op": "ZeroPadding", "padding": 2}, {"op": "ZeroPadding", "padding": [[2, 2]]}, (6, 3)),
}


@pytest.mark.parametrize("case", SAME)
def test_short_form_means_the_long_one(case: str) -> None:
    little, full, shape = SAME[case]
    first, found = read(net(little, inputs=shape))
    assert not found
    second, found = read(net(full, inputs=shape))
    assert not found
    assert ir_of(first) == ir_of(second)


@pytest.mark.parametrize("name", short.ACTIVATIONS)
def test_activation_is_a_layer_behind(name: str) -> None:
    stated = {k: v for k, v in short.ACTIVATIONS[name].items() if k != "op"}
    sub = short.ACTIVATIONS[name]["op"]
    inside, found = read(net({"op": "Dense", "name": "d", "units": 4, "activation": name}))
    assert not found
    behind, found = read(
        net(
            {"op": "Dense", "name": "d", "units": 4},
            {"op": sub, "name": f"d/{sub.lower()}", **stated},
            taps={"d": f"d/{sub.lower()}"},
        )
    )
    assert not found
    assert ir_of(inside) == ir_of(behind)
    assert inside is not None
    assert inside.to_spec()["layers"][0]["activation"] == ("silu" if name == "swish" else name)


KERAS: list[tuple[str, Json, Json, tuple[int, ...]]] = [
    *(
        ("Dense", {"units": 4, "activation": name}, {"op": "Dense", "units": 4, "activation": name}, (4,))
        for name in short.ACTIVATIONS
        if name
        not in ("square", "sqrt", "absolute", "hard_silu")  # of operation nodes; Keras says hard_swish
    ),
    (
        "Conv2D",
        {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same"},
        {"op": "Convolution", "filters": 2, "kernel_size": 3, "strides": 2, "padding": "same"},
        (7, 7, 3),
    ),
    (
        "Conv1D",
        {"filters": 2, "kernel_size": 3, "dilation_rate": 2},
        {"op": "Convolution", "filters": 2, "kernel_size": 3, "dilation": 2},
        (7, 3),
    ),
    (
        "Conv2DTranspose",
        {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same"},
        {"op": "TransposedConvolution", "filters": 2, "kernel_size": 3, "strides": 2, "padding": "same"},
        (7, 7, 3),
    ),
    ("MaxPooling2D", {"pool_size": 3}, {"op": "Pooling", "function": "max", "pool_size": 3}, (7, 7, 3)),
    (
        "AveragePooling1D",
        {"pool_size": 3, "strides": 1, "padding": "same"},
        {"op": "Pooling", "function": "average", "pool_size": 3, "strides": 1, "padding": "same"},
        (7, 3),
    ),
    ("GlobalMaxPooling3D", {}, {"op": "GlobalPooling", "function": "max"}, (4, 4, 4, 3)),
    ("BatchNormalization", {}, {"op": "BatchNormalization"}, (7, 3)),
    ("LayerNormalization", {}, {"op": "LayerNormalization"}, (7, 3)),
    ("UnitNormalization", {}, {"op": "UnitNormalization"}, (7, 3)),
    ("Softmax", {}, {"op": "Softmax"}, (7, 3)),
    ("PReLU", {"shared_axes": [1]}, {"op": "PRelu", "shared_axes": -2}, (7, 3)),
    ("ZeroPadding2D", {"padding": 1}, {"op": "ZeroPadding", "padding": 1}, (7, 7, 3)),
    ("Cropping1D", {"cropping": 2}, {"op": "Cropping", "cropping": 2}, (7, 3)),
    ("UpSampling2D", {"size": 2}, {"op": "UpSampling", "size": 2}, (7, 7, 3)),
]


@pytest.mark.parametrize(("name", "config", "layer", "shape"), KERAS, ids=lambda v: str(v)[:40])
def test_a_short_layer_is_what_keras_makes_of_its_defaults(
    name: str, config: Json, layer: Json, shape: tuple[int, ...]
) -> None:
    first = {"class_name": "InputLayer", "config": {"name": "input", "batch_shape": [None, *shape]}}
    layers = [first, {"class_name": name, "config": {"name": "a", **config}}]
    keras = kchainer.from_keras(
        {"class_name": "Sequential", "config": {"name": "s", "layers": layers}}, dialect="3.15.0"
    )
    ours, found = read(net({"name": "a", **layer}, inputs=shape))
    assert not found
    assert ours is not None
    assert [x.op for x in ours.network.layers.values()] == [x.op for x in keras.network.layers.values()]
    assert ours.network.nodes == keras.network.nodes


def test_variables_and_defaults() -> None:
    data = net(
        {"op": "Dense", "units": "$width"},
        {"op": "Dense", "units": "$width", "activation": None, "settings": {"bias": {"initializer": "$b"}}},
        {"op": "Reshape", "target": ["$half", 2]},
        {"op": "BatchNormalization"},
        inputs=["$width"],
        variables={"width": 4, "half": 2, "b": "ones"},
        defaults={
            "initializer": "he_normal",
            "activation": "relu",
            "settings": {"bias": {"initializer": "zeros"}, "gamma": {"regularizer": "l2"}},
            "attributes": {"BatchNormalization": {"epsilon": 0.5}},
        },
    )
    model, found = read(data)
    assert not found
    VALIDATOR.validate(data)
    assert model is not None
    layers = model.network.layers
    assert list(layers) == [
        "input",
        "dense_1",
        "dense_1/relu",
        "dense_2",
        "reshape_1",
        "batch_normalization_1",
    ]
    he_normal = {"op": "VarianceScaling", "scale": 2.0, "mode": "fan_in", "distribution": "truncated_normal"}
    kernel = layers["dense_1"].settings["kernel"]["initializer"]
    assert {key: kernel[key] for key in he_normal} == he_normal
    assert layers["dense_1"].settings == {
        "kernel": {"initializer": kernel},
        "bias": {"initializer": {"op": "Zeros"}},
    }
    assert layers["dense_2"].settings["bias"] == {"initializer": {"op": "Ones"}}
    l2 = {"op": "L1L2", "l1": 0.0, "l2": 0.01, "per_sample": False}
    assert layers["batch_normalization_1"].settings == {"gamma": {"regularizer": l2}}
    assert layers["batch_normalization_1"].op.epsilon == 0.5  # type: ignore[attr-defined]


def test_layers_may_stand_in_any_order() -> None:
    model, found = read(
        net(
            {"op": "Merge", "name": "sum", "function": "add", "inputs": ["a", "b"]},
            {"op": "Dense", "name": "a", "units": 3, "inputs": "x"},
            {"op": "Dense", "name": "b", "units": 3, "inputs": "y"},
            inputs={"x": [4], "y": {"shape": [5], "dtype": "int32", "batch": 2}},
            outputs="sum",
        )
    )
    assert not found
    assert model is not None
    assert [n.layer for n in model.network.nodes] == ["x", "y", "a", "b", "sum"]
    assert model.network.shape((1, 0)) == (2, 5)


def test_no_key_of_a_layer_is_an_attribute() -> None:
    for cls in OPS.values():
        assert not set(kinds(cls)) & {*NAMED, *LAYER, "op", "call"}


# ------------------------------------------------------------------ what is wrong

DENSE = {"op": "Dense", "name": "d", "units": 3}
BAD: list[tuple[str, Json, list[tuple[str, str]]]] = [
    ("version", net(DENSE) | {"kchainer": 3}, [("KC109", "/kchainer")]),
    ("no inputs", {"kchainer": 1, "kind": "spec", "layers": [DENSE]}, [("KC105", "")]),
    (
        "unknown normalization",
        net(DENSE, defaults={"normalization": "batch"}),
        [("KC104", "/defaults/normalization")],
    ),
    ("unknown op", net({"op": "Densse", "units": 3}), [("KC201", "/layers/0/op")]),
    ("unknown key", net(DENSE | {"unitss": 3}), [("KC103", "/layers/0/unitss")]),
    ("unknown activation", net(DENSE | {"activation": "relo"}), [("KC104", "/layers/0/activation")]),
    (
        "bad activation",
        net(DENSE | {"activation": {"op": "Elu", "alpha": "1"}}),
        [("KC104", "/layers/0/activation/alpha")],
    ),
    ("input needed", net(DENSE, inputs={"a": [3], "b": [3]}), [("KC105", "/layers/0")]),
    ("unknown input", net(DENSE | {"inputs": "inputt"}), [("KC302", "/layers/0/inputs")]),
    ("unknown of several", net(DENSE | {"inputs": ["input", "z"]}), [("KC302", "/layers/0/inputs/1")]),
    ("unknown output", net(DENSE, outputs=["d", "z"]), [("KC302", "/outputs/1")]),
    ("no such output", net(DENSE, outputs={"of": "d", "output": 1}), [("KC302", "/outputs")]),
    ("unknown tap", net(DENSE, taps={"a": "z"}), [("KC302", "/taps/a")]),
    ("output names", net(DENSE, output_names=["a", "b"]), [("KC104", "/output_names")]),
    ("two of a name", net(DENSE, DENSE), [("KC304", "/layers/1")]),
    ("named as the input", net(DENSE | {"name": "input"}), [("KC304", "/layers/0")]),
    ("call of nothing", net(DENSE, {"call": "e"}), [("KC302", "/layers/1/call")]),
    ("call of a later one", net({"call": "d", "inputs": "input"}, DENSE), [("KC302", "/layers/0/call")]),
    ("itself", net(DENSE | {"inputs": "d"}), [("KC303", "/layers/0")]),
    (
        "cycle",
        net(DENSE | {"inputs": "e"}, {"op": "Dense", "name": "e", "units": 3}),
        [("KC303", "/layers/0")],
    ),
    ("shapes", net({"op": "Convolution", "filters": 2, "kernel_size": 3}), [("KC301", "/layers/0")]),
    ("axis", net({"op": "Softmax", "axes": -3}), [("KC301", "/layers/0")]),
    ("axis of the batch", net({"op": "BatchNormalization", "axis": -2}), [("KC104", "/layers/0")]),
    ("batch", net(DENSE, inputs={"x": {"shape": [4], "batch": "2"}}), [("KC104", "/inputs/x/batch")]),
    ("dtype", net(DENSE, inputs={"x": {"shape": [4], "dtype": "float31"}}), [("KC104", "/inputs/x")]),
    ("rank", net(DENSE, inputs=[4] * 8), [("KC901", "/inputs")]),
    ("no variable", net(DENSE | {"units": "$w"}), [("KC302", "/layers/0/units")]),
    ("a variable of a wrong type", net(DENSE | {"units": "$w"}, variables={"w": 0.5}), [("KC104", "/layers/0/units")]),
    ("defaults", net(DENSE, defaults={"attributes": {"Dense": {"unit": 1}}}), [("KC103", "/defaults/attributes/Dense/unit")]),
    ("unused", net(DENSE, {"op": "Flatten", "inputs": "d"}, outputs="d"), [("KC306", "/layers/1")]),
    (
        "all at once",
        net(DENSE | {"units": "3"}, {"op": "Nope"}, {"op": "Softmax", "axes": -3, "inputs": "input"}, outputs=["d"]),
        [("KC104", "/layers/0/units"), ("KC201", "/layers/1/op"), ("KC301", "/layers/2")],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("data", "expected"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_each_fault_has_its_code_and_place(data: Json, expected: list[tuple[str, str]]) -> None:
    model, found = read(data)
    assert [(d.code, d.pointer) for d in found] == expected
    assert (model is None) == any(d.severity == "error" for d in found)


def test_misspelt_names_are_suggested() -> None:
    _, found = read(net(DENSE, {"op": "Dense", "units": "$widht", "inputs": "dd"}, variables={"width": 3}))
    assert [d.hint for d in found if d.code == "KC302"] == [
        "did you mean `width`?",
        "did you mean `d`?",
    ]


def test_settings_of_a_misspelt_param_are_told_once() -> None:
    stated = {"kernal": {"initializer": "ones"}, "bias": {"initializer": "ones"}}
    model, found = read(net(DENSE | {"units": 4, "use_bias": False, "settings": stated}, {"call": "d"}))
    assert model is not None
    assert [(d.code, d.severity, d.pointer, d.hint) for d in found] == [
        ("KC103", "warning", "/layers/0/settings/kernal", "did you mean `kernel`?")
    ]


def test_the_cycle_is_shown() -> None:
    layers = [{"op": "Dense", "units": 3, "name": n, "inputs": m} for n, m in ("ab", "bc", "ca")]
    _, found = read(net(*layers))
    assert [d.message for d in found] == ['the graph has a cycle: "c" -> "b" -> "a" -> "c"']


@given(mutated(DOCUMENTS))
@settings(max_examples=1000, derandomize=True, deadline=None)
def test_no_document_makes_the_reader_raise(data: Any) -> None:
    model, found = read(data) if isinstance(data, dict) else (None, [Diagnostic(code="KC104", message="")])
    assert (model is None) == any(d.severity == "error" for d in found)
    assert all(d.code in CODES for d in found)
    if model is not None:
        again, _ = read(model.to_spec())
        assert ir_of(again) == ir_of(model)


def holds_variables(data: Any) -> bool:
    """A variable is a reference: what it holds is known to the typed walk only."""
    for path in places(data):
        value = data
        for key in path:
            value = value[key]
        if isinstance(value, str) and value.startswith("$"):
            return True
    return False


@given(mutated(DOCUMENTS))
@settings(max_examples=800, derandomize=True, deadline=None)
def test_typed_walk_and_published_schema_agree(data: Any) -> None:
    if not holds_variables(data):
        assert (not list(SPEC.problems(data, ""))) == VALIDATOR.is_valid(data)


def layer_validator(name: str) -> jsonschema.Draft202012Validator:
    whole = spec_schema()
    return jsonschema.Draft202012Validator({"$defs": whole["$defs"], "$ref": f"#/$defs/layers/{name}"})


LAYER_VALIDATORS = {name: layer_validator(name) for name in layer_kinds()}


@given(st.data())
@settings(max_examples=800, derandomize=True, deadline=None)
def test_own_check_and_published_schema_agree_on_every_layer(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(layer_kinds())))
    one = copy.deepcopy(WRITTEN[name]["layers"][0])
    keys = [*kinds(OPS[name]), "activation", "trainable", "settings", "stray"]
    for key in data.draw(st.lists(st.sampled_from(keys), max_size=2)):
        one[key] = data.draw(VALUES)
        if data.draw(st.integers(0, 4)) == 0:
            del one[key]
    if not holds_variables(one):
        ours = not list(layer_kinds()[name].problems(one, ""))
        assert ours == LAYER_VALIDATORS[name].is_valid(one), one


def test_a_variable_is_valid_wherever_it_may_stand() -> None:
    data = net(
        {"op": "Dense", "units": "$a", "use_bias": "$b", "trainable": "$b", "activation": "$c"},
        {"op": "Reshape", "target": ["$a", "$d"]},
        inputs=["$a"],
        variables={"a": 1, "b": True, "c": "relu", "d": 1},
    )
    VALIDATOR.validate(data)
    assert read(data)[0] is not None
    wrong = net({"op": "$a", "units": 3}, variables={"a": "Dense"})
    assert not VALIDATOR.is_valid(wrong)
    assert read(wrong)[0] is None


# ------------------------------------------------------------------ files


@pytest.mark.parametrize("path", GOOD, ids=lambda p: p.name)
def test_good_files_convert(path: Path, tmp_path: Path) -> None:
    model = kchainer.read(path)
    assert not model.warnings
    if len(model.networks) == 1:
        kchainer.convert(path, tmp_path / "out")
        assert kchainer.verify(tmp_path / "out")[0] == 0


CODES_OF_BAD = json.loads((FIXTURES / "bad/codes.json").read_text())


@pytest.mark.parametrize("name", CODES_OF_BAD)
def test_bad_files_fail_as_the_table_says(name: str) -> None:
    found = kchainer.validate(FIXTURES / "bad" / name)
    assert sorted({d.code for d in found if d.severity == "error"}) == CODES_OF_BAD[name]
    assert all(d.line is not None or d.code == "KC107" for d in found if name.endswith(".json"))


def test_the_table_of_bad_files_is_complete() -> None:
    files = {p.name for p in (FIXTURES / "bad").iterdir()} - {"codes.json"}
    assert files == set(CODES_OF_BAD)


# ------------------------------------------------------------------ documentation


def test_the_document_is_in_step() -> None:
    scope: Json = {"__name__": "make_spec"}
    exec((ROOT / "docs/make_spec.py").read_text(), scope)
    assert (ROOT / "docs/spec.md").read_text() == scope["page"](), "run `python docs/make_spec.py`"


EXAMPLES = re.findall(r"```(json|yaml)\n(.*?)```", (ROOT / "docs/spec.md").read_text(), re.DOTALL)


@pytest.mark.parametrize(("language", "text"), EXAMPLES)
def test_every_example_of_the_document_converts(language: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / f"example.{language}"
    file.write_text(text)
    model = kchainer.read(file)
    assert not model.warnings
    if len(model.networks) == 1:
        kchainer.convert(file, tmp_path / "out")
