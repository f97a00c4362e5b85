"""Layers, tensors and models as a Python user writes them; nothing is computed here."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kchainer.diagnostics import Diagnostic, KchainerError, suggestion
from kchainer.frontends.builder import ancestor
from kchainer.frontends.builder.signatures import SIGNATURES
from kchainer.frontends.fields import read
from kchainer.frontends.keras import layers as _layers  # noqa: F401  fills TRANSLATORS
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.translate import BASE_KEYS, TRANSLATORS, Translator

Json = dict[str, Any]
NEWEST = Dialect((3, 15, 1), "keras", "tensorflow", ("written with kchainer's builder",))
ALL: dict[str, Translator] = {**TRANSLATORS, **ancestor.translators()}


def wrong(what: str, message: str, *, code: str = "KC104", hint: str | None = None) -> KchainerError:
    """An error of the program that builds a model; ``what`` stands where a file's name would."""
    return KchainerError(Diagnostic(code=code, message=message, file=what, hint=hint))


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A layer called: positional arguments (tensors in any nesting) and keywords."""

    layer: Layer
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """One output of a call."""

    call: Call
    index: int = 0


def tensors(value: Any) -> Iterable[Tensor]:
    """The tensors in a nesting of lists, tuples and dictionaries, in order."""
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, Tensor):
            yield one
        elif isinstance(one, Mapping):
            todo.extend(reversed(list(one.values())))
        elif isinstance(one, (list, tuple)):
            todo.extend(reversed(one))


class Layer:
    """A layer by its class and arguments. Call it on tensors for the functional style.

    Raises:
        KchainerError: an argument that the class has not, or of a wrong type.
    """

    def __init__(self, class_name: str, config: Json, name: str | None = None) -> None:
        self.class_name, self.config, self.name = class_name, config, name
        self._check()

    def _check(self) -> None:
        translator = ALL.get(self.class_name)
        if translator is None:
            return
        _, faults = read(translator.fields, plain(self.config), NEWEST, base=BASE_KEYS)
        for fault in faults:
            raise KchainerError(
                Diagnostic(
                    code=fault.code,
                    message=f"{fault.message} of {self.label}",
                    file=f"{self.label}(...)",
                    found=fault.found,
                    expected=fault.expected,
                    hint=fault.hint,
                )
            )

    @property
    def label(self) -> str:
        """The class's name as the user wrote it."""
        return self.class_name.removeprefix(ancestor.PREFIX)

    @property
    def has_initializer(self) -> bool:
        """The kernel's initializer can be stated, and is not."""
        translator = ALL.get(self.class_name)
        fields = translator.fields if translator is not None else {}
        return any(f"{k}_initializer" in fields for k in ("kernel", "embeddings", "depthwise"))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The outputs: a tensor, or a list of them where the layer returns states or scores as well."""
        if not any(True for _ in tensors((args, kwargs))):
            raise wrong(f"{self.label}(...)", "a layer is called on tensors: see kchainer.Input")
        call = Call(self, args, kwargs)
        count = self.outputs(kwargs)
        return Tensor(call) if count == 1 else [Tensor(call, i) for i in range(count)]

    def outputs(self, kwargs: Mapping[str, Any]) -> int:
        """How many tensors a call gives."""
        if kwargs.get("return_attention_scores"):
            return 2
        inner = self.config.get("layer")
        twice = 2 if self.class_name == "Bidirectional" else 1
        told = inner if isinstance(inner, Layer) else self
        if not told.config.get("return_state"):
            return 1
        return 1 + twice * (2 if "LSTM" in told.class_name else 1)

    def __repr__(self) -> str:
        args = ", ".join(f"{k}={v!r}" for k, v in self.config.items())
        return f"{self.label}({args})"


class Composite:
    """Several layers that chainer-sequential counted as one element; see ``assemble``."""

    name: str | None = None


@dataclasses.dataclass(eq=False)
class Merge(Composite):
    """The sum of one Linear for each input; the first element of a sequence with several inputs."""

    num_inputs: int
    out_size: int
    nobias: bool = False
    use_weightnorm: bool = False
    bias: float = 0.0
    name: str | None = None


@dataclasses.dataclass(eq=False)
class Gaussian(Composite):
    """Two Linears of one input, mean and logarithm of the variance; the last element of a sequence."""

    in_size: int | None
    out_size: int
    nobias: bool = False
    use_weightnorm: bool = False
    bias: float = 0.0
    name: str | None = None


class Residual(Composite):
    """y = f(x) + x, f being the elements added."""

    def __init__(
        self, layers: Sequence[Any] = (), *, weight_initializer: str | None = None,
        weight_init_std: float | None = None, weight_std: float | None = None,
    ) -> None:  # fmt: skip
        self.layers: list[Any] = []
        self.weight_initializer = weight_initializer
        self.weight_std = weight_init_std if weight_std is None else weight_std
        self.add(*layers)

    def add(self, *layers: Any) -> Residual:
        """Append elements."""
        self.layers += [element(one) for one in layers]
        return self


def element(one: Any) -> Any:
    """``one`` if a sequence can hold it. Raises KchainerError."""
    if isinstance(one, (Layer, Composite)) or hasattr(one, "assembled"):
        return one
    raise wrong(
        f"add({one!r})", "this is no layer", hint="layers are made by kchainer.layers, kchainer.Linear, ..."
    )


def plain(value: Any) -> Any:
    """Arguments as JSON has them: lists for tuples, numbers for NumPy's, configs for layers."""
    if isinstance(value, Layer):
        return {"class_name": value.class_name, "config": plain(value.config) | _named(value)}
    if hasattr(value, "assembled"):
        return value.assembled().config
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value.item() if hasattr(value, "item") and getattr(value, "ndim", 1) == 0 else value


def _named(layer: Layer) -> Json:
    return {} if layer.name is None else {"name": layer.name}


def keras_layer(class_name: str, args: tuple[Any, ...], kwargs: Json) -> Layer:
    """A layer of Keras's newest release by its class name and Keras's arguments."""
    names = SIGNATURES.get(class_name, "").split()
    if len(args) > len(names):
        raise wrong(f"{class_name}(...)", f"{len(args)} arguments by position where Keras takes {len(names)}")
    config = dict(zip(names, args, strict=False))
    twice = config.keys() & kwargs.keys()
    if twice:
        raise wrong(f"{class_name}(...)", f"`{min(twice)}` is given twice")
    config |= kwargs
    name = config.pop("name", None)
    shape = config.pop("input_shape", None)  # Keras 1 and 2
    if shape is not None:
        config["batch_input_shape"] = [None, *shape]
    return Layer(class_name, config, name)


def ancestor_layer(name: str, args: tuple[Any, ...], kwargs: Json) -> Layer:
    """A layer or function of chainer-sequential by its own arguments."""
    table = ancestor.LAYERS if name in ancestor.LAYERS else ancestor.FUNCTIONS
    names = [n for n in table[name].fields if not n.endswith(("_initializer", "_regularizer", "_constraint"))]
    if len(args) > len(names):
        raise wrong(f"{name}(...)", f"{len(args)} arguments by position, at most {len(names)} are known")
    config = dict(zip(names, args, strict=False)) | {k: v for k, v in kwargs.items() if k != "name"}
    return Layer(ancestor.PREFIX + name, config, kwargs.get("name"))


def unknown(name: str) -> KchainerError:
    """No layer has this name."""
    return wrong(
        name,
        f"no layer is called `{name}`",
        code="KC201",
        hint=suggestion(name, [*TRANSLATORS, *ancestor.LAYERS]),
    )
