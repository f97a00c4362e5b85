"""Arrays of quantised layers that contradict their config are told, and never taken for something else."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "torch"

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

import kchainer

L, Q = keras.layers, keras.quantizers
DENSE, TABLE = "layers/dense/vars", "layers/embedding/vars"


def first(value: float) -> Callable[[Any], Any]:
    """The first number becomes ``value``."""

    def done(array: Any) -> Any:
        array[0] = value
        return array

    return done


# In blocks: kernel 0, bias 1, scales 2, zero points 3, groups 4 of a Dense of 6 by 4 in blocks of 2.
# Array changed, how, the code, words of the message. The kernel has the shape (6, 4), packed (6, 2).
CASES: dict[str, tuple[str, Callable[[Any], Any], str, str]] = {
    "group after the last": (f"{DENSE}/4", first(3), "KC404", "group of scales"),
    "negative group": (f"{DENSE}/4", first(-1), "KC404", "group of scales"),
    "group is no number": (f"{DENSE}/4", first(float("nan")), "KC404", "group of scales"),
    "group is huge": (f"{DENSE}/4", first(1e30), "KC404", "group of scales"),
    "a group too many": (f"{DENSE}/4", lambda a: np.append(a, a[:1]), "KC403", "`g_idx`"),
    "groups in a square": (f"{DENSE}/4", lambda a: a.reshape(2, 3), "KC403", "`g_idx`"),
    "no groups": (f"{DENSE}/4", lambda a: a[:0], "KC403", "`g_idx`"),
    "groups are a number": (f"{DENSE}/4", lambda a: a[0], "KC403", "`g_idx`"),
    "scales for each number": (f"{DENSE}/2", lambda a: np.ones((6, 4), "float32"), "KC403", "`kernel_scale`"),
    "scales turned": (f"{DENSE}/2", lambda a: a.T.copy(), "KC403", "`kernel_scale`"),
    "a zero point for all": (f"{DENSE}/3", lambda a: a[:1, :1], "KC403", "`kernel_zero`"),
    "kernel not packed": (f"{DENSE}/0", lambda a: np.zeros((6, 4), "int8"), "KC403", "`kernel`"),
    "kernel turned": (f"{DENSE}/0", lambda a: a.T.copy(), "KC403", "`kernel`"),
    "table not packed": (f"{TABLE}/0", lambda a: np.zeros((7, 4), "int8"), "KC403", "`embeddings`"),
    "scale of a table for each number": (
        f"{TABLE}/1", lambda a: np.ones((7, 4), "float32"), "KC403", "`embeddings_scale`",
    ),
    "group of a table": (f"{TABLE}/3", first(2), "KC404", "group of scales"),
}  # fmt: skip


@pytest.fixture(scope="module")
def model() -> Any:
    table = keras.Input((3,), name="words")
    x = keras.Input((6,), name="x")
    y = L.Concatenate()([L.Dense(4)(x), L.Flatten()(L.Embedding(7, 4)(table))])
    made = keras.Model([x, table], y)
    made.quantize("int4", config=Q.Int4QuantizationConfig(block_size=2))
    return made


def test_unchanged(model: Any, tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text(model.to_json())
    model.save_weights(tmp_path / "m.weights.h5")
    kchainer.load(tmp_path / "m.json", tmp_path / "m.weights.h5")


@pytest.mark.parametrize("name", CASES)
def test_contradiction(name: str, model: Any, tmp_path: Path) -> None:
    path, change, code, says = CASES[name]
    (tmp_path / "m.json").write_text(model.to_json())
    model.save_weights(tmp_path / "m.weights.h5")
    with h5py.File(tmp_path / "m.weights.h5", "a") as file:
        value = change(file[path][()].astype("float32") if code == "KC404" else file[path][()])
        del file[path]
        file[path] = value
    with pytest.raises(kchainer.KchainerError) as caught:
        kchainer.load(tmp_path / "m.json", tmp_path / "m.weights.h5")
    found = caught.value.diagnostics
    assert [d.code for d in found] == [code]
    assert says in found[0].message
