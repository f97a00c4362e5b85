"""Keras model configs to one flat network: nested models are called in place, their layers shared."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kchainer.diagnostics import Diagnostics
from kchainer.files import Limits
from kchainer.frontends.keras import calling, custom
from kchainer.frontends.keras import layers as _layers  # noqa: F401  fills TRANSLATORS
from kchainer.frontends.keras import masks as masking
from kchainer.frontends.keras.calls import Ref, ends, flat, nest
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.entries import MODELS, Entries, Entry, Owner, Scope, is_operation
from kchainer.frontends.keras.lora import How
from kchainer.frontends.keras.order import Key, Order, order_of
from kchainer.frontends.keras.policies import computed
from kchainer.frontends.keras.translate import TRANSLATORS, Translator
from kchainer.ir.build import Builder
from kchainer.ir.graph import Network, Value
from kchainer.ir.op import Op, Shape
from kchainer.ir.ops import Input

Json = dict[str, Any]
Values = list[Value | None]  # None: what could not be made, which is reported


def translated(
    make: Callable[[], Translation], raw: Json, diagnostics: Diagnostics
) -> tuple[Translation, Network | None]:
    """A whole model's config; once more where a shared recurrent layer turns out to be called with a mask as well.

    The layer then takes a mask in each call, one of ones where Keras gives none.
    """
    mark = diagnostics.mark()
    translation = make()
    network = translation.network(raw)
    if not translation.late:
        return translation, network
    diagnostics.rewind(mark)
    again = make()
    again.masked = dict.fromkeys(translation.late, True)
    return again, again.network(raw)


class Translation:
    """One file's way from config to network."""

    def __init__(
        self,
        dialect: Dialect,
        diagnostics: Diagnostics,
        limits: Limits,
        translators: Mapping[str, Translator] = TRANSLATORS,
        slopes: Mapping[str, tuple[int, ...]] | None = None,
        kept: Callable[[Owner, list[Owner]], Any] | None = None,
        replacements: Mapping[str, custom.Replacement] | None = None,
        lora: How = "merge",
    ) -> None:
        self.dialect, self.diagnostics, self.limits = dialect, diagnostics, limits
        self.translators, self.kept = translators, kept
        self.entries = Entries(
            dialect, diagnostics, limits, translators, slopes or {}, replacements or {}, lora
        )
        self.error = self.entries.error
        self.builder = Builder("", diagnostics, most_nodes=limits.nodes)
        self.masks = masking.Masks(self.builder.call, self.builder.shape)
        self.masked: dict[str, bool] = {}  # recurrent layers: whether their first call had a mask
        self.late: set[str] = set()  # those that got one in a later call only
        self.inputs: list[Value] = []
        self.owners: list[Owner] = []

    # ------------------------------------------------------------ the whole

    def network(self, raw: Json, pointer: str = "") -> Network | None:
        """The network of a whole model's config; None when something is wrong (which is reported)."""
        class_name = raw.get("class_name")
        if class_name not in MODELS:
            self.error(
                "KC201",
                f"a model of class `{class_name}`",
                pointer,
                hint="Sequential and functional models are read",
            )
            return None
        scope, children = self.entries.scope(raw, "", pointer, 0)
        if scope is None:
            return None
        self.owners = children
        outputs = self.call_scope(scope, "", None)
        if self.diagnostics.has_errors or outputs is None or any(v is None for v in outputs):
            if not self.diagnostics.has_errors:
                self.error("KC305", "the model's outputs could not be made", pointer)
            return None
        if not self.entries.policies:  # operations only: the inputs tell
            told = {op.dtype for op in self._input_ops() if op.dtype.startswith("float")}
            self.entries.policies = {dtype: [pointer] for dtype in told}
        config = scope.config
        self.builder.name = str(config.get("name") or raw.get("name") or "model")
        names = [n for n, _ in ends(config["output_layers"])] if scope.kind != "Sequential" else []
        made = [v for v in outputs if v]
        network = self.builder.finish(self.inputs, made, names, [self.masks.of(v) for v in made])
        # the dictionary of a Graph of Keras 0.3 names its outputs, whose order its files know
        if scope.kind == "Sequential" or "input_layers" not in config or self.dialect.release < (1,):
            return network
        return dataclasses.replace(
            network, input_nest=nest(config["input_layers"]), output_nest=nest(config["output_layers"])
        )

    def _input_ops(self) -> Iterator[Input]:
        for node, _ in self.inputs:
            op = self.builder.layers[self.builder.nodes[node].layer].op
            if isinstance(op, Input):
                yield op

    # ------------------------------------------------------------ reading

    def dtype(self) -> str:
        """What the network computes in; a difference from what the layers ask for is reported."""
        dtype, exact = computed(set(self.entries.policies))
        if not exact:
            asked = sorted(self.entries.policies.items())
            self.diagnostics.approximation(
                f"layers ask for {', '.join(name for name, _ in asked)}, and all would be computed in {dtype}: outputs "
                "differ by the rounding that 16 bits have",
                pointer=next(places[0] for name, places in asked if name != dtype),
                found=", ".join(f"{name} in {len(places)} layers" for name, places in asked),
            )
        return dtype

    # ------------------------------------------------------------ calling

    def call_scope(self, scope: Scope, path: str, inputs: list[Value] | None) -> Values | None:
        """Call a model: on these inputs, or on its own ones."""
        if scope.kind == "Sequential":
            return self._call_sequential(scope, path, inputs)
        return self._call_functional(scope, path, inputs)

    def _call_sequential(self, scope: Scope, path: str, inputs: list[Value] | None) -> Values | None:
        values: Values | None = list(inputs) if inputs is not None else None
        for i, entry in enumerate(scope.entries.values()):
            if values is None and entry.class_name == "Merge":
                values = self._merge_branches(entry)
            elif entry.class_name == "InputLayer":
                if values is None:
                    values = [self._input(entry)]
                continue
            elif values is None:
                first = self._first_input(scope, entry, i)
                values = first if first is None or entry.scope is None else None
                if first is None and entry.scope is None:
                    return None
            values = calling.call(self, entry, values, {})
        return values

    def _merge_branches(self, entry: Entry) -> Values:
        """The outputs of the branches that a Keras 1 Merge at the start of a Sequential holds."""
        out: Values = []
        config = entry.raw.get("config")
        branches = config.get("layers") if isinstance(config, dict) else None
        if not isinstance(branches, list):
            self.error(
                "KC105", f'Merge "{entry.name}" without layers', f"{entry.pointer}/config", expected="layers"
            )
            return [None]
        entry.owner.merged = True
        for i, raw in enumerate(branches):
            branch = self.entries.entry(raw, entry.path, f"{entry.pointer}/config/layers/{i}", 1)
            if branch is None:
                return [None]
            entry.owner.children.append(branch.owner)
            out += calling.call(self, branch, None, {}) or [None]
        return out

    def _first_input(self, scope: Scope, entry: Entry, index: int) -> Values | None:
        """The input that a Sequential without an InputLayer states in its first layer."""
        config = entry.raw.get("config")
        if entry.scope is not None:
            return [None]
        config = config if isinstance(config, dict) else {}
        shape = config.get("batch_input_shape")
        # an Embedding of Keras 0.3 states the size of its vocabulary there
        misleads = entry.class_name == "Embedding" and entry.dialect.release < (1,)
        if shape is None and isinstance(config.get("input_shape"), list) and not misleads:
            shape = [None, *config["input_shape"]]
        if shape is None and config.get("input_dim") is not None and entry.class_name not in ("Embedding",):
            length = [config["input_length"]] if "input_length" in config else []
            shape = [None, *length, config["input_dim"]]
        if shape is None:
            shape = scope.config.get("build_input_shape") or config.get("batch_shape")
        if shape is None and entry.class_name == "Embedding":
            shape = [None, config.get("input_length")]
        checked = self._shape(shape, f"{entry.pointer}/config")
        if checked is None:
            return None
        dtype = "int32" if entry.class_name == "Embedding" else "float32"
        name = self.builder.unique(self.entries.path("", f"{entry.name}_input"))
        value = self.builder.input(name, checked, dtype, entry.pointer)
        self.inputs.append(value)
        return [value]

    def _input(self, entry: Entry) -> Value | None:
        config = entry.raw.get("config")
        if not isinstance(config, dict):
            self.error("KC104", "an InputLayer has a config", entry.pointer)
            return None
        shape = config.get("batch_shape", config.get("batch_input_shape"))
        checked = self._shape(shape, f"{entry.pointer}/config")
        if checked is None:
            return None
        dtype = config.get("dtype") or config.get("input_dtype") or "float32"
        value = self.builder.input(
            entry.path, checked, dtype if isinstance(dtype, str) else "float32", entry.pointer
        )
        self.builder.taps[entry.path] = value
        self.inputs.append(value)
        return value

    def _shape(self, shape: Any, pointer: str) -> Shape | None:
        if not isinstance(shape, (list, tuple)):
            self.error(
                "KC305",
                "the input's shape is not stated",
                pointer,
                hint="give batch_input_shape or an InputLayer",
            )
            return None
        if len(shape) > self.limits.rank:
            self.error(
                "KC901", f"a shape of rank {len(shape)}", pointer, expected=f"rank up to {self.limits.rank}"
            )
            return None
        for d in shape:
            if d is not None and (
                isinstance(d, bool) or not isinstance(d, int) or not 0 < d <= self.limits.dim
            ):
                self.error(
                    "KC104",
                    "a size of the input's shape is no positive integer or null",
                    pointer,
                    found=str(d),
                )
                return None
        return (None, *shape[1:])

    def _call_functional(self, scope: Scope, path: str, inputs: list[Value] | None) -> Values | None:
        order = order_of(scope, self.error)
        if order is None:
            return None
        values: dict[Key, Values] = {}
        if inputs is not None and len(inputs) != len(order.inputs):
            what = f"a model with {len(order.inputs)} inputs is called on {len(inputs)}"
            self.error("KC301", what, scope.pointer)
            return None
        for i, ref in enumerate(order.inputs):
            entry = scope.entries.get(ref.layer)
            if entry is None or entry.class_name != "InputLayer":
                what = f'input "{ref.layer}" is no InputLayer of the model'
                self.error("KC302", what, f"{scope.pointer}/config/input_layers")
                return None
            values[ref.layer, 0] = [inputs[i] if inputs is not None else self._input(entry)]
        for entry, index in order.calls:
            if entry.class_name != "InputLayer":
                self._call_node(order, entry, index, values)
        return self._outputs(scope, order, values)

    def _outputs(self, scope: Scope, order: Order, values: dict[Key, Values]) -> Values | None:
        out: Values = []
        for ref in order.outputs:
            found = values.get(order.output(ref))
            if found is None or ref.tensor >= len(found):
                if not self.diagnostics.has_errors:
                    what = f'output "{ref.layer}" is made by no call'
                    self.error("KC302", what, f"{scope.pointer}/config/output_layers")
                return None
            out.append(found[ref.tensor])
        return out

    def _call_node(self, order: Order, entry: Entry, index: int, values: dict[Key, Values]) -> None:
        call = entry.calls[index]
        lost = False

        def resolve(item: Any) -> Any:
            nonlocal lost
            if isinstance(item, list):
                return [resolve(one) for one in item]
            if not isinstance(item, Ref):
                return item
            made = values.get(order.key(item))
            if made is None or item.tensor >= len(made):
                if made is not None and None not in made:
                    self.error("KC302", f'"{item.layer}" has no output {item.tensor}', entry.pointer)
                lost = True
                return None
            lost = lost or made[item.tensor] is None
            return made[item.tensor]

        args = [resolve(a) for a in call.args]
        kwargs = {k: resolve(v) for k, v in call.kwargs.items()}
        tensors = {k for k, v in call.kwargs.items() if any(isinstance(one, Ref) for one in flat([v]))}
        if not is_operation(entry):
            args = calling.values_in(args)
        values[entry.name, index] = [None] if lost else calling.call(self, entry, args, kwargs, tensors)

    def call(
        self, entry: Entry, args: list[Value], *, mask: Value | None = None, heed: bool = True
    ) -> Values:
        """Call a layer inside of a layer; without ``heed`` the masks of its inputs do not count."""
        if entry.scope is not None:
            return self.call_scope(entry.scope, entry.path, args) or [None]
        return calling.call_layer(self, entry, args, mask, heed)

    def outputs(self, value: Value) -> tuple[Value, ...]:
        """All outputs of the node that made ``value``."""
        return tuple((value[0], k) for k in range(len(self.builder.nodes[value[0]].shapes)))

    def settings(self, entry: Entry, op: Op, inputs: list[Value]) -> dict[str, dict[str, Any]]:
        """What a config says of each of an operation's params: initializers, regularizers, constraints."""
        return calling.settings(self, entry, op, inputs)
