"""kchainer validate, schema and convert --to spec, as a user runs them."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import jsonschema
import pytest

import kchainer
from kchainer.checking import check
from kchainer.cli import main
from kchainer.cli.schema import NAMES, SCHEMAS
from kchainer.ir.spec import to_json

ROOT = Path(__file__).parent.parent.parent
FIXTURES = ROOT / "tests/fixtures"
KERAS = FIXTURES / "real-models/hls4ml/KERAS_3layer.json"
HDF5 = FIXTURES / "real-models/face_classification/gender_models/gender_mini_XCEPTION.21-0.95.hdf5"
BAD = json.loads((FIXTURES / "bad/codes.json").read_text())
# What a schema cannot say: references, shapes, variables, rules between attributes.
BEYOND_SCHEMAS = {"KC301", "KC302", "KC303", "KC304"}
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def three(tmp_path: Path) -> Path:
    """A folder with a Keras config, a spec, an IR file, and files that are none."""
    nets = tmp_path / "nets"
    (nets / "deep").mkdir(parents=True)
    shutil.copy(KERAS, nets / "keras.json")
    shutil.copy(FIXTURES / "good/gan.yaml", nets / "deep/gan.yaml")
    (nets / "deep/ir.json").write_text(json.dumps(to_json(kchainer.read(KERAS))))
    (nets / "model.weights.h5").write_bytes(b"none")
    (nets / "sharded.weights.json").write_text('{"weight_map": {}}')
    (nets / "notes.txt").write_text("none")
    return nets


@pytest.mark.parametrize("engine", ["typed", "jsonschema"])
def test_a_folder_of_all_kinds(three: Path, engine: str, capsys: Capture) -> None:
    assert main(["validate", str(three), "--engine", engine]) == 0
    out = capsys.readouterr().out
    assert re.fullmatch(r"3 files, no problems \(\d+\.\d s\): 1 spec, 1 IR, 1 Keras\n", out)


def test_one_good_file_says_what_it_is(capsys: Capture) -> None:
    assert main(["validate", str(KERAS)]) == 0
    assert capsys.readouterr().out == f"{KERAS}: Keras 2.0.0 (tensorflow), 5 layers, no problems\n"
    assert main(["validate", str(FIXTURES / "good/mlp.json")]) == 0
    assert capsys.readouterr().out.endswith("mlp.json: kchainer spec, 5 layers, no problems\n")


def test_the_summary_of_one_bad_file(capsys: Capture) -> None:
    file = FIXTURES / "bad/misspelt_key.json"
    assert main(["validate", str(file)]) == 1
    said = capsys.readouterr()
    assert said.out == "2 errors in 1 file (kchainer spec, 1 layer)\n"
    assert f"{file}:10:4: error[KC103]: unknown key `unitz` of Dense" in said.err
    assert "= help: did you mean `units`?" in said.err


def test_the_summary_of_several_files(capsys: Capture) -> None:
    files = [str(FIXTURES / "bad" / name) for name in ("misspelt.json", "cycle.json")]
    assert main(["validate", *files, str(KERAS)]) == 1
    assert re.fullmatch(r"2 errors in 2 of 3 files \(\d+\.\d s\): 2 Keras, 1 spec\n", capsys.readouterr().out)


def test_a_warning_is_counted_and_no_failure(tmp_path: Path, capsys: Capture) -> None:
    spec = json.loads((FIXTURES / "good/mlp.json").read_text())
    spec["layers"].append({"op": "Flatten", "inputs": "dense_1"})
    spec["outputs"] = "dense_3"
    file = tmp_path / "warn.json"
    file.write_text(json.dumps(spec))
    assert main(["validate", str(file)]) == 0
    said = capsys.readouterr()
    assert said.out == "1 warning in 1 file (kchainer spec, 6 layers)\n"
    assert "warning[KC306]" in said.err


def test_json_for_machines(three: Path, capsys: Capture) -> None:
    assert main(["validate", str(three), str(FIXTURES / "bad/cycle.json"), "--format", "json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [(f["kind"], f["layers"]) for f in told["files"]] == [
        ("spec", 7),
        ("IR", 9),
        ("Keras", 5),
        ("spec", 2),
    ]
    assert [(d["code"], d["pointer"], d["line"]) for d in told["diagnostics"]] == [("KC303", "/layers/0", 8)]


def test_annotations_for_github(capsys: Capture) -> None:
    file = FIXTURES / "bad/wrong_type.json"
    assert main(["validate", str(file), "--format", "github", "--quiet"]) == 1
    out = capsys.readouterr().out
    assert out.startswith(f"::error file={file},line=11,col=13,title=KC104::`units` of Dense")


@pytest.mark.parametrize("name", [n for n in BAD if n.endswith(".json")])
def test_both_engines_refuse_what_a_schema_can_say(name: str) -> None:
    typed, schema = (check(FIXTURES / "bad" / name, engine=e) for e in ("typed", "jsonschema"))
    assert typed.is_bad
    assert schema.is_bad != (set(BAD[name]) <= BEYOND_SCHEMAS)
    assert (typed.kind, typed.layers) == (schema.kind, schema.layers)


def test_the_place_of_what_the_schema_says(capsys: Capture) -> None:
    file = FIXTURES / "bad/misspelt.json"
    assert main(["validate", str(file), "--engine", "jsonschema"]) == 1
    err = capsys.readouterr().err
    assert "error[KC103]: Additional properties are not allowed ('paddding' was unexpected)" in err
    assert "at /config/layers/0/config\n" in err


def test_a_model_inside_hdf5_is_checked_by_both_engines() -> None:
    for engine in ("typed", "jsonschema"):
        done = check(HDF5, engine=engine)  # type: ignore[arg-type]
        assert not done.diagnostics
        assert str(done).startswith("Keras 2.0.")


def test_files_that_are_none(tmp_path: Path, capsys: Capture) -> None:
    assert main(["validate", str(tmp_path / "nothing.json")]) == 1
    assert "KC101" in capsys.readouterr().err
    assert main(["validate", str(tmp_path)]) == 1
    assert "holds no file" in capsys.readouterr().err


def test_keras_names_in_a_spec_get_our_name(capsys: Capture) -> None:
    assert main(["validate", str(FIXTURES / "bad/unknown_op.json")]) == 1
    assert "`Convolution` does what Keras's Conv2D does" in capsys.readouterr().err


# ------------------------------------------------------------------ schema, convert


@pytest.mark.parametrize("name", NAMES)
def test_published_schemas_are_in_step(name: str, capsys: Capture) -> None:
    published = (ROOT / f"schemas/{name}.schema.json").read_text()
    assert main(["schema", name]) == 0
    assert capsys.readouterr().out == published, "run `make schemas`"
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name]())


def test_schema_writes_all(tmp_path: Path) -> None:
    assert main(["schema", "--write", str(tmp_path)]) == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"{name}.schema.json" for name in sorted(NAMES)]


def test_convert_to_spec_and_back(tmp_path: Path) -> None:
    spec, ir, again = (tmp_path / name for name in ("spec.json", "ir.json", "again.json"))
    assert main(["convert", str(HDF5), "--to", "spec", "-o", str(spec)]) == 0
    assert main(["convert", str(HDF5), "--to", "ir", "-o", str(ir)]) == 0
    assert main(["convert", str(spec), "--to", "ir", "-o", str(again)]) == 0
    first, second = json.loads(ir.read_text()), json.loads(again.read_text())
    assert first["networks"] == second["networks"]
    assert len(spec.read_text()) < 0.6 * len(ir.read_text())


def test_from_spec_takes_dictionaries_and_text() -> None:
    text = (FIXTURES / "good/siamese.json").read_text()
    one, two = kchainer.from_spec(text), kchainer.from_spec(json.loads(text))
    assert one.to_spec() == two.to_spec()
    assert kchainer.to_spec(one) == one.to_spec()
    net = one.to_chainer()
    assert net.predict is not None
    for wrong in ({"kchainer": 1}, {}, "[]", {"kchainer": 10**400}, {"kchainer": float("nan")}):
        with pytest.raises(kchainer.KchainerError):
            kchainer.from_spec(wrong)  # type: ignore[arg-type]


def test_several_networks_where_one_is_needed() -> None:
    with pytest.raises(kchainer.KchainerError, match="the model has 2 networks") as caught:
        _ = kchainer.read(FIXTURES / "good/gan.yaml").network
    assert [d.code for d in caught.value.diagnostics] == ["KC205"]
    assert "generator, discriminator" in str(caught.value)
