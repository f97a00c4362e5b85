"""Operation nodes: ``keras.ops`` of Keras 3 and ``tf.`` functions of tf.keras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kchainer.ir import ops
from kchainer.ir.graph import Value
from kchainer.ir.op import Op, Shape

Made = tuple[tuple[Op, ...], list[Value]]

# Keras 3 class, Keras layer called with a constant, or tf.keras function -> arithmetic
BINARY = {
    "Add": "add", "Subtract": "subtract", "Multiply": "multiply", "Divide": "divide", "TrueDivide": "divide",
    "Power": "power", "Maximum": "maximum", "Minimum": "minimum",
    "math.add": "add", "__operators__.add": "add", "math.subtract": "subtract", "math.multiply": "multiply",
    "math.truediv": "divide", "math.divide": "divide", "math.pow": "power",
    "math.maximum": "maximum", "math.minimum": "minimum",
}  # fmt: skip
UNARY: dict[str, Callable[[dict[str, Any]], Op | None]] = {
    "Relu": lambda c: ops.Relu(max_value=None, negative_slope=0.0, threshold=0.0),
    "Relu6": lambda c: ops.Relu(max_value=6.0, negative_slope=0.0, threshold=0.0),
    "Sigmoid": lambda c: ops.Activation(function="sigmoid"),
    "Tanh": lambda c: ops.Activation(function="tanh"),
    "Silu": lambda c: ops.Activation(function="silu"),
    "Exp": lambda c: ops.Activation(function="exponential"),
    "Gelu": lambda c: ops.Gelu(approximate=c.get("approximate", True)),
    "Sqrt": lambda c: ops.Activation(function="sqrt"),
    "Square": lambda c: ops.Activation(function="square"),
    "Absolute": lambda c: ops.Activation(function="absolute"),
    "Negative": lambda c: ops.Arithmetic(function="multiply", constant=-1.0, constant_first=False),
    "nn.relu": lambda c: ops.Relu(max_value=None, negative_slope=0.0, threshold=0.0),
    "nn.relu6": lambda c: ops.Relu(max_value=6.0, negative_slope=0.0, threshold=0.0),
    "nn.sigmoid": lambda c: ops.Activation(function="sigmoid"),
    "math.sigmoid": lambda c: ops.Activation(function="sigmoid"),
    "math.tanh": lambda c: ops.Activation(function="tanh"),
    "nn.swish": lambda c: ops.Activation(function="silu"),
    "nn.silu": lambda c: ops.Activation(function="silu"),
    "nn.gelu": lambda c: ops.Gelu(approximate=c.get("approximate", False)),
    "math.sqrt": lambda c: ops.Activation(function="sqrt"),
    "math.square": lambda c: ops.Activation(function="square"),
    "math.exp": lambda c: ops.Activation(function="exponential"),
}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _binary(
    function: Any, a: Any, b: Any, tensors: tuple[bool, bool], shape: Callable[[Value], Shape]
) -> Made | None:
    if all(tensors):
        if function == "power" or len(shape(a)) != len(shape(b)):
            return None
        return (ops.Merge(function=function),), [a, b]
    number, value = (a, b) if tensors[1] else (b, a)
    if not _is_number(number) or function in ("maximum", "minimum"):
        return None
    op = ops.Arithmetic(function=function, constant=float(number), constant_first=tensors[1])
    return (op,), [value]


def mask_operation(class_name: str, args: list[Any]) -> Made | None:
    """What Keras 3 writes into functional models for the masks of its layers."""
    tensors = [a for a in args if isinstance(a, tuple)]
    if class_name == "NotEqual" and len(tensors) == 1 and len(args) == 2 and _is_number(args[1]):
        return (ops.MaskNotEqual(value=float(args[1])),), tensors
    if class_name in ("LogicalOr", "LogicalAnd") and len(tensors) == len(args) == 2:
        return (ops.MaskLogical(function="or" if class_name == "LogicalOr" else "and"),), tensors
    if class_name == "Any" and len(args) == 1:
        return (ops.MaskAny(),), tensors
    return None


def operation(
    class_name: str,
    config: dict[str, Any],
    args: list[Any],
    kwargs: dict[str, Any],
    tensors: set[str],
    shape: Callable[[Value], Shape],
) -> Made | None:
    """The ops of an operation node and the values that they take; None where it is not supported."""
    name = config.get("function", class_name) if class_name == "TFOpLambda" else class_name
    if name in BINARY:
        operands = list(args)
        is_tensor = [isinstance(a, tuple) for a in args]
        for key in ("y", "x2"):
            if key in kwargs and len(operands) < 2:
                operands.append(kwargs[key])
                is_tensor.append(key in tensors)
        if len(operands) == 2 and any(is_tensor):
            return _binary(BINARY[name], operands[0], operands[1], (is_tensor[0], is_tensor[1]), shape)
        return None
    if name in UNARY and len(args) == 1 and isinstance(args[0], tuple):
        op = UNARY[name](config | kwargs)
        return None if op is None else ((op,), [args[0]])
    return None
