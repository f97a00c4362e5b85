"""Kernels that releases and backends stored otherwise, in the layout of their params."""

from __future__ import annotations

import dataclasses

from kchainer.diagnostics import Diagnostics
from kchainer.frontends.keras.dialect import Dialect
from kchainer.ir import ops
from kchainer.ir.arrays import LazyArray
from kchainer.ir.graph import Layer
from kchainer.ir.op import Op, Param

CONVOLUTIONS = (
    ops.Convolution,
    ops.TransposedConvolution,
    ops.DepthwiseConvolution,
    ops.SeparableConvolution,
    ops.ConvLSTM,
)
# What Theano computes as true convolutions; its depthwise kernels are not flipped (Keras 2.3.1).
FLIPPED = (ops.Convolution, ops.TransposedConvolution, ops.ConvLSTM)


def with_backend(dialect: Dialect, paths: list[str]) -> Dialect:
    """Keras 1 names no backend, but TensorFlow's arrays have names that end in ":0"."""
    if dialect.backend is None and dialect.release < (2,) and any(p.endswith(":0") for p in paths):
        return dataclasses.replace(dialect, backend="tensorflow")
    return dialect


def _spatial(param: Param) -> tuple[int, ...]:
    return tuple(i for i, letter in enumerate(param.axes) if letter in "DHW")


def _keras1_layout(array: LazyArray, op: Op, param: Param) -> LazyArray:
    """Kernels of Keras 0.3 and 1 in the layout of Keras 2."""
    if not isinstance(op, CONVOLUTIONS) or "kernel" not in param.name:
        return array
    spatial = len(_spatial(param))
    if len(array.shape) != (4 if spatial == 1 else len(param.shape)):
        return array
    if spatial == 1 and len(array.shape) == 4:
        if array.shape[1] == 1 and array.shape[0] == param.shape[0]:  # (length, 1, in, out)
            return array.reshaped((array.shape[0], *array.shape[2:]))
        array = array.permuted((2, 3, 1, 0))  # before 1.1: (out, in, length, 1)
        return array.reshaped((array.shape[0], *array.shape[2:]))
    first = getattr(op, "data_format", "") == "channels_first"
    if isinstance(op, ops.TransposedConvolution):
        return array.permuted((2, 3, 0, 1) if first else (0, 1, 3, 2))
    return array.permuted((*range(2, spatial + 2), 1, 0)) if first else array


def fitted_to(
    array: LazyArray, op: Op, param: Param, dialect: Dialect, diagnostics: Diagnostics, layer: Layer
) -> LazyArray | None:
    """An array in the layout of its param; None where the backend decides that and is not known, which is told."""
    if dialect.release < (2,):
        array = _keras1_layout(array, op, param)
    op = op.layer if isinstance(op, (ops.SpectralNormalization, ops.LowRank)) else op
    flips = isinstance(op, FLIPPED) and "kernel" in param.name
    kernel = flips and any(param.shape[i] > 1 for i in _spatial(param))
    if not kernel:
        return array
    if dialect.backend is None and dialect.release < (2,):
        diagnostics.error(
            "KC108", f'the file does not say on which backend "{layer.name}" was trained, and Theano flips kernels',
            pointer=layer.pointer, hint="say --keras-backend theano or --keras-backend tensorflow",
        )  # fmt: skip
        return None
    return array.flipped(_spatial(param)) if dialect.backend == "theano" else array
