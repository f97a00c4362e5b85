"""How wide new kernels are, against what nine old Keras really drew (`fixtures/keras-keys/record_spreads.py`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kchainer
from kchainer.backends.chainer.initial import initial

FOLDER = Path(__file__).parent.parent / "fixtures/keras-keys"


def label(config: Any) -> str:
    inner = config.get("config", config.get("layers"))
    first = (inner if isinstance(inner, list) else inner["layers"])[0]
    said = first.get("config", first)
    name = first.get("class_name", first.get("name"))
    init = said.get("init", said.get("kernel_initializer", said.get("pointwise_initializer")))
    init = (
        init
        if isinstance(init, str)
        else f"{init['class_name']}-{'-'.join(map(str, init['config'].values()))}"
    )
    return f"{name}-{said.get('dim_ordering', said.get('data_format'))}-{init}"


RECORDED = [
    pytest.param(
        one["keras"],
        one["backend"],
        layer,
        id=f"{path.stem.removeprefix('spreads-')}-{label(json.loads(layer['config']))}",
    )
    for path in sorted(FOLDER.glob("spreads-*.json"))
    for one in [json.loads(path.read_text())]
    for layer in one["layers"]
]


@pytest.mark.parametrize(("release", "backend", "recorded"), RECORDED)
def test_spread(release: str, backend: str, recorded: dict[str, Any]) -> None:
    """At 1,200 to 24,000 values, 3 sigma of a deviation is 6 % and less; wrong fans are off by a fifth and more."""
    np.random.seed(2)
    model = kchainer.from_keras(recorded["config"], dialect=release, keras_backend=backend)
    (layer,) = [one for one in model.network.layers.values() if one.params]
    ours = [initial(p, layer, "float32") for p in layer.params if len(p.shape) > 1]
    assert len(ours) == len(recorded["spreads"])
    for got, (largest, deviation) in zip(ours, recorded["spreads"], strict=True):
        assert got.std() == pytest.approx(deviation, rel=0.08 if got.size < 3000 else 0.03)
        if largest < 1.8 * deviation:  # uniform: sqrt(3) deviations
            assert np.abs(got).max() == pytest.approx(largest, rel=0.01)
        elif largest < 2.35 * deviation and got.size > 10000:  # cut at two deviations of the whole
            assert np.abs(got).max() == pytest.approx(largest, rel=0.02)
