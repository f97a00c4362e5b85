"""Params that no optimizer updates, until the user says otherwise."""

from __future__ import annotations

from typing import Any

import chainer
from chainer.variable import _recover_parameter


class FrozenParameter(chainer.Parameter):
    """A parameter whose update rule is switched off when an optimizer gives it one.

    ``Link.disable_update`` does nothing before ``Optimizer.setup``; a converted network has to say it earlier.
    ``Link.enable_update`` after ``setup`` lets it learn again.
    """

    @property
    def update_rule(self) -> Any:
        """The rule that the optimizer gave."""
        return self.__dict__.get("_rule")

    @update_rule.setter
    def update_rule(self, rule: Any) -> None:
        if rule is not None:
            rule.enabled = False
        self.__dict__["_rule"] = rule

    def __reduce__(self) -> Any:
        function, arguments = super().__reduce__()
        assert function is _recover_parameter
        return _recover_frozen, tuple(arguments)


def _recover_frozen(*arguments: Any) -> FrozenParameter:
    parameter = _recover_parameter(*arguments)
    parameter.__class__ = FrozenParameter
    made: FrozenParameter = parameter
    return made


def freeze(one: chainer.Link | chainer.Parameter) -> None:
    """Make a parameter, or each of a link, one that optimizers leave alone. Source: Keras's ``trainable = False``."""
    for parameter in [one] if isinstance(one, chainer.Parameter) else one.params():
        parameter.__class__ = FrozenParameter
