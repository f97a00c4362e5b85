"""State of a MultiOptimizer (Keras 3.15): one row of its own count and rate, then that of each optimizer in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kchainer.frontends.keras.optimizers.gathered import Fit, Key, Row, Unread, Variable, count
from kchainer.ir import optimizers as ir
from kchainer.ir.arrays import LazyArray
from kchainer.ir.training import Gathered, Owner, owning

HEADS = 2  # of each optimizer: its count of steps and its learning rate


def gathered_of_several(
    raw: Any,
    owners: Sequence[Owner],
    arrays: list[LazyArray],
    variables: Sequence[Variable],
    name: str,
    fit: Fit,
) -> Gathered:
    """The state of several optimizers, each of which owns some of these variables. Raises Unread.

    Keras matches its patterns with paths that begin with the model's name while a model is not loaded from a file,
    and without it when it is; state that only the first explains belongs to other owners than the file's next reader
    has.
    """
    steps = _steps(arrays)
    try:
        return _gathered(owners, arrays, _shares(owners, variables, ""), steps, fit)
    except Unread as reason:
        told = reason
    try:
        _gathered(owners, arrays, _shares(owners, variables, f"{name}/"), steps, fit)
    except Unread:
        raise told from None
    raise Unread(
        f'its patterns were matched with paths that begin with "{name}/", as Keras does before a model is '
        "saved, and own other params once it is loaded"
    )


def _steps(arrays: list[LazyArray]) -> int:
    if len(arrays) < HEADS:
        raise Unread("it has no count of steps")
    return count(arrays[0])


def _shares(owners: Sequence[Owner], variables: Sequence[Variable], start: str) -> list[list[Variable]]:
    """What each owner updates. Raises Unread where two match."""
    out: list[list[Variable]] = [[] for _ in owners]
    for variable in variables:
        places = owning(owners, start + "/".join(variable.key))
        if len(places) != 1:
            raise Unread(f"{len(places)} optimizers own {'/'.join(variable.key)}")
        out[places[0]].append(variable)
    return out


def _gathered(
    owners: Sequence[Owner], arrays: list[LazyArray], shares: list[list[Variable]], steps: int, fit: Fit
) -> Gathered:
    at, each = HEADS, []
    slots: dict[Key, dict[str, LazyArray]] = {}
    for owner, variables in zip(owners, shares, strict=True):
        assert isinstance(owner.optimizer, ir.Stepper)
        heads = arrays[at : at + HEADS]
        if len(heads) < HEADS or any(a.shape != () for a in heads):
            raise Unread("an optimizer in it has no count of steps")
        each.append(count(heads[0]))
        at += HEADS
        if variables:  # else it was never built
            row = Row(arrays[at:], variables, owner.optimizer, fit, has_placeholders=True)
            row.take_all("new", bare=True)
            at += row.at + isinstance(owner.optimizer, ir.Nadam)  # the product of its momenta
            slots.update(row.slots)
    if at < len(arrays):
        raise Unread(f"{len(arrays) - at} arrays more than its optimizers have slots")
    return Gathered(steps, {key: one for key, one in slots.items() if one}, None, tuple(each))
