"""kchainer validate: what is wrong with Keras configs, specs and IR files."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kchainer.cli import options

if TYPE_CHECKING:
    from kchainer.checking import Checked

SUFFIXES = (".json", ".yaml", ".yml", ".h5", ".hdf5", ".keras")
WEIGHTS = (".weights.h5", ".weights.json")  # which hold no model; one that is named is told so


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("paths", nargs="+", help="files, or folders that are searched for them")
    parser.add_argument("--format", choices=("text", "json", "github"), default="text")
    parser.add_argument("--quiet", action="store_true", help="print problems only")
    parser.add_argument(
        "--engine",
        choices=("typed", "jsonschema"),
        default="typed",
        help="typed: the whole check; jsonschema: what the published schema says, by the jsonschema package",
    )
    options.reading(parser)


def files(paths: Sequence[str]) -> Iterator[str]:
    """The files that are named, and those that folders hold."""
    for path in paths:
        if Path(path).is_dir():
            found = (p for p in sorted(Path(path).rglob("*")) if p.suffix in SUFFIXES and p.is_file())
            yield from (str(p) for p in found if not p.name.endswith(WEIGHTS))
        else:
            yield path


def _counted(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def summary(checked: Sequence[Checked], seconds: float) -> str:
    """The last line: how many problems in how many files of which kinds."""
    counts = Counter(d.severity for one in checked for d in one.diagnostics)
    told = [_counted(counts[s], s) for s in ("error", "warning") if counts[s]]
    where = _counted(len(checked), "file")
    kinds = Counter(one.kind or "of no known kind" for one in checked)
    what = ", ".join(f"{number:,} {kind}" for kind, number in kinds.most_common())
    if len(checked) == 1:
        (one,) = checked
        return f"{' and '.join(told)} in 1 file ({one})" if told else f"{one.file}: {one}, no problems"
    if told:
        bad = sum(bool(one.diagnostics) for one in checked)
        return f"{' and '.join(told)} in {bad:,} of {where} ({seconds:.1f} s): {what}"
    return f"{where}, no problems ({seconds:.1f} s)" + (f": {what}" if what else "")


def _as_json(checked: Sequence[Checked]) -> str:
    from kchainer.diagnostics import render_json

    listed = [
        {"file": one.file, "kind": one.kind, "written_by": one.written_by, "layers": one.layers}
        for one in checked
    ]
    found = json.loads(render_json(d for one in checked for d in one.diagnostics))
    return json.dumps({"files": listed, "diagnostics": found}, indent=2)


def run(args: argparse.Namespace) -> int:
    """Check each file; 1 where anything is wrong."""
    from kchainer.checking import check
    from kchainer.diagnostics import render_github, render_text

    start = time.perf_counter()
    limits = options.limits(args)
    checked = [
        check(
            path,
            dialect=args.dialect,
            keras_backend=args.keras_backend,
            limits=limits,
            engine=args.engine,
            allow=args.allow,
            custom=options.custom(args),
        )
        for path in files(args.paths)
    ]
    if not checked:
        print(
            f"kchainer validate: {', '.join(args.paths)} holds no file ({', '.join(SUFFIXES)})",
            file=sys.stderr,
        )
        return 1
    found = [d for one in checked for d in one.diagnostics]
    if args.format == "json":
        print(_as_json(checked))
    elif found and args.format == "github":
        print(render_github(found))
    elif found:
        print(render_text(found) + "\n", file=sys.stderr)
    if args.format != "json" and not args.quiet:
        print(summary(checked, time.perf_counter() - start))
    return 1 if any(one.is_bad for one in checked) else 0
