"""Calls of layers that hold layers: Bidirectional, TimeDistributed, RNN with its cells."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kchainer.frontends.fields import Wrong
from kchainer.frontends.keras.translate import TRANSLATORS
from kchainer.ir import ops
from kchainer.ir.graph import Value
from kchainer.ir.op import ShapeError

if TYPE_CHECKING:
    from kchainer.frontends.keras.entries import Entry
    from kchainer.frontends.keras.graph import Translation

Values = list[Value | None]
CELLS = ("SimpleRNNCell", "LSTMCell", "GRUCell")
STATES = {"SimpleRNNCell": 1, "LSTMCell": 2, "GRUCell": 1}
MERGES = {"sum": "add", "ave": "average", "mul": "multiply"}
LAYER = ("return_sequences", "return_state", "stateful")


def call(t: Translation, entry: Entry, inputs: list[Value], mask: Value | None) -> Values:
    """The outputs of a wrapper's call."""
    return CALLS[entry.class_name](t, entry, inputs, mask)


def _made(values: Values) -> list[Value] | None:
    made = [v for v in values if v is not None]
    return made if len(made) == len(values) else None


# ------------------------------------------------------------------ Bidirectional


def _bidirectional(t: Translation, entry: Entry, inputs: list[Value], mask: Value | None) -> Values:
    forward, backward = entry.parts["forward"], entry.parts["backward"]
    x, *states = inputs
    half = len(states) // 2
    there = _made(t.call(forward, [x, *states[:half]], mask=mask))
    back = _made(t.call(backward, [x, *states[half:]], mask=mask))
    if there is None or back is None:
        return [None]
    y, *end = there
    y_back, *end_back = back
    sequences = bool(forward.config and getattr(forward.config, "return_sequences", False))
    if sequences:
        turned = t.builder.call(f"{entry.path}/reverse", ops.Reverse(), [y_back], pointer=entry.pointer)
        if turned is None:
            return [None]
        y_back = turned
    mode = entry.config.merge_mode if entry.config else "concat"
    if mode is None:
        for value in (y, y_back):
            t.masks.put(value, t.masks.of(y))
        return [y, y_back, *end, *end_back]
    last = len(t.builder.shape(y)) - 1  # whatever the data format
    op: Any = ops.Concatenate(axis=last) if mode == "concat" else ops.Merge(function=MERGES[mode])  # type: ignore[arg-type]
    merged = t.builder.call(entry.path, op, [y, y_back], pointer=entry.pointer)
    if sequences:
        t.masks.put(merged, mask)
    return [merged, *end, *end_back]


# ------------------------------------------------------------------ TimeDistributed

# Layers that treat each step alike by themselves: the last axis is all that they look at.
STEPWISE = ("Dense",)


def _holds(entry: Entry, class_name: str) -> bool:
    todo = [entry]
    while todo:
        one = todo.pop()
        if one.class_name == class_name:
            return True
        todo += [*one.parts.values(), *(one.scope.entries.values() if one.scope else ())]
    return False


def _time_distributed(t: Translation, entry: Entry, inputs: list[Value], mask: Value | None) -> Values:
    part, x = entry.parts["layer"], inputs[0]
    steps = t.builder.shape(x)[1] if len(t.builder.shape(x)) > 2 else None
    if part.class_name in STEPWISE:
        return t.call(part, [x], heed=False)
    # Keras 3 calls its layer once a step: a BatchNormalization in it normalises each step by itself. Without the
    # number of steps it maps, and cannot train it.
    if entry.dialect.release >= (3,) and steps is not None and _holds(part, "BatchNormalization"):
        return _step_by_step(t, entry, part, x, steps)
    folded = t.builder.call(f"{entry.path}/fold", ops.FoldSteps(), [x], pointer=entry.pointer)
    made = _made(t.call(part, [folded])) if folded is not None else None
    if made is None:
        return [None]
    return [
        t.builder.call(entry.path, ops.UnfoldSteps(), [value, x], pointer=entry.pointer) for value in made
    ]


def _step_by_step(t: Translation, entry: Entry, part: Entry, x: Value, steps: int) -> Values:
    made: list[list[Value]] = []
    for i in range(steps):
        one = t.builder.call(f"{entry.path}/step_{i}", ops.TakeStep(step=i), [x], pointer=entry.pointer)
        out = _made(t.call(part, [one])) if one is not None else None
        if out is None:
            return [None]
        made.append(out)
    return [
        t.builder.call(entry.path, ops.StackSteps(), list(column), pointer=entry.pointer)
        for column in zip(*made, strict=True)
    ]


# ------------------------------------------------------------------ RNN


def _cells(entry: Entry) -> Iterator[Entry]:
    """The cells of an RNN, bottom first; a stack may hold stacks."""
    if entry.class_name == "StackedRNNCells":
        for part in entry.parts.values():
            yield from _cells(part)
    else:
        yield entry


def _rnn(t: Translation, entry: Entry, inputs: list[Value], mask: Value | None) -> Values:
    """A stack of cells is a row of layers: a masked step changes no state of any of them."""
    c = entry.config
    cells = list(_cells(entry.parts["cell"]))
    if c is None or any(cell.config is None for cell in cells):
        return [None]
    wrong = next((cell for cell in cells if cell.class_name not in CELLS), None)
    if wrong is not None:
        t.error("KC201", f'a cell of class {wrong.class_name} in RNN "{entry.name}"', wrong.pointer)
        return [None]
    x, *given = inputs
    upside_down = len(cells) > 1 and _reversed_states(entry)
    states = _by_cell(cells, given, upside_down)
    if states is None:
        t.error(
            "KC301",
            f'RNN "{entry.name}" takes another number of states',
            entry.pointer,
            found=str(len(given)),
        )
        return [None]
    turned = len(cells) > 1 and c.go_backwards
    if turned:
        x, mask = _turned(t, entry, x), None if mask is None else _turned(t, entry, mask)
    ends: list[list[Value | None]] = []
    value: Value | None = x
    for i, cell in enumerate(cells):
        top = i == len(cells) - 1
        more = {
            **{name: getattr(c, name) for name in LAYER},
            "return_sequences": c.return_sequences or not top,
            "go_backwards": c.go_backwards and not turned,
            "masked_output": "zero" if c.zero_output_for_mask and top else "previous",
            "masked": mask is not None,
        }
        value, *end = _cell(t, entry, cell, [value, *states[i]], mask, more)
        if value is None:
            return [None]
        ends.append(end)
    if upside_down:
        ends.reverse()
    return [value, *(one for end in ends for one in end)]


def _turned(t: Translation, entry: Entry, value: Value) -> Any:
    return t.builder.call(f"{entry.path}/reverse", ops.Reverse(), [value], pointer=entry.pointer)


def _reversed_states(entry: Entry) -> bool:
    """Keras 2.0 and 2.1 had the states of the top cell first."""
    stack = entry.parts["cell"]
    stated = bool(stack.config is not None and getattr(stack.config, "reverse_state_order", False))
    return stated or (entry.dialect.flavour == "keras" and entry.dialect.release < (2, 2))


def _by_cell(cells: list[Entry], given: list[Value], upside_down: bool) -> list[list[Value]] | None:
    counts = [STATES[cell.class_name] for cell in cells]
    if not given:
        return [[] for _ in cells]
    if len(given) != sum(counts):
        return None
    out: list[list[Value]] = []
    left = list(given)
    for count in reversed(counts) if upside_down else counts:
        out.append(left[:count])
        left = left[count:]
    return out[::-1] if upside_down else out


def _cell(
    t: Translation, entry: Entry, cell: Entry, inputs: list[Any], mask: Value | None, more: dict[str, Any]
) -> Values:
    shapes = tuple(t.builder.shape(v) for v in inputs)
    try:
        op: Any = TRANSLATORS[cell.class_name].function(cell.config, shapes, cell.dialect)  # type: ignore[arg-type]
        op = dataclasses.replace(op, **more)
    except (Wrong, ShapeError) as wrong:
        t.error("KC204", f'{cell.class_name} "{cell.name}": {wrong}', cell.pointer)
        return [None]
    value = t.builder.call(
        cell.path,
        op,
        [*inputs, mask] if mask is not None else inputs,
        trainable=cell.trainable,
        settings=t.settings(cell, op, inputs),
        pointer=cell.pointer,
    )
    return [None] if value is None else list(t.outputs(value))


CALLS = {"Bidirectional": _bidirectional, "TimeDistributed": _time_distributed, "RNN": _rnn}
