"""Layers around another layer."""

from __future__ import annotations

import typing
from typing import Any

from kchainer.frontends.fields import Config, Field, Wrong, positive, read
from kchainer.frontends.keras.dialect import Dialect, of_dictionary
from kchainer.frontends.keras.translate import BASE_KEYS, TRANSLATORS, Translated, translates
from kchainer.ir import ops
from kchainer.ir.op import Shape
from kchainer.ir.ops.wrap import Kernelled


def _layer(v: Any) -> dict[str, Any]:
    if not isinstance(v, dict) or not isinstance(v.get("config"), dict):
        raise Wrong("a layer: an object with class_name and config")
    if v.get("class_name") not in TRANSLATORS or ">" in str(v.get("registered_name") or ""):
        raise Wrong("a layer that kchainer knows", code="KC204")
    return v


def inside(raw: dict[str, Any], xs: tuple[Shape, ...], dialect: Dialect) -> tuple[Any, ...]:
    """The chain of ops of a layer that a config holds. Raises Wrong with the first thing that is wrong in it."""
    translator = TRANSLATORS[raw["class_name"]]
    own = of_dictionary(str(raw["class_name"]), raw["config"], dialect)
    config, faults = read(translator.fields, raw["config"], own, base=BASE_KEYS)
    for fault in faults:
        raise Wrong(
            f"{fault.message} of {raw['class_name']}: {fault.expected}", code=fault.code, hint=fault.hint
        )
    if vars(config).get("lora_rank") is not None:
        raise Wrong("LoRA in a layer that is part of another's config is not merged", code="KC204")
    made = translator.function(config, xs, own)
    return made if isinstance(made, tuple) else (made,)


SPECTRAL_NORMALIZATION = {
    "layer": Field(type=_layer),
    "power_iterations": Field(type=positive, default=1),
}


@translates("SpectralNormalization", fields=SPECTRAL_NORMALIZATION)
def spectral_normalization(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    layer, *rest = inside(c.layer, xs, dialect)
    if isinstance(layer, ops.Embedding):
        raise Wrong("Keras casts what a wrapped Embedding gives to the dtype of its numbers", code="KC204")
    if not isinstance(layer, typing.get_args(Kernelled)):
        raise Wrong(f"a {c.layer['class_name']} has no kernel to normalise", code="KC204")
    return (ops.SpectralNormalization(layer=layer, power_iterations=c.power_iterations), *rest)
