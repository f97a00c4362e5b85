"""What is wrong with a file, where, and what to do: values that are collected, rendered and raised."""

from __future__ import annotations

from kchainer.diagnostics.codes import CODES, Code, codes_page
from kchainer.diagnostics.collector import Diagnostics
from kchainer.diagnostics.errors import KchainerError
from kchainer.diagnostics.model import Diagnostic, Severity
from kchainer.diagnostics.render import render_github, render_json, render_text
from kchainer.diagnostics.words import escape, suggestion

__all__ = [
    "CODES",
    "Code",
    "Diagnostic",
    "Diagnostics",
    "KchainerError",
    "Severity",
    "codes_page",
    "escape",
    "render_github",
    "render_json",
    "render_text",
    "suggestion",
]
