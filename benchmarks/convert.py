"""Reading and building side by side with Keras: CPU seconds, the least of interleaved rounds, one thread.

Run with ``.venv/bin/python benchmarks/convert.py``; prints ratios, asserts nothing.
"""

from __future__ import annotations

import os

os.environ |= {"KERAS_BACKEND": "torch", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from kchainer import api

ROUNDS = 3


def seconds(function: Callable[[], Any]) -> float:
    """CPU time of one call."""
    start = time.process_time()
    function()
    return time.process_time() - start


def side_by_side(name: str, ours: Callable[[], Any], theirs: Callable[[], Any] | None) -> None:
    """Interleaved rounds; the least of each."""
    pairs = [(seconds(ours), seconds(theirs) if theirs else float("nan")) for _ in range(ROUNDS)]
    mine, keras_s = min(p[0] for p in pairs), min(p[1] for p in pairs)
    print(f"{name:<44} kchainer {mine:8.3f} s   keras {keras_s:8.3f} s   ratio {mine / keras_s:6.3f}")


def start_up() -> None:
    """``kchainer --help`` in a fresh interpreter, wall clock."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "kchainer", "--help"], capture_output=True, check=True)
        times.append(time.perf_counter() - start)
    print(f"{'kchainer --help':<44} {min(times):8.3f} s")


def main() -> None:
    """All rows."""
    start_up()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        resnet = keras.applications.ResNet50(weights=None)
        resnet.save(path / "resnet50.keras")
        deep = keras.Sequential(
            [keras.Input((16,)), *(keras.layers.Dense(16, activation="relu") for _ in range(400))]
        )
        deep.save(path / "deep.keras")
        (path / "resnet50.json").write_text(resnet.to_json())
        (path / "deep.json").write_text(deep.to_json())
        for name in ("resnet50", "deep"):
            text = (path / f"{name}.json").read_text()
            json_file, keras_file = path / f"{name}.json", path / f"{name}.keras"
            side_by_side(
                f"{name}: validate the JSON",
                lambda f=json_file: api.read(f),
                lambda t=text: keras.models.model_from_json(t),
            )
            side_by_side(
                f"{name}: load with weights, ready to run",
                lambda f=keras_file: api.load(f),
                lambda f=keras_file: keras.saving.load_model(f),
            )


if __name__ == "__main__":
    main()
