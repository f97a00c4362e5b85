"""Random models against Keras: a fixed set of them, and the smallest of each that once differed."""

from __future__ import annotations

import inspect
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, seed

from tests.fuzz import compare, draw, run, specs  # before Chainer
from tests.fuzz.specs import Json

import chainer  # isort: skip

import kchainer
from kchainer.functions import norm

FOUND = sorted(run.FOUND.glob("*.json"))


def specs_run(spec: Json) -> None:
    """Kchainer's network of a spec, called once."""
    with tempfile.TemporaryDirectory() as folder:
        net = kchainer.load(*compare.saved(spec, specs.model(spec), Path(folder)))
    net(*specs.fed(spec))


def agrees(spec: Json) -> None:
    try:
        found = compare.compared(spec)
    except compare.Discarded:
        return
    assert found is None or found.known or run.refusal(found), f"{found}: {json.dumps(spec)}"


@pytest.mark.parametrize("path", FOUND, ids=lambda p: p.stem)
def test_what_was_found_once(path: Path) -> None:
    assert compare.compared(json.loads(path.read_text())["spec"]) is None


def normalised(layer: str, behind: str) -> Json:
    x = {"name": "x0", "shape": [4, 3], "feed": [4, 3]}
    nodes = [
        {"name": "n0", "layer": layer, "config": {}, "of": ["x0"]},
        {"name": "n1", "layer": behind, "config": {}, "of": ["n0"]},
    ]
    return {"inputs": [x], "nodes": nodes, "outputs": ["n1"], "batch": 4, "seed": 3, "format": "keras"}


@pytest.mark.parametrize("behind", ["BatchNormalization", "UnitNormalization", "LayerNormalization"])
def test_an_epsilon_a_thousandth_too_large_is_found(monkeypatch: pytest.MonkeyPatch, behind: str) -> None:
    spec = normalised("LayerNormalization", behind)
    assert compare.compared(spec) is None
    right = norm.layer_normalization

    def wrong(*args: Any, **more: Any) -> Any:
        given = inspect.signature(right).bind(*args, **more).arguments
        return right(**{**given, "eps": given["eps"] * 1.001})

    monkeypatch.setattr(norm, "layer_normalization", wrong)
    assert compare.compared(spec) is not None


def test_a_tie_is_told_by_its_values() -> None:
    spec = normalised("LayerNormalization", "GlobalMaxPooling1D")
    spec["nodes"].append({"name": "n2", "layer": "Maximum", "config": {}, "of": ["n1", "n1"]})
    for end, ties in (("n1", False), ("n2", True)):
        with compare.Ties() as found, chainer.using_config("train", False):
            specs_run({**spec, "outputs": [end]})
        assert found.found is ties


@pytest.mark.parametrize("number", [1, 2, 3])
def test_thirty_models(number: int) -> None:
    made = []

    def one(spec: Json) -> None:
        made.append(spec)
        agrees(spec)

    seed(number)(run.batch(10)(given(draw.models())(one)))()
    assert len(made) == 10


@pytest.mark.slow
@pytest.mark.parametrize("number", range(10, 20))
def test_two_hundred_models(number: int) -> None:
    made = []

    def one(spec: Json) -> None:
        made.append(spec)
        agrees(spec)

    seed(number)(run.batch(20)(given(draw.models())(one)))()
    assert len(made) == 20
