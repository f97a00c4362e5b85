"""The IR as kchainer's own spec: what it leaves out is what its reader fills in."""

from __future__ import annotations

from kchainer.backends.spec.writer import spec

__all__ = ["spec"]
