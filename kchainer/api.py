"""What Python users call: read, load, convert, validate, weights."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from kchainer import custom as customs
from kchainer.diagnostics import Diagnostic, KchainerError, suggestion
from kchainer.emit.plan import Plan, Planner
from kchainer.files import DEFAULT, Limits, breach
from kchainer.frontends.keras import reader
from kchainer.frontends.keras.lora import How
from kchainer.frontends.keras.matching import STRICT, Matching
from kchainer.frontends.sequential2016 import reader as sequential2016
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


def plans_of(model: Model) -> dict[str, Plan]:
    """The plan of each network, by the network's name."""
    return {name: plan_of(part) for name, part in model.parts().items()}


def read(
    path: Path,
    weights: Path | None = None,
    *,
    dialect: str | None = None,
    keras_backend: str | None = None,
    variables: Mapping[str, Any] | None = None,
    limits: Limits = DEFAULT,
    allow: Collection[str] = (),
    custom: Mapping[str, customs.Given] | None = None,
    by_name: bool = False,
    skip_mismatch: bool = False,
    lora: How = "merge",
) -> Model:
    """Read a model file: Keras's JSON, YAML, .h5, .keras; kchainer's own spec and IR; chainer-sequential's JSON.

    Args:
        path: the model.
        weights: its weights where they are in a file of their own (.h5, .weights.h5, a whole model's .h5, .keras).
        dialect: the Keras that wrote it ("1.2.2", "tf.keras 2.15"), where the file's own signs mislead.
        keras_backend: "theano" or "tensorflow", where a Keras 1 file does not say.
        variables: values in place of those that a spec's ``variables`` give.
        limits: what a file may ask for at most.
        allow: codes that are warnings then; only KC206: computed in another precision than the file says.
        custom: what stands for layers that Keras does not define, by class name, registered name, or a Lambda's
            layer name: the path of a composite, a dictionary of one, or a function (docs/custom-layers.md).
        by_name: layers take the arrays of the layers of their names in a legacy .h5, as Keras's ``load_weights`` does
            with ``by_name=True``; the others keep initial values, of which a warning tells.
        skip_mismatch: arrays of another shape (with ``by_name`` also layers of another number of arrays, and with v3
            files all that is missing) are left out with a warning, as Keras's ``skip_mismatch=True`` does.
        lora: "merge" adds what LoRA learned to the kernels, which learn then; "keep" trains as Keras does, with
            kernels that stay and the two matrices of each beside them.

    Returns:
        The IR; arrays are read when they are needed.

    Raises:
        KchainerError: with everything that is wrong, in ``diagnostics``.
    """
    document = reader.open_document(path, limits)
    if weights is not None:
        document.weights = reader.open_weights(weights, limits)
        document.archive = document.archive or reader.open_archive(weights, limits)  # vocabularies
    return read_document(
        document,
        dialect=dialect,
        keras_backend=keras_backend,
        variables=variables,
        limits=limits,
        allow=allow,
        custom=custom,
        matching=Matching(by_name, skip_mismatch),
        lora=lora,
    )


def read_document(
    document: reader.Document,
    *,
    dialect: str | None = None,
    keras_backend: str | None = None,
    variables: Mapping[str, Any] | None = None,
    limits: Limits = DEFAULT,
    allow: Collection[str] = (),
    custom: Mapping[str, customs.Given] | None = None,
    matching: Matching = STRICT,
    lora: How = "merge",
) -> Model:
    """The IR of a file that is open: kchainer's own formats are told by the key ``kchainer``. Raises KchainerError."""
    if matching.is_partial and ("kchainer" in document.config or sequential2016.recognises(document.config)):
        raise _refused(document.name, "by_name and skip_mismatch are for Keras's files; this is none")
    if lora not in ("merge", "keep"):
        raise _refused(document.name, "`lora` is merge or keep")
    if "kchainer" in document.config:
        if document.weights is not None:
            raise _refused(
                document.name, "a file of weights goes with Keras's and chainer-sequential's files only"
            )
        return _own(document.config | _changed(document, variables), document.name, document.text, limits)
    if variables:
        raise _refused(document.name, "variables are those of kchainer's spec; this file has none")
    if sequential2016.recognises(document.config):
        return _within(sequential2016.read_document(document, limits=limits), limits)
    return _within(
        reader.read_document(
            document,
            dialect=dialect,
            keras_backend=keras_backend,
            limits=limits,
            allow=allow,
            replacements=customs.replacements(custom, limits),
            matching=matching,
            lora=lora,
        ),
        limits,
    )


def _within(model: Model, limits: Limits) -> Model:
    """The model, if its params are no larger than the limits. Raises KchainerError."""
    networks = model.networks.values()
    sizes = [math.prod(p.shape) for one in networks for layer in one.layers.values() for p in layer.params]
    name = model.origin.file
    if max(sizes, default=0) > limits.tensor_elements:
        raise breach(limits, "tensor_elements", "the number of values of a param", max(sizes), name)
    if 4 * sum(sizes) > limits.model_bytes:
        raise breach(limits, "model_bytes", "the size of all params", 4 * sum(sizes), name)
    return model


def from_spec(spec: Mapping[str, Any] | str, *, limits: Limits = DEFAULT) -> Model:
    """The IR of kchainer's own spec or of an IR file: a dictionary, or JSON text. Raises KchainerError."""
    import json

    from kchainer.files import load_json

    text = spec if isinstance(spec, str) else json.dumps(spec)
    data = load_json(text, name="spec", limits=limits)
    return _own(data if isinstance(data, dict) else {}, "spec", text, limits)


def _refused(name: str, message: str, hint: str | None = None) -> KchainerError:
    return KchainerError(Diagnostic(code="KC104", message=message, file=name, hint=hint))


def _changed(document: reader.Document, variables: Mapping[str, Any] | None) -> dict[str, Any]:
    """The ``variables`` of a spec with other values. Raises KchainerError for one that it has not."""
    have = document.config.get("variables", {})
    if not variables or not isinstance(have, dict):
        return {}
    for name in variables:
        if name not in have:
            hint = suggestion(name, have) or f"it has {', '.join(have) or 'none'}"
            raise _refused(document.name, f"the spec has no variable `{name}`", hint)
    return {"variables": have | dict(variables)}


def _own(data: dict[str, Any], name: str, text: str, limits: Limits) -> Model:
    """A model in one of kchainer's own formats, told by ``kind``. Raises KchainerError."""
    from kchainer.diagnostics import Diagnostics
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
    return _within(model, limits)


def read_text(text: str, name: str, *, limits: Limits = DEFAULT) -> Model:
    """The IR of a JSON text of any kind that ``read`` takes; ``name`` stands in messages. Raises KchainerError."""
    from kchainer.files import load_json

    data = load_json(text, name=name, limits=limits)
    if isinstance(data, dict) and "kchainer" in data:
        return _own(data, name, text, limits)
    return read_document(reader.of_config(data, name, text), limits=limits)


def from_keras(
    config: Mapping[str, Any] | str,
    weights: Path | None = None,
    *,
    dialect: str | None = None,
    keras_backend: str | None = None,
    limits: Limits = DEFAULT,
    allow: Collection[str] = (),
    custom: Mapping[str, customs.Given] | None = None,
) -> Model:
    """The IR of a Keras config: a dictionary, or the text of ``to_json()``. Raises KchainerError."""
    from kchainer.files import load_json

    text = config if isinstance(config, str) else ""
    data = load_json(config, name="config", limits=limits) if isinstance(config, str) else dict(config)
    document = reader.of_config(data, "config", text)
    if weights is not None:
        document.weights = reader.open_weights(weights, limits)
        document.archive = document.archive or reader.open_archive(weights, limits)  # vocabularies
    return _within(
        reader.read_document(
            document,
            dialect=dialect,
            keras_backend=keras_backend,
            limits=limits,
            allow=allow,
            replacements=customs.replacements(custom, limits),
        ),
        limits,
    )


def to_chainer(model: Model) -> Any:
    """The running network of a model: a ``chainer.Sequential`` or a ``chainer.Chain``, weights in place.

    A model of several networks becomes a ``chainer.Chain`` of them: ``nets.q_a_x(x)``, ``nets["q_a_x"](x)``.
    """
    from kchainer.backends.chainer import Networks, build

    if len(model.networks) == 1:
        return build(model, plan_of(model))
    nets = Networks({name: build(part, plan_of(part)) for name, part in model.parts().items()})
    nets.model = dataclasses.replace(model, arrays={})
    return nets


def to_optimizer(model: Model, net: Any) -> Any:
    """The optimizer that a model names, set up on its running network; see ``Model.to_optimizer``."""
    from kchainer.backends.chainer.trained import optimizer_for

    return optimizer_for(model, net)


def to_source(model: Model) -> str:
    """The same network as a Chainer program."""
    from kchainer.backends.source import program

    return program(plans_of(model), model.dtype, model.origin.dialect)


def load(
    path: Path,
    weights: Path | None = None,
    *,
    dialect: str | None = None,
    keras_backend: str | None = None,
    variables: Mapping[str, Any] | None = None,
    limits: Limits = DEFAULT,
    allow: Collection[str] = (),
    custom: Mapping[str, customs.Given] | None = None,
    by_name: bool = False,
    skip_mismatch: bool = False,
    lora: How = "merge",
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
    model = read(
        path,
        weights,
        dialect=dialect,
        keras_backend=keras_backend,
        variables=variables,
        limits=limits,
        allow=allow,
        custom=custom,
        by_name=by_name,
        skip_mismatch=skip_mismatch,
        lora=lora,
    )
    return to_chainer(model)


def convert(
    src: Path,
    out: Path,
    weights: Path | None = None,
    *,
    dialect: str | None = None,
    keras_backend: str | None = None,
    limits: Limits = DEFAULT,
    allow: Collection[str] = (),
    custom: Mapping[str, customs.Given] | None = None,
    by_name: bool = False,
    skip_mismatch: bool = False,
    lora: How = "merge",
) -> Model:
    """Write the folder that ``kchainer convert`` writes; arguments and errors as in ``read``."""
    from kchainer import bundle

    model = read(
        src,
        weights,
        dialect=dialect,
        keras_backend=keras_backend,
        limits=limits,
        allow=allow,
        custom=custom,
        by_name=by_name,
        skip_mismatch=skip_mismatch,
        lora=lora,
    )
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
    """The arrays of a network that ``load`` made, under Keras's paths and in Keras's layout.

    Those of a chain of several networks have the network's name before: ``q_a_x/linear_1/kernel``.
    """
    from kchainer.backends.chainer import Networks
    from kchainer.backends.chainer.build import arrays_of

    if isinstance(net, Networks):
        parts = {name: arrays_of(net[name]) for name in net.attributes}
        return {f"{name}/{path}": value for name, arrays in parts.items() for path, value in arrays.items()}
    return arrays_of(net)


def validate(
    path: Path,
    *,
    dialect: str | None = None,
    keras_backend: str | None = None,
    limits: Limits = DEFAULT,
    allow: Collection[str] = (),
    custom: Mapping[str, customs.Given] | None = None,
) -> tuple[Diagnostic, ...]:
    """What is wrong with a file, and what is odd; empty when it is fine. Never raises for bad input."""
    from kchainer.diagnostics import KchainerError

    try:
        return read(
            path, dialect=dialect, keras_backend=keras_backend, limits=limits, allow=allow, custom=custom
        ).warnings
    except KchainerError as error:
        return error.diagnostics


def to_spec(model: Model) -> dict[str, Any]:
    """The model in kchainer's own short JSON, without its arrays."""
    from kchainer.backends.spec import spec

    return spec(model)


BACKENDS["chainer"] = to_chainer
BACKENDS["optimizer"] = to_optimizer
BACKENDS["spec"] = to_spec
BACKENDS["source"] = to_source
