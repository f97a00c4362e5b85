"""Dtype policies of every release, and the one dtype that a network computes in."""

from __future__ import annotations

from typing import Any

from kchainer.frontends.fields import Wrong

# Policies in which variables and computation agree, and which Chainer computes in as they are.
NATIVE = ("float16", "float32", "float64")
# Those it does not: mixed ones keep float32 variables and compute in 16 bits; NumPy has no bfloat16.
OTHER = ("bfloat16", "mixed_float16", "mixed_bfloat16")
# Of values that are no floats: an Embedding of old releases, a layer of preprocessing.
WHOLE = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "string")
CLASSES = ("Policy", "PolicyV1", "DTypePolicy", "FloatDTypePolicy", "DTypePolicyMap")
WHOLE_LAYERS = (
    "Embedding", "Rescaling", "Normalization", "StringLookup", "IntegerLookup", "TextVectorization", "Hashing",
    "HashedCrossing", "Discretization", "CategoryEncoding",
)  # fmt: skip


def policies_of(value: Any, class_name: str) -> tuple[str, ...]:
    """The policies that a layer's ``dtype`` names: none for the default, several in a map.

    Raises:
        Wrong: it is none that computes with floats.
    """
    if value is None:
        return ()
    if (
        isinstance(value, dict)
        and value.get("class_name") in CLASSES
        and isinstance(value.get("config"), dict)
    ):
        config = value["config"]
        if value["class_name"] != "DTypePolicyMap":
            return policies_of(config.get("name"), class_name)
        inner = config.get("policy_map")
        several = [config.get("default_policy"), *(inner.values() if isinstance(inner, dict) else ())]
        if any(isinstance(one, dict) and one.get("class_name") not in CLASSES for one in several):
            raise Wrong("a map of policies that quantise nothing", code="KC204")
        return tuple(name for one in several for name in policies_of(one, class_name))
    if value in NATIVE or value in OTHER:
        return (str(value),)
    if value in WHOLE and class_name in WHOLE_LAYERS:
        return ()
    raise Wrong(", ".join((*NATIVE, *OTHER)), code="KC204")


def computed(policies: set[str]) -> tuple[str, bool]:
    """The dtype to compute in, and whether that is exactly what the policies ask for."""
    if len(policies) <= 1 and policies <= set(NATIVE):
        return next(iter(policies), "float32"), True
    return ("float64" if "float64" in policies else "float32"), False
