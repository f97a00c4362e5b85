"""Layers of the user's own: the composites of examples/custom and registered functions, against Keras's run of the code."""

from __future__ import annotations

import importlib
import re
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.parity import harness  # before Keras

import keras  # isort: skip
import chainer
from keras import layers as KL

import kchainer
from kchainer.cli import main
from kchainer.frontends.spec import formula
from kchainer.ir import ops
from tests.parity.test_masks import randomised

assert harness
EXAMPLES = Path(__file__).parent.parent.parent / "examples" / "custom"


@keras.saving.register_keras_serializable("unet")
class SqueezeExcite(KL.Layer):
    """As published code has it: layers of Keras as attributes."""

    def __init__(self, ratio: int = 16, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ratio = ratio

    def build(self, shape: Any) -> None:
        self.pool = KL.GlobalAveragePooling2D(keepdims=True)
        self.reduce = KL.Dense(max(shape[-1] // self.ratio, 1), activation="relu")
        self.expand = KL.Dense(shape[-1], activation="sigmoid")
        self.reduce.build((None, 1, 1, shape[-1]))
        self.expand.build((None, 1, 1, self.reduce.units))
        super().build(shape)

    def call(self, x: Any) -> Any:
        return x * self.expand(self.reduce(self.pool(x)))

    def compute_output_shape(self, shape: Any) -> Any:
        return shape

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"ratio": self.ratio}


class Scale(KL.Layer):
    """Weights of its own, an array that does not learn among them."""

    def build(self, shape: Any) -> None:
        self.gamma = self.add_weight(shape=(shape[-1],), name="gamma")
        self.beta = self.add_weight(shape=(shape[-1],), name="beta")

    def call(self, x: Any) -> Any:
        return x * self.gamma + self.beta


class Mish(KL.Layer):
    def call(self, x: Any) -> Any:
        return x * keras.ops.tanh(keras.ops.softplus(x))


class FixedDropout(KL.Dropout):
    """efficientnet's: Dropout with a noise shape that knows its batch."""


class Distance(KL.Layer):
    """Two inputs, two outputs."""

    def call(self, inputs: Any) -> Any:
        a, b = inputs
        return keras.ops.abs(a - b), a + b


def depth_to_space(x: Any) -> Any:
    _, h, w, c = x.shape
    x = keras.ops.reshape(x, (-1, h, w, 2, 2, c // 4))
    return keras.ops.reshape(keras.ops.transpose(x, (0, 1, 3, 2, 4, 5)), (-1, 2 * h, 2 * w, c // 4))


def published() -> Any:
    x = KL.Input((4, 5, 3))
    y = KL.Conv2D(8, 3, padding="same")(x)
    se = SqueezeExcite(ratio=4, name="se")
    y = Scale(name="scale")(se(y))
    y = KL.TimeDistributed(SqueezeExcite(ratio=2))(KL.Reshape((2, 2, 5, 8))(y))
    y = se(KL.Reshape((4, 5, 8))(y))
    return keras.Model(x, KL.Lambda(depth_to_space, name="shuffle", output_shape=(8, 10, 2))(y))


CUSTOM = {
    "SqueezeExcite": EXAMPLES / "squeeze_excite.yaml",
    "Scale": EXAMPLES / "scale.yaml",
    "shuffle": EXAMPLES / "subpixel.yaml",
}


def agree(model: Any, path: Path, custom: Any, *xs: Any) -> None:
    net = kchainer.load(path, custom=custom)
    want, got = model(xs[0] if len(xs) == 1 else list(xs)), net.predict(*xs)
    wants = want if isinstance(want, (list, tuple)) else [want]
    for w, g in zip(wants, got if isinstance(got, (list, tuple)) else [got], strict=True):
        w = keras.ops.convert_to_numpy(w)
        np.testing.assert_allclose(g, w, rtol=1e-5, atol=1e-5 * np.abs(w).max())


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_published_layers(suffix: str, tmp_path: Path) -> None:
    model = randomised(published())
    path = tmp_path / f"m{suffix}"
    model.save(path)
    x = np.random.default_rng(1).standard_normal((2, 4, 5, 3)).astype("f")
    agree(model, path, CUSTOM, x)


def test_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = randomised(published())
    model.save(tmp_path / "m.keras")
    options = [word for name, path in CUSTOM.items() for word in ("--custom", f"{name}={path}")]
    assert main(["convert", str(tmp_path / "m.keras"), "-o", str(tmp_path / "out"), *options]) == 0
    assert main(["validate", str(tmp_path / "m.keras"), *options]) == 0
    assert main(["inspect", str(tmp_path / "m.keras"), *options]) == 0
    assert "se/reduce" in capsys.readouterr().out
    x = np.random.default_rng(1).standard_normal((2, 4, 5, 3)).astype("f")
    want = keras.ops.convert_to_numpy(model(x))
    np.testing.assert_allclose(kchainer.load(tmp_path / "out").predict(x), want, rtol=1e-5, atol=1e-5)
    assert main(["validate", str(tmp_path / "m.keras")]) == 1
    assert "--custom" in capsys.readouterr().err
    assert main(["validate", str(tmp_path / "m.keras"), "--custom", "SqueezeExcite"]) == 1
    assert "NAME=FILE" in capsys.readouterr().err


def test_functions_of_python_users(tmp_path: Path) -> None:
    a, b = KL.Input((6,)), KL.Input((6,))
    y = FixedDropout(0.3)(Mish()(KL.Dense(6)(a)))
    model = randomised(keras.Model([a, b], Distance()([y, b])))
    model.save(tmp_path / "m.h5")
    rates = []

    def dropout(config: dict[str, Any], shapes: Any) -> Any:
        rates.append(config["rate"])
        return {"inputs": [None], "layers": [{"op": "Dropout", "rate": config["rate"]}]}

    distance = {
        "inputs": {"a": [None], "b": [None]},
        "layers": [
            {"op": "Merge", "name": "minus", "function": "subtract", "inputs": ["a", "b"]},
            {"op": "Activation", "name": "abs", "function": "absolute", "inputs": "minus"},
            {"op": "Merge", "name": "plus", "function": "add", "inputs": ["a", "b"]},
        ],
        "outputs": ["abs", "plus"],
    }
    custom = {
        "Mish": lambda config, shapes: ops.Activation(function="mish"),
        "FixedDropout": dropout,
        "Distance": distance,
    }
    rng = np.random.default_rng(1)
    xs = [rng.standard_normal((3, 6)).astype("f") for _ in range(2)]
    agree(model, tmp_path / "m.h5", custom, *xs)
    assert set(rates) == {0.3}


class CoordinateChannel2D(KL.Layer):
    """keras-coordconv: two channels more that say where a pixel stands."""

    def call(self, x: Any) -> Any:
        _, h, w, _ = x.shape
        down = keras.ops.broadcast_to(keras.ops.linspace(-1.0, 1.0, h)[:, None, None], (h, w, 1))
        right = keras.ops.broadcast_to(keras.ops.linspace(-1.0, 1.0, w)[:, None], (h, w, 1))
        both = keras.ops.concatenate([down, right], axis=-1)[None]
        return keras.ops.concatenate([x, keras.ops.repeat(both, keras.ops.shape(x)[0], axis=0)], axis=-1)

    def compute_output_shape(self, shape: Any) -> Any:
        return (*shape[:-1], shape[-1] + 2)


@pytest.fixture
def unregistered() -> Any:
    """The tables as they were, once the document's blocks have run."""
    from kchainer import custom
    from kchainer.emit.plan import EMISSIONS
    from kchainer.ir.op import OPS

    before = [(table, dict(table)) for table in (custom.REGISTERED, EMISSIONS, OPS)]
    yield
    for table, old in before:
        table.clear()  # type: ignore[attr-defined]
        table.update(old)  # type: ignore[attr-defined]


def test_what_the_document_says(unregistered: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The document's blocks as they stand: functions, an op with an emission, a composite that names its arrays."""
    text = (EXAMPLES.parent.parent / "docs" / "custom-layers.md").read_text()
    blocks = re.findall(r"```(\w+)\n(.*?)```", text, re.DOTALL)
    code = "\n".join(body for kind, body in blocks if kind == "python" and "@kchainer" in body)
    (tmp_path / "from_the_document.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("from_the_document")
    composites = [body for kind, body in blocks if kind == "yaml"]
    spoken = [line for line in (EXAMPLES / "squeeze_excite.yaml").read_text().splitlines() if line[:1] != "#"]
    assert [line.partition(" #")[0] for line in spoken] == composites[0].splitlines()
    (tmp_path / "scale.yaml").write_text(composites[1])

    x = KL.Input((4, 5, 3))
    y = FixedDropout(0.3)(Mish()(CoordinateChannel2D()(x)))
    y = Swapped()(KL.Flatten()(KL.Conv2D(4, 3)(y)))
    model = randomised(keras.Model(x, y))
    xs = np.random.default_rng(1).standard_normal((2, 4, 5, 3)).astype("f")
    for name in ("m.keras", "m.h5"):
        model.save(tmp_path / name)
    agree(model, tmp_path / "m.keras", {"Swapped": tmp_path / "scale.yaml"}, xs)
    out = tmp_path / "out"
    kchainer.convert(tmp_path / "m.keras", out, custom={"Swapped": tmp_path / "scale.yaml"})
    assert "import from_the_document" in (out / "model.py").read_text()
    net = runpy.run_path(str(out / "model.py"))["Net"]()
    chainer.serializers.load_npz(out / "weights.npz", net)
    with chainer.using_config("train", False):
        want = keras.ops.convert_to_numpy(model(xs))
        np.testing.assert_allclose(net(xs).array, want, rtol=1e-5, atol=1e-5)
    weights = "{beta/value: beta, gamma/value: gamma}"
    (tmp_path / "old.yaml").write_text(re.sub(r"\{beta/value.*\}", weights, composites[1]))
    agree(model, tmp_path / "m.h5", {"Swapped": tmp_path / "old.yaml"}, xs)


class Swapped(Scale):
    """Its arrays in another order."""

    def build(self, shape: Any) -> None:
        self.beta = self.add_weight(shape=(shape[-1],), name="beta")
        self.gamma = self.add_weight(shape=(shape[-1],), name="gamma")


FORMULAS = {
    "= x[-1] // ratio": 4,
    "=-2 * (1 + 3) / 4": -2.0,
    "= max(1, x[1], 2) % 3": 2,
    "= 1.5 - 2 - 3": -3.5,
}
WRONG = {
    "=": "ends too early", "= x": None, "= a.b": "all that a formula has", "= nothing": "no value `nothing`",
    "= x[0] + 1": "None is no number", "= 1 // 0": "cannot be computed", "= x[9]": "cannot be computed",
    "= 9999999999 * 9999999999": "too large", "= (1": "`)` is missing", "= 1 2": "where the formula should end",
    "= text + 1": "'t' is no number", "= " + "(" * 300: "more than 200 signs", "= 2[0]": "only the sizes", "= 1.2.3": "should end",
}  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas(text: str) -> None:
    assert formula.evaluate(text, {"x": (None, 5, 16), "ratio": 4}) == FORMULAS[text]


@pytest.mark.parametrize("text", [t for t, wrong in WRONG.items() if wrong])
def test_formulas_that_are_none(text: str) -> None:
    with pytest.raises(formula.Unreadable, match=re.escape(str(WRONG[text]))):
        formula.evaluate(text, {"x": (None, 5, 16), "text": "t"})


BODY = {"inputs": {"x": [None, None, None]}, "layers": [{"op": "Flatten"}]}


@pytest.mark.parametrize(
    ("composite", "told"),
    [
        ({"inputs": {"x": [4]}, "layers": BODY["layers"]}, "for another shape"),
        ({"inputs": {"x": [None], "y": [None]}, "layers": []}, "has 2 inputs"),
        ({"networks": {}}, "one network"),
        (BODY | {"weights": 3}, "`weights` gives"),
        (BODY | {"supports_masking": 3}, "true or false"),
        (BODY | {"variables": {"a": "= y[0]"}}, "no value `y`"),
        (BODY | {"layers": [{"op": "Flattn"}]}, "unknown op"),
        (BODY | {"layers": [{"op": "Dense", "units": "$units", "inputs": "x"}]}, "no variable `units`"),
        (BODY | {"layers": [{"op": "Dense", "units": 3, "inputs": "x"}]}, "has no `kernel`"),
    ],
)
def test_wrong_composites_are_told(composite: Any, told: str, tmp_path: Path) -> None:
    keras.Sequential([KL.Input((4, 5, 3)), Mish()]).save(tmp_path / "m.keras")
    with pytest.raises(kchainer.KchainerError, match=re.escape(told)) as caught:
        kchainer.read(tmp_path / "m.keras", custom={"Mish": composite})
    assert caught.value.diagnostics[0].file in ("custom Mish", f"{tmp_path}/m.keras::config.json")


def swelling(x: Any) -> Any:
    """A function of a user, not registered with Keras."""
    return x * keras.ops.tanh(keras.ops.softplus(x))


@keras.saving.register_keras_serializable("unet")
def doubled(x: Any) -> Any:
    return keras.ops.relu(x) * 2


@keras.saving.register_keras_serializable("unet")
class Powered(KL.Layer):
    """An activation that is a layer with a number of its own."""

    def __init__(self, power: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.power = power

    def call(self, x: Any) -> Any:
        return keras.ops.relu(x) ** self.power

    def compute_output_shape(self, shape: Any) -> Any:
        return shape

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"power": self.power}


ACTIVATIONS = {
    "swelling": lambda config, shapes: ops.Activation(function="mish"),
    "unet>doubled": {
        "inputs": {"x": None},
        "layers": [
            {"op": "Relu", "name": "up", "inputs": "x"},
            {"op": "Binary", "function": "add", "inputs": ["up", "up"]},
        ],
    },
    "Powered": lambda config, shapes: (
        {
            "inputs": {"x": list(shapes[0][1:])},
            "layers": [
                {"op": "Relu", "name": "size", "inputs": "x"},
                {"op": "Binary", "function": "power", "constant": config["power"]},
            ],
        }
    ),
}


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_activations_of_layers(suffix: str, tmp_path: Path) -> None:
    """In dense layers and convolutions, in layers inside of one, and in layers that are called twice."""
    x = keras.Input((6, 5, 3))
    shared = KL.Dense(4, activation=swelling, activity_regularizer="l2")
    y = KL.Conv2D(4, 3, activation=Powered(1.5), name="conv")(x)
    y = KL.TimeDistributed(KL.Conv1D(4, 2, activation=swelling))(y)
    y = shared(shared(KL.SeparableConv2D(4, 1, activation=swelling)(y)))
    model = keras.Model(x, KL.EinsumDense("abcd,de->abe", (4, 3), activation=Powered(2.0))(y))
    model = randomised(model)
    path = tmp_path / f"m{suffix}"
    model.save(path)
    agree(model, path, ACTIVATIONS, np.random.default_rng(1).standard_normal((2, 6, 5, 3)).astype("f"))


def test_composite_as_an_activation(tmp_path: Path) -> None:
    x = keras.Input((5,))
    model = randomised(keras.Model(x, KL.Dense(3)(KL.Dense(4, activation=doubled)(x))))
    model.save(tmp_path / "m.keras")
    given = ACTIVATIONS | {"unet>doubled": ACTIVATIONS["unet>doubled"] | {"inputs": {"x": [None]}}}
    x = np.random.default_rng(1).standard_normal((7, 5)).astype("f")
    agree(model, tmp_path / "m.keras", given, x)
    net = kchainer.load(tmp_path / "m.keras", custom=given)
    want = keras.Model(model.inputs, model.layers[1].output)(x)
    want = keras.ops.convert_to_numpy(want)
    (got,) = net(x, outputs=[model.layers[1].name])
    np.testing.assert_allclose(got.array, want, rtol=1e-5, atol=1e-6)


def test_activations_that_nobody_gave(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((4, 5)), KL.Dense(4, activation=doubled), KL.LSTM(3)])
    model.save(tmp_path / "m.keras")
    with pytest.raises(kchainer.KchainerError) as caught:
        kchainer.load(tmp_path / "m.keras")
    (one,) = caught.value.diagnostics
    assert one.code == "KC201"
    assert "--custom unet>doubled=FILE" in str(one.hint)
    weighted = {"doubled": lambda config, shapes: ops.PRelu(shared_axes=())}
    with pytest.raises(kchainer.KchainerError, match="one output and no weights"):
        kchainer.load(tmp_path / "m.keras", custom=weighted)
    model = keras.Sequential([keras.Input((4, 5)), KL.LSTM(3, activation=doubled)])
    model.save(tmp_path / "m.keras")
    with pytest.raises(kchainer.KchainerError, match="of a recurrent layer"):
        kchainer.load(tmp_path / "m.keras", custom=ACTIVATIONS)
