"""Peak memory of reading and converting a large file, each in a process of its own.

Run with ``python benchmarks/memory.py [MEGABYTES]`` (400 unless told); needs h5py, no Keras. Two networks: one whose
values stand in a single array, and one of convolutions and dense layers. Prints the peak resident size, what of it
the arrays are, and the goal: at most 1.1 times the arrays and 150 MB. Exits with 1 where a row is above it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np

MB = 1_000_000
# The peak of a process counts that of the one that started it, up to its exec: so by a fresh counter.
MEASURE = """
import sys
how, source, weights, out = sys.argv[1:]
open("/proc/self/clear_refs", "w").write("5")
if how == "load":
    import kchainer
    net = kchainer.load(source, weights or None)
elif how == "convert":
    from kchainer.cli import main
    assert main(["convert", source, "-o", out, "--quiet", *(["--weights", weights] if weights else [])]) == 0
else:
    import kchainer
    net = kchainer.load(out)
peak = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(int(peak[0].split()[1]) * 1024)
"""


def dense(name: str, units: int, **more: Any) -> dict[str, Any]:
    """A Dense of Keras 3."""
    return {"class_name": "Dense", "module": "keras.layers", "config": {"name": name, "units": units, **more}}


def conv(name: str, filters: int) -> dict[str, Any]:
    """A Conv2D of Keras 3."""
    config = {
        "name": name,
        "filters": filters,
        "kernel_size": [3, 3],
        "padding": "same",
        "data_format": "channels_last",
    }
    return {"class_name": "Conv2D", "module": "keras.layers", "config": config}


def entry(shape: list[int | None]) -> dict[str, Any]:
    """An InputLayer of Keras 3."""
    config = {"name": "input", "batch_shape": shape, "dtype": "float32"}
    return {"class_name": "InputLayer", "module": "keras.layers", "config": config}


def networks(megabytes: float) -> dict[str, tuple[dict[str, Any], list[list[tuple[int, ...]]]]]:
    """Config and the shapes of each layer's arrays, by name; the arrays have about that size."""
    values = megabytes * MB / 4
    units = int(values / 4096)
    one = [entry([None, 4096]), dense("wide", units)]
    filters = int((values / 4 / 9) ** 0.5)  # a quarter in the convolution
    rest = int(((values - 9 * filters**2) / 3) ** 0.5)
    pool = {"class_name": "GlobalAveragePooling2D", "module": "keras.layers", "config": {"name": "pool"}}
    many = [entry([None, 4, 4, filters]), conv("c", filters), pool, *(dense(f"d{i}", rest) for i in range(3))]
    shapes = [[(3, 3, filters, filters), (filters,)]]
    shapes += [[(width, rest), (rest,)] for width in (filters, rest, rest)]
    return {
        "one array": (config_of(one), [[(4096, units), (units,)]]),
        "several": (config_of(many), shapes),
    }


def config_of(layers: list[dict[str, Any]]) -> dict[str, Any]:
    """A Sequential of Keras 3."""
    config = {"name": "big", "trainable": True, "dtype": "float32", "layers": layers}
    return {"class_name": "Sequential", "module": "keras", "registered_name": None, "config": config}


def paths(config: dict[str, Any]) -> list[str]:
    """The groups of a v3 file that hold the arrays of the layers that have some."""
    counts: dict[str, int] = {}
    out = []
    for layer in config["config"]["layers"]:
        snake = {"Dense": "dense", "Conv2D": "conv2d"}.get(layer["class_name"])
        if snake:
            n = counts.get(snake, 0)
            counts[snake] = n + 1
            out.append(f"layers/{snake}_{n}" if n else f"layers/{snake}")
    return out


def write(
    folder: Path, name: str, config: dict[str, Any], shapes: list[list[tuple[int, ...]]]
) -> dict[str, Any]:
    """The three forms of a file, and how each is given to kchainer."""
    random = np.random.default_rng(0)
    arrays = [[random.standard_normal(s, "float32") / 64 for s in one] for one in shapes]
    stem = folder / name.replace(" ", "-")
    v3, legacy = Path(f"{stem}.weights.h5"), Path(f"{stem}.h5")
    with h5py.File(v3, "w") as file:
        for group, own in zip(paths(config), arrays, strict=True):
            for i, array in enumerate(own):
                file.create_dataset(f"{group}/vars/{i}", data=array)
    with h5py.File(legacy, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"], file.attrs["backend"] = "3.5.0", "torch"
        root = file.create_group("model_weights")
        names = [
            x["config"]["name"] for x in config["config"]["layers"] if x["class_name"] in ("Dense", "Conv2D")
        ]
        root.attrs["layer_names"] = [n.encode() for n in names]
        for layer, own in zip(names, arrays, strict=True):
            group = root.create_group(layer)
            keys = [f"{layer}/{k}" for k in ("kernel", "bias")]
            group.attrs["weight_names"] = [k.encode() for k in keys]
            for key, array in zip(keys, own, strict=True):
                group.create_dataset(key, data=array)
    plain = Path(f"{stem}.json")
    plain.write_text(json.dumps(config))
    metadata = json.dumps({"keras_version": "3.5.0", "date_saved": "2024-01-01@00:00:00"})
    for kind, method in (("keras", zipfile.ZIP_STORED), ("deflated.keras", zipfile.ZIP_DEFLATED)):
        with zipfile.ZipFile(f"{stem}.{kind}", "w", method) as archive:
            archive.writestr("metadata.json", metadata)
            archive.writestr("config.json", json.dumps(config))
            archive.write(v3, "model.weights.h5")
    size = sum(a.nbytes for own in arrays for a in own)
    forms = {
        ".keras": (f"{stem}.keras", ""),
        ".keras, deflated": (f"{stem}.deflated.keras", ""),
        ".h5": (str(legacy), ""),
        ".weights.h5": (str(plain), str(v3)),
    }
    return {"size": size, "forms": forms}


def peak(how: str, source: str, weights: str, out: str) -> int:
    """The peak resident size in bytes of a process that does one thing."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", MEASURE, how, source, weights, out]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return int(done.stdout.split()[-1])


def rows(megabytes: float, folder: Path) -> list[tuple[str, int, int]]:
    """What was done, the peak, and the size of the arrays."""
    out = []
    for name, (config, shapes) in networks(megabytes).items():
        made = write(folder, name, config, shapes)
        for form, (source, weights) in made["forms"].items():
            target = str(folder / "out")
            out += [
                (f"{name}, {form}: {how}", peak(how, source, weights, target), made["size"])
                for how in ("load", "convert", "load what convert wrote")
            ]
    return out


def main() -> int:
    """All rows; 1 where one is above the goal."""
    megabytes = float(sys.argv[1]) if len(sys.argv) > 1 else 400
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for name, most, size in rows(megabytes, Path(folder)):
            goal = 1.1 * size + 150 * MB
            worst = max(worst, most / goal)
            print(
                f"{name:<58} peak {most / MB:6.0f} MB  arrays {size / MB:6.0f} MB  goal {goal / MB:6.0f} MB"
            )
    return int(worst > 1)


if __name__ == "__main__":
    sys.exit(main())
