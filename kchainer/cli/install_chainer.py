"""kchainer install-chainer: build Chainer's wheel with an old setuptools, and install it."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

CHAINER = "chainer==7.8.1"


def configure(parser: argparse.ArgumentParser) -> None:
    """The command has no arguments."""


def _pip(*arguments: str, path: str | None = None) -> int:
    environment = os.environ | ({"PYTHONPATH": path} if path else {})
    return subprocess.run([sys.executable, "-m", "pip", *arguments], env=environment, check=False).returncode


def run(args: argparse.Namespace) -> int:
    """Three steps of pip, by the user's own settings; no old setuptools is left behind."""
    with tempfile.TemporaryDirectory() as folder:
        tools = str(Path(folder) / "tools")
        if _pip("install", "-q", "--target", tools, "setuptools<82", "wheel"):
            return 1
        if _pip("wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, CHAINER, path=tools):
            return 1
        (wheel,) = Path(folder).glob("chainer-*.whl")
        return 1 if _pip("install", str(wheel)) else 0
