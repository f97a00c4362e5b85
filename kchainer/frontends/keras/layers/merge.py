"""Layers that join values, of every release."""

from __future__ import annotations

from typing import Any

from kchainer.frontends.fields import Config, Field, anything, boolean, ignored, integer, number, one_of
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.translate import Function, Translated, translates
from kchainer.ir import ops
from kchainer.ir.op import Shape, ShapeError


def _merge(function: Any) -> Function:
    def translate(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
        return ops.Merge(function=function)

    return translate


for _name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"):
    translates(_name)(_merge(_name.lower()))


@translates(
    "CustomScaleLayer", fields={"scale": Field(type=number)}
)  # of keras.applications.inception_resnet_v2
def custom_scale(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.ScaledAdd(scale=c.scale)


@translates("Concatenate", fields={"axis": Field(type=integer, default=-1)})
def concatenate(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.Concatenate(axis=c.axis % len(xs[0]))


def _axes(value: Any, xs: tuple[Shape, ...]) -> tuple[int, int]:
    if len(xs) != 2:
        raise ShapeError(f"the product of {len(xs)} inputs")
    a, b = value if isinstance(value, (list, tuple)) and len(value) == 2 else (value, value)
    if isinstance(a, (list, tuple)) and len(a) == 1 and isinstance(b, (list, tuple)) and len(b) == 1:
        a, b = a[0], b[0]
    return integer(a) % len(xs[0]), integer(b) % len(xs[1])


@translates("Dot", fields={"axes": Field(type=anything), "normalize": Field(type=boolean, default=False)})
def dot(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.Dot(axes=_axes(c.axes, xs), normalize=c.normalize)


MERGE = {
    "mode": Field(type=one_of("sum", "mul", "concat", "ave", "max", "dot", "cos"), default="sum"),
    "mode_type": Field(type=one_of("raw"), default="raw", why="a mode that is code is never run"),
    "concat_axis": Field(type=integer, default=-1),
    "dot_axes": Field(type=anything, default=-1),
    "output_shape": Field(type=ignored, default=None, why="of a mode that is code, which is refused"),
    "output_shape_type": Field(type=ignored, default="raw", why="of a mode that is code, which is refused"),
    "output_mask": Field(type=ignored, default=None, why="of a mode that is code, which is refused"),
    "output_mask_type": Field(type=ignored, default="raw", why="of a mode that is code, which is refused"),
    "arguments": Field(type=ignored, default=None, why="of a mode that is code, which is refused"),
    "layers": Field(type=ignored, default=None, why="the branches, which the graph has read"),
    "node_indices": Field(
        type=ignored, default=None, why="which calls of the branches are meant; the graph has read them"
    ),
    "tensor_indices": Field(
        type=ignored, default=None, why="which outputs of the branches are meant; the graph has read them"
    ),
}
MODES = {"sum": "add", "mul": "multiply", "ave": "average", "max": "maximum"}


@translates("Merge", fields=MERGE)
def merge(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    if c.mode in MODES:
        return ops.Merge(function=MODES[c.mode])  # type: ignore[arg-type]
    if c.mode == "concat":
        return ops.Concatenate(axis=c.concat_axis % len(xs[0]))
    axes = _axes(c.dot_axes, xs)
    return ops.Dot(axes=axes, normalize=False) if c.mode == "dot" else ops.CosineSimilarity(axes=axes)
