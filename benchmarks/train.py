"""A training step of each example network beside the same one written by hand in Chainer, and beside Keras.

CPU milliseconds, the least of interleaved rounds, one thread. The networks are those of ``examples/*/networks.yaml``;
the loss is the mean square of all outputs, the optimizer Adam. ``net`` is kchainer's network under Chainer's own loss and
Adam, as the hand-written one is trained; ``step`` is ``kchainer.training.from_compiled`` with kchainer's Adam. Run with
``.venv/bin/python benchmarks/train.py``; prints ratios, asserts nothing.
"""

from __future__ import annotations

import itertools
import os

os.environ |= {"KERAS_BACKEND": "torch", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import dataclasses
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import kchainer
from kchainer.ir.training import Training

import chainer  # isort: skip
import chainer.functions as F
import chainer.links as L

EXAMPLES = Path(__file__).parent.parent / "examples"
BATCH, ROUNDS, STEPS = 100, 12, 5
RATE = 1e-4


# ------------------------------------------------------------------ by hand


class Summed(chainer.Chain):  # type: ignore[misc]  # Chainer has no types
    """Inputs go through a Linear each and are summed; batch normalisation, activation and Linear follow in turns."""

    def __init__(
        self,
        inputs: Sequence[int],
        widths: Sequence[int],
        heads: Sequence[int],
        activation: Any,
        last: Any = None,
    ) -> None:
        super().__init__()
        self.activation, self.last = activation, last
        with self.init_scope():
            self.inputs = chainer.ChainList(*(L.Linear(n, widths[0]) for n in inputs))
            self.norms = chainer.ChainList(*(L.BatchNormalization(n, decay=0.9, eps=1e-3) for n in widths))
            pairs = itertools.pairwise(widths)
            self.hidden = chainer.ChainList(*(L.Linear(a, b) for a, b in pairs))
            self.heads = chainer.ChainList(*(L.Linear(widths[-1], n) for n in heads))

    def forward(self, *xs: Any) -> Any:
        """The heads' outputs."""
        h = self.inputs[0](xs[0])
        for layer, x in zip(self.inputs[1:], xs[1:], strict=True):
            h = h + layer(x)
        h = self.activation(self.norms[0](h))
        for layer, norm in zip(self.hidden, self.norms[1:], strict=True):
            h = self.activation(norm(layer(h)))
        out = tuple(head(h) for head in self.heads)
        return tuple(self.last(y) for y in out) if self.last else out


class Normalized(chainer.Link):  # type: ignore[misc]  # Chainer has no types
    """A Linear whose weight is a direction and a length."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        with self.init_scope():
            self.v = chainer.Parameter(chainer.initializers.Normal(0.05), (n_out, n_in))
            self.g = chainer.Parameter(1.0, (n_out, 1))
            self.b = chainer.Parameter(0.0, (n_out,))

    def forward(self, x: Any) -> Any:
        """The output."""
        length = F.sqrt(F.sum(self.v * self.v, axis=1, keepdims=True))
        w = F.broadcast_to(self.g / length, self.v.shape) * self.v
        return F.linear(x, w, self.b)


class Autoencoder(chainer.Chain):  # type: ignore[misc]  # Chainer has no types
    """784, 500, 100, 500, 784."""

    def __init__(self) -> None:
        super().__init__()
        with self.init_scope():
            self.a, self.b = Normalized(784, 500), L.Linear(500, 100)
            self.c, self.d = L.Linear(100, 500), L.Linear(500, 784)
            self.na, self.nb, self.nc = (
                L.BatchNormalization(n, decay=0.9, eps=1e-3) for n in (500, 100, 500)
            )

    def forward(self, x: Any) -> Any:
        """The picture again."""
        h = F.relu(self.na(self.a(x)))
        h = F.relu(self.nb(self.b(h)))
        return (self.d(F.relu(self.nc(self.c(h)))),)


class Features(chainer.Chain):  # type: ignore[misc]  # Chainer has no types
    """What the experts look at."""

    def __init__(self) -> None:
        super().__init__()
        with self.init_scope():
            self.a, self.b = Normalized(2, 128), Normalized(128, 128)

    def forward(self, x: Any) -> Any:
        """The features."""
        return (F.tanh(self.b(F.elu(self.a(x)))),)


class Discriminator(chainer.Chain):  # type: ignore[misc]  # Chainer has no types
    """Noise before each activation."""

    def __init__(self) -> None:
        super().__init__()
        with self.init_scope():
            self.a, self.b = L.Linear(784, 1000), L.Linear(1000, 500)
            self.c, self.d = L.Linear(500, 250), L.Linear(250, 10)

    def forward(self, x: Any) -> Any:
        """Logits and features."""
        h = noisy(chainer.as_variable(x), 0.3)
        for layer in (self.a, self.b, self.c):
            h = F.softplus(noisy(layer(h), 0.5))
        return self.d(h), h


def noisy(x: Any, deviation: float) -> Any:
    """With normal noise."""
    return x + deviation * np.random.standard_normal(x.shape).astype(np.float32)


class Single(chainer.Chain):  # type: ignore[misc]  # Chainer has no types
    """One layer."""

    def __init__(self, layer: chainer.Link) -> None:
        super().__init__()
        with self.init_scope():
            self.layer = layer

    def forward(self, x: Any) -> Any:
        """Its output."""
        return (self.layer(x),)


BY_HAND: dict[str, dict[str, Callable[[], Any]]] = {
    "autoencoder": {"autoencoder": Autoencoder},
    "adgm": {
        "q_a_x": lambda: Summed([784], [500, 500], [100, 100], F.elu),
        "q_y_ax": lambda: Summed([100, 784], [500, 500], [10], F.elu),
        "q_z_axy": lambda: Summed([100, 784, 10], [500] * 3, [100, 100], F.elu),
        "p_x_yz": lambda: Summed([10, 100], [500] * 3, [784], F.elu),
        "p_a_xyz": lambda: Summed([784, 10, 100], [500] * 3, [100, 100], F.elu),
    },
    "ddgm": {
        "features": Features,
        "experts": lambda: Single(Normalized(128, 4)),
        "b": lambda: Single(L.Linear(2, 1, nobias=True)),
        "generator": lambda: Summed([4], [128, 128], [2], F.relu),
    },
    "improved_gan": {
        "discriminator": Discriminator,
        "generator": lambda: Summed([50], [500, 500], [784], F.relu, F.tanh),
    },
}


def in_keras(made: Any) -> Any:
    """A ``Summed`` in Keras; others have layers that Keras has not."""
    import keras

    if not isinstance(made, Summed):
        return None
    layers, act = keras.layers, made.activation.__name__
    xs = [keras.Input((one.W.shape[1],)) for one in made.inputs]
    hs = [layers.Dense(made.inputs[0].W.shape[0])(x) for x in xs]
    h = layers.Add()(hs) if len(hs) > 1 else hs[0]
    for i, _ in enumerate(made.norms):
        h = layers.Dense(made.hidden[i - 1].W.shape[0])(h) if i else h
        h = layers.Activation(act)(layers.BatchNormalization(momentum=0.9)(h))
    last = made.last.__name__ if made.last else None
    model = keras.Model(xs, [layers.Dense(one.W.shape[0], activation=last)(h) for one in made.heads])
    model.compile(keras.optimizers.Adam(RATE), "mse")
    return model


# ------------------------------------------------------------------ measuring


def plain_step(net: Any, xs: Sequence[Any]) -> Callable[[], Any]:
    """Forward, backward and update in Chainer's own words."""
    optimizer = chainer.optimizers.Adam(RATE).setup(net)

    def step() -> None:
        with chainer.using_config("train", True):
            made = net(*xs)
        out = made if isinstance(made, tuple) else (made,)
        loss = F.mean(out[0] * out[0])
        for y in out[1:]:
            loss = loss + F.mean(y * y)
        net.cleargrads()
        loss.backward()
        optimizer.update()

    return step


def seconds(function: Callable[[], Any]) -> float:
    """CPU time of one step."""
    start = time.process_time()
    for _ in range(STEPS):
        function()
    return (time.process_time() - start) / STEPS


def compiled(model: Any) -> Any:
    """The model with Adam and the mean squared error of each output."""
    objectives = [
        {"network": model.network.name, "output": i, "loss": {"op": "MeanSquaredError"}}
        for i, _ in enumerate(model.network.outputs)
    ]
    adam = {"op": "Adam", "learning_rate": RATE}
    training = Training.from_json({"optimizers": [{"optimizer": adam}], "objectives": objectives})
    return dataclasses.replace(model, training=training)


def cases() -> Iterator[tuple[str, Any, Any, list[Any]]]:
    """Name, IR, network by hand, inputs."""
    random = np.random.RandomState(0)
    for example, networks in BY_HAND.items():
        parts = kchainer.read(EXAMPLES / example / "networks.yaml").parts()
        assert set(parts) == set(networks), f"networks of {example}: {sorted(set(parts) ^ set(networks))}"
        for name, make in networks.items():
            network = parts[name].network
            shapes = [network.shape((i, 0)) for i in network.inputs]
            xs = [random.standard_normal((BATCH, *shape[1:])).astype("float32") for shape in shapes]
            yield f"{example}/{name}", parts[name], make(), xs


def main() -> None:
    """One row for each network."""
    with_keras = "--no-keras" not in sys.argv
    print(
        f"{'network':<28}{'hand':>9}{'net':>9}{'ratio':>7}{'step':>9}{'ratio':>7}{'keras':>9}{'step/keras':>12}"
    )
    for name, model, hand, xs in cases():
        mine, whole = model.to_chainer(), compiled(model).to_chainer()
        assert sum(p.size for p in mine.params()) == sum(p.size for p in hand.params()), name
        step = kchainer.training.from_compiled(whole)
        targets = [np.zeros(y.shape, "float32") for y in _outputs(mine, xs)]
        wanted = targets if len(targets) > 1 else targets[0]
        runs = {"hand": plain_step(hand, xs), "net": plain_step(mine, xs), "step": lambda: step(xs, wanted)}  # noqa: B023
        theirs = in_keras(hand) if with_keras else None
        if theirs is not None:
            runs["keras"] = lambda: theirs.train_on_batch(xs, targets)  # noqa: B023
        for run in runs.values():
            run()
        least = dict.fromkeys(runs, float("inf"))
        for _ in range(ROUNDS):
            for key, run in runs.items():
                least[key] = min(least[key], 1000 * seconds(run))
        a, b, c, d = least["hand"], least["net"], least["step"], least.get("keras")
        beside = f"{d:9.2f}{c / d:12.2f}" if d else ""
        print(f"{name:<28}{a:9.2f}{b:9.2f}{b / a:7.2f}{c:9.2f}{c / a:7.2f}{beside}", flush=True)


def _outputs(net: Any, xs: list[Any]) -> list[Any]:
    made = net.predict(*xs, batch_size=None)
    return made if isinstance(made, list) else [made]


if __name__ == "__main__":
    main()
