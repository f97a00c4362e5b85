"""Options and figures that several commands share."""

from __future__ import annotations

import argparse
import json
from typing import Any

from kchainer.ir.graph import Model


def reading(parser: argparse.ArgumentParser) -> None:
    """Options that say how a file is read."""
    parser.add_argument("--dialect", help="the Keras that wrote the file, e.g. 1.2.2 or tf.keras-2.15")
    parser.add_argument("--keras-backend", help="its backend where the file does not say: theano, tensorflow")
    parser.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="CODE",
        help="take errors of this code as warnings: KC206",
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a variable of a spec"
    )
    parser.add_argument(
        "--custom",
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="a composite that stands for the layers of a class, or for a Lambda of this name",
    )
    parser.add_argument(
        "--lora", choices=("merge", "keep"), default="merge", help="LoRA: added to the kernels, or kept apart"
    )
    parser.add_argument("--limit", action="append", default=[], metavar="NAME=VALUE", help="raise a limit")


def custom(args: argparse.Namespace) -> dict[str, Any]:
    """What ``--custom NAME=FILE`` says."""
    from kchainer.diagnostics import Diagnostic, KchainerError

    out = {}
    for one in args.custom:
        name, equals, file = one.partition("=")
        if not (name and equals and file):
            message = f"`--custom {one}` is no NAME=FILE"
            hint = "for example --custom Mish=mish.yaml"
            raise KchainerError(Diagnostic(code="KC104", message=message, hint=hint))
        out[name] = file
    return out


def variables(args: argparse.Namespace) -> dict[str, Any]:
    """What ``--set NAME=VALUE`` says; values are JSON, or text where they are none."""
    from kchainer.diagnostics import Diagnostic, KchainerError

    out: dict[str, Any] = {}
    for one in args.set:
        name, equals, text = one.partition("=")
        if not equals:
            message = f"`--set {one}` is no NAME=VALUE"
            raise KchainerError(Diagnostic(code="KC104", message=message, hint="for example --set width=100"))
        try:
            out[name] = json.loads(text)
        except ValueError:
            out[name] = text
    return out


def limits(args: argparse.Namespace) -> Any:
    """The limits that ``--limit`` asks for."""
    from kchainer.files import DEFAULT

    return DEFAULT.changed(args.limit)


def count_params(model: Model, *, trainable: bool = False) -> int:
    """The number of values in all params, shared ones once."""
    import math

    return sum(
        math.prod(p.shape)
        for network in model.networks.values()
        for layer in network.layers.values()
        for p in layer.params
        if not trainable or (p.trainable and layer.trainable)
    )


def bytes_of(size: int) -> str:
    """A size as tables show it."""
    for unit, factor in (("MB", 1_000_000), ("kB", 1_000)):
        if size >= factor:
            return f"{size / factor:,.0f} {unit}"
    return f"{size} B"
