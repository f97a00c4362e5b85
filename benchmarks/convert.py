"""Reading and building side by side with Keras: CPU seconds, the least of interleaved rounds, one thread.

Run with ``.venv/bin/python benchmarks/convert.py``; prints ratios, asserts nothing.
"""

from __future__ import annotations

import os

os.environ |= {"KERAS_BACKEND": "torch", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import json
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from kchainer import api
from kchainer.backends.chainer import build

ROUNDS = 3
DEEP, SHALLOW, PATIENCE = 1_000, 100, 60
# In a process of its own: a deep Sequential needs a raised recursion limit, and Keras builds it anew at each layer.
THEIRS = """
import resource, sys, time
resource.setrlimit(resource.RLIMIT_CPU, (int(sys.argv[2]), int(sys.argv[2])))
sys.setrecursionlimit(100_000)
import keras
start = time.process_time()
keras.saving.load_model(sys.argv[1])
print(time.process_time() - start)
"""


def seconds(function: Callable[[], Any]) -> float:
    """CPU time of one call."""
    start = time.process_time()
    function()
    return time.process_time() - start


def show(name: str, mine: float, theirs: float | None, note: str = "") -> None:
    """One row."""
    beside = f"keras {theirs:8.3f} s   ratio {mine / theirs:6.3f}" if theirs else note
    print(f"{name:<52} kchainer {mine:8.3f} s   {beside}", flush=True)


def side_by_side(
    name: str, ours: Callable[[], Any], theirs: Callable[[], Any] | None = None, rounds: int = ROUNDS
) -> None:
    """Interleaved rounds; the least of each."""
    pairs = [(seconds(ours), seconds(theirs) if theirs else None) for _ in range(rounds)]
    show(name, min(p[0] for p in pairs), min(p[1] for p in pairs if p[1]) if theirs else None)


def start_up() -> None:
    """``kchainer --help`` in a fresh interpreter, wall clock."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "kchainer", "--help"], capture_output=True, check=True)
        times.append(time.perf_counter() - start)
    print(f"{'kchainer --help':<52} kchainer {min(times):8.3f} s")


def in_a_row(count: int) -> keras.Model:
    """Dense layers one after the other, as a Functional model."""
    entry = value = keras.Input((16,))
    for _ in range(count):
        value = keras.layers.Dense(16, activation="relu")(value)
    return keras.Model(entry, value)


def as_sequential(source: Path, target: Path) -> None:
    """The same layers and weights as a Sequential: Keras itself takes minutes to make one of 1,000 layers."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "config.json":
                config = json.loads(data)
                layers = [
                    {k: v for k, v in x.items() if k != "inbound_nodes"} for x in config["config"]["layers"]
                ]
                own = {"name": "s", "trainable": True, "dtype": "float32", "layers": layers}
                data = json.dumps(
                    {"class_name": "Sequential", "module": "keras", "registered_name": None, "config": own}
                ).encode()
            new.writestr(name, data)


def sequential(folder: Path, source: Path, count: int) -> None:
    """The row of a Sequential of that many layers; Keras gets so much CPU time and no more."""
    file = folder / f"sequential{count}.keras"
    as_sequential(source, file)
    mine = min(seconds(lambda: api.load(file)) for _ in range(ROUNDS))
    name = f"Sequential of {count:,}: load with weights"
    done = subprocess.run(
        [sys.executable, "-c", THEIRS, str(file), str(PATIENCE)], capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        show(name, mine, float(done.stdout.split()[-1]))
    else:
        said = done.stderr.strip()[-200:]
        show(
            name,
            mine,
            None,
            f"keras fails: {said}" if done.returncode > 0 else f"keras not within {PATIENCE} s",
        )


def resnet50(folder: Path) -> None:
    """Rows of a large model: each step, and all of them beside Keras."""
    model = keras.applications.ResNet50(weights=None)
    text, json_file = model.to_json(), folder / "resnet50.json"
    json_file.write_text(text)
    for suffix in (".keras", ".h5", ".weights.h5"):
        (model.save_weights if suffix == ".weights.h5" else model.save)(folder / f"resnet50{suffix}")
    read = api.read(folder / "resnet50.keras")
    plan = api.plan_of(read)
    side_by_side(
        "ResNet50: read and check the JSON",
        lambda: api.read(json_file),
        lambda: keras.models.model_from_json(text),
    )
    side_by_side("ResNet50: plan (layout and Chainer calls)", lambda: api.plan_of(read))
    side_by_side("ResNet50: build without weights", lambda: build(read, plan, zeros=True))
    side_by_side("ResNet50: build, weights in place", lambda: build(read, plan))
    weights = folder / "resnet50.weights.h5"
    side_by_side(
        "ResNet50: JSON and .weights.h5, ready to run",
        lambda: api.load(json_file, weights),
        lambda: keras.models.model_from_json(text).load_weights(weights),
    )
    for suffix in (".keras", ".h5"):
        file = folder / f"resnet50{suffix}"
        side_by_side(
            f"ResNet50: {suffix}, ready to run",
            lambda f=file: api.load(f),
            lambda f=file: keras.saving.load_model(f),
        )
    side_by_side(
        "ResNet50: kchainer convert", lambda: api.convert(folder / "resnet50.keras", folder / "out"), rounds=1
    )


def main() -> None:
    """All rows."""
    start_up()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        resnet50(folder)
        sys.setrecursionlimit(100_000)  # Keras's own walk is recursive
        for count in (SHALLOW, DEEP):
            model = in_a_row(count)
            file, text = folder / f"deep{count}.keras", model.to_json()
            model.save(file)
            plain = folder / "deep.json"
            plain.write_text(text)
            side_by_side(
                f"Functional of {count:,}: read and check the JSON",
                lambda f=plain: api.read(f),
                lambda t=text: keras.models.model_from_json(t),
                1,
            )
            side_by_side(
                f"Functional of {count:,}: load with weights",
                lambda f=file: api.load(f),
                lambda f=file: keras.saving.load_model(f),
                1,
            )
            sequential(folder, file, count)


if __name__ == "__main__":
    main()
