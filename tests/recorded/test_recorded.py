"""Files really written by old and new Keras releases, and models of other people, against their recorded outputs.

A case that needs layers of a later issue is refused, for exactly the classes that ``WAITING`` names: nothing is
skipped in silence, and a class that becomes supported fails here until it is taken out of the table.
"""

from __future__ import annotations

import json
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kchainer

Record = Callable[[str, object], None]
FIXTURES = Path(__file__).parent.parent / "fixtures"
OLD = json.loads((FIXTURES / "old-keras" / "index.json").read_text())
REAL = json.loads((FIXTURES / "real-models" / "index.json").read_text())["cases"]

# Words that each diagnostic of a waiting case contains: the layer classes and features of later issues.
WAITING = (
    "takes tensors as keywords",
)  # fmt: skip
# Known shortfalls of this release: case -> why.
SHORTFALLS: dict[str, str] = {}
# Cases that are refused with KC206 and computed in float32 when that is allowed: the difference of 16-bit rounding.
APPROXIMATE = {"mixed_precision": 2e-3}
REFUSED = ("KC202",)  # code in the file


def pairs(files: dict[str, str]) -> list[tuple[str, str | None]]:
    """The model files of a case: whole models, and configs with each kind of weights."""
    whole = [(files[k], None) for k in ("model_h5", "model_keras") if k in files]
    kinds = [(c, w) for c in ("config", "yaml") for w in ("weights_h5", "weights_v3")]
    return whole + [(files[c], files[w]) for c, w in kinds if c in files and w in files]


def backend_of(dialect: str) -> str | None:
    return dialect.rsplit("-", 1)[1] if dialect.startswith(("keras-0", "keras-1")) else None


OLD_CASES = [
    pytest.param(
        case["dialect"],
        case["case"],
        model,
        weights,
        case["files"]["arrays"],
        id=f"{case['dialect']}/{model}{'+' + weights if weights else ''}",
    )
    for case in OLD
    if not case.get("skipped") and "arrays" in case["files"]
    for model, weights in pairs(case["files"])
]


@pytest.fixture(scope="session")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("old")
    for archive in (FIXTURES / "old-keras").glob("*.zip"):
        zipfile.ZipFile(archive).extractall(out / archive.stem)
    return out


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("real")
    for archive in (FIXTURES / "real-models").glob("*.tar.xz"):
        with lzma.open(archive) as stream, tarfile.open(fileobj=stream) as tar:
            tar.extractall(out, filter="data")
    for folder in ("face_classification", "hls4ml", "pypi"):
        (out / folder).symlink_to(FIXTURES / "real-models" / folder)
    return out


def numbered(arrays: Any, letter: str) -> list[Any]:
    names = [n for n in arrays.files if n[0] == letter and n[1:].isdigit()]
    return [arrays[n] for n in sorted(names, key=lambda n: int(n[1:]))]


def assert_outputs(
    net: Any, arrays: Any, tolerance: float | None = None, record: Record = lambda key, value: None
) -> None:
    made = net.predict(*numbered(arrays, "x"))
    wanted = numbered(arrays, "y")
    made = made if isinstance(made, list) else [made]
    assert len(made) == len(wanted)
    for got, want in zip(made, wanted, strict=True):
        assert got.shape == want.shape
        record("error", float(np.abs(got - want).max() / (np.abs(want).max() or 1)) if want.size else 0.0)
        if tolerance is not None:
            np.testing.assert_allclose(
                got, want.astype("float32"), rtol=0, atol=tolerance * np.abs(want).max()
            )
        else:
            np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


def load_or_wait(case: str, path: Path, weights: Path | None, backend: str | None) -> Any:
    """The network, or None where the case waits for a later issue for reasons that are all listed."""
    try:
        net = kchainer.load(path, weights, keras_backend=backend)
    except kchainer.KchainerError as error:
        if case in SHORTFALLS:
            return None
        for diagnostic in error.diagnostics:
            assert any(word in diagnostic.message for word in WAITING), diagnostic
        return None
    assert case not in SHORTFALLS, "this works now: take it out of SHORTFALLS"
    return net


@pytest.mark.parametrize(("dialect", "case", "model", "weights", "arrays"), OLD_CASES)
def test_old_keras(
    old: Path,
    dialect: str,
    case: str,
    model: str,
    weights: str | None,
    arrays: str,
    record_property: Record,
) -> None:
    folder = old / dialect
    data = np.load(folder / arrays, allow_pickle=False)
    backend = backend_of(dialect)
    if case == "lambda_refused":
        with pytest.raises(kchainer.KchainerError) as caught:
            kchainer.load(folder / model, folder / weights if weights else None, keras_backend=backend)
        assert "KC202" in {d.code for d in caught.value.diagnostics}
        return
    path, arrays_path = folder / model, folder / weights if weights else None
    if case in APPROXIMATE:
        with pytest.raises(kchainer.KchainerError) as caught:
            kchainer.load(path, arrays_path)
        assert {d.code for d in caught.value.diagnostics} == {"KC206"}
        assert_outputs(kchainer.load(path, arrays_path, allow=("KC206",)), data, APPROXIMATE[case])
        return
    net = load_or_wait(f"{dialect}/{case}", path, arrays_path, backend)
    if net is not None:
        assert_outputs(net, data, record=record_property)
        record_property("file", [str(path), arrays_path and str(arrays_path), backend])


@pytest.mark.parametrize("case", REAL, ids=lambda c: c["id"])
def test_real_model(real: Path, case: dict[str, Any]) -> None:
    backend = (case.get("options") or {}).get("backend")
    path = real / case["model"]
    weights = real / case["weights"] if case.get("weights") else None
    if case["kind"] == "refuse":
        with pytest.raises(kchainer.KchainerError) as caught:
            kchainer.load(path, weights, keras_backend=backend)
        assert {d.code for d in caught.value.diagnostics} & {"KC201", "KC202"}
        return
    if case["kind"] == "config":
        try:
            model = kchainer.read(path, keras_backend=backend)
        except kchainer.KchainerError as error:
            assert all(any(w in d.message for w in (*WAITING, "Lambda")) for d in error.diagnostics), error
            return
        sizes = [int(np.prod(p.shape)) for layer in model.network.layers.values() for p in layer.params]
        assert sum(sizes) == case["params"]
        return
    net = load_or_wait(case["id"], path, weights, backend)
    if net is not None:
        assert_outputs(net, np.load(real / case["npz"], allow_pickle=False))


def test_how_many_recorded_cases_run(old: Path, real: Path) -> None:
    """At least as many as when this was written: support does not shrink unnoticed."""
    running = 0
    for param in OLD_CASES:
        dialect, case, model, weights, _arrays = param.values
        try:
            kchainer.read(
                old / dialect / model,
                old / dialect / weights if weights else None,
                keras_backend=backend_of(dialect),
            )
            running += 1
        except kchainer.KchainerError:
            assert case
    assert running >= 397
