"""The params of a layer in the order of weight files, and the arrays of a file that fill them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence

from kchainer.files import WeightFile
from kchainer.frontends.keras import lora, quantized
from kchainer.frontends.keras.entries import Owner
from kchainer.frontends.keras.gates import Slot, Source, joined_axis
from kchainer.ir import ops
from kchainer.ir.arrays import LazyArray
from kchainer.ir.graph import Layer
from kchainer.ir.op import Param

# Arrays behind the params that a class writes and nothing here needs.
EXTRA = {"Normalization": 1}  # count


def slots_of(owner: Owner, layers: Mapping[str, Layer]) -> list[Slot]:
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


def sources(source: Source) -> tuple[str, ...]:
    """The paths of a param's array: one, or one for each gate."""
    if isinstance(source, quantized.Stored):
        return tuple(source.paths.values())
    if isinstance(source, lora.Merged):
        return source.kernel, source.a, source.b
    return (source,) if isinstance(source, str) else tuple(source)


def of_source(file: WeightFile, source: Source, slot: Slot, tell: Callable[..., None]) -> LazyArray | None:
    """The array that a file has for a param, as it is stored; None where its parts do not go together, which is told."""
    if isinstance(source, quantized.Stored):
        return quantized.lazy(file, source, *slot, tell)
    if isinstance(source, lora.Merged):
        return lora.lazy(source, slot, [lazy(file, path) for path in sources(source)], tell)
    if isinstance(source, str):
        return lazy(file, source)
    layer, param = slot
    parts = tuple(lazy(file, one) for one in source)
    first = parts[0].shape
    odd = next((part for part in parts if not part.shape or part.shape != first), None)
    if odd is None:
        return LazyArray.joined(parts, joined_axis(*slot))
    tell(
        "KC403", f'the gates of `{param.name}` of "{layer.name}" have different shapes in the weights file',
        pointer=layer.pointer, found=f"{list(odd.shape)} in {odd.source}", expected=str(list(first or param.shape)),
    )  # fmt: skip
    return None


def lazy(file: WeightFile, path: str) -> LazyArray:
    """A dataset of a file."""
    read, fill = functools.partial(file.read, path), functools.partial(file.copy_to, path)
    return LazyArray(file.dataset(path).shape, path, read, fill)
