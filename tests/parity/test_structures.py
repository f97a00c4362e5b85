"""Networks whose inputs and outputs stand in dictionaries and nested lists, against Keras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.parity import harness  # before Keras

import keras  # isort: skip
from keras import layers as KL

import kchainer
from tests.parity.test_masks import randomised

assert harness


def by_name() -> Any:
    """Names whose order is not that of their making, in the model and in a model inside."""
    a, b = KL.Input((3,), name="zz"), KL.Input((4,), name="aa")
    p, q = KL.Input((3,), name="z"), KL.Input((3,), name="k")
    inner = keras.Model({"z": p, "k": q}, {"s": KL.Subtract()([p, q]), "d": KL.Dense(2)(q)}, name="inner")
    y = inner({"z": a, "k": KL.Dense(3)(b)})
    return keras.Model({"zz": a, "aa": b}, {"out2": y["d"], "out1": [y["s"], KL.Dense(5)(a)]})


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_by_order_and_by_name(suffix: str, tmp_path: Path) -> None:
    model = randomised(by_name())
    path = tmp_path / f"m{suffix}"
    model.save(path)
    net = kchainer.load(path)
    rng = np.random.default_rng(0)
    xs = {"zz": rng.standard_normal((2, 3)).astype("f"), "aa": rng.standard_normal((2, 4)).astype("f")}
    said = model(xs)
    wants = [keras.ops.convert_to_numpy(v) for v in (*said["out1"], said["out2"])]
    for got in (net.predict(xs), net.predict(xs["aa"], xs["zz"]), [v.array for v in net(xs)]):
        for one, want in zip(got, wants, strict=True):
            np.testing.assert_allclose(one, want, rtol=1e-5, atol=1e-5)
    with pytest.raises(TypeError, match="takes aa, zz; given are zz, a"):
        net({"zz": xs["zz"], "a": xs["aa"]})
