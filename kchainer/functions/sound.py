"""Sounds as spectra over time: products of frames and matrices, differentiable, on any device."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import chainer
import chainer.functions as F
import numpy as np

Array = np.ndarray[Any, Any]
# Least power, and least magnitude before its logarithm: keras.config.epsilon().
EPSILON = 1e-7


def _frames(n: int, length: int, step: int) -> Array:
    """The numbers of the samples of each frame: (frames, length)."""
    return np.arange(0, n - length + 1, step)[:, None] + np.arange(length)


def _taken(x: Any, places: Array) -> chainer.Variable:
    xp = chainer.backend.get_array_module(x)
    return F.get_item(x, (slice(None), xp.asarray(places)))


def spectrogram(
    x: Any,
    kernels: Sequence[Any],
    step: int,
    mode: str = "log",
    same: bool = False,
    expand: bool = False,
    channels_first: bool = False,
) -> chainer.Variable:
    """Products of each frame of ``x`` (N, T, C) with the ``kernels`` (frame, 1, F) that ``mode`` needs.

    Source: keras.layers.STFTSpectrogram.
    """
    x = x if channels_first else F.transpose(x, (0, 2, 1))
    n, channels, time = x.shape
    length, _, bins = kernels[0].shape
    if same:
        total = max((-(-time // step) - 1) * step + length - time, 0)
        x = F.pad(x, ((0, 0), (0, 0), (total // 2, total - total // 2)), "constant")
    x = F.reshape(x, (n * channels, x.shape[2]))
    frames = _taken(x, _frames(x.shape[1], length, step))
    made = [F.tensordot(frames, F.reshape(k, (length, bins)), axes=1) for k in kernels]
    y = _part(made, mode)
    y = F.reshape(y, (n, channels, *y.shape[1:]))  # (N, C, time, F)
    if expand:
        return y if channels_first else F.transpose(y, (0, 2, 3, 1))
    y = F.reshape(F.transpose(y, (0, 1, 3, 2)), (n, -1, y.shape[2]))
    return y if channels_first else F.transpose(y, (0, 2, 1))


def _part(made: Sequence[chainer.Variable], mode: str) -> chainer.Variable:
    if mode in ("real", "imag"):
        return made[0]
    real, imag = made
    if mode == "angle":
        return F.arctan2(imag, real)
    if mode == "stft":
        return F.concat((real, imag), axis=2)
    power = real**2 + imag**2
    if mode == "psd":  # all but the first and last frequency stand for two
        twice = np.ones(power.shape[-1], power.dtype)
        twice[1:-1] = 2
        return power * power.xp.broadcast_to(power.xp.asarray(twice), power.shape)
    magnitude = F.sqrt(_least(power, EPSILON))
    return magnitude if mode == "magnitude" else F.log(_least(magnitude, EPSILON))


def _least(x: chainer.Variable, least: float) -> chainer.Variable:
    return F.maximum(x, x.xp.full(x.shape, least, x.dtype))


@lru_cache(maxsize=16)
def _fourier(size: int, length: int, window: str | None) -> tuple[Array, Array]:
    """Matrices (size, frequencies) of a window in the middle of a frame."""
    at = np.arange(length) / length
    whole = {None: (1.0, 0.0), "hann": (0.5, 0.5), "hamming": (0.54, 0.46)}[window]
    values = np.zeros(size)
    values[(size - length) // 2 : (size - length) // 2 + length] = whole[0] - whole[1] * np.cos(
        2 * math.pi * at
    )
    phase = np.arange(size)[:, None] * np.arange(size // 2 + 1) % size * (-2 * math.pi / size)
    return np.cos(phase) * values[:, None], np.sin(phase) * values[:, None]


@lru_cache(maxsize=16)
def mel_matrix(bands: int, bins: int, rate: float, low: float, high: float) -> Array:
    """The (bins, bands) matrix of triangles that are even on the mel scale, the constant part left out.

    Source: The HTK Book (Young et al., 2002), mel(f) = 1127 ln(1 + f / 700).
    """

    def mel(hertz: Any) -> Any:
        return 1127.0 * np.log(1.0 + hertz / 700.0)

    at = mel(np.linspace(0.0, rate / 2, bins))[1:, None]
    edges = np.linspace(mel(low), mel(high), bands + 2)
    lower, centre, upper = edges[:-2], edges[1:-1], edges[2:]
    inside = np.minimum((at - lower) / (centre - lower), (upper - at) / (upper - centre))
    made: Array = np.concatenate([np.zeros((1, bands)), np.maximum(inside, 0.0)])
    return made


def mel_spectrogram(
    x: Any,
    fft_length: int,
    stride: int,
    length: int,
    num_mel_bins: int,
    max_freq: float,
    min_freq: float = 20.0,
    sampling_rate: float = 16000.0,
    window: str | None = "hann",
    to_db: bool = True,
    top_db: float = 80.0,
    mag_exp: float = 2.0,
    min_power: float = 1e-10,
    ref_power: float = 1.0,
) -> chainer.Variable:
    """The power of sounds ``x`` (N, T) in bands of the mel scale, (N, bands, time).

    Source: keras.layers.MelSpectrogram.
    """
    x = chainer.as_variable(x)
    reflected = np.pad(np.arange(x.shape[1]), fft_length // 2, "reflect")
    frames = _taken(x, reflected[_frames(len(reflected), fft_length, stride)])
    real, imag = (
        F.tensordot(frames, x.xp.asarray(m.astype(x.dtype)), axes=1)
        for m in _fourier(fft_length, length, window)
    )
    magnitude = F.sqrt(real**2 + imag**2)
    matrix = mel_matrix(num_mel_bins, fft_length // 2 + 1, sampling_rate, min_freq, max_freq)
    y = F.tensordot(magnitude**mag_exp, x.xp.asarray(matrix.astype(x.dtype)), axes=1)
    if to_db:
        y = 10.0 * F.log10(_least(y, min_power)) - 10.0 * math.log10(max(abs(ref_power), min_power))
        y = F.maximum(y, F.broadcast_to(F.max(y) - top_db, y.shape))
    return F.transpose(y, (0, 2, 1))
