"""Attention that agrees with Keras: masks, causal and windowed, grouped heads, gates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import chainer
import chainer.functions as F

from kchainer.links.parameters import parameter


def _seen(xp: Any, queries: int, values: int, causal: bool, window: int | None) -> Any:
    """Which values a query may see by their places; None: all."""
    if not causal and window is None:
        return None
    far = xp.arange(queries)[:, None] - xp.arange(values)[None, :]
    seen = far >= 0 if causal else xp.ones(far.shape, bool)
    return (seen if window is None else seen & (abs(far) < window))[None]


def _bool(mask: Any) -> Any:
    return getattr(mask, "array", mask).astype(bool)


def _both(a: Any, b: Any) -> Any:
    return b if a is None else a if b is None else a & b


class Attention(chainer.Link):
    """Weights from one score of each query and key. Parameters: scale, concat_score_weight, as ``score`` asks.

    Source: keras.layers.Attention, AdditiveAttention.

    Args:
        score: "dot", "concat" or "additive". scale: shape of the parameter, or None.
        inputs: names of the inputs behind query and value: "key", "query_mask", "value_mask".
    """

    def __init__(
        self,
        score: str,
        scale: Sequence[int] | None = None,
        causal: bool = False,
        dropout: float = 0.0,
        inputs: Sequence[str] = (),
        return_scores: bool = False,
    ) -> None:
        super().__init__()
        self.score, self.causal, self.dropout = score, causal, dropout
        self.inputs, self.return_scores = tuple(inputs), return_scores
        with self.init_scope():
            self.scale = None if scale is None else parameter(tuple(scale), 1)
            self.concat_score_weight = parameter((), 1) if score == "concat" else None

    def _scores(self, query: Any, key: Any) -> Any:
        if self.score == "dot":
            scores = F.matmul(query, key, transb=True)
            return scores if self.scale is None else scores * F.broadcast_to(self.scale, scores.shape)
        shape = (*query.shape[:-1], key.shape[-2], query.shape[-1])
        both = F.broadcast_to(F.expand_dims(query, -2), shape) + F.broadcast_to(F.expand_dims(key, -3), shape)
        scale = None if self.scale is None else F.broadcast_to(self.scale, shape)
        if self.score == "additive":
            return F.sum(F.tanh(both) if scale is None else scale * F.tanh(both), axis=-1)
        scores = F.sum(F.tanh(both if scale is None else scale * both), axis=-1)
        return scores * F.broadcast_to(self.concat_score_weight, scores.shape)

    def forward(self, query: Any, value: Any, *more: Any) -> Any:
        """(N, ..., T, F) and (N, ..., S, G) to (N, ..., T, G); the weights (N, ..., T, S) with ``return_scores``."""
        query, value = chainer.as_variable(query), chainer.as_variable(value)
        named = dict(zip(self.inputs, more, strict=True))
        scores = self._scores(query, chainer.as_variable(named.get("key", value)))
        keep = _seen(self.xp, scores.shape[-2], scores.shape[-1], self.causal, None)
        if "value_mask" in named:
            keep = _both(keep, _bool(named["value_mask"])[..., None, :])
        if keep is not None:
            low = 65504.0 if scores.dtype == "float16" else 1e9
            scores = scores - (~self.xp.broadcast_to(keep, scores.shape)).astype(scores.dtype) * low
        weights = F.softmax(scores, axis=-1)
        y = F.matmul(F.dropout(weights, self.dropout) if self.dropout else weights, value)
        if "query_mask" in named:
            keep = self.xp.broadcast_to(_bool(named["query_mask"])[..., None], y.shape)
            y = F.where(keep, y, self.xp.zeros_like(y.array))
        return (y, weights) if self.return_scores else y


class MultiHeadAttention(chainer.Link):
    """Attention of several heads.

    Parameters, in Keras's layout: query_kernel (F, heads, key_dim), query_bias
    (heads, key_dim), key_..., value_..., gate_..., attention_output_kernel (heads, value_dim, units),
    attention_output_bias (units,).

    Source: keras.layers.MultiHeadAttention, GroupQueryAttention.

    Args:
        sizes: features of query, key and value. shared_heads: heads of keys and values.
        hidden: weights of a query that sees nothing: "zero", "uniform", or "softmax" of scores lowered by 1e9.
        inputs: names of the inputs behind query and value: "key", "query_mask", "value_mask", "key_mask",
            "attention_mask".
    """

    def __init__(
        self,
        sizes: Sequence[int],
        heads: int,
        key_dim: int,
        value_dim: int,
        units: int,
        shared_heads: int | None = None,
        nobias: bool = False,
        use_gate: bool = False,
        dropout: float = 0.0,
        causal: bool = False,
        window: int | None = None,
        hidden: str = "zero",
        inputs: Sequence[str] = (),
        return_scores: bool = False,
    ) -> None:
        super().__init__()
        self.heads, self.shared_heads, self.key_dim = heads, shared_heads or heads, key_dim
        self.dropout, self.causal, self.window, self.hidden = dropout, causal, window, hidden
        self.inputs, self.return_scores = tuple(inputs), return_scores
        shapes = {
            "query": (sizes[0], heads, key_dim),
            "key": (sizes[1], self.shared_heads, key_dim),
            "value": (sizes[2], self.shared_heads, value_dim),
        }
        if use_gate:
            shapes["gate"] = (sizes[0], heads, value_dim)
        self.use_gate = use_gate
        with self.init_scope():
            for name, shape in shapes.items():
                setattr(self, f"{name}_kernel", parameter(shape))
                setattr(self, f"{name}_bias", None if nobias else parameter(shape[1:]))
            self.attention_output_kernel = parameter((heads, value_dim, units))
            self.attention_output_bias = None if nobias else parameter((units,))

    def _projected(self, x: Any, name: str) -> Any:
        """(N, T, F) to (N, T, heads, size)."""
        kernel, b = getattr(self, f"{name}_kernel"), getattr(self, f"{name}_bias")
        size, heads, out = kernel.shape
        flat = None if b is None else F.reshape(b, (heads * out,))
        y = F.linear(x, F.transpose(F.reshape(kernel, (size, heads * out))), flat, n_batch_axes=2)
        return F.reshape(y, (*x.shape[:2], heads, out))

    def _heads(self, x: Any, name: str) -> Any:
        """(N, T, F) to (N, heads, T, size); heads of keys and values once for each of the queries'."""
        y = F.transpose(self._projected(x, name), (0, 2, 1, 3))
        again = self.heads // y.shape[1]
        return y if again == 1 else F.repeat(y, again, axis=1)

    def _keep(self, named: dict[str, Any], queries: int, values: int) -> Any:
        keep = _seen(self.xp, queries, values, self.causal, self.window)
        if "query_mask" in named:
            keep = _both(keep, _bool(named["query_mask"])[:, :, None])
        for name in ("value_mask", "key_mask"):
            if name in named:
                keep = _both(keep, _bool(named[name])[:, None, :])
        given = _bool(named["attention_mask"]) if "attention_mask" in named else None
        if given is not None and given.ndim == 4:
            return given if keep is None else given & keep[:, None]
        keep = _both(keep, given)
        return None if keep is None else keep[:, None]

    def _weights(self, scores: Any, keep: Any) -> Any:
        if keep is None:
            return F.softmax(scores, axis=3)
        xp = self.xp
        keep = xp.broadcast_to(keep, scores.shape)
        low = -3e4 if scores.dtype == "float16" else -1e9
        if self.hidden == "uniform":  # added, not put in place: a gradient passes, as in Keras on PyTorch
            least = scores.dtype.type(0.7 * xp.finfo(scores.dtype).min)
            return F.softmax(scores + xp.where(keep, scores.dtype.type(0), least), axis=3)
        if self.hidden == "softmax":
            return F.softmax(scores + (~keep).astype(scores.dtype) * scores.dtype.type(low), axis=3)
        weights = F.softmax(F.where(keep, scores, xp.full_like(scores.array, low)), axis=3)
        return F.where(keep, weights, xp.zeros_like(weights.array))

    def forward(self, query: Any, value: Any, *more: Any) -> Any:
        """(N, T, F) and (N, S, G) to (N, T, units), and the weights (N, heads, T, S) with ``return_scores``."""
        query, value = chainer.as_variable(query), chainer.as_variable(value)
        named = dict(zip(self.inputs, more, strict=True))
        q = self._heads(query, "query") * (1 / math.sqrt(self.key_dim))
        k = self._heads(chainer.as_variable(named.get("key", value)), "key")
        scores = F.matmul(q, k, transb=True)
        weights = self._weights(scores, self._keep(named, scores.shape[2], scores.shape[3]))
        dropped = F.dropout(weights, self.dropout) if self.dropout else weights
        y = F.transpose(F.matmul(dropped, self._heads(value, "value")), (0, 2, 1, 3))
        if self.use_gate:
            y = y * F.sigmoid(self._projected(query, "gate"))
        kernel = self.attention_output_kernel
        flat = F.transpose(F.reshape(kernel, (-1, kernel.shape[2])))
        y = F.linear(F.reshape(y, (*y.shape[:2], -1)), flat, self.attention_output_bias, n_batch_axes=2)
        return (y, weights) if self.return_scores else y
