"""Layers to build models of: Keras's by their newest names and arguments, ``kchainer.layers.Conv2D(64, 3)``.

At the top of the package (``from kchainer import Linear``) stand the same, and chainer-sequential's layers and
functions: Linear, Convolution2D(in_channels, out_channels, ksize), dropout, reshape_1d, ... Where both have a name,
the arguments tell: ``BatchNormalization(500)`` and ``BatchNormalization(size=500, decay=0.9)`` are
chainer-sequential's, ``BatchNormalization()`` and ``BatchNormalization(axis=1, momentum=0.9)`` are Keras's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kchainer.frontends.builder import ancestor
from kchainer.frontends.builder.assemble import input_tensor
from kchainer.frontends.builder.elements import (
    Gaussian,
    Layer,
    Merge,
    Residual,
    Tensor,
    ancestor_layer,
    keras_layer,
    unknown,
)
from kchainer.frontends.keras.translate import TRANSLATORS


def Input(  # noqa: N802  Keras's name
    shape: Sequence[int | None] | None = None, batch_size: int | None = None, dtype: str = "float32",
    name: str | None = None, *, batch_shape: Sequence[int | None] | None = None,
) -> Tensor:  # fmt: skip
    """A tensor that the caller of a model gives; ``shape`` is that of a sample. Source: keras.Input."""
    whole = tuple(batch_shape) if batch_shape is not None else (batch_size, *(shape or ()))
    return input_tensor(whole, dtype, name)


def _keras(name: str) -> Callable[..., Layer]:
    def make(*args: Any, **kwargs: Any) -> Layer:
        return keras_layer(name, args, kwargs)

    return _named(make, name, f"Keras's {name}; see https://keras.io/api/layers/ for its arguments.")


def _ancestor(name: str) -> Callable[..., Layer]:
    def make(*args: Any, **kwargs: Any) -> Layer:
        return ancestor_layer(name, args, kwargs)

    return _named(make, name, f"chainer-sequential's {name}; see docs/from-chainer-sequential.md.")


def _named(make: Callable[..., Layer], name: str, doc: str) -> Callable[..., Layer]:
    make.__name__ = make.__qualname__ = name
    make.__doc__ = doc
    return make


def __getattr__(name: str) -> Any:
    if name in TRANSLATORS:
        return _keras(name)
    raise AttributeError(f"module 'kchainer.layers' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(["Input", *TRANSLATORS])


# ------------------------------------------------------------------ names of both


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_ancestor(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Arguments of a name that Keras and chainer-sequential share are the latter's."""
    fields = ancestor.LAYERS[name].fields
    keras = TRANSLATORS[name].fields
    if any(key in fields and key not in keras for key in kwargs):
        return True
    if name == "BatchNormalization":
        return bool(args) and _whole(args[0]) and args[0] > 0
    return len(args) >= 3 and (args[0] is None or _whole(args[0])) and _whole(args[1])


def _both(name: str) -> Callable[..., Layer]:
    def make(*args: Any, **kwargs: Any) -> Layer:
        chosen = ancestor_layer if is_ancestor(name, args, kwargs) else keras_layer
        return chosen(name, args, kwargs)

    return _named(make, name, f"chainer-sequential's {name} or Keras's: the arguments tell.")


def activation(nonlinearity: str = "relu", **kwargs: Any) -> Layer:
    """An activation function by its name, in any case: chainer-sequential's, else Keras's newest.

    crelu, clipped_relu and leaky_relu (slope 0.2) take their arguments as keywords; hard_sigmoid is
    clip(0.2 x + 0.5, 0, 1), where ``kchainer.layers.Activation`` has Keras 3's slope of 1/6.
    """
    lower = str(nonlinearity).lower()
    if lower in ("crelu", "clipped_relu", "hard_sigmoid", "leaky_relu") or (kwargs and lower == "elu"):
        return ancestor_layer(lower, (), kwargs)
    name = lower if lower in ancestor.NONLINEARITIES else nonlinearity
    return keras_layer("Activation", (name,), kwargs)


COMPOSITES: dict[str, Any] = {
    "Activation": activation, "Gaussian": Gaussian, "Input": Input, "Merge": Merge, "Residual": Residual,
}  # fmt: skip


def at_top_level(name: str) -> Any:
    """What ``kchainer.<name>`` is. Raises AttributeError, with the nearest name."""
    if name in COMPOSITES:
        return COMPOSITES[name]
    if name in ancestor.LAYERS and name in TRANSLATORS:
        return _both(name)
    if name in ancestor.LAYERS or name in ancestor.FUNCTIONS:
        return _ancestor(name)
    if name in TRANSLATORS:
        return _keras(name)
    hint = unknown(name).diagnostics[0].hint
    raise AttributeError(f"module 'kchainer' has no attribute {name!r}" + (f"; {hint}" if hint else ""))
