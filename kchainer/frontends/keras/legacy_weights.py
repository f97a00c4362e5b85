"""Weight files before v3: a group for each layer, by name or in the model's order; those of Keras 0.3 by number."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from kchainer.diagnostics import Diagnostics
from kchainer.files import WeightFile
from kchainer.frontends.keras import custom, lora, quantized
from kchainer.frontends.keras.entries import Owner
from kchainer.frontends.keras.gates import Slot, Source, by_gate
from kchainer.frontends.keras.matching import STRICT, Matching, tell_unused
from kchainer.frontends.keras.slots import EXTRA, slots_of, sources
from kchainer.ir.graph import Layer


def root_of(file: WeightFile) -> str | None:
    """The group of a file of Keras 1 or 2 that lists the layers; None in other files."""
    if "layer_names" in file.attributes("/"):
        return "/"
    if "model_weights" in file and "layer_names" in file.attributes("/model_weights"):
        return "/model_weights"
    return None


def _flattened(owners: list[Owner]) -> Iterator[Owner]:
    """Owners as a legacy file lists them: the branches of a leading Merge stand flat."""
    for owner in owners:
        if owner.merged:
            yield from _flattened(
                [leaf for branch in owner.children for leaf in (branch.children or [branch])]
            )
        else:
            yield owner


def _frozen(owner: Owner) -> Iterator[str]:
    todo = [owner]
    while todo:
        one = todo.pop()
        if one.frozen and one.layer is not None:
            yield one.layer
        todo += one.children


def _legacy_slots(
    owner: Owner, layers: Mapping[str, Layer], still: Collection[tuple[str, str]] = frozenset()
) -> list[Slot]:
    """The order of a legacy file: all trainable arrays, then the others; a frozen layer's are the others."""
    slots = list(dict.fromkeys((layer.name, p.name) for layer, p in slots_of(owner, layers)))
    by_key = {(layer.name, p.name): (layer, p) for layer, p in slots_of(owner, layers)}
    frozen = set(_frozen(owner))
    learned = {
        key: s[1].trainable and s[0].trainable and s[0].name not in frozen and key not in still
        for key, s in by_key.items()
    }
    return [by_key[k] for k in slots if learned[k]] + [by_key[k] for k in slots if not learned[k]]


def legacy(
    file: WeightFile,
    root: str,
    owners: list[Owner],
    layers: Mapping[str, Layer],
    diagnostics: Diagnostics,
    matching: Matching = STRICT,
) -> list[tuple[Slot, Source]]:
    """The arrays of a file of Keras 1 or 2, and of Keras 3's ``.h5``, by the params that they fill."""
    base = root.rstrip("/")
    groups: dict[str, list[str]] = {}
    for name in file.attributes(root).get("layer_names", []):
        listed = file.attributes(f"{base}/{name}").get("weight_names", []) if f"{base}/{name}" in file else []
        groups[name] = [f"{base}/{name}/{one}" for one in listed]
    low = lora.by_layer(owners)
    wanted = [(o, _legacy_slots(o, layers, lora.frozen(low))) for o in _flattened(owners)]
    if matching.by_name:
        pairs = _of_names(wanted, groups, diagnostics)
    else:
        wanted = [(o, slots) for o, slots in wanted if slots]
        groups = {name: paths for name, paths in groups.items() if paths}
        pairs = _pairs(wanted, groups, file, diagnostics, matching)
    # in order, Keras leaves out arrays of another shape, but no layers
    of_layers = matching if matching.by_name else STRICT
    out: list[tuple[Slot, Source]] = []
    for owner, slots, paths in pairs:
        paths = [p for p in paths if "rnn_state" not in p]  # Keras 3 saves the states of stateful layers
        all_paths = paths
        named: Sequence[tuple[Slot, Source]] | None = None
        if low and not any(lora.is_matrix(param.name) for _, param in slots):
            paths = lora.without_matrices(paths)
        if owner.quantized is not None and len(paths) < len(all_paths):
            diagnostics.error(
                "KC204", f'the file holds LoRA beside the quantised kernel of "{owner.name}", unmerged',
                hint="save it as .keras, in which Keras merges them",
            )  # fmt: skip
            continue
        if owner.replaced is not None:
            named = custom.in_order(owner.replaced, layers, paths)
        if owner.quantized is not None and slots:
            named = quantized.by_name(owner.quantized, slots, paths)
        gates = by_gate(slots, paths) if len(paths) > len(slots) else None
        if named is not None or gates is not None:
            out += named or gates or []
            continue
        extra = EXTRA.get(owner.class_name, 0)
        if len(paths) not in (len(slots), len(slots) + extra):
            _tell_number(file, paths, owner, slots, of_layers, diagnostics)
            continue
        out += [
            (slot, lora.merged(path, all_paths, low.get(slot[0].name)) if low else path)
            for slot, path in zip(_in_file(slots, paths, file), paths, strict=False)
        ]
    return out


def _tell_number(
    file: WeightFile,
    paths: list[str],
    owner: Owner,
    slots: list[Slot],
    matching: Matching,
    diagnostics: Diagnostics,
) -> None:
    """A layer has another number of arrays in the file than it takes."""
    if quantized.is_unsaid(file, paths, owner.quantized, owner.name, diagnostics):
        return
    matching.teller(diagnostics)(
        "KC401" if len(paths) < len(slots) else "KC402",
        f'"{owner.name}" has another number of arrays in the weights file{matching.done}',
        found=f"{len(paths)}: {', '.join(p.rsplit('/', 1)[-1] for p in paths[:8])}",
        expected=f"{len(slots)}: {', '.join(p.name for _, p in slots[:8])}",
    )


def _in_file(slots: list[Slot], paths: list[str], file: WeightFile) -> list[Slot]:
    """The params in the file's order: before Keras 1.1 a Highway's bias stood before its second kernel."""
    out = list(slots)
    for i, ((_, param), path) in enumerate(zip(slots, paths, strict=False)):
        if param.name == "carry_kernel" and len(file.dataset(path).shape) == 1:
            out[i], out[i + 1] = out[i + 1], out[i]
    return out


def _of_names(
    wanted: list[tuple[Owner, list[Slot]]], groups: dict[str, list[str]], diagnostics: Diagnostics
) -> list[tuple[Owner, list[Slot], list[str]]]:
    """Layers that have a namesake in the file, those without arrays too."""
    pairs = [(o, slots, groups[o.name]) for o, slots in wanted if o.named and o.name in groups]
    taken = {owner.name for owner, _, _ in pairs}
    unused = [name for name, paths in groups.items() if paths and name not in taken]
    tell_unused("layers", unused, diagnostics)
    return pairs


def _pairs(
    wanted: list[tuple[Owner, list[Slot]]],
    groups: dict[str, list[str]],
    file: WeightFile,
    diagnostics: Diagnostics,
    matching: Matching,
) -> list[tuple[Owner, list[Slot], list[str]]]:
    """Layers and groups by name; by order where no name agrees, or where names in another order do not fit."""
    namesakes = [o for o, _ in wanted if o.name in groups]
    if len(wanted) == len(groups) and all(
        o.name == g or not o.named for (o, _), g in zip(wanted, groups, strict=True)
    ):
        return [(o, slots, paths) for (o, slots), paths in zip(wanted, groups.values(), strict=True)]
    in_order = [(slots, paths) for (_, slots), paths in zip(wanted, groups.values(), strict=False)]
    by_name = [(slots, groups.get(o.name, [])) for o, slots in wanted]
    otherwise = len(namesakes) == len(wanted) and _fits(file, in_order) and not _fits(file, by_name)
    # where shapes may differ they cannot tell, and Keras goes by the order
    if len(wanted) == len(groups) and (not namesakes or otherwise or matching.skip_mismatch):
        if wanted and (not namesakes or matching.skip_mismatch):
            few = "no layer" if not namesakes else "not every layer"
            diagnostics.warn(
                "KC405", f"{few} of the weights file has a name of the model; they are taken in their order"
            )
        return [(o, slots, paths) for (o, slots), paths in zip(wanted, groups.values(), strict=True)]
    for owner, _ in wanted:
        if owner.name not in groups:
            diagnostics.error("KC401", f'the weights file has no arrays for "{owner.name}"')
    names = {o.name for o, _ in wanted}
    for name in groups:
        if name not in names:
            diagnostics.error("KC402", f'the weights file has arrays for "{name}", which the model has not')
    return [(o, slots, groups[o.name]) for o, slots in wanted if o.name in groups]


def _attributes(file: WeightFile, group: str) -> Mapping[str, Any]:
    return file.attributes(group) if group in file else {}


def is_keras0(file: WeightFile) -> bool:
    """Whether Keras 0.3 wrote it."""
    return "nb_layers" in file.attributes("/") or "nb_params" in _attributes(file, "/graph")


def _whole(value: Any) -> int | None:
    """A number of an attribute, None where it is none."""
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None


def keras0(
    file: WeightFile, owners: list[Owner], layers: Mapping[str, Layer], diagnostics: Diagnostics
) -> list[tuple[Slot, Source]]:
    """Keras 0.3: a group for each layer, also those without arrays, by number; a Graph's arrays in one row."""
    count = _whole(file.attributes("/").get("nb_layers"))
    if count is None and "nb_layers" not in file.attributes("/"):
        groups = [("/graph", [slot for owner in owners for slot in slots_of(owner, layers)])]
    else:
        groups = [(f"/layer_{i}", slots_of(owner, layers)) for i, owner in enumerate(owners)]
        if count is None or count != len(owners):
            diagnostics.error(
                "KC402" if count is not None and count > len(owners) else "KC401", "the weights file is of another number of layers",
                found=str(count), expected=str(len(owners)),
            )  # fmt: skip
            return []
    out: list[tuple[Slot, Source]] = []
    for group, slots in groups:
        number = _whole(_attributes(file, group).get("nb_params"))
        paths = [f"{group}/param_{i}" for i in range(number or 0)]
        gates = by_gate(slots, paths) if len(paths) > len(slots) else None
        if gates is not None:
            out += gates
            continue
        if number is None or number != len(slots):
            diagnostics.error(
                "KC401" if number is None or number < len(slots) else "KC402",
                f"{group} of the weights file has another number of arrays than the layer",
                found=str(number), expected=f"{len(slots)}: {', '.join(p.name for _, p in slots[:8])}",
            )  # fmt: skip
            continue
        if all(path in file for path in paths):
            slots = _in_file(slots, paths, file)
        out += list(zip(slots, paths, strict=True))
    missing = [path for _, source in out for path in sources(source) if path not in file]
    for path in missing:
        diagnostics.error("KC401", f"the weights file has no {path}")
    return [] if missing else out


def _fits(file: WeightFile, pairs: list[tuple[list[Slot], list[str]]]) -> bool:
    """Every array has the shape of its param, as Keras 2 and later store it."""
    return all(
        len(slots) == len(paths)
        and all(file.dataset(p).shape == s[1].shape for s, p in zip(slots, paths, strict=True))
        for slots, paths in pairs
    )
