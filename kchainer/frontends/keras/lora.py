"""LoRA of Keras 3: a kernel that stays and the product of two thin matrices that is added to it and learned.

Keras's own ``.keras`` and ``.weights.h5`` hold the sum, and both matrices are zero after it has loaded one; its
legacy ``.h5`` files hold all three.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from kchainer.frontends.fields import Config, Wrong
from kchainer.frontends.keras.initializers import INITIALIZERS
from kchainer.ir import ops
from kchainer.ir.arrays import LazyArray

if TYPE_CHECKING:
    from kchainer.frontends.keras.dialect import Dialect
    from kchainer.frontends.keras.entries import Owner
    from kchainer.frontends.keras.gates import Slot
    from kchainer.frontends.keras.quantized import Quantized
    from kchainer.ir.graph import Layer
    from kchainer.ir.op import Op

How = Literal["merge", "keep"]
MATRICES = ("_a", "_b")


@dataclasses.dataclass(frozen=True, slots=True)
class Lora:
    """What a layer's config says: its kernel is that of the file + alpha / rank * A B. ``keep``: apart."""

    rank: int
    alpha: float
    keep: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Merged:
    """Where a kernel stands in a legacy file, and the two matrices that are added to it."""

    kernel: str
    a: str
    b: str
    scale: float


def of_config(config: Config, quantized: Quantized | None, how: How) -> Lora | None:
    """What a config says of LoRA; None where it says nothing. Raises Wrong."""
    rank = vars(config).get("lora_rank")
    if rank is None:
        return None
    if quantized is not None and quantized.mode == "float8":
        raise Wrong("no LoRA beside float8, which Keras cannot compute", code="KC204")
    if quantized is not None and how == "keep":
        raise Wrong(
            "no LoRA beside a quantised kernel",
            code="KC204",
            hint="read it with `lora` left at merge: Keras saves the merged kernel",
        )
    alpha = vars(config).get("lora_alpha")
    return Lora(rank, float(rank if alpha is None else alpha), how == "keep")


def settle(config: Config, dialect: Dialect) -> None:
    """The settings of the two matrices, which have the kernel's regularizer; a kernel that stays has none."""
    said = vars(config)
    name = "embeddings" if "embeddings_initializer" in said else "kernel"
    for matrix, start in zip(MATRICES, ("he_uniform", "zeros"), strict=True):
        said[f"lora_{name}{matrix}_initializer"] = INITIALIZERS.read(start, dialect)
        said[f"lora_{name}{matrix}_regularizer"] = said.get(f"{name}_regularizer")
    said[f"{name}_regularizer"] = None


def kept(chain: tuple[Op, ...], said: Lora | None) -> tuple[Op, ...]:
    """The ops of a layer, its two matrices beside its kernel where they are kept."""
    if said is None or not said.keep:
        return chain
    kinds = (ops.Dense, ops.EinsumDense, ops.Convolution, ops.Embedding)
    return tuple(
        ops.LowRank(layer=op, rank=said.rank, alpha=said.alpha) if isinstance(op, kinds) else op
        for op in chain
    )


# ------------------------------------------------------------------ arrays


def by_layer(owners: Iterable[Owner]) -> dict[str, Lora]:
    """What each layer's config says, layers inside of layers too."""
    out: dict[str, Lora] = {}
    todo = list(owners)
    while todo:
        one = todo.pop()
        if one.lora is not None and one.layer is not None:
            out[one.layer] = one.lora
        todo += one.children
    return out


def _name(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(":0")


def is_matrix(name: str) -> bool:
    """Whether a param or an array of this name is one of the two."""
    return name.startswith("lora_") and name.endswith(MATRICES)


def without_matrices(paths: Sequence[str]) -> list[str]:
    """The arrays of a group of a legacy file but for the matrices, which go with their kernel."""
    return [path for path in paths if not is_matrix(_name(path))]


def merged(path: str, beside: Sequence[str], said: Lora | None) -> str | Merged:
    """The place of a kernel in a legacy file, with those of its matrices where the file has them."""
    if said is None or said.keep:
        return path
    base, _, _ = path.rpartition("/")
    found = [next((p for p in beside if p == f"{base}/lora_{_name(path)}{m}"), None) for m in MATRICES]
    a, b = found
    return path if a is None or b is None else Merged(path, a, b, said.alpha / said.rank)


def lazy(
    merged: Merged, slot: Slot, stored: Sequence[LazyArray], tell: Callable[..., None]
) -> LazyArray | None:
    """The kernel as the layer uses it; None where the matrices have another shape, which is told."""
    kernel, a, b = stored
    layer, param = slot
    rank = a.shape[-1] if a.shape else 0
    for matrix, shape in ((a, (*kernel.shape[:-1], rank)), (b, (rank, *kernel.shape[-1:]))):
        if matrix.shape != shape:
            tell(
                "KC403", f'a matrix of LoRA beside `{param.name}` of "{layer.name}" has another shape in the weights file',
                pointer=layer.pointer, found=f"{list(matrix.shape)} in {matrix.source}", expected=str(list(shape)),
            )  # fmt: skip
            return None

    def read() -> Any:
        import numpy as np

        return kernel.read() + np.float32(merged.scale) * np.tensordot(a.read(), b.read(), 1)

    return LazyArray(kernel.shape, kernel.source, read)


def with_zeros(
    arrays: Mapping[tuple[str, str], LazyArray], layers: Mapping[str, Layer]
) -> dict[tuple[str, str], LazyArray]:
    """Zeros for the matrices of layers whose kernel the file has merged, as Keras leaves them after loading."""
    out = dict(arrays)
    for layer in layers.values():
        if not isinstance(layer.op, ops.LowRank):
            continue
        kernel = next(
            (out[k] for k in ((layer.name, "kernel"), (layer.name, "embeddings")) if k in out), None
        )
        for param in layer.params:
            if kernel is not None and is_matrix(param.name):
                out[layer.name, param.name] = _zeros(param.shape, kernel.source)
    return out


def _zeros(shape: tuple[int, ...], source: str) -> LazyArray:
    def read() -> Any:
        import numpy as np

        return np.zeros(shape, "float32")

    return LazyArray(shape, source, read)


def frozen(said: Mapping[str, Lora]) -> set[tuple[str, str]]:
    """The kernels that Keras does not learn, by layer and param: they stand behind what it learns."""
    return {(layer, name) for layer in said for name in ("kernel", "embeddings")}
