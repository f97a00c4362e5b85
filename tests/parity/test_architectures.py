"""Architectures of the kind that Keras's documentation shows: saved by Keras, converted, compared; a table at the end."""

from __future__ import annotations

import os
import re

os.environ["KERAS_BACKEND"] = "torch"

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kchainer  # isort: skip
import chainer
import keras
import torch

from tests.parity.architectures import BUILDERS

QUICK = (
    "mnist_convnet",
    "vision_transformer",
    "sequence_to_sequence",
    "u_net_segmentation",
    "siamese_distance",
)
ROWS: list[str] = []
# LayerNormalization over a single feature: each gradient is a difference of equal numbers times 1 / sqrt(epsilon).
LOOSER = {"time_series_transformer": 1e-4}


@pytest.fixture(scope="module", autouse=True)
def table() -> Iterator[None]:
    yield
    print(f"\n{'architecture':<36}{'parameters':>11}{'outputs':>10}{'gradients':>11}")
    print("\n".join(ROWS))


def filled(model: Any, random: np.random.Generator) -> None:
    """Random weights that keep values of order one; variances positive."""
    for variable in model.weights:
        shape = tuple(variable.shape)
        if variable.dtype in ("uint32", "int32", "int64"):
            continue
        fan = max(1, int(np.prod(shape[:-1])))
        values = (
            random.standard_normal(shape) / np.sqrt(fan)
            if len(shape) > 1
            else random.uniform(-0.3, 0.3, shape)
        )
        positive = any(word in variable.path for word in ("variance", "gamma"))
        variable.assign(np.abs(values) + 0.5 if positive else values)


def given(tensor: Any, random: np.random.Generator) -> Any:
    shape = [3, *(9 if d is None else d for d in tensor.shape[1:])]
    if "int" in str(tensor.dtype):
        return random.integers(0, 12, shape).astype("int32")
    return random.standard_normal(shape).astype("float32")


def error(got: Any, want: Any) -> float:
    return float(np.abs(got - want).max() / max(np.abs(want).max(), 1e-30))


@pytest.mark.parametrize(
    "name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in BUILDERS]
)
def test_architecture(name: str, tmp_path: Path) -> None:
    keras.utils.clear_session()
    model, random = BUILDERS[name](), np.random.default_rng(zlib.crc32(name.encode()))
    filled(model, random)
    xs = [given(t, random) for t in model.inputs]
    model.save(tmp_path / "m.keras")
    net = kchainer.load(tmp_path / "m.keras")
    tensors = [torch.tensor(x, requires_grad=x.dtype.kind == "f") for x in xs]
    wanted = keras.tree.flatten(model(tensors if len(tensors) > 1 else tensors[0], training=False))
    sum(y.square().sum() for y in wanted).backward()
    made = net.predict(*xs)
    outputs = made if isinstance(made, list) else [made]
    off = max(error(a, b.detach().cpu().numpy()) for a, b in zip(outputs, wanted, strict=True))
    net.cleargrads()
    with chainer.using_config("train", False):
        ys = net(*xs)
    ys = ys if isinstance(ys, (tuple, list)) else (ys,)
    sum(chainer.functions.sum(y**2) for y in ys).backward()
    bad = max(gradients(net, model))
    ROWS.append(f"{name:<36}{model.count_params():>11,}{off:>10.1e}{bad:>11.1e}")
    assert off <= 1e-5
    assert bad <= LOOSER.get(name, 1e-5)


def gradients(net: Any, model: Any) -> Iterator[float]:
    """The error of each weight's gradient by the largest of all, since some are zero but for rounding."""
    from kchainer.backends.chainer.build import logical

    own = f"{model.name}/" if isinstance(model, keras.Sequential) else ""
    theirs = {v.path.removeprefix(own): v.value.grad for v in model.trainable_variables}
    top = max(float(g.abs().max()) for g in theirs.values() if g is not None)
    ours = {}
    links = dict(net.named_plan_links())
    for name, link in net.plan.links.items():
        params = {p.name: p for p in net.params_of[name]}
        for attribute, weight in link.weights.items():
            place = links[name]
            for part in attribute.split("."):
                place = getattr(place, part)
            if getattr(place, "grad", None) is not None:
                ours[plain(f"{net.plan.layers[name]}/{weight.param}")] = logical(
                    place.grad, params[weight.param], weight
                )
    assert {plain(p) for p, g in theirs.items() if g is not None} == set(ours)
    for path, gradient in theirs.items():
        if gradient is not None:
            yield float(np.abs(ours[plain(path)] - gradient.cpu().numpy()).max() / top)


def plain(path: str) -> str:
    """A path without what only one side has: cells of recurrent layers, slash or underscore before a kernel."""
    path = path.removeprefix("time_distributed/")  # Keras's variables there have the inner layer's path
    return re.sub(r"/(conv_)?(lstm|gru)(\d*d?)?_cell(_\d+)?/|[/_]", "_", path)
