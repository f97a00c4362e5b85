"""Convolutions of every release."""

from __future__ import annotations

from kchainer.frontends.fields import (
    Config,
    Field,
    Wrong,
    anything,
    boolean,
    ignored,
    natural,
    one_of,
    optional,
    positive,
    sizes,
)
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.layers.activation import ACTIVATION, activated
from kchainer.frontends.keras.layers.core import QUANTIZATION
from kchainer.frontends.keras.layers.spatial import DATA_FORMAT, DATA_FORMAT_1D, backend_of, none, same_conv
from kchainer.frontends.keras.settings import param_fields
from kchainer.frontends.keras.translate import Translated, translates
from kchainer.ir import ops
from kchainer.ir.op import Shape, ShapeError
from kchainer.ir.ops.spatial import Pads

OLD_KERNEL: dict[int, str | tuple[str, ...]] = {
    1: "filter_length",
    2: ("nb_row", "nb_col"),
    3: ("kernel_dim1", "kernel_dim2", "kernel_dim3"),
}


def fields(
    rank: int, *, kernels: tuple[str, ...] = ("kernel", "bias"), causal: bool = False
) -> dict[str, Field]:
    """What all convolutions over ``rank`` spatial dimensions say."""
    paddings = ("valid", "same", "causal") if causal else ("valid", "same")
    return {
        "kernel_size": Field(type=sizes(rank), was=OLD_KERNEL[rank]),
        "strides": Field(type=sizes(rank), was="subsample_length" if rank == 1 else "subsample", default=1),
        "padding": Field(type=one_of(*paddings), was="border_mode", default="valid"),
        "data_format": DATA_FORMAT_1D if rank == 1 else DATA_FORMAT,
        "dilation_rate": Field(type=sizes(rank), was="atrous_rate", default=1),
        "activation": ACTIVATION,
        "use_bias": Field(type=boolean, was="bias", default=True),
        **QUANTIZATION,
        **param_fields(*kernels),
    }


def with_filters(table: dict[str, Field]) -> dict[str, Field]:
    """The table of a layer that states its output channels."""
    return {
        "filters": Field(type=positive, was="nb_filter"),
        "groups": Field(type=positive, default=1),
        **table,
    }


def padding(c: Config, dialect: Dialect) -> Pads:
    """The padding in pixels, or TensorFlow's rule."""
    if c.padding == "same":
        return same_conv(c.kernel_size, c.dilation_rate, c.strides, dialect)
    if c.padding == "causal":
        return ((c.dilation_rate[0] * (c.kernel_size[0] - 1), 0),)
    return none(len(c.kernel_size))


def _convolution(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    op = ops.Convolution(
        filters=c.filters,
        kernel_size=c.kernel_size,
        strides=c.strides,
        padding=padding(c, dialect),
        dilation=c.dilation_rate,
        groups=c.groups,
        use_bias=c.use_bias,
        data_format=c.data_format,
    )
    return activated(op, xs, c.activation, dialect)


for _rank, _names in {
    1: ("Conv1D", "Convolution1D", "AtrousConvolution1D", "AtrousConv1D"),
    2: ("Conv2D", "Convolution2D", "AtrousConvolution2D", "AtrousConv2D"),
    3: ("Conv3D", "Convolution3D"),
}.items():
    translates(*_names, fields=with_filters(fields(_rank, causal=_rank == 1)))(_convolution)


def _output_size(c: Config) -> tuple[int, ...] | None:
    """Keras 1 states the output's whole shape."""
    if c.output_shape is None:
        return None
    shape = c.output_shape
    if not isinstance(shape, list) or len(shape) != len(c.kernel_size) + 2:
        raise Wrong("output_shape is no list with batch, channels and pixels")
    pixels = shape[2:] if c.data_format == "channels_first" else shape[1:-1]
    return tuple(positive(n) for n in pixels)


def _begin(c: Config, x: Shape, outs: tuple[int, ...] | None, dialect: Dialect) -> tuple[int, ...] | None:
    """Pixels cut off the front, where they are not those of Keras 2's rule on TensorFlow."""
    if c.padding == "valid":
        return None
    if backend_of(dialect, "padding `same` differs between Theano and TensorFlow") == "theano":
        return tuple(k // 2 for k in c.kernel_size)
    if outs is None:
        return None
    pixels = x[2:] if c.data_format == "channels_first" else x[1:-1]
    if None in pixels:
        raise ShapeError("the pixels of a deconvolution's input have to be known")
    cut = [
        (n - 1) * s + k - out
        for n, s, k, out in zip(pixels, c.strides, c.kernel_size, outs, strict=True)
        if n
    ]
    return tuple(max(n, 0) // 2 for n in cut)


def _transposed(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    outs = _output_size(c)
    # Keras 2.3.1 on Theano does not use the dilation of a deconvolution
    dilation = (1,) * len(c.kernel_size) if dialect.backend == "theano" else c.dilation_rate
    op = ops.TransposedConvolution(
        filters=c.filters,
        kernel_size=c.kernel_size,
        strides=c.strides,
        padding=c.padding,
        output_padding=c.output_padding,
        output_size=outs,
        begin=_begin(c, xs[0], outs, dialect),
        dilation=dilation,
        use_bias=c.use_bias,
        data_format=c.data_format,
    )
    return activated(op, xs, c.activation, dialect)


for _rank in (1, 2, 3):
    _table = with_filters(fields(_rank)) | {
        "output_padding": Field(type=optional(sizes(_rank, natural)), default=None),
        "output_shape": Field(type=anything, default=None),
    }
    _names = (f"Conv{_rank}DTranspose", f"Convolution{_rank}DTranspose") + (
        (f"Deconvolution{_rank}D", f"Deconv{_rank}D") if _rank > 1 else ()
    )
    translates(*_names, fields=_table)(_transposed)


def _depthwise(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    op = ops.DepthwiseConvolution(
        depth_multiplier=c.depth_multiplier,
        kernel_size=c.kernel_size,
        strides=c.strides,
        padding=padding(c, dialect),
        dilation=c.dilation_rate,
        use_bias=c.use_bias,
        data_format=c.data_format,
    )
    return activated(op, xs, c.activation, dialect)


for _rank in (1, 2):
    _table = fields(_rank, kernels=("depthwise", "kernel", "bias")) | {
        "depth_multiplier": Field(type=positive, default=1),
        "filters": Field(
            type=ignored, default=None, why="each channel has its own; depth_multiplier says how many"
        ),
        "groups": Field(type=ignored, default=1, why="as many as there are channels"),
    }
    translates(f"DepthwiseConv{_rank}D", fields=_table)(_depthwise)


def _separable(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    # Keras 2.0.8 writes the dilation of a separable convolution and does not use it
    dilation = (1,) * len(c.kernel_size) if dialect.release < (2, 0, 9) else c.dilation_rate
    op = ops.SeparableConvolution(
        filters=c.filters,
        depth_multiplier=c.depth_multiplier,
        kernel_size=c.kernel_size,
        strides=c.strides,
        padding=padding(c, dialect),
        dilation=dilation,
        use_bias=c.use_bias,
        data_format=c.data_format,
    )
    return activated(op, xs, c.activation, dialect)


for _rank in (1, 2):
    _table = with_filters(fields(_rank, kernels=("depthwise", "pointwise", "bias"), causal=_rank == 1))
    _table |= {
        "depth_multiplier": Field(type=positive, default=1),
        "kernel_initializer": Field(
            type=ignored, default=None, why="a separable layer has a depthwise and a pointwise one"
        ),
        "kernel_regularizer": Field(
            type=ignored, default=None, why="a separable layer has a depthwise and a pointwise one"
        ),
        "kernel_constraint": Field(
            type=ignored, default=None, why="a separable layer has a depthwise and a pointwise one"
        ),
    }
    translates(f"SeparableConv{_rank}D", f"SeparableConvolution{_rank}D", fields=_table)(_separable)
