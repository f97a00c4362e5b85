"""What a ``.keras`` file keeps of lookups beside the config: vocabularies as text, weights of tokens as arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kchainer.files import KerasArchive
from kchainer.frontends.keras.layers.preprocessing import Kept
from kchainer.frontends.keras.weights import snake_case

if TYPE_CHECKING:
    from kchainer.frontends.keras.entries import Owner

# Classes with a vocabulary.
LOOKUPS = frozenset(["StringLookup", "IntegerLookup", "TextVectorization"])
WEIGHTS = "vars/idf_weights"


def places(owners: list[Owner]) -> dict[int, str]:
    """The group of each layer, nested ones too, as Keras numbers them; by ``id`` of the owner."""
    out: dict[int, str] = {}
    todo = [("", owners)]
    while todo:
        base, level = todo.pop()
        counts: dict[str, int] = {}
        for owner in level:
            name = snake_case(owner.class_name)
            number = counts.get(name, 0)
            counts[name] = number + 1
            path = f"{base}layers/{name}_{number}" if number else f"{base}layers/{name}"
            out[id(owner)] = path
            if owner.children:
                todo.append((f"{path}/", owner.children))
    return out


class Assets:
    """The vocabularies of an archive, by layer. Without an archive there are none."""

    def __init__(self, archive: KerasArchive | None) -> None:
        self._archive = archive
        self._places: dict[int, str] = {}

    def of(self, owner: Owner, owners: list[Owner]) -> Kept:
        """What the archive keeps of a layer; ``owners`` are all layers of the model."""
        if self._archive is None:
            return Kept()
        if not self._places:
            self._places = places(owners)
        path = self._places.get(id(owner))
        if path is None:
            return Kept()
        return Kept(self._vocabulary(path), self._weights(path))

    def _vocabulary(self, path: str) -> tuple[str, ...] | None:
        data = self._archive.asset(f"assets/{path}/vocabulary.txt") if self._archive is not None else None
        if data is None:
            return None
        # written without a newline at the end: where one stands there, the last token is empty
        return tuple(data.decode("utf-8", "replace").replace("\r\n", "\n").split("\n"))

    def _weights(self, path: str) -> tuple[float, ...] | None:
        file = self._archive.weights if self._archive is not None else None
        if file is None or f"/{path}/{WEIGHTS}" not in file:
            return None
        return tuple(file.read(f"/{path}/{WEIGHTS}").astype("float64").reshape(-1).tolist())
