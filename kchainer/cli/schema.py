"""kchainer schema: the JSON Schema of IR files."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("--write", metavar="DIR", help="write ir.schema.json into this folder")


def run(args: argparse.Namespace) -> int:
    """Print or write."""
    from kchainer.files import atomic_write
    from kchainer.ir.schema import ir_schema

    text = json.dumps(ir_schema(), indent=1) + "\n"
    if args.write is None:
        sys.stdout.write(text)
        return 0
    with atomic_write(Path(args.write) / "ir.schema.json") as file:
        file.write(text.encode())
    return 0
