"""Files that chainer-sequential wrote, against the outputs and training steps it recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kchainer  # isort: skip
import chainer
import chainer.functions as F

FILES = Path(__file__).parent.parent / "fixtures" / "chainer-sequential"
CASES = sorted(p.stem for p in FILES.glob("g*.npz"))
# Optimizers of the recording; see its README.
OPTIMIZERS: dict[str, tuple[Any, ...]] = {
    "functions": ("rmsprop", 0.0005, 0.9, 0, 0),
    "embed": ("nesterov", 0.01, 0.9, 1e-3, 0),
}
ADAM = ("adam", 0.01, 0.5, 1e-4, 1)
# Biases whose gradient is zero but for rounding, which Adam turns into steps: no two releases agree. The running
# mean behind such a bias has it as a summand.
ROUNDING = {
    "conv": ("net_0/b", "net_1/avg_mean"),
    "merge-gaussian": ("net_0_0/b", "net_0_1/b", "net_1/avg_mean"),
    "minibatch-discrimination": ("net_1/b",),
    "mlp-weightnorm": ("net_0/b", "net_1/avg_mean"),
}


def inputs(data: Any) -> list[Any]:
    return [data[k] for k in ("x0", "x1") if k in data.files]


def outputs(data: Any, kind: str) -> list[Any]:
    return [data[k] for k in (f"y0_{kind}", f"y1_{kind}") if k in data.files]


def listed(y: Any) -> list[Any]:
    return list(y) if isinstance(y, (list, tuple)) else [y]


@pytest.mark.parametrize("case", CASES)
def test_outputs_are_those_recorded(case: str) -> None:
    data = np.load(FILES / f"{case}.npz")
    net = kchainer.load(FILES / f"{case}.json", FILES / f"{case}.h5")
    for got, want in zip(listed(net.predict(*inputs(data))), outputs(data, "test"), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5 * np.abs(want).max())


@pytest.mark.parametrize("case", CASES)
def test_three_updates_are_those_recorded(case: str) -> None:
    data = np.load(FILES / f"{case}.npz")
    kind = case.split("-", 1)[1]
    sequence = kchainer.from_json((FILES / f"{case}.json").read_text())
    sequence.build([x.shape[1:] for x in inputs(data)], dtype=str(data["x0"].dtype))
    chain = kchainer.Chain()
    chain.add_sequence(sequence, "net")
    assert chain.load(FILES / f"{case}.h5")
    chain.setup_optimizers(*OPTIMIZERS.get(kind, ADAM))
    for step, wanted in enumerate(data["loss"]):
        ys = listed(chain.net(*inputs(data)))
        if step == 0:
            for y, want in zip(ys, outputs(data, "train"), strict=True):
                np.testing.assert_allclose(y.array, want, rtol=1e-5, atol=1e-5 * np.abs(want).max())
        loss = sum(F.sum(y**2) for y in ys) / 10
        np.testing.assert_allclose(loss.array, wanted, rtol=1e-5)
        chain.backprop(loss)
    have = dict(chain.namedparams()) | {
        f"{path}/{name}": getattr(link, name)
        for path, link in chain.namedlinks()
        for name in link._persistent
    }
    for key in data.files:
        name = key.removeprefix("after.").replace(".", "/")
        if key.startswith("after.") and name not in ROUNDING.get(kind, ()):
            got = have["/" + name]
            want = data[key]
            # chainer 1 and 2 folded eps into each update of the running variance: up to 2e-5 in all
            atol = 2e-5 if name.endswith("avg_var") else 1e-5 * max(np.abs(want).max(), 1e-3)
            np.testing.assert_allclose(getattr(got, "array", got), want, rtol=1e-4, atol=atol, err_msg=name)


@pytest.mark.parametrize("path", sorted(FILES.glob("model-*.json")), ids=lambda p: p.stem)
def test_containers_become_one_network_for_each_sequence(path: Path) -> None:
    members = [k for k, v in json.loads(path.read_text()).items() if "layers" in v]
    try:
        model = kchainer.read(path)
        assert set(model.networks) == set(members)
    except kchainer.KchainerError as error:
        # sizes that only a call or the weights tell
        assert {d.code for d in error.diagnostics} == {"KC301"}


def test_a_residual_block_adds_its_input() -> None:
    model = kchainer.read(FILES / "g3-residual-structure-only.json")
    assert sum(type(layer.op).__name__ == "Merge" for layer in model.network.layers.values()) == 2
    assert any("y = f(x) + x" in d.message for d in model.warnings)


def test_generations_are_told_by_their_keys(tmp_path: Path) -> None:
    old = json.loads((FILES / "g1-embed.json").read_text())
    told = {
        name: kchainer.read(FILES / f"{name}.json", FILES / f"{name}.h5").origin.dialect
        for name in ("g1-embed", "g3-embed")
    }
    assert "G1" in told["g1-embed"] and "G3" in told["g3-embed"]
    for layer in old["layers"]:
        if "_layer" in layer:
            layer["_link"] = layer.pop("_layer")
    (tmp_path / "g0.json").write_text(json.dumps(old))
    assert "G0" in kchainer.read(tmp_path / "g0.json").origin.dialect


def test_what_is_wrong_is_told_with_its_place() -> None:
    data = {
        "layers": [
            {"_layer": "Linear", "in_size": 3, "out_size": "four"},
            {"_layer": "Lineer", "in_size": 3, "out_size": 4},
            {"_function": "relu", "slop": 1},
            {"_layer": "LSTM", "in_size": 3, "out_size": 4},
        ],
        "weight_initializer": "Uniform",
        "weight_std": 1,
    }
    with pytest.raises(kchainer.KchainerError) as caught:
        kchainer.from_json(json.dumps(data, indent=1))
    places = {(d.code, d.pointer) for d in caught.value.diagnostics}
    assert places >= {
        ("KC104", "/layers/0/out_size"), ("KC201", "/layers/1"), ("KC103", "/layers/2/slop"), ("KC201", "/layers/3"),
        ("KC201", "/weight_initializer"),
    }  # fmt: skip
    assert all(d.line for d in caught.value.diagnostics)


def test_another_network_is_refused_by_its_weights() -> None:
    with pytest.raises(kchainer.KchainerError) as caught:
        kchainer.load(FILES / "g1-conv.json", FILES / "g1-embed.h5")
    assert {d.code for d in caught.value.diagnostics} & {"KC401", "KC402", "KC403", "KC301"}


def test_noise_and_dropout_are_in_training_only() -> None:
    sequence = kchainer.Sequential([kchainer.gaussian_noise(0.5), kchainer.dropout(0.5)]).build((200,))
    x = np.ones((4, 200), "f")
    with chainer.using_config("train", False):
        np.testing.assert_array_equal(sequence(x).array, x)
    assert np.abs(sequence(x).array - x).max() > 0.1
