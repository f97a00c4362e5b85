"""Fixtures for all tests."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest

# What reading a file may never do. `open` is judged by its arguments.
_FORBIDDEN = frozenset(
    {
        "socket.connect",
        "socket.getaddrinfo",
        "subprocess.Popen",
        "os.system",
        "os.exec",
        "os.posix_spawn",
        "exec",
        "compile",
        "marshal.loads",
        "pickle.find_class",
        "import",
        "ctypes.dlopen",
        "os.remove",
        "os.rename",
        "os.mkdir",
        "shutil.rmtree",
    }
)


class Watch:
    """Events of the interpreter while code under test runs; a hook cannot be removed, only put to rest."""

    def __init__(self) -> None:
        self.active = False
        self.allowed: set[str] = set()
        self.seen: list[str] = []

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.active:
            return
        if event in _FORBIDDEN or (event == "open" and not self._may_open(args)):
            self.seen.append(f"{event} {args[:2]!r}"[:300])

    def _may_open(self, args: tuple[Any, ...]) -> bool:
        return isinstance(args[0], int) or os.fspath(args[0]) in self.allowed

    def __enter__(self) -> Watch:
        self.seen.clear()
        self.active = True
        return self

    def __exit__(self, *_: object) -> None:
        self.active = False
        self.allowed.clear()
        assert not self.seen, "reading had side effects: " + "; ".join(self.seen)


_WATCH = Watch()
sys.addaudithook(_WATCH)


def _load_what_readers_load_late() -> None:
    """Imports that are the reader's own, whatever the file says."""
    import encodings.cp437  # noqa: F401  zipfile decodes old names by it

    import numpy  # noqa: F401
    import pyfive  # noqa: F401
    import yaml  # noqa: F401

    import kchainer.files.yaml_text  # noqa: F401


@pytest.fixture
def no_side_effects() -> Iterator[Watch]:
    """A context manager: inside `with no_side_effects:` nothing may be imported, run, opened or connected.

    Paths added to `no_side_effects.allowed` may be opened.
    """
    _load_what_readers_load_late()
    yield _WATCH
    _WATCH.active = False


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The table of architectures, where some ran; see parity/test_applications.py."""
    rows = [
        json.loads(value)
        for reports in terminalreporter.stats.values()
        for report in reports
        for key, value in getattr(report, "user_properties", ())
        if key == "application" and report.when == "call"
    ]
    if not rows:
        return
    terminalreporter.section("keras.applications: largest difference in units of the output's scale")
    line = "{:<18} {:>5} {:>12} {:>9} {:>9} {:>11}  {}"
    terminalreporter.write_line(
        line.format("architecture", "size", "parameters", "float32", "float64", "transposes", "formats")
    )
    for name, size, params, error, double, transposes, formats in sorted(rows):
        terminalreporter.write_line(
            line.format(name, size, f"{params:,}", f"{error:.1e}", f"{double:.1e}", transposes, formats)
        )
