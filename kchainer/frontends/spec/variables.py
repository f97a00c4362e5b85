"""Variables of a spec: ``"$name"`` in an attribute stands for what ``variables`` says."""

from __future__ import annotations

import re
from typing import Any

from kchainer.diagnostics import Diagnostics, suggestion
from kchainer.ir.records import token
from kchainer.ir.spec_schema import PATTERN

Json = dict[str, Any]
_NAME = re.compile(PATTERN)
# Keys whose values are names of the file itself, not settings.
_NAMES = frozenset({"op", "call", "name", "layer"})
_OF_LAYER = _NAMES | {"inputs"}


class _Expansion:
    def __init__(self, known: Json, diagnostics: Diagnostics) -> None:
        self.known, self.diagnostics = known, diagnostics
        self.missing: list[str] = []

    def value(self, value: Any, at: str) -> Any:
        """The value with each variable put in."""
        if isinstance(value, str) and _NAME.match(value):
            return self._variable(value[1:], at)
        if isinstance(value, dict):
            return {k: v if k in _NAMES else self.value(v, f"{at}/{token(k)}") for k, v in value.items()}
        if isinstance(value, list):
            return [self.value(v, f"{at}/{i}") for i, v in enumerate(value)]
        return value

    def _variable(self, name: str, at: str) -> Any:
        if name in self.known:
            return self.known[name]
        self.missing.append(at)
        self.diagnostics.error(
            "KC302", f"there is no variable `{name}`", pointer=at, hint=suggestion(name, self.known)
        )
        return None

    def layer(self, layer: Any, at: str) -> Any:
        if not isinstance(layer, dict):
            return layer
        return {k: v if k in _OF_LAYER else self.value(v, f"{at}/{token(k)}") for k, v in layer.items()}

    def network(self, data: Json, at: str) -> Json:
        out = dict(data)
        if isinstance(data.get("layers"), list):
            out["layers"] = [self.layer(v, f"{at}/layers/{i}") for i, v in enumerate(data["layers"])]
        if "inputs" in data:
            out["inputs"] = self.value(data["inputs"], f"{at}/inputs")
        return out


def expanded(data: Json, diagnostics: Diagnostics) -> tuple[Json, list[str]]:
    """The document with its variables put in, and the places of unknown ones: reported, and null."""
    known = data.get("variables")
    made = _Expansion(known if isinstance(known, dict) else {}, diagnostics)
    out = made.network(data, "")
    for key in ("defaults", "training"):
        if key in data:
            out[key] = made.value(data[key], f"/{key}")
    if isinstance(data.get("networks"), dict):
        out["networks"] = {
            name: made.network(network, f"/networks/{token(name)}") if isinstance(network, dict) else network
            for name, network in data["networks"].items()
        }
    return out, made.missing
