"""Metadata of kchainer, and the one step that lets plain ``pip install .`` work alone."""

import contextlib
import os
import subprocess
import sys
import tempfile

from setuptools import find_packages, setup

CHAINER = "chainer==7.8.1"
# A published wheel cannot prime a cache: it leaves Chainer to `python -m kchainer install-chainer`.
PUBLISH = bool(os.environ.get("KCHAINER_PUBLISH"))
# Seconds; the build takes two on an idle machine, the rest is the network's.
PRIME_TIMEOUT = 300


def is_wanted():
    """Pip is about to look for our requirements, and Chainer is among them and not installed.

    Only pip's last step before that runs ``dist_info``, in one process; sdists and wheels are built without it.
    """
    if "dist_info" not in sys.argv or PUBLISH or os.environ.get("KCHAINER_NO_PRIME"):
        return False
    # -I: this build's own sys.path is cut off from the environment that is installed into.
    probe = f"import importlib.metadata as m; assert 'chainer==' + m.version('chainer') == {CHAINER!r}"
    return bool(
        subprocess.run([sys.executable, "-I", "-c", probe], capture_output=True, check=False).returncode
    )


def prime():
    """Leave Chainer's wheel in pip's cache, where pip looks before it tries to build.

    Chainer has only an sdist, whose setup.py imports pkg_resources; pip builds it with the newest setuptools,
    which has none. This build has an older one. A failure is not reported: pip's own error follows then.
    """
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    quiet = contextlib.suppress(OSError, subprocess.TimeoutExpired)
    with quiet, tempfile.TemporaryDirectory() as folder:
        run = [*command, "-w", folder, CHAINER]
        subprocess.run(run, capture_output=True, check=False, timeout=PRIME_TIMEOUT)


if is_wanted():
    prime()

EXAMPLES = ["scikit-learn", "matplotlib"]
# What the tests need that run no Keras (all there is for a pair of versions without PyTorch), and what the others do.
RECORDED = [*EXAMPLES, "pytest", "pytest-xdist", "hypothesis", "packaging", "pyyaml", "h5py"]
TEST = [*RECORDED, "keras==3.15.1", "torch==2.13.0"]
DEV = [*TEST, "ruff", "mypy"]

setup(
    name="kchainer",
    version="0.1.0",
    description="Keras models of every release as Chainer models",
    license="MIT",
    python_requires=">=3.11",
    packages=find_packages(include=["kchainer", "kchainer.*"]),
    package_data={"kchainer": ["py.typed"]},
    install_requires=[
        *([] if PUBLISH else [CHAINER]),
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
        "recorded": RECORDED,
        "test": TEST,
        "dev": DEV,
    },
    entry_points={"console_scripts": ["kchainer=kchainer.cli:main"]},
)
