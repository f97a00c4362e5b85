"""Keras model configs to one flat network: nested models are called in place, their layers shared."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kchainer.diagnostics import Diagnostics, suggestion
from kchainer.files import Limits
from kchainer.frontends.fields import Config, Wrong, read, shown
from kchainer.frontends.keras import attending, wrapped
from kchainer.frontends.keras import layers as _layers  # noqa: F401  fills TRANSLATORS
from kchainer.frontends.keras import masks as masking
from kchainer.frontends.keras.calls import Call, Malformed, Ref, calls, ends, flat
from kchainer.frontends.keras.dialect import Dialect, of_dictionary
from kchainer.frontends.keras.layers.making import HANDLERS
from kchainer.frontends.keras.layers.operations import Refused, Reported, operation
from kchainer.frontends.keras.layers.steps import parts
from kchainer.frontends.keras.policies import computed, policies_of
from kchainer.frontends.keras.settings import activity_of, settings_of
from kchainer.frontends.keras.translate import BASE_KEYS, TRANSLATORS, Translator
from kchainer.frontends.keras.unsupported import UNSUPPORTED
from kchainer.ir.build import Builder
from kchainer.ir.definition import Setting
from kchainer.ir.graph import Network, Value
from kchainer.ir.op import Op, Shape, ShapeError, show
from kchainer.ir.ops import Input

Json = dict[str, Any]
MODELS = ("Sequential", "Functional", "Model")
# Classes whose name in weight files is another
GROUPS = {"GroupQueryAttention": "GroupedQueryAttention"}
CODE = ("Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer")
# What Keras 3 writes for masks; in its .h5 files without a module
MASK_CLASSES = ("NotEqual", "Any", "LogicalOr", "LogicalAnd")
OPERATION_CLASSES = (
    *MASK_CLASSES,
    "TFOpLambda",
    "SlicingOpLambda",
    "TensorFlowOpLayer",
    "ClassMethod",
    "InstanceMethod",
)


@dataclasses.dataclass(slots=True)
class Owner:
    """A Keras layer as weight files see it: with a class, a name, and sub-layers in the model's order."""

    name: str
    class_name: str
    layer: str | None = None
    children: list[Owner] = dataclasses.field(default_factory=list)
    named: bool = True  # Keras 1 wrote no names of nested Sequentials
    params: tuple[str, ...] | None = None  # those of the layer's params that stand here; None: all
    at: str | None = None  # the place of a layer inside of a layer, below it: "cell", "forward_layer"
    merged: bool = False  # a Keras 1 Merge at the start of a Sequential: its branches' layers stand flat


@dataclasses.dataclass(slots=True)
class Entry:
    """One layer of a model's config, read but not yet called. ``scope`` is set for a nested model."""

    name: str
    path: str
    class_name: str
    raw: Json
    pointer: str
    dialect: Dialect
    owner: Owner
    config: Config | None = None
    trainable: bool = True
    activity: Setting | None = None
    scope: Scope | None = None
    calls: list[Call] = dataclasses.field(default_factory=list)
    parts: dict[str, Entry] = dataclasses.field(default_factory=dict)  # the layers of a wrapper
    broken: bool = False


@dataclasses.dataclass(slots=True)
class Scope:
    """A model: its entries by name, in the file's order."""

    kind: str
    entries: dict[str, Entry]
    config: Json
    pointer: str


def _values(args: list[Any]) -> list[Any]:
    """The values in nested lists, one behind the other, as layers take them; a value is a tuple."""
    out: list[Any] = []
    for one in args:
        out += _values(one) if isinstance(one, list) else [one]
    return out


class Translation:
    """One file's way from config to network."""

    def __init__(
        self,
        dialect: Dialect,
        diagnostics: Diagnostics,
        limits: Limits,
        translators: Mapping[str, Translator] = TRANSLATORS,
        slopes: Mapping[str, tuple[int, ...]] | None = None,
    ) -> None:
        self.dialect, self.diagnostics, self.limits = dialect, diagnostics, limits
        self.translators, self.slopes = translators, slopes or {}
        self.builder = Builder("", diagnostics, most_nodes=limits.nodes)
        self.masks = masking.Masks(self.builder.call, self.builder.shape)
        self.inputs: list[Value] = []
        self.owners: list[Owner] = []
        self.policies: dict[str, list[str]] = {}
        self.count = 0
        self.paths: dict[str, int] = {}

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
        scope, children = self._scope(raw, "", pointer, 0)
        if scope is None:
            return None
        self.owners = children
        outputs = self._call_scope(scope, "", None)
        if self.diagnostics.has_errors or outputs is None or any(v is None for v in outputs):
            if not self.diagnostics.has_errors:
                self.error("KC305", "the model's outputs could not be made", pointer)
            return None
        if not self.policies:  # operations only: the inputs tell
            told = {op.dtype for op in self._input_ops() if op.dtype.startswith("float")}
            self.policies = {dtype: [pointer] for dtype in told}
        config = scope.config
        self.builder.name = str(config.get("name") or raw.get("name") or "model")
        names = [n for n, _ in ends(config["output_layers"])] if scope.kind != "Sequential" else []
        return self.builder.finish(self.inputs, [v for v in outputs if v], names)

    def _input_ops(self) -> Iterator[Input]:
        for node, _ in self.inputs:
            op = self.builder.layers[self.builder.nodes[node].layer].op
            if isinstance(op, Input):
                yield op

    # ------------------------------------------------------------ reading

    def _scope(self, raw: Json, path: str, pointer: str, depth: int) -> tuple[Scope | None, list[Owner]]:
        if depth > self.limits.nesting:
            self.error("KC901", f"models nested more than {self.limits.nesting} deep", pointer)
            return None, []
        config = raw.get("config")
        if isinstance(config, list):
            config = {"layers": config, "name": raw.get("name")}
            at = f"{pointer}/config"
        else:
            at = f"{pointer}/config/layers"
        if not isinstance(config, dict) or not isinstance(config.get("layers"), list):
            self.error("KC105", "a model without a list of layers", f"{pointer}/config", expected="layers")
            return None, []
        kind = "Sequential" if raw["class_name"] == "Sequential" else "Functional"
        entries: dict[str, Entry] = {}
        owners: list[Owner] = []
        for i, one in enumerate(config["layers"]):
            entry = self._entry(one, path, f"{at}/{i}", depth)
            if entry is None:
                continue
            if entry.name in entries and kind == "Functional":
                self.error("KC304", f'two layers are named "{entry.name}"', entry.pointer)
                continue
            if entry.name in entries:
                entry.name = f"{entry.name}#{i}"
            entries[entry.name] = entry
            if not (kind == "Sequential" and entry.class_name == "InputLayer") and not self._is_operation(
                entry
            ):
                owners.append(entry.owner)
        return Scope(kind, entries, config, pointer), owners

    def _entry(self, raw: Any, path: str, pointer: str, depth: int) -> Entry | None:
        self.count += 1
        if self.count > self.limits.layers:
            if self.count == self.limits.layers + 1:
                self.error(
                    "KC901",
                    f"more than {self.limits.layers} layers",
                    pointer,
                    hint="raise it with --limit layers=...",
                )
            return None
        if not isinstance(raw, dict) or not isinstance(raw.get("class_name"), str):
            self.error(
                "KC104",
                "a layer without `class_name`",
                pointer,
                expected="an object with class_name and config",
            )
            return None
        class_name = raw["class_name"].removeprefix("Custom>").removeprefix("keras.layers.")
        config = raw.get("config")
        named = config if isinstance(config, dict) else {}
        name = raw.get("name") or named.get("name") or f"{class_name.lower()}_{self.count}"
        if not isinstance(name, str) or len(name) > self.limits.name_chars or "\0" in name:
            self.error("KC104", "the layer's name is no string of a usable length", f"{pointer}/config/name")
            return None
        full = self._path(path, name)
        owner = Owner(name, class_name, full, named=bool(raw.get("name") or named.get("name")))
        entry = Entry(name, full, class_name, raw, pointer, of_dictionary(named, self.dialect), owner)
        # Keras hands the word of this wrapper to no layer inside
        entry.trainable = named.get("trainable", True) is not False or class_name == "SpectralNormalization"
        self._read_calls(entry)
        if class_name in MODELS and isinstance(config, (dict, list)):
            owner.layer = None
            entry.scope, owner.children = self._scope(raw, full, pointer, depth + 1)
            entry.broken = entry.scope is None
        else:
            self._read_config(entry, config)
            self._read_parts(entry, config, depth)
        return entry

    def _read_parts(self, entry: Entry, config: Any, depth: int) -> None:
        """The layers inside of a layer, and where weight files have them."""
        if entry.class_name in masking.RECURRENT and entry.class_name != "RNN":
            entry.owner.children = [Owner("cell", "", entry.owner.layer, at="cell")]
            entry.owner.layer = None
        if entry.class_name in attending.HEADED:
            layer = entry.owner.layer
            entry.owner.children = [
                Owner(at, "EinsumDense", layer, at=at, params=names)
                for at, names in attending.places(entry.class_name, config)
            ]
            entry.owner.layer, entry.owner.class_name = None, GROUPS.get(entry.class_name, entry.class_name)
        if entry.broken or depth > self.limits.nesting:
            return
        try:
            for key, place, raw in parts(entry.class_name, config, entry.dialect):
                part = self._entry(raw, entry.path, f"{entry.pointer}/config/{place}", depth + 1)
                if part is None:
                    entry.broken = True
                    continue
                part.owner.at = {"forward": "forward_layer", "backward": "backward_layer"}.get(key, place)
                # Keras 3 asks the inner layer alone
                part.trainable = part.trainable and (entry.trainable or entry.dialect.release >= (3,))
                entry.owner.children.append(part.owner)
                entry.parts[key] = part
                entry.broken = entry.broken or part.broken
        except Wrong as wrong:
            self.error(wrong.code, f'{entry.class_name} "{entry.name}": {wrong}', f"{entry.pointer}/config")
            entry.broken = True

    def _path(self, path: str, name: str) -> str:
        full = f"{path}/{name}" if path else name
        taken = self.paths
        number, out = taken.get(full, 1), full
        while out in taken:
            out, number = f"{full}_{number}", number + 1
        taken[full], taken[out] = number, taken.get(out, 1)
        return out

    def _read_calls(self, entry: Entry) -> None:
        inbound = entry.raw.get("inbound_nodes")
        if inbound is None:
            return
        try:
            entry.calls = calls(inbound)
        except Malformed as wrong:
            self.error("KC302", f'calls of "{entry.name}": {wrong}', f"{entry.pointer}/inbound_nodes")
            entry.broken = True

    def _read_config(self, entry: Entry, config: Any) -> None:
        if not isinstance(config, dict):
            self.error("KC104", f'{entry.class_name} "{entry.name}" without a config', entry.pointer)
            entry.broken = True
            return
        if self._is_operation(entry):
            return
        self._read_dtype(entry, config)
        self._read_activity(entry, config)
        translator = self.translators.get(entry.class_name)
        custom = entry.raw.get("registered_name")
        if translator is None or (
            isinstance(custom, str) and ">" in custom and not custom.startswith("keras")
        ):
            self._unsupported(entry)
            return
        entry.config, faults = read(translator.fields, config, entry.dialect, base=BASE_KEYS)
        if entry.class_name == "PReLU" and "shared_axes" not in config:
            vars(entry.config)["slopes"] = self.slopes.get(entry.name)
        for fault in faults:
            pointer = f"{entry.pointer}/config/{fault.key}" if fault.key else f"{entry.pointer}/config"
            message = f'{fault.message} of {entry.class_name} "{entry.name}"'
            self.error(fault.code, message, pointer, fault.found, fault.expected, fault.hint)
        entry.broken = entry.broken or bool(faults)

    def _read_activity(self, entry: Entry, config: Json) -> None:
        try:
            entry.activity = activity_of(config.get("activity_regularizer"), entry.dialect)
        except Wrong as wrong:
            self.error(
                wrong.code, f'`activity_regularizer` of {entry.class_name} "{entry.name}" cannot be read',
                f"{entry.pointer}/config/activity_regularizer", expected=wrong.expected, hint=wrong.hint,
            )  # fmt: skip
            entry.broken = True

    def _read_dtype(self, entry: Entry, config: Json) -> None:
        if entry.class_name in ("InputLayer", "StackedRNNCells"):  # the cells say theirs
            return
        pointer = f"{entry.pointer}/config/dtype"
        try:
            for name in policies_of(config.get("dtype"), entry.class_name):
                self.policies.setdefault(name, []).append(pointer)
        except Wrong as wrong:
            self.error(
                wrong.code, f'dtype of {entry.class_name} "{entry.name}" is not supported', pointer,
                found=shown(config.get("dtype")), expected=wrong.expected,
            )  # fmt: skip

    def dtype(self) -> str:
        """What the network computes in; a difference from what the layers ask for is reported."""
        dtype, exact = computed(set(self.policies))
        if not exact:
            asked = sorted(self.policies.items())
            self.diagnostics.approximation(
                f"layers ask for {', '.join(name for name, _ in asked)}, and all would be computed in {dtype}: outputs "
                "differ by the rounding that 16 bits have",
                pointer=next(places[0] for name, places in asked if name != dtype),
                found=", ".join(f"{name} in {len(places)} layers" for name, places in asked),
            )
        return dtype

    def _is_operation(self, entry: Entry) -> bool:
        module, config = entry.raw.get("module"), entry.raw.get("config")
        if entry.class_name in OPERATION_CLASSES or (isinstance(module, str) and ".ops." in module):
            return True
        # Keras 3's .h5 files name no module; a layer's config says whether it is trainable
        bare = module is None and isinstance(config, dict) and "trainable" not in config
        nodes = entry.raw.get("inbound_nodes")
        new = isinstance(nodes, list) and any(isinstance(n, dict) for n in nodes)
        return bare and entry.class_name in HANDLERS and (new or entry.class_name not in TRANSLATORS)

    def _unsupported(self, entry: Entry) -> None:
        entry.broken = True
        what = f'{entry.class_name} "{entry.name}"'
        if entry.class_name in CODE or ">" in str(entry.raw.get("registered_name") or ""):
            self.error(
                "KC202", f"{what} holds or names code of its own, which is never run", entry.pointer,
                hint="replace the layer by one that Keras defines",
            )  # fmt: skip
            return
        shown = self.diagnostics.count("error") < self.limits.diagnostics  # the others are only counted
        near = suggestion(entry.class_name, [*self.translators, *UNSUPPORTED]) if shown else None
        hint = UNSUPPORTED.get(entry.class_name) or near
        self.error("KC201", f"{what} is not supported", f"{entry.pointer}/class_name", hint=hint)

    # ------------------------------------------------------------ calling

    def _call_scope(self, scope: Scope, path: str, inputs: list[Value] | None) -> list[Value | None] | None:
        if scope.kind == "Sequential":
            return self._call_sequential(scope, path, inputs)
        return self._call_functional(scope, path, inputs)

    def _call_sequential(
        self, scope: Scope, path: str, inputs: list[Value] | None
    ) -> list[Value | None] | None:
        values: list[Value | None] | None = list(inputs) if inputs is not None else None
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
            values = self._call(entry, values, {})
        return values

    def _merge_branches(self, entry: Entry) -> list[Value | None]:
        """The outputs of the branches that a Keras 1 Merge at the start of a Sequential holds."""
        out: list[Value | None] = []
        config = entry.raw.get("config")
        branches = config.get("layers") if isinstance(config, dict) else None
        if not isinstance(branches, list):
            self.error(
                "KC105", f'Merge "{entry.name}" without layers', f"{entry.pointer}/config", expected="layers"
            )
            return [None]
        entry.owner.merged = True
        for i, raw in enumerate(branches):
            branch = self._entry(raw, entry.path, f"{entry.pointer}/config/layers/{i}", 1)
            if branch is None:
                return [None]
            entry.owner.children.append(branch.owner)
            out += self._call(branch, None, {}) or [None]
        return out

    def _first_input(self, scope: Scope, entry: Entry, index: int) -> list[Value | None] | None:
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
        name = self.builder.unique(self._path("", f"{entry.name}_input"))
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

    def _call_functional(
        self, scope: Scope, path: str, inputs: list[Value] | None
    ) -> list[Value | None] | None:
        try:
            starts, outs = ends(scope.config.get("input_layers")), ends(scope.config.get("output_layers"))
        except Malformed as wrong:
            self.error("KC302", f"inputs or outputs of the model: {wrong}", f"{scope.pointer}/config")
            return None
        values: dict[tuple[str, int], list[Value | None]] = {}
        for i, (_, ref) in enumerate(starts):
            entry = scope.entries.get(ref.layer)
            if entry is None or entry.class_name != "InputLayer":
                self.error(
                    "KC302",
                    f'input "{ref.layer}" is no InputLayer of the model',
                    f"{scope.pointer}/config/input_layers",
                )
                return None
            if inputs is not None and i >= len(inputs):
                self.error(
                    "KC301", f"a model with {len(starts)} inputs is called on {len(inputs)}", scope.pointer
                )
                return None
            values[ref.layer, 0] = [inputs[i] if inputs is not None else self._input(entry)]
        for entry, index in self._order(scope):
            self._call_node(scope, entry, index, values)
        used = self._used(scope)
        offsets = {
            n: self._offset(e, {r.call for _, r in outs if r.layer == n}, used.get(n, set()), last=True)
            for n, e in scope.entries.items()
            if e.scope
        }
        out: list[Value | None] = []
        for _, ref in outs:
            found = values.get((ref.layer, ref.call - offsets.get(ref.layer, 0)))
            if found is None or ref.tensor >= len(found):
                if not self.diagnostics.has_errors:
                    self.error(
                        "KC302",
                        f'output "{ref.layer}" is made by no call',
                        f"{scope.pointer}/config/output_layers",
                    )
                return None
            out.append(found[ref.tensor])
        return out

    def _offset(self, entry: Entry, here: set[int], there: set[int], *, last: bool) -> int:
        """1 where calls of a nested model are counted from 1: node 0 is its own.

        Keras 3 counts so in ``output_layers`` (``last``) and not for Sequential; older releases alike ``here`` in
        one of both places and ``there`` in the other. Each call of a saved model is used somewhere.
        """
        if entry.dialect.release < (3,):
            return 1 if here and 0 not in here | there else 0
        if last and entry.class_name != "Sequential":
            return 1 if here and 0 not in here else 0
        return 1 if here and 0 not in here and max(here) >= len(entry.calls) else 0

    def _used(self, scope: Scope) -> dict[str, set[int]]:
        """The numbers of the calls that calls refer to, by layer."""
        used: dict[str, set[int]] = {}
        for entry in scope.entries.values():
            for call in entry.calls:
                for ref in call.refs:
                    used.setdefault(ref.layer, set()).add(ref.call)
        return used

    def _resolved(self, scope: Scope) -> dict[tuple[str, int], list[tuple[str, int]]]:
        """Calls and the calls they need; reports references to nothing."""
        used = self._used(scope)
        last: dict[str, set[int]] = {}
        for _, ref in ends(scope.config.get("output_layers")):
            last.setdefault(ref.layer, set()).add(ref.call)
        offsets = {
            n: self._offset(e, used.get(n, set()), last.get(n, set()), last=False) if e.scope else 0
            for n, e in scope.entries.items()
        }
        needs: dict[tuple[str, int], list[tuple[str, int]]] = {}
        for name, entry in scope.entries.items():
            for i, call in enumerate(entry.calls):
                needs[name, i] = []
                for ref in call.refs:
                    target = scope.entries.get(ref.layer)
                    index = ref.call - offsets.get(ref.layer, 0)
                    count = (
                        1
                        if target is not None and target.class_name == "InputLayer"
                        else len(target.calls)
                        if target
                        else 0
                    )
                    if not 0 <= index < count:
                        self.error(
                            "KC302", f'"{name}" takes call {ref.call} of "{ref.layer}", which there is not',
                            f"{entry.pointer}/inbound_nodes/{i}",
                        )  # fmt: skip
                        entry.broken = True
                        continue
                    needs[name, i].append((ref.layer, index))
        self._offsets = getattr(self, "_offsets", {})
        self._offsets[id(scope)] = offsets
        return needs

    def _order(self, scope: Scope) -> list[tuple[Entry, int]]:
        """All calls in an order in which each comes after what it needs (Kahn)."""
        needs = self._resolved(scope)
        waiting = {key: sum(k in needs for k in keys) for key, keys in needs.items()}
        users: dict[tuple[str, int], list[tuple[str, int]]] = {}
        for key, keys in needs.items():
            for k in keys:
                users.setdefault(k, []).append(key)
        ready = [key for key, n in waiting.items() if n == 0]
        order: list[tuple[Entry, int]] = []
        for key in ready:
            order.append((scope.entries[key[0]], key[1]))
            for user in users.get(key, ()):
                waiting[user] -= 1
                if waiting[user] == 0:
                    ready.append(user)
        if len(order) < len(needs):
            left = [key[0] for key, n in waiting.items() if n > 0]
            self.error("KC303", f"layers that wait for each other: {', '.join(left[:5])}", scope.pointer)
        return order

    def _call_node(
        self, scope: Scope, entry: Entry, index: int, values: dict[tuple[str, int], list[Value | None]]
    ) -> None:
        if entry.class_name == "InputLayer":
            return
        call, offsets = entry.calls[index], self._offsets[id(scope)]

        lost = False

        def resolve(item: Any) -> Any:
            nonlocal lost
            if isinstance(item, list):
                return [resolve(one) for one in item]
            if not isinstance(item, Ref):
                return item
            made = values.get((item.layer, item.call - offsets.get(item.layer, 0)))
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
        if not self._is_operation(entry):
            args = _values(args)
        values[entry.name, index] = [None] if lost else self._call(entry, args, kwargs, tensors)

    def call(
        self, entry: Entry, args: list[Value], *, mask: Value | None = None, heed: bool = True
    ) -> list[Value | None]:
        """Call a layer inside of a layer; without ``heed`` the masks of its inputs do not count."""
        if entry.scope is not None:
            return self._call_scope(entry.scope, entry.path, args) or [None]
        return self._call_layer(entry, args, mask, heed)

    def outputs(self, value: Value) -> tuple[Value, ...]:
        """All outputs of the node that made ``value``."""
        return tuple((value[0], k) for k in range(len(self.builder.nodes[value[0]].shapes)))

    def _call(  # noqa: C901  one branch for each kind of call
        self, entry: Entry, args: list[Any] | None, kwargs: Json, tensors: set[str] | None = None
    ) -> list[Value | None]:
        if entry.broken:
            return [None]
        if entry.scope is not None:
            if args and "mask" in (tensors or ()) and isinstance(kwargs["mask"], tuple):
                self.masks.put(args[0], kwargs["mask"])
            return self._call_scope(entry.scope, entry.path, args) or [None]
        if args is None:
            return [None]
        if self._is_operation(entry):
            return self._call_operation(entry, args, kwargs)
        if any(a is None for a in args):
            return [None]
        tensors = tensors or set()
        if entry.class_name in attending.CLASSES:
            if not all(isinstance(a, tuple) for a in args):
                self.error(
                    "KC302", f'{entry.class_name} "{entry.name}" is called on what is no value', entry.pointer
                )
                return [None]
            return attending.call(self, entry, args, kwargs, tensors)
        mask = kwargs["mask"] if "mask" in tensors else None
        if "initial_state" in tensors:
            states = kwargs["initial_state"]
            args = [*args, *(states if isinstance(states, list) else [states])]
            if any(a is None for a in args):
                return [None]
        if tensors - {"mask", "initial_state"}:
            self.error(
                "KC205",
                f'{entry.class_name} "{entry.name}" takes tensors as keywords',
                entry.pointer,
                found=", ".join(sorted(tensors or ())),
            )
            return [None]
        if any(not isinstance(a, tuple) for a in args):
            return self._call_operation(entry, args, kwargs)
        return self._call_layer(entry, args, mask)

    def _call_layer(
        self, entry: Entry, inputs: list[Value], mask: Value | None = None, heed: bool = True
    ) -> list[Value | None]:
        """Call a layer on values and on the mask that comes with the first, or that the file gives."""
        if entry.config is None or entry.broken:
            return [None]
        if not inputs:
            self.error("KC302", f'{entry.class_name} "{entry.name}" is called on nothing', entry.pointer)
            return [None]
        if not all(isinstance(v, tuple) for v in inputs):
            self.error(
                "KC302", f'{entry.class_name} "{entry.name}" is called on what is no value', entry.pointer
            )
            return [None]
        implied = self.masks.of(inputs[0]) if heed else None
        taken = mask or (implied if masking.implied_counts(inputs, entry.dialect) else None)
        mask = mask or implied
        if mask is not None and masking.refuses(entry.class_name, entry.dialect):
            self.error(
                "KC205", f'{entry.class_name} "{entry.name}" of {entry.dialect} refuses a masked input', entry.pointer,
                hint="later releases drop the mask: say --dialect where another one wrote the file",
            )  # fmt: skip
            return [None]
        if entry.class_name in wrapped.CALLS:
            made = wrapped.call(self, entry, inputs, taken)
        else:
            value = self._call_plain(entry, inputs, taken)
            made = list(self.outputs(value)) if value is not None else [None]
        found = [v for v in made if v is not None]
        if len(found) < len(made):
            return [None]
        self.builder.taps.setdefault(entry.path, found[0])
        self.masks.after(entry.path, entry.class_name, entry.config, entry.dialect, inputs, found, mask)
        return made

    def _call_plain(self, entry: Entry, inputs: list[Value], mask: Value | None) -> Value | None:
        assert entry.config is not None
        translator = self.translators[entry.class_name]
        shapes = tuple(self.builder.shape(v) for v in inputs)
        try:
            made = translator.function(entry.config, shapes, entry.dialect)
        except (Wrong, ShapeError) as wrong:
            self._translation_error(entry, wrong, shapes)
            return None
        chain = made if isinstance(made, tuple) else (made,)
        first, inputs = self.masks.counted(entry.class_name, chain[0], inputs, entry.dialect)
        chain = (first, *chain[1:])
        if mask is not None and masking.takes(entry.class_name, entry.dialect):
            heeding = masking.masked(chain[0], len(shapes[0]), entry.dialect)
            if heeding is None:
                self.error(
                    "KC205",
                    f'{entry.class_name} "{entry.name}" on a masked input is not supported',
                    entry.pointer,
                )
                return None
            chain, inputs = (heeding, *chain[1:]), [*inputs, mask]
        return self._chain(entry, chain, inputs)

    def _translation_error(self, entry: Entry, wrong: Wrong | ShapeError, shapes: tuple[Shape, ...]) -> None:
        what = f'{entry.class_name} "{entry.name}": {wrong}'
        if isinstance(wrong, ShapeError):
            self.error("KC301", what, entry.pointer, found=f"input {' and '.join(map(show, shapes))}")
        else:
            self.error(wrong.code, what, f"{entry.pointer}/config", hint=wrong.hint)

    def _chain(self, entry: Entry, ops: tuple[Op, ...], inputs: list[Value]) -> Value | None:
        value: Value | None = None
        main = next((i for i, op in enumerate(ops) if type(op).params is not Op.params), 0)
        for i, op in enumerate(ops):
            name = entry.path if i == main else f"{entry.path}/{op.name.lower()}"
            value = self.builder.call(
                name,
                op,
                inputs,
                trainable=entry.trainable,
                settings=self.settings(entry, op, inputs) if i == main else {},
                pointer=entry.pointer,
            )
            if value is None:
                return None
            inputs = [value]
        if value is not None:
            self.builder.taps.setdefault(entry.path, value)
        return value

    def settings(self, entry: Entry, op: Op, inputs: list[Value]) -> dict[str, dict[str, Any]]:
        try:
            params = {p.name: p for p in op.params(*(self.builder.shape(v) for v in inputs))}
        except (ShapeError, IndexError, KeyError, ValueError, TypeError):  # the builder reports it
            return {}
        try:
            return settings_of(entry.config, entry.activity, entry.dialect, op, params)
        except Wrong as wrong:
            self.error(
                wrong.code, f'{entry.class_name} "{entry.name}": {wrong.expected}', f"{entry.pointer}/config"
            )
            return {}

    def _call_operation(self, entry: Entry, args: list[Any], kwargs: Json) -> list[Value | None]:
        config = entry.raw.get("config") if self._is_operation(entry) else None  # a layer called with numbers
        config = config if isinstance(config, dict) else {}
        count = 0

        def call(op: Op, inputs: Sequence[Value]) -> Value | None:
            nonlocal count
            count += 1
            name = entry.path if count == 1 else f"{entry.path}/{op.name.lower()}_{count}"
            if name in self.builder.layers and self.builder.layers[name].op != op:
                name = self.builder.unique(name)
            return self.builder.call(name, op, inputs, pointer=entry.pointer)

        try:
            made = operation(entry.class_name, config, args, kwargs, call, self.builder.shape)
        except Refused as wrong:
            what = config.get("function", entry.class_name)
            self.error(
                "KC203",
                f'operation `{what}` "{entry.name}" is not supported on these arguments: {wrong}',
                entry.pointer,
            )
            return [None]
        except Reported:
            return [None]
        out = made if isinstance(made, list) else [made]
        if isinstance(out[0], tuple):
            self.builder.taps.setdefault(entry.path, out[0])
        return out

    def error(
        self,
        code: str,
        message: str,
        pointer: str,
        found: str | None = None,
        expected: str | None = None,
        hint: str | None = None,
    ) -> None:
        """Report what is wrong at a place of the file."""
        self.diagnostics.error(code, message, pointer=pointer, found=found, expected=expected, hint=hint)
