"""Sounds as spectra over time."""

from __future__ import annotations

from kchainer.emit.plan import Call, Emitted, Link, Site, Weight, emits
from kchainer.emit.preprocessing import said
from kchainer.ir import ops


@emits(ops.Spectrogram)
def spectrogram(op: ops.Spectrogram, site: Site) -> Emitted:
    args = {"mode": op.mode, "frame": op.frame_length, "bins": op.fft_length // 2 + 1, "step": op.frame_step}
    more = {
        "same": op.padding == "same",
        "expand": op.expand,
        "channels_first": op.data_format == "channels_first",
    }
    weights = {p.name: Weight(p.name) for p in op.params(site.x)}
    return Link("kchainer.links.Spectrogram", args | {k: v for k, v in more.items() if v}, weights)


@emits(ops.MelSpectrogram)
def mel_spectrogram(op: ops.MelSpectrogram, site: Site) -> Emitted:
    return Call("kchainer.functions.mel_spectrogram", said(op))
