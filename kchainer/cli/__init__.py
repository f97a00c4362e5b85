"""The command line: one module a command, imported when it is chosen."""

from __future__ import annotations

import argparse
import errno
import os
import signal
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import TextIO

COMMANDS = {
    "convert": "write a Keras model as Chainer source, weights (.npz) and a checked model",
    "validate": "check specs and Keras configs; exit 1 if anything is wrong",
    "inspect": "layers, shapes, parameters, and what the dialect was told by",
    "verify": "compare a converted model with its test vector or a reference",
    "schema": "print the JSON Schemas",
    "explain": "what a code means: kchainer explain KC103",
    "doctor": "what was found and repaired, and why a GPU is not available",
    "install-chainer": "build and install Chainer where pip alone cannot",
}


def _command(name: str) -> ModuleType:
    module: ModuleType
    match name:
        case "convert":
            from kchainer.cli import convert as module
        case "validate":
            from kchainer.cli import validate as module
        case "inspect":
            from kchainer.cli import inspect as module
        case "verify":
            from kchainer.cli import verify as module
        case "schema":
            from kchainer.cli import schema as module
        case "explain":
            from kchainer.cli import explain as module
        case "doctor":
            from kchainer.cli import doctor as module
        case _:
            from kchainer.cli import install_chainer as module
    return module


def usage() -> str:
    """The page of ``kchainer --help``."""
    rows = "\n".join(f"  {name:<16} {text}" for name, text in COMMANDS.items())
    return f"usage: kchainer <command> [options]\n\nTurn Keras models into Chainer models.\n\n{rows}\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command. 0: fine, 1: problems found, 2: usage, 3: internal error, 130: interrupted."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    try:
        code = _run([a for a in arguments if a != "--debug"])
        if sys.stdout is not None:  # closed before the start
            sys.stdout.flush()
    except SystemExit as stop:  # argparse: 0 for --help, 2 for usage
        return stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 2
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        _let_go(sys.stdout)
        return 1
    except Exception as wrong:
        if debug and not _is_expected(wrong):
            raise
        return _reported(wrong)
    return code


def _run(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help"):
        print(usage(), end="")
        return 0 if arguments else 2
    if arguments[0] == "--version":
        from kchainer import __version__

        print(f"kchainer {__version__}")
        return 0
    if arguments[0] not in COMMANDS:
        print(f"kchainer: unknown command {arguments[0]!a}; see kchainer --help", file=sys.stderr)
        return 2
    module = _command(arguments[0])
    parser = argparse.ArgumentParser(prog=f"kchainer {arguments[0]}", description=COMMANDS[arguments[0]])
    module.configure(parser)
    code: int = module.run(parser.parse_args(arguments[1:]))
    return code


def _is_expected(wrong: Exception) -> bool:
    from kchainer.diagnostics import KchainerError

    missing = isinstance(wrong, ModuleNotFoundError) and wrong.name == "chainer"
    return missing or isinstance(wrong, (KchainerError, MemoryError)) or wrong is _unwritable(wrong)


def _unwritable(wrong: Exception) -> OSError | None:
    """The error of an output that is full; files have their own diagnostics by then."""
    return wrong if isinstance(wrong, OSError) and wrong.errno == errno.ENOSPC else None


def _reported(wrong: Exception) -> int:
    from kchainer.diagnostics import Diagnostic, KchainerError, escape, render_text

    if isinstance(wrong, KchainerError):
        print(render_text(wrong.diagnostics), file=sys.stderr)
        return 1
    if isinstance(wrong, MemoryError):
        hint = "if the file is to be trusted, convert it where there is more memory"
        found = Diagnostic(code="KC901", message="there is not enough memory for the model", hint=hint)
        print(render_text([found]), file=sys.stderr)
        return 1
    if isinstance(wrong, ModuleNotFoundError) and wrong.name == "chainer":
        print("Chainer is not installed: run `python -m kchainer install-chainer`", file=sys.stderr)
        return 1
    if full := _unwritable(wrong):
        print(f"kchainer: cannot write the output: {full.strerror}", file=sys.stderr)
        _let_go(sys.stdout)
        return 1
    said = escape(f"{type(wrong).__name__}: {wrong}"[:2000])
    print(f"kchainer: internal error, please report: {said}", file=sys.stderr)
    return 3


def _let_go(stream: TextIO) -> None:
    """What is left in the buffer goes nowhere, so that the interpreter does not complain when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
