"""Pooling of every release."""

from __future__ import annotations

from typing import Any, Literal

from kchainer.frontends.fields import Config, Field, boolean, optional, sizes
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.layers.spatial import DATA_FORMAT, DATA_FORMAT_1D, PADDING, none, same_pool
from kchainer.frontends.keras.translate import Function, Translated, translates
from kchainer.ir import ops
from kchainer.ir.op import Shape

Reduction = Literal["max", "average"]


def _pooling(function: Reduction) -> Function:
    def translate(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
        strides = c.strides or c.pool_size
        pads = same_pool(c.pool_size, strides, dialect) if c.padding == "same" else none(len(c.pool_size))
        return ops.Pooling(
            function=function, pool_size=c.pool_size, strides=strides, padding=pads, data_format=c.data_format
        )

    return translate


def _global(function: Reduction, spatial: int) -> Function:
    def translate(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
        return ops.GlobalPooling(
            function=function, spatial=spatial, keepdims=c.keepdims, data_format=c.data_format
        )

    return translate


def _adaptive(function: Reduction) -> Function:
    def translate(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
        return ops.AdaptivePooling(function=function, output_size=c.output_size, data_format=c.data_format)

    return translate


def _register() -> None:
    functions: list[tuple[Any, str, str]] = [("max", "Max", "Max"), ("average", "Average", "Avg")]
    for function, long, short in functions:
        for rank in (1, 2, 3):
            one = rank == 1
            table = {
                "pool_size": Field(type=sizes(rank), was="pool_length" if one else None, default=2),
                "strides": Field(type=optional(sizes(rank)), was="stride" if one else None, default=None),
                "padding": PADDING,
                "data_format": DATA_FORMAT_1D if one else DATA_FORMAT,
            }
            translates(f"{long}Pooling{rank}D", f"{short}Pool{rank}D", fields=table)(_pooling(function))
            whole = {"data_format": table["data_format"], "keepdims": Field(type=boolean, default=False)}
            translates(f"Global{long}Pooling{rank}D", f"Global{short}Pool{rank}D", fields=whole)(
                _global(function, rank)
            )
            bins = {"data_format": table["data_format"], "output_size": Field(type=sizes(rank))}
            translates(f"Adaptive{long}Pooling{rank}D", fields=bins)(_adaptive(function))


_register()
