"""From IR to a running network: plan, links, arrays."""

from __future__ import annotations

import contextlib
import dataclasses
import operator
import threading
from collections.abc import Iterator
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

_BUILDING = threading.RLock()


def build(model: Model, plan: Plan, *, zeros: bool = False) -> Network | Sequential:
    """The network of a plan with the model's arrays in place; what has none is initialised.

    ``zeros``: nothing is filled in, since the caller does.
    """
    links: dict[str, chainer.Link] = {}
    with chainer.using_config("dtype", np.dtype(model.dtype)), _without_gradients():
        for name, link in plan.links.items():
            links[name] = _built(link)
    for name, link in plan.links.items() if not zeros else ():
        _fill(links[name], link, model.network.layers[plan.layers[name]], model)
    # Chainer calls no empty Sequential
    for name in plan.frozen:
        freeze(links[name])
    for name, link in plan.links.items():
        for place, weight in link.weights.items():
            if weight.frozen:
                freeze(operator.attrgetter(place)(links[name]))
    kind = Sequential if plan.is_linear and plan.steps else Network
    net = kind(plan, links, model.dtype)
    net.model = dataclasses.replace(model, arrays={})
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
            place = operator.attrgetter(attribute)(links[name])
            values = chainer.backends.cuda.to_cpu(getattr(place, "array", place))
            out[f"{net.plan.layers[name]}/{weight.param}"] = logical(
                values, params[weight.param], weight
            ).copy()
    return out


@contextlib.contextmanager
def _without_gradients() -> Iterator[None]:
    """Parameters that this thread makes have no gradient, as after ``cleargrads``.

    Chainer fills one with NaN for each, so that a network takes its memory twice before it was ever trained.
    """
    kind, thread = chainer.Parameter, threading.get_ident()
    with _BUILDING:
        stock = kind.__init__

        def bare(
            self: Any, initializer: Any = None, shape: Any = None, name: Any = None, **more: Any
        ) -> None:
            if threading.get_ident() != thread or isinstance(initializer, np.ndarray):
                stock(self, initializer, shape, name, **more)
                return
            stock(self, initializer, None, name, **more)
            self.cleargrad()
            if shape is not None:
                self.initialize(shape)

        kind.__init__ = bare
        try:
            yield
        finally:
            kind.__init__ = stock


def _built(link: Link) -> chainer.Link:
    name = link.target.rpartition(".")[2]
    zero: dict[str, Any] = {"initialW": 0} if link.target.startswith("chainer.") and name in RANDOM else {}
    args = {k: _built(v) if isinstance(v, Link) else v for k, v in link.args.items()}
    return target(link.target)(**args, **zero)


def _fill(built: chainer.Link, link: Link, layer: Layer, model: Model) -> None:
    params = {p.name: p for p in layer.params}
    for attribute, weight in link.weights.items():
        param = params[weight.param]
        array = model.arrays.get((layer.name, param.name))
        place = operator.attrgetter(attribute)(built)
        own = getattr(place, "array", place)
        target = logical(own, param, weight)
        assert not own.size or np.may_share_memory(target, own), "a copy would be filled, not the link"
        if array is not None:
            array.copy_to(target)
        else:
            np.copyto(target, _first(param, layer, model.dtype), casting="same_kind")


def _first(param: Param, layer: Layer, dtype: str) -> Any:
    """Starting values; gate f of an LSTM may begin open."""
    values = initial(param, layer, dtype)
    if param.name == "bias" and getattr(layer.op, "unit_forget_bias", False):
        units = values.size // 4
        values[units : 2 * units] = 1
    return values


def logical(values: Any, param: Param, weight: Weight) -> Any:
    """An array of a link in Keras's layout: a view, by which it is filled too."""
    axes = weight.axes or param.axes
    values = values.reshape([param.shape[param.axes.index(a)] for a in axes])
    return values.transpose([axes.index(a) for a in param.axes])
