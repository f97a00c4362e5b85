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


# What each sequence of a container is called on, and what it gives: sizes of samples.
CONTAINERS: dict[str, dict[str, tuple[list[tuple[int, ...]], list[tuple[int, ...]]]]] = {
    "model-adgm": {
        "q_a_x": ([(784,)], [(100,), (100,)]), "q_y_ax": ([(100,), (784,)], [(10,)]),
        "q_z_axy": ([(100,), (784,), (10,)], [(100,), (100,)]), "p_x_yz": ([(10,), (100,)], [(784,)]),
        "p_a_xyz": ([(784,), (10,), (100,)], [(100,), (100,)]),
    },
    "model-sdgm": {
        "q_a_x": ([(784,)], [(100,), (100,)]), "q_y_ax": ([(100,), (784,)], [(10,)]),
        "q_z_axy": ([(100,), (784,), (10,)], [(100,), (100,)]), "p_x_ayz": ([(100,), (10,), (100,)], [(784,)]),
        "p_a_yz": ([(10,), (100,)], [(100,), (100,)]),
    },
    "model-ddgm-mnist-energy": {
        "feature_extractor": ([(784,)], [(128,)]), "experts": ([(128,)], [(128,)]), "b": ([(784,)], [(1,)]),
    },
    "model-ddgm-mnist-generator": {"sequence": ([(10,)], [(784,)])},
    "model-ddgm-64px-energy": {
        "feature_extractor": ([(3, 64, 64)], [(4096 + 50,)]), "experts": ([(4146,)], [(512,)]), "b": ([(3 * 64 * 64,)], [(1,)]),
    },
    "model-ddgm-64px-generator": {"sequence": ([(10,)], [(3, 64, 64)])},
    "model-gan-96px-discriminator": {"sequence": ([(3, 96, 96)], [(1,)])},
    "model-gan-96px-generator": {"sequence": ([(50,)], [(3, 96, 96)])},
    "model-gan-mnist-discriminator": {"sequence": ([(784,)], [(10,)])},
    "model-gan-mnist-generator": {"sequence": ([(50,)], [(784,)])},
}  # fmt: skip
# Trainable values, counted in a run of the original networks.
COUNTS = {
    "model-adgm": 4_503_894, "model-sdgm": 4_413_394, "model-ddgm-mnist-energy": 1_462_180,
    "model-ddgm-mnist-generator": 652_568, "model-ddgm-64px-energy": 4_178_266, "model-ddgm-64px-generator": 2_954_883,
    "model-gan-mnist-discriminator": 1_413_260, "model-gan-mnist-generator": 670_784,
    "model-gan-96px-discriminator": 700_321, "model-gan-96px-generator": 5_912_195,
}  # fmt: skip


@pytest.mark.parametrize("name", CONTAINERS)
def test_containers_run_and_train(name: str) -> None:
    text = (FILES / f"{name}.json").read_text()
    chain = kchainer.Chain.from_json(text)
    config = json.loads(text)["config"]
    assert type(chain.optimizer).__name__.lower() == config["optimizer"].lower()
    assert set(chain.sequences) == set(CONTAINERS[name])
    loss = 0
    for sequence, (given, made) in CONTAINERS[name].items():
        ys = listed(getattr(chain, sequence)(*(np.ones((2, *shape), "f") for shape in given)))
        assert [y.shape[1:] for y in ys] == made
        loss += sum(F.mean(y**2) for y in ys)
    assert chain.count_params() == COUNTS[name]
    chain.backprop(loss)
    assert chain.optimizer.t == 1


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
    assert "G1" in told["g1-embed"]
    assert "G3" in told["g3-embed"]
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


def test_a_file_of_several_networks_loads_as_a_chain_of_them(tmp_path: Path) -> None:
    container = json.loads((FILES / "model-adgm.json").read_text())
    chain = kchainer.Chain.from_json(json.dumps(container))
    random = np.random.default_rng(0)
    given = {
        name: [random.standard_normal((3, *shape)).astype("f") for shape in shapes]
        for name, (shapes, _) in CONTAINERS["model-adgm"].items()
    }
    for name, xs in given.items():
        getattr(chain, name)(*xs)
    (tmp_path / "adgm.json").write_text(json.dumps(container))
    chain.save(tmp_path / "adgm.h5")
    nets = kchainer.load(tmp_path / "adgm.json", tmp_path / "adgm.h5")
    assert nets.count_params() == COUNTS["model-adgm"]
    for name, xs in given.items():
        made, wanted = listed(nets[name].predict(*xs)), listed(getattr(chain, name)(*xs, test=True))
        for got, want in zip(made, wanted, strict=True):
            np.testing.assert_allclose(got, want.array, rtol=1e-5, atol=1e-6)
