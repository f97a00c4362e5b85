"""Embeddings."""

from __future__ import annotations

from kchainer.emit.plan import Emitted, Link, Site, Weight, emits
from kchainer.ir import ops


@emits(ops.Embedding)
def embedding(op: ops.Embedding, site: Site) -> Emitted:
    # Chainer's own takes no whole numbers written as floats
    args = {"in_size": op.input_dim, "out_size": op.output_dim}
    return Link("kchainer.links.EmbedID", args, {"W": Weight("embeddings")})
