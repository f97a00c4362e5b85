"""What the examples share: data, arguments, progress, curves and pictures."""

from __future__ import annotations

import argparse
import gzip
import json
import struct
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import kchainer

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Data:
    """Images as rows of pixels in [0, 1] (float32), labels (int32), and the side of a picture in pixels."""

    x: Array
    y: Array
    test_x: Array
    test_y: Array
    side: int


def digits(mnist: Path | None = None, seed: int = 0) -> Data:
    """scikit-learn's 1,797 digits of 8 x 8 pixels, 500 of them held out; or MNIST from its four files."""
    if mnist is not None:
        names = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
        x, y, test_x, test_y = (_idx(mnist / f"{name}-ubyte.gz") for name in names)
        pixels = [one.reshape(len(one), -1).astype("f") / 255 for one in (x, test_x)]
        return Data(pixels[0], y.astype("i"), pixels[1], test_y.astype("i"), 28)
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    order = np.random.RandomState(seed).permutation(len(x))
    x, y = (x[order] / 16).astype("f"), y[order].astype("i")
    return Data(x[:-500], y[:-500], x[-500:], y[-500:], 8)


def _idx(path: Path) -> Array:
    with gzip.open(path) as file:
        (magic,) = struct.unpack(">I", file.read(4))
        shape = struct.unpack(f">{magic % 256}I", file.read(4 * (magic % 256)))
        return np.frombuffer(file.read(), np.uint8).reshape(shape)


def labelled_part(data: Data, count: int, seed: int) -> tuple[Array, Array]:
    """``count`` training samples with labels, as many of each class as can be."""
    order = np.random.RandomState(seed).permutation(len(data.y))
    of_class = [order[data.y[order] == c][: -(-count // 10)] for c in range(10)]
    chosen = np.concatenate(of_class)[:count]
    return data.x[chosen], data.y[chosen]


def arguments(doc: str, spec: Path, **defaults: Any) -> argparse.Namespace:
    """The command line of an example: ``--set`` changes variables of its spec file."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--spec", type=Path, default=spec, help="networks as data")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a variable of the spec"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("results") / spec.parent.name, help="folder for pictures"
    )
    parser.add_argument("--mnist", type=Path, help="folder with MNIST's four files")
    for name, value in {"seed": 0, **defaults}.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    return parser.parse_args()


def networks(args: argparse.Namespace, **variables: Any) -> Any:
    """The networks of the spec with ``--set`` and the data's sizes put in, seeded."""
    np.random.seed(args.seed)
    chosen = dict(one.split("=", 1) for one in args.set)
    return kchainer.load(args.spec, variables=variables | {k: _value(v) for k, v in chosen.items()})


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def batches(random: np.random.RandomState, size: int, *arrays: Array) -> Iterator[tuple[Array, ...]]:
    """Batches of one pass over the arrays in random order; a last smaller one is left out."""
    order = random.permutation(len(arrays[0]))
    for i in range(0, len(order) - size + 1, size):
        yield tuple(a[order[i : i + size]] for a in arrays)


@dataclass
class Progress:
    """A bar on a terminal, a line for each epoch elsewhere; what was told becomes the curves."""

    epochs: int
    steps: int
    started: float = field(default_factory=time.perf_counter)
    history: dict[str, list[float]] = field(default_factory=dict)
    _sums: dict[str, float] = field(default_factory=dict)
    _count: int = 0

    def step(self, **values: float) -> None:
        """One update is done."""
        self._count += 1
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + float(value)
        if sys.stderr.isatty():
            done = 30 * self._count // self.steps
            print(f"\r[{'#' * done}{' ' * (30 - done)}]", end="", file=sys.stderr)

    def epoch(self, **values: float) -> None:
        """One epoch is done; ``values`` are measured at its end."""
        means = {name: total / self._count for name, total in self._sums.items()} | values
        for name, value in means.items():
            self.history.setdefault(name, []).append(float(value))
        number = len(next(iter(self.history.values())))
        told = "  ".join(f"{name} {value:.4f}" for name, value in means.items())
        end = "\r" if sys.stderr.isatty() else ""
        print(
            f"{end}epoch {number}/{self.epochs}  {time.perf_counter() - self.started:.0f} s  {told}",
            file=sys.stderr,
        )
        self._sums, self._count = {}, 0


def curves(history: dict[str, list[float]], path: Path) -> None:
    """Each value of a history against the epochs, as PNG."""
    plt = _pyplot()
    figure, axes = plt.subplots(len(history), 1, figsize=(6, 1.8 * len(history)), squeeze=False, sharex=True)
    for axis, (name, values) in zip(axes[:, 0], history.items(), strict=True):
        axis.plot(range(1, len(values) + 1), values)
        axis.set_ylabel(name)
    axes[-1, 0].set_xlabel("epoch")
    _save(plt, figure, path)


def pictures(images: Array, side: int, path: Path, columns: int = 10) -> None:
    """Rows of pixels as a grid of pictures, as PNG."""
    plt = _pyplot()
    rows = -(-len(images) // columns)
    sheet = np.zeros((rows * columns, side, side))
    sheet[: len(images)] = images.reshape(len(images), side, side)
    grid = sheet.reshape(rows, columns, side, side).transpose(0, 2, 1, 3).reshape(rows * side, columns * side)
    figure, axis = plt.subplots(figsize=(columns * 0.6, rows * 0.6))
    axis.imshow(grid, cmap="gray", vmin=0, vmax=1)
    axis.axis("off")
    _save(plt, figure, path)


def points(groups: dict[str, Array], path: Path) -> None:
    """Groups of points in the plane, as PNG."""
    plt = _pyplot()
    figure, axis = plt.subplots(figsize=(5, 5))
    for name, xy in groups.items():
        axis.scatter(xy[:, 0], xy[:, 1], s=4, alpha=0.5, label=name)
    axis.set_aspect("equal")
    axis.legend()
    _save(plt, figure, path)


def _pyplot() -> Any:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    return plt


def _save(plt: Any, figure: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    plt.close(figure)


def report(results: dict[str, float], out: Path) -> None:
    """Print what was reached, and keep it beside the pictures."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    for name, value in results.items():
        print(f"{name:<24}{value:.4f}")


def mean(values: Sequence[float]) -> float:
    """The mean, NaN of nothing."""
    return float(np.mean(values)) if len(values) else float("nan")
