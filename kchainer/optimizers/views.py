"""How a parameter's array stands to the variable of Keras that it came from."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True)
class View:
    """A parameter as the source's variable: reshaped to ``shape``, then its axes in the order ``axes``.

    Rules that look at rows and columns (Adafactor, Muon) and norms over axes see the array through it. ``name`` is
    the variable's path at the source, which exclusion patterns are matched with. None leaves a thing as it is.
    """

    name: str | None = None
    shape: tuple[int, ...] | None = None
    axes: tuple[int, ...] | None = None

    def logical(self, array: Any) -> Any:
        """``array`` in the source's layout; shares memory wherever NumPy can."""
        if self.shape is not None:
            array = array.reshape(self.shape)
        return array if self.axes is None else array.transpose(self.axes)

    def physical(self, array: Any, shape: tuple[int, ...]) -> Any:
        """The way back, to the parameter's ``shape``."""
        if self.axes is not None:
            array = array.transpose([self.axes.index(i) for i in range(len(self.axes))])
        return array.reshape(shape)


SAME = View()
Views = Mapping[str, View]


def checked(views: Views, known: Iterable[str]) -> Views:
    """``views``. Raises KeyError for a path that is no parameter."""
    unknown = sorted(set(views) - set(known))
    if unknown:
        raise KeyError(f"{unknown[0]} is no parameter of the target")
    return views
