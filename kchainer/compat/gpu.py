"""Whether Chainer can use a GPU, and why not: Chainer itself keeps the reason to itself."""

from __future__ import annotations

import dataclasses
import importlib.util
from typing import Any

CUPY = 'pip install "cupy-cuda12x[ctk]" brings CuPy with the libraries it needs'


@dataclasses.dataclass(frozen=True, slots=True)
class Gpu:
    """What was found: the device's name, or the first reason why there is none and what helps."""

    available: bool
    found: str
    hint: str = ""
    cudnn: str = ""


def gpu() -> Gpu:
    """Look for a GPU as Chainer does, then ask the driver. Imports Chainer, and CuPy where it is installed."""
    if importlib.util.find_spec("cupy") is None:
        return Gpu(False, "CuPy is not installed", CUPY)
    from chainer.backends import cuda

    if not cuda.available:
        # A ctypes or CuPy error of many lines: the first one names the library.
        return Gpu(False, f"CuPy does not import: {_first_line(cuda._resolution_error)}", CUPY)
    try:
        count = cuda.cupy.cuda.runtime.getDeviceCount()
        if not count:
            return Gpu(False, "the driver reports no device", "is CUDA_VISIBLE_DEVICES empty?")
        name = cuda.cupy.cuda.runtime.getDeviceProperties(0)["name"].decode()
    except cuda.cupy.cuda.runtime.CUDARuntimeError as error:
        return Gpu(False, _first_line(error), "`nvidia-smi` shows whether the driver sees a device")
    return Gpu(True, f"{count} device{'s' if count > 1 else ''}, {name}", cudnn=_cudnn(cuda))


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def _cudnn(cuda: Any) -> str:
    if cuda.cudnn_enabled:
        return "used"
    if cuda._cupy_major >= 14:
        return "not used: CuPy 14 has none; convolutions run as matrix products"
    return f"not used: {_first_line(cuda._resolution_error)}"
