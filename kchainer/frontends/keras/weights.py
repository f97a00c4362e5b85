"""Arrays of Keras's weight files by the params they fill: legacy HDF5 by name or order, v3 files by path."""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from kchainer.diagnostics import Diagnostics
from kchainer.files import WeightFile
from kchainer.frontends.keras import custom, lora, quantized
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.entries import Owner
from kchainer.frontends.keras.gates import Slot, Source, by_gate, is_cudnn, joined_axis, of_cudnn
from kchainer.frontends.keras.optimizers.gathered import Variable
from kchainer.ir import ops
from kchainer.ir.arrays import LazyArray
from kchainer.ir.graph import Layer
from kchainer.ir.op import Op, Param

Key = tuple[str, str]

# Arrays behind the params that a class writes and nothing here needs.
EXTRA = {"Normalization": 1}  # count
MOST_STATES = 16
CONVOLUTIONS = (
    ops.Convolution,
    ops.TransposedConvolution,
    ops.DepthwiseConvolution,
    ops.SeparableConvolution,
    ops.ConvLSTM,
)
# What Theano computes as true convolutions; its depthwise kernels are not flipped (Keras 2.3.1).
FLIPPED = (ops.Convolution, ops.TransposedConvolution, ops.ConvLSTM)


def arrays(
    file: WeightFile,
    owners: list[Owner],
    layers: Mapping[str, Layer],
    dialect: Dialect,
    diagnostics: Diagnostics,
) -> dict[Key, LazyArray]:
    """The array of each param. What is missing, left over or of another shape is reported."""
    root = _legacy_root(file)
    found: list[tuple[Slot, Source]]
    if root is not None:
        found = _legacy(file, root, owners, layers, diagnostics)
    elif "nb_layers" in file.attributes("/") or "nb_params" in _attributes(file, "/graph"):
        found = _keras0(file, owners, layers, diagnostics)
    else:
        found = _v3(file, owners, layers, diagnostics)
    dialect = _with_backend(dialect, [sources(s)[0] for _, s in found])
    out: dict[Key, LazyArray] = {}
    raw = [(slot, _of_source(file, source, slot)) for slot, source in found]
    cudnn = {layer.name for (layer, param), array in raw if is_cudnn(layer, param, array.shape)}
    for (layer, param), stored in raw:
        if layer.name in cudnn:
            stored = of_cudnn(stored, layer, param)
        array = _fitted(stored, layer.op, param, dialect, diagnostics, layer)
        if array is None:
            continue
        if array.shape != param.shape:
            diagnostics.error(
                "KC403", f'`{param.name}` of "{layer.name}" has another shape in the weights file', pointer=layer.pointer,
                found=f"{list(array.shape)} in {array.source}", expected=str(list(param.shape)),
            )  # fmt: skip
            continue
        out[layer.name, param.name] = array
    return out if root is not None else lora.with_zeros(out, layers)


def trained(
    owners: list[Owner], layers: Mapping[str, Layer], loaded: Mapping[Key, LazyArray], dialect: Dialect
) -> list[list[Variable]]:
    """What the model's optimizer updated, in the order of its variables; two orders where a release is not known.

    Keras sorted them by name up to 2.0.5 (seen in a file of it), and no longer in 2.3.1.
    """
    slots = {(layer.name, p.name): (layer, p) for owner in owners for layer, p in _slots(owner, layers)}
    out = [
        (v, name)
        for layer, param in slots.values()
        if layer.trainable and param.trainable
        for v, name in _variables(layer, param, loaded.get((layer.name, param.name)))
    ]
    plain = [v for v, _ in out]
    if dialect.flavour != "keras" or dialect.release >= (2, 3):
        return [plain]
    by_name = [v for v, _ in sorted(out, key=operator.itemgetter(1))]
    return [by_name] if by_name == plain or dialect.release < (2, 0, 6) else [by_name, plain]


def _variables(layer: Layer, param: Param, array: LazyArray | None) -> list[tuple[Variable, str]]:
    """What the file has of a param, one for each gate in Keras 1, with the names that it gives them."""
    key, found = (layer.name, param.name), array.parts if array is not None else ()
    if not found:
        return [(Variable(key, param.shape), _weight_name(array.source if array is not None else ""))]
    axis = joined_axis(layer, param)
    return [
        (Variable(key, param.shape, i, len(found), axis), _weight_name(source))
        for i, source in enumerate(found)
    ]


def _weight_name(source: str) -> str:
    """The name that a legacy file gives an array, without the layer's group."""
    return source.removeprefix("/model_weights").removeprefix("/").partition("/")[2]


def fitted(array: LazyArray, slot: Slot, dialect: Dialect) -> LazyArray | None:
    """An array that belongs to a param, in the layout of the param; None where that is not known."""
    found = Diagnostics()
    made = _fitted(array, slot[0].op, slot[1], dialect, found, slot[0])
    return None if found.has_errors else made


def lazy(file: WeightFile, path: str) -> LazyArray:
    """A dataset of a file."""
    return _lazy(file, path, 0)


def sources(source: Source) -> tuple[str, ...]:
    """The paths of a param's array: one, or one for each gate."""
    if isinstance(source, quantized.Stored):
        return tuple(source.paths.values())
    if isinstance(source, lora.Merged):
        return source.kernel, source.a, source.b
    return (source,) if isinstance(source, str) else tuple(source)


def _of_source(file: WeightFile, source: Source, slot: Slot) -> LazyArray:
    if isinstance(source, quantized.Stored):
        return quantized.lazy(file, source, *slot)
    if isinstance(source, lora.Merged):
        return lora.lazy(source, *(_lazy(file, path, 0) for path in sources(source)))
    return _lazy(file, source, joined_axis(*slot))


def _lazy(file: WeightFile, path: str | tuple[str, ...], axis: int) -> LazyArray:
    if not isinstance(path, str):
        return LazyArray.joined(tuple(_lazy(file, one, axis) for one in path), axis)
    read, fill = functools.partial(file.read, path), functools.partial(file.copy_to, path)
    return LazyArray(file.dataset(path).shape, path, read, fill)


# ------------------------------------------------------------------ legacy


def _legacy_root(file: WeightFile) -> str | None:
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


def _slots(owner: Owner, layers: Mapping[str, Layer]) -> list[Slot]:
    """All params of a layer and what is in it, depth first."""
    out: list[Slot] = []
    todo = [owner]
    while todo:
        one = todo.pop()
        layer = layers.get(one.layer) if one.layer else None
        if one.replaced is not None:
            out += [slot for slot, _ in one.replaced.slots(layers)]
        if layer is not None:
            out += [(layer, p) for p in _own_first(layer) if one.params is None or p.name in one.params]
        todo.extend(reversed(one.children))
    return out


def _own_first(layer: Layer) -> Sequence[Param]:
    """A layer's params in the order of its weights: the wrapper has the kernel and its vector as its own."""
    if not isinstance(layer.op, ops.SpectralNormalization):
        return layer.params
    *inner, vector = layer.params
    kernels = [p for p in inner if p.name == "kernel"]
    return (*kernels, vector, *(p for p in inner if p.name != "kernel"))


def _frozen(owner: Owner) -> Iterator[str]:
    todo = [owner]
    while todo:
        one = todo.pop()
        if one.frozen and one.layer is not None:
            yield one.layer
        todo += one.children


def _legacy_slots(
    owner: Owner, layers: Mapping[str, Layer], still: Collection[Key] = frozenset()
) -> list[Slot]:
    """The order of a legacy file: all trainable arrays, then the others; a frozen layer's are the others."""
    slots = list(dict.fromkeys((layer.name, p.name) for layer, p in _slots(owner, layers)))
    by_key = {(layer.name, p.name): (layer, p) for layer, p in _slots(owner, layers)}
    frozen = set(_frozen(owner))
    learned = {
        key: s[1].trainable and s[0].trainable and s[0].name not in frozen and key not in still
        for key, s in by_key.items()
    }
    return [by_key[k] for k in slots if learned[k]] + [by_key[k] for k in slots if not learned[k]]


def _legacy(
    file: WeightFile, root: str, owners: list[Owner], layers: Mapping[str, Layer], diagnostics: Diagnostics
) -> list[tuple[Slot, Source]]:
    base = root.rstrip("/")
    groups: dict[str, list[str]] = {}
    for name in file.attributes(root).get("layer_names", []):
        names = file.attributes(f"{base}/{name}").get("weight_names", []) if f"{base}/{name}" in file else []
        if len(names):
            groups[name] = [f"{base}/{name}/{one}" for one in names]
    low = lora.by_layer(owners)
    wanted = [(o, _legacy_slots(o, layers, lora.frozen(low))) for o in _flattened(owners)]
    wanted = [(o, slots) for o, slots in wanted if slots]
    pairs = _pairs(wanted, groups, file, diagnostics)
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
            diagnostics.error(
                "KC401" if len(paths) < len(slots) else "KC402",
                f'"{owner.name}" has another number of arrays in the weights file',
                found=f"{len(paths)}: {', '.join(p.rsplit('/', 1)[-1] for p in paths[:8])}",
                expected=f"{len(slots)}: {', '.join(p.name for _, p in slots[:8])}",
            )
            continue
        out += [
            (slot, lora.merged(path, all_paths, low.get(slot[0].name)) if low else path)
            for slot, path in zip(_in_file(slots, paths, file), paths, strict=False)
        ]
    return out


def _in_file(slots: list[Slot], paths: list[str], file: WeightFile) -> list[Slot]:
    """The params in the file's order: before Keras 1.1 a Highway's bias stood before its second kernel."""
    out = list(slots)
    for i, ((_, param), path) in enumerate(zip(slots, paths, strict=False)):
        if param.name == "carry_kernel" and len(file.dataset(path).shape) == 1:
            out[i], out[i + 1] = out[i + 1], out[i]
    return out


def _pairs(
    wanted: list[tuple[Owner, list[Slot]]],
    groups: dict[str, list[str]],
    file: WeightFile,
    diagnostics: Diagnostics,
) -> list[tuple[Owner, list[Slot], list[str]]]:
    """Layers and groups by name; by order where no name agrees, or where names in another order do not fit."""
    matching = [o for o, _ in wanted if o.name in groups]
    if len(wanted) == len(groups) and all(
        o.name == g or not o.named for (o, _), g in zip(wanted, groups, strict=True)
    ):
        return [(o, slots, paths) for (o, slots), paths in zip(wanted, groups.values(), strict=True)]
    in_order = [(slots, paths) for (_, slots), paths in zip(wanted, groups.values(), strict=False)]
    by_name = [(slots, groups.get(o.name, [])) for o, slots in wanted]
    otherwise = len(matching) == len(wanted) and _fits(file, in_order) and not _fits(file, by_name)
    if len(wanted) == len(groups) and (not matching or otherwise):
        if wanted and not matching:
            diagnostics.warn(
                "KC405", "no layer of the weights file has a name of the model; they are taken in their order"
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


def _whole(value: Any) -> int | None:
    """A number of an attribute, None where it is none."""
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _keras0(
    file: WeightFile, owners: list[Owner], layers: Mapping[str, Layer], diagnostics: Diagnostics
) -> list[tuple[Slot, Source]]:
    """Keras 0.3: a group for each layer, also those without arrays, by number; a Graph's arrays in one row."""
    count = _whole(file.attributes("/").get("nb_layers"))
    if count is None and "nb_layers" not in file.attributes("/"):
        groups = [("/graph", [slot for owner in owners for slot in _slots(owner, layers)])]
    else:
        groups = [(f"/layer_{i}", _slots(owner, layers)) for i, owner in enumerate(owners)]
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


# ------------------------------------------------------------------ v3


def snake_case(class_name: str) -> str:
    """A class name as v3 files write it."""
    name = re.sub(r"\W+", "", class_name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def _container(file: WeightFile, base: str) -> str | None:
    """The group that holds the layers of a model. Keras 3.13 and before wrote none for a model without weights."""
    for name in ("layers", "_layer_checkpoint_dependencies"):
        path = f"{base}/{name}" if base else f"/{name}"
        if path in file:
            return path
    return None


def _numbered(
    file: WeightFile, container: str, owners: list[Owner], layers: Mapping[str, Layer]
) -> dict[int, str]:
    """The group of each owner, by its place. 2.12 to 2.14 skipped numbers: theirs go by their order."""
    out: dict[int, str] = {}
    counts: dict[str, int] = {}
    skipping = container.endswith("_layer_checkpoint_dependencies")
    present: dict[str, list[str]] = {}
    if skipping:
        for child in file.children(container):
            stem, _, number = child.rpartition("_")
            key = stem if number.isdigit() and stem else child
            present.setdefault(key, []).append(child)
        for key, names in present.items():
            names.sort(key=lambda n: int(n[len(key) + 1 :] or 0))
    for i, owner in enumerate(owners):
        snake = snake_case(owner.class_name)
        if skipping:
            if not _slots(owner, layers):
                continue
            with_arrays = [n for n in present.get(snake, []) if _holds_arrays(file, f"{container}/{n}")]
            n = counts.get(snake, 0)
            out[i] = f"{container}/{with_arrays[n]}" if n < len(with_arrays) else f"{container}/{snake}_{n}"
        else:
            n = counts.get(snake, 0)
            out[i] = f"{container}/{snake}_{n}" if n else f"{container}/{snake}"
        counts[snake] = n + 1
    return out


def _holds_arrays(file: WeightFile, group: str) -> bool:
    return any(path.startswith(f"{group}/") for path in file.datasets())


def _places(
    layer: Layer, here: Sequence[Param], path: str, said: quantized.Quantized | None
) -> Sequence[tuple[Param, Source]]:
    """Where a v3 file keeps each of these params of a layer."""
    if said is not None:
        paths = {name: f"{path}/vars/{n}" for n, name in enumerate(said.names(layer.params))}
        return [(param, quantized.source(said, param, paths)) for param in here]
    if not isinstance(layer.op, ops.SpectralNormalization):
        return [(param, f"{path}/vars/{n}") for n, param in enumerate(here)]
    *inner, vector = here  # the wrapper's own are the kernel once more, and the vector
    return [
        *((param, f"{path}/layer/vars/{n}") for n, param in enumerate(inner)),
        (vector, f"{path}/vars/1"),
    ]


def _place(level: list[Owner], index: int) -> str:
    """Where a layer inside of a layer stands below it; cells in a list are numbered by class."""
    owner = level[index]
    if owner.at is None or not owner.at.startswith("cells/"):
        return owner.at or owner.name
    snake = snake_case(owner.class_name)
    before = sum(snake_case(one.class_name) == snake for one in level[:index])
    return f"cells/{snake}_{before}" if before else f"cells/{snake}"


def _v3(
    file: WeightFile, owners: list[Owner], layers: Mapping[str, Layer], diagnostics: Diagnostics
) -> list[tuple[Slot, Source]]:
    out: list[tuple[Slot, Source]] = []
    read: set[str] = set()
    seen: set[tuple[str, tuple[str, ...] | None]] = set()
    for path, owner in _v3_places(file, owners, layers):
        if any(child.at == "cell" for child in owner.children):  # states of a stateful layer
            read |= {f"{path}/vars/{n}" for n in range(MOST_STATES)}
        if owner.replaced is not None:
            out += _replaced(owner.replaced, layers, file, path, read, diagnostics)
        layer = layers.get(owner.layer) if owner.layer else None
        if layer is None or (layer.name, owner.params) in seen:
            continue
        seen.add((layer.name, owner.params))
        here = [p for p in layer.params if owner.params is None or p.name in owner.params]
        here = [p for p in here if not lora.is_matrix(p.name)]  # v3 files have them in the kernel
        for param, source in _places(layer, here, path, owner.quantized):
            missing = next((one for one in sources(source) if one not in file), None)
            if missing is None:
                out.append(((layer, param), source))
                read.update(sources(source))
            else:
                what = f'the weights file has no `{param.name}` of "{layer.name}"'
                diagnostics.error("KC401", what, expected=missing)
        if isinstance(layer.op, ops.SpectralNormalization):
            read.add(f"{path}/vars/0")
        read |= {f"{path}/vars/{len(here) + n}" for n in range(EXTRA.get(owner.class_name, 0))}
    _left_over(file, read, diagnostics)
    return out


def _replaced(
    replaced: custom.Replaced,
    layers: Mapping[str, Layer],
    file: WeightFile,
    path: str,
    read: set[str],
    diagnostics: Diagnostics,
) -> list[tuple[Slot, Source]]:
    """The arrays of what stands for a custom layer."""
    held = custom.places(replaced, layers, file, path)
    for (inner, param), source in held:
        read.add(source)
        if source not in file:
            diagnostics.error(
                "KC401", f'the weights file has no `{param.name}` of "{inner.name}"', expected=source,
                hint="say the place of each array under `weights` of the replacement",
            )  # fmt: skip
    return [one for one in held if one[1] in file]


def _v3_places(
    file: WeightFile, owners: list[Owner], layers: Mapping[str, Layer]
) -> Iterator[tuple[str, Owner]]:
    """Each layer, and each layer inside of one, with its place in the file."""
    todo: list[tuple[str, list[Owner]]] = [("", owners)]
    while todo:
        base, level = todo.pop()
        container = _container(file, base)
        groups = _numbered(file, container, level, layers) if container else {}
        for i, owner in enumerate(level):
            if owner.at is not None:
                groups.pop(i, None)
            path = groups.get(i, f"{base}/{_place(level, i)}")
            if owner.params is not None and path not in file:  # tf.keras
                path = f"{base}/_{owner.at}"
            if owner.children:
                todo.append((path, owner.children))
            yield path, owner


def _left_over(file: WeightFile, read: set[str], diagnostics: Diagnostics) -> None:
    for path in file.datasets():
        aside = path.startswith(("/optimizer/", "/metrics/", "/_")) and "_layer_checkpoint" not in path
        aside = (
            aside or "/seed_generator/" in path or path.endswith("/vars/idf_weights")
        )  # assets.py reads them
        if path not in read and not aside:
            diagnostics.error("KC402", f"nothing of the model uses {path} of the weights file")


# ------------------------------------------------------------------ what releases stored otherwise


def _with_backend(dialect: Dialect, paths: list[str]) -> Dialect:
    """Keras 1 names no backend, but TensorFlow's arrays have names that end in ":0"."""
    import dataclasses

    if dialect.backend is None and dialect.release < (2,) and any(p.endswith(":0") for p in paths):
        return dataclasses.replace(dialect, backend="tensorflow")
    return dialect


def _spatial(param: Param) -> tuple[int, ...]:
    return tuple(i for i, letter in enumerate(param.axes) if letter in "DHW")


def _keras1_layout(array: LazyArray, op: Op, param: Param) -> LazyArray:
    """Kernels of Keras 0.3 and 1 in the layout of Keras 2."""
    if not isinstance(op, CONVOLUTIONS) or "kernel" not in param.name:
        return array
    spatial = len(_spatial(param))
    if spatial == 1 and len(array.shape) == 4:
        if array.shape[1] == 1 and array.shape[0] == param.shape[0]:  # (length, 1, in, out)
            return array.reshaped((array.shape[0], *array.shape[2:]))
        array = array.permuted((2, 3, 1, 0))  # before 1.1: (out, in, length, 1)
        return array.reshaped((array.shape[0], *array.shape[2:]))
    first = getattr(op, "data_format", "") == "channels_first"
    if isinstance(op, ops.TransposedConvolution):
        return array.permuted((2, 3, 0, 1) if first else (0, 1, 3, 2))
    return array.permuted((*range(2, spatial + 2), 1, 0)) if first else array


def _fitted(
    array: LazyArray, op: Op, param: Param, dialect: Dialect, diagnostics: Diagnostics, layer: Layer
) -> LazyArray | None:
    if dialect.release < (2,):
        array = _keras1_layout(array, op, param)
    op = op.layer if isinstance(op, (ops.SpectralNormalization, ops.LowRank)) else op
    flips = isinstance(op, FLIPPED) and "kernel" in param.name
    kernel = flips and any(param.shape[i] > 1 for i in _spatial(param))
    if not kernel:
        return array
    if dialect.backend is None and dialect.release < (2,):
        diagnostics.error(
            "KC108", f'the file does not say on which backend "{layer.name}" was trained, and Theano flips kernels',
            pointer=layer.pointer, hint="say --keras-backend theano or --keras-backend tensorflow",
        )  # fmt: skip
        return None
    return array.flipped(_spatial(param)) if dialect.backend == "theano" else array
