"""Ops that move, repeat, cut or resize."""

from __future__ import annotations

from kchainer.emit.plan import Call, Emitted, Site, emits
from kchainer.ir import ops


@emits(ops.Flatten)
def flatten(op: ops.Flatten, site: Site) -> tuple[Emitted, ...]:
    rank = len(site.x)
    if site.order != tuple(range(rank)):  # one axis only is longer than 1
        return (Call("kchainer.functions.reshape_samples", {"shape": (-1,)}),)
    flat = Call("kchainer.functions.reshape_samples", {"shape": (-1,)})
    if op.data_format == "channels_first" and rank > 2:
        return (Call("chainer.functions.transpose", {"axes": (0, *range(2, rank), 1)}), flat)
    return (flat,)


@emits(ops.Reshape)
def reshape(op: ops.Reshape, site: Site) -> Emitted:
    if site.out == tuple(range(len(site.out))):
        return Call("kchainer.functions.reshape_samples", {"shape": op.target})
    logical = op.infer(site.logical)
    shape = tuple(-1 if logical[a] is None else logical[a] for a in site.out[1:])
    return Call("kchainer.functions.reshape_samples", {"shape": shape})


@emits(ops.Permute)
def permute(op: ops.Permute, site: Site) -> Emitted:
    return Call("chainer.functions.transpose", {"axes": (0, *op.dims)})


@emits(ops.RepeatVector)
def repeat_vector(op: ops.RepeatVector, site: Site) -> Emitted:
    return Call("kchainer.functions.repeat_vector", {"n": op.n})


@emits(ops.Cropping)
def cropping(op: ops.Cropping, site: Site) -> Emitted:
    return Call("kchainer.functions.crop", {"crops": op.cropping})


@emits(ops.ZeroPadding)
def zero_padding(op: ops.ZeroPadding, site: Site) -> Emitted:
    return Call("chainer.functions.pad", {"pad_width": ((0, 0), (0, 0), *op.padding), "mode": "constant"})


@emits(ops.UpSampling)
def upsampling(op: ops.UpSampling, site: Site) -> Emitted:
    if op.interpolation == "nearest":
        return Call("kchainer.functions.upsampling_nearest", {"size": op.size})
    if op.interpolation == "bilinear":
        return Call("kchainer.functions.upsampling_bilinear", {"size": op.size})
    sizes = tuple((n or 0) * k for n, k in zip(site.x[2:], op.size, strict=True))
    return Call("kchainer.functions.resize", {"size": sizes, "interpolation": op.interpolation})


@emits(ops.CenterCrop)
def center_crop(op: ops.CenterCrop, site: Site) -> Emitted:
    return Call("kchainer.functions.center_crop", {"height": op.height, "width": op.width})


@emits(ops.Rescaling)
def rescaling(op: ops.Rescaling, site: Site) -> Emitted:
    last = site.axis(len(site.x) - 1)
    shape = tuple(-1 if i == last else 1 for i in range(len(site.x)))
    return Call("kchainer.functions.rescale", {"scale": op.scale, "offset": op.offset, "shape": shape})
