"""Attention."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from kchainer.ir.op import Op, Param, Shape, ShapeError, attr, known, op, show


def _count(xs: tuple[Shape, ...], count: int, masks: tuple[bool, ...]) -> None:
    if len(xs) != count + sum(masks):
        raise ShapeError(f"expected {count + sum(masks)} inputs, found {len(xs)}")


def _sequences(xs: tuple[Shape, ...], count: int, masks: tuple[bool, ...]) -> None:
    _count(xs, count, masks)
    if any(len(x) != 3 for x in xs[:count]):
        raise ShapeError(f"expected sequences (N, T, F), found {' and '.join(map(show, xs[:count]))}")


@op
class Attention(Op):
    """softmax of scores of each query and key, times the values.

    Input   query (N, T, F), value (N, S, G), a key (N, S, F) with ``has_key``; then masks (N, T) of the query and
            (N, S) of the value as the attributes say. More axes, alike in all, may stand behind N; then a mask of
            the value is taken beside ``causal`` only. Without N, the samples of a batch are the steps.
    Output  (N, T, G); the weights (N, T, S) with ``return_scores``.
    Params  scale () or, for ``additive``, (F,) with ``use_scale``; concat_score_weight () for ``concat``.
    Raises  ShapeError: other ranks, sizes that differ.
    Source  keras.layers.Attention, AdditiveAttention; Luong et al. 2015, Bahdanau et al. 2014.
    """

    score: Literal["dot", "concat", "additive"] = attr(doc="q k; w sum tanh(s (q + k)); sum s tanh(q + k)")
    use_scale: bool = attr(doc="learn the scale s", spec=False)
    causal: bool = attr(doc="a query sees no value behind its place", spec=False)
    dropout: float = attr(doc="part of the weights dropped in training", spec=0.0, minimum=0, below=1)
    has_key: bool = attr(doc="the keys are an input; else the values", spec=False)
    query_mask: bool = attr(doc="a mask of the query is an input: it makes outputs zero", spec=False)
    value_mask: bool = attr(doc="a mask of the value is an input: what it hides has no weight", spec=False)
    return_scores: bool = attr(doc="give the weights as a second output", spec=False)

    def params(self, *xs: Shape) -> tuple[Param, ...]:
        dims = (known(xs[0][-1], "features"),) if self.score == "additive" else ()
        scale = Param("scale", dims, "F"[: len(dims)])
        weight = (Param("concat_score_weight", (), ""),) if self.score == "concat" else ()
        return (scale, *weight) if self.use_scale else weight

    def infer(self, *xs: Shape) -> Shape:
        count = 2 + self.has_key
        _count(xs, count, (self.query_mask, self.value_mask))
        rank, key = len(xs[0]), xs[2] if self.has_key else xs[1]
        if rank < 2 + self.causal or any(len(x) != rank or x[1:-2] != xs[0][1:-2] for x in xs[:count]):
            raise ShapeError(f"expected sequences (N, T, F), found {' and '.join(map(show, xs[:count]))}")
        if None not in (xs[0][-1], key[-1]) and xs[0][-1] != key[-1]:
            raise ShapeError(f"queries {show(xs[0])} and keys {show(key)} of unlike length")
        if any(len(m) != rank - 1 for m in xs[count:]) or (rank > 3 and self.value_mask and not self.causal):
            raise ShapeError(f"masks {' and '.join(map(show, xs[count:]))} do not fit {show(xs[0])}")
        return (*xs[0][:-1], xs[1][-1])

    def outputs(self, *xs: Shape) -> tuple[Shape, ...]:
        scores = (*xs[0][:-1], xs[1][-2])
        return (self.infer(*xs), scores) if self.return_scores else (self.infer(*xs),)


@op
class MultiHeadAttention(Op):
    """Attention of several heads, each on projections of its own.

    Input   query (N, T, F), value (N, S, G), a key (N, S, E) with ``has_key``; then, as the attributes say, masks of
            the query (N, T), the value (N, S), the key (N, S), and one (N, T, S) or (N, heads, T, S).
    Output  (N, T, units), units being F where they are null; the weights (N, heads, T, S) with ``return_scores``.
    Params  query_kernel (F, heads, key_dim), query_bias; key_..., value_..., gate_... likewise;
            attention_output_kernel (heads, value_dim, units), attention_output_bias (units,).
    Raises  ShapeError: other ranks.
    Source  keras.layers.MultiHeadAttention, GroupQueryAttention; Vaswani et al. 2017, arXiv:1706.03762.
    """

    heads: int = attr(doc="number of heads", minimum=1)
    shared_heads: int = attr(doc="heads of keys and values, each for several of the queries'", minimum=1)
    key_dim: int = attr(doc="size of a query and key", minimum=1)
    value_dim: int = attr(doc="size of a value", minimum=1)
    units: int | None = attr(doc="size of what comes out; null: as the query", spec=None, minimum=1)
    use_bias: bool = attr(doc="add biases", spec=True)
    use_gate: bool = attr(doc="multiply by sigmoids of a projection of the query", spec=False)
    dropout: float = attr(doc="part of the weights dropped in training", spec=0.0, minimum=0, below=1)
    causal: bool = attr(doc="a query sees no value behind its place", spec=False)
    window: int | None = attr(
        doc="a query sees values less than this far away; null: all", spec=None, minimum=1
    )
    has_key: bool = attr(doc="the keys' source is an input; else the values'", spec=False)
    query_mask: bool = attr(doc="a mask of the query is an input", spec=False)
    value_mask: bool = attr(doc="a mask of the value is an input", spec=False)
    key_mask: bool = attr(doc="a mask of the key is an input", spec=False)
    attention_mask: bool = attr(doc="a mask of pairs is an input", spec=False)
    hidden: Literal["zero", "uniform", "softmax"] = attr(
        doc="weights of a query that sees nothing: zeros, all equal, or a softmax of scores all lowered by 1e9",
        spec="zero",
    )
    return_scores: bool = attr(doc="give the weights as a second output", spec=False)

    def check(self) -> Iterator[str]:
        if self.heads % self.shared_heads:
            yield "heads do not divide among the keys' heads"

    def params(self, *xs: Shape) -> tuple[Param, ...]:
        key = xs[2] if self.has_key else xs[1]
        parts = [("query", xs[0], self.heads, self.key_dim), ("key", key, self.shared_heads, self.key_dim)]
        parts += [("gate", xs[0], self.heads, self.value_dim)] if self.use_gate else []
        parts += [("value", xs[1], self.shared_heads, self.value_dim)]
        out: list[Param] = []
        for name, x, heads, size in parts:
            out.append(Param(f"{name}_kernel", (known(x[-1], "features"), heads, size), "IHO"))
            out += [Param(f"{name}_bias", (heads, size), "HO")] if self.use_bias else []
        units = self.units or known(xs[0][-1], "features")
        out.append(Param("attention_output_kernel", (self.heads, self.value_dim, units), "HIO"))
        return (*out, Param("attention_output_bias", (units,), "O")) if self.use_bias else tuple(out)

    def infer(self, *xs: Shape) -> Shape:
        masks = (self.query_mask, self.value_mask, self.key_mask, self.attention_mask)
        _sequences(xs, 2 + self.has_key, masks)
        return (xs[0][0], xs[0][1], self.units or xs[0][2])

    def outputs(self, *xs: Shape) -> tuple[Shape, ...]:
        scores = (xs[0][0], self.heads, xs[0][1], xs[1][1])
        return (self.infer(*xs), scores) if self.return_scores else (self.infer(*xs),)
