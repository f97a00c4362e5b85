"""The command as a process: signals, closed and full outputs, odd environments."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import kchainer

ROOT = Path(__file__).parent.parent.parent
FACES = ROOT / "tests/fixtures/real-models/face_classification/gender_models"
MODEL = str(FACES / "gender_mini_XCEPTION.21-0.95.hdf5")
COMMAND = [sys.executable, "-m", "kchainer"]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT)}


@pytest.mark.parametrize("delay", [0.04, 0.3, 0.8, 1.5])
def test_ctrl_c_is_130_at_any_time_and_leaves_nothing(delay: float, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "convert", MODEL, "-o", "out"],
        cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    time.sleep(delay)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    early = "kchainer/cli" not in said  # before `python -m kchainer` reached its own code
    assert process.returncode in (0, 130) or (early and process.returncode in (1, -signal.SIGINT, 130))
    assert "Traceback" not in said or early
    left = sorted(p.name for p in tmp_path.iterdir())
    assert left in (["out"], []) if process.returncode else left == ["out"]
    if left:  # written to its end before the signal came
        kchainer.load(tmp_path / "out")


def test_ctrl_c_while_a_command_is_imported_is_130(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import sys, os, signal\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'kchainer.cli.convert':\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder())\n"
    )
    done = subprocess.run(
        [*COMMAND, "convert", MODEL, "-o", "out"],
        cwd=tmp_path, env=ENVIRONMENT | {"PYTHONPATH": f"{tmp_path}:{ROOT}"}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def shell(command: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    command = command.replace("kchainer", f"{sys.executable} -m kchainer")
    return subprocess.run(
        ["bash", "-c", command], cwd=cwd, env=ENVIRONMENT | more, capture_output=True, text=True, check=False
    )


OUTPUTS = {
    "a reader that goes away": ("kchainer inspect $MODEL | true; echo ${PIPESTATUS[0]}", ("0", "1")),
    "a reader that takes one line": (
        "kchainer schema | head -c 1 > /dev/null; echo ${PIPESTATUS[0]}",
        ("0", "1"),
    ),
    "a full device": ("kchainer schema > /dev/full; echo $?", ("1",)),
    "closed output": ("kchainer validate $MODEL >&-; echo $?", ("0", "1")),
    "closed errors": ("kchainer validate nowhere.json 2>&-; echo $?", ("1",)),
    "closed input": ("kchainer validate $MODEL <&-; echo $?", ("0",)),
    "full errors": ("kchainer validate nowhere.json 2> /dev/full; echo $?", ("1",)),
    "a folder that is gone": ("mkdir x; cd x; rmdir ../x; kchainer validate $MODEL; echo $?", ("0",)),
    "ASCII only": ("LC_ALL=C PYTHONIOENCODING=ascii kchainer validate n\u00e9.json 2>&1; echo $?", ("1",)),
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_odd_outputs_give_no_traceback(name: str, tmp_path: Path) -> None:
    command, codes = OUTPUTS[name]
    done = shell(command, tmp_path, MODEL=MODEL)
    assert done.stdout.split()[-1] in codes, done
    for noise in ("Traceback", "Exception ignored", "internal error"):
        assert noise not in done.stderr + done.stdout
