"""Two processes of half a batch each train as one of the whole batch, by ChainerMN."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent.parent
MPIEXEC = shutil.which(
    "mpiexec", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
)
MISSING = [
    what
    for what, there in (
        ("the package mpi4py", importlib.util.find_spec("mpi4py")),
        ("the program mpiexec", MPIEXEC),
    )
    if not there
]


@pytest.mark.skipif(bool(MISSING), reason=f"not installed: {' and '.join(MISSING)}")
def test_two_ranks_train_as_one(tmp_path: Path) -> None:
    program = [sys.executable, str(ROOT / "examples/data_parallel/train.py"), "--steps", "20", "--out"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    for name, how in (("one", []), ("two", [str(MPIEXEC), "-n", "2"])):
        subprocess.run(
            [*how, *program, str(tmp_path / f"{name}.npz")], check=True, env=environment, timeout=120
        )
    with np.load(tmp_path / "one.npz") as one, np.load(tmp_path / "two.npz") as two:
        assert one.files
        for name in one.files:
            np.testing.assert_allclose(
                two[name], one[name], atol=2e-5 * np.abs(one[name]).max(), err_msg=name
            )
