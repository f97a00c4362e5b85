"""One case: a Keras layer, its converted network, and what both compute, each made once."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "torch"  # before Keras is imported

import dataclasses
import functools
import operator
import pathlib
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import kchainer  # noqa: F401  before Chainer, which it lets run on today's NumPy

import chainer  # isort: skip
import keras
import numpy as np
import torch

from kchainer import api
from kchainer.backends.chainer.build import arrays_of, logical

Array = np.ndarray[Any, Any]
Dims = tuple[int | None, ...]
LEARNING_RATE = 0.01
torch.set_num_threads(1)


class Inner:
    """A layer or cell among the arguments of another: made anew for each dtype."""

    def __init__(self, layer: str, /, **config: Any) -> None:
        self.layer, self.config = layer, config

    def __repr__(self) -> str:
        return f"{self.layer}({','.join(f'{k}={v}' for k, v in self.config.items())})"

    def made(self, dtype: str) -> Any:
        """The layer of Keras."""
        return getattr(keras.layers, self.layer)(**_made(self.config, dtype), dtype=dtype)


def _made(config: Mapping[str, Any], dtype: str) -> dict[str, Any]:
    def one(v: Any) -> Any:
        if isinstance(v, Mapping) and "layer" in v:
            return _inner(v, dtype)
        return v.made(dtype) if isinstance(v, Inner) else [one(i) for i in v] if isinstance(v, list) else v

    return {k: one(v) for k, v in config.items()}


@dataclasses.dataclass(frozen=True, eq=False)
class Case:
    """A layer on inputs of these shapes (batch first); ``config`` are its arguments.

    feed: shapes of what is computed where those of ``xs`` are not all known.
    behind: a 1x1 convolution stands in front, so that the layer meets values that are laid out channels first.
    high: inputs are whole numbers below it. low, up: inputs are uniform between them instead of normal.
    double: the relative tolerance in float64; None: Keras cannot.
    says_less: Keras's own ``output_shape`` is wrong or unknown; that of a call counts.
    masked: a Masking stands in front of the first input, some of whose steps are zeros.
    states: the inputs behind the first are its initial states.
    spread: the layer is called on its inputs one by one, not on a list. call: keywords of the call.
    noise: random in training; the tolerance of its statistics. xfail: the bug for which it fails.
    """

    layer: str
    xs: tuple[Dims, ...]
    many: bool
    config: Mapping[str, Any]
    feed: tuple[tuple[int, ...], ...]
    behind: bool = False
    high: int | None = None
    low: float | None = None
    up: float = 1.0
    rtol: float = 1e-5
    why: str = ""
    double: float | None = 1e-6
    noise: float | None = None
    says_less: bool = False
    xfail: str = ""
    masked: bool = False
    states: bool = False
    spread: bool = False
    call: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        shapes = "+".join("x".join("n" if d is None else str(d) for d in x) for x in self.xs)
        said = [f"{k}={v}".replace(" ", "") for k, v in self.config.items() if k not in ("name", "of")]
        return "-".join(
            [self.layer, shapes, *said, *(n for n in ("behind", "masked", "states") if getattr(self, n))]
            + [f"{k}={v}" for k, v in self.call]
        )

    @property
    def seed(self) -> int:
        """The same for each run of a case, another for each case."""
        return zlib.crc32(str(self).encode())


def _shapes(x: Any) -> tuple[Any, ...]:
    return tuple(x) if isinstance(x, list) else (x,)


def case(
    layer: str,
    /,
    *,
    x: Dims | list[Dims],
    feed: Any = None,
    behind: bool = False,
    high: int | None = None,
    low: float | None = None,
    up: float = 1.0,
    rtol: float = 1e-5,
    why: str = "",
    double: float | None = 1e-6,
    noise: float | None = None,
    says_less: bool = False,
    xfail: str = "",
    masked: bool = False,
    states: bool = False,
    spread: bool = False,
    call: Mapping[str, Any] | None = None,
    **config: Any,
) -> Case:
    """A case; ``x`` is a list of shapes for a layer that joins values."""
    assert rtol == 1e-5 or why, "a tolerance needs its reason"
    return Case(
        layer, _shapes(x), isinstance(x, list), config, _shapes(x if feed is None else feed),
        behind, high, low, up, rtol, why, double, noise, says_less, xfail, masked, states, spread, tuple((call or {}).items()),
    )  # fmt: skip


def operation(name: str, of: Any, **settings: Any) -> Case:
    """A case of a function of keras.ops; ``of`` gets the inputs."""
    return case(name, of=of, **settings)


@dataclasses.dataclass(frozen=True, eq=False)
class Pair:
    """A Keras model, the IR of its file, and inputs."""

    keras: Any
    model: Any
    xs: tuple[Array, ...]
    start: tuple[Array, ...]

    def network(self) -> Any:
        """A new Chainer network with the file's arrays."""
        return api.to_chainer(self.model)

    def reset(self) -> None:
        """Keras's arrays as they were saved."""
        for variable, value in zip(self.keras.weights, self.start, strict=True):
            variable.assign(value)
            variable.value.grad = None


@dataclasses.dataclass(frozen=True, eq=False)
class Training:
    """What one training call and its backward pass leave behind."""

    y: Array
    inputs: tuple[Array, ...]
    gradients: Mapping[str, Array]
    running: Mapping[str, Array]
    stepped: Mapping[str, Array]


def _front(x: Any, number: int, dtype: str) -> Any:
    rank = len(x.shape) - 2
    layer = getattr(keras.layers, f"Conv{rank}D")
    return layer(x.shape[-1], 1, use_bias=False, name=f"front_{number}", dtype=dtype)(x)


def _inner(given: Mapping[str, Any], dtype: str) -> Any:
    """The layer inside a wrapper; ``layer`` of ``given`` is its class."""
    rest = {k: v for k, v in given.items() if k != "layer"}
    return getattr(keras.layers, given["layer"])(**rest, dtype=dtype, name="inner")


def _keras_model(case: Case, dtype: str) -> Any:
    given = "int32" if case.high is not None else dtype
    inputs = [keras.Input(x[1:], dtype=given, name=f"x{i}") for i, x in enumerate(case.xs)]
    values = [_front(x, i, dtype) if case.behind else x for i, x in enumerate(inputs)]
    if "of" in case.config:
        return keras.Model(inputs if case.many else inputs[0], case.config["of"](*values), name="net")
    layer = getattr(keras.layers, case.layer)(**_made(case.config, dtype), dtype=dtype, name="tested")
    if case.masked:
        values[0] = keras.layers.Masking(dtype=dtype)(values[0])
    if case.spread:
        made = layer(*values, **dict(case.call))
    elif case.call:
        made = layer(values if case.many else values[0], **dict(case.call))
    elif case.states:
        made = layer(values[0], initial_state=values[1:])
    else:
        made = layer(values if case.many else values[0])
    return keras.Model(inputs if case.many else inputs[0], _one(made, dtype), name="net")


def _one(made: Any, dtype: str) -> Any:
    """All outputs of a layer side by side."""
    if not isinstance(made, (list, tuple)):
        return made
    flat = [keras.layers.Flatten(dtype=dtype)(v) for v in keras.tree.flatten(made)]
    return keras.layers.Concatenate(dtype=dtype)(flat)


def _random_weights(model: Any, rng: np.random.Generator) -> tuple[Array, ...]:
    out = []
    for variable in model.weights:
        value = variable.numpy()
        if value.dtype.kind == "f":
            draw = (
                rng.uniform(0.5, 1.5, value.shape)
                if "variance" in variable.name
                else rng.normal(size=value.shape)
            )
            variable.assign(draw.astype(value.dtype))
        out.append(variable.numpy().copy())
    return tuple(out)


def _inputs(case: Case, rng: np.random.Generator, dtype: str) -> tuple[Array, ...]:
    if case.high is not None:
        return tuple(rng.integers(0, case.high, shape).astype("int32") for shape in case.feed)
    if case.low is not None:
        return tuple(rng.uniform(case.low, case.up, shape).astype(dtype) for shape in case.feed)
    made = tuple(rng.normal(size=shape).astype(dtype) for shape in case.feed)
    if case.masked:  # one sample begins so, one ends so, all steps of one may be
        made[0][rng.uniform(size=made[0].shape[:2]) < 0.4] = 0
        made[0][0, 0], made[0][-1, -1], made[0][1] = 0, 0, made[0][1] if len(made[0]) < 4 else 0
    return made


@functools.cache
def pair(case: Case, dtype: str = "float32") -> Pair:
    """Keras's model and what the reader made of its ``.keras`` file."""
    rng = np.random.default_rng(case.seed)
    model = _keras_model(case, dtype)
    start = _random_weights(model, rng)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.keras"
        model.save(path)
        read = api.read(path)
        for array in read.arrays.values():
            array.read()  # while the file is there
        network = api.to_chainer(read)
    kept = _Kept(read, network)
    return Pair(model, kept.model, _inputs(case, rng, dtype), start)


class _Kept:
    """A model whose arrays are in memory: the file is gone."""

    def __init__(self, model: Any, network: Any) -> None:
        from kchainer.ir.arrays import LazyArray

        have = arrays_of(network)
        arrays = {
            key: LazyArray(array.shape, array.source, functools.partial(have["/".join(key)].copy))
            for key, array in model.arrays.items()
        }
        self.model = dataclasses.replace(model, arrays=arrays)


def _tensors(pair: Pair) -> list[torch.Tensor]:
    return [torch.tensor(x, requires_grad=x.dtype.kind == "f") for x in pair.xs]


def _call(pair: Pair, tensors: Sequence[Any], training: bool) -> Any:
    given = list(tensors) if len(tensors) > 1 else tensors[0]
    return pair.keras(given, training=training)


def keras_inference(pair: Pair, xs: Sequence[Array] | None = None) -> Array:
    """Keras's output without training."""
    with torch.no_grad():
        y = _call(pair, [torch.tensor(x) for x in xs or pair.xs], False)
    return np.asarray(y.detach().numpy())


def inference(network: Any, xs: Sequence[Array]) -> Array:
    """Chainer's output without training."""
    with chainer.using_config("train", False), chainer.no_backprop_mode():
        return np.asarray(chainer.as_variable(network(*xs)).array)


def output_gradient(case: Case, y: Array) -> Array:
    """The same random gradient for both."""
    return np.random.default_rng(case.seed + 1).normal(size=y.shape).astype(y.dtype)


@functools.cache
def keras_training(case: Case, dtype: str = "float32") -> Training:
    """One training call of Keras: output, gradients, running statistics, and weights after a step."""
    it = pair(case, dtype)
    it.reset()
    tensors = _tensors(it)
    y = _call(it, tensors, True)
    if y.requires_grad:
        y.backward(torch.tensor(output_gradient(case, y.detach().numpy())))
    gradients, running, stepped = {}, {}, {}
    learned = {id(v) for v in it.keras.trainable_weights}
    for variable in it.keras.weights:
        # a wrapper's params are the layer's own in the IR
        name = variable.path.removeprefix("net/").replace("tested/inner/", "tested/")
        value = variable.numpy().copy()
        if id(variable) not in learned:
            running[name] = value
            continue
        gradients[name] = variable.value.grad.numpy().copy()
        stepped[name] = value - LEARNING_RATE * gradients[name]
    inputs = tuple(
        np.zeros(t.shape, t.detach().numpy().dtype) if t.grad is None else t.grad.numpy().copy()
        for t in tensors
        if t.is_floating_point()
    )
    made = Training(y.detach().numpy().copy(), inputs, gradients, running, stepped)
    it.reset()
    return made


@functools.cache
def chainer_training(case: Case, dtype: str = "float32") -> Training:
    """The same of Chainer, under Keras's names and in Keras's layout."""
    it = pair(case, dtype)
    net = it.network()
    optimizer = chainer.optimizers.SGD(lr=LEARNING_RATE).setup(net)
    variables = [chainer.Variable(x, requires_grad=x.dtype.kind == "f") for x in it.xs]
    with chainer.using_config("train", True), chainer.using_config("dtype", np.dtype(dtype)):
        y = net(*variables)
        net.cleargrads()
        y.grad = output_gradient(case, y.array)
        y.backward()
    gradients = _gradients(net)
    running = arrays_of(net)
    if gradients:
        optimizer.update()
    inputs = tuple(
        np.zeros_like(x) if v.grad is None else v.grad  # steps and comparisons give none
        for v, x in zip(variables, it.xs, strict=True)
        if x.dtype.kind == "f"
    )
    return Training(y.array, inputs, gradients, running, arrays_of(net))


def _gradients(net: Any) -> dict[str, Array]:
    out: dict[str, Array] = {}
    links = dict(net.named_plan_links())
    for name, link in net.plan.links.items():
        params = {p.name: p for p in net.params_of[name]}
        for attribute, weight in link.weights.items():
            gradient = getattr(operator.attrgetter(attribute)(links[name]), "grad", None)
            if gradient is not None:
                out[f"{net.plan.layers[name]}/{weight.param}"] = logical(
                    gradient, params[weight.param], weight
                )
    return out


def ours(name: str, got: Mapping[str, Array]) -> str:
    """Keras's name of a variable as kchainer has it, where a layer and its cell are one."""
    if name in got:
        return name
    parts = name.split("/")
    shorter = ["/".join(parts[:i] + parts[i + 1 :]) for i in range(1, len(parts) - 1)]
    shorter.append("/".join([*parts[:-2], "_".join(parts[-2:])]))  # a layer of a layer, which has one link
    if parts[-1].startswith("variable"):  # Keras was told no name
        shorter += [one for one in got if one.rpartition("/")[0] == "/".join(parts[:-1])]
    return next((one for one in shorter if one in got), name)


def error(got: Array, wanted: Array) -> float:
    """The largest difference, in units of the largest value wanted."""
    assert got.shape == wanted.shape, f"shape {got.shape}, wanted {wanted.shape}"
    assert got.dtype == wanted.dtype, f"dtype {got.dtype}, wanted {wanted.dtype}"
    if not wanted.size:
        return 0.0
    assert np.isfinite(got).all() == np.isfinite(wanted).all()
    scale = float(np.abs(wanted).max()) or 1.0
    return float(np.abs(got.astype("float64") - wanted.astype("float64")).max()) / scale


def printed(it: Pair, network: Any) -> Any:
    """The network that the printed source defines, with the arrays of ``network``."""
    space: dict[str, Any] = {}
    exec(api.to_source(it.model), space)  # the program under test
    made = space["Net"]()
    for name, link in network.named_plan_links():
        getattr(made, name).copyparams(link)
    return made
