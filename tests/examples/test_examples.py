"""Every example runs at a small size, learns something, and changes by ``--set`` alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SMALL = {
    "autoencoder": ["--epochs", "3", "--set", "width=40", "--set", "code=10"],
    "adgm": ["--epochs", "1", "--updates", "5", "--set", "width=20", "--set", "z=4", "--set", "a=4"],
    "ddgm": ["--epochs", "1", "--updates", "10", "--set", "width=16"],
    "improved_gan": [
        "--epochs",
        "1",
        "--set",
        "d_1=30",
        "--set",
        "d_2=20",
        "--set",
        "d_3=10",
        "--set",
        "g=20",
    ],
    "fine_tuning": ["--epochs", "2", "--labels", "20", "--batch", "10", "--held-out", "20"],
}
CASES = {
    **{name: (name, args) for name, args in SMALL.items()},
    "adgm by gumbel-softmax": ("adgm", [*SMALL["adgm"], "--objective", "gumbel"]),
    "autoencoder with tanh and dropout": (
        "autoencoder",
        [*SMALL["autoencoder"], "--set", "activation=tanh", "--set", "dropout=0.2"],
    ),
}


def run(name: str, args: list[str], out: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, f"examples/{name}/train.py", *args, "--out", str(out)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)


@pytest.mark.parametrize("case", CASES)
def test_example_runs(case: str, tmp_path: Path) -> None:
    name, args = CASES[case]
    done = run(name, args, tmp_path)
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "results.json").read_text())
    assert results and all(value == value for value in results.values())
    drawn = sorted(p for p in tmp_path.iterdir() if p.suffix == ".png")
    assert (tmp_path / "curves.png") in drawn and all(p.read_bytes()[:4] == b"\x89PNG" for p in drawn)
    assert "epoch 1/" in done.stderr


def test_a_misspelt_variable_is_told(tmp_path: Path) -> None:
    done = run("autoencoder", ["--set", "widht=40"], tmp_path)
    assert "there is no variable" in done.stderr or "has no variable `widht`" in done.stderr
    assert "did you mean `width`" in done.stderr
