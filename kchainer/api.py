"""What Python users call: read, load, convert, validate, weights."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kchainer.diagnostics import Diagnostic
from kchainer.emit.plan import Plan, Planner
from kchainer.files import DEFAULT, Limits
from kchainer.frontends.keras import reader
from kchainer.ir.graph import BACKENDS, Model
from kchainer.passes.layout import lay_out

if TYPE_CHECKING:
    import chainer
    import numpy as np

Path = str | os.PathLike[str]


def plan_of(model: Model) -> Plan:
    """The Chainer calls of a model's network, as data."""
    import kchainer.emit  # fills the table of emissions

    assert kchainer.emit
    laid = lay_out(model.network)
    return Planner(
        laid.network, laid.orders, laid.shape, transposes=laid.transposes, is_linear=model.network.is_linear
    ).plan()


def read(
    path: Path,
    weights: Path | None = None,
    *,
    dialect: str | None = None,
    keras_backend: str | None = None,
    limits: Limits = DEFAULT,
) -> Model:
    """Read a model file: Keras's JSON, YAML, .h5, .keras, kchainer's own spec (JSON, YAML) or IR.

    Args:
        path: the model.
        weights: its weights where they are in a file of their own (.h5, .weights.h5, a whole model's .h5, .keras).
        dialect: the Keras that wrote it ("1.2.2", "tf.keras 2.15"), where the file's own signs mislead.
        keras_backend: "theano" or "tensorflow", where a Keras 1 file does not say.
        limits: what a file may ask for at most.

    Returns:
        The IR; arrays are read when they are needed.

    Raises:
        KchainerError: with everything that is wrong, in ``diagnostics``.
    """
    document = reader.open_document(path, limits)
    if weights is not None:
        document.weights = reader.open_weights(weights, limits)
    return read_document(document, dialect=dialect, keras_backend=keras_backend, limits=limits)


def read_document(
    document: reader.Document,
    *,
    dialect: str | None = None,
    keras_backend: str | None = None,
    limits: Limits = DEFAULT,
) -> Model:
    """The IR of a file that is open: kchainer's own formats are told by the key ``kchainer``. Raises KchainerError."""
    if "kchainer" in document.config:
        return _own(document.config, document.name, document.text, limits)
    return reader.read_document(document, dialect=dialect, keras_backend=keras_backend, limits=limits)


def from_spec(spec: Mapping[str, Any] | str, *, limits: Limits = DEFAULT) -> Model:
    """The IR of kchainer's own spec or of an IR file: a dictionary, or JSON text. Raises KchainerError."""
    import json

    from kchainer.files import load_json

    text = spec if isinstance(spec, str) else json.dumps(spec)
    data = load_json(text, name="spec", limits=limits)
    return _own(data if isinstance(data, dict) else {}, "spec", text, limits)


def _own(data: dict[str, Any], name: str, text: str, limits: Limits) -> Model:
    """A model in one of kchainer's own formats, told by ``kind``. Raises KchainerError."""
    from kchainer.diagnostics import Diagnostics, suggestion
    from kchainer.frontends import spec
    from kchainer.ir.spec import from_json

    readers = {"ir": from_json, "spec": spec.read}
    found = Diagnostics(name, limits.diagnostics)
    kind = data.get("kind")
    model = None
    if isinstance(kind, str) and kind in readers:
        model = readers[kind](data, name=name, diagnostics=found, most_nodes=limits.nodes)
    else:
        found.error(
            "KC104" if "kind" in data else "KC105",
            "`kind` says which of kchainer's formats a file has",
            pointer="/kind" if "kind" in data else "",
            found=str(kind)[:80] if "kind" in data else None,
            expected=" or ".join(f'"{k}"' for k in readers),
            hint=suggestion(kind, readers) if isinstance(kind, str) else None,
        )
    found.located(text).raise_if_errors()
    assert model is not None
    return model


def from_keras(
    config: Mapping[str, Any] | str,
    weights: Path | None = None,
    *,
    dialect: str | None = None,
    keras_backend: str | None = None,
    limits: Limits = DEFAULT,
) -> Model:
    """The IR of a Keras config: a dictionary, or the text of ``to_json()``. Raises KchainerError."""
    from kchainer.files import load_json

    text = config if isinstance(config, str) else ""
    data = load_json(config, name="config", limits=limits) if isinstance(config, str) else dict(config)
    document = reader.of_config(data, "config", text)
    if weights is not None:
        document.weights = reader.open_weights(weights, limits)
    return reader.read_document(document, dialect=dialect, keras_backend=keras_backend, limits=limits)


def to_chainer(model: Model) -> Any:
    """The running network of a model: a ``chainer.Sequential`` or a ``chainer.Chain``, weights in place."""
    from kchainer.backends.chainer import build

    return build(model, plan_of(model))


def to_source(model: Model) -> str:
    """The same network as a Chainer program."""
    from kchainer.backends.source import program

    return program(plan_of(model), model.dtype, model.origin.dialect)


def load(
    path: Path,
    weights: Path | None = None,
    *,
    dialect: str | None = None,
    keras_backend: str | None = None,
    limits: Limits = DEFAULT,
) -> Any:
    """A Keras model file as a running Chainer network; arguments and errors as in ``read``.

    Returns:
        A ``chainer.Sequential`` where the layers stand in a row, else a ``chainer.Chain``. Call it with arrays in
        Keras's shapes; ``net.predict(x)`` gives arrays without training or graph. A folder that ``convert`` wrote
        is read back as it was written, and compared with its test vector.
    """
    if os.path.isdir(path):  # noqa: PTH112  paths of any kind
        from kchainer import bundle

        return bundle.load(path, limits=limits)
    return to_chainer(read(path, weights, dialect=dialect, keras_backend=keras_backend, limits=limits))


def convert(
    src: Path,
    out: Path,
    weights: Path | None = None,
    *,
    dialect: str | None = None,
    keras_backend: str | None = None,
    limits: Limits = DEFAULT,
) -> Model:
    """Write the folder that ``kchainer convert`` writes; arguments and errors as in ``read``."""
    from kchainer import bundle

    model = read(src, weights, dialect=dialect, keras_backend=keras_backend, limits=limits)
    bundle.write(model, out)
    return model


def verify(folder: Path, reference: Path | None = None) -> list[float]:
    """The largest difference of each output of a converted folder from a reference, by the output's scale.

    The reference is an ``.npz`` with inputs ``x0...`` and outputs ``y0...``; the folder's own test vector where
    none is given. Raises KchainerError.
    """
    from kchainer import bundle

    return bundle.compare(bundle.load(folder, check=False), reference or os.path.join(folder, "check.npz"))  # noqa: PTH118


def weights(net: chainer.Link) -> dict[str, np.ndarray[Any, Any]]:
    """The arrays of a network that ``load`` made, under Keras's paths and in Keras's layout."""
    from kchainer.backends.chainer.build import arrays_of

    return arrays_of(net)


def validate(
    path: Path, *, dialect: str | None = None, keras_backend: str | None = None, limits: Limits = DEFAULT
) -> tuple[Diagnostic, ...]:
    """What is wrong with a file, and what is odd; empty when it is fine. Never raises for bad input."""
    from kchainer.diagnostics import KchainerError

    try:
        return read(path, dialect=dialect, keras_backend=keras_backend, limits=limits).warnings
    except KchainerError as error:
        return error.diagnostics


def to_spec(model: Model) -> dict[str, Any]:
    """The model in kchainer's own short JSON, without its arrays."""
    from kchainer.backends.spec import spec

    return spec(model)


BACKENDS["chainer"] = to_chainer
BACKENDS["spec"] = to_spec
BACKENDS["source"] = to_source
