"""`kchainer explain KC103`: what a code means."""

from __future__ import annotations

import argparse
import sys

from kchainer.diagnostics import CODES, Code, escape, suggestion


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("codes", nargs="*", metavar="CODE", help="such as KC103; none lists all codes")


def run(args: argparse.Namespace) -> int:
    """Print the explanations; 2 if a code does not exist."""
    names = [name.upper() for name in args.codes]
    unknown = [name for name in names if name not in CODES]
    for name in unknown:
        sys.stderr.write(f"kchainer explain: no code `{escape(name)}`{_help(name)}\n")
    texts = [_text(CODES[name]) for name in names if name in CODES]
    sys.stdout.write("\n".join(texts) if names else _list())
    return 2 if unknown else 0


def _help(name: str) -> str:
    near = suggestion(name, CODES)
    return f"; {near}" if near else ""


def _list() -> str:
    return "".join(f"{code.code}  {code.title}\n" for code in CODES.values())


def _text(code: Code) -> str:
    return f"{code.code}: {code.title}\n\n{code.explanation}\n\n    {code.example}\n"
