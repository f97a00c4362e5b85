"""Layers whose weights came quantised."""

from __future__ import annotations

import dataclasses

from kchainer.emit.core import dense, einsum_dense
from kchainer.emit.embed import embedding
from kchainer.emit.plan import EMISSIONS, Call, Emitted, Link, Site, Weight, emits
from kchainer.ir import ops


def _frozen(made: Emitted | tuple[Emitted, ...], param: str) -> Link:
    assert isinstance(made, Link), "layers with weights are links"
    weights = {
        k: dataclasses.replace(w, frozen=True) if w.param == param else w for k, w in made.weights.items()
    }
    return dataclasses.replace(made, weights=weights)


@emits(ops.QuantizedDense)
def quantized_dense(op: ops.QuantizedDense, site: Site) -> Emitted:
    return _frozen(dense(op, site), "kernel")


@emits(ops.QuantizedEinsumDense)
def quantized_einsum_dense(op: ops.QuantizedEinsumDense, site: Site) -> Emitted:
    return _frozen(einsum_dense(op, site), "kernel")


@emits(ops.QuantizedEmbedding)
def quantized_embedding(op: ops.QuantizedEmbedding, site: Site) -> Emitted:
    return _frozen(embedding(op, site), "embeddings")


@emits(ops.QuantizeByMaximum)
def quantize_by_maximum(op: ops.QuantizeByMaximum, site: Site) -> Emitted:
    said = {"low": op.low, "high": op.high, "epsilon": op.epsilon}
    return Call("kchainer.functions.quantize_by_maximum", {"axes": op.axes, **said})


@emits(ops.Float8)
def float8(op: ops.Float8, site: Site) -> Emitted:
    inner = EMISSIONS[type(op.layer)](op.layer, site)
    assert isinstance(inner, Link), "layers with a kernel are links"
    places = {w.param: place for place, w in inner.weights.items()}
    args = {
        "layer": dataclasses.replace(inner, weights={}),
        "kernel": places["kernel"],
        "bias": places.get("bias"),
        "history": op.history,
    }
    scales = [p.name for p in op.params(site.logical) if p.name.endswith(("_scale", "_amax_history"))]
    weights = {f"layer.{place}": weight for place, weight in inner.weights.items()}
    return Link("kchainer.links.Float8", args, weights | {name: Weight(name) for name in scales})
