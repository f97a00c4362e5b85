"""Chainer 7.8.1 on today's NumPy, CuPy, setuptools and Python.

``install`` puts one finder on ``sys.meta_path``. It answers for Chainer's modules only and changes nothing that
other libraries see; NumPy itself stays as it is. ``PATCHES`` lists what is done and why, ``APPLIED`` what was
done in this process.
"""

from kchainer.compat.finder import APPLIED, install, installed
from kchainer.compat.patches import PATCHES, Patch

__all__ = ["APPLIED", "PATCHES", "Patch", "install", "installed"]
