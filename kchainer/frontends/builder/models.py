"""Sequences and functional models as a Python user writes them: descriptions that become the IR."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from kchainer.frontends.builder import ancestor
from kchainer.frontends.builder.assemble import (
    Assembled,
    Naming,
    Shape,
    Unrolled,
    graph_config,
    initializer,
    layer_config,
    sequence_config,
    started,
    to_ir,
)
from kchainer.frontends.builder.elements import (
    Call,
    Composite,
    Json,
    Layer,
    Merge,
    Tensor,
    element,
    tensors,
    wrong,
)
from kchainer.ir.graph import Model as IrModel
from kchainer.ir.spec import to_json

Given = tuple[Shape, str]  # shape with the batch, dtype


def many(structure: Any) -> list[Tensor]:
    """Tensors of a list, a dictionary or a single one, in order. Raises KchainerError for anything else."""
    found = list(tensors(structure))
    if not found:
        raise wrong("Model(...)", "inputs and outputs are tensors: see kchainer.Input")
    return found


class Described:
    """What both kinds of model share: a description, and the IR made of it."""

    name: str | None
    class_name = "Functional"

    def assembled(self) -> Assembled:
        """The config, as another model that holds this one needs it."""
        raise NotImplementedError

    def model(self) -> IrModel:
        """The IR, checked: shapes inferred, every attribute stated. Raises KchainerError."""
        return to_ir(self.assembled().config, self.name or "model")

    def to_dict(self) -> Json:
        """The checked model as a dictionary of kchainer's JSON; see ``kchainer schema ir``."""
        return to_json(self.model())

    def to_json(self) -> str:
        """The same as text."""
        return json.dumps(self.to_dict(), indent=1)

    def called(self, args: tuple[Any, ...], kwargs: Json) -> Tensor | list[Tensor]:
        """This model called on tensors, as a layer of another one."""
        call = Call(self, args, kwargs)  # type: ignore[arg-type]
        count = self.count_outputs()
        return Tensor(call) if count == 1 else [Tensor(call, i) for i in range(count)]

    def count_outputs(self) -> int:
        """How many tensors a call gives."""
        return 1


class FunctionalModel(Described):
    """A graph from ``inputs`` to ``outputs``: tensors, or lists or dictionaries of them."""

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None) -> None:
        self.inputs, self.outputs, self.name = many(inputs), many(outputs), name

    def assembled(self) -> Assembled:
        """The config."""
        return Assembled(graph_config(self.name or "model", self.inputs, self.outputs), {}, ())

    def count_outputs(self) -> int:
        """How many tensors a call gives."""
        return len(self.outputs)


class SequentialModel(Described):
    """Elements one after the other.

    Args:
        layers: the first elements; more with ``add``.
        weight_initializer: "Normal", "GlorotNormal" or "HeNormal" for the weights of layers that state none.
        weight_std, weight_init_std: the standard deviation, or the scale of the other two.
        input_shape: of a sample, where the first layer does not say.
    """

    def __init__(
        self, layers: Sequence[Any] | str | None = None, weight_init_std: float | None = None, *,
        weight_initializer: str | None = None, weight_std: float | None = None, name: str | None = None,
        input_shape: Sequence[int | None] | None = None,
    ) -> None:  # fmt: skip
        if isinstance(layers, str):  # chainer-sequential's first argument
            layers, weight_initializer = None, layers
        self.name = name
        self.layers: list[Any] = []
        self.weight_initializer = weight_initializer
        self.weight_std = weight_init_std if weight_std is None else weight_std
        self.given: list[Given] | None = None
        if input_shape is not None:
            self.given = [((None, *input_shape), "float32")]
        self.add(*(layers or ()))

    def add(self, *layers: Any) -> Any:
        """Append layers, functions, blocks or whole models; returns the sequence."""
        for one in layers:
            if isinstance(one, Tensor):  # kchainer.Input(...)
                one = one.call.layer
            if getattr(one, "class_name", "") == "InputLayer" and isinstance(one, Layer):
                self._start(one)
                continue
            self.layers.append(element(one))
        return self

    def _start(self, layer: Layer) -> None:
        if self.layers:
            raise wrong("add(Input(...))", "an input stands before all layers")
        shape = layer.config.get("batch_shape") or [None, *layer.config.get("shape", ())]
        self.given = [(tuple(shape), layer.config.get("dtype", "float32"))]

    @property
    def start(self) -> Json | None:
        """The initializer of weights that state none, as a Keras config."""
        return initializer(self.weight_initializer, self.weight_std)

    def inputs(self) -> list[Given] | None:
        """Shapes and dtypes of the inputs, as far as the elements tell; None where a call has to."""
        return self.given or told(self.layers)

    @property
    def is_plain(self) -> bool:
        """No element is made of several layers."""
        return not any(isinstance(one, Composite) for one in self.layers)

    def assembled(self) -> Assembled:
        """The config. Raises KchainerError where the shape of the input is not known."""
        inputs = self.inputs()
        if inputs is not None:
            return sequence_config(self.name or "sequential", self.layers, inputs, self.start)
        if not self.is_plain:
            raise wrong(
                f'Sequential "{self.name or "sequential"}"', "the shape of its input is not known", code="KC301",
                hint="say build(input_shape=...), give the first layer its size, or call it on an array",
            )  # fmt: skip
        return self._nested()

    def _nested(self) -> Assembled:
        """The config as Keras writes a Sequential that another model calls."""
        naming = Naming()
        for one in self.layers:
            if isinstance(one, Layer):
                started(one, self.start)
        layers = [graph_layer(one, naming.of(one)) for one in self.layers]
        return Assembled(
            {"class_name": "Sequential", "config": {"name": self.name or "sequential", "layers": layers}},
            {},
            (),
        )

    def unrolled(self, values: list[Tensor]) -> list[Tensor]:
        """The elements applied to tensors."""
        return Unrolled().run(self.layers, values, self.start)


def graph_layer(one: Any, name: str) -> Json:
    """A layer of a nested sequence: without calls."""
    return {k: v for k, v in layer_config(one, name).items() if k != "inbound_nodes"}


# ------------------------------------------------------------------ what a first layer tells of its input

FEATURES = {"Linear": "in_size", "BatchNormalization": "size", "MinibatchDiscrimination": "in_size"}
IMAGES = ("Convolution2D", "Deconvolution2D", "DilatedConvolution2D", "PixelShuffler2D")
# Functions that change neither rank nor features.
KEEPING = frozenset([*ancestor.NONLINEARITIES, "log_softmax", "dropout", "gaussian_noise", "Activation"]) - {
    "crelu"
}


def told(elements: Sequence[Any]) -> list[Given] | None:
    """The input that the first layers ask for; None where they leave it open."""
    for one in elements:
        if isinstance(one, Merge) or not isinstance(one, Layer):
            size = getattr(one, "in_size", None)
            return [((None, size), "float32")] if size else None
        label, config = one.class_name.removeprefix(ancestor.PREFIX), one.config
        if one.class_name.startswith(ancestor.PREFIX):
            if label == "EmbedID":
                return [((None, None), "int32")]
            if label in IMAGES:
                channels = config.get("in_channels")
                return [((None, channels, None, None), "float32")] if channels else None
            if label in FEATURES:
                size = config.get(FEATURES[label])
                return [((None, size), "float32")] if size else None
        stated = of_keras(config)
        if stated is not None:
            return [stated]
        if label not in KEEPING:
            return None
    return None


def of_keras(config: Json) -> Given | None:
    """What a first layer of Keras 1 and 2 may state."""
    shape = config.get("batch_input_shape") or config.get("batch_shape")
    if shape is None and config.get("input_dim") is not None and "output_dim" not in config:
        shape = [None, config["input_dim"]]
    return None if shape is None else ((None, *shape[1:]), "float32")
