"""Networks that run a plan: plain Chainer with ``predict`` and taps by name."""

from __future__ import annotations

import contextlib
import copy
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import chainer
import chainer.functions  # noqa: ICN001  plans name it in full
import chainer.links  # noqa: ICN001  plans name it in full
import numpy as np

import kchainer.functions
import kchainer.links
from kchainer.emit.plan import Call, Plan
from kchainer.ir.graph import Model
from kchainer.ir.nest import pack, unpack
from kchainer.ir.op import Param

MODULES = {
    "chainer.functions": chainer.functions,
    "chainer.links": chainer.links,
    "kchainer.functions": kchainer.functions,
    "kchainer.links": kchainer.links,
}


def target(name: str) -> Any:
    """What a plan's target names: of four modules, or of the one that holds an emission of the user's own.

    Files name no targets, emissions do. Nothing is imported here.
    """
    module, _, attribute = name.rpartition(".")
    return getattr(MODULES.get(module) or sys.modules[module], attribute)


class Function:
    """A call of a plan as a callable that can be pickled and copied."""

    def __init__(self, call: Call) -> None:
        self.call = call

    def __call__(self, *xs: Any) -> Any:
        """The function of the plan, with its arguments."""
        function = target(self.call.target)
        return function(xs, **self.call.args) if self.call.packed else function(*xs, **self.call.args)

    def __repr__(self) -> str:
        args = ", ".join(f"{k}={v!r}" for k, v in self.call.args.items())
        return f"{self.call.target}({args})"


@contextlib.contextmanager
def inference() -> Iterator[None]:
    """No training, no graph."""
    with chainer.using_config("train", False), chainer.no_backprop_mode():
        yield


def _cast(x: Any, dtype: str, compute: str) -> Any:
    """An input in the dtype the network computes in; whole numbers stay so where the file wants them."""
    if dtype == "string":  # NumPy's, which lookups take
        return kchainer.functions.as_strings(x)
    whole = "int64" if dtype in ("int64", "uint32", "uint64") else "int32"
    wanted = np.dtype(whole if dtype.startswith(("int", "uint", "bool")) else compute)
    if isinstance(x, chainer.Variable):
        return x if x.dtype == wanted else chainer.functions.cast(x, wanted)
    return x if x.dtype == wanted else x.astype(wanted)


def _batches(n: int, size: int | None) -> Iterator[slice]:
    step = size or max(n, 1)
    return (slice(i, i + step) for i in range(0, max(n, 1), step))


class _Predicting:
    """What both kinds of network add to Chainer's."""

    plan: Plan
    dtype: str
    params_of: Mapping[str, tuple[Param, ...]]
    model: Model  # without its arrays

    def predict(self, *xs: Any, batch_size: int | None = 32) -> Any:
        """Outputs for whole arrays: no training, no graph.

        Args:
            xs: one array for each input, in Keras's shapes; numpy or cupy.
            batch_size: samples that go through at once; None: all.

        Returns:
            An array, a list of them where the network has several outputs, or the dictionary in which they stand.
        """
        parts: list[list[Any]] = []
        xs = tuple(self._flat(xs))
        with inference():
            for part in _batches(len(xs[0]), batch_size):
                out = self(*(x[part] for x in xs))  # type: ignore[operator]
                parts.append([getattr(v, "array", v) for v in self.ends(out)])
        xp = chainer.backend.get_array_module(parts[0][0])
        whole = [
            xp.concatenate(column) if len(column) > 1 else column[0] for column in zip(*parts, strict=True)
        ]
        if self.plan.output_nest is not None:
            return pack(self.plan.output_nest, whole)
        return whole[0] if len(whole) == 1 else whole

    def ends(self, out: Any) -> Sequence[Any]:
        """The outputs in the plan's order, of what a call or ``predict`` gave."""
        if self.plan.output_nest is None:
            return out if isinstance(out, (list, tuple)) else (out,)
        found = unpack(self.plan.output_nest, out)
        return [found[i] for i in range(len(found))]

    def _names(self) -> list[str]:
        names = {value: name for name, (value, _) in reversed(list(self.plan.taps.items()))}
        return [names[value] for value in self.plan.inputs]

    def _by_name(self, xs: Mapping[str, Any]) -> list[Any]:
        """Inputs in the plan's order."""
        wanted = self._names()
        if set(xs) != set(wanted):
            raise TypeError(
                f"{self.plan.name} takes {', '.join(wanted)}; given are {', '.join(map(str, xs))}"
            )
        return [xs[name] for name in wanted]

    def _flat(self, xs: Sequence[Any]) -> Sequence[Any]:
        """Inputs in the plan's order, of dictionaries and lists as Keras takes them."""
        nest = self.plan.input_nest
        if len(xs) != 1 or not isinstance(xs[0], (list, tuple, dict)):
            return xs
        (given,) = xs
        if nest is not None and not self._plain(given):
            found = unpack(nest, given)
            return [found[i] for i in range(len(found))]
        return self._by_name(given) if isinstance(given, dict) else given

    def _plain(self, given: Any) -> bool:
        """A list of arrays in the plan's order, or arrays by the names of the input layers."""
        values = given.values() if isinstance(given, dict) else given
        if len(given) != len(self.plan.inputs) or any(isinstance(v, (dict, list, tuple)) for v in values):
            return False
        return not isinstance(given, dict) or set(given) == set(self._names())

    def _given(self, xs: Sequence[Any]) -> list[Any]:
        xs = self._flat(xs)
        if len(xs) != len(self.plan.inputs):
            raise TypeError(f"{self.plan.name} takes {len(self.plan.inputs)} inputs, {len(xs)} given")
        return [_cast(x, d, self.dtype) for x, d in zip(xs, self.plan.input_dtypes, strict=True)]


class Network(_Predicting, chainer.Chain):
    """A graph of links. Call it with one array for each input, in Keras's shapes.

    ``outputs`` names layers whose values are wanted in place of the network's own outputs.
    """

    def __init__(self, plan: Plan, links: Mapping[str, chainer.Link], dtype: str) -> None:
        super().__init__()
        self.plan, self.dtype = plan, dtype
        self._last = _last_uses(plan)
        self._beside = {train: plan.beside(train=train) for train in (False, True)}
        with self.init_scope():
            for name, link in links.items():
                setattr(self, name, link)

    def named_plan_links(self) -> Iterator[tuple[str, chainer.Link]]:
        """Each link with its name in the plan."""
        return ((name, getattr(self, name)) for name in self.plan.links)

    def forward(self, *xs: Any, outputs: Sequence[str] | None = None) -> Any:
        """The outputs, a tuple where there are several; in dictionaries and lists where the source has such."""
        values: dict[int, Any] = dict(zip(self.plan.inputs, self._given(xs), strict=True))
        taps = _taps(self.plan, outputs or ())
        keep = {v for v, _ in taps} if outputs else set(self.plan.outputs)
        for _ in self._steps(
            values, keep, frozenset() if outputs else self._beside[bool(chainer.config.train)]
        ):
            pass
        if outputs:
            return tuple(_logical(values[v], order) for v, order in taps)
        ends = [chainer.as_variable(values[v]) for v in self.plan.outputs]
        if self.plan.output_nest is not None:
            return pack(self.plan.output_nest, ends)
        return ends[0] if len(ends) == 1 else tuple(ends)

    def values(self, *xs: Any, keep: Collection[int]) -> dict[int, Any]:
        """The values of the plan whose numbers ``keep`` holds, in their physical order."""
        values: dict[int, Any] = dict(zip(self.plan.inputs, self._given(xs), strict=True))
        for _ in self._steps(values, keep):
            pass
        return values

    def layers(self, *xs: Any) -> Iterator[tuple[str, Any]]:
        """The name and the output of each layer in Keras's shape, in the order of their making."""
        values: dict[int, Any] = dict(zip(self.plan.inputs, self._given(xs), strict=True))
        names: dict[int, list[str]] = {}
        for name, (value, _) in self.plan.taps.items():
            names.setdefault(value, []).append(name)
        for made in self._steps(values, frozenset()):
            for name in names.get(made, ()):
                yield name, _logical(values[made], self.plan.taps[name][1])

    def _steps(
        self, values: dict[int, Any], keep: Collection[int], without: Collection[int] = ()
    ) -> Iterator[int]:
        """Carry the plan out; yields each value's number when it is there, drops it after its last use."""
        for i, (step, spent) in enumerate(zip(self.plan.steps, self._last, strict=True)):
            if i in without:
                continue
            function = getattr(self, step.link) if step.link is not None else Function(step.call)  # type: ignore[arg-type]
            made = function(*(values[i] for i in step.inputs))
            several = (step.output, *step.more)
            values.update(zip(several, made if step.more else (made,), strict=True))
            yield from several
            for i in spent:
                if i not in keep:
                    del values[i]


def _taps(plan: Plan, names: Sequence[str]) -> list[tuple[int, tuple[int, ...]]]:
    unknown = [name for name in names if name not in plan.taps]
    if unknown:
        raise KeyError(f"no layer {unknown[0]!r} in {plan.name!r}; layers are {', '.join(plan.taps)}")
    return [plan.taps[name] for name in names]


def _logical(value: Any, order: tuple[int, ...]) -> Any:
    if order == tuple(range(len(order))):
        return chainer.as_variable(value)
    return chainer.functions.transpose(value, tuple(order.index(i) for i in range(len(order))))


def _last_uses(plan: Plan) -> tuple[tuple[int, ...], ...]:
    """For each step, the values that nothing needs after it."""
    last: dict[int, int] = {}
    for i, step in enumerate(plan.steps):
        for value in step.inputs:
            last[value] = i
    return tuple(tuple({v for v in step.inputs if last[v] == i}) for i, step in enumerate(plan.steps))


class Sequential(_Predicting, chainer.Sequential):
    """A network of links and functions in a row; children are named as ``chainer.Sequential`` names them."""

    def __init__(self, plan: Plan, links: Mapping[str, chainer.Link], dtype: str) -> None:
        super().__init__()
        self.plan, self.dtype = plan, dtype
        self._place(
            links[step.link] if step.link is not None else Function(step.call)  # type: ignore[arg-type]
            for step in plan.steps
        )

    def _place(self, layers: Iterable[Any]) -> None:
        """What ``append`` of each layer does, in linear time: stock ``append`` looks at all layers each time."""
        self._layers = list(layers)
        self._children = _as_appended(self._layers)
        for i, link in enumerate(self._children):
            link.name = str(i)

    def copy(self, mode: str = "share") -> Sequential:
        """A network with the same layers, as ``chainer.Sequential.copy`` but of this class."""
        made = Sequential.__new__(Sequential)
        chainer.Sequential.__init__(made)
        made.plan, made.dtype, made.params_of, made.model = self.plan, self.dtype, self.params_of, self.model
        made._place(x.copy(mode) if isinstance(x, chainer.Link) else copy.copy(x) for x in self)
        return made

    def named_plan_links(self) -> Iterator[tuple[str, chainer.Link]]:
        """Each link with its name in the plan. Raises TypeError where layers were added or removed."""
        names = [step.link for step in self.plan.steps]
        if [name is not None for name in names] != [isinstance(x, chainer.Link) for x in self]:
            raise TypeError("the layers were changed after the network was made")
        return ((name, link) for name, link in zip(names, self, strict=True) if name is not None)

    def values(self, *xs: Any, keep: Collection[int]) -> dict[int, Any]:
        """The values of the plan whose numbers ``keep`` holds, in their physical order."""
        (value,) = self._given(xs)
        values = {self.plan.inputs[0]: value}
        for step, layer in zip(self.plan.steps, self, strict=True):
            value = layer(value)
            if step.output in keep:
                values[step.output] = value
        return values

    def forward(self, *xs: Any, outputs: Sequence[str] | None = None) -> Any:
        """The output, or those of the layers that ``outputs`` names."""
        if not outputs:
            return super().forward(*self._given(xs))
        taps = _taps(self.plan, outputs)
        values = self.values(*xs, keep={v for v, _ in taps})
        return tuple(_logical(values[v], order) for v, order in taps)


def _as_appended(layers: Sequence[Any]) -> list[chainer.Link]:
    """The links in the order in which ``chainer.Sequential.append`` leaves them as children.

    It puts each new link behind the place of the first one, so that the others come in reverse.
    """
    places = [i for i, layer in enumerate(layers) if isinstance(layer, chainer.Link)]
    ordered = places[0] + 1 if places else 0
    return [layers[i] for i in places[:ordered] + places[ordered:][::-1]]
