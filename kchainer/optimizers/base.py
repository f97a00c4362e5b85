"""What all optimizers share: rate, clipping, weight decay, averages, accumulation, state.

One step, in Keras's order: gradients are unscaled, accumulated, given to Chainer's own hooks, clipped (by each
variable's norm, by the norm of all, by value: each that is set), weights decay by their rate, the rule updates,
averages follow; post hooks, where constraints stand, come last. Parameters without a gradient are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, ClassVar, Protocol, TypedDict

import chainer
import numpy as np
from chainer.backends import cuda
from chainer.optimizer import HyperparameterProxy

from kchainer.optimizers.views import SAME, View, Views, checked

Rate = float | Callable[[int], float]
State = dict[str, dict[str, Any]]


class HasSearch(Protocol):
    """What finds itself in names: a compiled pattern, or another matcher for patterns that are not trusted."""

    def search(self, string: str, /) -> object:
        """True, or what is, where it is found."""
        ...


Searched = str | HasSearch


def is_found(pattern: Searched, name: str) -> bool:
    """Whether a pattern is found in a name; a string goes to ``re``."""
    return bool(re.search(pattern, name) if isinstance(pattern, str) else pattern.search(name))


class Options(TypedDict, total=False):
    """What every optimizer takes besides its own arguments.

    Several ways of clipping may be set; they follow each other. ``clipnorm`` of Keras before 2.4 is the norm of all
    gradients: ``global_clipnorm`` here. ``decay``: the rate is divided by 1 + decay * step. ``weight_decay``:
    w -= w * weight_decay * rate, before the rule. ``ema_from_start``: averages begin with the weights before the
    first step (tf.keras); else the first step's weights are copied (Keras 3). ``loss_scale_factor``: ``update`` scales
    the loss of ``lossfun``; without it, call ``loss.backward(loss_scale=factor)``.
    """

    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    weight_decay: float | None
    decay: float
    use_ema: bool
    ema_from_start: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    loss_scale_factor: float | None
    gradient_accumulation_steps: int | None


DEFAULTS: Options = {
    "clipnorm": None,
    "clipvalue": None,
    "global_clipnorm": None,
    "weight_decay": None,
    "decay": 0.0,
    "use_ema": False,
    "ema_from_start": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}


def rate_at(rate: Rate, decay: float, step: int) -> float:
    """The learning rate of a step, counted from 0."""
    value = float(rate(step)) if callable(rate) else float(rate)
    return value / (1 + decay * step) if decay else value


class Rule(chainer.UpdateRule):
    """Base of the rules: what ``slots`` names is kept in ``state``, in the order of Keras's variables.

    Subclasses write ``step``, and ``start`` where a slot does not begin with zeros. A rule with ``by_axes`` gets
    parameter, gradient and state in the layout of its view, any other in the parameter's own.
    """

    by_axes = False

    def __init__(self, parent: Any, slots: tuple[str, ...], view: View = SAME, path: str = "") -> None:
        super().__init__(parent)
        self.slots, self.view, self.path = slots, view, path
        self.decays = True

    @property
    def name(self) -> str:
        """The variable's name at the source, else the parameter's path."""
        return self.path if self.view.name is None else self.view.name

    def seen(self, array: Any) -> Any:
        """``array`` as the rule works on it."""
        return self.view.logical(array) if self.by_axes else array

    def rate(self) -> float:
        """The learning rate of this step."""
        hp = self.hyperparam
        return rate_at(hp.learning_rate, hp.decay, hp.step)

    def init_state(self, param: Any) -> None:
        """Zeros, or what ``start`` says, for each slot; ``average`` and ``gradients`` where options ask."""
        w = self.seen(param.array)
        for slot in self.slots:
            self.state[slot] = self.start(slot, w)
        hp = self.hyperparam
        if hp.use_ema:
            self.state["average"] = param.array.copy()
        if hp.gradient_accumulation_steps:
            self.state["gradients"] = param.xp.zeros_like(param.array)

    def start(self, slot: str, w: Any) -> Any:
        """The first value of a slot."""
        return chainer.backend.get_array_module(w).zeros_like(w, order="C")

    def ready(self, param: Any) -> dict[str, Any]:
        """The state, made if there is none yet."""
        self._init_states(param)
        state: dict[str, Any] = self.state
        return state

    def update_core_cpu(self, param: Any) -> None:
        """Weight decay, then the rule."""
        if param.grad is None:
            return
        rate, hp = self.rate(), self.hyperparam
        w, g = param.array, param.grad
        decay = self.weight_decay()
        if decay is not None and self.decays:
            w -= w * (decay * rate)
        seen = self.seen(w)
        self.step(param.xp, seen, self.seen(g), rate, hp, self.state)
        if not param.xp.may_share_memory(seen, w):  # reshaping an array that is not contiguous copies
            w[...] = self.view.physical(seen, w.shape)

    update_core_gpu = update_core_cpu

    def weight_decay(self) -> float | None:
        """The factor of this parameter."""
        value: float | None = self.hyperparam.weight_decay
        return value

    def step(self, xp: Any, w: Any, g: Any, rate: float, hp: Any, state: dict[str, Any]) -> None:
        """Update ``w`` and ``state`` in place. ``hp.iteration`` counts the updates before this one."""
        raise NotImplementedError


class Optimizer(chainer.optimizer.GradientMethod):
    """Base of the optimizers. ``lr`` reads the rate of the next step, and sets it.

    Raises: TypeError for an option that does not exist, ValueError for one out of range.
    """

    rule: ClassVar[type[Rule]]
    clipnorm = HyperparameterProxy("clipnorm")
    clipvalue = HyperparameterProxy("clipvalue")
    global_clipnorm = HyperparameterProxy("global_clipnorm")
    weight_decay = HyperparameterProxy("weight_decay")
    decay = HyperparameterProxy("decay")
    learning_rate = HyperparameterProxy("learning_rate")

    def __init__(self, learning_rate: Rate, hyper: Mapping[str, Any], options: Options) -> None:
        super().__init__()
        unknown = sorted(set(options) - set(DEFAULTS))
        if unknown:
            raise TypeError(f"{type(self).__name__} has no option {unknown[0]}")
        chosen: dict[str, Any] = {**DEFAULTS, **options}
        _check(chosen)
        self.hyperparam.__dict__.update(hyper, **chosen)
        self.hyperparam.learning_rate = learning_rate
        self.hyperparam.step = self.hyperparam.iteration = 0
        if chosen["loss_scale_factor"] is not None:
            self.loss_scaling(scale=chosen["loss_scale_factor"])

    @property
    def slots(self) -> tuple[str, ...]:
        """Names of the arrays kept for each parameter, in the order of Keras's optimizer variables."""
        raise NotImplementedError

    @property
    def lr(self) -> float:
        """The learning rate of the next step."""
        return rate_at(self.hyperparam.learning_rate, self.hyperparam.decay, self.t)

    @lr.setter
    def lr(self, rate: Rate) -> None:
        self.hyperparam.learning_rate = rate

    def create_update_rule(self) -> Rule:
        """A rule for one parameter."""
        return self.rule(self.hyperparam, self.slots)

    def setup(
        self, link: chainer.Link, *, only: Collection[str] | None = None, views: Views | None = None
    ) -> Optimizer:
        """Own the parameters of ``link``, or those among them whose paths ``only`` holds.

        Several optimizers can share a link this way. ``views``: by path, see ``View``; parameters are updated in
        their order.
        Raises: KeyError for a path that is no parameter.
        """
        chainer.Optimizer.setup(self, link)
        params = dict(link.namedparams())
        views = checked(views or {}, params)
        checked(dict.fromkeys(only or (), SAME), params)
        order = dict.fromkeys([*views, *params])
        self._owned = {path: params[path] for path in order if only is None or path in only}
        for path, param in self._owned.items():
            rule = self.create_update_rule()
            rule.path, rule.view = path, views.get(path, SAME)
            param.update_rule = rule
            if self._use_fp32_update:
                rule.use_fp32_update()
        return self

    def owned(self) -> Iterator[tuple[str, Any]]:
        """Path and parameter of all that this optimizer updates now."""
        for path, param in self._owned.items():
            if param.update_rule is not None and param.update_rule.enabled and param.array is not None:
                yield path, param

    def exclude_from_weight_decay(self, *patterns: Searched, paths: Iterable[str] = ()) -> None:
        """No weight decay for ``paths``, nor where a pattern is found in the variable's name. After ``setup``."""
        self._check_set_up()
        named = set(paths)
        checked(dict.fromkeys(named, SAME), self._owned)
        for path, param in self._owned.items():
            rule = param.update_rule
            rule.decays = path not in named and not any(is_found(p, rule.name) for p in patterns)

    def update(self, lossfun: Any = None, *args: Any, **kwds: Any) -> None:
        """One step, by the gradients that stand in the parameters or those of ``lossfun(*args, **kwds)``."""
        if lossfun is not None:
            loss = lossfun(*args, **kwds)
            self.objective(loss)
            self.target.cleargrads()
            loss.backward(loss_scale=self._loss_scale)
            del loss
        self._check_set_up()
        params = [p for _, p in self.owned() if p.grad is not None]
        self.reallocate_cleared_grads()  # stock hooks read the gradient of every parameter
        _unscale(params)
        self.check_nan_in_grads()
        hp = self.hyperparam
        hp.step, hp.iteration = self.t, self.t // (hp.gradient_accumulation_steps or 1)
        if self.is_safe_to_update():
            if hp.use_ema:  # averages begin with the weights as they are now, also those without a gradient
                for _, param in self.owned():
                    param.update_rule.ready(param)
            if self._accumulated(params):
                self.call_hooks("pre")
                self._clip(params)
                self.begin(params)
                for param in params:
                    param.update()
            self._average()
        self.t += 1
        self.reallocate_cleared_grads()
        self.call_hooks("post")
        self.update_loss_scale()

    def objective(self, loss: Any) -> None:
        """Called with the loss, for rules that need its value."""

    def begin(self, params: list[Any]) -> None:
        """Called before the rules of a step, for what is common to all parameters."""

    def _accumulated(self, params: list[Any]) -> bool:
        """Whether this step updates; the gradients are then the mean of those since the last update."""
        steps = self.hyperparam.gradient_accumulation_steps
        if not steps:
            return True
        updates = bool((self.t + 1) % steps == 0)
        for param in params:
            total = param.update_rule.ready(param)["gradients"]
            if updates:
                param.grad = (param.grad + total) / steps
                total.fill(0)
            else:
                total += param.grad
        return updates

    def _clip(self, params: list[Any]) -> None:
        hp = self.hyperparam
        if hp.clipnorm:
            for param in params:
                _shorten(param, hp.clipnorm, _norm(param.grad))
        if hp.global_clipnorm and params:
            norm = sum(_square(p.grad) for p in params) ** 0.5
            for param in params:
                _shorten(param, hp.global_clipnorm, norm)
        if hp.clipvalue:
            for param in params:
                param.xp.clip(param.grad, -hp.clipvalue, hp.clipvalue, out=param.grad)

    def _average(self) -> None:
        """Moving averages of the weights. Before constraints, as in Keras."""
        hp = self.hyperparam
        if not hp.use_ema:
            return
        momentum = hp.ema_momentum if hp.iteration or hp.ema_from_start else 0.0
        every = hp.ema_overwrite_frequency
        for _, param in self.owned():
            average = param.update_rule.ready(param)["average"]
            average *= momentum
            average += (1 - momentum) * param.array
            if every and (hp.iteration + 1) % every == 0:
                param.array[...] = average

    def finalize(self) -> None:
        """Write the averages into the weights, as Keras does at the end of ``fit``."""
        for _, param in self.owned() if self.hyperparam.use_ema else ():
            param.array[...] = param.update_rule.ready(param)["average"]

    def state(self) -> State:
        """State of each parameter by path and slot, in the source's layout; copies."""
        return {
            path: {slot: cuda.to_cpu(_out(p.update_rule, slot, kept)).copy() for slot, kept in _slots(p)}
            for path, p in self.owned()
        }

    def load_state(self, state: Mapping[str, Mapping[str, Any]], step: int) -> None:
        """Take over slots, given in the source's layout, and the count of steps. After ``setup``.

        Raises: KeyError for an unknown path or slot, ValueError for a wrong shape.
        """
        self._check_set_up()
        for path, slots in state.items():
            param = self._owned[path]
            kept = param.update_rule.ready(param)
            for slot, value in slots.items():
                _put(param.update_rule, slot, kept[slot], value)
            param.update_rule.t = step // (self.hyperparam.gradient_accumulation_steps or 1)
        self.t = step


# Slots that are always kept in the parameter's own layout.
OWN_LAYOUT = ("average", "gradients")


def _out(rule: Rule, slot: str, kept: Any) -> Any:
    """A slot in the source's layout."""
    is_own = slot in OWN_LAYOUT or not rule.by_axes
    return rule.view.logical(kept) if is_own and kept.ndim else kept


def _put(rule: Rule, slot: str, kept: Any, value: Any) -> None:
    """Fill a slot from an array in the source's layout."""
    wanted, value = _out(rule, slot, kept).shape, np.asarray(value)
    if wanted != value.shape:
        raise ValueError(f"{slot} of {rule.name}: expected shape {wanted}, found {value.shape}")
    is_own = slot in OWN_LAYOUT or not rule.by_axes
    value = rule.view.physical(value, kept.shape) if is_own and kept.ndim else value
    kept[...] = chainer.backend.get_array_module(kept).asarray(value)


def _slots(param: Any) -> list[tuple[str, Any]]:
    return list(param.update_rule.ready(param).items())


def _check(chosen: dict[str, Any]) -> None:
    if not 0 <= chosen["ema_momentum"] <= 1:
        raise ValueError("ema_momentum has to be from 0 to 1")
    for name, least in (("gradient_accumulation_steps", 2), ("ema_overwrite_frequency", 1)):
        if chosen[name] is not None and chosen[name] < least:
            raise ValueError(f"{name} has to be {least} or more, or None")
    for name in ("clipnorm", "clipvalue", "global_clipnorm"):
        if chosen[name] is not None and chosen[name] <= 0:
            raise ValueError(f"{name} has to be above 0, or None")


def _unscale(params: list[Any]) -> None:
    """Gradients of ``loss.backward(loss_scale=...)`` in their true size, once."""
    for param in params:
        if param._loss_scale is not None:
            param.grad /= param._loss_scale
            param._loss_scale = None


def _square(g: Any) -> Any:
    """Sum of squares; in float32 for float16, whose range it would leave."""
    flat = g.ravel() if g.dtype != np.float16 else g.astype(np.float32).ravel()
    return flat.dot(flat)


def _norm(g: Any) -> Any:
    return _square(g) ** 0.5


def _shorten(param: Any, longest: float, norm: Any) -> None:
    """Scale the gradient so that ``norm`` is at most ``longest``; a norm that is not finite makes it NaN.

    On the GPU the norm stays there: no wait.
    """
    xp = param.xp
    scale = xp.where(norm > longest, longest / xp.maximum(norm, longest), norm * 0 + 1)
    param.grad *= scale.astype(param.grad.dtype)
