"""The optimizer of a model, ready: set up on its network, constraints behind it, the file's state in place."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

from kchainer import optimizers
from kchainer.backends.chainer.networks import Networks
from kchainer.backends.chainer.objectives import optimizer_of, owned, views_of
from kchainer.backends.chainer.runtime import Network, Sequential
from kchainer.diagnostics import Diagnostic, KchainerError, render_text
from kchainer.ir import constraints as ir_constraints
from kchainer.ir.graph import Model
from kchainer.ir.patterns import PatternError, pattern
from kchainer.ir.settings import setting
from kchainer.ir.training import Gathered, Training
from kchainer.optimizers import View


def optimizer_for(model: Model, net: Any) -> Any:
    """The optimizer of ``model.training`` on a network of ``to_chainer``; None where there is none.

    Raises: KchainerError for a param that several optimizers own, a constraint that is not supported, and state that
    cannot be read.
    """
    training = model.training
    if training is None or not training.optimizers:
        return None
    views = _views(net)
    shares = _shares(model, net, training, views)
    made = []
    for owner, paths in zip(training.optimizers, shares, strict=True):
        one = optimizer_of(owner.optimizer)
        one.setup(net, only=paths, views={path: views[path] for path in paths})
        if owner.no_weight_decay:
            stepper = one.inner if isinstance(one, optimizers.LossScale) else one
            try:
                stepper.exclude_from_weight_decay(*map(pattern, owner.no_weight_decay))
            except PatternError as wrong:
                raise _refused(model, str(wrong)) from None
        made.append(one)
    out = made[0] if len(made) == 1 else optimizers.Several(net, made)
    constraints = dict(_constraints(net))
    if constraints:
        out.add_hook(optimizers.Constrain(constraints, views))
    if model.gathered is not None:
        steps = model.gathered.each or (model.gathered.steps,)
        if len(steps) != len(made):
            _left_out(model, len(steps), len(made))
            return out
        for one, paths, step in zip(made, shares, steps, strict=True):
            _resume(one, model.gathered, step, {path: views[path] for path in paths})
        out.t = model.gathered.steps
    return out


def _left_out(model: Model, theirs: int, ours: int) -> None:
    """Warn that the state is of other optimizers than those that are made."""
    told = Diagnostic(
        code="KC502",
        severity="warning",
        message=f"the state of the optimizer is not read: it is of {theirs} optimizers, the training names {ours}",
        file=model.origin.file,
        hint="the optimizers begin anew",
    )
    warnings.warn(render_text((told,)), stacklevel=3)


def _networks(net: Any) -> dict[str, tuple[str, Any]]:
    """Each network by its name, with the path of its parameters."""
    if isinstance(net, Networks):
        return {name: (f"/{attribute}", net[name]) for name, attribute in net.attributes.items()}
    return {net.plan.name: ("", net)}


def _views(net: Network | Sequential | Networks) -> dict[str, View]:
    return {
        f"{start}{path}": view
        for start, one in _networks(net).values()
        for path, view in views_of(one).items()
    }


def _shares(model: Model, net: Any, training: Training, views: dict[str, View]) -> list[list[str]]:
    """The paths that each optimizer owns, of its networks, by its patterns."""
    networks = _networks(net)
    out: list[list[str]] = [[] for _ in training.optimizers]
    for name, (start, _) in networks.items():
        mine = {p: v for p, v in views.items() if len(networks) == 1 or p.startswith(f"{start}/")}
        places = [i for i, o in enumerate(training.optimizers) if not o.networks or name in o.networks]
        # one that names the network goes before one that takes all
        named = [i for i in places if training.optimizers[i].networks]
        places = named or places
        try:
            found = owned([training.optimizers[i] for i in places], mine)
        except ValueError as wrong:
            raise _refused(model, str(wrong)) from None
        for i, paths in zip(places, found, strict=True):
            out[i] += paths
    return out


def _refused(model: Model, message: str) -> KchainerError:
    return KchainerError(Diagnostic(code="KC503", message=message, file=model.origin.file))


def _constraints(net: Any) -> Iterator[tuple[str, Any]]:
    """By path, what brings each constrained param back. Raises KchainerError."""
    for start, one in _networks(net).values():
        paths = {view.name: path for path, view in views_of(one).items()}
        for layer in one.model.network.layers.values():
            for param in layer.params if layer.settings else ():
                said = setting(layer.settings, param.name, "constraint")
                path = paths.get(f"{layer.name}/{param.name}")
                if said is not None and path is not None and layer.trainable:
                    yield f"{start}{path}", _constraint(said, one.model, layer.name)


def _constraint(said: Any, model: Model, layer: str) -> Any:
    match said:
        case ir_constraints.MaxNorm():
            return optimizers.MaxNorm(said.max, said.axes)
        case ir_constraints.MinMaxNorm():
            return optimizers.MinMaxNorm(said.min, said.max, said.rate, said.axes)
        case ir_constraints.UnitNorm():
            return optimizers.UnitNorm(said.axes)
        case ir_constraints.NonNeg():
            return optimizers.NonNeg()
        case ir_constraints.Radial():
            return optimizers.Radial()
    raise _refused(model, f'constraint {said.name} of "{layer}" is not supported in training')


def _resume(one: Any, gathered: Gathered, steps: int, views: dict[str, View]) -> None:
    stepper = one.inner if isinstance(one, optimizers.LossScale) else one
    keys = {f"{layer}/{param}": slots for (layer, param), slots in gathered.slots.items()}
    state = {
        path: {slot: array.read() for slot, array in keys[view.name].items()}
        for path, view in views.items()
        if view.name in keys
    }
    stepper.load_state(state, steps)
    if one is not stepper and gathered.scale is not None:
        one.scale, one.counter = gathered.scale
