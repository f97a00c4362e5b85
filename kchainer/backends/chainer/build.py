"""From IR to a running network: plan, links, arrays."""

from __future__ import annotations

from typing import Any

import chainer
import numpy as np

from kchainer.backends.chainer.initial import initial
from kchainer.backends.chainer.runtime import Network, Sequential, target
from kchainer.emit.plan import Link, Plan, Weight
from kchainer.ir.graph import Layer, Model
from kchainer.ir.op import Param
from kchainer.links import freeze

# Links of Chainer that draw random numbers unless they are told not to.
RANDOM = ("Linear", "Convolution1D", "Convolution2D", "Convolution3D")


def build(model: Model, plan: Plan, *, zeros: bool = False) -> Network | Sequential:
    """The network of a plan with the model's arrays in place; what has none is initialised.

    ``zeros``: nothing is filled in, since the caller does.
    """
    links: dict[str, chainer.Link] = {}
    with chainer.using_config("dtype", np.dtype(model.dtype)):
        for name, link in plan.links.items():
            links[name] = _built(link)
    for name, link in plan.links.items() if not zeros else ():
        _fill(links[name], link, model.network.layers[plan.layers[name]], model)
    # Chainer calls no empty Sequential
    for name in plan.frozen:
        freeze(links[name])
    kind = Sequential if plan.is_linear and plan.steps else Network
    net = kind(plan, links, model.dtype)
    net.params_of = {name: model.network.layers[layer].params for name, layer in plan.layers.items()}
    return net


def arrays_of(net: chainer.Link) -> dict[str, Any]:
    """All arrays of a network that ``build`` made, by Keras's path, in Keras's layout; copies."""
    if not isinstance(net, (Network, Sequential)):
        raise TypeError("expected a network that kchainer made")
    links = dict(net.named_plan_links())
    out: dict[str, Any] = {}
    for name, link in net.plan.links.items():
        params = {p.name: p for p in net.params_of[name]}
        for attribute, weight in link.weights.items():
            place = getattr(links[name], attribute)
            values = chainer.backends.cuda.to_cpu(getattr(place, "array", place))
            out[f"{net.plan.layers[name]}/{weight.param}"] = logical(
                values, params[weight.param], weight
            ).copy()
    return out


def _built(link: Link) -> chainer.Link:
    name = link.target.rpartition(".")[2]
    zero: dict[str, Any] = {"initialW": 0} if link.target.startswith("chainer.") and name in RANDOM else {}
    return target(link.target)(**link.args, **zero)


def _fill(built: chainer.Link, link: Link, layer: Layer, model: Model) -> None:
    params = {p.name: p for p in layer.params}
    for attribute, weight in link.weights.items():
        param = params[weight.param]
        array = model.arrays.get((layer.name, param.name))
        values = array.read() if array is not None else _first(param, layer, model.dtype)
        place = getattr(built, attribute)
        np.copyto(getattr(place, "array", place), physical(values, param, weight), casting="same_kind")


def _first(param: Param, layer: Layer, dtype: str) -> Any:
    """Starting values; gate f of an LSTM may begin open."""
    values = initial(param, layer, dtype)
    if param.name == "bias" and getattr(layer.op, "unit_forget_bias", False):
        units = values.size // 4
        values[units : 2 * units] = 1
    return values


def physical(values: Any, param: Param, weight: Weight) -> Any:
    """An array in Keras's layout as the link keeps it."""
    if weight.axes is not None and weight.axes != param.axes:
        values = values.transpose([param.axes.index(a) for a in weight.axes])
    return values if weight.shape is None else values.reshape(weight.shape)


def logical(values: Any, param: Param, weight: Weight) -> Any:
    """The way back: an array of a link in Keras's layout."""
    axes = weight.axes or param.axes
    values = values.reshape([param.shape[param.axes.index(a)] for a in axes])
    return values.transpose([axes.index(a) for a in param.axes])
