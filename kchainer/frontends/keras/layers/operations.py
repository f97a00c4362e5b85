"""Operation nodes: ``keras.ops`` of Keras 3 and ``tf.`` functions of tf.keras, which are told in Keras 3's words."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from kchainer.frontends.keras.layers import (  # noqa: F401  fill HANDLERS
    array_operations,
    image_operations,
    index_operations,
    linalg_operations,
    math_operations,
    nn_operations,
    product_operations,
    signal_operations,
)
from kchainer.frontends.keras.layers.making import HANDLERS, Array, Call, Dims, Maker, Refused, Reported
from kchainer.frontends.keras.unsupported import OTHERS
from kchainer.ir.graph import Value
from kchainer.ir.op import Shape

Json = dict[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Function:
    """A function of TensorFlow: Keras 3's class for it, other names of its arguments, and what it fixes.

    ``listed``: its first argument is a list of tensors.
    """

    name: str
    names: Mapping[str, str] = dataclasses.field(default_factory=dict)
    fixed: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    listed: bool = False


_XY = {"x": "x1", "y": "x2", "a": "x1", "b": "x2"}
_AXES = {"input_tensor": "x", "input": "x", "axes": "axis", "keep_dims": "keepdims", "values": "x"}


def _many(pairs_of_names: str, /, **more: Any) -> dict[str, Function]:
    """TensorFlow's name: Keras's name, by pairs."""
    pairs = (one.split(":") for one in pairs_of_names.split())
    return {ours: Function(theirs, **more) for ours, theirs in pairs}


TENSORFLOW: dict[str, Function] = {
    **_many(
        "math.add:Add __operators__.add:Add add:Add math.subtract:Subtract subtract:Subtract math.multiply:Multiply "
        "multiply:Multiply math.truediv:Divide math.divide:Divide truediv:Divide math.floordiv:FloorDivide "
        "math.pow:Power math.maximum:Maximum maximum:Maximum math.minimum:Minimum minimum:Minimum math.floormod:Mod "
        "math.mod:Mod math.equal:Equal math.not_equal:NotEqual math.less:Less math.less_equal:LessEqual "
        "math.greater:Greater math.greater_equal:GreaterEqual math.logical_and:LogicalAnd "
        "math.logical_or:LogicalOr math.logical_xor:LogicalXor math.divide_no_nan:DivideNoNan math.atan2:Arctan2 "
        "math.squared_difference:SquaredDifference __operators__.ne:NotEqual __operators__.eq:Equal "
        "linalg.matmul:Matmul matmul:Matmul realdiv:Divide",
        names=_XY,
    ),
    **_many(
        "math.negative:Negative math.abs:Absolute abs:Absolute math.exp:Exp exp:Exp math.log:Log math.log1p:Log1p "
        "math.expm1:Expm1 math.sqrt:Sqrt sqrt:Sqrt math.rsqrt:Rsqrt math.square:Square square:Square math.sign:Sign "
        "math.floor:Floor floor:Floor math.ceil:Ceil math.round:Round math.sin:Sin math.cos:Cos math.tan:Tan "
        "math.asin:Arcsin math.acos:Arccos math.atan:Arctan math.sinh:Sinh math.cosh:Cosh math.tanh:Tanh tanh:Tanh "
        "math.asinh:Arcsinh math.acosh:Arccosh math.atanh:Arctanh math.erf:Erf math.reciprocal:Reciprocal "
        "math.sigmoid:Sigmoid nn.sigmoid:Sigmoid sigmoid:Sigmoid math.is_nan:Isnan math.is_inf:Isinf "
        "math.is_finite:Isfinite math.logical_not:LogicalNot nn.relu:Relu nn.relu6:Relu6 nn.elu:Elu nn.selu:Selu "
        "nn.tanh:Tanh nn.swish:Silu nn.silu:Silu nn.softsign:Softsign nn.softplus:Softplus math.softplus:Softplus "
        "math.log_sigmoid:LogSigmoid stop_gradient:StopGradient identity:Copy convert_to_tensor:ConvertToTensor "
        "zeros_like:ZerosLike ones_like:OnesLike cast:Cast",
        names={"features": "x", "input": "x", "value": "x"},
    ),
    **_many(
        "math.reduce_mean:Mean math.reduce_sum:Sum math.reduce_max:Max math.reduce_min:Min math.reduce_prod:Prod "
        "math.reduce_std:Std math.reduce_variance:Var math.reduce_logsumexp:Logsumexp math.reduce_all:All "
        "math.reduce_any:Any math.argmax:Argmax math.argmin:Argmin math.cumsum:Cumsum math.cumprod:Cumprod "
        "reverse:Flip expand_dims:ExpandDims squeeze:Squeeze roll:Roll sort:Sort argsort:Argsort math.top_k:TopK "
        "compat.v1.reduce_mean:Mean compat.v1.reduce_sum:Sum",
        names={**_AXES, "tensor": "x"},
    ),
    **_many("math.l2_normalize:Normalize nn.l2_normalize:Normalize", names={"dim": "axis"}),
    **_many("nn.softmax:Softmax nn.log_softmax:LogSoftmax", names={"logits": "x", "dim": "axis"}),
    **_many("concat:Concatenate stack:Stack", names={"values": "x"}, listed=True),
    "reshape": Function("Reshape", {"tensor": "x", "shape": "newshape"}),
    "transpose": Function("Transpose", {"a": "x", "perm": "axes"}),
    "compat.v1.transpose": Function("Transpose", {"a": "x", "perm": "axes"}),
    "tile": Function("Tile", {"input": "x", "multiples": "repeats"}),
    "repeat": Function("Repeat", {"input": "x"}),
    "pad": Function("Pad", {"tensor": "x", "paddings": "pad_width"}),
    "broadcast_to": Function("BroadcastTo", {"input": "x"}),
    "split": Function("Split", {"value": "x", "num_or_size_splits": "indices_or_sections"}),
    "unstack": Function("Unstack", {"value": "x"}),
    "gather": Function("Take", {"params": "x"}),
    "one_hot": Function("OneHot", {"indices": "x", "depth": "num_classes"}),
    "clip_by_value": Function("Clip", {"t": "x", "clip_value_min": "x_min", "clip_value_max": "x_max"}),
    "where": Function("Where", {"x": "x1", "y": "x2"}),
    "einsum": Function("Einsum"),
    "tensordot": Function("Tensordot", {"a": "x1", "b": "x2"}),
    "nn.gelu": Function("Gelu", {"features": "x"}, {"approximate": False}),
    "nn.leaky_relu": Function("LeakyRelu", {"features": "x", "alpha": "negative_slope"}),
    "nn.bias_add": Function("BiasAdd"),
    "image.resize": Function("Resize", {"method": "interpolation"}, {"antialias": False}),
    "__operators__.getitem": Function("GetItem", {"slice_spec": "key"}),
    "math.add_n": Function("AddN", listed=True),
    "shape": Function("Shape", {"input": "x"}),
    "compat.v1.shape": Function("Shape", {"input": "x"}),
}
# What changes no number.
IGNORED = (
    "name",
    "function",
    "trainable",
    "out_type",
    "validate_indices",
    "batch_dims",
    "preserve_aspect_ratio",
)


def _spec(item: Any) -> Any:
    """One item of a slice as TensorFlow's files write it."""
    if isinstance(item, dict) and {"start", "stop"} <= item.keys():
        return slice(item["start"], item["stop"], item.get("step"))
    return item


def _tensorflow(name: str, args: list[Any], kwargs: Json) -> tuple[str, list[Any], Json]:
    function = TENSORFLOW.get(name)
    if function is None:
        raise Refused(f"no function of this name is known: `{name}`")
    if function.listed:
        args = [args] if args and not isinstance(args[0], list) else args
    kwargs = {function.names.get(k, k): v for k, v in (dict(function.fixed) | kwargs).items()}
    if function.name == "GetItem":
        key = kwargs.get("key")
        kwargs["key"] = [_spec(k) for k in key] if isinstance(key, list) else _spec(key)
    if function.name == "Split" and isinstance(kwargs.get("indices_or_sections"), list):
        sizes: list[int] = kwargs["indices_or_sections"]
        ends: list[int] = []
        for size in sizes[:-1]:
            if size < 0:
                raise Refused("a size of -1")
            ends.append(size + (ends[-1] if ends else 0))
        kwargs["indices_or_sections"] = ends
    if function.name == "Matmul":
        args, kwargs = _transposed(args, kwargs)
    if function.name == "Einsum" and args and isinstance(args[0], str):
        args, kwargs = args[1:], kwargs | {"subscripts": args[0]}
    return function.name, args, kwargs


def _transposed(args: list[Any], kwargs: Json) -> tuple[list[Any], Json]:
    if any(kwargs.pop(k, False) for k in ("transpose_a", "transpose_b", "adjoint_a", "adjoint_b")):
        raise Refused("a transposed operand of matmul")
    return args, {k: v for k, v in kwargs.items() if k in ("x1", "x2")}


def _shape(m: Maker, x: Any) -> Dims:
    return Dims(tuple(-1 if d is None else d for d in m.shape(x)))


def _add_n(m: Maker, inputs: Any) -> Value:
    total = inputs[0]
    for one in inputs[1:]:
        total = HANDLERS["Add"](m, total, one)
    return m.value(total)


OWN: dict[str, Callable[..., Any]] = {"Shape": _shape, "AddN": _add_n}


def _plain(value: Any) -> Any:
    """Lists of one number each stay; a constant that is no array is as it is."""
    return value.values if isinstance(value, Array) and not isinstance(value.values, list) else value


def operation(
    class_name: str, config: Json, args: list[Any], kwargs: Json, call: Call, shape: Callable[[Value], Shape]
) -> Any:
    """What an operation node gives: a value, or a list of them.

    Raises:
        Refused: the operation or these arguments are not supported.
        Reported: what it stands for does not fit; a diagnostic says why.
    """
    given = {k: v for k, v in {**_of_config(config), **kwargs}.items() if k not in IGNORED}
    name = class_name
    if class_name in ("TFOpLambda", "SlicingOpLambda"):
        name, args, given = _tensorflow(str(config.get("function")), args, given)
    if class_name == "TensorFlowOpLayer":
        name, args = _graph_op(config, args)
    handler = OWN.get(name) or HANDLERS.get(name)
    if handler is None:
        raise Refused(OTHERS["op"].get(name, "it is not known"))
    maker = Maker(name, call, shape)
    args, given = [_plain(a) for a in args], {k: _plain(v) for k, v in given.items()}
    try:
        bound = inspect.signature(handler).bind(maker, *args, **given)
    except TypeError as wrong:
        raise Refused(str(wrong)) from None
    try:
        return handler(*bound.args, **bound.kwargs)
    except (
        TypeError,
        ValueError,
        IndexError,
        AttributeError,
    ) as wrong:  # arguments of no form that Keras writes
        raise Refused(f"arguments that do not fit: {wrong}") from None


# Nodes of TensorFlow's graphs -> Keras's class; those whose arguments are tensors and constants only.
GRAPH = dict(
    pair.split(":")
    for pair in [
        "Add:Add",
        "AddV2:Add",
        "Sub:Subtract",
        "Mul:Multiply",
        "RealDiv:Divide",
        "Div:Divide",
        "FloorDiv:FloorDivide",
        "Pow:Power",
        "Maximum:Maximum",
        "Minimum:Minimum",
        "FloorMod:Mod",
        "Equal:Equal",
        "NotEqual:NotEqual",
        "Less:Less",
        "LessEqual:LessEqual",
        "Greater:Greater",
        "GreaterEqual:GreaterEqual",
        "LogicalAnd:LogicalAnd",
        "LogicalOr:LogicalOr",
        "Neg:Negative",
        "Abs:Absolute",
        "Exp:Exp",
        "Log:Log",
        "Log1p:Log1p",
        "Sqrt:Sqrt",
        "Rsqrt:Rsqrt",
        "Square:Square",
        "Sign:Sign",
        "Floor:Floor",
        "Ceil:Ceil",
        "Sin:Sin",
        "Cos:Cos",
        "Tanh:Tanh",
        "Sigmoid:Sigmoid",
        "Relu:Relu",
        "Relu6:Relu6",
        "Elu:Elu",
        "Softplus:Softplus",
        "Reshape:Reshape",
        "ExpandDims:ExpandDims",
        "Transpose:Transpose",
        "Tile:Tile",
        "SquaredDifference:SquaredDifference",
    ]
)


def _graph_op(config: Json, args: list[Any]) -> tuple[str, list[Any]]:
    """A node of a TensorFlow graph (TF 1.14 to 2.3): its constants stand apart, by their place."""
    node, constants = config.get("node_def"), config.get("constants") or {}
    if not isinstance(node, dict) or str(node.get("op")) not in GRAPH:
        raise Refused(f"node {node.get('op') if isinstance(node, dict) else 'in text form'}")
    if not isinstance(constants, dict) or not all(k.isdecimal() for k in constants):
        raise Refused("constants that do not stand by their places")
    out = list(args)
    for place, value in sorted((int(k), v) for k, v in constants.items()):
        out.insert(place, value)
    return GRAPH[str(node["op"])], out


def _of_config(config: Json) -> Json:
    """The arguments that an operation of Keras 3 keeps in its config; a dtype policy is none."""
    if "function" in config or "node_def" in config:
        return {}
    return {
        k: v
        for k, v in config.items()
        if k != "dtype" or not (isinstance(v, dict) and v.get("class_name") == "DTypePolicy")
    }


__all__ = ["Refused", "Reported", "operation"]
