"""Sounds as spectra over time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from kchainer.ir.op import Op, Param, Shape, ShapeError, attr, known, op, rank_of
from kchainer.ir.ops.spatial import DataFormat, join, split, window


@op
class Spectrogram(Op):
    """The short-time Fourier transform of each channel, by learned kernels that begin as cosines and sines.

    Input   x  (N, T, C) or (N, C, T).
    Output  y  (N, time, C * F), with F frequencies of each channel together, or where ``expand`` (N, time, F, C); with
            channels first (N, C * F, time) or (N, C, time, F). F is ``fft_length`` // 2 + 1, twice that in mode stft.
    Params  real_kernel, imag_kernel (frame_length, 1, fft_length // 2 + 1): those that ``mode`` needs.
    Source  keras.layers.STFTSpectrogram.
    """

    mode: Literal["log", "magnitude", "psd", "real", "imag", "angle", "stft"] = attr(
        doc="what of it", spec="log"
    )
    frame_length: int = attr(doc="samples that are transformed at a time", minimum=1)
    frame_step: int = attr(doc="samples from a frame to the next", minimum=1)
    fft_length: int = attr(doc="as if frames were padded to it", minimum=2)
    padding: Literal["valid", "same"] = attr(doc="of the sound", spec="valid")
    expand: bool = attr(doc="frequencies have an axis of their own", spec=False)
    data_format: DataFormat = attr(doc="where the channels stand", spec="channels_last")

    def check(self) -> Iterator[str]:
        if self.fft_length < self.frame_length:
            yield "fft_length is less than frame_length"

    @property
    def _bins(self) -> int:
        return self.fft_length // 2 + 1

    def params(self, x: Shape) -> tuple[Param, ...]:
        names = [
            n for n, without in (("real_kernel", "imag"), ("imag_kernel", "real")) if self.mode != without
        ]
        return tuple(Param(name, (self.frame_length, 1, self._bins), "WIO") for name in names)

    def infer(self, x: Shape) -> Shape:
        channels, (time,) = split(x, self.data_format, 1)
        pads = None if self.padding == "same" else (0, 0)
        frames = window(time, self.frame_length, self.frame_step, pads)
        bins = self._bins * (2 if self.mode == "stft" else 1)
        if not self.expand:
            return join(x, self.data_format, channels * bins, (frames,))
        first = self.data_format == "channels_first"
        return (x[0], channels, frames, bins) if first else (x[0], frames, bins, channels)


@op
class MelSpectrogram(Op):
    """The power of a sound in bands of the mel scale, frames centred and reflected at the ends.

    Input   x  (N, T).
    Output  y  (N, num_mel_bins, time).
    Source  keras.layers.MelSpectrogram; with ``to_db`` values more than ``top_db`` below the largest of the batch rise.
    """

    fft_length: int = attr(doc="samples that are transformed at a time", minimum=2)
    stride: int = attr(doc="samples from a frame to the next", minimum=1)
    length: int = attr(doc="of the window", minimum=1)
    window: Literal["hann", "hamming"] | None = attr(doc="a frame's weights", spec="hann")
    sampling_rate: float = attr(doc="samples a second", spec=16000.0, above=0)
    num_mel_bins: int = attr(doc="bands", minimum=1)
    min_freq: float = attr(doc="hertz", spec=20.0, minimum=0)
    max_freq: float = attr(doc="hertz", above=0)
    to_db: bool = attr(doc="decibels", spec=True)
    top_db: float = attr(doc="decibels below the largest", spec=80.0)
    mag_exp: float = attr(doc="power of the magnitude", spec=2.0)
    min_power: float = attr(doc="least power", spec=1e-10, above=0)
    ref_power: float = attr(doc="what is 0 decibels", spec=1.0)

    def check(self) -> Iterator[str]:
        if self.fft_length < self.length:
            yield "fft_length is less than the window"

    def infer(self, x: Shape) -> Shape:
        rank_of(x, 2)
        if x[1] is None:
            return (x[0], self.num_mel_bins, None)
        half = self.fft_length // 2
        if known(x[1], "samples") <= half:
            raise ShapeError(f"{x[1]} samples cannot be reflected by {half}")
        return (x[0], self.num_mel_bins, (x[1] + 2 * half - self.fft_length) // self.stride + 1)
