"""Quantised layers of Keras 3: what their config says, and how their files keep the weights."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kchainer.diagnostics import Diagnostic, Diagnostics, KchainerError
from kchainer.files import WeightFile
from kchainer.frontends.fields import Wrong
from kchainer.ir import ops
from kchainer.ir.arrays import LazyArray
from kchainer.ir.graph import Layer
from kchainer.ir.op import Op, Param, Shape

Json = dict[str, Any]
# The policies of quantised layers by the algorithm that they name first.
POLICIES = {
    "QuantizedDTypePolicy": ("int8",),
    "Int4DTypePolicy": ("int4",),
    "QuantizedFloat8DTypePolicy": ("float8",),
    "GPTQDTypePolicy": ("gptq",),
    "AWQDTypePolicy": ("awq",),
}
DENSE = ("Dense", "EinsumDense")
ROUNDING = (*DENSE, "ReversibleEmbedding")  # its reverse call is that of a Dense
TABLES = ("Embedding", "ReversibleEmbedding")
# What each algorithm is written for.
TAKES = {
    "int8": DENSE + TABLES,
    "int4": DENSE + TABLES,
    "float8": DENSE,
}
# Keras 3.15 saves their layers without the zero points of their scales, and cannot load them itself.
INCOMPLETE = ("gptq", "awq")
# A layer's arrays in the order of a v3 file; those that it has not are left out, and take no number.
_GROUPED = ("kernel_scale", "kernel_zero", "g_idx")
FLOAT8 = tuple(f"{n}_{k}" for n in ("inputs", "kernel", "outputs_grad") for k in ("scale", "amax_history"))
ORDER = {
    "int8": ("kernel", "bias", "kernel_scale"),
    "int4": ("kernel", "bias", *_GROUPED),
    "float8": ("kernel", "bias", *FLOAT8),
}
TABLE_ORDER = {
    "int8": ("embeddings", "embeddings_scale"),
    "int4": ("embeddings", "embeddings_scale", "embeddings_zero", "g_idx"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Steps:
    """How inputs are rounded to whole numbers before the product."""

    low: int
    high: int
    epsilon: float


@dataclasses.dataclass(frozen=True, slots=True)
class Quantized:
    """How a layer is quantised. ``block``: rows that share a scale, None for all."""

    mode: str
    block: int | None
    inputs: Steps | None
    history: int
    table: bool

    def names(self, params: tuple[Param, ...]) -> tuple[str, ...]:
        """The arrays of a layer of these params in a v3 file, in their order."""
        order = (TABLE_ORDER if self.table else ORDER)[self.mode]
        absent = set() if any(p.name == "bias" for p in params) else {"bias"}
        if self.mode == "int4" and self.block is None:
            absent |= {"kernel_zero", "embeddings_zero", "g_idx"}
        return tuple(name for name in order if name not in absent)


def is_policy(value: Any) -> bool:
    """Whether a ``dtype`` is the policy of a quantised layer."""
    name = value.get("class_name") if isinstance(value, dict) else None
    return isinstance(name, str) and name in POLICIES


def source_of(value: Json) -> Any:
    """The policy that a quantised layer had before."""
    config = value.get("config")
    return config.get("source_name") if isinstance(config, dict) else None


def quantized_of(dtype: Any, config: Json, class_name: str) -> Quantized | None:
    """How a layer is quantised, by its ``dtype`` and ``quantization_config``; None where it is not.

    Raises:
        Wrong: in a way that cannot be computed as Keras does.
    """
    if not is_policy(dtype):
        return None
    inner = dtype.get("config")
    word = inner.get("mode") if isinstance(inner, dict) else None
    mode, *numbers = word.split("/") if isinstance(word, str) else ("",)
    if mode in INCOMPLETE:
        raise Wrong(f"another algorithm: files of {mode} lack the zero points of their scales", code="KC204")
    if mode not in POLICIES[dtype["class_name"]] and not (mode in TAKES and mode in ("float8", "int4")):
        raise Wrong(
            f"a mode of {dtype['class_name']}: {', '.join(POLICIES[dtype['class_name']])}", code="KC204"
        )
    if class_name not in TAKES[mode]:
        raise Wrong(f"{mode} of {', '.join(TAKES[mode])} only", code="KC204")
    try:
        whole = [int(n) for n in numbers]
    except ValueError:
        whole = []
    if len(whole) != len(numbers) or any(n == 0 or n < -1 for n in whole):
        raise Wrong(f"{mode} with numbers above 0, or -1", code="KC204")
    given = config.get("quantization_config")
    block = whole[-1] if mode == "int4" and whole else -1
    if mode == "int4" and isinstance(given, dict) and isinstance(given.get("config"), dict):
        said = given["config"].get("block_size", -1)  # what Keras goes by where both are there
        block = -1 if said is None else said
    history = inner.get("amax_history_length", 1024) if isinstance(inner, dict) else 1024
    for number in (block, history):
        if isinstance(number, bool) or not isinstance(number, int) or number == 0 or number < -1:
            raise Wrong("a whole number above 0", code="KC204")
    inputs = _steps(given, mode, class_name) if mode in ("int8", "int4") else None
    return Quantized(mode, None if block == -1 else block, inputs, history, class_name in TABLES)


def _steps(given: Any, mode: str, class_name: str) -> Steps | None:
    """The quantiser of a layer's inputs: that of the config, or the usual one where there is no config."""
    if class_name not in ROUNDING:
        return None
    if given is None:
        return Steps(-127, 127, 1e-7) if mode == "int8" or class_name not in DENSE else None
    config = given.get("config") if isinstance(given, dict) else None
    if not isinstance(config, dict):
        raise Wrong("a quantisation config", code="KC204")
    quantizer = config.get("activation_quantizer")
    if quantizer is None:
        return None
    said = quantizer.get("config") if isinstance(quantizer, dict) else None
    if not isinstance(said, dict) or quantizer.get("class_name") != "AbsMaxQuantizer":
        raise Wrong("AbsMaxQuantizer for inputs", code="KC204")
    least, epsilon, dtype = (
        said.get("value_range"),
        said.get("epsilon", 1e-7),
        said.get("output_dtype", "int8"),
    )
    bounds = tuple(least) if isinstance(least, (list, tuple)) else ()
    fits = len(bounds) == 2 and all(isinstance(b, int) and -128 <= b <= 127 for b in bounds) and bounds[1] > 0
    if not fits or dtype != "int8" or not isinstance(epsilon, (int, float)) or epsilon < 0:
        raise Wrong("an AbsMaxQuantizer to whole numbers of 8 bits", code="KC204")
    return Steps(bounds[0], bounds[1], float(epsilon))


def dense(op: ops.Dense | ops.EinsumDense, x: Shape, said: Quantized | None) -> tuple[Op, ...]:
    """A dense layer as it computes when it is quantised: its inputs rounded first, its kernel not learned."""
    if said is None:
        return (op,)
    if said.mode == "float8":
        return (ops.Float8(layer=op, history=said.history),)
    made: Op
    if isinstance(op, ops.EinsumDense):
        made = ops.QuantizedEinsumDense(
            equation=op.equation, output_shape=op.output_shape, bias_axes=op.bias_axes
        )
        axes = _contracted(op.equation, len(x))
    else:
        made = ops.QuantizedDense(units=op.units, use_bias=op.use_bias)
        axes = (len(x) - 1,)
    if said.inputs is None:
        return (made,)
    steps = said.inputs
    rounding = ops.QuantizeByMaximum(axes=axes, low=steps.low, high=steps.high, epsilon=steps.epsilon)
    return (rounding, made)


def _contracted(equation: str, rank: int) -> tuple[int, ...]:
    """The axes of the first operand over which an einsum sums."""
    left, out = equation.replace(" ", "").split("->")
    first = left.split(",")[0]
    dots = "." * (rank - len(first.replace("...", "")))
    return tuple(i for i, a in enumerate(first.replace("...", dots)) if a != "." and a not in out)


# ------------------------------------------------------------------ arrays


@dataclasses.dataclass(frozen=True, slots=True)
class Stored:
    """Where the arrays stand of which a param is made."""

    said: Quantized
    paths: Mapping[str, str]


def source(said: Quantized, param: Param, paths: Mapping[str, str]) -> str | Stored:
    """The place of a param, or those of all arrays of which it is made; ``paths`` by the names of the arrays."""
    if said.mode == "float8" or param.name not in ("kernel", "embeddings"):
        return paths[param.name]
    return Stored(said, {name: path for name, path in paths.items() if name != "bias"})


def is_unsaid(
    file: WeightFile, paths: Sequence[str], said: Quantized | None, name: str, diagnostics: Diagnostics
) -> bool:
    """The weights of a layer are quantised, of which its config says nothing; reported."""
    whole = any(path in file and file.dataset(path).dtype in ("int8", "uint8") for path in paths)
    if said is not None or not whole:
        return False
    diagnostics.error(
        "KC204", f'the weights file has a quantised kernel for "{name}", and the config does not say how',
        hint="Keras 3.15 writes, and cannot load itself, such files of a MultiHeadAttention: save it unquantised",
    )  # fmt: skip
    return True


def by_name(
    said: Quantized, slots: Sequence[tuple[Layer, Param]], paths: Sequence[str]
) -> list[tuple[tuple[Layer, Param], str | Stored]] | None:
    """The params of a layer in a legacy file, which goes by the names of its arrays; None where one is missing."""
    have = {path.rpartition("/")[2].partition(":")[0]: path for path in paths}
    if set(have) != set(said.names(slots[0][0].params)) or len(have) != len(paths):
        return None
    return [(slot, source(said, slot[1], have)) for slot in slots]


def lazy(
    file: WeightFile, stored: Stored, layer: Layer, param: Param, tell: Callable[..., None]
) -> LazyArray | None:
    """The numbers that a quantised kernel or table stands for; None where an array has another shape, which is told."""
    shapes = {name: file.dataset(path).shape for name, path in stored.paths.items()}
    wrong = _misfit(shapes, stored.said, layer, param)
    if wrong is not None:
        name, expected = wrong
        tell(
            "KC403", f'`{name}` of "{layer.name}" has another shape in the weights file', pointer=layer.pointer,
            found=f"{list(shapes[name])} in {stored.paths[name]}", expected=expected,
        )  # fmt: skip
        return None

    def read() -> Any:
        parts = {name: file.read(path) for name, path in stored.paths.items()}
        return _values(parts, stored.said, layer, param)

    return LazyArray(param.shape, stored.paths[param.name], read)


def _group_of(parts: Mapping[str, Any], count: int, layer: Layer) -> Any:
    """The number of the group of each row. Raises KchainerError for one that is not there."""
    groups = parts["g_idx"]
    if not ((groups >= 0) & (groups < count)).all():
        message = f'"{layer.name}" names a group of scales that is not there'
        raise KchainerError(Diagnostic(code="KC404", message=message, pointer=layer.pointer))
    return groups.astype("int64")


def _contraction(layer: Layer, param: Param) -> tuple[int, ...]:
    """The axes of a kernel that share a scale."""
    if not isinstance(layer.op, ops.EinsumDense):
        return (1,) if param.name == "embeddings" else (0,)
    out = layer.op.equation.split("->")[1]
    return tuple(i for i, a in enumerate(param.axes) if a not in out)


def _flat(layer: Layer, param: Param, said: Quantized) -> tuple[int, int]:
    """Rows and columns in which a packed kernel lies."""
    together = _contraction(layer, param) if param.name != "embeddings" else (0,)
    rows = math.prod(param.shape[i] for i in together)
    return rows, math.prod(param.shape) // max(rows, 1)


def _misfit(
    shapes: Mapping[str, tuple[int, ...]], said: Quantized, layer: Layer, param: Param
) -> tuple[str, str] | None:
    """The array whose shape is not the one that the config leads to, and what that is."""
    name = param.name
    rows, columns = _flat(layer, param, said)
    groups = 1 if said.block is None else -(-(columns if said.table else rows) // said.block)
    packed = -(-columns // 2)
    expected: dict[str, tuple[int, ...]] = {}
    if said.mode == "int8":
        expected[name] = param.shape
        size = math.prod(d for i, d in enumerate(param.shape) if i not in _contraction(layer, param))
        if math.prod(shapes[f"{name}_scale"]) != size:
            return f"{name}_scale", f"{size} values"
    else:
        length = rows if said.table else columns
        scale = (length,) if said.block is None else (length, groups) if said.table else (groups, length)
        expected = {name: (rows, packed), f"{name}_scale": scale}
        if said.block is not None:
            expected |= {f"{name}_zero": scale, "g_idx": (columns if said.table else rows,)}
    return next(((one, str(list(shape))) for one, shape in expected.items() if shapes[one] != shape), None)


def _values(parts: Mapping[str, Any], said: Quantized, layer: Layer, param: Param) -> Any:
    import numpy as np

    name = param.name
    scale = parts[f"{name}_scale"].astype("float32")
    _, columns = _flat(layer, param, said)
    if said.mode == "int8":
        return parts[name].astype("float32") / _placed(scale, layer, param)
    whole = _unpacked(parts[name], columns).astype("float32")
    if said.block is None:
        return (whole / (scale[:, None] if said.table else scale)).reshape(param.shape)
    axis = 1 if said.table else 0
    groups = _group_of(parts, scale.shape[axis], layer)
    zero = parts[f"{name}_zero"].astype("float32")
    made = (whole - np.take(zero, groups, axis=axis)) * np.take(scale, groups, axis=axis)
    return made.reshape(param.shape)


def _unpacked(packed: Any, columns: int) -> Any:
    """Two numbers of four bits from each byte, the low one first, along the last axis."""
    import numpy as np

    raw = packed.view(np.uint8) if packed.dtype.itemsize == 1 else packed.astype(np.int64).astype(np.uint8)
    both = np.stack([raw & 0x0F, raw >> 4], axis=-1).reshape(*raw.shape[:-1], -1)[..., :columns]
    both = both.astype(np.int8)
    return (both ^ 8) - 8


def _placed(scale: Any, layer: Layer, param: Param) -> Any:
    """The scales of an int8 kernel beside its axes: in a file they stand as the outputs do."""
    together = _contraction(layer, param)
    left = [i for i in range(len(param.shape)) if i not in together]
    if isinstance(layer.op, ops.EinsumDense):
        out = layer.op.equation.split("->")[1].replace("...", "")
        order = sorted(left, key=lambda i: out.index(param.axes[i]))
        values = scale.reshape([param.shape[i] for i in order])
        scale = values.transpose([order.index(i) for i in left])
    return scale.reshape([1 if i in together else d for i, d in enumerate(param.shape)])
