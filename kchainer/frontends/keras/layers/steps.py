"""Layers around layers: which part of a config is a layer of its own, and what a call of the wrapper calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kchainer.frontends.fields import Config, Field, Wrong, anything, boolean, ignored, only
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.layers.recurrent import LAYER
from kchainer.frontends.keras.translate import Translated, translates
from kchainer.ir.op import Shape

Json = dict[str, Any]
MODES = ("sum", "mul", "ave", "concat", None)


def _mode(v: Any) -> Any:
    if v not in MODES:
        raise Wrong('"sum", "mul", "ave", "concat" or null')
    return v


def _called_elsewhere(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    raise Wrong("only inside of a recurrent layer")


BIDIRECTIONAL = {
    "layer": Field(type=anything),
    "backward_layer": Field(type=anything, default=None),
    "merge_mode": Field(type=_mode, default="concat"),
    "num_constants": Field(
        type=only(None, 0),
        default=None,
        why="constants are values beside the states, which no link here takes",
    ),
    "weights": Field(
        type=ignored, default=None, why="arrays for a new layer; the weight file has those of a saved one"
    ),
    # tf.keras reads them from the inner layer
    "return_sequences": Field(type=ignored, default=None, why="the inner layer says it"),
    "return_state": Field(type=ignored, default=None, why="the inner layer says it"),
}
translates("Bidirectional", fields=BIDIRECTIONAL)(_called_elsewhere)
translates("TimeDistributed", fields={"layer": Field(type=anything)})(_called_elsewhere)
translates("RNN", fields={"cell": Field(type=anything), **LAYER})(_called_elsewhere)
STACKED = {
    "cells": Field(type=anything),
    "reverse_state_order": Field(type=boolean, default=False),
}
translates("StackedRNNCells", fields=STACKED)(_called_elsewhere)


def _object(value: Any, key: str) -> Json:
    if not isinstance(value, dict) or not isinstance(value.get("class_name"), str):
        raise Wrong(f"`{key}`: a layer with class_name and config", code="KC104")
    return value


def _config(layer: Json) -> Json:
    config = layer.get("config") or {}
    if not isinstance(config, dict):
        raise Wrong("`layer`: a layer with a config", code="KC104")
    return config


def _renamed(layer: Json, prefix: str, **more: Any) -> Json:
    """A layer's dictionary for one direction."""
    config = layer.get("config")
    if not isinstance(config, dict):
        raise Wrong("`layer`: a layer with a config", code="KC104")
    name = str(config.get("name", layer["class_name"].lower()))
    name = prefix + name.removeprefix("forward_").removeprefix("backward_")
    out = {**layer, "config": {**config, "name": name, **more}}
    out.pop("name", None)
    return out


def parts(class_name: str, config: Json, dialect: Dialect) -> Iterator[tuple[str, str, Json]]:
    """The layers inside of a layer: key, place below the config, dictionary.

    Raises:
        Wrong: it is no layer.
    """
    if class_name == "TimeDistributed":
        yield "layer", "layer", _object(config.get("layer"), "layer")
    elif class_name == "RNN":
        cell = config.get("cell")
        if isinstance(cell, list):  # Keras 2.0 and 2.1
            cell = {"class_name": "StackedRNNCells", "config": {"cells": cell}}
        yield "cell", "cell", _object(cell, "cell")
    elif class_name == "StackedRNNCells":
        cells = config.get("cells")
        if not isinstance(cells, list) or not cells:
            raise Wrong("`cells`: a list of cells", code="KC104")
        for i, cell in enumerate(cells):
            yield str(i), f"cells/{i}", _object(cell, "cells")
    elif class_name == "Bidirectional":
        layer = _object(config.get("layer"), "layer")
        said = _config(layer)
        zeroed = dialect.flavour == "tf_keras" or dialect.release >= (3,)
        sequences = bool(said.get("return_sequences"))
        more = {"zero_output_for_mask": sequences} if zeroed else {}
        yield "forward", "layer", _renamed(layer, "forward_", **more)
        backward = config.get("backward_layer")
        if backward is not None:
            other = _object(backward, "backward_layer")
            of_other = _config(other)
            yield "backward", "backward_layer", {**other, "config": {**of_other, **more}}
        else:
            turned = not said.get("go_backwards", False)
            yield "backward", "layer", _renamed(layer, "backward_", go_backwards=turned, **more)
