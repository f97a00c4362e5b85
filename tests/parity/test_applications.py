"""Architectures of keras.applications with random, non-trivial weights, against Keras in the same run.

NASNet, which Keras does not build on PyTorch, is compared with outputs that Keras 3.15 gave on JAX.
The table of all results is printed at the end of the run by ``conftest.py``.
"""

from __future__ import annotations

import gc
import json
import lzma
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import pytest
import torch

from kchainer import api
from tests.fixtures.applications.make import CLASSES, build, computing_in, inputs, randomise

FIXTURES = Path(__file__).parent.parent / "fixtures" / "applications"
Array = np.ndarray[Any, Any]
# name -> (input size, transposes of the plan: one at the input, one before a Flatten of pixels)
RECORDED = {path.stem for path in FIXTURES.glob("*.npz")}
SMALL = {"MobileNetV2": (96, 1), "EfficientNetB0": (64, 1), "ConvNeXtTiny": (64, 1)}
LARGE = {
    "ConvNeXtSmall": (64, 1), "ConvNeXtBase": (64, 1), "ConvNeXtLarge": (64, 1), "ConvNeXtXLarge": (64, 1),
    "DenseNet121": (64, 1), "DenseNet169": (64, 1), "DenseNet201": (64, 1),
    "EfficientNetB1": (64, 1), "EfficientNetB2": (64, 1), "EfficientNetB3": (64, 1), "EfficientNetB4": (64, 1),
    "EfficientNetB5": (64, 1), "EfficientNetB6": (64, 1), "EfficientNetB7": (64, 1),
    "EfficientNetV2B0": (64, 1), "EfficientNetV2B1": (64, 1), "EfficientNetV2B2": (64, 1),
    "EfficientNetV2B3": (64, 1), "EfficientNetV2S": (64, 1), "EfficientNetV2M": (64, 1),
    "EfficientNetV2L": (64, 1), "InceptionResNetV2": (80, 1), "InceptionV3": (80, 1), "MobileNet": (64, 1),
    "MobileNetV3Large": (64, 1), "MobileNetV3Small": (64, 1), "NASNetLarge": (64, 1), "NASNetMobile": (64, 1),
    "ResNet50": (64, 1), "ResNet50V2": (64, 1), "ResNet101": (64, 1), "ResNet101V2": (64, 1),
    "ResNet152": (64, 1), "ResNet152V2": (64, 1), "VGG16": (64, 2), "VGG19": (64, 2), "Xception": (80, 1),
}  # fmt: skip
CASES = [pytest.param(name, *row, id=name) for name, row in SMALL.items()]
CASES += [pytest.param(name, *row, id=name, marks=pytest.mark.slow) for name, row in LARGE.items()]


def made(name: str, size: int, dtype: str) -> Any:
    """The model with its weights: built, or of the recorded config where Keras does not build it here."""
    recorded = FIXTURES / f"{name}.json.xz"
    keras.backend.clear_session()
    with computing_in(dtype):
        if recorded.exists():
            text = lzma.decompress(recorded.read_bytes()).decode()
            model = keras.models.model_from_json(text.replace('"float32"', f'"{dtype}"'))
        else:
            model = build(name, size)
        randomise(model)
    if not recorded.exists():
        x = inputs(size, dtype)
        for factor in (1.5, 1.45, 1.4, 1.35, 1.3, 1.25, 1.2, 1.1, 1.0):
            with computing_in(dtype):
                calibrate(model, size, dtype, factor)
            y = wanted(name, model, x)
            if scaled(y[:1], y[1:]) > 1e-2:
                break
    return model


def calibrate(model: Any, size: int, dtype: str, factor: float) -> None:
    """Running statistics near those of some images, as training leaves them.

    With any others the values of deep networks grow until rounding decides the output: EfficientNetV2B1 was 28 % of
    the scale off in float32 and 3e-9 in float64, for 1e-16 at each layer. With ``factor`` times the images' own
    variance a difference of inputs neither grows nor dies (measured there: at 1 it grows a millionfold, at 2.8 it
    dies to 3e-5 of the scale). The step between is narrow: a change of EfficientNetB7's input arrives at the output
    0.5 times as large at 1.35 and 130,000 times at 1.3.
    """
    random = np.random.default_rng(2)
    layers = [la for la in model.layers if isinstance(la, keras.layers.BatchNormalization)]
    for layer in layers:
        layer.momentum, before = 0.0, layer.momentum
    images = random.uniform(0, 255, (8, size, size, 3)) * random.uniform(0.2, 1, (8, 1, 1, 3))
    with torch.no_grad():
        model(torch.tensor(images.astype(dtype)), training=True)
    for layer in layers:
        layer.momentum = before
        variance = layer.moving_variance.numpy()
        variance = factor * variance * random.uniform(0.5, 1.5, variance.shape) + 1e-2 * variance.mean()
        layer.moving_variance.assign(variance.astype(dtype))


def wanted(name: str, model: Any, x: Array) -> Array:
    recorded = FIXTURES / f"{name}.npz"
    if recorded.exists():
        return np.asarray(np.load(recorded, allow_pickle=False)[str(x.dtype)])
    with torch.no_grad(), computing_in(str(x.dtype)):
        return np.asarray(model(torch.tensor(x), training=False).numpy())


def written(model: Any, folder: Path) -> dict[str, Callable[[], Any]]:
    """Each format of a file: writes it, reads it, takes it away."""

    def of(suffix: str) -> Any:
        path = folder / f"model{suffix}"
        (model.save_weights if suffix == ".weights.h5" else model.save)(path)
        return path

    def one(suffix: str) -> Any:
        path = of(suffix)
        converted = api.read(path)
        return converted, api.to_chainer(converted), path.unlink()

    def apart() -> Any:
        config, path = folder / "model.json", of(".weights.h5")
        config.write_text(model.to_json())
        converted = api.read(config, path)
        return converted, api.to_chainer(converted), path.unlink()

    return {".keras": lambda: one(".keras"), ".h5": lambda: one(".h5"), "JSON + .weights.h5": apart}


def scaled(got: Array, want: Array) -> float:
    """The largest difference in units of the output's scale."""
    return float(np.abs(got - want).max() / np.abs(want).max())


@pytest.mark.parametrize("name", ["ResNet50", "EfficientNetB0", "ConvNeXtTiny", "MobileNetV3Small"])
def test_one_transpose_stands_at_the_input(name: str) -> None:
    assert api.plan_of(api.from_keras(build(name, 64).to_json())).transposes == 1


@pytest.mark.parametrize(("name", "size", "transposes"), CASES)
def test_application(
    name: str, size: int, transposes: int, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    x = inputs(size, "float32")
    model = made(name, size, "float32")
    want = wanted(name, model, x)
    assert want.shape == (len(x), CLASSES)
    assert scaled(want[:1], want[1:]) > 1e-3, (
        "the output hardly depends on the input: the test would see nothing"
    )
    first = None
    for kind, read in written(model, tmp_path).items():
        converted, net, _ = read()
        got = net.predict(x)
        if first is None:
            first, counted = got, api.plan_of(converted).transposes
        np.testing.assert_array_equal(got, first, err_msg=kind)
        del converted, net
    nearby = x * (1 + 1e-6 * np.random.default_rng(3).standard_normal(x.shape))
    grown = scaled(wanted(name, model, nearby.astype("float32")), want) / 1e-6 if name not in RECORDED else 0
    # of rounding, 6e-8, that much more would reach the tolerance
    assert grown < 1000, "rounding of the input decides the output: the test would see nothing else"
    params = model.count_params()
    del model
    gc.collect()
    error = scaled(first, want)
    double = in_float64(name, size, tmp_path)
    row = [name, size, params, error, double, counted, "keras, h5, json + weights.h5"]
    record_property("application", json.dumps(row))
    assert counted == transposes
    assert error < 1e-4
    assert double < 1e-10


def in_float64(name: str, size: int, folder: Path) -> float:
    x = inputs(size, "float64")
    model = made(name, size, "float64")
    want = wanted(name, model, x)
    model.save(folder / "double.keras")
    del model
    net = api.to_chainer(api.read(folder / "double.keras"))
    (folder / "double.keras").unlink()
    got = net.predict(x)
    assert got.dtype == "float64"
    return scaled(got, want)
