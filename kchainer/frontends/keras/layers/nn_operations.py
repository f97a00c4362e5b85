"""What the functions of keras.ops.nn and keras.ops.image mean, as ops of the IR."""

from __future__ import annotations

from typing import Any

from kchainer.frontends.keras.layers.making import Handler, Maker, Refused, handles, integers
from kchainer.frontends.keras.layers.math_operations import binary
from kchainer.ir import ops
from kchainer.ir.graph import Value
from kchainer.ir.op import Op

# Keras's class -> the op's function
SIMPLE = {
    "Sigmoid": "sigmoid", "Softplus": "softplus", "Softsign": "softsign", "Silu": "silu", "SparsePlus": "sparse_plus",
    "SparseSigmoid": "sparse_sigmoid", "LogSigmoid": "log_sigmoid", "HardSilu": "hard_silu",
    "HardTanh": "hard_tanh", "TanhShrink": "tanh_shrink", "Selu": "selu", "Mish": "mish",
}  # fmt: skip


def _simple(function: Any) -> Handler:
    return lambda m, x: m(ops.Activation(function=function), m.value(x))


for _name, _function in SIMPLE.items():
    handles(_name)(_simple(_function))


def relu_op(max_value: float | None = None, negative_slope: float = 0.0) -> Op:
    """max(x, 0), cut off at ``max_value``."""
    return ops.Relu(max_value=max_value, negative_slope=float(negative_slope), threshold=0.0)


@handles("Relu")
def relu(m: Maker, x: Any) -> Value:
    return m(relu_op(), m.value(x))


@handles("Relu6")
def relu6(m: Maker, x: Any) -> Value:
    return m(relu_op(6.0), m.value(x))


@handles("LeakyRelu")
def leaky_relu(m: Maker, x: Any, negative_slope: float = 0.2) -> Value:
    return m(relu_op(None, negative_slope), m.value(x))


@handles("HardSigmoid")
def hard_sigmoid(m: Maker, x: Any) -> Value:
    return m(ops.HardSigmoid(slope=1 / 6), m.value(x))


@handles("Elu")
def elu(m: Maker, x: Any, alpha: float = 1.0) -> Value:
    return m(ops.Elu(alpha=float(alpha)), m.value(x))


@handles("Celu")
def celu(m: Maker, x: Any, alpha: float = 1.0) -> Value:
    return m(ops.Celu(alpha=float(alpha)), m.value(x))


@handles("Gelu")
def gelu(m: Maker, x: Any, approximate: bool = True) -> Value:
    return m(ops.Gelu(approximate=approximate), m.value(x))


@handles("Glu")
def glu(m: Maker, x: Any, axis: int = -1) -> Value:
    return m(ops.Glu(axis=m.axis(x, axis)), x)


@handles("Squareplus")
def squareplus(m: Maker, x: Any, b: float = 4) -> Value:
    return m(ops.Squareplus(b=float(b)), m.value(x))


@handles("SoftShrink", "HardShrink")
def shrink(m: Maker, x: Any, threshold: float = 0.5) -> Value:
    how: Any = "soft" if m.name == "SoftShrink" else "hard"
    return m(ops.Shrink(function=how, threshold=float(threshold)), m.value(x))


@handles("Threshold")
def threshold_(m: Maker, x: Any, threshold: float, default_value: float) -> Value:
    return m(ops.Threshold(threshold=float(threshold), value=float(default_value)), m.value(x))


@handles("Softmax", "Sparsemax")
def softmax(m: Maker, x: Any, axis: Any = -1) -> Value:
    return m(ops.Softmax(axes=m.axes(x, axis), sparse=m.name == "Sparsemax"), x)


@handles("LogSoftmax")
def log_softmax(m: Maker, x: Any, axis: Any = -1) -> Value:
    return m(ops.LogSoftmax(axes=m.axes(x, axis)), x)


@handles("Normalize")
def normalize(m: Maker, x: Any, axis: Any = -1, order: Any = 2, epsilon: Any = None) -> Value:
    if order != 2 or epsilon not in (None, 1e-12):
        raise Refused(f"order {order}, epsilon {epsilon}")
    return m(ops.UnitNormalization(axes=m.axes(x, axis), floor="norm"), x)


def _pads(padding: str, rank: int) -> Any:
    if padding.lower() not in ("valid", "same"):
        raise Refused(f"padding {padding}")
    return "same_upper" if padding.lower() == "same" else ((0, 0),) * rank


@handles("MaxPool", "AveragePool")
def pool(
    m: Maker,
    inputs: Any,
    pool_size: Any,
    strides: Any = None,
    padding: str = "valid",
    data_format: Any = None,
) -> Value:
    rank = len(m.shape(inputs)) - 2
    size = integers(pool_size) * (rank if isinstance(pool_size, int) else 1)
    step = size if strides is None else integers(strides) * (rank if isinstance(strides, int) else 1)
    how: Any = "max" if m.name == "MaxPool" else "average"
    op = ops.Pooling(
        function=how,
        pool_size=size,
        strides=step,
        padding=_pads(padding, rank),
        data_format=data_format or "channels_last",
    )
    return m(op, m.value(inputs))


@handles("Resize")
def resize(
    m: Maker,
    images: Any,
    size: Any,
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: Any = None,
    fill_value: Any = None,
    data_format: Any = None,
) -> Value:
    # bicubic without antialiasing differs between backends, and an operation does not say its backend
    if interpolation not in ("nearest", "bilinear") and not (interpolation == "bicubic" and antialias):
        raise Refused("this way of resizing")
    height, width = integers(size)
    how: Any = "bicubic_tf" if interpolation == "bicubic" else interpolation
    op = ops.Resizing(
        height=height,
        width=width,
        interpolation=how,
        antialias=bool(antialias),
        aspect="crop" if crop_to_aspect_ratio else "pad" if pad_to_aspect_ratio else "stretch",
        fill=float(fill_value or 0),
        whole=True,
        data_format=data_format or "channels_last",
    )
    return m(op, m.value(images))


@handles("DotProductAttention")
def attention(m: Maker, query: Any, key: Any, value: Any, **more: Any) -> Value:
    raise Refused("attention of a later release")


@handles("BiasAdd")
def bias_add(m: Maker, value: Any, bias: Any) -> Value:
    return binary(m, "add", value, bias)
