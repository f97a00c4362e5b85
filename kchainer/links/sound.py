"""Spectrograms with learned kernels."""

from __future__ import annotations

from typing import Any

import chainer

from kchainer.functions.sound import spectrogram
from kchainer.links.parameters import parameter


class Spectrogram(chainer.Link):
    """The short-time Fourier transform of each channel. Source: keras.layers.STFTSpectrogram.

    Parameters: real_kernel, imag_kernel (frame, 1, frequencies), those that ``mode`` needs.
    """

    def __init__(
        self,
        mode: str,
        frame: int,
        bins: int,
        step: int,
        same: bool = False,
        expand: bool = False,
        channels_first: bool = False,
    ) -> None:
        super().__init__()
        self.mode, self.step, self.same = mode, step, same
        self.expand, self.channels_first = expand, channels_first
        with self.init_scope():
            if mode != "imag":
                self.real_kernel = parameter((frame, 1, bins))
            if mode != "real":
                self.imag_kernel = parameter((frame, 1, bins))

    def forward(self, x: Any) -> chainer.Variable:
        """The spectra of ``x``."""
        kernels = [getattr(self, k) for k in ("real_kernel", "imag_kernel") if hasattr(self, k)]
        return spectrogram(x, kernels, self.step, self.mode, self.same, self.expand, self.channels_first)
