"""Layers that only older releases had."""

from __future__ import annotations

from kchainer.frontends.fields import Config, Field, anything, boolean, ignored, only, positive, sizes
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.layers.activation import ACTIVATION, SLOPE, activated
from kchainer.frontends.keras.layers.recurrent import function_of
from kchainer.frontends.keras.layers.spatial import DATA_FORMAT, DATA_FORMAT_1D
from kchainer.frontends.keras.settings import param_fields
from kchainer.frontends.keras.translate import Translated, translates
from kchainer.ir import ops
from kchainer.ir.op import Shape

BIAS = {
    "use_bias": Field(type=boolean, was="bias", default=True),
    "weights": Field(
        type=ignored, default=None, why="arrays for a new layer; the weight file has those of a saved one"
    ),
}
MAXOUT = {
    "output_dim": Field(type=positive),
    "nb_feature": Field(type=positive, default=4),
    **BIAS,
    **param_fields("kernel", "bias"),
}


@translates("MaxoutDense", fields=MAXOUT)
def maxout_dense(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.MaxoutDense(units=c.output_dim, features=c.nb_feature, use_bias=c.use_bias)


HIGHWAY = {
    "activation": Field(type=anything, default="linear"),
    "transform_bias": Field(
        type=ignored, default=None, why="the first value of a bias, which the weight file has"
    ),
    **BIAS,
    **param_fields("kernel", "bias"),
}


@translates("Highway", fields=HIGHWAY)
def highway(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.Highway(
        activation=function_of(c.activation), hard_sigmoid_slope=SLOPE.at(dialect), use_bias=c.use_bias
    )


def _local(rank: int, window: str | tuple[str, ...], stride: str) -> dict[str, Field]:
    return {
        "filters": Field(type=positive, was="nb_filter"),
        "kernel_size": Field(type=sizes(rank), was=window),
        "strides": Field(type=sizes(rank), was=stride, default=1),
        "padding": Field(
            type=only("valid"), was="border_mode", default="valid", why="as in Keras, which knows no other"
        ),
        "data_format": DATA_FORMAT_1D if rank == 1 else DATA_FORMAT,
        "activation": ACTIVATION,
        "implementation": Field(type=only(1), default=1, why="2 and 3 keep a kernel of another shape"),
        **BIAS,
        **param_fields("kernel", "bias"),
    }


def _locally_connected(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    op = ops.LocallyConnected(
        filters=c.filters,
        kernel_size=c.kernel_size,
        strides=c.strides,
        data_format=c.data_format,
        use_bias=c.use_bias,
    )
    return activated(op, xs, c.activation, dialect)


translates("LocallyConnected1D", fields=_local(1, "filter_length", "subsample_length"))(_locally_connected)
translates("LocallyConnected2D", fields=_local(2, ("nb_row", "nb_col"), "subsample"))(_locally_connected)
