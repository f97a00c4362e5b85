"""kchainer doctor: what was found, what was repaired, and why a GPU is not available."""

from __future__ import annotations

import argparse
import platform
from importlib import metadata

PACKAGES = ("kchainer", "chainer", "numpy", "scipy", "h5py", "pyfive", "jsonschema", "setuptools")
CUPYS = ("cupy", "cupy-cuda11x", "cupy-cuda12x", "cupy-cuda13x")


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("--gpu", action="store_true", help="say why a GPU is not available; 1 if it is not")


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _packages() -> None:
    print(f"python       {platform.python_version()} on {platform.system()} {platform.machine()}")
    found = {package: _version(package) for package in (*PACKAGES, *CUPYS)}
    if not any(found[package] for package in CUPYS):
        print("cupy         not installed")
    for package, version in found.items():
        if version or package in PACKAGES:
            print(f"{package:<12} {version or 'not installed'}")


def _patches() -> bool:
    """Import Chainer and list the patches; False if it does not import."""
    from kchainer.compat import PATCHES, state

    try:
        import chainer
    except ImportError as error:
        print(f"Chainer does not import: {error}")
        return False
    print(f"chainer      imports, from {next(iter(chainer.__path__))}")
    for patch in PATCHES:
        print(f"patch {patch.id:<18} {state(patch):<14} {patch.modules[0]}: {patch.cause}")
    return True


def _gpu() -> bool:
    from kchainer.compat import gpu

    found = gpu()
    print(f"gpu          {'available' if found.available else 'not available'}: {found.found}")
    if found.hint:
        print(f"             {found.hint}")
    if found.cudnn:
        print(f"cudnn        {found.cudnn}")
    return found.available


def run(args: argparse.Namespace) -> int:
    """Print versions and patches, and with ``--gpu`` why there is no GPU."""
    _packages()
    if _version("chainer") is None:
        print("Chainer is missing: run `python -m kchainer install-chainer`")
        return 1
    if not _patches():
        return 1
    return 0 if not args.gpu or _gpu() else 1
