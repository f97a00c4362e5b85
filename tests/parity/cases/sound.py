"""Sounds as spectra over time."""

from __future__ import annotations

from tests.parity.harness import Case, case

# Keras keeps the matrix of bands in float32, also in a float64 model: 1.4e-6 measured.
MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")
MEL = {"fft_length": 64, "sequence_stride": 20, "sampling_rate": 8000, "num_mel_bins": 10}

CASES: list[Case] = [
    *(case("STFTSpectrogram", x=(3, 90, 2), mode=mode, frame_length=20) for mode in MODES),
    case(
        "STFTSpectrogram",
        x=(3, 90, 2),
        frame_length=24,
        frame_step=7,
        fft_length=30,
        mode="stft",
        expand_dims=True,
    ),
    case("STFTSpectrogram", x=(3, 2, 90), frame_length=20, data_format="channels_first"),
    case("STFTSpectrogram", x=(3, 2, 90), frame_length=20, data_format="channels_first", expand_dims=True),
    case("STFTSpectrogram", x=(3, 91, 1), frame_length=20, frame_step=7, padding="same", mode="magnitude"),
    case(
        "STFTSpectrogram", x=(3, 90, 1), frame_length=16, window="hamming", scaling="spectrum", periodic=True
    ),
    case("STFTSpectrogram", x=(3, 90, 1), frame_length=16, window=None, scaling=None, mode="real"),
    case("STFTSpectrogram", x=(3, None, 2), feed=(3, 70, 2), frame_length=16),
    case("STFTSpectrogram", x=(3, 90, 2), frame_length=16, trainable=False),
    case("MelSpectrogram", x=(3, 200), says_less=True, double=3e-6, **MEL),
    case("MelSpectrogram", x=(3, 200), says_less=True, double=3e-6, power_to_db=False, **MEL),
    case(
        "MelSpectrogram",
        x=(3, 200),
        says_less=True,
        double=3e-6,
        sequence_length=50,
        window="hamming",
        mag_exp=1.5,
        **MEL,
    ),
    case(
        "MelSpectrogram",
        x=(3, 300),
        says_less=True,
        min_freq=100,
        max_freq=2500,
        top_db=20,
        ref_power=2.0,
        **MEL,
    ),
]
