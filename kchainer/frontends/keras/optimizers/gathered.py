"""State of an optimizer in a file: one row of arrays, whose order the releases chose differently."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from kchainer.files import WeightFile
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.optimizers.read import meant, parts_of
from kchainer.frontends.keras.optimizers.tables import era_of
from kchainer.ir import optimizers as ir
from kchainer.ir.arrays import LazyArray
from kchainer.ir.patterns import pattern
from kchainer.ir.training import Gathered

Json = dict[str, Any]
Key = tuple[str, str]
Groups = list[tuple[str, ...]]
# From a variable and an array in its file's layout to the layout of the param; None where it does not fit.
Fit = Callable[[Key, LazyArray], LazyArray | None]
# Slots that keep another shape than their variable.
FREE = ("r", "c")


@dataclasses.dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the file: a whole param of that shape, or the part of it that is one gate's (Keras 1).

    ``part`` counts in the order of the param's gates, which stand along ``axis`` in the file's layout.
    """

    key: Key
    shape: tuple[int, ...]
    part: int = 0
    parts: int = 1
    axis: int = -1


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
    variables: Sequence[Variable],
    dialect: Dialect,
    fit: Fit,
) -> Gathered:
    """The state of an optimizer that owns these trainable variables, in their order. Raises Unread."""
    arrays, outer = rows
    scale = None
    name, config, _ = parts_of(raw)
    if name.startswith("LossScaleOptimizer"):
        raw = config["inner_optimizer"]
        if dialect.flavour == "keras":
            if len(outer) < 4:
                raise Unread("it holds no scale of the loss")
            scale = (_number(outer[3]), count(outer[2]))
        # tf.keras writes the inner optimizer, perhaps twice, and no scale: it begins anew there, too
        one = one.inner if isinstance(one, ir.LossScale) else one
    elif outer:
        raise Unread("it holds an optimizer in another")
    assert isinstance(one, ir.Stepper)
    _, config, module = parts_of(raw)
    era = era_of(meant(config, module, dialect))
    heads = _heads(arrays, variables, one, era)
    steps = count(heads[0]) if heads else 0
    if not heads and one.decay:
        raise Unread("the release wrote no count of steps, and the decay needs it")
    left = arrays[len(heads) :]
    bare = len(left) < len(variables)  # only Keras 3 writes no slots of SGD without momentum
    row = Row(left, variables, one, fit, has_placeholders=dialect.flavour == "keras")
    row.take_all(era, bare=bare)
    row.finish(era)
    return Gathered(steps, {key: slots for key, slots in row.slots.items() if slots}, scale)


def count(array: LazyArray) -> int:
    """A number of steps. Raises Unread."""
    steps = int(_number(array))
    if steps < 0:
        raise Unread(f"it counts {steps} steps")
    return steps


def _number(array: LazyArray) -> float:
    values = array.read().reshape(-1)
    if values.size != 1 or not abs(float(values[0])) < 2**62:  # also NaN
        raise Unread(f"{array.source} is no count")
    return float(values[0])


def _heads(arrays: list[LazyArray], variables: Sequence[Any], one: ir.Stepper, era: str) -> list[LazyArray]:
    """The count of steps, and what stands behind it: the learning rate, Nadam's product."""
    most = 2 if era == "new" or isinstance(one, ir.Nadam) else 1
    if variables and variables[0].shape == ():
        most = 1 if era != "new" or isinstance(one.learning_rate, ir.Schedule) else 2
    out: list[LazyArray] = []
    for array in arrays[:most]:
        if array.shape != ():
            break
        out.append(array)
    return out


class Row:
    """Arrays on their way to their slots: ``at`` of them are taken."""

    def __init__(
        self,
        arrays: list[LazyArray],
        variables: Sequence[Variable],
        one: ir.Stepper,
        fit: Fit,
        *,
        has_placeholders: bool,
    ) -> None:
        self.has_placeholders = has_placeholders
        self.arrays, self.variables, self.one, self.fit = arrays, variables, one, fit
        self.slots: dict[Key, dict[str, LazyArray]] = {v.key: {} for v in variables}
        self.parts: dict[tuple[Key, str], dict[int, LazyArray]] = {}
        self.at = 0

    def take_all(self, era: str, *, bare: bool) -> None:
        """All slots of the optimizer; ``bare``: none of SGD without momentum. Raises Unread."""
        still = isinstance(self.one, ir.SGD) and not self.one.momentum
        groups = groups_of(self.one, era)
        for group in groups[:-1] if still and bare else groups:
            self.take(group)
        for slots in self.slots.values() if still else ():
            slots.pop("momentum", None)

    def take(self, group: tuple[str, ...]) -> None:
        """The slots of a group, for each variable. Raises Unread."""
        for variable in self.variables:
            for slot in group:
                if not self._has(slot, variable.key, variable.shape):
                    continue
                if self.at >= len(self.arrays):
                    raise Unread(f"{len(self.arrays)} arrays are too few for {len(self.variables)} variables")
                self._put(variable, slot, self.arrays[self.at])
                self.at += 1

    def _put(self, variable: Variable, slot: str, read: LazyArray) -> None:
        """Keep a slot's array; that of a gate until all of its param are there. Raises Unread."""
        whole: LazyArray | None = read
        if variable.parts > 1:
            have = self.parts.setdefault((variable.key, slot), {})
            have[variable.part] = read
            if len(have) < variable.parts:
                return
            gates = tuple(have[i] for i in range(variable.parts))
            same = len({g.shape for g in gates}) == 1 and read.shape != ()
            whole = LazyArray.joined(gates, variable.axis) if same else None
        array = self.fit(variable.key, whole) if slot not in FREE and whole is not None else whole
        if array is None or (slot not in FREE and array.shape != variable.shape):
            raise Unread(f"{read.source} is no `{slot}` of {'/'.join(variable.key)}")
        self.slots[variable.key][slot] = array

    def _has(self, slot: str, key: Key, shape: tuple[int, ...]) -> bool:
        """Muon keeps a second moment only of what Adam updates; Adafactor no means of vectors, or numbers for them."""
        if slot in FREE and len(shape) < 2:
            return self.has_placeholders
        if not isinstance(self.one, ir.Muon) or slot != "velocity":
            return True
        name = "/".join(key)
        is_embedding = self.one.exclude_embeddings and "embedding" in name.lower()
        excluded = any(pattern(p).search(name) for p in self.one.exclude_layers)
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
