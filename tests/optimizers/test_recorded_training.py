"""Training that old and new Keras releases recorded: five steps from the same weights, by the file's own settings."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import chainer
import chainer.functions as F
import h5py
import numpy as np
import pytest

import kchainer
from kchainer.backends.chainer.objectives import loss_of, optimizer_of, views_of
from kchainer.frontends.keras.dialect import told
from kchainer.frontends.keras.losses import LOSSES, training_of
from kchainer.frontends.keras.losses import loss_of as read_loss
from kchainer.frontends.keras.losses.compiled import Output
from kchainer.functions.weighting import class_weights
from kchainer.optimizers import View

FIXTURES = Path(__file__).parent.parent / "fixtures" / "old-keras"
INDEX = json.loads((FIXTURES / "index.json").read_text())
# In graph mode TensorFlow 1 reads a step count while it is counted up: those runs miss Keras's own rule, each
# time by something else (seen at the rates of decay and at Adam's corrections).
RACING = ("keras-2.0.8-tensorflow", "keras-2.3.1-tensorflow")
CASES = [c for c in INDEX if c["case"].startswith("opt_") and not c.get("skipped") and c["files"]]
PARAMS = [
    pytest.param(c, kind, id=f"{c['dialect']}-{c['case']}-{kind.removeprefix('trained_')}")
    for c in CASES
    for kind in ("trained_h5", "trained_keras")
    if kind in c["files"] and c["dialect"] not in RACING
]


@pytest.fixture(scope="session")
def recorded(tmp_path_factory):
    out = tmp_path_factory.mktemp("recorded")
    for archive in FIXTURES.glob("*.zip"):
        zipfile.ZipFile(archive).extractall(out / archive.stem)
    return out


def settings(path):
    """Compiled settings, version and backend of a file."""
    if path.suffix == ".h5":
        with h5py.File(path) as file:
            return (
                json.loads(file.attrs["training_config"]),
                file.attrs.get("keras_version"),
                file.attrs.get("backend"),
            )
    with zipfile.ZipFile(path) as file:
        version = json.loads(file.read("metadata.json"))["keras_version"]
        return json.loads(file.read("config.json"))["compile_config"], version, None


def dialect_of(case, version, backend):
    flavour = case["dialect"]
    said = version or flavour.split("-")[1]
    said = said.decode() if isinstance(said, bytes) else said
    one = told(
        {}, f"tf.keras {said}" if flavour.startswith("tf.keras") else said, backend or flavour.split("-")[-1]
    )
    assert one.flavour == ("tf_keras" if flavour.startswith("tf.keras") else "keras")
    return one


def numbered(arrays, end):
    names = sorted(
        (n for n in arrays.files if n[0] == "w" and n.endswith(end)),
        key=lambda n: int(n[1:].removesuffix(end)),
    )
    return [arrays[n] for n in names]


NAMES = ("kernel_1", "bias_1", "kernel_2", "bias_2")


class Mlp(chainer.Chain):
    """The recorded model: tanh, then softmax; kernels as Keras has them, so that no view is needed."""

    def __init__(self, weights):
        super().__init__()
        with self.init_scope():
            for name, w in zip(NAMES, weights, strict=True):
                setattr(self, name, chainer.Parameter(w.copy()))

    def forward(self, x):
        h = F.matmul(x, self.kernel_1)
        h = F.tanh(h + F.broadcast_to(self.bias_1, h.shape))
        y = F.matmul(h, self.kernel_2)
        return F.softmax(y + F.broadcast_to(self.bias_2, y.shape))


@pytest.mark.parametrize(("case", "kind"), PARAMS)
def test_recorded_steps_are_reproduced(recorded, case, kind):
    folder = recorded / case["dialect"]
    config, version, backend = settings(folder / case["files"][kind])
    arrays = np.load(folder / case["files"]["arrays"])
    first, wanted = numbered(arrays, "_initial"), numbered(arrays, "_trained")
    training, faults = training_of(
        config, dialect_of(case, version, backend), "m", [Output("out", first[-1].size)]
    )
    assert not faults
    (owner,) = training.optimizers
    (objective,) = training.objectives
    assert [m.metric.name for m in training.metrics] == [
        "CategoricalAccuracy"
    ] or "categorical_accuracy" in str(training.metrics)
    net, loss = Mlp(first), loss_of(objective.loss)
    # parameters in the order of Keras's variables, which one Nadam depends on
    order = {f"/{name}": View() for name in NAMES}
    optimizer = optimizer_of(owner.optimizer).setup(net, views=order)
    losses = arrays["losses"]
    for row in losses:
        value = loss(arrays["t0"], net(arrays["x0"]))
        assert float(value.array) == pytest.approx(float(np.ravel(row)[0]), rel=2e-4)
        net.cleargrads()
        value.backward()
        optimizer.update()
    got = [net.kernel_1.array, net.bias_1.array, net.kernel_2.array, net.bias_2.array]
    for ours, theirs, start in zip(got, wanted, first, strict=True):
        error = np.abs(ours - theirs).max()
        assert error <= 1e-4 * np.abs(theirs).max()
        assert error <= 2e-3 * np.abs(theirs - start).max()


LOSS_CASES = [
    pytest.param(c, id=c["dialect"]) for c in INDEX if c["case"] == "losses" and not c.get("skipped")
]
OBJECTS = {
    "cce_logits_smooth": {"class_name": "CategoricalCrossentropy", "config": {"from_logits": True, "label_smoothing": 0.1}},
    "cce_smooth": {"class_name": "CategoricalCrossentropy", "config": {"label_smoothing": 0.2}},
    "bce_logits_smooth": {"class_name": "BinaryCrossentropy", "config": {"from_logits": True, "label_smoothing": 0.1}},
    "sparse_logits": {"class_name": "SparseCategoricalCrossentropy", "config": {"from_logits": True}},
    "huber_delta": {"class_name": "Huber", "config": {"delta": 0.3}},
    "mse_sum": {"class_name": "MeanSquaredError", "config": {"reduction": "sum"}},
    "focal": {"class_name": "BinaryFocalCrossentropy", "config": {"gamma": 1.5, "alpha": 0.4, "apply_class_balancing": True}},
}  # fmt: skip


@pytest.mark.parametrize("case", LOSS_CASES)
def test_recorded_losses_are_reproduced(recorded, case):
    arrays = np.load(recorded / case["dialect"] / case["files"]["arrays"])
    w = [arrays[f"w{i}"] for i in range(4)]
    h = np.maximum(arrays["lx"] @ w[0] + w[1], 0) @ w[2] + w[3]
    e = np.exp(h - h.max(1, keepdims=True))
    y = (e / e.sum(1, keepdims=True)).astype("float32")
    dialect = dialect_of(case, case["versions"]["keras"], None)
    count = 0
    for key in arrays.files:
        if not key.startswith("loss_"):
            continue
        name = key.removeprefix("loss_").removesuffix("_weighted")
        raw = OBJECTS[name.removeprefix("object_")] if name.startswith("object_") else name
        loss, faults = read_loss(raw, dialect)
        assert not faults, name
        seen = chainer.Variable(y)
        if case["dialect"] == "tf.keras-2.15":
            # logits stay with the softmax's output; cross-entropies take them, the binary one for a sigmoid's
            made, faults = training_of(
                {"optimizer": "sgd", "loss": raw}, dialect, "m", [Output("out", 3, "softmax")]
            )
            if name in ("binary_focal_crossentropy", "object_focal"):
                assert [f.code for f in faults] == ["KC204"]
                continue
            loss = made.objectives[0].loss
            assert made.objectives[0].on_logits == ("crossentropy" in loss.name.lower())
            seen = chainer.Variable(h) if made.objectives[0].on_logits else seen
        target = arrays["lt_sparse"] if "sparse" in name else arrays["lt"]
        weight = arrays["lsw"] if key.endswith("_weighted") else None
        got = float(loss_of(loss)(target, seen, weight).array)
        assert got == pytest.approx(float(np.ravel(arrays[key])[0]), rel=2e-5, abs=1e-6), key
        count += 1
    assert count >= 20
    assert LOSSES


NETWORKS = (
    "train_bn",
    "train_bn_conv",
    "train_class_weight",
    "train_multi_output",
    "train_frozen",
    "train_sample_weight",
    "train_name_order",
)
TRAINED = [
    pytest.param(c, id=name)
    for c in INDEX
    if c["case"] in NETWORKS and not c.get("skipped") and c["dialect"] not in RACING
    for name in [f"{c['dialect']}-{c['case']}"]
]


@pytest.mark.parametrize("case", TRAINED)
def test_recorded_networks_train_as_recorded(recorded, case):
    folder, files = recorded / case["dialect"], case["files"]
    backend = case["dialect"].rsplit("-", 1)[1] if case["dialect"].startswith("keras-1") else None
    net = kchainer.load(folder / (files.get("model_h5") or files["model_keras"]), keras_backend=backend)
    config, version, backend = settings(folder / (files.get("trained_h5") or files["trained_keras"]))
    arrays = np.load(folder / files["arrays"])
    targets = [arrays[n] for n in ("t0", "t1") if n in arrays.files]
    names = ["cls", "reg"][: len(targets)] if len(targets) > 1 else ["out"]
    outputs = [Output(n, t.shape[-1]) for n, t in zip(names, targets, strict=True)]
    training, faults = training_of(config, dialect_of(case, version, backend), "m", outputs)
    assert not faults
    weight = arrays["sample_weight"] if "sample_weight" in arrays.files else None
    if case.get("class_weight"):
        weight = class_weights(targets[0], {int(k): v for k, v in case["class_weight"].items()})
    optimizer = optimizer_of(training.optimizers[0].optimizer).setup(net, views=views_of(net))
    for row in arrays["losses"]:
        with chainer.using_config("train", True):
            made = net(arrays["x0"])
        made = made if isinstance(made, (list, tuple)) else [made]
        parts = [
            o.weight * loss_of(o.loss)(t, y, weight)
            for o, t, y in zip(training.objectives, targets, made, strict=True)
        ]
        total = sum(parts[1:], parts[0])
        assert float(total.array) == pytest.approx(float(np.ravel(row)[0]), rel=2e-4)
        net.cleargrads()
        total.backward()
        optimizer.update()
    after = net.predict(arrays["x0"])
    for i, y in enumerate(after if isinstance(after, list) else [after]):
        wanted = arrays[f"y{i}_trained"]
        assert np.abs(y - wanted).max() <= 1e-4 * max(np.abs(wanted).max(), 1)
