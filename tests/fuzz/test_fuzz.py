"""Random models against Keras: a fixed set of them, and the smallest of each that once differed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, seed

from tests.fuzz import compare, draw, run
from tests.fuzz.specs import Json

FOUND = sorted(run.FOUND.glob("*.json"))


def agrees(spec: Json) -> None:
    try:
        found = compare.compared(spec)
    except compare.Discarded:
        return
    assert found is None or found.known or run.refusal(found), f"{found}: {json.dumps(spec)}"


@pytest.mark.parametrize("path", FOUND, ids=lambda p: p.stem)
def test_what_was_found_once(path: Path) -> None:
    assert compare.compared(json.loads(path.read_text())["spec"]) is None


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
