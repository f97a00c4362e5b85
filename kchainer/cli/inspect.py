"""kchainer inspect: layers, shapes, parameters, and the signs by which the dialect was told."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator

from kchainer.cli import options
from kchainer.ir.graph import Model, Network


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("file", help="a Keras model, a spec or an IR file")
    options.reading(parser)


def _rows(network: Network) -> list[tuple[str, ...]]:
    from kchainer.diagnostics import escape
    from kchainer.ir.op import show

    rows: list[tuple[str, ...]] = [("layer", "op", "output", "params", "from")]
    counted: set[str] = set()
    for node in network.nodes:
        layer = network.layers[node.layer]
        params = 0 if layer.name in counted else sum(math.prod(p.shape) for p in layer.params)
        counted.add(layer.name)
        sources = ", ".join(escape(network.nodes[i].layer) for i, _ in node.inputs)
        rows.append((escape(layer.name), layer.op.name, show(node.shapes[0]), f"{params:,}", sources))
    return rows


def _training(model: Model) -> Iterator[str]:
    """How the model is trained, as kchainer's own spec writes it."""
    from kchainer.diagnostics import escape
    from kchainer.ir.short_training import shortened

    if model.training is None:
        return
    for key, value in shortened(model.training, model.networks).items():
        yield f"{key.replace('_', ' ')}: {escape(json.dumps(value))}"
    if model.gathered is not None:
        yield f"state of the optimizer: after {model.gathered.steps:,} steps"


def run(args: argparse.Namespace) -> int:
    """Print the table."""
    from kchainer import api
    from kchainer.diagnostics import escape, render_text

    model = api.read(
        args.file,
        dialect=args.dialect,
        keras_backend=args.keras_backend,
        limits=options.limits(args),
        allow=args.allow,
        custom=options.custom(args),
        lora=args.lora,
        variables=options.variables(args),
    )
    if model.warnings:
        print(render_text(model.warnings), file=sys.stderr)
    reasons = "; ".join(model.origin.reasons)
    for name, network in model.networks.items():
        print(f"{escape(name)}  {model.origin.dialect}, {model.dtype}  (told by: {reasons})")
        rows = _rows(network)
        widths = [max(len(row[i]) for row in rows) for i in range(4)]
        for a, b, c, d, e in rows:
            print(f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:<{widths[2]}}  {d:>{widths[3]}}  {e}".rstrip())
    total, trainable = options.count_params(model), options.count_params(model, trainable=True)
    print(f"total {total:,} parameters, {trainable:,} trainable")
    for line in _training(model):
        print(line)
    return 0
