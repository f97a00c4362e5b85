"""Images: resizing, augmentation, contrast."""

from __future__ import annotations

from typing import Any

from kchainer.emit.plan import Call, Emitted, Site, emits
from kchainer.emit.preprocessing import said
from kchainer.ir import ops


def _rest(op: Any, *without: str) -> dict[str, Any]:
    return {k: v for k, v in said(op).items() if k not in ("data_format", *without)}


@emits(ops.Resizing)
def resizing(op: ops.Resizing, site: Site) -> Emitted:
    args = {"size": (op.height, op.width)} | {"interpolation": op.interpolation}
    rest = _rest(op, "height", "width", "interpolation")
    return Call("kchainer.functions.resize_images" if rest else "kchainer.functions.resize", args | rest)


@emits(ops.Augmentation)
def augmentation(op: ops.Augmentation, site: Site) -> Emitted:
    return Call("kchainer.functions.not_in_training", {"kind": op.kind})


@emits(ops.RandomFlip)
def random_flip(op: ops.RandomFlip, site: Site) -> Emitted:
    return Call("kchainer.functions.random_flip", _rest(op))


@emits(ops.RandomBrightness)
def random_brightness(op: ops.RandomBrightness, site: Site) -> Emitted:
    return Call("kchainer.functions.random_brightness", _rest(op))


@emits(ops.RandomContrast)
def random_contrast(op: ops.RandomContrast, site: Site) -> Emitted:
    return Call("kchainer.functions.random_contrast", _rest(op))


@emits(ops.RandomColours)
def random_colours(op: ops.RandomColours, site: Site) -> Emitted:
    return Call("kchainer.functions.random_colours", _rest(op))


@emits(ops.RandomErasing)
def random_erasing(op: ops.RandomErasing, site: Site) -> Emitted:
    return Call("kchainer.functions.random_erasing", _rest(op))


@emits(ops.MixUp)
def mix_up(op: ops.MixUp, site: Site) -> Emitted:
    return Call("kchainer.functions.mix_up", {"alpha": op.alpha})


@emits(ops.RandomBlur)
def random_blur(op: ops.RandomBlur, site: Site) -> Emitted:
    return Call("kchainer.functions.random_blur", _rest(op))


@emits(ops.RandomAffine)
def random_affine(op: ops.RandomAffine, site: Site) -> Emitted:
    return Call("kchainer.functions.random_affine", _rest(op))


@emits(ops.RandomCrop)
def random_crop(op: ops.RandomCrop, site: Site) -> Emitted:
    return Call("kchainer.functions.random_crop", _rest(op))


@emits(ops.AutoContrast)
def auto_contrast(op: ops.AutoContrast, site: Site) -> Emitted:
    axes = tuple(sorted(site.axis(a) for a in op.axes))
    return Call("kchainer.functions.auto_contrast", _rest(op) | {"axes": axes})


@emits(ops.Equalize)
def equalize(op: ops.Equalize, site: Site) -> Emitted:
    if op.over == "batch":
        return Call("kchainer.functions.equalize", {"bins": op.bins, "value_range": op.value_range})
    return Call("kchainer.functions.equalize_tiles", _rest(op, "over", "bins"))
