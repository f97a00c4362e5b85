"""Keras's rules of masks: who makes one, hands it on, joins it, takes it, loses it, refuses it, by release.

Keras hangs a mask on a tensor and hands it from layer to layer unseen. Here it becomes a value of the graph, made by
nodes of its own and an input of the ops that heed it, so that nothing is implied any more.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, Literal, cast

from kchainer.frontends.fields import Config
from kchainer.frontends.keras.dialect import Dialect
from kchainer.ir import ops
from kchainer.ir.graph import Value
from kchainer.ir.op import Op, Shape

# Layers that hand the mask of their first input on, since the release that began with it (by flavour where they differ).
PASSING: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(
        ["Activation", "ActivityRegularization", "BatchNormalization", "Dropout", "ELU", "GaussianDropout",
         "GaussianNoise", "LeakyReLU", "PReLU", "ParametricSoftplus", "SReLU", "ThresholdedReLU", "Masking",
         "TimeDistributedDense", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "TimeDistributed",
         "InputLayer"],
        (0,),
    ),
    **dict.fromkeys(["AlphaDropout", "Dense"], (2,)),
    **dict.fromkeys(["ReLU", "Softmax"], (2, 1)),
    **dict.fromkeys(["LayerNormalization", "UnitNormalization"], (2, 4)),
    **dict.fromkeys(["GroupNormalization", "SyncBatchNormalization"], (2, 11)),
    **dict.fromkeys(["BatchNormalizationV1", "BatchNormalizationV2"], (1, 13)),
    **dict.fromkeys(["Identity", "Normalization", "Rescaling"], (3,)),
}  # fmt: skip
# Layers that join the masks of their inputs. Merge: by its mode.
JOINING = frozenset(["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Merge", "Concatenate"])
RECURRENT = frozenset(
    [
        "SimpleRNN",
        "LSTM",
        "LSTMV1",
        "LSTMV2",
        "GRU",
        "GRUV1",
        "GRUV2",
        "RNN",
        "ConvLSTM1D",
        "ConvLSTM2D",
        "ConvLSTM3D",
    ]
)
COUNTING = frozenset(["Multiply", "Maximum", "Minimum"])
# Layers that end a mask without a word in every release.
ENDING = frozenset(["Dot", "GlobalAveragePooling1D", "GlobalAvgPool1D", "Embedding"])
AVERAGES = frozenset(["GlobalAveragePooling1D", "GlobalAvgPool1D"])


def takes(class_name: str, dialect: Dialect) -> bool:
    """The layer computes otherwise where it is given a mask."""
    if class_name in AVERAGES:
        return dialect.release >= (2, 2) or dialect.flavour == "tf_keras"
    if class_name == "BatchNormalization":
        return dialect.release >= (3,)
    if class_name == "Softmax":
        return dialect.release >= (2, 4)
    return class_name in RECURRENT


def implied_counts(inputs: Sequence[Value], dialect: Dialect) -> bool:
    """A layer takes the mask that hangs on its input; in Keras 3 not where states are inputs as well."""
    return len(inputs) == 1 or dialect.release < (3,)


def refuses(class_name: str, dialect: Dialect) -> bool:
    """The release raised an error for this layer on a masked input; later ones drop the mask."""
    if dialect.flavour == "tf_keras" or not (1,) <= dialect.release < (2, 4):
        return False
    heeds = takes(class_name, dialect) or class_name in JOINING or class_name in ENDING - AVERAGES
    return not heeds and not passes(class_name, dialect) and class_name != "Bidirectional"


def passes(class_name: str, dialect: Dialect) -> bool:
    """The mask of the input is that of the output."""
    since = PASSING.get(class_name)
    return since is not None and dialect.release >= since


def average(op: ops.GlobalPooling) -> ops.MaskedAverage | None:
    """The mean over the steps that count; None where the channels come first."""
    return ops.MaskedAverage(keepdims=op.keepdims) if op.data_format == "channels_last" else None


def masked(op: Op, rank: int, dialect: Dialect) -> Op | None:
    """An op as it is on a masked input of this rank; None where that is not supported."""
    if isinstance(op, ops.GlobalPooling):
        return average(op)
    if isinstance(op, ops.Softmax):
        return ops.MaskedSoftmax(axes=op.axes, hidden="zero" if dialect.release >= (3, 10) else "softmax")
    if isinstance(op, ops.BatchNormalization):
        return ops.MaskedBatchNormalization(
            momentum=op.momentum, epsilon=op.epsilon, scale=op.scale, center=op.center,
            axis=None if op.axis == rank - 1 else op.axis,
        )  # fmt: skip
    recurrent: Any = op
    return cast("Op", dataclasses.replace(recurrent, masked=True))


def _differs(value: float) -> ops.Binary:
    return ops.Binary(function="not_equal", constant=float(value), constant_first=False, whole=False)


class Masks:
    """The mask of each value that has one. ``call`` makes a node of an op."""

    def __init__(
        self, call: Callable[[str, Op, Sequence[Value]], Value | None], shape: Callable[[Value], Shape]
    ) -> None:
        self._call, self._shape = call, shape
        self._of: dict[Value, Value] = {}

    def of(self, value: Value) -> Value | None:
        """The mask of a value."""
        return self._of.get(value)

    def counted(
        self, class_name: str, op: Op, inputs: Sequence[Value], dialect: Dialect
    ) -> tuple[Op, list[Value]]:
        """An op that joins values, and its inputs, where masked steps do not count: Keras 3.4 and later."""
        masks = [self.of(v) for v in inputs]
        rank = max(len(self._shape(v)) for v in inputs)
        some = [m for m in masks if m is not None and len(self._shape(m)) + 1 == rank]
        if (
            class_name not in COUNTING
            or dialect.release < (3, 4)
            or not some
            or not isinstance(op, ops.Merge)
        ):
            return op, list(inputs)
        has = tuple(m in some for m in masks)
        return ops.MaskedMerge(function=op.function, masked=has), [*inputs, *some]  # type: ignore[arg-type]

    def forget(self, value: Value) -> None:
        """Take a value's mask away."""
        self._of.pop(value, None)

    def put(self, value: Value | None, mask: Value | None) -> None:
        """Give a value its mask."""
        if value is not None and mask is not None:
            self._of[value] = mask

    def after(
        self,
        name: str,
        class_name: str,
        config: Config | None,
        dialect: Dialect,
        inputs: Sequence[Value],
        outputs: Sequence[Value],
        mask: Value | None,
    ) -> None:
        """Give the outputs of a call their masks."""
        if class_name in ("Embedding", "ReversibleEmbedding"):
            # a ReversibleEmbedding makes it in its call, which is another one where it is quantised
            lost = (
                class_name == "ReversibleEmbedding"
                and getattr(config, "__dict__", {}).get("quantized") is not None
            )
            if config is not None and config.mask_zero and not lost:
                self.put(outputs[0], self._call(f"{name}/mask", _differs(0.0), [inputs[0]]))
        elif class_name == "Masking":
            value = config.mask_value if config is not None else 0.0
            found = self._call(f"{name}/differs", _differs(value), [inputs[0]])
            anywhere = ops.Reduce(function="any", axes=(len(self._shape(inputs[0])) - 1,), keepdims=False)
            self.put(outputs[0], self._call(f"{name}/mask", anywhere, [found]) if found else None)
        elif class_name in JOINING:
            self.put(outputs[0], self._joined(name, class_name, config, dialect, inputs))
        elif class_name in RECURRENT:
            if config is not None and config.return_sequences:
                self.put(outputs[0], mask)
        elif passes(class_name, dialect):
            self.put(outputs[0], mask)

    def _joined(
        self,
        name: str,
        class_name: str,
        config: Config | None,
        dialect: Dialect,
        inputs: Sequence[Value],
    ) -> Value | None:
        masks = [self.of(v) for v in inputs]
        either = dialect.release >= (3, 4)
        mode = str(getattr(config, "mode", "sum")) if class_name == "Merge" else "sum"
        concatenates = class_name == "Concatenate" or mode == "concat"
        if concatenates:
            masks = [
                self._of_steps(name, i, v, m, either)
                for i, (v, m) in enumerate(zip(inputs, masks, strict=True))
            ]
        some = [m for m in masks if m is not None]
        if not some or mode in ("dot", "cos"):
            return None
        if concatenates:
            axis = getattr(config, "concat_axis" if class_name == "Merge" else "axis", -1)
            axis, rank = axis % len(self._shape(inputs[0])), len(self._shape(some[0]))
            if axis < rank:
                return self._behind_each_other(name, inputs, masks, axis, rank)
            if either and len(some) < len(masks):
                return self._call(f"{name}/mask", ops.MaskOnes(rank=rank), [inputs[0]])
        elif either and len(some) < len(masks):
            return None
        if len(set(some)) == 1:
            return some[0]
        return self._both(name, "logical_or" if either else "logical_and", some)

    def _of_steps(self, name: str, i: int, value: Value, mask: Value | None, either: bool) -> Value | None:
        """A mask that has each axis of its value (TimeDistributed hands on such) without the last, as Keras joins it."""
        rank = len(self._shape(value))
        if mask is None or len(self._shape(mask)) < rank:
            return mask
        op = ops.Reduce(function="any" if either else "all", axes=(rank - 1,), keepdims=False)
        return self._call(f"{name}/steps_{i}", op, [mask])

    def _both(
        self, name: str, function: Literal["logical_or", "logical_and"], masks: Sequence[Value]
    ) -> Value | None:
        op = ops.Binary(function=function, constant=None, constant_first=False, whole=False)
        joined: Value | None = masks[0]
        for i, mask in enumerate(masks[1:]):
            if joined is not None:
                joined = self._call(f"{name}/mask_{i}" if i else f"{name}/mask", op, [joined, mask])
        return joined

    def _behind_each_other(
        self, name: str, inputs: Sequence[Value], masks: Sequence[Value | None], axis: int, rank: int
    ) -> Value | None:
        whole: list[Value] = []
        for i, (value, mask) in enumerate(zip(inputs, masks, strict=True)):
            one = (
                mask if mask is not None else self._call(f"{name}/ones_{i}", ops.MaskOnes(rank=rank), [value])
            )
            if one is None:
                return None
            whole.append(one)
        return self._call(f"{name}/mask", ops.MaskConcatenate(axis=axis), whole)
