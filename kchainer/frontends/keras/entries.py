"""The layers of a model's config, read and checked before any of them is called."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kchainer.diagnostics import Diagnostics, suggestion
from kchainer.files import Limits
from kchainer.frontends.fields import Config, Wrong, read, shown
from kchainer.frontends.keras import attending, custom, quantized
from kchainer.frontends.keras import lora as low_rank
from kchainer.frontends.keras.calls import Call, Malformed, calls
from kchainer.frontends.keras.dialect import Dialect, of_dictionary
from kchainer.frontends.keras.layers.making import HANDLERS
from kchainer.frontends.keras.layers.steps import parts
from kchainer.frontends.keras.masks import RECURRENT
from kchainer.frontends.keras.policies import policies_of
from kchainer.frontends.keras.settings import activity_of
from kchainer.frontends.keras.translate import BASE_KEYS, TRANSLATORS, Translator
from kchainer.frontends.keras.unsupported import UNSUPPORTED
from kchainer.ir.definition import Setting

if TYPE_CHECKING:
    from kchainer.frontends.keras.order import Order

Json = dict[str, Any]
MODELS = ("Sequential", "Functional", "Model")
ROWS = ("Sequential", "Pipeline")  # layers in a row, each called on what the one before gave
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
    frozen: bool = False  # a wrapper that is not trainable, though the layer in it may be
    replaced: custom.Replaced | None = None
    quantized: quantized.Quantized | None = None
    lora: low_rank.Lora | None = None


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
    order: Order | None = None  # of a functional model, from its first call on


def is_operation(entry: Entry) -> bool:
    """Whether the entry is a bare operation, not a layer."""
    module, config = entry.raw.get("module"), entry.raw.get("config")
    if entry.owner.replaced is not None:
        return False
    if entry.class_name in OPERATION_CLASSES or (isinstance(module, str) and ".ops." in module):
        return True
    # Keras 3's .h5 files name no module; a layer's config says whether it is trainable
    bare = module is None and isinstance(config, dict) and "trainable" not in config
    nodes = entry.raw.get("inbound_nodes")
    new = isinstance(nodes, list) and any(isinstance(n, dict) for n in nodes)
    return bare and entry.class_name in HANDLERS and (new or entry.class_name not in TRANSLATORS)


def _inner(config: Json) -> Json:
    """The config of the layer that a wrapper's config holds; empty where there is none."""
    layer = config.get("layer")
    inner = layer.get("config") if isinstance(layer, dict) else None
    return inner if isinstance(inner, dict) else {}


class Entries:
    """Reads the layers of one file, nested models and layers of layers with them."""

    def __init__(
        self,
        dialect: Dialect,
        diagnostics: Diagnostics,
        limits: Limits,
        translators: Mapping[str, Translator],
        slopes: Mapping[str, tuple[int, ...]],
        replacements: Mapping[str, custom.Replacement],
        lora: low_rank.How = "merge",
    ) -> None:
        self.dialect, self.diagnostics, self.limits = dialect, diagnostics, limits
        self.translators, self.slopes, self.replacements = translators, slopes, replacements
        self.lora: low_rank.How = lora
        self.policies: dict[str, list[str]] = {}
        self.count = 0
        self.paths: dict[str, int] = {}

    def scope(self, raw: Json, path: str, pointer: str, depth: int) -> tuple[Scope | None, list[Owner]]:
        """A model: its layers, and these as weight files see them."""
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
        kind = "Sequential" if raw["class_name"] in ROWS else "Functional"
        entries: dict[str, Entry] = {}
        owners: list[Owner] = []
        for i, one in enumerate(config["layers"]):
            entry = self.entry(one, path, f"{at}/{i}", depth)
            if entry is None:
                continue
            if entry.name in entries and kind == "Functional":
                self.error("KC304", f'two layers are named "{entry.name}"', entry.pointer)
                continue
            if entry.name in entries:
                entry.name = f"{entry.name}#{i}"
            entries[entry.name] = entry
            if not (kind == "Sequential" and entry.class_name == "InputLayer") and not is_operation(entry):
                owners.append(entry.owner)
        return Scope(kind, entries, config, pointer), owners

    def entry(self, raw: Any, path: str, pointer: str, depth: int) -> Entry | None:
        """One layer, with the layers inside of it; None when it is none (which is reported)."""
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
        full = self.path(path, name)
        owner = Owner(name, class_name, full, named=bool(raw.get("name") or named.get("name")))
        entry = Entry(
            name, full, class_name, raw, pointer, of_dictionary(class_name, named, self.dialect), owner
        )
        entry.trainable = named.get("trainable", True) is not False
        if class_name == "SpectralNormalization":  # Keras hands the wrapper's word to no layer inside
            owner.frozen = not entry.trainable
            entry.trainable = _inner(named).get("trainable", True) is not False
        self._read_calls(entry)
        replacement = custom.find(self.replacements, raw, name)
        if replacement is not None:
            owner.layer, owner.replaced = None, custom.Replaced(replacement)
            if isinstance(config, dict):
                self._read_dtype(entry, config)
        elif class_name in (*MODELS, *ROWS) and isinstance(config, (dict, list)):
            owner.layer = None
            entry.scope, owner.children = self.scope(raw, full, pointer, depth + 1)
            entry.broken = entry.scope is None
        else:
            self._read_config(entry, config)
            self._read_parts(entry, config, depth)
        return entry

    def _read_parts(self, entry: Entry, config: Any, depth: int) -> None:
        """The layers inside of a layer, and where weight files have them."""
        if entry.class_name in RECURRENT and entry.class_name != "RNN":
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
                part = self.entry(raw, entry.path, f"{entry.pointer}/config/{place}", depth + 1)
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

    def path(self, path: str, name: str) -> str:
        """A path in the network that no other layer has."""
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
        if is_operation(entry):
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
        vars(entry.config)["quantized"] = entry.owner.quantized
        if entry.class_name == "PReLU" and "shared_axes" not in config:
            vars(entry.config)["slopes"] = self.slopes.get(entry.name)
        for fault in faults:
            pointer = f"{entry.pointer}/config/{fault.key}" if fault.key else f"{entry.pointer}/config"
            message = f'{fault.message} of {entry.class_name} "{entry.name}"'
            self.error(fault.code, message, pointer, fault.found, fault.expected, fault.hint)
        entry.broken = entry.broken or bool(faults)
        if not entry.broken:
            self._read_lora(entry, entry.config)

    def _read_lora(self, entry: Entry, config: Config) -> None:
        """LoRA: merged into the kernel, which Keras would not learn, or kept."""
        pointer, what = f"{entry.pointer}/config/lora_rank", f'LoRA of {entry.class_name} "{entry.name}"'
        try:
            entry.owner.lora = low_rank.of_config(config, entry.owner.quantized, self.lora)
        except Wrong as wrong:
            self.error(wrong.code, f"{what}: {wrong}", pointer, hint=wrong.hint)
            entry.broken = True
        if entry.owner.lora is None:
            return
        if entry.owner.lora.keep:
            low_rank.settle(config, entry.dialect)
        elif entry.trainable and entry.owner.quantized is None:
            self.diagnostics.warn(
                "KC207", f"{what} is merged into its kernel, which learns here and not in Keras", pointer=pointer,
                hint='inference is the same; say --lora keep (in Python lora="keep") to train as Keras does',
            )  # fmt: skip

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
        dtype = config.get("dtype")
        try:
            entry.owner.quantized = quantized.quantized_of(dtype, config, entry.class_name)
            if isinstance(dtype, dict) and quantized.is_policy(dtype):
                dtype = quantized.source_of(dtype)
            for name in policies_of(dtype, entry.class_name):
                self.policies.setdefault(name, []).append(pointer)
        except Wrong as wrong:
            self.error(
                wrong.code, f'dtype of {entry.class_name} "{entry.name}" is not supported', pointer,
                found=shown(config.get("dtype")), expected=wrong.expected,
            )  # fmt: skip

    def _unsupported(self, entry: Entry) -> None:
        entry.broken = True
        what = f'{entry.class_name} "{entry.name}"'
        if entry.class_name in CODE or ">" in str(entry.raw.get("registered_name") or ""):
            self.error(
                "KC202", f"{what} holds or names code of its own, which is never run", entry.pointer,
                hint=custom.hint(entry.raw, entry.name),
            )  # fmt: skip
            return
        shown = self.diagnostics.count("error") < self.limits.diagnostics  # the others are only counted
        near = suggestion(entry.class_name, [*self.translators, *UNSUPPORTED]) if shown else None
        hint = UNSUPPORTED.get(entry.class_name) or near
        self.error("KC201", f"{what} is not supported", f"{entry.pointer}/class_name", hint=hint)

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
