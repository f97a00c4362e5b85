"""One thing that is wrong, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """A message with its code and its place; texts may hold anything the file held.

    Attributes:
        code: A key of `CODES`.
        message: What is wrong, lower case, no full stop; names in backticks, values as JSON.
        severity: An error stops the conversion, a warning and a note do not.
        file: As the user named it; `model.h5::model_config` inside a container.
        pointer: JSON Pointer (RFC 6901) inside the file, or the path inside an HDF5 file.
        found: What stood there.
        expected: What should stand there.
        hint: What to do.
        line: Counted from 1.
        column: Counted from 1, in characters.
        excerpt: The text around the place, and below it a line of carets.
    """

    code: str
    message: str
    severity: Severity = "error"
    file: str = ""
    pointer: str = ""
    found: str | None = None
    expected: str | None = None
    hint: str | None = None
    line: int | None = None
    column: int | None = None
    excerpt: str | None = None
