"""Diagnostics as text for people, as JSON for programs, as annotations for GitHub."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict

from kchainer.diagnostics.model import Diagnostic
from kchainer.diagnostics.words import escape

# A name or a value of the file may be a megabyte long.
_LONGEST = 2000
_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def render_text(diagnostics: Iterable[Diagnostic]) -> str:
    """Blocks as compilers print them, one empty line between two."""
    return "\n\n".join(_block(d) for d in diagnostics)


def render_json(diagnostics: Iterable[Diagnostic]) -> str:
    """A JSON list of objects with the fields of `Diagnostic`; plain ASCII."""
    return json.dumps([asdict(d) for d in diagnostics], indent=2)


def render_github(diagnostics: Iterable[Diagnostic]) -> str:
    """One workflow command a line: https://docs.github.com/actions/reference/workflow-commands."""
    return "\n".join(_annotation(d) for d in diagnostics)


def _block(d: Diagnostic) -> str:
    lines = [f"{_place(d)}{d.severity}[{_shown(d.code)}]: {_shown(d.message)}"]
    lines += [f"  | {_shown(line)}" for line in (d.excerpt or "").split("\n") if line]
    lines += [f"  = {line}" for line in _details(d)]
    return "\n".join(lines)


def _place(d: Diagnostic) -> str:
    parts = [_shown(d.file)] if d.file else []
    parts += [str(number) for number in (d.line, d.column) if number is not None]
    return ":".join(parts) + ": " if parts else ""


def _details(d: Diagnostic) -> list[str]:
    named = {"at": d.pointer or None, "found": d.found, "expected": d.expected, "help:": d.hint}
    return [f"{name} {_shown(text)}" for name, text in named.items() if text is not None]


def _shown(text: str) -> str:
    if len(text) > _LONGEST:
        text = text[:_LONGEST] + "…"
    return escape(text)


def _annotation(d: Diagnostic) -> str:
    fields = {"file": d.file.split("::")[0] or None, "line": d.line, "col": d.column, "title": d.code}
    named = ",".join(f"{key}={_property(str(value))}" for key, value in fields.items() if value is not None)
    text = "; ".join([_shown(d.message), *_details(d)])
    return f"::{_COMMANDS[d.severity]} {named}::{_percent(text)}"


def _percent(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _percent(_shown(text)).replace(":", "%3A").replace(",", "%2C")
