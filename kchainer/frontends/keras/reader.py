"""Keras files of every kind, by content: JSON, YAML, HDF5, .keras; the config and the weights beside it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Collection, Mapping
from typing import Any

from kchainer.diagnostics import Diagnostic, Diagnostics, KchainerError
from kchainer.files import (
    DEFAULT,
    KerasArchive,
    Limits,
    ShardedWeights,
    WeightFile,
    is_index,
    load_json,
    load_yaml,
    open_regular,
    read_bytes,
    sniff,
)
from kchainer.frontends.fields import shown
from kchainer.frontends.keras import compiled, keras0
from kchainer.frontends.keras import dialect as dialects
from kchainer.frontends.keras.assets import Assets
from kchainer.frontends.keras.custom import Replacement
from kchainer.frontends.keras.dialect import Backend, Dialect
from kchainer.frontends.keras.graph import Translation, translated
from kchainer.frontends.keras.lora import How
from kchainer.frontends.keras.matching import STRICT, Matching
from kchainer.frontends.keras.weights import arrays
from kchainer.ir.arrays import LazyArray
from kchainer.ir.graph import Layer, Model, Network, Origin
from kchainer.ir.settings import TABLES, setting
from kchainer.ir.training import Gathered, Training

Json = dict[str, Any]


@dataclasses.dataclass(slots=True)
class Document:
    """A file taken apart: the model's config, what the file says of its writer, and its weights."""

    name: str
    config: Json
    text: str
    keras_version: str | None = None
    backend: str | None = None
    weights: WeightFile | None = None
    archive: KerasArchive | None = None
    old: keras0.Modern | None = None  # the form in which a config of Keras 0.3 is read
    odd: tuple[Diagnostic, ...] = ()  # versions that are none


def _fail(code: str, message: str, name: str, hint: str | None = None) -> KchainerError:
    return KchainerError(Diagnostic(code=code, message=message, file=name, hint=hint))


def _object(data: Any, name: str) -> Json:
    if not isinstance(data, dict):
        raise _fail("KC104", "the top of the file is no object", name)
    return data


def _text(value: Any) -> str | None:
    return (
        value.decode("utf-8", "replace")
        if isinstance(value, bytes)
        else value
        if isinstance(value, str)
        else None
    )


Stated = tuple[str | None, tuple[Diagnostic, ...]]


def _stated(name: str, *places: tuple[Mapping[str, Any], str]) -> Stated:
    """The first ``keras_version`` that is one, and a warning for each that is none: the form decides then."""
    odd: list[Diagnostic] = []
    for place, pointer in places:
        value = place.get("keras_version")
        text = _text(value)
        if text is not None and dialects.released(text):
            return text, tuple(odd)
        if value is not None:
            wrong = Diagnostic(
                code="KC108",
                message="`keras_version` is no release of Keras; the form of the file tells which wrote it",
                severity="warning",
                file=name,
                pointer=pointer,
                found=shown(text if isinstance(value, bytes) else value),
                expected='a string such as "2.3.1"',
                hint="say which with --dialect 2.3.1, and see with `kchainer inspect` what it was taken for",
            )
            odd.append(wrong)
    return None, tuple(odd)


def of_config(config: Json, name: str, text: str = "") -> Document:
    """A document of a config that is already there: what ``to_json`` or ``get_config`` gave."""
    if "class_name" not in config and isinstance(config.get("model_config"), dict):
        config = config["model_config"]
    version, odd = _stated(name, (config, "/keras_version"))
    return Document(name, config, text, version, _text(config.get("backend")), odd=odd)


def _hdf5(file: WeightFile, name: str, limits: Limits) -> Document:
    attributes = file.attributes("/")
    text = _text(attributes.get("model_config"))
    if text is None:
        hint = "give the model's JSON as the file and this one with --weights"
        raise _fail("KC105", "the file holds weights only, no model_config", name, hint)
    inside = f"{name}::model_config"
    config = _object(load_json(text, name=inside, limits=limits), inside)
    version, odd = _stated(inside, (attributes, ""), (config, "/keras_version"))
    backend = _text(attributes.get("backend")) or _text(config.get("backend"))
    return Document(inside, config, text, version, backend, file, odd=odd)


def _archive(archive: KerasArchive, name: str, limits: Limits) -> Document:
    inside = f"{name}::config.json"
    config = _object(load_json(archive.config, name=inside, limits=limits), inside)
    metadata = _object(load_json(archive.metadata, name=f"{name}::metadata.json", limits=limits), name)
    text = archive.config.decode("utf-8", "replace")
    version, odd = _stated(f"{name}::metadata.json", (metadata, "/keras_version"))
    return Document(inside, config, text, version, None, archive.weights, archive, odd=odd)


def open_document(path: str | os.PathLike[str], limits: Limits = DEFAULT) -> Document:
    """Open a Keras model file of any kind. Raises KchainerError."""
    name = os.fspath(path)
    file = open_regular(path)
    kind = sniff(file.read(512))
    file.seek(0)
    if kind == "hdf5":
        return _hdf5(WeightFile.open(file, name=name, limits=limits), name, limits)
    if kind == "zip":
        return _archive(KerasArchive.open(file, name=name, limits=limits), name, limits)
    if kind not in ("json", "yaml"):
        hint = "kchainer reads Keras's JSON, YAML, .h5 and .keras"
        raise _fail("KC106", f"this is no Keras model file (content: {kind})", name, hint)
    with file:
        data = read_bytes(file, limits.text_bytes, name)
    load = load_json if kind == "json" else load_yaml
    config = _object(load(data, name=name, limits=limits), name)
    if is_index(config) and "class_name" not in config:
        hint = "give the model's JSON as the file and this one with --weights"
        raise _fail("KC105", "the file is the index of sharded weights and holds no model", name, hint)
    return of_config(config, name, data.decode("utf-8", "replace") if kind == "json" else "")


def open_weights(path: str | os.PathLike[str], limits: Limits = DEFAULT) -> WeightFile:
    """Open a weights file, the index of sharded ones, or the weights of a whole model's file. Raises KchainerError."""
    name = os.fspath(path)
    file = open_regular(path)
    kind = sniff(file.read(512))
    file.seek(0)
    if kind == "hdf5":
        return WeightFile.open(file, name=name, limits=limits)
    if kind == "json":
        with file:
            index = read_bytes(file, limits.text_bytes, name)
        if is_index(load_json(index, name=name, limits=limits)):
            return ShardedWeights(index, os.path.dirname(name), name=name, limits=limits)  # noqa: PTH120  any path
    archive = KerasArchive.open(file, name=name, limits=limits) if kind == "zip" else None
    if archive is None or archive.weights is None:
        raise _fail(
            "KC106",
            f"this is no Keras weights file (content: {kind})",
            name,
            "expected HDF5, .keras, or the .weights.json of sharded weights",
        )
    return archive.weights


def open_archive(path: str | os.PathLike[str], limits: Limits = DEFAULT) -> KerasArchive | None:
    """A file of weights as the .keras that it is, None where it is none. Raises KchainerError."""
    name, file = os.fspath(path), open_regular(path)
    kind = sniff(file.read(512))
    file.seek(0)
    if kind == "zip":
        return KerasArchive.open(file, name=name, limits=limits)
    file.close()
    return None


def _dialect(document: Document, dialect: str | None, keras_backend: str | None) -> Dialect:
    told = dialects.told(document.config, document.keras_version, document.backend)
    if dialect is not None:
        alone = f"the file alone: {told}, by {'; '.join(told.reasons)}"
        try:
            told = dataclasses.replace(dialects.parse(dialect), reasons=("as the caller says", alone))
        except ValueError as wrong:
            raise _fail(
                "KC108", str(wrong), document.name, "for example --dialect 2.3.1 or --dialect tf.keras-2.15"
            ) from None
    told = dataclasses.replace(told, data_format=dialects.common_format(document.config))
    if keras_backend is None:
        return told
    if keras_backend not in dialects.BACKENDS:
        raise _fail(
            "KC108", f"unknown backend `{keras_backend}`", document.name, ", ".join(dialects.BACKENDS)
        )
    backend: Backend = keras_backend  # type: ignore[assignment]
    return dataclasses.replace(told, backend=backend)


def _check_weights(document: Document, matching: Matching) -> None:
    """Weights are there, where the caller says how they are read. Raises KchainerError."""
    if matching.is_partial and document.weights is None:
        message = "by_name and skip_mismatch say how weights are read, and there are none"
        raise _fail("KC104", message, document.name, "give the weights too: --weights FILE")


def read_document(
    document: Document,
    *,
    dialect: str | None = None,
    keras_backend: str | None = None,
    limits: Limits = DEFAULT,
    diagnostics: Diagnostics | None = None,
    allow: Collection[str] = (),
    replacements: Mapping[str, Replacement] | None = None,
    matching: Matching = STRICT,
    lora: How = "merge",
) -> Model:
    """The IR of a document. Raises KchainerError with everything that is wrong."""
    _check_weights(document, matching)
    found = diagnostics if diagnostics is not None else Diagnostics(document.name, limits.diagnostics)
    found.allow(allow)
    told = _dialect(document, dialect, keras_backend)
    for one in document.odd if dialect is None else ():
        found.add(one)
    if (
        told.backend is None
        and told.release < (2,)
        and document.weights is not None
        and _names_of_tensorflow(document.weights)
    ):
        told = dataclasses.replace(
            told, backend="tensorflow", reasons=(*told.reasons, "weight names end in :0")
        )
    slopes = _slopes(document.weights) if document.weights is not None and told.release < (2,) else {}

    def make() -> Translation:
        kept = Assets(document.archive).of
        return Translation(
            told, found, limits, slopes=slopes, kept=kept, replacements=replacements, lora=lora
        )

    translation, network = translated(make, _modern(document, found), found)
    dtype = translation.dtype()
    loaded: dict[tuple[str, str], LazyArray] = {}
    if network is not None and document.weights is not None:
        # layers that no output needs have their arrays in the file all the same
        every = arrays(
            document.weights, translation.owners, translation.builder.layers, told, found, matching
        )
        loaded = {key: array for key, array in every.items() if key[0] in network.layers}
    for layer in network.layers.values() if network is not None else ():
        _check_settings(layer, loaded, found)
    if document.old is not None:
        found.items = [dataclasses.replace(d, pointer=document.old.place(d.pointer)) for d in found.items]
    if found.has_errors or network is None:
        found.located(document.text).raise_if_errors()
        raise _fail("KC104", "the file could not be read", document.name)
    for part in (document.archive, document.weights):
        for odd in part.diagnostics.items if part is not None else ():
            found.add(odd)
    training, gathered = _training(document, translation, network, loaded, limits, matching)
    origin = Origin(document.name, str(told), told.reasons)
    items = tuple(found.located(document.text).items if found.items else ())
    return Model({network.name: network}, origin, loaded, dtype, items, training, gathered)


def _training(
    document: Document,
    translation: Translation,
    network: Network,
    loaded: Mapping[tuple[str, str], LazyArray],
    limits: Limits,
    matching: Matching,
) -> tuple[Training | None, Gathered | None]:
    """What the file says of its training. Whatever is wrong with it is a warning: the network is read."""
    found, weights = translation.diagnostics, document.weights
    try:
        settings = compiled.settings_of(document.config, document.name, weights, limits)
    except KchainerError as error:
        for one in error.diagnostics:
            found.add(dataclasses.replace(one, severity="warning"))
        return None, None
    training = compiled.compiled(settings, network, translation.dialect, found)
    # the state of another model, as a rule, where its weights fit in part; Keras leaves it too
    if training is None or weights is None or settings[0] is None or matching.is_partial:
        return training, None
    return training, compiled.state_of(
        settings[0], training, weights, translation.owners, network, loaded, translation.dialect, found
    )


def _slopes(file: WeightFile) -> dict[str, tuple[int, ...]]:
    """The shape of each PReLU's array: Keras 1.2 does not write ``shared_axes``, so only the array tells."""
    out: dict[str, set[tuple[int, ...]]] = {}
    for path in file.datasets():
        name = path.rpartition("/")[2].removesuffix(":0")
        if name.endswith("_alphas"):
            out.setdefault(name.removesuffix("_alphas"), set()).add(tuple(file.dataset(path).shape))
    return {name: shapes.pop() for name, shapes in out.items() if len(shapes) == 1}


def _modern(document: Document, found: Diagnostics) -> Json:
    """The config, that of Keras 0.3 in the form of later releases."""
    if not keras0.is_keras0(document.config):
        return document.config
    try:
        document.old = keras0.modern(document.config)
    except keras0.Malformed as wrong:
        found.error("KC104", wrong.message, pointer=wrong.pointer)
        found.located(document.text).raise_if_errors()
    assert document.old is not None
    return document.old.config


def _check_settings(layer: Layer, loaded: Mapping[tuple[str, str], object], found: Diagnostics) -> None:
    """What is said of a param has to fit its shape; an initializer only where no array takes its place."""
    for param in layer.params if layer.settings else ():
        for kind in TABLES:
            one = setting(layer.settings, param.name, kind)
            wrong = one.fits(param.shape) if one is not None else None
            if one is None or wrong is None or (kind == "initializer" and (layer.name, param.name) in loaded):
                continue
            found.error(
                "KC301",
                f'{kind} {one.name} of `{param.name}` of "{layer.name}" does not fit: {wrong}',
                pointer=layer.pointer,
            )


def _names_of_tensorflow(file: WeightFile) -> bool:
    return any(path.endswith(":0") for path in file.datasets())
