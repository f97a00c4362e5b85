"""The compiled settings of a whole file, and the state of its optimizer. What is not understood is a warning."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from kchainer.diagnostics import Diagnostic, Diagnostics, KchainerError
from kchainer.files import Limits, WeightFile, load_json
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.entries import Owner
from kchainer.frontends.keras.keras0 import is_keras0
from kchainer.frontends.keras.losses.compiled import Output, training_of
from kchainer.frontends.keras.optimizers.gathered import Unread, gathered, rows_of
from kchainer.frontends.keras.optimizers.read import is_legacy
from kchainer.frontends.keras.optimizers.several import gathered_of_several
from kchainer.frontends.keras.weights import fitted, lazy, trained
from kchainer.ir import ops
from kchainer.ir.arrays import LazyArray
from kchainer.ir.graph import Network
from kchainer.ir.patterns import PatternError
from kchainer.ir.training import Gathered, Training

Json = dict[str, Any]
Key = tuple[str, str]
HINT = "the network itself can be used; state optimizer and loss in code to train it"


def settings_of(
    config: Json, name: str, weights: WeightFile | None, limits: Limits
) -> tuple[Json | None, str, str]:
    """The settings, the document they stand in, and the pointer to them there. Raises KchainerError."""
    text = weights.attributes("/").get("training_config") if weights is not None else None
    if "compile_config" in config:
        inside = config["compile_config"]
        return (inside if isinstance(inside, dict) else None), name, "/compile_config"
    if isinstance(text, (str, bytes)):
        where = f"{weights.name}::training_config" if weights is not None else name
        data = load_json(
            text if isinstance(text, str) else text.decode("utf-8", "replace"), name=where, limits=limits
        )
        return (data if isinstance(data, dict) else None), where, ""
    if is_keras0(config):
        return {k: config[k] for k in ("optimizer", "loss") if k in config}, name, ""
    return None, name, ""


def outputs_of(network: Network) -> list[Output]:
    """Names, sizes and activations of a network's outputs."""
    out = []
    for i, value in enumerate(network.outputs):
        layer = network.layers[network.nodes[value[0]].layer]
        name = network.output_names[i] if network.output_names else layer.name.partition("/")[0]
        shape = network.shape(value)
        made_by = "softmax" if isinstance(layer.op, ops.Softmax) and not layer.op.sparse else None
        if isinstance(layer.op, ops.Activation) and layer.op.function == "sigmoid":
            made_by = "sigmoid"
        out.append(Output(name, shape[-1] if shape else None, made_by))
    return out


def compiled(
    found_in: tuple[Json | None, str, str], network: Network, dialect: Dialect, found: Diagnostics
) -> Training | None:
    """The training section, None where there is none or it is not understood: those faults are warnings."""
    settings, name, at = found_in
    training, faults = training_of(settings, dialect, network.name, outputs_of(network))
    for fault in faults:
        found.add(
            Diagnostic(
                code="KC501",
                severity="warning",
                message=fault.message,
                file=name,
                pointer=f"{at}{fault.key}",
                found=fault.found,
                expected=fault.expected,
                hint=fault.hint or HINT,
            )
        )
    return training


def _check_left_out(raw: Any, dialect: Dialect, *, is_archive: bool) -> None:
    """No state, as of a model that was not trained yet. Raises Unread where Keras leaves it out of any file."""
    if is_archive and is_legacy(raw, dialect):
        raise Unread("tf.keras writes none of its older optimizers into .keras files")


def state_of(
    settings: Json,
    training: Training,
    file: WeightFile,
    owners: list[Owner],
    network: Network,
    loaded: Mapping[Key, LazyArray],
    dialect: Dialect,
    found: Diagnostics,
) -> Gathered | None:
    """The state that the file holds of its optimizer; None where there is none, or it cannot be read (KC502)."""
    try:
        rows = rows_of(file, functools.partial(lazy, file))
        raw = settings["optimizer_config" if "optimizer_config" in settings else "optimizer"]
        if not rows[0]:
            _check_left_out(raw, dialect, is_archive="optimizer_config" not in settings)
            return None
        orders = trained(owners, network.layers, loaded, dialect)
        slots = {(layer.name, p.name): (layer, p) for layer in network.layers.values() for p in layer.params}

        def fit(key: Key, array: LazyArray) -> LazyArray | None:
            return fitted(array, slots[key], dialect)

        if len(training.optimizers) > 1:
            return gathered_of_several(raw, training.optimizers, rows[0], orders[0], network.name, fit)
        one = training.optimizers[0].optimizer
        made: list[Gathered] = []
        for order in orders:
            try:
                made.append(gathered(raw, one, rows, order, dialect, fit))
            except Unread:
                if not made and order is orders[-1]:
                    raise
        if len(made) > 1 and made[0].slots:
            raise Unread("the order of its arrays is not known for this release")  # noqa: TRY301  told below
        return made[0]
    except (Unread, PatternError) as reason:
        message = str(reason)
    except KchainerError as error:
        message = error.diagnostics[0].message
    hint = "an optimizer made from this file begins anew"
    found.warn("KC502", f"the state of the optimizer is not read: {message}", pointer="", hint=hint)
    return None
