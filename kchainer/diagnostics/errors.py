"""The one exception that readers and translators raise."""

from __future__ import annotations

from kchainer.diagnostics.model import Diagnostic
from kchainer.diagnostics.render import render_text


class KchainerError(Exception):
    """A model that could not be read or converted; `diagnostics` says why, `str()` renders them."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__(*diagnostics)
        self.diagnostics: tuple[Diagnostic, ...] = diagnostics

    def __str__(self) -> str:
        return render_text(self.diagnostics)
