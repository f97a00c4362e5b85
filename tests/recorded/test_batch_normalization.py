"""Three training steps of a BatchNormalization of twelve old Keras, each on its backend, as they really went.

Every rule of `CORRECTIONS`, `ZERO_DEBIAS`, `THEANO_OFFSET` and `FROZEN`, and the modes 1 and 2 of Keras 0.3 and 1.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kchainer

import chainer  # isort: skip
import chainer.functions as F

FOLDER = Path(__file__).parent.parent / "fixtures/batch-normalization"
_spec = importlib.util.spec_from_file_location("record", FOLDER / "record.py")
assert _spec is not None
assert _spec.loader is not None
record: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(record)
SHAPES = {name: (shape, more.get("axis", -1)) for name, shape, more in record.CASES}
RECORDED = [
    pytest.param(one["backend"], one["keras"], case, id=f"{path.stem}-{case['name']}")
    for path in sorted(FOLDER.glob("*.json"))
    for one in [json.loads(path.read_text())]
    for case in one["cases"]
]
NAMES = {"gamma": 0, "beta": 1, "moving_mean": 2, "moving_variance": 3}


def network(case: dict[str, Any], release: str, backend: str, weights: list[Any]) -> Any:
    model = kchainer.from_keras(case["config"], dialect=release, keras_backend=backend)
    net = model.to_chainer()
    (link,) = [link for link in net.children() if hasattr(link, "avg_mean")]
    link.gamma.array[...], link.beta.array[...] = weights[0], weights[1]
    link.avg_mean[...], link.avg_var[...] = weights[2], weights[3]
    return net, link


def state(link: Any) -> list[Any]:
    return [link.gamma.array, link.beta.array, link.avg_mean, link.avg_var]


@pytest.mark.parametrize(("backend", "release", "case"), RECORDED)
def test_training_steps(backend: str, release: str, case: dict[str, Any]) -> None:
    shape, axis = SHAPES[case["name"]]
    xs, ts, weights = record.data(case["name"], shape, shape[axis])
    net, link = network(case, release, backend, weights)
    optimizer = chainer.optimizers.SGD(record.RATE).setup(net)
    for x, t, wanted in zip(xs, ts, case["steps"], strict=True):
        with chainer.using_config("train", True):
            loss = F.mean_squared_error(net(x), t)
        net.cleargrads()
        loss.backward()
        optimizer.update()
        for name, place in NAMES.items():
            got = state(link)[place]
            np.testing.assert_allclose(got, wanted[place], rtol=2e-5, atol=2e-6, err_msg=name)
    np.testing.assert_allclose(net.predict(xs[0]).ravel(), case["y"], rtol=2e-5, atol=1e-5)


@pytest.mark.parametrize("part", ["before", "after"])
def test_zero_debiased_state_is_saved(part: str, tmp_path: Path) -> None:
    """Training that is interrupted and goes on from an ``.npz`` ends where it would have."""
    one = json.loads((FOLDER / "keras-2.2.4-tensorflow.json").read_text())
    case = next(c for c in one["cases"] if c["name"] == "rank2")
    shape, axis = SHAPES["rank2"]
    xs, _ts, weights = record.data("rank2", shape, shape[axis])
    net, link = network(case, "2.2.4", "tensorflow", weights)
    at = 0 if part == "before" else 1
    for i, x in enumerate(xs):
        if i == at:
            chainer.serializers.save_npz(tmp_path / "net.npz", net)
            net, link = network(case, "2.2.4", "tensorflow", weights)
            chainer.serializers.load_npz(tmp_path / "net.npz", net)
        with chainer.using_config("train", True):
            net(x)
    np.testing.assert_allclose(link.avg_var, case["steps"][-1][3], rtol=2e-5)
