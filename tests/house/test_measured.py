"""docs/measured.json has a figure for each class that is compared with Keras, and none is beyond its tolerance."""

from __future__ import annotations

import json
from pathlib import Path

from tests.parity.test_parity import CASES

ROOT = Path(__file__).parent.parent.parent
MEASURED = json.loads((ROOT / "docs/measured.json").read_text())


def test_each_class_with_a_case_has_a_figure() -> None:
    compared = {case.layer for _, case in CASES if "of" not in case.config and not case.xfail}
    assert not compared - set(MEASURED), "run `make measure`"


def test_figures_are_within_the_tolerance() -> None:
    for name, one in MEASURED.items():
        assert max(one["inference"], one["training"] or 0.0) <= one["tolerance"], name
