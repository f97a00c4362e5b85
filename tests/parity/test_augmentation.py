"""Augmentations that are the identity at inference, and what they say in training."""

from __future__ import annotations

import pytest

from kchainer import functions
from tests.parity import harness
from tests.parity.harness import case

AUGMENTATIONS = {
    "AugMix": {},
    "CutMix": {},
    "MixUp": {},
    "RandAugment": {},
    "RandomColorDegeneration": {"factor": 0.5},
    "RandomColorJitter": {"brightness_factor": 0.2, "hue_factor": 0.1},
    "RandomElasticTransform": {},
    "RandomErasing": {},
    "RandomGaussianBlur": {},
    "RandomGrayscale": {"factor": 0.5},
    "RandomHue": {"factor": 0.2},
    "RandomInvert": {"factor": 0.4},
    "RandomPerspective": {},
    "RandomPosterization": {"factor": 3},
    "RandomSaturation": {"factor": 0.4},
    "RandomSharpness": {"factor": 0.4},
    "RandomShear": {"x_factor": 0.2},
    "Solarization": {"addition_factor": 0.2},
}
COMPUTED = (
    "MixUp", "RandomColorDegeneration", "RandomColorJitter", "RandomErasing", "RandomGaussianBlur", "RandomShear", "RandomGrayscale", "RandomHue", "RandomInvert", "RandomPosterization",
    "RandomSaturation", "RandomSharpness", "Solarization",
)  # fmt: skip
CASES = [case(name, x=(3, 6, 8, 3), low=0, up=255, **config) for name, config in AUGMENTATIONS.items()]


ALSO = [case("RandomBrightness", x=(3, 6, 8, 3), low=0, up=255, factor=0.3)]  # does something in training


@pytest.mark.parametrize("one", CASES + ALSO, ids=str)
def test_identity_at_inference(one: harness.Case) -> None:
    it = harness.pair(one)
    got = harness.inference(it.network(), it.xs)
    assert harness.error(got, harness.keras_inference(it)) == 0


@pytest.mark.parametrize("one", [c for c in CASES if c.layer not in COMPUTED], ids=str)
def test_training_is_an_error(one: harness.Case) -> None:
    it = harness.pair(one)
    with harness.chainer.using_config("train", True), pytest.raises(NotImplementedError, match=one.layer):
        it.network()(*it.xs)


@pytest.mark.parametrize(("bins", "value_range"), [(256, (0, 255)), (16, (0, 1)), (256, (0, 1))])
def test_equalization_in_training(bins: int, value_range: tuple[int, int]) -> None:
    """Of the layer alone: Keras 3.15 itself cannot put it into a functional model."""
    x = harness.np.random.default_rng(0).uniform(*value_range, (3, 6, 8, 3)).astype("float32")
    layer = harness.keras.layers.Equalization(value_range=value_range, bins=bins)
    wanted = layer(x, training=True).numpy().transpose(0, 3, 1, 2)
    with harness.chainer.using_config("train", True):
        got = functions.equalize(x.transpose(0, 3, 1, 2), bins, value_range).array
    assert harness.error(got, wanted) < 1e-6
    with harness.chainer.using_config("train", False):
        assert functions.equalize(x, bins, value_range).array is x


@pytest.mark.parametrize(("factor", "value_range"), [(0.4, (0, 255)), ((0.1, 0.3), (0, 1))])
def test_brightness_in_training(factor: float | tuple[float, float], value_range: tuple[int, int]) -> None:
    """Of the layer alone, since it changes in place what PyTorch forbids that of a leaf."""
    x = harness.np.full((4000, 1, 1, 1), 0.5 * value_range[1], "float32")
    harness.keras.utils.set_random_seed(0)
    wanted = harness.keras.layers.RandomBrightness(factor, value_range)(x, training=True).numpy()
    spread = factor if isinstance(factor, tuple) else (-factor, factor)
    harness.np.random.seed(0)
    with harness.chainer.using_config("train", True):
        got = functions.random_brightness(x, spread, value_range).array
    shares = [harness.np.quantile(y / value_range[1], [0, 0.1, 0.5, 0.9, 1]) for y in (got, wanted)]
    harness.np.testing.assert_allclose(*shares, atol=0.03)
    assert len(harness.np.unique(got)) > 3900


@pytest.mark.parametrize("fill_mode", ["constant", "nearest", "reflect", "wrap", "mirror"])
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_affine_transform(fill_mode: str, interpolation: str) -> None:
    rng = harness.np.random.default_rng(0)
    x = rng.normal(size=(20, 7, 9, 2)).astype("float32")
    matrix = rng.normal(size=(20, 6)).astype("float32") * [1, 1, 5, 1, 1, 5]
    matrix = harness.np.concatenate([matrix, harness.np.zeros((20, 2))], axis=1).astype("float32")
    given = {"interpolation": interpolation, "fill_mode": fill_mode, "fill_value": 0.5}
    wanted = harness.keras.ops.image.affine_transform(x, matrix.copy(), **given).numpy()
    got = functions.affine_transform(x.transpose(0, 3, 1, 2), matrix[:, :6], **given).array
    # a place within rounding of a pixel's border may fall to either side
    far = abs(got.transpose(0, 2, 3, 1) - wanted) > 1e-4
    assert far.mean() < 2e-3


class _Drawn:
    """Stands for both generators: the shares of the interval, in turn."""

    def __init__(self, shares: list[float]) -> None:
        self.shares = shares

    def __call__(self, low: float, high: float, n: int) -> object:
        return harness.np.full(n, low + self.shares.pop(0) * (high - low))


@pytest.mark.parametrize(
    ("layer", "config"),
    [
        ("RandomRotation", {"factor": (-0.1, 0.3)}),
        ("RandomTranslation", {"height_factor": 0.4, "width_factor": (-0.1, 0.5)}),
        ("RandomZoom", {"height_factor": (-0.3, 0.2), "width_factor": 0.4}),
        ("RandomZoom", {"height_factor": 0.5}),
        ("RandomShear", {"x_factor": 0.4, "y_factor": (0.1, 0.3)}),
    ],
)
def test_the_same_draws_give_the_same_images(
    layer: str, config: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both draw height before width; Keras's draws are set to the same shares of the intervals."""
    it = harness.pair(case(layer, x=(2, 7, 9, 3), fill_mode="constant", **config))
    shares = [0.8, 0.3, 0.6]
    theirs = list(shares)

    def uniform(shape: tuple, minval: float = 0.0, maxval: float = 1.0, **more: object) -> object:
        return harness.torch.full(tuple(shape), minval + theirs.pop(0) * (maxval - minval))

    tested = it.keras.get_layer("tested")
    monkeypatch.setattr(tested.backend.random, "uniform", uniform)
    wanted = tested(it.xs[0], training=True).numpy()
    monkeypatch.setattr(harness.np.random, "uniform", _Drawn(list(shares)))
    with harness.chainer.using_config("train", True):
        got = it.network()(*it.xs).array
    assert harness.error(got, wanted) < 1e-5
    assert abs(got - it.xs[0]).max() > 0.1


COLOURS: list[tuple[str, dict]] = [
    ("RandomColorDegeneration", {"factor": 0.5}),
    ("RandomErasing", {"factor": (0.3, 0.9), "fill_value": 7.0}),
    ("RandomErasing", {"scale": (0.1, 0.5), "fill_value": (1.0, 2.0, 3.0)}),
    ("RandomGrayscale", {"factor": 0.5}),
    ("RandomGaussianBlur", {"factor": (0.2, 0.9), "kernel_size": 5, "sigma": (0.5, 2.0)}),
    ("RandomColorJitter", {"contrast_factor": 0.5, "saturation_factor": 0.3, "hue_factor": 0.2}),
    ("RandomHue", {"factor": 0.6}),
    ("RandomHue", {"factor": (0.2, 0.9), "value_range": (0, 1)}),
    ("RandomInvert", {"factor": (0.2, 0.9)}),
    ("RandomPosterization", {"factor": (3, 3)}),
    ("RandomSaturation", {"factor": 0.4}),
    ("RandomSaturation", {"factor": (0.3, 0.8), "value_range": (0, 1)}),
    ("RandomSharpness", {"factor": 0.8}),
    ("Solarization", {"addition_factor": 0.4, "threshold_factor": (0.2, 0.7)}),
    ("Solarization", {"threshold_factor": 0.5, "value_range": (0, 1)}),
]


def has_channels_first(layer: str, config: dict) -> bool:
    """Whether Keras has it: some layers know no data format, and a tuple of fills goes along the last axis."""
    return layer not in ("Solarization", "RandomColorJitter") and not isinstance(
        config.get("fill_value"), tuple
    )


@pytest.mark.parametrize("shares", [[0.8, 0.3, 0.6, 0.2, 0.4], [0.1, 0.7, 0.2, 0.9, 0.01]])
@pytest.mark.parametrize(
    ("layer", "config", "data_format"),
    [(*one, "channels_last") for one in COLOURS]
    + [(*one, "channels_first") for one in COLOURS if has_channels_first(*one)],
)
def test_the_same_draws_give_the_same_colours(
    layer: str, config: dict, data_format: str, shares: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both draw in the same order; each draw is set to the same share of its interval."""
    top = config.get("value_range", (0, 255))[1]
    more = {} if layer == "Solarization" else {"data_format": data_format}
    shape = (2, 7, 9, 3) if data_format == "channels_last" else (2, 3, 7, 9)
    it = harness.pair(case(layer, x=shape, low=0, up=top, **config, **more))
    theirs = list(shares)

    def uniform(shape: tuple, minval: float = 0.0, maxval: float = 1.0, **more: object) -> object:
        return harness.torch.full(tuple(shape), minval + theirs.pop(0) * (maxval - minval))

    tested = it.keras.get_layer("tested")
    monkeypatch.setattr(tested.backend.random, "uniform", uniform)
    wanted = tested(it.xs[0], training=True).numpy()
    monkeypatch.setattr(harness.np.random, "uniform", _Drawn(list(shares)))
    with harness.chainer.using_config("train", True):
        network = it.network()
        got = network(*it.xs).array
    assert harness.error(got, wanted) < 1e-5
    with harness.chainer.using_config("train", False):
        assert (network(*it.xs).array == it.xs[0]).all()


def test_posterization_draws_whole_numbers_of_bits() -> None:
    x = harness.np.random.default_rng(0).uniform(0, 255, (300, 3, 16, 16)).astype("float32")
    harness.keras.utils.set_random_seed(0)
    layer = harness.keras.layers.RandomPosterization((2, 5), data_format="channels_first")
    wanted = layer(x, training=True).numpy()
    with harness.chainer.using_config("train", True):
        got = functions.random_colours(x, "posterization", (2, 5)).array
    counts = [[len(harness.np.unique(image)) for image in images] for images in (got, wanted)]
    assert set(counts[0]) == set(counts[1]) == {4, 8, 16}


def test_erasing_by_noise_has_the_same_statistics() -> None:
    x = harness.np.full((400, 3, 12, 12), -1.0, "float32")
    harness.keras.utils.set_random_seed(0)
    layer = harness.keras.layers.RandomErasing((0.2, 0.8), (0.1, 0.4), data_format="channels_first")
    wanted = layer(x, training=True).numpy()
    harness.np.random.seed(0)
    with harness.chainer.using_config("train", True):
        got = functions.random_erasing(x, (0.2, 0.8), (0.1, 0.4)).array
    shares = [((y != -1).mean(), y[y != -1].mean() / 255) for y in (got, wanted)]
    harness.np.testing.assert_allclose(*shares, atol=0.02)


def test_mix_up_has_the_same_statistics() -> None:
    np = harness.np
    x = np.eye(50, dtype="float32").reshape(50, 50, 1, 1)
    harness.keras.utils.set_random_seed(0)
    np.random.seed(0)
    layer = harness.keras.layers.MixUp(0.4)
    wanted = np.concatenate([layer(x, training=True).numpy() for _ in range(40)])
    with harness.chainer.using_config("train", True):
        got = np.concatenate([functions.mix_up(x, 0.4).array for _ in range(40)])
    np.testing.assert_allclose(got.sum(axis=(1, 2, 3)), 1, rtol=1e-5)
    quantiles = [np.quantile(y.max(axis=(1, 2, 3)), [0, 0.1, 0.3, 0.6]) for y in (got, wanted)]
    np.testing.assert_allclose(*quantiles, atol=0.03)


def test_bicubic_needs_the_backend() -> None:
    config = {"height": 4, "width": 5, "interpolation": "bicubic"}
    model = harness._keras_model(case("Resizing", x=(3, 6, 8, 3), **config), "float32")
    with pytest.raises(harness.api.KchainerError, match="KC108"):
        harness.api.from_keras(model.to_json())
    xs = (harness.np.random.default_rng(0).normal(size=(3, 6, 8, 3)).astype("float32"),)
    network = harness.api.to_chainer(harness.api.from_keras(model.to_json(), keras_backend="torch"))
    with harness.torch.no_grad():
        wanted = model(harness.torch.tensor(xs[0])).numpy()
    assert harness.error(harness.inference(network, xs), wanted) < 1e-5


def test_a_crop_at_inference_leaves_the_size() -> None:
    it = harness.pair(case("RandomCrop", x=(3, 6, 8, 3), height=4, width=5))
    got = harness.inference(it.network(), it.xs)
    assert harness.error(got, harness.keras_inference(it)) == 0
    with harness.chainer.using_config("train", True):
        assert it.network()(*it.xs).shape == (3, 4, 5, 3)


def test_a_pipeline_is_its_layers_in_a_row() -> None:
    layers = harness.keras.layers
    row = layers.Pipeline([layers.Resizing(4, 5), layers.RandomFlip(), layers.Rescaling(0.5)])
    given = harness.keras.Input((6, 8, 3))
    model = harness.keras.Model(given, row(given))
    x = harness.np.random.default_rng(0).normal(size=(2, 6, 8, 3)).astype("float32")
    network = harness.api.to_chainer(harness.api.from_keras(model.to_json()))
    with harness.torch.no_grad():
        wanted = model(harness.torch.tensor(x), training=False).numpy()
    assert harness.error(harness.inference(network, (x,)), wanted) < 1e-5
