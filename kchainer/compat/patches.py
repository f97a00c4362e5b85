"""What is wrong between Chainer 7.8.1 and today's libraries, one entry a cause."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True)
class Patch:
    """One repair: the modules it touches, what a user would see without it, why, and what is changed."""

    id: str
    modules: tuple[str, ...]
    symptom: str
    cause: str
    fix: str


PATCHES = (
    Patch(
        "environment-check",
        ("chainer._environment_check",),
        "ModuleNotFoundError: numpy.distutils, distutils.msvccompiler or pkg_resources, at import",
        "looks for macOS's Accelerate and for mismatched CuPy packages by modules that are gone",
        "the module is replaced by one whose `check()` does nothing",
    ),
    Patch(
        "sctypes",
        ("chainer.functions.array.as_strided",),
        "AttributeError: np.sctypes was removed in the NumPy 2.0 release, at import",
        "np.sctypes is read at import and in backward",
        "the module is compiled with a constant in place of `np.sctypes`",
    ),
    Patch(
        "float-alias",
        ("chainer.functions.array.resize_images",),
        "AttributeError: module 'numpy' has no attribute 'float', when called",
        "numpy.float is gone since NumPy 1.24",
        "the module is compiled with `float` in place of `numpy.float`",
    ),
    Patch(
        "deconv-no-x-grad",
        ("chainer.functions.connection.deconvolution_2d",),
        "ValueError: not enough values to unpack, in backward when the input needs no gradient",
        "a bug of 7.8.1: arrays are handed over where shapes are wanted",
        "`Deconvolution2DFunction._set_cover_all` takes the shape of an array",
    ),
    Patch(
        "pad-out-of-bounds",
        ("chainer.functions.array.pad_sequence",),
        "OverflowError: Python integer -1 out of bounds for uint8",
        "NumPy 1 wrapped Python integers around, NumPy 2 raises",
        "`PadSequence.forward` casts the padding to the dtype of the arrays first",
    ),
    Patch(
        "meshgrid-tuple",
        ("chainer.distributions.categorical",),
        'TypeError: can only concatenate tuple (not "list") to tuple, in Categorical.log_prob',
        "numpy.meshgrid returns a tuple since NumPy 2.0",
        "`Categorical.log_prob` makes a list of it",
    ),
    Patch(
        "debug-print-device",
        ("chainer.variable",),
        "Variable.debug_print() says `device: cpu` for `device: CPU`",
        "arrays have a `device` of their own since NumPy 2.0",
        "the word is replaced in the text that `Variable.debug_print` returns",
    ),
    Patch(
        "pkg-resources",
        ("chainer.testing.helper", "chainer.testing.doctest_helper"),
        "ModuleNotFoundError: pkg_resources, at import of chainer.testing and chainer.gradient_check",
        "setuptools 82 dropped pkg_resources",
        "`import pkg_resources` in these two modules gives a stand-in; other modules see no difference",
    ),
    Patch(
        "cudnn-advice",
        ("chainer.backends.cuda",),
        "UserWarning: cuDNN is not enabled. Please reinstall CuPy, at the first use of a GPU",
        "CuPy 14 dropped its cuDNN wrapper: there is nothing to reinstall",
        "`_cudnn_disabled_by_user` is set, as `CHAINER_CUDNN=0` does, with CuPy 14 or newer",
    ),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Rewrite:
    """Attributes of numpy, and the name put in place of each in the syntax tree of a module."""

    id: str
    names: dict[str, str]


REWRITES = {
    "chainer.functions.array.as_strided": Rewrite("sctypes", {"sctypes": "_kchainer_sctypes"}),
    "chainer.functions.array.resize_images": Rewrite("float-alias", {"float": "float"}),
}
PKG_RESOURCES_USERS = next(patch.modules for patch in PATCHES if patch.id == "pkg-resources")


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


def _deconvolution(module: Any) -> bool:
    cls = module.Deconvolution2DFunction
    original = cls._set_cover_all

    def set_cover_all(self: Any, x: Any, w: Any) -> None:
        original(self, getattr(x, "shape", x), getattr(w, "shape", w))

    cls._set_cover_all = set_cover_all
    return True


def _pad_sequence(module: Any) -> bool:
    import numpy as np

    cls = module.PadSequence
    original = cls.forward

    def forward(self: Any, xs: Any) -> Any:
        if isinstance(self.padding, int) and xs[0].dtype.kind in "iu":
            self.padding = np.int64(self.padding).astype(xs[0].dtype)
        return original(self, xs)

    cls.forward = forward
    return True


def _categorical(module: Any) -> bool:
    import numpy as np

    def log_prob(self: Any, x: Any) -> Any:
        grid = list(np.meshgrid(*(range(i) for i in self.batch_shape), indexing="ij"))
        x = getattr(x, "array", x)
        return self.log_p[(*grid, x.astype(np.int32))]

    module.Categorical.log_prob = log_prob
    return True


def _debug_print(module: Any) -> bool:
    original = module.Variable.debug_print

    def debug_print(self: Any) -> str:
        return str(original(self)).replace("- device: cpu\n", "- device: CPU\n")

    module.Variable.debug_print = debug_print
    return True


def _cudnn_advice(module: Any) -> bool:
    # Without CuPy the module has no `_cudnn_disabled_by_user`, and CuPy 13 may well be short of a cuDNN.
    if not module.available or module.cudnn_enabled or module._cupy_major < 14:
        return False
    module._cudnn_disabled_by_user = True
    return True


# module -> (patch, what is done once the module has run; False: nothing was to be done)
AFTER: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "chainer.functions.connection.deconvolution_2d": ("deconv-no-x-grad", _deconvolution),
    "chainer.functions.array.pad_sequence": ("pad-out-of-bounds", _pad_sequence),
    "chainer.distributions.categorical": ("meshgrid-tuple", _categorical),
    "chainer.variable": ("debug-print-device", _debug_print),
    "chainer.backends.cuda": ("cudnn-advice", _cudnn_advice),
}
