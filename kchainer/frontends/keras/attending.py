"""Calls of attention layers: which tensors are query, value, key and masks, and what else a call says."""

from __future__ import annotations

import dataclasses
from collections.abc import Set
from typing import TYPE_CHECKING, Any

from kchainer.frontends.fields import Wrong
from kchainer.frontends.keras.translate import TRANSLATORS
from kchainer.ir.graph import Value

if TYPE_CHECKING:
    from kchainer.frontends.keras.entries import Entry
    from kchainer.frontends.keras.graph import Translation

PAIRED = ("Attention", "AdditiveAttention")  # called on a list
HEADED = ("MultiHeadAttention", "GroupQueryAttention", "GroupedQueryAttention")
CLASSES = (*PAIRED, *HEADED)
MASKS = ("query_mask", "value_mask", "key_mask", "attention_mask")


def places(class_name: str, config: Any) -> list[tuple[str, tuple[str, ...]]]:
    """Where a v3 file has the params of the heads: place below the layer, names of the params; in legacy order."""
    if class_name not in HEADED or not isinstance(config, dict):
        return []
    names = ["query", "key", *(["gate"] if config.get("use_gate") else []), "value", "attention_output"]
    return [
        ("output_dense" if n == "attention_output" else f"{n}_dense", (f"{n}_kernel", f"{n}_bias"))
        for n in names
    ]


def call(
    t: Translation, entry: Entry, args: list[Any], kwargs: dict[str, Any], tensors: Set[str]
) -> list[Value | None]:
    """The outputs of a call."""
    named: dict[str, Any] = dict(zip(("query", "value", "key"), args, strict=False))
    named |= {k: kwargs[k] for k in ("value", "key", *MASKS) if k in tensors}
    if (
        not {"query", "value"} <= named.keys()
        or tensors - {"value", "key", "mask", *MASKS}
        or None in named.values()
    ):
        t.error("KC205", f'{entry.class_name} "{entry.name}" is called on other tensors', entry.pointer)
        return [None]
    if named.get("key") == named["value"] and entry.class_name in PAIRED:
        del named["key"]
    _implied(t, entry, named)
    if entry.config is None:
        return [None]
    inputs = [named[n] for n in ("query", "value", "key", *MASKS) if n in named]
    try:
        op: Any = TRANSLATORS[entry.class_name].function(
            entry.config, tuple(t.builder.shape(v) for v in inputs), entry.dialect
        )
    except Wrong as wrong:
        t.error(wrong.code, f'{entry.class_name} "{entry.name}": {wrong}', entry.pointer)
        return [None]
    said = {n: n in named for n in MASKS if hasattr(op, n)} | {
        "has_key": "key" in named,
        "causal": op.causal or bool(kwargs.get("use_causal_mask")),
        "return_scores": bool(kwargs.get("return_attention_scores")),
    }
    op = dataclasses.replace(op, **said)
    if entry.class_name in HEADED:
        op = dataclasses.replace(
            op, hidden=_hidden(entry.dialect.release, op.dropout > 0 or op.return_scores)
        )
    # Keras 3 builds the projections of a layer that is not trainable trainable
    trainable = entry.trainable or (entry.class_name in HEADED and entry.dialect.release >= (3,))
    value = t.builder.call(
        entry.path,
        op,
        inputs,
        trainable=trainable,
        settings=_settings(t, entry, op, inputs),
        pointer=entry.pointer,
    )
    if value is None:
        return [None]
    t.builder.taps.setdefault(entry.path, value)
    mask = t.masks.of(named["query"])
    if entry.class_name == "MultiHeadAttention" and entry.dialect.release >= (3, 8):
        # it takes the masks off the tensors that it is called on, so that layers that run later see none on them
        for name in ("query", "value", "key"):
            if name in named:
                t.masks.forget(named[name])
    t.masks.put(value, mask)
    return list(t.outputs(value))


def _hidden(release: tuple[int, ...], written_out: bool) -> str:
    """What a query gets that sees nothing. Keras 3.7 began to use one fused function where nobody sees the weights."""
    if release >= (3, 7) and not written_out:
        return "uniform"
    return "zero" if release >= (3, 10) else "softmax"


def _implied(t: Translation, entry: Entry, named: dict[str, Any]) -> None:
    """Masks that hang on the inputs and that the call does not name. Keras 3.8 and later ask no other of a query."""
    if entry.class_name == "MultiHeadAttention" and entry.dialect.release >= (3, 8):
        named.pop("query_mask", None)
    names = ("query", "value") if entry.class_name in PAIRED else ("query", "value", "key")
    for name in names:
        mask = t.masks.of(named[name]) if name in named else None
        if mask is not None:
            named.setdefault(f"{name}_mask", mask)


def _settings(t: Translation, entry: Entry, op: Any, inputs: list[Value]) -> dict[str, dict[str, Any]]:
    """What the config says of kernels and biases holds for those of each projection."""
    stated = t.settings(entry, op, inputs)
    if entry.class_name not in HEADED:
        return stated
    names = ("query", "key", "gate", "value", "attention_output")
    said = {f"{n}_{kind}": stated[kind] for n in names for kind in ("kernel", "bias") if kind in stated}
    return said | {key: value for key, value in stated.items() if key not in ("kernel", "bias")}
