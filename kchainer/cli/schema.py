"""kchainer schema: the JSON Schemas of kchainer's formats and of Keras configs, for editors and other tools."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

NAMES = ("ir", "spec", "keras")


def _ir() -> Any:
    from kchainer.ir.schema import ir_schema

    return ir_schema()


def _spec() -> Any:
    from kchainer.ir.spec_schema import spec_schema

    return spec_schema()


def _keras() -> Any:
    from kchainer.frontends.keras.schema import keras_schema

    return keras_schema()


SCHEMAS: dict[str, Callable[[], Any]] = {"ir": _ir, "spec": _spec, "keras": _keras}


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("name", nargs="?", choices=NAMES, help="the schema to print; ir where none is named")
    parser.add_argument("--write", metavar="DIR", help="write NAME.schema.json of each into this folder")


def text(name: str) -> str:
    """A schema as it is published."""
    return json.dumps(SCHEMAS[name](), indent=1) + "\n"


def run(args: argparse.Namespace) -> int:
    """Print one, or write all."""
    from kchainer.files import atomic_write

    if args.write is None:
        sys.stdout.write(text(args.name or "ir"))
        return 0
    for name in [args.name] if args.name else NAMES:
        with atomic_write(Path(args.write) / f"{name}.schema.json") as file:
            file.write(text(name).encode())
    return 0
