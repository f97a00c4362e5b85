"""kchainer's own spec: networks as data, short to write by hand."""

from __future__ import annotations

from kchainer.frontends.spec.reader import read

__all__ = ["read"]
