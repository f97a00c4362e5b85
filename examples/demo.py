"""A trained Keras model of other people, converted and run on its recorded input, beside Keras's outputs.

The model is gender_mini_XCEPTION (Keras 2.0.5, MIT licence, oarriaga/face_classification); see
tests/fixtures/real-models/README.md.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

import kchainer
from kchainer.cli import main

FOLDER = Path(__file__).parent.parent / "tests/fixtures/real-models/face_classification/gender_models"
MODEL = FOLDER / "gender_mini_XCEPTION.21-0.95.hdf5"
REFERENCE = FOLDER / "gender_mini_XCEPTION.21-0.95.npz"


def run() -> int:
    """Convert, load, compare."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "gender"
        if main(
            [
                "convert",
                str(MODEL.relative_to(Path.cwd()) if MODEL.is_relative_to(Path.cwd()) else MODEL),
                "-o",
                str(out),
            ]
        ):
            return 1
        net = kchainer.load(out)
        arrays = np.load(REFERENCE, allow_pickle=False)
        outputs = net.predict(arrays["x0"])
    print("\nsample  class  Keras (recorded)  Chainer       difference")
    for i, (want, got) in enumerate(zip(arrays["y0"], outputs, strict=True)):
        for k in range(len(want)):
            print(f"{i:>6}  {k:>5}  {want[k]:<16.8f}  {got[k]:<12.8f}  {abs(want[k] - got[k]):.1e}")
    largest = float(np.abs(outputs - arrays["y0"]).max())
    print(f"\nlargest difference {largest:.1e}")
    return 0 if largest < 1e-5 else 1


if __name__ == "__main__":
    sys.exit(run())
