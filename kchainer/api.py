"""What Python users call: read, load, convert, validate, weights."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
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
    allow: Collection[str] = (),
) -> Model:
    """Read a Keras model file: JSON, YAML, .h5, .keras.

    Args:
        path: the model.
        weights: its weights where they are in a file of their own (.h5, .weights.h5, a whole model's .h5, .keras).
        dialect: the Keras that wrote it ("1.2.2", "tf.keras 2.15"), where the file's own signs mislead.
        keras_backend: "theano" or "tensorflow", where a Keras 1 file does not say.
        limits: what a file may ask for at most.
        allow: codes that are warnings then; only KC206: computed in another precision than the file says.

    Returns:
        The IR; arrays are read when they are needed.

    Raises:
        KchainerError: with everything that is wrong, in ``diagnostics``.
    """
    document = reader.open_document(path, limits)
    if weights is not None:
        document.weights = reader.open_weights(weights, limits)
    if "kchainer" in document.config:
        return _own(document.config, document.name, document.text, limits)
    return reader.read_document(
        document, dialect=dialect, keras_backend=keras_backend, limits=limits, allow=allow
    )


def _own(data: dict[str, Any], name: str, text: str, limits: Limits) -> Model:
    """A model in kchainer's own JSON. Raises KchainerError."""
    from kchainer.diagnostics import Diagnostics
    from kchainer.ir.spec import from_json

    found = Diagnostics(name, limits.diagnostics)
    model = from_json(data, name=name, diagnostics=found, most_nodes=limits.nodes)
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
    allow: Collection[str] = (),
) -> Model:
    """The IR of a Keras config: a dictionary, or the text of ``to_json()``. Raises KchainerError."""
    from kchainer.files import load_json

    text = config if isinstance(config, str) else ""
    data = load_json(config, name="config", limits=limits) if isinstance(config, str) else dict(config)
    document = reader.of_config(data, "config", text)
    if weights is not None:
        document.weights = reader.open_weights(weights, limits)
    return reader.read_document(
        document, dialect=dialect, keras_backend=keras_backend, limits=limits, allow=allow
    )


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
    allow: Collection[str] = (),
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
    return to_chainer(
        read(path, weights, dialect=dialect, keras_backend=keras_backend, limits=limits, allow=allow)
    )


def convert(
    src: Path,
    out: Path,
    weights: Path | None = None,
    *,
    dialect: str | None = None,
    keras_backend: str | None = None,
    limits: Limits = DEFAULT,
    allow: Collection[str] = (),
) -> Model:
    """Write the folder that ``kchainer convert`` writes; arguments and errors as in ``read``."""
    from kchainer import bundle

    model = read(src, weights, dialect=dialect, keras_backend=keras_backend, limits=limits, allow=allow)
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
    path: Path,
    *,
    dialect: str | None = None,
    keras_backend: str | None = None,
    limits: Limits = DEFAULT,
    allow: Collection[str] = (),
) -> tuple[Diagnostic, ...]:
    """What is wrong with a file, and what is odd; empty when it is fine. Never raises for bad input."""
    from kchainer.diagnostics import KchainerError

    try:
        return read(path, dialect=dialect, keras_backend=keras_backend, limits=limits, allow=allow).warnings
    except KchainerError as error:
        return error.diagnostics


BACKENDS["chainer"] = to_chainer
BACKENDS["source"] = to_source
