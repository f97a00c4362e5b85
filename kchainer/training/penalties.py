"""What regularizers add to a loss: of params, and of the outputs of layers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import chainer
import chainer.functions as F

from kchainer.backends.chainer.objectives import views_of
from kchainer.diagnostics import Diagnostic, KchainerError
from kchainer.functions.penalties import eigenvalue_penalty, l1_l2_penalty, orthogonal_penalty, per_sample
from kchainer.ir import regularizers as ir
from kchainer.ir.ops import ActivityRegularization
from kchainer.ir.settings import ACTIVITY, setting
from kchainer.optimizers import View

Penalty = Callable[[Any], Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Penalties:
    """Penalties by parameter, and by the number of a value of the plan."""

    params: tuple[tuple[chainer.Parameter, Penalty], ...]
    activities: tuple[tuple[int, Penalty], ...]

    @property
    def values(self) -> Collection[int]:
        """Values of the plan that are looked at."""
        return {value for value, _ in self.activities}

    def total(self, values: Mapping[int, Any]) -> Any:
        """The sum of all; None where there are none."""
        parts = [penalty(param) for param, penalty in self.params]
        parts += [penalty(values[number]) for number, penalty in self.activities]
        return sum(parts[1:], parts[0]) if parts else None


def penalties_of(net: Any, *, with_frozen: bool) -> Penalties:
    """The penalties of a network that ``load`` made; those of frozen params change no gradient, only the loss.

    Raises: KchainerError (KC503) for a regularizer that is not supported.
    """
    return Penalties(tuple(_of_params(net, with_frozen)), tuple(_of_activities(net)))


def _of_params(net: Any, with_frozen: bool) -> Iterator[tuple[chainer.Parameter, Penalty]]:
    layers = net.model.network.layers
    params = dict(net.namedparams())
    for path, view in views_of(net).items():
        name, _, param = str(view.name).rpartition("/")
        said = setting(layers[name].settings, param, "regularizer") if layers[name].settings else None
        if said is not None and (layers[name].trainable or with_frozen):
            yield params[path], _penalty(said, view, net, name)


def _of_activities(net: Any) -> Iterator[tuple[int, Penalty]]:
    for value, name in net.plan.activities:
        layer = net.model.network.layers[name]
        if isinstance(layer.op, ActivityRegularization):
            op = layer.op
            yield value, _of_output(ir.L1L2(l1=op.l1, l2=op.l2, per_sample=op.per_sample), net, name)
        said = setting(layer.settings, ACTIVITY, "regularizer")
        if said is not None:
            yield value, _of_output(said, net, name)


def _of_output(said: Any, net: Any, layer: str) -> Penalty:
    penalty = _penalty(said, View(), net, layer)
    if not getattr(said, "per_sample", False):
        return penalty
    return lambda y: per_sample(penalty(y), y)


def _penalty(said: Any, view: View, net: Any, layer: str) -> Penalty:
    match said:
        case ir.L1L2():
            return lambda x: l1_l2_penalty(x, said.l1, said.l2)
        case ir.Orthogonality():
            return lambda x: orthogonal_penalty(_logical(x, view), said.factor, said.mode)
        case ir.Eigenvalue(k=k) if k is not None:
            return lambda x: eigenvalue_penalty(_logical(x, view), k)
        case ir.Eigenvalue():
            message = f'the file does not say the weight of the EigenvalueRegularizer of "{layer}"'
        case _:
            message = f'regularizer {said.name} of "{layer}" is not supported in training'
    raise KchainerError(Diagnostic(code="KC503", message=message, file=net.model.origin.file))


def _logical(x: Any, view: View) -> Any:
    x = F.reshape(x, view.shape) if view.shape is not None else x
    return F.transpose(x, view.axes) if view.axes is not None else x
