"""kchainer validate: what is wrong with Keras configs, specs and IR files."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from kchainer.cli import options

SUFFIXES = (".json", ".yaml", ".yml", ".h5", ".hdf5", ".keras")


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("paths", nargs="+", help="files, or folders that are searched for them")
    parser.add_argument("--format", choices=("text", "json", "github"), default="text")
    parser.add_argument("--quiet", action="store_true", help="print problems only")
    options.reading(parser)


def _files(paths: list[str]) -> Iterator[str]:
    for path in paths:
        if Path(path).is_dir():
            yield from (str(p) for p in sorted(Path(path).rglob("*")) if p.suffix in SUFFIXES)
        else:
            yield path


def run(args: argparse.Namespace) -> int:
    """Check each file; 1 where anything is wrong."""
    from kchainer import api
    from kchainer.diagnostics import Diagnostic, KchainerError, render_github, render_json, render_text

    found: list[Diagnostic] = []
    seen: list[str] = []
    bad = 0
    for path in _files(args.paths):
        try:
            model = api.read(
                path,
                dialect=args.dialect,
                keras_backend=args.keras_backend,
                limits=options.limits(args),
                allow=args.allow,
            )
            found += model.warnings
            seen.append(f"{path}: {model.origin.dialect}, {len(model.network.layers)} layers, no problems")
        except KchainerError as error:
            found += error.diagnostics
            bad += 1
    render = {"text": render_text, "json": render_json, "github": render_github}[args.format]
    if found or args.format == "json":
        print(render(tuple(found)), file=sys.stderr if args.format == "text" else sys.stdout)
    if not args.quiet and args.format == "text":
        print("\n".join(seen))
    return 1 if bad else 0
