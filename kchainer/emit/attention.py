"""Attention."""

from __future__ import annotations

import dataclasses
from typing import Any

from kchainer.emit.plan import Emitted, Link, Site, Weight, emits
from kchainer.ir import ops
from kchainer.ir.op import defaults

MORE = ("query_mask", "value_mask", "key_mask", "attention_mask")


def _options(op: Any, *names: str) -> dict[str, Any]:
    """What is not as the link has it anyway, and the names of the further inputs."""
    usual = defaults(type(op))
    out = {n: getattr(op, n) for n in names if getattr(op, n) != usual[n]}
    fields = {f.name for f in dataclasses.fields(op)}
    inputs = (*(("key",) if op.has_key else ()), *(n for n in MORE if n in fields and getattr(op, n)))
    return out | ({"inputs": inputs} if inputs else {})


@emits(ops.Attention)
def attention(op: ops.Attention, site: Site) -> Emitted:
    params = {p.name: p for p in op.params(*site.xs)}
    args: dict[str, Any] = {"score": op.score}
    if "scale" in params:
        args["scale"] = params["scale"].shape
    options = _options(op, "causal", "dropout", "return_scores")
    return Link("kchainer.links.Attention", args | options, {name: Weight(name) for name in params})


@emits(ops.MultiHeadAttention)
def multi_head_attention(op: ops.MultiHeadAttention, site: Site) -> Emitted:
    key = site.xs[2] if op.has_key else site.xs[1]
    args: dict[str, Any] = {
        "sizes": (site.xs[0][-1], key[-1], site.xs[1][-1]),
        "heads": op.heads,
        "key_dim": op.key_dim,
        "value_dim": op.value_dim,
        "units": op.units or site.xs[0][-1],
    }
    if op.shared_heads != op.heads:
        args["shared_heads"] = op.shared_heads
    if not op.use_bias:
        args["nobias"] = True
    options = _options(op, "use_gate", "dropout", "causal", "window", "hidden", "return_scores")
    weights = {p.name: Weight(p.name) for p in op.params(*site.xs)}
    return Link("kchainer.links.MultiHeadAttention", args | options, weights)
