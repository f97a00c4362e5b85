"""Readers under watch: reading bytes here has no side effects, or the test fails."""

from __future__ import annotations

from typing import Any

import hostile
import pytest


@pytest.fixture(autouse=True)
def _watched(request: pytest.FixtureRequest, no_side_effects: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading by bytes happens under the watch; tests of opening and writing use files on purpose."""
    for name in ("read_everything", "read_archive"):
        inner = getattr(hostile, name)

        def watched(data: bytes, inner: Any = inner) -> Any:
            with no_side_effects:
                return inner(data)

        monkeypatch.setattr(request.module, name, watched, raising=False)
