"""State of an optimizer in a file: one row of arrays, whose order the releases chose differently."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from kchainer.files import WeightFile
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.optimizers.read import meant, parts_of
from kchainer.frontends.keras.optimizers.tables import era_of
from kchainer.ir import optimizers as ir
from kchainer.ir.arrays import LazyArray
from kchainer.ir.training import Gathered

Json = dict[str, Any]
Key = tuple[str, str]
Groups = list[tuple[str, ...]]
# From a variable and an array in its file's layout to the layout of the param; None where it does not fit.
Fit = Callable[[Key, LazyArray], LazyArray | None]
# Slots that keep another shape than their variable.
FREE = ("r", "c")


class Unread(Exception):
    """Why the state cannot be taken over."""


def rows_of(file: WeightFile, lazy: Callable[[str], LazyArray]) -> tuple[list[LazyArray], list[LazyArray]]:
    """The arrays of the optimizer and, of one in another, those of the outer one; none where there are none."""
    if "/optimizer_weights" in file:
        names = file.attributes("/optimizer_weights").get("weight_names", [])
        return [lazy(f"/optimizer_weights/{name}") for name in names], []
    rows = [_numbered(file, f"/optimizer{inner}/vars", lazy) for inner in ("", "/inner_optimizer")]
    return (rows[1], rows[0]) if rows[1] else (rows[0], [])


def _numbered(file: WeightFile, group: str, lazy: Callable[[str], LazyArray]) -> list[LazyArray]:
    names = [n for n in file.children(group) if n.isdigit()] if group in file else []
    return [lazy(f"{group}/{n}") for n in sorted(names, key=int)]


def groups_of(one: ir.Stepper, era: str) -> Groups:
    """Slots that stand together for each variable, group behind group."""
    groups = _own_groups(one)
    if era != "new":
        return groups if isinstance(one, ir.Ftrl) else [(slot,) for group in groups for slot in group]
    before: Groups = [("average",)] if one.use_ema else []
    before += [("gradients",)] if one.gradient_accumulation_steps else []
    return before + groups


def _own_groups(one: ir.Stepper) -> Groups:
    match one:
        case ir.RMSprop():
            more: Groups = [("momentum",)] if one.momentum > 0 else []
            more += [("average_gradient",)] if one.centered else []
            return [("velocity",), *more]
        case ir.Adam():
            return [("momentum", "velocity"), *([("velocity_hat",)] * one.amsgrad)]
    return [SLOTS[type(one)]]


SLOTS: dict[type[ir.Stepper], tuple[str, ...]] = {
    ir.SGD: ("momentum",),
    ir.Adagrad: ("accumulator",),
    ir.Adadelta: ("accumulated_grad", "accumulated_delta_var"),
    ir.Adamax: ("momentum", "norm"),
    ir.Nadam: ("momentum", "velocity"),
    ir.Lamb: ("momentum", "velocity"),
    ir.ScheduleFreeAdamW: ("momentum", "velocity"),
    ir.Lion: ("momentum",),
    ir.Ftrl: ("accumulator", "linear"),
    ir.Adafactor: ("r", "c", "velocity"),
    ir.Muon: ("momentum", "velocity"),
}


def gathered(
    raw: Any,
    one: ir.Optimizer,
    rows: tuple[list[LazyArray], list[LazyArray]],
    variables: Sequence[tuple[Key, tuple[int, ...]]],
    dialect: Dialect,
    fit: Fit,
) -> Gathered:
    """The state of an optimizer that owns these trainable variables, in their order. Raises Unread."""
    arrays, outer = rows
    scale = None
    if isinstance(one, ir.LossScale):
        name, config, _ = parts_of(raw)
        if len(outer) < 4 or name != "LossScaleOptimizer":
            raise Unread("the state of a loss scale of this release is not read")
        scale = (float(_number(outer[3])), int(_number(outer[2])))
        raw, one = config["inner_optimizer"], one.inner
    elif outer:
        raise Unread("it holds an optimizer in another")
    assert isinstance(one, ir.Stepper)
    _, config, module = parts_of(raw)
    era = era_of(meant(config, module, dialect))
    heads = _heads(arrays, variables, one, era)
    steps = int(_number(heads[0])) if heads else 0
    if steps < 0:
        raise Unread(f"it counts {steps} steps")
    if not heads and one.decay:
        raise Unread("the release wrote no count of steps, and the decay needs it")
    row = _Row(arrays[len(heads) :], variables, one, fit, has_placeholders=dialect.flavour == "keras")
    groups = groups_of(one, era)
    if isinstance(one, ir.SGD) and not one.momentum and len(row.arrays) < len(variables):
        groups = groups[:-1]  # only Keras 3 writes none then
    for group in groups:
        row.take(group)
    if isinstance(one, ir.SGD) and not one.momentum:
        for slots in row.slots.values():
            slots.pop("momentum", None)
    row.finish(era)
    return Gathered(steps, {key: slots for key, slots in row.slots.items() if slots}, scale)


def _number(array: LazyArray) -> float:
    values = array.read().reshape(-1)
    if values.size != 1 or not abs(float(values[0])) < 2**62:  # also NaN
        raise Unread(f"{array.source} is no count")
    return float(values[0])


def _heads(arrays: list[LazyArray], variables: Sequence[Any], one: ir.Stepper, era: str) -> list[LazyArray]:
    """The count of steps, and what stands behind it: the learning rate, Nadam's product."""
    most = 2 if era == "new" or isinstance(one, ir.Nadam) else 1
    if variables and variables[0][1] == ():
        most = 1 if era != "new" or isinstance(one.learning_rate, ir.Schedule) else 2
    out: list[LazyArray] = []
    for array in arrays[:most]:
        if array.shape != ():
            break
        out.append(array)
    return out


class _Row:
    """Arrays on their way to their slots."""

    def __init__(
        self,
        arrays: list[LazyArray],
        variables: Sequence[tuple[Key, tuple[int, ...]]],
        one: ir.Stepper,
        fit: Fit,
        *,
        has_placeholders: bool,
    ) -> None:
        self.has_placeholders = has_placeholders
        self.arrays, self.variables, self.one, self.fit = arrays, variables, one, fit
        self.slots: dict[Key, dict[str, LazyArray]] = {key: {} for key, _ in variables}
        self.at = 0

    def take(self, group: tuple[str, ...]) -> None:
        """The slots of a group, for each variable. Raises Unread."""
        for key, shape in self.variables:
            for slot in group:
                if not self._has(slot, key, shape):
                    continue
                if self.at >= len(self.arrays):
                    raise Unread(f"{len(self.arrays)} arrays are too few for {len(self.variables)} variables")
                array = self.fit(key, self.arrays[self.at]) if slot not in FREE else self.arrays[self.at]
                if array is None or (slot not in FREE and array.shape != shape):
                    raise Unread(f"{self.arrays[self.at].source} is no `{slot}` of {'/'.join(key)}")
                self.slots[key][slot] = array
                self.at += 1

    def _has(self, slot: str, key: Key, shape: tuple[int, ...]) -> bool:
        """Muon keeps a second moment only of what Adam updates; Adafactor no means of vectors, or numbers for them."""
        if slot in FREE and len(shape) < 2:
            return self.has_placeholders
        if not isinstance(self.one, ir.Muon) or slot != "velocity":
            return True
        name = "/".join(key)
        is_embedding = self.one.exclude_embeddings and "embedding" in name.lower()
        excluded = any(re.search(p, name) for p in self.one.exclude_layers)
        return len(shape) not in self.one.ranks or is_embedding or excluded

    def finish(self, era: str) -> None:
        """Nothing but placeholders may be left. Raises Unread."""
        left = self.arrays[self.at :]
        is_adam = isinstance(self.one, ir.Adam) and not self.one.amsgrad
        if era == "classic" and is_adam and all(a.shape == (1,) for a in left):
            return  # Keras 2.1.3 and later wrote one for each variable
        if era == "new" and isinstance(self.one, ir.Nadam) and [a.shape for a in left] == [()]:
            return  # the product of the momenta, which follows from the steps
        if left:
            raise Unread(f"{len(left)} arrays more than {type(self.one).__name__} has slots")
