"""Attention layers of every release: what the config says; what a call says is read by ``attending``."""

from __future__ import annotations

from typing import Any

from kchainer.frontends.fields import (
    Config,
    Field,
    Wrong,
    boolean,
    ignored,
    one_of,
    only,
    optional,
    positive,
    rate,
)
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.settings import param_fields
from kchainer.frontends.keras.translate import Translated, translates
from kchainer.ir import ops
from kchainer.ir.op import Shape

RANDOM = {
    "seed": Field(
        type=ignored,
        default=None,
        why="random numbers are drawn by NumPy or CuPy: its global state is the seed",
    ),
    "rng_type": Field(type=ignored, default=None, why="which generator of TensorFlow draws"),
}
ATTENTION = {
    "use_scale": Field(type=boolean, default=False),
    "score_mode": Field(type=one_of("dot", "concat"), default="dot"),
    "dropout": Field(type=rate, default=0.0),
    "causal": Field(type=boolean, default=False),
    **RANDOM,
}
CALLED: dict[str, Any] = {
    "has_key": False,
    "query_mask": False,
    "value_mask": False,
    "return_scores": False,
}


@translates("Attention", fields=ATTENTION)
def attention(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.Attention(
        score=c.score_mode, use_scale=c.use_scale, dropout=c.dropout, causal=c.causal, **CALLED
    )


@translates("AdditiveAttention", fields=ATTENTION | {"use_scale": Field(type=boolean, default=True)})
def additive_attention(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.Attention(
        score="additive", use_scale=c.use_scale, dropout=c.dropout, causal=c.causal, **CALLED
    )


def _units(v: Any) -> int:
    if isinstance(v, (list, tuple)) and len(v) == 1:
        v = v[0]
    if isinstance(v, (list, tuple)):
        raise Wrong("one size", code="KC204")
    return positive(v)


def _axes(v: Any) -> None:
    if v not in (None, 1, [1], (1,)):
        raise Wrong("null or the steps", code="KC204")


HEADS = {
    "dropout": Field(type=rate, default=0.0),
    "use_bias": Field(type=boolean, default=True),
    "use_gate": Field(type=boolean, default=False),
    "sliding_window": Field(type=optional(positive), default=None),
    "flash_attention": Field(type=ignored, default=None, why="which kernel computes it"),
    **RANDOM,
    **param_fields("kernel", "bias"),
}
MULTI_HEAD = {
    "num_heads": Field(type=positive),
    "key_dim": Field(type=positive),
    "value_dim": Field(type=optional(positive), default=None),
    "output_shape": Field(type=optional(_units), default=None),
    "attention_axes": Field(
        type=_axes, default=None, why="attention over other axes than the steps is not computed"
    ),
    "softmax_robust_masking": Field(
        type=only(False, None), default=False, why="true gives rows that a mask hides whole another value"
    ),
    "query_shape": Field(type=ignored, default=None, why="the input tells its shape"),
    "key_shape": Field(type=ignored, default=None, why="the input tells its shape"),
    "value_shape": Field(type=ignored, default=None, why="the input tells its shape"),
    **HEADS,
}


def _many(c: Config, **sizes: Any) -> ops.MultiHeadAttention:
    return ops.MultiHeadAttention(
        use_bias=c.use_bias,
        use_gate=c.use_gate,
        dropout=c.dropout,
        causal=False,
        window=c.sliding_window,
        key_mask=False,
        attention_mask=False,
        hidden="zero",
        **CALLED,
        **sizes,
    )


@translates("MultiHeadAttention", fields=MULTI_HEAD)
def multi_head_attention(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return _many(
        c, heads=c.num_heads, shared_heads=c.num_heads, key_dim=c.key_dim,
        value_dim=c.value_dim or c.key_dim, units=c.output_shape,
    )  # fmt: skip


GROUPED = {
    "head_dim": Field(type=positive),
    "num_query_heads": Field(type=positive),
    "num_key_value_heads": Field(type=positive),
    **HEADS,
}


@translates("GroupQueryAttention", "GroupedQueryAttention", fields=GROUPED)
def group_query_attention(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return _many(
        c, heads=c.num_query_heads, shared_heads=c.num_key_value_heads, key_dim=c.head_dim,
        value_dim=c.head_dim, units=None,
    )  # fmt: skip
