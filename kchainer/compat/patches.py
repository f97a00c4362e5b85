"""What is wrong between Chainer 7.8.1 and today's libraries, one entry a cause."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True)
class Patch:
    """One repair: the module it touches, what a user would see without it, and why."""

    id: str
    module: str
    symptom: str
    cause: str


PATCHES = (
    Patch(
        "environment-check",
        "chainer._environment_check",
        "ModuleNotFoundError: numpy.distutils, distutils.msvccompiler or pkg_resources, at import",
        "looks for macOS's Accelerate and for mismatched CuPy packages by modules that are gone",
    ),
    Patch(
        "sctypes",
        "chainer.functions.array.as_strided",
        "AttributeError: np.sctypes was removed in the NumPy 2.0 release, at import",
        "np.sctypes is read at import and in backward",
    ),
    Patch(
        "float-alias",
        "chainer.functions.array.resize_images",
        "AttributeError: module 'numpy' has no attribute 'float', when called",
        "numpy.float is gone since NumPy 1.24",
    ),
    Patch(
        "deconv-no-x-grad",
        "chainer.functions.connection.deconvolution_2d",
        "ValueError: not enough values to unpack, in backward when the input needs no gradient",
        "a bug of 7.8.1: arrays are handed over where shapes are wanted",
    ),
    Patch(
        "pad-out-of-bounds",
        "chainer.functions.array.pad_sequence",
        "OverflowError: Python integer -1 out of bounds for uint8",
        "NumPy 1 wrapped Python integers around, NumPy 2 raises",
    ),
    Patch(
        "meshgrid-tuple",
        "chainer.distributions.categorical",
        'TypeError: can only concatenate tuple (not "list") to tuple, in Categorical.log_prob',
        "numpy.meshgrid returns a tuple since NumPy 2.0",
    ),
    Patch(
        "debug-print-device",
        "chainer.variable",
        "Variable.debug_print() says `device: cpu` for `device: CPU`",
        "arrays have a `device` of their own since NumPy 2.0",
    ),
    Patch(
        "pkg-resources",
        "chainer.testing.helper",
        "ModuleNotFoundError: pkg_resources, at import of chainer.testing and chainer.gradient_check",
        "setuptools 82 dropped pkg_resources",
    ),
)

# module -> {attribute of numpy: name put in its place}; applied to the syntax tree
REWRITES = {
    "chainer.functions.array.as_strided": {"sctypes": "_kchainer_sctypes"},
    "chainer.functions.array.resize_images": {"float": "float"},
}
PKG_RESOURCES_USERS = ("chainer.testing.helper", "chainer.testing.doctest_helper")


def injected(name: str) -> Any:
    """The value of a name that a rewrite puts in; NumPy is imported here, when Chainer is."""
    import numpy as np

    assert name == "_kchainer_sctypes"
    return {
        "int": [np.int8, np.int16, np.int32, np.int64],
        "uint": [np.uint8, np.uint16, np.uint32, np.uint64],
        "float": [np.float16, np.float32, np.float64, np.longdouble],
        "complex": [np.complex64, np.complex128, np.clongdouble],
        "others": [bool, object, bytes, str, np.void],
    }


def _deconvolution(module: Any) -> None:
    cls = module.Deconvolution2DFunction
    original = cls._set_cover_all

    def set_cover_all(self: Any, x: Any, w: Any) -> None:
        original(self, getattr(x, "shape", x), getattr(w, "shape", w))

    cls._set_cover_all = set_cover_all


def _pad_sequence(module: Any) -> None:
    import numpy as np

    cls = module.PadSequence
    original = cls.forward

    def forward(self: Any, xs: Any) -> Any:
        if isinstance(self.padding, int) and xs[0].dtype.kind in "iu":
            self.padding = np.int64(self.padding).astype(xs[0].dtype)
        return original(self, xs)

    cls.forward = forward


def _categorical(module: Any) -> None:
    import numpy as np

    def log_prob(self: Any, x: Any) -> Any:
        grid = list(np.meshgrid(*(range(i) for i in self.batch_shape), indexing="ij"))
        x = getattr(x, "array", x)
        return self.log_p[(*grid, x.astype(np.int32))]

    module.Categorical.log_prob = log_prob


def _debug_print(module: Any) -> None:
    original = module.Variable.debug_print

    def debug_print(self: Any) -> str:
        return str(original(self)).replace("- device: cpu\n", "- device: CPU\n")

    module.Variable.debug_print = debug_print


# module -> (patch, what is done once the module has run)
AFTER: dict[str, tuple[str, Callable[[Any], None]]] = {
    "chainer.functions.connection.deconvolution_2d": ("deconv-no-x-grad", _deconvolution),
    "chainer.functions.array.pad_sequence": ("pad-out-of-bounds", _pad_sequence),
    "chainer.distributions.categorical": ("meshgrid-tuple", _categorical),
    "chainer.variable": ("debug-print-device", _debug_print),
}


def stand_in_for_pkg_resources() -> types.ModuleType:
    """The names that ``chainer.testing`` asks of pkg_resources."""
    module = types.ModuleType("pkg_resources")

    class ResolutionError(Exception):
        pass

    class WorkingSet:
        def require(self, *requirements: str) -> None:
            from importlib import metadata

            for requirement in requirements:
                try:
                    metadata.version(requirement.split("=")[0].split("<")[0].split(">")[0].strip())
                except metadata.PackageNotFoundError as missing:
                    raise ResolutionError(str(missing)) from None

    names = {"ResolutionError": ResolutionError, "DistributionNotFound": ResolutionError}
    module.__dict__.update(names, VersionConflict=ResolutionError, WorkingSet=WorkingSet)
    return module
