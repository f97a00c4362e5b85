"""Steps that old and new Keras releases recorded, by their own files: losses, weights, and the optimizer's state."""

from __future__ import annotations

import dataclasses
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kchainer
from kchainer.backends.chainer.build import logical
from kchainer.backends.chainer.trained import optimizer_for
from kchainer.training import Step

FIXTURES = Path(__file__).parent.parent / "fixtures" / "old-keras"
INDEX = json.loads((FIXTURES / "index.json").read_text())
# In graph mode TensorFlow 1 reads a step count while it is counted up, and misses Keras's own rule by chance.
RACING = ("keras-2.0.8-tensorflow", "keras-2.3.1-tensorflow")
# Releases that count no steps where nothing needs them, so that their files hold none.
UNCOUNTED = ("keras-1.0.8-theano", "keras-1.2.2-theano", "keras-1.2.2-tensorflow")


def cases(*starts: str) -> list[Any]:
    return [
        pytest.param(c, kind, id=f"{c['dialect']}/{c['case']}/{kind}")
        for c in INDEX
        if c["case"].startswith(starts) and not c.get("skipped") and c["dialect"] not in RACING
        for kind in ("trained_h5", "trained_keras")
        if kind in c["files"]
    ]


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("recorded")
    for archive in FIXTURES.glob("*.zip"):
        zipfile.ZipFile(archive).extractall(out / archive.stem)
    return out


def numbered(arrays: Any, end: str) -> list[Any]:
    names = [n for n in arrays.files if n[0] == "w" and n.endswith(end)]
    return [arrays[n] for n in sorted(names, key=lambda n: int(n[1:].removesuffix(end)))]


def backend(case: dict[str, Any]) -> str | None:
    return case["dialect"].rsplit("-", 1)[1] if case["dialect"].startswith("keras-1") else None


def params(net: Any) -> list[Any]:
    """Views of the parameters in Keras's layout, layer after layer."""
    out = []
    for name, link in net.named_plan_links():
        known = {p.name: p for p in net.params_of[name]}
        weights = {w.param: (attribute, w) for attribute, w in net.plan.links[name].weights.items()}
        for param in known:
            attribute, weight = weights[param]
            place = getattr(link, attribute)
            out.append(logical(getattr(place, "array", place), known[param], weight))
    return out


def assert_moved(got: Any, wanted: Any, start: Any, what: Any) -> None:
    error, moved = np.abs(got - wanted).max(), np.abs(wanted - start).max()
    assert error <= 1e-4 * np.abs(wanted).max(), what
    assert error <= max(2e-3 * moved, 2e-7 * np.abs(wanted).max()), what


def assert_state(optimizer: Any, model: Any, net: Any, *, counts: bool) -> None:
    """What the optimizer has gathered here is what the file says Keras had."""
    gathered = model.gathered
    assert not [d for d in model.warnings if d.code == "KC502"]
    assert gathered is not None
    assert optimizer.t == gathered.steps or not counts
    theirs = optimizer_for(model, net).state()
    ours = optimizer.state()
    assert set(ours) == set(theirs)
    for path, slots in theirs.items():
        for slot, wanted in slots.items():
            scale = max(np.abs(one[slot]).max() for one in theirs.values())
            np.testing.assert_allclose(
                ours[path][slot], wanted, rtol=1e-4, atol=1e-4 * scale, err_msg=f"{path} {slot}"
            )


@pytest.mark.parametrize(("case", "kind"), cases("opt_"))
def test_optimizer(recorded: Path, case: dict[str, Any], kind: str) -> None:
    folder = recorded / case["dialect"]
    model = kchainer.read(folder / case["files"][kind], keras_backend=backend(case))
    arrays = np.load(folder / case["files"]["arrays"])
    net = model.to_chainer()
    first, wanted = numbered(arrays, "_initial"), numbered(arrays, "_trained")
    for place, value in zip(params(net), first, strict=True):
        place[...] = value
    begun = dataclasses.replace(model, gathered=None)
    assert model.training is not None
    step = Step(net, begun.to_optimizer(net), model.training)
    for row in arrays["losses"]:
        loss = step(arrays["x0"], arrays["t0"])
        assert loss == pytest.approx(float(np.ravel(row)[0]), rel=2e-4)
        assert 0 <= step.metrics["categorical_accuracy"] <= 1
    for got, want, start in zip(params(net), wanted, first, strict=True):
        assert_moved(got, want, start, case["case"])
    if model.gathered is not None:
        assert_state(step.optimizer, model, net, counts=case["dialect"] not in UNCOUNTED)
    else:  # tf.keras 2.15 writes no state of older optimizers into .keras
        uncounted = case["case"] == "opt_rmsprop_decay" and case["dialect"] == "keras-1.2.2-theano"
        assert uncounted or ("legacy" in case["case"] and kind == "trained_keras")


@pytest.mark.parametrize(("case", "kind"), cases("train_"))
def test_network(recorded: Path, case: dict[str, Any], kind: str) -> None:
    folder, files = recorded / case["dialect"], case["files"]
    net = kchainer.load(folder / (files.get("model_h5") or files["model_keras"]), keras_backend=backend(case))
    model = kchainer.read(folder / files[kind], keras_backend=backend(case))
    arrays = np.load(folder / files["arrays"])
    net.model = dataclasses.replace(net.model, training=model.training, gathered=None)
    step = kchainer.training.from_compiled(net)
    targets = [arrays[n] for n in ("t0", "t1") if n in arrays.files]
    more: dict[str, Any] = {}
    if "sample_weight" in arrays.files:
        more["sample_weight"] = arrays["sample_weight"]
    if case.get("class_weight"):
        more["class_weight"] = {int(k): v for k, v in case["class_weight"].items()}
    for row in arrays["losses"]:
        loss = step(arrays["x0"], targets if len(targets) > 1 else targets[0], **more)
        assert loss == pytest.approx(float(np.ravel(row)[0]), rel=2e-4)
    after = net.predict(arrays["x0"])
    for i, y in enumerate(after if isinstance(after, list) else [after]):
        wanted = arrays[f"y{i}_trained"]
        assert np.abs(y - wanted).max() <= 1e-4 * max(np.abs(wanted).max(), 1)
    assert_state(step.optimizer, model, net, counts=case["dialect"] not in UNCOUNTED)
