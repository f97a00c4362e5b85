"""Strings, categories and numbers to what a network computes with."""

from __future__ import annotations

import dataclasses
from typing import Any

from kchainer.emit.plan import Call, Emitted, Link, Site, emits
from kchainer.ir import ops
from kchainer.ir.op import defaults


def said(op: Any) -> dict[str, Any]:
    """The attributes of an op that differ from those that its link or function takes for granted."""
    granted = defaults(type(op))
    values = {f.name: getattr(op, f.name) for f in dataclasses.fields(op)}
    return {k: v for k, v in values.items() if k not in granted or granted[k] != v}


@emits(ops.Lookup)
def lookup(op: ops.Lookup, site: Site) -> Emitted:
    return Link("kchainer.links.Lookup", said(op), {})


@emits(ops.Hash)
def hashed(op: ops.Hash, site: Site) -> Emitted:
    return Link("kchainer.links.Hash", said(op), {})


@emits(ops.CrossHash)
def cross_hash(op: ops.CrossHash, site: Site) -> Emitted:
    return Link("kchainer.links.CrossHash", said(op), {})


@emits(ops.Tokenize)
def tokenize(op: ops.Tokenize, site: Site) -> Emitted:
    return Call("kchainer.functions.tokenize", said(op))


@emits(ops.Bucketize)
def bucketize(op: ops.Bucketize, site: Site) -> Emitted:
    return Call("kchainer.functions.bucketize", {"boundaries": op.boundaries})


@emits(ops.EncodeCategories)
def encode_categories(op: ops.EncodeCategories, site: Site) -> Emitted:
    return Link("kchainer.links.EncodeCategories", said(op), {})
