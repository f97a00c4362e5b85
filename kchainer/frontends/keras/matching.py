"""How the arrays of a weight file find their layers, and what happens to those that do not fit."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence

from kchainer.diagnostics import Diagnostics
from kchainer.ir.graph import Layer

MOST_NAMES = 8


@dataclasses.dataclass(frozen=True, slots=True)
class Matching:
    """As in Keras's ``load_weights``.

    Attributes:
        by_name: layers take the arrays of the layers of their names; others are left as they are.
        skip_mismatch: what does not fit is left out and told, instead of an error.
    """

    by_name: bool = False
    skip_mismatch: bool = False

    @property
    def is_partial(self) -> bool:
        """Not all arrays have to be there."""
        return self.by_name or self.skip_mismatch

    def teller(self, diagnostics: Diagnostics) -> Callable[..., None]:
        """Tells what does not fit: as a warning where that is skipped, else as an error."""
        return diagnostics.warn if self.skip_mismatch else diagnostics.error

    @property
    def done(self) -> str:
        """What a message adds."""
        return "; skipped" if self.skip_mismatch else ""


STRICT = Matching()


def names(some: Sequence[str]) -> str:
    """A list of names, cut off where it is long."""
    more = len(some) - MOST_NAMES
    return ", ".join(some[:MOST_NAMES]) + (f" and {more:,} more" if more > 0 else "")


def tell_unused(kind: str, unused: Sequence[str], diagnostics: Diagnostics) -> None:
    """One warning of all that a file has and nothing of the model takes."""
    if unused:
        message = f"nothing of the model takes {len(unused):,} of the {kind} of the weights file"
        diagnostics.warn("KC402", message, found=names(unused))


def tell_initial(
    layers: Mapping[str, Layer], loaded: Iterable[tuple[str, str]], diagnostics: Diagnostics
) -> None:
    """One warning of the layers for which the file gave nothing."""
    given = {layer for layer, _ in loaded}
    without = [name for name, layer in layers.items() if layer.params and name not in given]
    if without:
        what = "1 layer" if len(without) == 1 else f"{len(without):,} layers"
        message = f"{what} got no weights; initial values are those of the initializers"
        diagnostics.warn("KC407", message, found=names(without))
