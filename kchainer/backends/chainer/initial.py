"""Starting values of params that no file gives, by Keras's initializers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from kchainer.ir.graph import Layer
from kchainer.ir.op import Param

ONES = ("gamma", "moving_variance", "scale", "variance")
Array = np.ndarray[Any, Any]


def _fans(param: Param) -> tuple[float, float]:
    """Inputs and outputs of a kernel, its window counted, as Keras counts them."""
    if len(param.shape) < 2:
        return float(param.shape[0]), float(param.shape[0])
    window = math.prod(param.shape[:-2])
    return float(window * param.shape[-2]), float(window * param.shape[-1])


def _truncated(shape: tuple[int, ...], stddev: float) -> Array:
    out = np.random.standard_normal(shape)
    while (far := np.abs(out) > 2).any():
        out[far] = np.random.standard_normal(int(far.sum()))
    return out * stddev


def _variance_scaling(scale: float, mode: str, distribution: str) -> Callable[[Param, dict[str, Any]], Array]:
    def make(param: Param, config: dict[str, Any]) -> Array:
        s, m, d = (
            config.get("scale", scale),
            config.get("mode", mode),
            config.get("distribution", distribution),
        )
        fan_in, fan_out = _fans(param)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[m]
        variance = s / max(1.0, fan)
        if d == "uniform":
            bound = math.sqrt(3 * variance)
            return np.random.uniform(-bound, bound, param.shape)
        if d == "untruncated_normal":
            return np.random.standard_normal(param.shape) * math.sqrt(variance)
        return _truncated(param.shape, math.sqrt(variance) / 0.87962566103423978)

    return make


INITIALIZERS: dict[str, Callable[[Param, dict[str, Any]], Array]] = {
    "zeros": lambda p, c: np.zeros(p.shape),
    "ones": lambda p, c: np.ones(p.shape),
    "constant": lambda p, c: np.full(p.shape, c.get("value", 0.0)),
    "randomuniform": lambda p, c: np.random.uniform(c.get("minval", -0.05), c.get("maxval", 0.05), p.shape),
    "randomnormal": lambda p, c: (
        np.random.standard_normal(p.shape) * c.get("stddev", 0.05) + c.get("mean", 0.0)
    ),
    "truncatednormal": lambda p, c: _truncated(p.shape, c.get("stddev", 0.05)) + c.get("mean", 0.0),
    "variancescaling": _variance_scaling(1.0, "fan_in", "truncated_normal"),
    "glorotuniform": _variance_scaling(1.0, "fan_avg", "uniform"),
    "glorotnormal": _variance_scaling(1.0, "fan_avg", "truncated_normal"),
    "heuniform": _variance_scaling(2.0, "fan_in", "uniform"),
    "henormal": _variance_scaling(2.0, "fan_in", "truncated_normal"),
    "lecununiform": _variance_scaling(1.0, "fan_in", "uniform"),
    "lecunnormal": _variance_scaling(1.0, "fan_in", "truncated_normal"),
}
ALIASES = {"uniform": "randomuniform", "normal": "randomnormal", "zero": "zeros", "one": "ones"}


def initial(param: Param, layer: Layer, dtype: str) -> Array:
    """Values for a param: by its initializer, else ones for scales and variances, Glorot's for kernels."""
    stated = _stated(param, layer)
    name, config = stated if stated is not None else (_usual(param), {})
    key = name.replace("_", "").lower()
    make = INITIALIZERS.get(ALIASES.get(key, key))
    if make is None:
        make = INITIALIZERS[_usual(param)]
    return make(param, config).astype(dtype)


def _usual(param: Param) -> str:
    if param.name in ONES:
        return "ones"
    return "glorotuniform" if len(param.shape) > 1 and "kernel" in param.name else "zeros"


def _stated(param: Param, layer: Layer) -> tuple[str, dict[str, Any]] | None:
    settings = layer.settings.get(param.name) or layer.settings.get(param.name.removesuffix("_kernel")) or {}
    value = settings.get("initializer")
    if isinstance(value, str):
        return value, {}
    if isinstance(value, dict) and isinstance(value.get("class_name"), str):
        return value["class_name"], value.get("config") or {}
    return None
