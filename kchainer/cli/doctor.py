"""kchainer doctor: what was found, what was repaired, and why a GPU is not available."""

from __future__ import annotations

import argparse
import platform
from importlib import metadata

PACKAGES = (
    "kchainer",
    "chainer",
    "numpy",
    "scipy",
    "h5py",
    "pyfive",
    "jsonschema",
    "cupy-cuda12x",
    "cupy-cuda11x",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("--gpu", action="store_true", help="say why a GPU is not available; 1 if it is not")


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def run(args: argparse.Namespace) -> int:
    """Print versions and patches."""
    from kchainer.compat import APPLIED, PATCHES

    print(f"python       {platform.python_version()} on {platform.system()} {platform.machine()}")
    for package in PACKAGES:
        print(f"{package:<12} {_version(package)}")
    if _version("chainer") == "not installed":
        print("Chainer is missing: run `python -m kchainer install-chainer`")
        return 1
    from chainer.backends import cuda

    for patch in PATCHES:
        state = "applied" if patch.id in APPLIED else "not needed"
        print(f"patch {patch.id:<20} {state:<10} {patch.module}: {patch.cause}")
    available = bool(cuda.available)
    reason = "" if available else f": {getattr(cuda, '_resolution_error', None) or 'no device was found'}"
    print(f"gpu          {'available' if available else 'not available'}{reason}")
    return 0 if available or not args.gpu else 1
