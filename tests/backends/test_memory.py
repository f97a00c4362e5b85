"""Arrays are in memory once while a file is read and converted. `benchmarks/memory.py` measures 400 MB."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import kchainer
from benchmarks import memory

MB = 1_000_000
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
SIZE = 80


@pytest.mark.parametrize(
    ("form", "how"),
    [(".keras, deflated", "load"), (".h5", "convert"), (".weights.h5", "load"), (".keras", "convert")],
)
def test_peak_memory_is_the_arrays_and_a_little(form: str, how: str, tmp_path: Path) -> None:
    peaks, sizes = [], []
    for megabytes in (1, SIZE):
        config, shapes = memory.networks(megabytes)["one array"]
        made = memory.write(tmp_path, f"m{megabytes}", config, shapes)
        source, weights = made["forms"][form]
        peaks.append(memory.peak(how, source, weights, str(tmp_path / "out")))
        sizes.append(made["size"])
    # a second copy, or gradients nobody asked for, would be 80 MB
    assert peaks[1] - peaks[0] < 1.1 * (sizes[1] - sizes[0]) + 30 * MB


def test_a_network_has_no_gradients_until_it_is_trained() -> None:
    config, _ = memory.networks(0.1)["several"]
    net = kchainer.from_keras(config).to_chainer()
    assert all(p.grad is None for p in net.params())
    import chainer

    assert np.isnan(chainer.links.Linear(2, 3).W.grad).all(), "Chainer's own stay as they are"
