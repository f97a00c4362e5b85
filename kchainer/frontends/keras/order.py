"""The order in which a functional model's calls are made."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable

from kchainer.frontends.keras.calls import Malformed, Ref, ends
from kchainer.frontends.keras.entries import Entry, Scope

Key = tuple[str, int]
Report = Callable[[str, str, str], None]


@dataclasses.dataclass(frozen=True, slots=True)
class Order:
    """A model's inputs and outputs, and its calls, each after those that it needs."""

    inputs: tuple[Ref, ...]
    outputs: tuple[Ref, ...]
    calls: tuple[tuple[Entry, int], ...]
    offsets: dict[str, int]
    last: dict[str, int]  # the same of what ``outputs`` says

    def key(self, ref: Ref) -> Key:
        """The call that a reference of a call means."""
        return ref.layer, ref.call - self.offsets.get(ref.layer, 0)

    def output(self, ref: Ref) -> Key:
        """The call that an output means."""
        return ref.layer, ref.call - self.last.get(ref.layer, 0)


def order_of(scope: Scope, report: Report) -> Order | None:
    """The order, made once however often the model is called; None if its ends cannot be read (reported)."""
    if scope.order is None:
        try:
            inputs = tuple(ref for _, ref in ends(scope.config.get("input_layers")))
            outputs = tuple(ref for _, ref in ends(scope.config.get("output_layers")))
        except Malformed as wrong:
            report("KC302", f"inputs or outputs of the model: {wrong}", f"{scope.pointer}/config")
            return None
        inside = _used(ref for e in scope.entries.values() for c in e.calls for ref in c.refs)
        last = _used(outputs)
        nested = {name: entry for name, entry in scope.entries.items() if entry.scope is not None}
        none: set[int] = set()
        offsets = {
            n: _offset(e, inside.get(n, none), last.get(n, none), last=False) for n, e in nested.items()
        }
        ends_from = {
            n: _offset(e, last.get(n, none), inside.get(n, none), last=True) for n, e in nested.items()
        }
        made = [(ref.layer, ref.call - ends_from.get(ref.layer, 0)) for ref in outputs]
        calls = _sorted(scope, _needs(scope, offsets, report), made, report)
        scope.order = Order(inputs, outputs, calls, offsets, ends_from)
    return scope.order


def _used(refs: Iterable[Ref]) -> dict[str, set[int]]:
    """The numbers of the calls that are referred to, by layer."""
    used: dict[str, set[int]] = {}
    for ref in refs:
        used.setdefault(ref.layer, set()).add(ref.call)
    return used


def _offset(entry: Entry, here: set[int], there: set[int], *, last: bool) -> int:
    """1 where calls of a nested model are counted from 1: node 0 is its own.

    Keras 3 counts so in ``output_layers`` (``last``) and not for Sequential; older releases alike ``here`` in
    one of both places and ``there`` in the other. Each call of a saved model is used somewhere.
    """
    if entry.dialect.release < (3,):
        return 1 if here and 0 not in here | there else 0
    if last and entry.class_name != "Sequential":
        return 1 if here and 0 not in here else 0
    return 1 if here and 0 not in here and max(here) >= len(entry.calls) else 0


def _needs(scope: Scope, offsets: dict[str, int], report: Report) -> dict[Key, list[Key]]:
    """Calls and the calls they need; reports references to nothing."""
    counts = {n: 1 if e.class_name == "InputLayer" else len(e.calls) for n, e in scope.entries.items()}
    needs: dict[Key, list[Key]] = {}
    for name, entry in scope.entries.items():
        for i, call in enumerate(entry.calls):
            needs[name, i] = []
            for ref in call.refs:
                index = ref.call - offsets.get(ref.layer, 0)
                if 0 <= index < counts.get(ref.layer, 0):
                    needs[name, i].append((ref.layer, index))
                    continue
                what = f'"{name}" takes call {ref.call} of "{ref.layer}", which there is not'
                report("KC302", what, f"{entry.pointer}/inbound_nodes/{i}")
                entry.broken = True
    return needs


def _sorted(
    scope: Scope, needs: dict[Key, list[Key]], ends: list[Key], report: Report
) -> tuple[tuple[Entry, int], ...]:
    """All calls, each after what it needs (Kahn)."""
    waiting = {key: sum(k in needs for k in keys) for key, keys in needs.items()}
    users: dict[Key, list[Key]] = {}
    for key, keys in needs.items():
        for k in keys:
            users.setdefault(k, []).append(key)
    ready = [key for key, n in waiting.items() if n == 0]
    for key in ready:  # grows while it is walked
        for user in users.get(key, ()):
            waiting[user] -= 1
            if waiting[user] == 0:
                ready.append(user)
    if len(ready) < len(needs):
        left = [key[0] for key, n in waiting.items() if n > 0]
        report("KC303", f"layers that wait for each other: {', '.join(left[:5])}", scope.pointer)
        return tuple((scope.entries[name], index) for name, index in ready)
    return tuple((scope.entries[name], index) for name, index in _as_keras_runs(ready, needs, ends))


def _as_keras_runs(ready: list[Key], needs: dict[Key, list[Key]], ends: Iterable[Key]) -> list[Key]:
    """Calls in the order in which Keras makes them: farthest from the outputs first.

    It shows where a layer that keeps states or running statistics is called more than once. A layer's later calls
    stand no nearer to the outputs than its earlier ones, as they are met from the outputs on.
    """
    depths: dict[Key, int] = {}
    of_layer: dict[str, int] = {}
    for key in reversed(_inputs_first(ends, needs)):
        depth = max(depths.setdefault(key, 0), of_layer.get(key[0], 0))
        depths[key] = of_layer[key[0]] = depth
        for need in needs[key]:
            depths[need] = max(depth + 1, depths.get(need, 0))
    order = sorted((key for key in depths if key in needs), key=lambda key: -depths[key])
    return order + [key for key in ready if key not in depths]


def _inputs_first(ends: Iterable[Key], needs: dict[Key, list[Key]]) -> list[Key]:
    """The calls that ``ends`` need, depth first."""
    out: dict[Key, None] = {}
    todo = [(key, False) for key in reversed(list(ends))]
    begun: set[Key] = set()
    while todo:
        key, done = todo.pop()
        if done:
            out[key] = None
        elif key in needs and key not in begun:
            begun.add(key)
            todo.append((key, True))
            todo += [(need, False) for need in reversed(needs[key])]
    return list(out)
