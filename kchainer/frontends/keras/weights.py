"""Arrays of Keras's weight files by the params they fill: legacy HDF5 by name or order, v3 files by path."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from kchainer.diagnostics import Diagnostics
from kchainer.files import WeightFile
from kchainer.frontends.keras import custom, lora, quantized
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.entries import Owner
from kchainer.frontends.keras.gates import Slot, Source, is_cudnn, joined_axis, of_cudnn
from kchainer.frontends.keras.layouts import fitted_to, with_backend
from kchainer.frontends.keras.legacy_weights import is_keras0, keras0, legacy, root_of
from kchainer.frontends.keras.matching import STRICT, Matching, tell_initial, tell_unused
from kchainer.frontends.keras.optimizers.gathered import Variable
from kchainer.frontends.keras.slots import EXTRA, lazy, of_source, slots_of, sources
from kchainer.ir import ops
from kchainer.ir.arrays import LazyArray
from kchainer.ir.graph import Layer
from kchainer.ir.op import Param

__all__ = ["arrays", "fitted", "lazy", "snake_case", "trained"]

Key = tuple[str, str]
MOST_STATES = 16


def arrays(
    file: WeightFile,
    owners: list[Owner],
    layers: Mapping[str, Layer],
    dialect: Dialect,
    diagnostics: Diagnostics,
    matching: Matching = STRICT,
) -> dict[Key, LazyArray]:
    """The array of each param. What is missing, left over or of another shape is reported."""
    root = root_of(file)
    found: list[tuple[Slot, Source]]
    if matching.by_name and root is None:
        hint = "skip_mismatch alone takes what fits from .weights.h5 and .keras"
        message = "by_name needs an .h5 file that lists its layers by name; this one does not"
        diagnostics.error("KC104", message, found=file.name, hint=hint)
        return {}
    if root is not None:
        found = legacy(file, root, owners, layers, diagnostics, matching)
    elif is_keras0(file):
        found = keras0(file, owners, layers, diagnostics)
    else:
        found = _v3(file, owners, layers, diagnostics, matching)
    dialect = with_backend(dialect, [sources(s)[0] for _, s in found])
    out = _fitting(file, found, dialect, diagnostics, matching)
    if root is None and matching.skip_mismatch:
        out = _before_misfits(found, out, diagnostics)
    if matching.is_partial and not diagnostics.has_errors:
        tell_initial(layers, out, diagnostics)
    return out if root is not None else lora.with_zeros(out, layers)


def _fitting(
    file: WeightFile,
    found: list[tuple[Slot, Source]],
    dialect: Dialect,
    diagnostics: Diagnostics,
    matching: Matching,
) -> dict[Key, LazyArray]:
    """The arrays that have the shapes of their params, once they are in their layout."""
    tell, out = matching.teller(diagnostics), {}
    made = [(slot, of_source(file, source, slot, tell)) for slot, source in found]
    raw = [(slot, array) for slot, array in made if array is not None]
    cudnn = {layer.name for (layer, param), array in raw if is_cudnn(layer, param, array.shape)}
    for (layer, param), stored in raw:
        if layer.name in cudnn:
            stored = of_cudnn(stored, layer, param)
        array = fitted_to(stored, layer.op, param, dialect, diagnostics, layer)
        if array is None:
            continue
        if array.shape != param.shape:
            what = f'`{param.name}` of "{layer.name}" has another shape in the weights file{matching.done}'
            tell(
                "KC403", what, pointer=layer.pointer,
                found=f"{list(array.shape)} in {array.source}", expected=str(list(param.shape)),
            )  # fmt: skip
            continue
        out[layer.name, param.name] = array
    return out


def _before_misfits(
    found: list[tuple[Slot, Source]], fitting: dict[Key, LazyArray], diagnostics: Diagnostics
) -> dict[Key, LazyArray]:
    """The arrays that Keras 3 loads from a v3 file: of each group those before the first that does not fit."""
    out: dict[Key, LazyArray] = {}
    stopped: set[str] = set()
    for (layer, param), source in found:
        key = (layer.name, param.name)
        wrapper = isinstance(layer.op, ops.SpectralNormalization)  # its kernel stands in its own group too
        group = layer.name if wrapper else sources(source)[0].rpartition("/")[0]
        if key not in fitting:
            stopped.add(group)
        elif group not in stopped:
            out[key] = fitting[key]
        else:
            shape = str(list(param.shape))
            message = f'`{param.name}` of "{layer.name}" comes after an array of another shape; skipped'
            diagnostics.warn("KC403", message, pointer=layer.pointer, found=shape, expected=shape)
    return out


def trained(
    owners: list[Owner], layers: Mapping[str, Layer], loaded: Mapping[Key, LazyArray], dialect: Dialect
) -> list[list[Variable]]:
    """What the model's optimizer updated, in the order of its variables; two orders where a release is not known.

    Keras sorted them by name up to 2.0.5 (seen in a file of it), and no longer in 2.3.1.
    """
    slots = {(layer.name, p.name): (layer, p) for owner in owners for layer, p in slots_of(owner, layers)}
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
    made = fitted_to(array, slot[0].op, slot[1], dialect, found, slot[0])
    return None if found.has_errors else made


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
            if not slots_of(owner, layers):
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
    file: WeightFile,
    owners: list[Owner],
    layers: Mapping[str, Layer],
    diagnostics: Diagnostics,
    matching: Matching,
) -> list[tuple[Slot, Source]]:
    out: list[tuple[Slot, Source]] = []
    read: set[str] = set()
    seen: set[tuple[str, tuple[str, ...] | None]] = set()
    for path, owner in _v3_places(file, owners, layers):
        if any(child.at == "cell" for child in owner.children):  # states of a stateful layer
            read |= {f"{path}/vars/{n}" for n in range(MOST_STATES)}
        if owner.replaced is not None:
            out += _replaced(owner.replaced, layers, file, path, read, matching.teller(diagnostics))
        layer = layers.get(owner.layer) if owner.layer else None
        if layer is None or (layer.name, owner.params) in seen:
            continue
        seen.add((layer.name, owner.params))
        here = [p for p in layer.params if owner.params is None or p.name in owner.params]
        here = [p for p in here if not lora.is_matrix(p.name)]  # v3 files have them in the kernel
        if quantized.is_unsaid(file, [f"{path}/vars/0"], owner.quantized, layer.name, diagnostics):
            read |= {one for one in file.datasets() if one.startswith(f"{path}/")}
            continue
        places = _places(layer, here, path, owner.quantized)
        mine = {one for _, source in places for one in sources(source)}
        mine |= {f"{path}/vars/{len(here) + n}" for n in range(EXTRA.get(owner.class_name, 0))}
        if isinstance(layer.op, ops.SpectralNormalization):
            mine.add(f"{path}/vars/0")
        read |= mine
        if matching.skip_mismatch and _miscounted(file, layer, f"{path}/vars", mine, read, diagnostics):
            continue
        out += _present(file, layer, places, diagnostics)
    unused = _left_over(file, read)
    if matching.skip_mismatch:
        tell_unused("arrays", unused, diagnostics)
    for one in unused if not matching.skip_mismatch else ():
        diagnostics.error("KC402", f"nothing of the model uses {one} of the weights file")
    return out


def _present(
    file: WeightFile, layer: Layer, places: Sequence[tuple[Param, Source]], diagnostics: Diagnostics
) -> Iterator[tuple[Slot, Source]]:
    """The params of a layer that the file has; the others are errors."""
    for param, source in places:
        missing = next((one for one in sources(source) if one not in file), None)
        if missing is None:
            yield (layer, param), source
        else:
            what = f'the weights file has no `{param.name}` of "{layer.name}"'
            diagnostics.error("KC401", what, expected=missing)


def _miscounted(
    file: WeightFile, layer: Layer, group: str, mine: set[str], read: set[str], diagnostics: Diagnostics
) -> bool:
    """Whether a layer has another number of arrays in the file: Keras then loads none of them."""
    if not layer.params:  # what a lookup keeps there is read elsewhere
        return False
    have = {f"{group}/{name}" for name in file.children(group)} if group in file else set()
    missing = [one for one in sorted(mine) if one not in file]
    more = have - mine
    read |= more
    if missing or more:
        diagnostics.warn(
            "KC401" if missing else "KC402", f'"{layer.name}" has another number of arrays in the weights file; skipped',
            pointer=layer.pointer, found=f"{len(mine) - len(missing) + len(more)} in {group}", expected=str(len(mine)),
        )  # fmt: skip
    return bool(missing or more)


def _replaced(
    replaced: custom.Replaced,
    layers: Mapping[str, Layer],
    file: WeightFile,
    path: str,
    read: set[str],
    tell: Callable[..., None],
) -> list[tuple[Slot, Source]]:
    """The arrays of what stands for a custom layer."""
    held = custom.places(replaced, layers, file, path)
    for (inner, param), source in held:
        read.add(source)
        if source not in file:
            tell(
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


def _left_over(file: WeightFile, read: set[str]) -> list[str]:
    """The arrays of a file that nothing takes, but for those that are no weights of layers."""
    out = []
    for path in file.datasets():
        aside = path.startswith(("/optimizer/", "/metrics/", "/_")) and "_layer_checkpoint" not in path
        # assets.py reads the weights of tokens
        aside = aside or "/seed_generator/" in path or path.endswith("/vars/idf_weights")
        if path not in read and not aside:
            out.append(path)
    return out
