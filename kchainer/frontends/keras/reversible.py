"""ReversibleEmbedding: a table that looks up rows, and called in reverse gives a number for each row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kchainer.frontends.keras import calling
from kchainer.ir import ops
from kchainer.ir.graph import Value

if TYPE_CHECKING:
    from kchainer.frontends.keras.entries import Entry
    from kchainer.frontends.keras.graph import Translation
    from kchainer.ir.op import Op


def is_called_in_reverse(entry: Entry) -> bool:
    """One of the layer's calls is in reverse: then all of them share the table, not a lookup."""
    return entry.class_name == "ReversibleEmbedding" and any(c.kwargs.get("reverse") for c in entry.calls)


def call(t: Translation, entry: Entry, x: Value, *, reverse: bool) -> Value | None:
    """One call of such a layer; None where it cannot be made, which is reported."""
    config: Any = entry.config
    if config is None or _refused(t, entry):
        return None
    op = ops.EmbeddingTable(
        input_dim=config.input_dim, output_dim=config.output_dim, learns=entry.owner.quantized is None
    )
    settings = calling.settings(t, entry, op, [])
    table = t.builder.call(
        entry.path, op, [], trainable=entry.trainable, settings=settings, pointer=entry.pointer
    )
    if table is None:
        return None
    if reverse:
        return _logits(t, entry, x, table)
    numbers = _step(t, entry, "numbers", ops.Cast(dtype="int32"), x)
    value = None if numbers is None else _step(t, entry, "rows", ops.Take(axis=0), table, numbers)
    if value is not None:
        t.masks.after(entry.path, entry.class_name, config, entry.dialect, [x], [value], None)
        t.builder.taps[entry.path] = value
    return value


def _refused(t: Translation, entry: Entry) -> bool:
    config: Any = entry.config
    what = None
    if entry.owner.lora is not None and entry.owner.lora.keep:
        what = "LoRA that is kept"
    elif config.reverse_dtype not in (None, "float32"):
        what = f"`reverse_dtype` {config.reverse_dtype}"
    if what is not None:
        t.error(
            "KC204", f'{what} of "{entry.name}", which is called in reverse, is not supported', entry.pointer
        )
    return what is not None


def _step(t: Translation, entry: Entry, name: str, op: Op, *inputs: Value) -> Value | None:
    return t.builder.call(f"{entry.path}/{name}", op, inputs, pointer=entry.pointer)


def _logits(t: Translation, entry: Entry, x: Value, table: Value) -> Value | None:
    config, said = entry.config, entry.owner.quantized
    rank = len(t.builder.shape(x))
    value: Value | None = x
    if said is not None and said.inputs is not None:
        steps = said.inputs
        rounding = ops.QuantizeByMaximum(
            axes=(rank - 1,), low=steps.low, high=steps.high, epsilon=steps.epsilon
        )
        value = _step(t, entry, "rounded", rounding, x)
    letters = "abcdefghijklmnop"[: rank - 1]
    product = ops.Einsum(equation=f"{letters}y,zy->{letters}z")
    value = None if value is None else _step(t, entry, "reverse", product, value, table)
    cap = getattr(config, "logit_soft_cap", None)
    if cap is None:
        return value
    for name, op in (
        ("scaled", ops.Binary(function="divide", constant=float(cap), constant_first=False, whole=False)),
        ("capped", ops.Activation(function="tanh")),
        ("logits", ops.Binary(function="multiply", constant=float(cap), constant_first=False, whole=False)),
    ):
        value = None if value is None else _step(t, entry, name, op, value)
    return value
