"""Resizing as tf.image.resize gave it: tests/fixtures/preprocessing/resize.npz, by make_resize.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import kchainer.functions as KF

FILE = Path(__file__).parents[1] / "fixtures" / "preprocessing" / "resize.npz"
with np.load(FILE) as found:
    RECORDED = dict(found)
NAMES = {"bicubic": "bicubic_tf"}


@pytest.mark.parametrize("case", [k for k in RECORDED if k != "x"])
def test_as_tensorflow(case: str) -> None:
    method, antialias, size = case.split("-")
    height, width = map(int, size.split("x"))
    x = RECORDED["x"].transpose(0, 3, 1, 2)
    got = KF.resize(x, (height, width), NAMES.get(method, method), antialias == "1").array
    np.testing.assert_allclose(got.transpose(0, 2, 3, 1), RECORDED[case], rtol=0, atol=2e-6 * np.abs(x).max())
