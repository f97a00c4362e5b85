"""A list of diagnostics that stays short however wrong a file is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from kchainer.diagnostics.errors import KchainerError
from kchainer.diagnostics.locate import locate
from kchainer.diagnostics.model import Diagnostic, Severity
from kchainer.diagnostics.words import escape

# Codes that a user may lower from errors to warnings: the network is then close to what the file says, not equal.
ALLOWABLE = ("KC206",)


class Diagnostics:
    """Collects what is wrong with one file, so that all of it is told at once."""

    def __init__(self, file: str = "", limit: int = 100) -> None:
        self.file = file
        self.limit = limit
        self.items: list[Diagnostic] = []
        self._counts: dict[Severity, int] = {"error": 0, "warning": 0, "note": 0}
        self._allowed: frozenset[str] = frozenset()

    def allow(self, codes: Collection[str]) -> None:
        """Take errors of these codes as warnings.

        Raises:
            KchainerError: a code that cannot be allowed (KC103).
        """
        for code in codes:
            if code not in ALLOWABLE:
                message = f"`{escape(code)}` cannot be allowed"
                raise KchainerError(
                    Diagnostic(code="KC103", message=message, expected=" or ".join(ALLOWABLE))
                )
        self._allowed = frozenset(codes)

    def approximation(self, message: str, *, pointer: str = "", found: str | None = None) -> None:
        """Note what can be computed only in another way than the file says: an error unless it is allowed."""
        if "KC206" in self._allowed:
            self.warn("KC206", message, pointer=pointer, found=found)
        else:
            hint = "if that will do, allow it with --allow KC206"
            self.error("KC206", message, pointer=pointer, found=found, hint=hint)

    @property
    def has_errors(self) -> bool:
        """An error was added, not a warning or note only."""
        return self._counts["error"] > 0

    def error(
        self,
        code: str,
        message: str,
        *,
        pointer: str = "",
        found: str | None = None,
        expected: str | None = None,
        hint: str | None = None,
    ) -> None:
        """Note what stops the conversion."""
        self._say("error", code, message, pointer, found, expected, hint)

    def warn(
        self,
        code: str,
        message: str,
        *,
        pointer: str = "",
        found: str | None = None,
        expected: str | None = None,
        hint: str | None = None,
    ) -> None:
        """Note what is understood but suspicious."""
        self._say("warning", code, message, pointer, found, expected, hint)

    def note(
        self,
        code: str,
        message: str,
        *,
        pointer: str = "",
        found: str | None = None,
        expected: str | None = None,
        hint: str | None = None,
    ) -> None:
        """Note what the reader may want to know."""
        self._say("note", code, message, pointer, found, expected, hint)

    def add(self, diagnostic: Diagnostic) -> None:
        """Take a finished diagnostic; beyond `limit` of its severity it is only counted."""
        self._counts[diagnostic.severity] += 1
        if self._counts[diagnostic.severity] <= self.limit:
            self.items.append(diagnostic)

    def extend(self, error: KchainerError) -> None:
        """Take over what another reader raised."""
        for diagnostic in error.diagnostics:
            self.add(diagnostic)

    def count(self, severity: Severity) -> int:
        """How many were noted, the ones beyond `limit` included."""
        return self._counts[severity]

    def bounded(self) -> list[Diagnostic]:
        """The items, and for each severity that has more than `limit` a last one that says how many."""
        more = {kind: count - self.limit for kind, count in self._counts.items() if count > self.limit}
        return self.items + [_and_more(self.file, kind, count) for kind, count in more.items()]

    def mark(self) -> tuple[int, dict[Severity, int]]:
        """Where ``rewind`` goes back to."""
        return len(self.items), dict(self._counts)

    def rewind(self, mark: tuple[int, dict[Severity, int]]) -> None:
        """Forget what was noted since ``mark``."""
        del self.items[mark[0] :]
        self._counts = dict(mark[1])

    def raise_if_errors(self) -> None:
        """Raise all that was noted, if an error is among it.

        Raises:
            KchainerError: At least one error was noted.
        """
        if self.has_errors:
            raise KchainerError(*self.bounded())

    def located(self, text: str) -> Diagnostics:
        """Fill in line, column and excerpt of the items from the JSON text they point into."""
        wanted = {d.pointer for d in self.items if d.line is None and d.file == self.file}
        if wanted:
            spots = locate(text, wanted)
            self.items = [
                spots[d.pointer].mark(d) if d.line is None and d.file == self.file else d for d in self.items
            ]
        return self

    def _say(
        self,
        severity: Severity,
        code: str,
        message: str,
        pointer: str,
        found: str | None,
        expected: str | None,
        hint: str | None,
    ) -> None:
        item = Diagnostic(code=code, message=message, severity=severity, file=self.file)
        self.add(replace(item, pointer=pointer, found=found, expected=expected, hint=hint))


def _and_more(file: str, severity: Severity, count: int) -> Diagnostic:
    word = severity if count == 1 else f"{severity}s"
    return Diagnostic(code="KC901", message=f"and {count:,} more {word}", severity="note", file=file)
