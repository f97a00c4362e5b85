"""Embeddings."""

from __future__ import annotations

from kchainer.emit.plan import Emitted, Link, Site, Weight, emits
from kchainer.ir import ops


@emits(ops.Embedding)
def embedding(op: ops.Embedding, site: Site) -> Emitted:
    # Chainer's own takes no whole numbers written as floats
    args: dict[str, float] = {"in_size": op.input_dim, "out_size": op.output_dim}
    args |= {"dropout": op.dropout} if op.dropout else {}
    return Link("kchainer.links.EmbedID", args, {"W": Weight("embeddings")})


@emits(ops.EmbeddingTable)
def embedding_table(op: ops.EmbeddingTable, site: Site) -> Emitted:
    value = Weight("embeddings", frozen=not op.learns)
    return Link("kchainer.links.Parameter", {"shape": (op.input_dim, op.output_dim)}, {"value": value})
