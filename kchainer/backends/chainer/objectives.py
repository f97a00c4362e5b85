"""Optimizers and losses of the IR, made; and how a network's parameters stand to the source's variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import chainer

import kchainer.functions.losses
import kchainer.functions.weighting
import kchainer.optimizers
from kchainer.backends.chainer.runtime import Network, Sequential
from kchainer.emit import training as emission
from kchainer.emit.training import Made, Named
from kchainer.functions.weighting import Loss
from kchainer.ir import losses as ir_losses
from kchainer.ir import optimizers as ir_optimizers
from kchainer.ir.patterns import pattern
from kchainer.ir.training import Owner, owning
from kchainer.optimizers import View

MODULES = {
    "kchainer.functions.losses": kchainer.functions.losses,
    "kchainer.functions.weighting": kchainer.functions.weighting,
    "kchainer.optimizers": kchainer.optimizers,
}


def made(one: Any) -> Any:
    """What a description makes; targets come from three modules only."""
    if not isinstance(one, (Made, Named)):
        return one
    module, _, attribute = one.target.rpartition(".")
    target = getattr(MODULES[module], attribute)
    return target if isinstance(one, Named) else target(**{k: made(v) for k, v in one.args.items()})


def optimizer_of(one: ir_optimizers.Optimizer) -> Any:
    """The optimizer, not yet set up. Its patterns may be a file's: they are not given to ``re``."""
    out = made(emission.optimizer(one))
    inner = out.inner if isinstance(one, ir_optimizers.LossScale) else out
    if isinstance(inner, kchainer.optimizers.Muon):
        inner.hyperparam.exclude_layers = tuple(pattern(text) for text in inner.hyperparam.exclude_layers)
    return out


def loss_of(one: ir_losses.Loss) -> Loss:
    """The loss, as a function of targets, predictions, weights and a mask."""
    loss: Loss = made(emission.loss(one))
    return loss


def views_of(net: Network | Sequential) -> dict[str, View]:
    """By the path of each parameter of a network that ``build`` made: its variable's path and layout at the source."""
    out: dict[str, View] = {}
    links = dict(net.named_plan_links())
    paths = {id(p): path for path, p in net.namedparams()}
    for name, link in net.plan.links.items():
        params = {p.name: p for p in net.params_of[name]}
        for attribute, weight in link.weights.items():
            place, param = getattr(links[name], attribute), params[weight.param]
            if isinstance(place, chainer.Parameter):
                axes = weight.axes or param.axes
                out[paths[id(place)]] = View(
                    f"{net.plan.layers[name]}/{param.name}",
                    tuple(param.shape[param.axes.index(a)] for a in axes),
                    tuple(axes.index(a) for a in param.axes),
                )
    return out


def owned(owners: Sequence[Owner], views: Mapping[str, View]) -> list[list[str]]:
    """The paths that each owner updates: those whose source names its patterns match, else what no other owns.

    Raises: ValueError where two owners match one parameter.
    """
    found: list[list[str]] = [[] for _ in owners]
    for path, view in views.items():
        name = view.name or path
        by = owning(owners, name)
        if len(by) > 1:
            raise ValueError(f"several optimizers own {name}")
        for i in by:
            found[i].append(path)
    return found
