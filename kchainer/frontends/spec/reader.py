"""Spec files to the IR: variables put in, every place checked, defaults filled in, layers called in order."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from kchainer.diagnostics import Diagnostics
from kchainer.frontends.spec.network import Reader
from kchainer.frontends.spec.variables import expanded
from kchainer.ir.graph import Model, Network, Origin
from kchainer.ir.op import Problem
from kchainer.ir.records import Broken, say, token
from kchainer.ir.short_training import expanded as expanded_training
from kchainer.ir.spec import is_current
from kchainer.ir.spec_schema import SPEC
from kchainer.ir.training import Training, misplaced

Json = dict[str, Any]
NAME = "model"  # of a network that has none
# Classes of Keras that have another name here.
_OPS_OF_KERAS = {
    r"Conv[123]D": "Convolution",
    r"Conv[123]DTranspose": "TransposedConvolution",
    r"DepthwiseConv[12]D": "DepthwiseConvolution",
    r"SeparableConv[12]D": "SeparableConvolution",
    r"(Max|Average)Pooling[123]D": "Pooling",
    r"Global(Max|Average)Pooling[123]D": "GlobalPooling",
    r"Adaptive(Max|Average)Pooling[123]D": "AdaptivePooling",
    r"(Leaky)?ReLU": "Relu",
    r"ELU": "Elu",
    r"PReLU": "PRelu",
    r"(Add|Subtract|Multiply|Average|Maximum|Minimum)": "Merge",
    r"(Cropping|UpSampling|ZeroPadding|SpatialDropout)[123]D": r"\1",
    r"InputLayer": "inputs",
}


def _ours(name: str) -> str | None:
    """The op that does what a class of Keras does."""
    for pattern, op in _OPS_OF_KERAS.items():
        if match := re.fullmatch(pattern, name):
            return f"`{match.expand(op)}` does what Keras's {name} does"
    return None


def _say(diagnostics: Diagnostics, problem: Problem, data: Json) -> None:
    if problem.kind == "op" and (hint := _ours(str(problem.found))):
        message = f"unknown op `{problem.found}`"
        diagnostics.error("KC201", message, pointer=problem.pointer, hint=hint)
        return
    say(diagnostics, problem, data)


def read(data: Json, *, name: str, diagnostics: Diagnostics, most_nodes: int) -> Model | None:
    """The model of a spec; None where something is wrong, all of which is reported with its place."""
    if not is_current(data, diagnostics):
        return None
    whole, missing = expanded(data, diagnostics)
    broken = Broken()
    for at in missing:
        broken.add(at)
    for problem in SPEC.problems(whole, ""):
        if problem.pointer not in missing:
            _say(diagnostics, problem, whole)
        broken.add(problem.pointer)
    defaults = whole.get("defaults", {}) if broken.fine("/defaults") else {}
    made: dict[str, Network] = {}
    for key, network, at in _networks(whole):
        reader = Reader(key, network, at, defaults, broken, diagnostics, most_nodes=most_nodes)
        read_one = reader.network()
        if read_one is not None:
            made[key] = read_one
    if diagnostics.has_errors:
        return None
    training = _training(whole, made, diagnostics)
    if diagnostics.has_errors:
        return None
    origin = Origin(name, "kchainer spec", ("it says so",))
    dtype = whole.get("dtype", "float32")
    return Model(made, origin, {}, dtype, tuple(diagnostics.items), training)


def _training(whole: Json, networks: dict[str, Network], diagnostics: Diagnostics) -> Training | None:
    """The training section, its references checked."""
    if "training" not in whole:
        return None
    data, wrong = expanded_training(whole["training"], networks)
    training = None
    if not wrong:
        training = Training.from_json(data)
        outputs = {name: len(network.outputs) for name, network in networks.items()}
        wrong = [
            dataclasses.replace(p, pointer=p.pointer.replace("/objectives/", "/losses/", 1))
            for p in misplaced(training, outputs, "")
        ]
    for problem in wrong:
        say(diagnostics, dataclasses.replace(problem, pointer=f"/training{problem.pointer}"), whole)
    return training


def _networks(whole: Json) -> list[tuple[str, Any, str]]:
    """Name, data and place of each network."""
    if "networks" not in whole:
        name = whole.get("name", NAME)
        return [(name if isinstance(name, str) else NAME, whole, "")]
    networks = whole["networks"]
    pairs = networks.items() if isinstance(networks, dict) else ()
    return [(name, network, f"/networks/{token(name)}") for name, network in pairs]
