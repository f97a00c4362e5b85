"""Sequences and functional models that run: described by the builder, built when their input's shape is known.

Chainer is loaded when a network is built, not before: describing, checking and writing need none of it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from kchainer.diagnostics import Diagnostic, KchainerError
from kchainer.frontends.builder.elements import NEWEST, tensors, wrong
from kchainer.frontends.builder.models import Described, FunctionalModel, SequentialModel
from kchainer.frontends.keras.compiled import outputs_of
from kchainer.frontends.keras.losses.compiled import training_of
from kchainer.ir.graph import Model as IrModel
from kchainer.ir.spec import to_json
from kchainer.ir.training import Training

Json = dict[str, Any]


class Runs(Described):
    """A description with the Chainer network made of it in ``net`` (None until it is built)."""

    net: Any = None
    groups: Mapping[str, str] = {}
    counted: tuple[str, ...] = ()
    settings: Json | None = None  # of ``compile``

    def _build(self) -> None:
        from kchainer.api import to_chainer

        assembled = self.assembled()
        self.net = to_chainer(self.trained(self.model()))
        self.groups, self.counted = assembled.groups, assembled.counted
        for tell in self.__dict__.pop("_waiting", ()):
            tell()

    def compile(
        self, optimizer: str | Json, loss: Any, metrics: Any = None, *, loss_weights: Any = None,
        weighted_metrics: Any = None,
    ) -> Any:  # fmt: skip
        """State how the model is trained, in the names of Keras 3; returns the model.

        Args:
            optimizer: a name ("adam"), or ``{"class_name": "Adam", "config": {"learning_rate": 0.01}}``.
            loss: a name or such an object; a list or dictionary of them for several outputs.
            metrics, weighted_metrics, loss_weights: as in Keras.

        Raises: KchainerError, at the build, for what is not supported.
        """
        self.settings = {
            "optimizer": optimizer, "loss": loss, "metrics": metrics, "loss_weights": loss_weights,
            "weighted_metrics": weighted_metrics,
        }  # fmt: skip
        if self.net is not None:
            self.net.model = dataclasses.replace(self.net.model, training=self._training(self.net.model))
        return self

    def _training(self, model: IrModel) -> Training:
        training, faults = training_of(self.settings, NEWEST, model.network.name, outputs_of(model.network))
        if training is None:
            told = [
                Diagnostic(
                    code=f.code,
                    message=f.message,
                    pointer=f.key,
                    found=f.found,
                    expected=f.expected,
                    hint=f.hint,
                )
                for f in faults
            ]
            raise KchainerError(
                *(told or [Diagnostic(code="KC104", message="compile(...): no optimizer is named")])
            )
        return training

    def trained(self, model: IrModel) -> IrModel:
        """The model with what ``compile`` stated."""
        return model if self.settings is None else dataclasses.replace(model, training=self._training(model))

    def to_dict(self) -> Json:
        """The checked model as a dictionary of kchainer's JSON, with what ``compile`` stated."""
        return to_json(self.trained(self.model()))

    def fit(self, x: Any, y: Any, **how: Any) -> list[Json]:
        """Train as ``compile`` stated; see ``kchainer.training.fit``."""
        from kchainer.training.fitting import fit

        self._ready(x if isinstance(x, (list, tuple)) else [x])
        return fit(self.net, x, y, **how)

    def when_built(self, tell: Callable[[], None]) -> None:
        """Call ``tell`` once the network is there: now, or when the first call has made it."""
        if self.net is not None:
            tell()
        else:
            self.__dict__.setdefault("_waiting", []).append(tell)

    def __call__(
        self, *xs: Any, return_activations: bool = False, outputs: Sequence[str] | None = None,
        test: bool | None = None, **kwargs: Any,
    ) -> Any:  # fmt: skip
        """The outputs for arrays or Variables; on tensors of the builder, this model as a layer.

        Args:
            xs: one array for each input, batch first.
            return_activations: give (outputs, list of the outputs of the activation functions) instead.
            outputs: names of layers whose outputs are wanted in place of the model's own.
            test: run as in inference (True) or training (False); None: as ``chainer.config.train`` says.
        """
        if any(True for _ in tensors((xs, kwargs))):
            return self.called(xs, kwargs)
        self._ready(xs)
        with _mode(test):
            if return_activations:
                return self._with_activations(xs)
            return self.net(*xs, outputs=outputs) if outputs else self.net(*xs)

    def _ready(self, xs: Sequence[Any]) -> None:
        if self.net is None:
            self._build()

    def _with_activations(self, xs: Sequence[Any]) -> Any:
        if not self.counted:
            return self.net(*xs), []
        ends = [self._last_name()] if len(self.net.plan.outputs) == 1 else []
        if not ends:
            raise wrong(
                "return_activations", "a network with several outputs gives no activations", code="KC204"
            )
        *activations, y = self.net(*xs, outputs=[*self.counted, *ends])
        return y, list(activations)

    def _last_name(self) -> str:
        (output,) = self.net.plan.outputs
        taps = reversed(self.net.plan.taps.items())
        return str(next(name for name, (value, _) in taps if value == output))

    def predict(self, *xs: Any, batch_size: int | None = 32) -> Any:
        """Outputs for whole arrays: no training, no graph; see ``kchainer.load``."""
        self._ready(xs)
        return self.net.predict(*xs, batch_size=batch_size)

    def start_weight_normalization(self, *batch: Any, epsilon: float = 1e-6) -> int:
        """Fit every weight-normalised layer to a batch; see ``kchainer.links.start_weight_normalization``."""
        from kchainer.links import start_weight_normalization

        self._ready(batch)
        return start_weight_normalization(self.net, *batch, epsilon=epsilon)


@contextlib.contextmanager
def _mode(test: bool | None) -> Iterator[None]:
    if test is None:
        yield
        return
    import chainer

    with chainer.using_config("train", not test):
        yield


class Model(Runs, FunctionalModel):
    """A graph from inputs to outputs: ``Model(inputs, outputs)``, as in Keras."""

    def build(self) -> Model:
        """Build the network now rather than at the first call. Raises KchainerError."""
        if self.net is None:
            self._build()
        return self


class Sequential(Runs, SequentialModel):
    """Layers in a row: ``Sequential([...])`` or ``Sequential().add(...)``.

    The network is built by ``build()``, or by the first call where no layer tells the shape of its input.
    """

    fixed: IrModel | None = None

    def add(self, *layers: Any) -> Sequential:
        """Append layers, functions, blocks or whole models; returns the sequence."""
        if layers and (self.net is not None or self.fixed is not None):
            raise wrong("add(...)", "the sequence is built; add all layers before")
        super().add(*layers)
        return self

    def build(
        self, input_shape: Sequence[int | None] | None = None, *, weight_initializer: str | None = None,
        weight_std: float | None = None, dtype: str = "float32",
    ) -> Sequential:  # fmt: skip
        """Build the network, or leave that to the first call where the input's shape is still unknown.

        Args:
            input_shape: shape of a sample, channels first for chainer-sequential's layers; a list of shapes
                where the sequence begins with ``Merge``.
            weight_initializer, weight_std: in place of the sequence's own.
            dtype: element type of the input.
        """
        self.weight_initializer = weight_initializer or self.weight_initializer
        self.weight_std = self.weight_std if weight_std is None else weight_std
        if input_shape is not None:
            shapes = input_shape if isinstance(input_shape[0], (list, tuple)) else [input_shape]
            self.given = [((None, *shape), dtype) for shape in shapes]
        if self.net is None and (self.fixed is not None or self.inputs() is not None):
            self._build_if_sizes_are_known()
        return self

    def _build_if_sizes_are_known(self) -> None:
        """A first convolution tells channels, not pixels; behind a Flatten these are needed, and a call has them."""
        try:
            self._build()
        except KchainerError as error:
            given = self.given or self.fixed is not None
            if given or any(d.code != "KC301" for d in error.diagnostics) or not self._leaves_sizes_open():
                raise

    def _leaves_sizes_open(self) -> bool:
        return any(None in shape[1:] for shape, _ in self.inputs() or ())

    def model(self) -> IrModel:
        """The IR, checked. Raises KchainerError."""
        return self.fixed if self.fixed is not None else super().model()

    def _ready(self, xs: Sequence[Any]) -> None:
        if self.net is None and self.given is None and self.fixed is None:
            self.given = [((None, *x.shape[1:]), "int32" if x.dtype.kind in "iu" else "float32") for x in xs]
        super()._ready(xs)

    def _build(self) -> None:
        if self.fixed is None:
            super()._build()
            return
        from kchainer.api import to_chainer

        self.net = to_chainer(self.trained(self.fixed))
        for tell in self.__dict__.pop("_waiting", ()):
            tell()

    @property
    def links(self) -> list[Any]:
        """Links and functions in the order in which they are called. Raises KchainerError before the build."""
        if self.net is None:
            raise wrong("links", "the sequence is not built yet", hint="call build(input_shape=...) first")
        from kchainer.backends.chainer.runtime import Function

        by_name = dict(self.net.named_plan_links())
        return [by_name[s.link] if s.link is not None else Function(s.call) for s in self.net.plan.steps]

    def from_dict(self, data: Json) -> Sequential:
        """Take the network of a dictionary: kchainer's JSON, Keras's or chainer-sequential's. Raises KchainerError."""
        return self.from_json(json.dumps(data))

    def from_json(self, text: str) -> Sequential:
        """Take the network of a JSON text: kchainer's, Keras's or chainer-sequential's. Raises KchainerError."""
        taken = from_json(text)
        self.__dict__.update(taken.__dict__)
        return self


def sequences(text: str, name: str = "from_json") -> dict[str, Sequential] | None:
    """The sequences of a file of chainer-sequential, not yet built; None for another kind. Raises KchainerError."""
    from kchainer.diagnostics import Diagnostics
    from kchainer.files import load_json
    from kchainer.frontends.keras.reader import of_config
    from kchainer.frontends.sequential2016 import reader

    data = load_json(text, name=name)
    if not isinstance(data, dict) or not reader.recognises(data):
        return None
    out = {}
    for one in reader.sequences_of(of_config(data, name, text), Diagnostics(name)):
        made = out[one.name] = Sequential(weight_initializer=one.initializer, weight_std=one.std)
        made.layers = one.elements
    return out


def from_json(text: str) -> Sequential:
    """A sequence from JSON: kchainer's own, Keras's, or chainer-sequential's. Raises KchainerError."""
    from kchainer.api import read_text

    found = sequences(text)
    if found is None:
        out = Sequential()
        out.fixed = read_text(text, "from_json")
        return out
    if len(found) != 1:
        raise wrong(
            "from_json", f"the file has {len(found)} sequences", hint="Chain.from_json takes them all"
        )
    return next(iter(found.values()))


def from_dict(data: Json) -> Sequential:
    """A sequence from a dictionary; see ``from_json``."""
    return from_json(json.dumps(data))
