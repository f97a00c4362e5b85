"""Starting values of params that no file gives."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from kchainer.diagnostics import Diagnostic, KchainerError
from kchainer.ir import initializers as ir
from kchainer.ir import ops
from kchainer.ir.definition import Setting
from kchainer.ir.graph import Layer
from kchainer.ir.op import Param
from kchainer.ir.settings import setting

ONES = ("gamma", "moving_variance", "scale", "variance")
KERNELS = ir.VarianceScaling(
    scale=1.0, mode="fan_avg", distribution="uniform", clip=False, input_axes=None, output_axes=None, root_ranks=(),
    seed=None,
)  # fmt: skip
Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]
# The deviation of a normal distribution that is cut at two deviations.
CUT = 0.87962566103423978


def initial(param: Param, layer: Layer, dtype: str) -> Array:
    """Values for a param: by its initializer, or by the one that Keras gives such a param."""
    one = setting(layer.settings, param.name, "initializer") or _usual(param, layer)
    wrong = one.fits(param.shape)
    if wrong is not None:
        message = f'initializer {one.name} of `{param.name}` of "{layer.name}" does not fit: {wrong}'
        raise KchainerError(Diagnostic(code="KC301", message=message, pointer=layer.pointer))
    return values(one, param.shape).astype(dtype)


def _usual(param: Param, layer: Layer) -> ir.Initializer:
    scales = isinstance(layer.op, ops.Float8) and param.name.endswith("_scale")
    if scales or param.name in ONES:
        return ir.Ones()
    if param.name == "embeddings":
        return ir.RandomUniform(low=-0.05, high=0.05, seed=None)
    return KERNELS if len(param.shape) > 1 and "kernel" in param.name else ir.Zeros()


def _random(one: Any) -> Any:
    """NumPy's own stream, which Chainer's initializers use, or one of the seed."""
    return np.random if one.seed is None else np.random.RandomState(one.seed % 2**32)


@functools.singledispatch
def values(one: Setting, shape: Shape) -> Array:
    """An array of this shape by an initializer, in float64."""
    raise TypeError(f"no values for {one}")


@values.register
def _(one: ir.Zeros, shape: Shape) -> Array:
    return np.zeros(shape)


@values.register
def _(one: ir.Ones, shape: Shape) -> Array:
    return np.ones(shape)


@values.register
def _(one: ir.Constant, shape: Shape) -> Array:
    given = np.array(one.value, "float64")
    return np.broadcast_to(given.reshape(one.shape) if given.ndim else given, shape).copy()


@values.register
def _(one: ir.RandomUniform, shape: Shape) -> Array:
    return np.asarray(_random(one).uniform(one.low, one.high, shape))


@values.register
def _(one: ir.RandomNormal, shape: Shape) -> Array:
    return _normal(_random(one), shape, cut=one.truncated, clip=one.clip) * one.stddev + one.mean


@values.register
def _(one: ir.VarianceScaling, shape: Shape) -> Array:
    variance, random = one.variance(shape), _random(one)
    if one.distribution == "uniform":
        bound = math.sqrt(3 * variance)
        return np.asarray(random.uniform(-bound, bound, shape))
    stddev = math.sqrt(variance) / (CUT if one.distribution == "truncated_normal" else 1)
    return _normal(random, shape, cut=one.distribution != "normal", clip=one.clip) * stddev


@values.register
def _(one: ir.Orthogonal, shape: Shape) -> Array:
    rows = tuple(range(len(shape) - 1)) if one.rows is None else one.rows
    order = (*rows, *(a for a in range(len(shape)) if a not in rows))
    height = math.prod(shape[a] for a in rows)
    width = math.prod(shape) // max(height, 1)
    q, r = np.linalg.qr(_random(one).standard_normal((max(height, width), min(height, width))))
    q = q * np.sign(np.diag(r))
    matrix = q if height >= width else q.T
    moved = matrix.reshape([shape[a] for a in order])
    return one.gain * moved.transpose([order.index(a) for a in range(len(shape))])


@values.register
def _(one: ir.Identity, shape: Shape) -> Array:
    rows, columns = shape
    return np.eye(rows, columns) * one.gain


@values.register
def _(one: ir.STFT, shape: Shape) -> Array:
    frame, _, frequencies = shape
    phase = np.arange(frame)[:, None, None] * np.arange(frequencies) * (-math.pi / (frequencies - 1))
    kernel = np.cos(phase) if one.side == "real" else np.sin(phase)
    if one.window is None:
        return np.broadcast_to(kernel, shape).copy()
    window = _window(one, frame)
    size = {"density": math.sqrt((window**2).sum()), "spectrum": np.abs(window).sum(), None: 1.0}
    return np.broadcast_to(kernel * (window / size[one.scaling])[:, None, None], shape).copy()


def _normal(random: Any, shape: Shape, *, cut: bool, clip: bool) -> Array:
    out = np.asarray(random.standard_normal(shape))
    if clip:
        return np.asarray(np.clip(out, -2, 2))
    while cut and (far := np.abs(out) > 2).any():
        out[far] = random.standard_normal(int(far.sum()))
    return out


COSINES = {
    "boxcar": (1.0,),
    "rectangular": (1.0,),
    "hann": (0.5, 0.5),
    "hamming": (0.54, 0.46),
    "blackman": (0.42, 0.5, 0.08),
    "nuttall": (0.3635819, 0.4891775, 0.1365995, 0.0106411),
    "blackmanharris": (0.35875, 0.48829, 0.14128, 0.01168),
    "flattop": (0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368),
}


def _window(one: ir.STFT, n: int) -> Array:
    """A window as scipy.signal.get_window gives it."""
    if isinstance(one.window, tuple):
        return np.array(one.window)
    if n == 1:
        return np.ones(1)
    many = n + 1 if one.periodic else n
    at = np.arange(many)
    if one.window == "bartlett":
        whole = 1 - np.abs(2 * at / (many - 1) - 1)
    elif one.window == "cosine":
        whole = np.sin(math.pi / many * (at + 0.5))
    else:
        terms = enumerate(COSINES[str(one.window)])
        whole = np.sum([(-1) ** k * a * np.cos(2 * math.pi * k * at / (many - 1)) for k, a in terms], axis=0)
    return np.asarray(whole[:n])
