"""Layers and functions of chainer-sequential (2016) as translators: channels first, Chainer's argument names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kchainer.frontends.fields import (
    Config,
    Field,
    Wrong,
    boolean,
    ignored,
    integer,
    natural,
    number,
    one_of,
    only,
    optional,
    positive,
    rate,
    sizes,
    tuple_of,
)
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.settings import param_fields
from kchainer.frontends.keras.translate import Function, Translated, Translator
from kchainer.ir import ops
from kchainer.ir.op import Op, Shape, ShapeError, product, show

PREFIX = "chainer."  # of these classes' names, since Keras has a BatchNormalization too
LAYERS: dict[str, Translator] = {}
FUNCTIONS: dict[str, Translator] = {}


def _defines(
    table: dict[str, Translator], name: str, fields: dict[str, Field]
) -> Callable[[Function], Function]:
    def register(function: Function) -> Function:
        table[name] = Translator(fields, function)
        return function

    return register


CUDNN = {"use_cudnn": Field(type=ignored, default=True)}  # until 2017-06
USUAL = {
    "nobias": Field(type=boolean, default=False),
    "use_weightnorm": Field(type=boolean, default=False),
    "bias": Field(type=number, was="initial_bias", default=0.0),
    **CUDNN,
    **param_fields("kernel", "bias"),
}
LINEAR = {"in_size": Field(type=optional(positive), default=None), "out_size": Field(type=positive), **USUAL}
WINDOWED = {
    "in_channels": Field(type=optional(positive), default=None),
    "out_channels": Field(type=positive),
    "ksize": Field(type=sizes(2)),
    "stride": Field(type=sizes(2), default=1),
    "pad": Field(type=sizes(2, natural), default=0),
}
# The order is that of the positional arguments.
CONVOLUTION = WINDOWED | USUAL
DILATED = WINDOWED | {"dilate": Field(type=sizes(2), default=1)} | USUAL
DECONVOLUTION = (
    WINDOWED | {"nobias": USUAL["nobias"], "outsize": Field(type=optional(sizes(2)), default=None)} | USUAL
)


# ------------------------------------------------------------------ layers


def flattened(x: Shape, size: int | None) -> tuple[Op, ...]:
    """What brings ``x`` to (N, features). Raises ShapeError where it has not ``size`` of them."""
    have = product(x[1:])
    if size is not None and have not in (None, size):
        raise ShapeError(f"expected {size} features, found {show(x)}")
    if len(x) == 2 and have is not None:
        return ()
    if have is None and size is not None:
        return (ops.Reshape(target=(size,)),)
    return (ops.Flatten(data_format="channels_last"),)


@_defines(LAYERS, "Linear", LINEAR)
def linear(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    args = {"units": c.out_size, "use_bias": not c.nobias}
    made = ops.WeightNormalizedDense(**args, epsilon=1e-9) if c.use_weightnorm else ops.Dense(**args)
    return (*flattened(xs[0], c.in_size), made)


def _channels(x: Shape, wanted: int | None) -> None:
    if len(x) != 4:
        raise ShapeError(f"expected (N, channels, height, width), found {show(x)}")
    if wanted is not None and x[1] != wanted:
        raise ShapeError(f"expected {wanted} channels, found {show(x)}")


def _convolution(
    c: Config, x: Shape, filters: int, strides: tuple[int, int], dilation: tuple[int, int]
) -> Op:
    _channels(x, c.in_channels)
    args = {
        "filters": filters,
        "kernel_size": c.ksize,
        "strides": strides,
        "padding": tuple((p, p) for p in c.pad),
        "dilation": dilation,
        "groups": 1,
        "use_bias": not c.nobias,
        "data_format": "channels_first",
    }
    if c.use_weightnorm:
        return ops.WeightNormalizedConvolution(**args, epsilon=1e-9)
    return ops.Convolution(**args)


@_defines(LAYERS, "Convolution2D", CONVOLUTION)
def convolution(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return _convolution(c, xs[0], c.out_channels, c.stride, (1, 1))


@_defines(LAYERS, "DilatedConvolution2D", DILATED)
def dilated(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return _convolution(c, xs[0], c.out_channels, c.stride, c.dilate)


PIXEL_SHUFFLER = {
    "in_channels": Field(type=optional(positive), default=None),
    "out_channels": Field(type=positive),
    "ksize": Field(type=sizes(2), default=3),
    "r": Field(type=positive, default=2),
    "pad": Field(type=sizes(2, natural), default=1),
    **USUAL,
}


@_defines(LAYERS, "PixelShuffler2D", PIXEL_SHUFFLER)
def pixel_shuffler(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    made = _convolution(c, xs[0], c.out_channels * c.r**2, (1, 1), (1, 1))
    return made, ops.DepthToSpace(block=c.r, data_format="channels_first")


@_defines(LAYERS, "Deconvolution2D", DECONVOLUTION)
def deconvolution(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    _channels(xs[0], c.in_channels)
    # (n - 1) * s + k - 2 * pad, as the op writes it: ... - 2 * (k // 2) + extra
    extra = tuple(2 * (k // 2) - 2 * p for k, p in zip(c.ksize, c.pad, strict=True))
    known = c.outsize
    if known is None and min(extra) < 0:
        known = tuple(
            _grown(n, k, s, p) for n, k, s, p in zip(xs[0][2:], c.ksize, c.stride, c.pad, strict=True)
        )
    args = {
        "filters": c.out_channels,
        "kernel_size": c.ksize,
        "strides": c.stride,
        "padding": "same",
        "output_padding": extra if known is None else None,
        "output_size": known,
        "begin": c.pad,
        "dilation": (1, 1),
        "use_bias": not c.nobias,
        "data_format": "channels_first",
    }
    if c.use_weightnorm:
        return ops.WeightNormalizedTransposedConvolution(**args, epsilon=1e-9)
    return ops.TransposedConvolution(**args)


def _grown(n: int | None, k: int, s: int, p: int) -> int:
    if n is None:
        raise ShapeError("a pad of more than half the window needs a known size")
    return (n - 1) * s + k - 2 * p


EMBED = {
    "in_size": Field(type=positive),
    "out_size": Field(type=positive),
    "ignore_label": Field(type=only(None), default=None),
    **param_fields("embeddings"),
}


@_defines(LAYERS, "EmbedID", EMBED)
def embed(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.Embedding(input_dim=c.in_size, output_dim=c.out_size, dropout=0.0)


BATCH_NORMALIZATION = {
    "size": Field(type=optional(positive), default=None),
    "decay": Field(type=rate, default=0.9),
    "eps": Field(type=number, default=2e-5),
    "dtype": Field(type=one_of("float16", "float32", "float64"), default="float32"),
    "use_gamma": Field(type=boolean, default=True),
    "use_beta": Field(type=boolean, default=True),
    **CUDNN,
    **param_fields("gamma", "beta"),
}


@_defines(LAYERS, "BatchNormalization", BATCH_NORMALIZATION)
def batch_normalization(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    if c.size is not None and xs[0][1:2] != (c.size,):
        raise ShapeError(f"expected {c.size} features, found {show(xs[0])}")
    return ops.BatchNormalization(
        axis=1,
        momentum=c.decay,
        epsilon=c.eps,
        corrections=(1.0,),
        scale=c.use_gamma,
        center=c.use_beta,
        mode="batch",
        offset=0.0,
        zero_debias=False,
        statistic="variance",
        frozen="running",
    )


MINIBATCH = {
    "in_size": Field(type=optional(positive), default=None),
    "num_kernels": Field(type=positive),
    "ndim_kernel": Field(type=positive, default=5),
    "train_weights": Field(type=boolean, default=True),
    **param_fields("kernel"),
}


@_defines(LAYERS, "MinibatchDiscrimination", MINIBATCH)
def minibatch_discrimination(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    made = ops.MinibatchDiscrimination(num_kernels=c.num_kernels, ndim_kernel=c.ndim_kernel)
    return (*flattened(xs[0], c.in_size), made)


# ------------------------------------------------------------------ functions


def _function(name: str, make: Any, **fields: Field) -> None:
    def translate(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
        made: Translated = make(c, xs[0])
        return made

    FUNCTIONS[name] = Translator(fields | CUDNN, translate)


def _relu(top: float | None = None, slope: float = 0.0) -> Op:
    return ops.Relu(max_value=top, negative_slope=slope, threshold=0.0)


AXIS = Field(type=integer, default=1)
_function("relu", lambda c, x: _relu())
_function("clipped_relu", lambda c, x: _relu(top=c.z), z=Field(type=number, default=20.0))
_function("leaky_relu", lambda c, x: _relu(slope=c.slope), slope=Field(type=number, default=0.2))
_function("crelu", lambda c, x: ops.ConcatenatedRelu(axis=c.axis % len(x)), axis=AXIS)
_function("elu", lambda c, x: ops.Elu(alpha=c.alpha), alpha=Field(type=number, default=1.0))
_function("hard_sigmoid", lambda c, x: ops.HardSigmoid(slope=0.2))
_function("sigmoid", lambda c, x: ops.Activation(function="sigmoid"))
_function("tanh", lambda c, x: ops.Activation(function="tanh"))
_function("softplus", lambda c, x: ops.Activation(function="softplus"))
_function("softmax", lambda c, x: ops.Softmax(axes=(1,), sparse=False))
_function("log_softmax", lambda c, x: ops.LogSoftmax(axes=(1,)))
_function(
    "maxout",
    lambda c, x: ops.Maxout(pool_size=c.pool_size, axis=c.axis % len(x)),
    pool_size=Field(type=positive),
    axis=AXIS,
)
_function(
    "dropout",
    lambda c, x: ops.Dropout(rate=c.ratio, noise_shape=None),
    ratio=Field(type=rate, default=0.5),
)
_function("gaussian_noise", lambda c, x: ops.GaussianNoise(stddev=c.std), std=Field(type=number, default=0.3))
_function("reshape_1d", lambda c, x: ops.Flatten(data_format="channels_last"))


def _reshape(c: Config, x: Shape) -> Translated:
    if len(c.shape) < 2 or c.shape[0] != -1:
        raise Wrong("a shape that begins with -1, the batch", hint="write [-1, channels, height, width]")
    return ops.Reshape(target=c.shape[1:])


_function("reshape", _reshape, shape=Field(type=tuple_of(integer)))

WINDOW = {
    "ksize": Field(type=sizes(2)),
    "stride": Field(type=optional(sizes(2)), default=None),
    "pad": Field(type=sizes(2, natural), default=0),
}
COVER = {"cover_all": Field(type=boolean, default=True)}


def _max_pooling(c: Config, x: Shape) -> Translated:
    args = {"pool_size": c.ksize, "strides": c.stride or c.ksize, "data_format": "channels_first"}
    if c.cover_all:
        return ops.CoveringMaxPooling(**args, padding=c.pad)
    return ops.Pooling(function="max", **args, padding=tuple((p, p) for p in c.pad))


def _average_pooling(c: Config, x: Shape) -> Translated:
    pads = tuple((p, p) for p in c.pad)
    pooling = ops.Pooling(
        function="average",
        pool_size=c.ksize,
        strides=c.stride or c.ksize,
        padding=((0, 0), (0, 0)),
        data_format="channels_first",
    )
    # Chainer counts the padding in the mean
    return (ops.ZeroPadding(padding=pads, data_format="channels_first"), pooling) if any(c.pad) else pooling


def _unpooling(c: Config, x: Shape) -> Translated:
    return ops.Unpooling(
        pool_size=c.ksize,
        strides=c.stride or c.ksize,
        padding=c.pad,
        output_size=c.outsize,
        cover_all=c.cover_all,
        data_format="channels_first",
    )


def _pyramid(c: Config, x: Shape) -> Translated:
    return ops.SpatialPyramidPooling(height=c.pyramid_height, data_format="channels_first")


_function("max_pooling_2d", _max_pooling, **WINDOW, **COVER)
_function("average_pooling_2d", _average_pooling, **WINDOW)
_function("unpooling_2d", _unpooling, **WINDOW, **COVER, outsize=Field(type=optional(sizes(2)), default=None))
_function(
    "spatial_pyramid_pooling_2d",
    _pyramid,
    pyramid_height=Field(type=positive),
    # a class, which the files of that time lost; max pooling is the only one in use
    pooling_class=Field(type=only(None, "MaxPooling2D", "max"), default=None),
)

# What Activation(nonlinearity) knew, by any case of its name.
NONLINEARITIES = (
    "clipped_relu", "crelu", "elu", "hard_sigmoid", "leaky_relu", "relu", "sigmoid", "softmax", "softplus", "tanh",
)  # fmt: skip
# What return_activations lists.
COUNTED = frozenset(NONLINEARITIES) - {"softmax"}


def translators() -> dict[str, Translator]:
    """All of them under the class names that configs of the builder use."""
    return {PREFIX + name: one for name, one in (LAYERS | FUNCTIONS).items()}


__all__ = ["COUNTED", "FUNCTIONS", "LAYERS", "NONLINEARITIES", "PREFIX", "flattened", "translators"]
