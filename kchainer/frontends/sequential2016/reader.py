"""JSON of chainer-sequential, all generations and forks, as elements of the builder; and its HDF5 weights."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any, Protocol

from kchainer.diagnostics import Diagnostic, Diagnostics, KchainerError, escape, suggestion
from kchainer.files import DEFAULT, Limits, WeightFile
from kchainer.frontends.builder import ancestor
from kchainer.frontends.builder.assemble import Assembled, initializer, sequence_config, to_ir
from kchainer.frontends.builder.elements import NEWEST, Gaussian, Layer, Merge, Residual
from kchainer.frontends.builder.models import told
from kchainer.frontends.fields import Config, Field, boolean, number, optional, positive, read
from kchainer.ir.arrays import LazyArray
from kchainer.ir.graph import Model, Network, Origin
from kchainer.ir.op import Param

Json = dict[str, Any]
MARKS = ("_layer", "_link", "_function", "_residual")
LINEARS = {
    "out_size": Field(type=positive),
    "nobias": Field(type=boolean, default=False),
    "use_weightnorm": Field(type=boolean, default=False),
    "bias": Field(type=number, was="initial_bias", default=0.0),
}
MERGE = {"num_inputs": Field(type=positive), **LINEARS}
GAUSSIAN = {"in_size": Field(type=optional(positive), default=None), **LINEARS}
# What raised in every version that wrote it; no such file ever ran.
NEVER_RAN = ("GRU", "StatefulGRU", "LSTM", "StatelessLSTM", "StatefulPeepholeLSTM")


class Document(Protocol):
    """A file taken apart, as the Keras frontend's reader does."""

    name: str
    config: Json
    text: str
    weights: WeightFile | None


@dataclasses.dataclass(slots=True)
class Sequence:
    """One sequence of a file: its elements, and its initializer."""

    name: str
    elements: list[Any]
    initializer: str | None
    std: float | None


def _is_sequence(data: Any) -> bool:
    layers = data.get("layers") if isinstance(data, dict) else None
    return (
        isinstance(layers, list) and all(isinstance(one, dict) for one in layers) and "class_name" not in data
    )


def _is_marked(data: Json) -> bool:
    return any(mark in one for one in data["layers"] for mark in MARKS)


def recognises(config: Json) -> bool:
    """The file is a sequence of chainer-sequential, or a container of several."""
    if _is_sequence(config) and (_is_marked(config) or "weight_initializer" in config):
        return True
    members = [v for v in config.values() if _is_sequence(v)]
    return bool(members) and "class_name" not in config and any(_is_marked(v) for v in members)


def generation(config: Json) -> tuple[str, tuple[str, ...]]:
    """The generation of a file and the keys that told it."""
    sequences = [config] if _is_sequence(config) else [v for v in config.values() if _is_sequence(v)]
    keys = {key for one in sequences for key in one} | {
        k for one in sequences for layer in one["layers"] for k in layer
    }
    if "_link" in keys:
        return "G0 (2016-10 to 2016-11)", ("layers are marked by _link",)
    if "weight_init_std" in keys:
        return "G1 (2016-11 to 2017-02)", ("key weight_init_std",)
    if keys & {"bias", "use_cudnn"}:
        return "G2 (2017-02 to 2017-06)", ("key weight_std, and bias or use_cudnn",)
    return "G3 (from 2017-06)", ("key weight_std, neither bias nor use_cudnn",)


class _Reader:
    def __init__(self, document: Document, found: Diagnostics, limits: Limits) -> None:
        self.document, self.found, self.limits = document, found, limits
        self.count = 0

    def sequence(self, name: str, data: Json, at: str) -> Sequence:
        return Sequence(name, self.elements(data, at, 0), *self.initial(data, at))

    def initial(self, data: Json, at: str) -> tuple[str | None, float | None]:
        name, std = data.get("weight_initializer"), data.get("weight_std", data.get("weight_init_std"))
        if name is not None and not (
            isinstance(name, str) and name.lower() in ("normal", "glorotnormal", "henormal")
        ):
            self.found.error(
                "KC201", "an initializer that chainer-sequential had not", pointer=f"{at}/weight_initializer",
                found=escape(repr(name)), expected="Normal, GlorotNormal, HeNormal or null",
            )  # fmt: skip
            return None, None
        if std is not None and (isinstance(std, bool) or not isinstance(std, (int, float))):
            self.found.error(
                "KC104", "the weights' standard deviation is no number", pointer=at, found=repr(std)
            )
            return name, None
        return name, std

    def elements(self, data: Json, at: str, depth: int) -> list[Any]:
        if depth > self.limits.nesting:
            self.found.error("KC901", f"blocks nested more than {self.limits.nesting} deep", pointer=at)
            return []
        layers = data.get("layers")
        if not isinstance(layers, list):
            self.found.error("KC105", "a sequence without layers", pointer=at, expected="layers")
            return []
        made = [self.element(one, f"{at}/layers/{i}", depth) for i, one in enumerate(layers)]
        return [one for one in made if one is not None]

    def element(self, raw: Any, at: str, depth: int) -> Any:
        self.count += 1
        if self.count > self.limits.layers:
            if self.count == self.limits.layers + 1:
                self.found.error("KC901", f"more than {self.limits.layers} layers", pointer=at)
            return None
        if not isinstance(raw, dict):
            self.found.error("KC104", "a layer that is no object", pointer=at)
            return None
        if raw.get("_residual") is True or ("layers" in raw and not any(m in raw for m in MARKS[:3])):
            return self.residual(raw, at, depth)
        kind = next((m for m in MARKS[:3] if m in raw), None)
        label = raw.get(kind) if kind else None
        if not isinstance(label, str):
            self.found.error("KC105", "a layer without a mark", pointer=at, expected="_layer or _function")
            return None
        return self.function(label, raw, at) if kind == "_function" else self.layer(label, raw, at)

    def residual(self, raw: Json, at: str, depth: int) -> Any:
        name, std = self.initial(raw, at)
        inner = self.elements(raw, at, depth + 1)
        if raw.get("_residual") is not True:
            self.found.error(
                "KC204", "a nested block without `_residual`", pointer=at, hint="its meaning is a fork's own"
            )
            return None
        self.found.note("KC109", "a residual block is read as y = f(x) + x", pointer=at)
        return Residual(inner, weight_initializer=name, weight_std=std)

    def checked(
        self, label: str, fields: Mapping[str, Field], raw: Json, at: str
    ) -> tuple[Config | None, Json]:
        given = {k: v for k, v in raw.items() if not k.startswith("_")}
        config, faults = read(fields, given, NEWEST, base=frozenset(["use_cudnn"]))
        for fault in faults:
            place = f"{at}/{fault.key}" if fault.key else at
            self.found.error(
                fault.code, f"{fault.message} of {label}", pointer=place, found=fault.found,
                expected=fault.expected, hint=fault.hint,
            )  # fmt: skip
        return (None if faults else config), given

    def layer(self, label: str, raw: Json, at: str) -> Any:
        if label in ("Merge", "Gaussian"):
            fields, cls = (MERGE, Merge) if label == "Merge" else (GAUSSIAN, Gaussian)
            config, _ = self.checked(label, fields, raw, at)
            return None if config is None else cls(**{k: v for k, v in vars(config).items() if k != "_given"})
        return self.made(label, raw, at, ancestor.LAYERS)

    def function(self, label: str, raw: Json, at: str) -> Any:
        return self.made(label.lower(), raw, at, ancestor.FUNCTIONS)

    def made(self, label: str, raw: Json, at: str, table: Mapping[str, Any]) -> Any:
        if label not in table:
            hint = (
                "no file with this layer ever ran" if label in NEVER_RAN else suggestion(label, list(table))
            )
            self.found.error("KC201", f"`{escape(label)}` is not supported", pointer=at, hint=hint)
            return None
        config, given = self.checked(label, table[label].fields, raw, at)
        if config is None:
            return None
        if given.get("train_weights") is False:
            given["trainable"] = False
        return Layer(
            ancestor.PREFIX + label, {"bias" if k == "initial_bias" else k: v for k, v in given.items()}
        )


# ------------------------------------------------------------------ weights

NAMES = {
    "bias": "b", "g": "g", "gamma": "gamma", "beta": "beta", "moving_mean": "avg_mean", "moving_variance": "avg_var",
    "embeddings": "W",
}  # fmt: skip


def prefix_of(file: WeightFile, name: str) -> str | None:
    """What the groups of a sequence begin with in a weights file."""
    groups = {path.lstrip("/").split("/", 1)[0] for path in file.datasets()}
    starts = {g.split("_residual_")[0].rstrip("0123456789_") for g in groups} | set()
    for one in (name, "link", "None"):
        if any(g.startswith(f"{one}_") for g in groups):
            return one
    bare = {g.rsplit("_", 1)[0] for g in groups if g.rsplit("_", 1)[-1].isdigit()}
    return min(bare, key=len) if bare and starts else None


def _group(prefix: str, group: str) -> str:
    return group if group.startswith("residual_") else f"{prefix}_{group}"


def _stored(param: Param, weight_normalised: bool) -> tuple[str, tuple[int, ...] | None]:
    """A param's name in the file, and the axes of the file's array in the param's order."""
    if param.name != "kernel":
        return NAMES[param.name], None
    axes = (1, 0) if len(param.shape) == 2 else (2, 3, 1, 0)  # OI; OIHW, or IOHW of a transposed convolution
    return ("V" if weight_normalised else "W"), axes


def arrays(
    file: WeightFile, prefix: str, assembled: Assembled, network: Network, found: Diagnostics, used: set[str]
) -> dict[tuple[str, str], LazyArray]:
    """The arrays of one sequence by layer and param; what is missing or misshapen is reported."""
    out: dict[tuple[str, str], LazyArray] = {}
    for layer in network.layers.values():
        for param in layer.params:
            group = _group(prefix, assembled.groups.get(layer.name, layer.name))
            name, axes = _stored(param, any(p.name == "g" for p in layer.params))
            path = f"/{group}/{name}"
            if path not in file:
                found.error(
                    "KC401", f'the weights file has no `{param.name}` of "{layer.name}"', expected=path
                )
                continue
            used.add(path)
            array = LazyArray(file.dataset(path).shape, path, functools.partial(file.read, path))
            if axes is not None and len(array.shape) == len(axes):
                array = array.permuted(axes)
            if param.name == "g":
                array = array.reshaped(param.shape)
            if array.shape != param.shape:
                found.error(
                    "KC403", f'`{param.name}` of "{layer.name}" has another shape in the weights file',
                    found=f"{list(array.shape)} in {path}", expected=str(list(param.shape)),
                )  # fmt: skip
                continue
            out[layer.name, param.name] = array
    return out


def size_from_weights(
    elements: list[Any], file: WeightFile, prefix: str
) -> list[tuple[tuple[int | None, ...], str]] | None:
    """Fill sizes that the file left to be inferred from the arrays; returns inputs of a leading Merge."""
    starts: list[tuple[tuple[int | None, ...], str]] | None = None
    for i, one in enumerate(elements):
        if isinstance(one, Merge):
            shapes = [_shape(file, f"/{prefix}_{i}_{k}", 2) for k in range(one.num_inputs)]
            if all(shapes):
                starts = [((None, s[1]), "float32") for s in shapes if s]
        elif isinstance(one, Gaussian):
            shape = _shape(file, f"/{prefix}_{i}_mean", 2)
            one.in_size = one.in_size or (shape[1] if shape else None)
        elif (
            isinstance(one, Layer)
            and one.class_name == f"{ancestor.PREFIX}Linear"
            and not one.config.get("in_size")
        ):
            shape = _shape(file, f"/{prefix}_{i}", 2)
            one.config["in_size"] = shape[1] if shape else None
        elif isinstance(one, Layer) and "in_channels" in one.config and not one.config["in_channels"]:
            shape = _shape(file, f"/{prefix}_{i}", 4)
            axis = 0 if one.label == "Deconvolution2D" else 1
            one.config["in_channels"] = shape[axis] if shape else None
    return starts


def _shape(file: WeightFile, group: str, rank: int) -> tuple[int, ...] | None:
    for name in ("W", "V"):
        if f"{group}/{name}" in file and len(file.dataset(f"{group}/{name}").shape) == rank:
            return file.dataset(f"{group}/{name}").shape
    return None


# ------------------------------------------------------------------ the whole


def sequences_of(document: Document, found: Diagnostics, limits: Limits = DEFAULT) -> list[Sequence]:
    """The sequences of a file. Raises KchainerError with everything that is wrong with their layers."""
    config = document.config
    reader = _Reader(document, found, limits)
    members = (
        {"model": config} if _is_sequence(config) else {k: v for k, v in config.items() if _is_sequence(v)}
    )
    single = _is_sequence(config)
    sequences = [
        reader.sequence(name, data, "" if single else "/" + name.replace("~", "~0").replace("/", "~1"))
        for name, data in members.items()
    ]
    found.located(document.text).raise_if_errors()
    return sequences


def read_document(document: Document, *, limits: Limits = DEFAULT) -> Model:
    """The IR of a file: one network for each sequence. Raises KchainerError with everything that is wrong."""
    found = Diagnostics(document.name, limits.diagnostics)
    sequences = sequences_of(document, found, limits)
    networks: dict[str, Network] = {}
    loaded: dict[tuple[str, str], LazyArray] = {}
    used: set[str] = set()
    for one in sequences:
        network, own = _network(one, document, found, limits, len(sequences) == 1, used)
        if network is not None:
            networks[one.name] = network
            loaded |= own if len(sequences) == 1 else {(f"{one.name}:{k}", p): v for (k, p), v in own.items()}
    if document.weights is not None:
        for path in document.weights.datasets():
            if path not in used and not path.endswith("/N"):
                found.error("KC402", f"nothing of the model uses {path} of the weights file")
    found.located(document.text).raise_if_errors()
    told_by, reasons = generation(document.config)
    origin = Origin(document.name, f"chainer-sequential {told_by}", reasons)
    return Model(networks, origin, loaded, "float32", tuple(found.items))


def _network(
    one: Sequence, document: Document, found: Diagnostics, limits: Limits, alone: bool, used: set[str]
) -> tuple[Network | None, dict[tuple[str, str], LazyArray]]:
    prefix, inputs = None, None
    if document.weights is not None:
        prefix = prefix_of(document.weights, "link" if one.name == "model" else one.name)
        if prefix is None:
            found.error("KC401", f'the weights file has no arrays for "{one.name}"')
            return None, {}
        inputs = size_from_weights(one.elements, document.weights, prefix)
    inputs = inputs or told(one.elements)
    if inputs is None:
        found.error(
            "KC301", f'the input of "{one.name}" is not known: no first layer says its size', pointer="",
            hint="give the weights file too, which tells the sizes",
        )  # fmt: skip
        return None, {}
    try:
        assembled = sequence_config(one.name, one.elements, inputs, initializer(one.initializer, one.std))
        network = to_ir(assembled.config, document.name, limits).network
    except KchainerError as error:
        for diagnostic in error.diagnostics:
            _again(found, diagnostic)
        return None, {}
    if document.weights is None or prefix is None:
        return network, {}
    return network, arrays(document.weights, prefix, assembled, network, found, used)


def _again(found: Diagnostics, one: Diagnostic) -> None:
    found.error(one.code, one.message, found=one.found, expected=one.expected, hint=one.hint)
