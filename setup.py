"""Metadata of kchainer, and the one step that lets plain ``pip install .`` work alone."""

import contextlib
import os
import subprocess
import sys
import tempfile

from setuptools import find_packages, setup

CHAINER = "chainer==7.8.1"
PRIMED = "KCHAINER_PRIMED"


def prime():
    """Leave Chainer's wheel in pip's cache, where pip looks before it tries to build.

    Chainer has only an sdist, whose setup.py imports pkg_resources; pip builds it with the newest setuptools,
    which has none. This build has an older one. A failure is not reported: pip's own error follows then.
    """
    if os.environ.get(PRIMED) or os.environ.get("KCHAINER_NO_PRIME"):
        return
    os.environ[PRIMED] = "1"
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    with contextlib.suppress(OSError), tempfile.TemporaryDirectory() as folder:
        subprocess.run([*command, "-w", folder, CHAINER], capture_output=True, check=False)


if {"egg_info", "dist_info"} & set(sys.argv):
    prime()

EXAMPLES = ["scikit-learn", "matplotlib"]
TEST = [
    *EXAMPLES,
    "pytest",
    "pytest-xdist",
    "hypothesis",
    "ruff",
    "mypy",
    "pyyaml",
    "h5py",
    "keras==3.15.1",
    "torch==2.13.0",
]
# A published wheel cannot prime a cache: it leaves Chainer to `python -m kchainer install-chainer`.
published = bool(os.environ.get("KCHAINER_PUBLISH"))

setup(
    name="kchainer",
    version="0.1.0",
    description="Keras models of every release as Chainer models",
    license="MIT",
    python_requires=">=3.11",
    packages=find_packages(include=["kchainer", "kchainer.*"]),
    install_requires=[
        *([] if published else [CHAINER]),
        "numpy>=1.26",
        "jsonschema>=4.18",
        "pyfive>=1",
        "six>=1.16",
    ],
    extras_require={
        "chainer": [CHAINER],
        "yaml": ["pyyaml"],
        "cupy": ["cupy-cuda12x[ctk]"],
        "examples": EXAMPLES,
        "test": TEST,
        "dev": TEST,
    },
    entry_points={"console_scripts": ["kchainer=kchainer.cli:main"]},
)
