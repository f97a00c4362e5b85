"""Embeddings of every release."""

from __future__ import annotations

from kchainer.frontends.fields import (
    Config,
    Field,
    anything,
    boolean,
    ignored,
    number,
    only,
    optional,
    positive,
    rate,
    text,
)
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.layers.core import QUANTIZATION
from kchainer.frontends.keras.settings import param_fields
from kchainer.frontends.keras.translate import Translated, translates
from kchainer.ir import ops
from kchainer.ir.op import Shape

EMBEDDING = {
    "input_dim": Field(type=positive),
    "output_dim": Field(type=positive),
    "mask_zero": Field(type=boolean, default=False),
    "input_length": Field(type=ignored, default=None, why="the number of steps, which the input tells"),
    "sparse": Field(type=ignored, default=False, why="how gradients are kept, not what they are"),
    "dropout": Field(type=rate, values={None: 0.0}, default=0.0),
    "weights": Field(type=anything, default=None),
    **QUANTIZATION,
    **param_fields("embeddings"),
}


@translates("Embedding", fields=EMBEDDING)
def embedding(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    kind = ops.Embedding if vars(c).get("quantized") is None else ops.QuantizedEmbedding
    return kind(input_dim=c.input_dim, output_dim=c.output_dim, dropout=c.dropout)


# Called the other way round, which reversible.py does, it gives a number for each row.
REVERSIBLE = {
    **EMBEDDING,
    "tie_weights": Field(
        type=only(True),
        default=True,
        why="a second kernel, which the reverse call uses, is not read",
    ),
    "reverse_dtype": Field(type=optional(text), default=None),
    "logit_soft_cap": Field(type=optional(number), default=None),
}
translates("ReversibleEmbedding", fields=REVERSIBLE)(embedding)
