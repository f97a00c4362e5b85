"""Architectures of keras.applications with random, non-trivial weights, against Keras in the same run."""

from __future__ import annotations

import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import pytest

from kchainer import api

# name -> (input size, most transposes that the plan may have)
SMALL = {"MobileNetV2": (96, 1), "ResNet50": (64, 1), "EfficientNetB0": (64, 17)}
LARGE = {
    "ConvNeXtTiny": (64, 43), "ConvNeXtSmall": (64, 79), "DenseNet121": (64, 1), "DenseNet169": (64, 1),
    "DenseNet201": (64, 1), "EfficientNetB1": (64, 99), "EfficientNetB3": (64, 99), "EfficientNetV2B0": (64, 17),
    "EfficientNetV2S": (64, 99), "InceptionV3": (96, 1), "MobileNet": (96, 2),
    "MobileNetV3Large": (96, 99), "MobileNetV3Small": (96, 99), "ResNet50V2": (64, 1), "ResNet101": (64, 1),
    "ResNet152": (64, 1), "VGG16": (64, 2), "VGG19": (64, 2), "Xception": (96, 1),
}  # fmt: skip
CASES = [pytest.param(name, *row, id=name) for name, row in SMALL.items()]
CASES += [pytest.param(name, *row, id=name, marks=pytest.mark.slow) for name, row in LARGE.items()]


def randomise(model: keras.Model) -> None:
    """Kernels of He's size; biases, scales and statistics away from 0 and 1."""
    random = np.random.default_rng(0)
    for weight in model.weights:
        shape = weight.shape
        if "seed" in weight.path:
            continue
        if "variance" in weight.path or "gamma" in weight.path:
            values = random.uniform(0.5, 1.5, shape)
        elif len(shape) > 1:
            values = random.normal(size=shape) * np.sqrt(2 / np.prod(shape[:-1]))
        else:
            values = random.normal(size=shape) * 0.1
        weight.assign(values.astype("float32"))


@pytest.mark.parametrize(("name", "size", "transposes"), CASES)
def test_application(name: str, size: int, transposes: int, tmp_path: Path) -> None:
    shape = (size, size, 3)
    model = getattr(keras.applications, name)(weights=None, include_top=True, input_shape=shape, classes=10)
    randomise(model)
    x = np.random.default_rng(1).uniform(0, 1, (2, *shape)).astype("float32")
    wanted = model.predict(x, verbose=0)
    model.save(tmp_path / "model.keras")
    converted = api.read(tmp_path / "model.keras")
    assert api.plan_of(converted).transposes <= transposes
    got = converted.to_chainer().predict(x)
    error = float(np.abs(got - wanted).max() / np.abs(wanted).max())
    print(f"{name}: {error:.1e} of the scale, {api.plan_of(converted).transposes} transposes")
    assert error < 1e-4
