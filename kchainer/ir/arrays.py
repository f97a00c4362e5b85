"""Arrays that are read when they are needed, once, with the transforms that their file's layout asks for."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


@dataclasses.dataclass(frozen=True, slots=True)
class LazyArray:
    """An array of a file.

    ``read`` gives the array in the layout of the param (Keras's), a new one or a view of the file; ``shape`` is
    that of what ``read`` gives; ``source`` says where it stands, for messages. ``fill``, where the file can, puts
    the values into an array of that shape, or a view in any order, without a second copy of the whole. ``parts``
    says where each part of one stands that several arrays of the file make up.
    """

    shape: tuple[int, ...]
    source: str
    read: Callable[[], np.ndarray[Any, Any]]
    fill: Callable[[Any], None] | None = None
    parts: tuple[str, ...] = ()

    def copy_to(self, target: np.ndarray[Any, Any]) -> None:
        """Put the values into ``target``, which has this shape and may be a view in any order."""
        import numpy

        if self.fill is not None:
            self.fill(target)
        else:
            numpy.copyto(target, self.read(), casting="same_kind")

    def permuted(self, axes: tuple[int, ...]) -> LazyArray:
        """The same array with its axes in another order."""
        shape = tuple(self.shape[a] for a in axes)
        back = tuple(axes.index(a) for a in range(len(axes)))
        return LazyArray(
            shape,
            self.source,
            lambda: self.read().transpose(axes),
            lambda target: self.copy_to(target.transpose(back)),
            self.parts,
        )

    def reshaped(self, shape: tuple[int, ...]) -> LazyArray:
        """The same values under another shape."""
        return LazyArray(shape, self.source, lambda: self.read().reshape(shape), None, self.parts)

    def flipped(self, axes: tuple[int, ...]) -> LazyArray:
        """The same array with these axes reversed (Theano's true convolutions)."""
        index = (*(slice(None, None, -1) if i in axes else slice(None) for i in range(len(self.shape))), ...)
        return LazyArray(
            self.shape,
            self.source,
            lambda: self.read()[index],
            lambda target: self.copy_to(target[index]),
            self.parts,
        )

    @staticmethod
    def joined(parts: tuple[LazyArray, ...], axis: int) -> LazyArray:
        """Arrays one behind the other along ``axis``."""
        shape = list(parts[0].shape)
        shape[axis] = sum(p.shape[axis] for p in parts)

        def read() -> Any:
            import numpy as np

            return np.concatenate([p.read() for p in parts], axis)

        return LazyArray(tuple(shape), parts[0].source, read, None, tuple(p.source for p in parts))

    def mapped(self, function: Callable[[Any], Any]) -> LazyArray:
        """Another array of the same shape, computed when it is read."""
        return LazyArray(self.shape, self.source, lambda: function(self.read()), None, self.parts)


@dataclasses.dataclass(frozen=True, slots=True)
class _Held:
    array: np.ndarray[Any, Any]

    def __call__(self) -> np.ndarray[Any, Any]:
        return self.array


def held(array: np.ndarray[Any, Any], source: str) -> LazyArray:
    """An array in memory, which can be pickled."""
    return LazyArray(tuple(array.shape), source, _Held(array))
