"""Layers that Keras does not define: composites in data, and functions of Python users."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from kchainer.diagnostics import Diagnostic, Diagnostics, KchainerError
from kchainer.files import DEFAULT, Limits, load_json, load_yaml, open_regular, read_bytes, sniff
from kchainer.frontends import spec
from kchainer.frontends.keras.custom import Made, Replacement
from kchainer.frontends.spec import formula
from kchainer.ir.op import Op, Shape
from kchainer.ir.spec import VERSION

Json = dict[str, Any]
# A layer's config and the shapes it is called on (batch first, None unknown) -> an op, ops in a row, a composite.
Function = Callable[[Json, tuple[Shape, ...]], Any]
Given = str | os.PathLike[str] | Mapping[str, Any] | Function
_OWN_KEYS = ("weights", "supports_masking")
REGISTERED: dict[str, Replacement] = {}


def register(
    *names: str, weights: Mapping[str, str] | None = None, supports_masking: bool = False
) -> Callable[[Function], Function]:
    """Let a function stand for layers of these classes, activations or Lambdas of these names.

    The function gets the layer's config and the shapes it is called on and gives an op, a tuple of ops that are
    called one behind the other, or a composite (a dictionary). Weights are taken as ``docs/custom-layers.md`` says.
    """

    def decorate(function: Function) -> Function:
        for name in names:
            REGISTERED[name] = _of_function(name, function, weights or {}, supports_masking)
        return function

    return decorate


def replacements(custom: Mapping[str, Given] | None, limits: Limits = DEFAULT) -> dict[str, Replacement]:
    """What ``register`` was told and what the caller gives, by name. Raises KchainerError."""
    out = dict(REGISTERED)
    for name, given in (custom or {}).items():
        if callable(given):
            out[name] = _of_function(name, given, {}, False)
        elif isinstance(given, Mapping):
            out[name] = _of_composite(name, dict(given), f"custom {name}", limits)
        else:
            out[name] = _of_composite(name, _loaded(given, limits), os.fspath(given), limits)
    return out


def _wrong(message: str, file: str, hint: str | None = None, pointer: str = "") -> KchainerError:
    return KchainerError(Diagnostic(code="KC104", message=message, file=file, hint=hint, pointer=pointer))


def _loaded(path: str | os.PathLike[str], limits: Limits) -> Json:
    name = os.fspath(path)
    with open_regular(path) as file:
        data = read_bytes(file, limits.text_bytes, name)
    kind = sniff(data[:512])
    if kind not in ("json", "yaml"):
        raise _wrong(f"a composite is JSON or YAML (content: {kind})", name)
    found = (load_json if kind == "json" else load_yaml)(data, name=name, limits=limits)
    if not isinstance(found, dict):
        raise _wrong("a composite is an object with inputs and layers", name)
    return found


def _of_composite(name: str, data: Json, file: str, limits: Limits) -> Replacement:
    if "networks" in data:
        raise _wrong("a composite is one network", file, "inputs and layers", "/networks")
    weights, masking = data.get("weights", {}), data.get("supports_masking", False)
    if not isinstance(weights, dict) or not all(isinstance(v, str) for v in weights.values()):
        raise _wrong(
            "`weights` gives the place of params by name", file, '{"gate/kernel": "vars/0"}', "/weights"
        )
    if not isinstance(masking, bool):
        raise _wrong("`supports_masking` is true or false", file, None, "/supports_masking")
    body = {k: v for k, v in data.items() if k not in _OWN_KEYS}
    body = {"kchainer": VERSION, "kind": "spec"} | body

    def make(config: Json, shapes: tuple[Shape, ...], diagnostics: Diagnostics) -> Made | None:
        return _network(body, config, shapes, file, diagnostics, limits)

    return Replacement(name, make, weights, masking)


def _of_function(name: str, function: Function, weights: Mapping[str, str], masking: bool) -> Replacement:
    def make(config: Json, shapes: tuple[Shape, ...], diagnostics: Diagnostics) -> Made | None:
        made = function(dict(config), shapes)
        if isinstance(made, Mapping):
            body = {"kchainer": VERSION, "kind": "spec"} | dict(made)
            return _network(body, config, shapes, f"custom {name}", diagnostics, DEFAULT)
        ops = made if isinstance(made, tuple) else (made,)
        if not all(isinstance(one, Op) for one in ops):
            raise TypeError(
                f"the function of {name} gave {type(made).__name__}: an op, ops or a composite is needed"
            )
        return ops

    return Replacement(name, make, weights, masking)


def _network(
    body: Json,
    config: Json,
    shapes: tuple[Shape, ...],
    file: str,
    diagnostics: Diagnostics,
    limits: Limits,
) -> Made | None:
    """The composite on these shapes, the layer's config and its formulas put in."""
    found = Diagnostics(file, limits.diagnostics)
    inputs = body.get("inputs")
    stated = inputs if isinstance(inputs, dict) else {"input": inputs}
    if len(stated) != len(shapes):
        message = f"the layer is called on {len(shapes)} values, and its composite has {len(stated)} inputs"
        found.error("KC301", message, pointer="/inputs")
    whole = body | {
        "inputs": {
            name: _input(one, shape, f"/inputs/{name}", found)
            for (name, one), shape in zip(stated.items(), shapes, strict=False)
        },
        "variables": _variables(
            body.get("variables"), config, dict(zip(stated, shapes, strict=False)), found
        ),
    }
    model = (
        None if found.has_errors else spec.read(whole, name=file, diagnostics=found, most_nodes=limits.nodes)
    )
    for item in found.items:
        if item not in diagnostics.items:  # once, however often the layer is called
            diagnostics.add(item)
    return model.network if model is not None else None


def _input(stated: Any, shape: Shape, at: str, found: Diagnostics) -> Json:
    """An input with the sizes that come in; sizes that the composite states have to be these."""
    form = stated if isinstance(stated, dict) else {"shape": stated}
    sizes = form.get("shape")
    if isinstance(sizes, list) and (
        len(sizes) != len(shape) - 1
        or any(isinstance(a, int) and b is not None and a != b for a, b in zip(sizes, shape[1:], strict=True))
    ):
        found.error(
            "KC301", "the composite is for another shape than comes in", pointer=at,
            found=str(list(shape[1:])), expected=str(sizes),
        )  # fmt: skip
    out: Json = {"shape": list(shape[1:])}
    if shape[0] is not None:
        out["batch"] = shape[0]
    return out | ({"dtype": form["dtype"]} if "dtype" in form else {})


def _variables(stated: Any, config: Json, shapes: dict[str, Shape], found: Diagnostics) -> Json:
    """The composite's own variables, what the config says in their place, and formulas of both."""
    own = stated if isinstance(stated, dict) else {}
    arguments = config.get("arguments")  # of a Lambda
    said = config | (arguments if isinstance(arguments, dict) else {})
    values = {k: v for k, v in own.items() if not formula.is_formula(v)} | said
    for name, value in own.items():
        if not formula.is_formula(value):
            continue
        try:
            values[name] = formula.evaluate(value, values | shapes)
        except formula.Unreadable as wrong:
            found.error("KC104", f"`{name}`: {wrong}", pointer=f"/variables/{name}", found=value)
    return values
