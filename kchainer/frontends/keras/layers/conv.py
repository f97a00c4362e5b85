"""Convolutions of every release."""

from __future__ import annotations

from kchainer.frontends.fields import Config, Field, Wrong, anything, boolean, ignored, one_of, optional, positive, sizes
from kchainer.frontends.fields import natural
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.layers.activation import ACTIVATION, activated
from kchainer.frontends.keras.layers.core import QUANTIZATION
from kchainer.frontends.keras.layers.spatial import DATA_FORMAT, DATA_FORMAT_1D, none, same_conv
from kchainer.frontends.keras.settings import param_fields
from kchainer.frontends.keras.translate import Translated, translates
from kchainer.ir import ops
from kchainer.ir.op import Shape
from kchainer.ir.ops.spatial import Pads

OLD_KERNEL = {1: "filter_length", 2: ("nb_row", "nb_col"), 3: ("kernel_dim1", "kernel_dim2", "kernel_dim3")}


def fields(rank: int, *, kernels: tuple[str, ...] = ("kernel", "bias"), causal: bool = False) -> dict[str, Field]:
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
    return {"filters": Field(type=positive, was="nb_filter"), "groups": Field(type=positive, default=1), **table}


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


def _transposed(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    if c.output_shape is not None or (dialect.backend == "theano" and c.padding == "same"):
        raise Wrong("a deconvolution of Keras 1 or Theano is not supported yet", code="KC205")
    op = ops.TransposedConvolution(
        filters=c.filters,
        kernel_size=c.kernel_size,
        strides=c.strides,
        padding=c.padding,
        output_padding=c.output_padding,
        dilation=c.dilation_rate,
        use_bias=c.use_bias,
        data_format=c.data_format,
    )
    return activated(op, xs, c.activation, dialect)


for _rank in (1, 2, 3):
    _table = with_filters(fields(_rank)) | {
        "output_padding": Field(type=optional(sizes(_rank, natural)), default=None),
        "output_shape": Field(type=anything, default=None),
    }
    _names = (f"Conv{_rank}DTranspose", f"Convolution{_rank}DTranspose") + (("Deconvolution2D",) if _rank == 2 else ())
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
        "filters": Field(type=ignored, default=None),
        "groups": Field(type=ignored, default=1),
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
        "kernel_initializer": Field(type=ignored, default=None),
        "kernel_regularizer": Field(type=ignored, default=None),
        "kernel_constraint": Field(type=ignored, default=None),
    }
    translates(f"SeparableConv{_rank}D", f"SeparableConvolution{_rank}D", fields=_table)(_separable)
