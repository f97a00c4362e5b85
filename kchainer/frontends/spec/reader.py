"""Spec files to the IR: variables put in, every place checked, defaults filled in, layers called in order."""

from __future__ import annotations

from typing import Any

from kchainer.diagnostics import Diagnostics
from kchainer.frontends.spec.network import Reader
from kchainer.frontends.spec.variables import expanded
from kchainer.ir.graph import Model, Network, Origin
from kchainer.ir.op import Problem
from kchainer.ir.records import Broken, say, token
from kchainer.ir.spec import is_current
from kchainer.ir.spec_schema import SPEC

Json = dict[str, Any]
# Keys that have a meaning which this kchainer does not read yet.
RESERVED = {
    "/training": "optimizers, losses and schedules",
    "/defaults/normalization": "a normalisation behind every layer",
    "/defaults/weight_normalization": "weight normalisation of every layer",
}
NAME = "model"  # of a network that has none


def _say(diagnostics: Diagnostics, problem: Problem, data: Json) -> None:
    if problem.kind != "unknown" or problem.pointer not in RESERVED:
        say(diagnostics, problem, data)
        return
    message = f"`{problem.pointer[1:]}` ({RESERVED[problem.pointer]}) is not read yet"
    diagnostics.error("KC205", message, pointer=problem.pointer)


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
    origin = Origin(name, "kchainer spec", ("it says so",))
    return Model(made, origin, {}, whole.get("dtype", "float32"), tuple(diagnostics.items))


def _networks(whole: Json) -> list[tuple[str, Any, str]]:
    """Name, data and place of each network."""
    if "networks" not in whole:
        name = whole.get("name", NAME)
        return [(name if isinstance(name, str) else NAME, whole, "")]
    networks = whole["networks"]
    pairs = networks.items() if isinstance(networks, dict) else ()
    return [(name, network, f"/networks/{token(name)}") for name, network in pairs]
