"""What chainer-sequential's networks have and Keras has not."""

from __future__ import annotations

import dataclasses
from typing import Any

from kchainer.emit.conv import convolution, transposed
from kchainer.emit.core import dense
from kchainer.emit.plan import Call, Emitted, Link, Site, Weight, emits
from kchainer.ir import ops


def _normalized(link: Link, target: str, g: tuple[int, ...], epsilon: float) -> Link:
    """A link with its W split into V and g."""
    weights = {"V": link.weights["W"], "g": Weight("g", None, g)}
    weights |= {name: weight for name, weight in link.weights.items() if name != "W"}
    args = {**link.args, "eps": epsilon}
    return dataclasses.replace(link, target=f"kchainer.links.{target}", args=args, weights=weights)


@emits(ops.WeightNormalizedDense)
def normalized_dense(op: ops.WeightNormalizedDense, site: Site) -> Emitted:
    link = dense(op, site)
    assert isinstance(link, Link)
    return _normalized(link, "WeightNormalizedLinear", (op.units, 1), op.epsilon)


@emits(ops.WeightNormalizedConvolution)
def normalized_convolution(op: ops.WeightNormalizedConvolution, site: Site) -> Emitted:
    link = convolution(op, site)
    assert isinstance(link, Link)
    args = {**link.args, "ksize": op.kernel_size, "pads": op.padding}
    args.pop("pad", None)  # Chainer's own link takes one number for both sides
    g = (op.filters, 1, *(1 for _ in op.kernel_size))
    return _normalized(dataclasses.replace(link, args=args), "WeightNormalizedConvolution", g, op.epsilon)


@emits(ops.WeightNormalizedTransposedConvolution)
def normalized_transposed(op: ops.WeightNormalizedTransposedConvolution, site: Site) -> Emitted:
    link = transposed(op, site)
    assert isinstance(link, Link)
    g = (1, op.filters, *(1 for _ in op.kernel_size))
    return _normalized(link, "WeightNormalizedDeconvolution", g, op.epsilon)


@emits(ops.MinibatchDiscrimination)
def minibatch_discrimination(op: ops.MinibatchDiscrimination, site: Site) -> Emitted:
    args = {"in_size": site.x[1], "num_kernels": op.num_kernels, "ndim_kernel": op.ndim_kernel}
    weights = {"W": Weight("kernel", "OI"), "b": Weight("bias")}
    return Link("kchainer.links.MinibatchDiscrimination", args, weights)


@emits(ops.ConcatenatedRelu)
def concatenated_relu(op: ops.ConcatenatedRelu, site: Site) -> Emitted:
    return Call("chainer.functions.crelu", {"axis": site.axis(op.axis)})


@emits(ops.Maxout)
def maxout(op: ops.Maxout, site: Site) -> Emitted:
    return Call("chainer.functions.maxout", {"pool_size": op.pool_size, "axis": site.axis(op.axis)})


def _window(op: Any) -> dict[str, Any]:
    return {"ksize": op.pool_size, "stride": op.strides} | ({"pad": op.padding} if any(op.padding) else {})


@emits(ops.CoveringMaxPooling)
def covering_max_pooling(op: ops.CoveringMaxPooling, site: Site) -> Emitted:
    return Call("chainer.functions.max_pooling_2d", _window(op))


@emits(ops.Unpooling)
def unpooling(op: ops.Unpooling, site: Site) -> Emitted:
    args = _window(op) | {"cover_all": op.cover_all}
    args |= {"outsize": op.output_size} if op.output_size is not None else {}
    return Call("chainer.functions.unpooling_2d", args)


@emits(ops.SpatialPyramidPooling)
def spatial_pyramid_pooling(op: ops.SpatialPyramidPooling, site: Site) -> Emitted:
    args = {"pyramid_height": op.height, "pooling": "max"}
    return Call("chainer.functions.spatial_pyramid_pooling_2d", args)


@emits(ops.DepthToSpace)
def depth_to_space(op: ops.DepthToSpace, site: Site) -> Emitted:
    return Call("chainer.functions.depth2space", {"r": op.block})
