"""Spectrograms of Keras 3."""

from __future__ import annotations

import math
from typing import Any

from kchainer.frontends.fields import (
    Config,
    Field,
    boolean,
    number,
    one_of,
    optional,
    positive,
    text,
)
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.layers.spatial import DATA_FORMAT_1D
from kchainer.frontends.keras.translate import Translated, translates
from kchainer.ir import ops
from kchainer.ir.initializers import STFT
from kchainer.ir.op import Shape


def _window(v: Any) -> str | tuple[float, ...] | None:
    return tuple(number(one) for one in v) if isinstance(v, (list, tuple)) else None if v is None else text(v)


SPECTROGRAM = {
    "mode": Field(type=one_of("log", "magnitude", "psd", "real", "imag", "angle", "stft"), default="log"),
    "frame_length": Field(type=positive, default=256),
    "frame_step": Field(type=optional(positive), default=None),
    "fft_length": Field(type=optional(positive), default=None),
    "window": Field(type=_window, default="hann"),
    "periodic": Field(type=boolean, default=False),
    "scaling": Field(type=one_of("density", "spectrum", None), default="density"),
    "padding": Field(type=one_of("valid", "same"), default="valid"),
    "expand_dims": Field(type=boolean, default=False),
    "data_format": DATA_FORMAT_1D,
}


@translates("STFTSpectrogram", fields=SPECTROGRAM)
def spectrogram(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    # what the kernels begin as: the class fixes it, and the file does not name it
    for side in ("real", "imag"):
        start = STFT(side=side, window=c.window, scaling=c.scaling, periodic=c.periodic)
        vars(c)[f"{side}_kernel_initializer"] = start
    return ops.Spectrogram(
        mode=c.mode,
        frame_length=c.frame_length,
        frame_step=c.frame_step or c.frame_length // 2,
        fft_length=c.fft_length or 2 ** math.ceil(math.log2(c.frame_length)),
        padding=c.padding,
        expand=c.expand_dims,
        data_format=c.data_format,
    )


MEL = {
    "fft_length": Field(type=positive, default=2048),
    "sequence_stride": Field(type=positive, default=512),
    "sequence_length": Field(type=optional(positive), default=None),
    "window": Field(type=one_of("hann", "hamming", None), default="hann"),
    "sampling_rate": Field(type=number, default=16000.0),
    "num_mel_bins": Field(type=positive, default=128),
    "min_freq": Field(type=number, default=20.0),
    "max_freq": Field(type=optional(number), default=None),
    "power_to_db": Field(type=boolean, default=True),
    "top_db": Field(type=number, default=80.0),
    "mag_exp": Field(type=number, default=2.0),
    "min_power": Field(type=number, default=1e-10),
    "ref_power": Field(type=number, default=1.0),
}


@translates("MelSpectrogram", fields=MEL)
def mel_spectrogram(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.MelSpectrogram(
        fft_length=c.fft_length,
        stride=c.sequence_stride,
        length=c.sequence_length or c.fft_length,
        window=c.window,
        sampling_rate=c.sampling_rate,
        num_mel_bins=c.num_mel_bins,
        min_freq=c.min_freq,
        max_freq=c.max_freq or float(int(c.sampling_rate / 2)),
        to_db=c.power_to_db,
        top_db=c.top_db,
        mag_exp=c.mag_exp,
        min_power=c.min_power,
        ref_power=c.ref_power,
    )
