"""Inputs, dense layers and layers that do nothing."""

from __future__ import annotations

from kchainer.frontends.fields import (
    Config,
    Field,
    anything,
    boolean,
    ignored,
    number,
    only,
    optional,
    positive,
    text,
    tuple_of,
)
from kchainer.frontends.keras import quantized
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.layers.activation import ACTIVATION, activated
from kchainer.frontends.keras.settings import param_fields
from kchainer.frontends.keras.translate import Translated, translates
from kchainer.ir import ops
from kchainer.ir.op import Shape

INPUT = {
    "sparse": Field(
        type=only(False, None), default=False, why="sparse tensors have no counterpart in Chainer"
    ),
    "ragged": Field(
        type=only(False, None), default=False, why="ragged tensors have no counterpart in Chainer"
    ),
    "optional": Field(
        type=only(False, None), default=False, why="inputs that may be missing have no counterpart"
    ),
    "type_spec": Field(type=only(None), default=None, why="types of TensorFlow have no counterpart"),
}


@translates("InputLayer", fields=INPUT)
def input_layer(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.Identity()  # only reached where a Sequential calls it on a value


QUANTIZATION = {
    "lora_rank": Field(type=optional(positive), default=None),  # lora.py reads them
    "lora_alpha": Field(type=optional(number), default=None),
    "quantization_config": Field(type=anything, default=None),  # quantized.py reads it
    "gptq_unpacked_column_size": Field(type=ignored, default=None, why="of GPTQ, which is refused"),
}
DENSE = {
    "units": Field(type=positive, was="output_dim"),
    "activation": ACTIVATION,
    "use_bias": Field(type=boolean, was="bias", default=True),
    **QUANTIZATION,
    **param_fields("kernel", "bias"),
}


@translates("Dense", "TimeDistributedDense", fields=DENSE)
def dense(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    op = ops.Dense(units=c.units, use_bias=c.use_bias)
    return _quantized(op, xs, c, dialect)


def _quantized(
    op: ops.Dense | ops.EinsumDense, xs: tuple[Shape, ...], c: Config, dialect: Dialect
) -> Translated:
    """The layer, and what quantises its inputs where the file says so, and its activation."""
    *before, main = quantized.dense(op, xs[0], vars(c).get("quantized"))
    made = activated(main, xs, c.activation, dialect)
    return (*before, *(made if isinstance(made, tuple) else (made,)))


def _output(v: object) -> tuple[int | None, ...]:
    return tuple_of(optional(positive))(v) if isinstance(v, (list, tuple)) else (positive(v),)


EINSUM_DENSE = {
    "equation": Field(type=text),
    "output_shape": Field(type=_output),
    "activation": ACTIVATION,
    "bias_axes": Field(type=optional(text), default=None),
    **QUANTIZATION,
    **param_fields("kernel", "bias"),
}


@translates("EinsumDense", fields=EINSUM_DENSE)
def einsum_dense(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    op = ops.EinsumDense(equation=c.equation, output_shape=c.output_shape, bias_axes=c.bias_axes)
    return _quantized(op, xs, c, dialect)


@translates("Identity")
def identity(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.Identity()


FOURIER = {
    "output_dim": Field(type=positive),
    # what the kernel was drawn from; the drawn one is in the weights
    "kernel_initializer": Field(
        type=ignored,
        default="gaussian",
        why="what the kernel was drawn from; the drawn one is in the weight file",
    ),
    "scale": Field(
        type=ignored, default=None, why="what the kernel was drawn with; the drawn one is in the weight file"
    ),
}


@translates("RandomFourierFeatures", fields=FOURIER)
def random_fourier_features(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.RandomFourierFeatures(units=c.output_dim)
