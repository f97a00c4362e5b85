"""Chainer 7.8.1 on today's NumPy, CuPy, setuptools and Python.

``install`` puts one finder on ``sys.meta_path``. It answers for Chainer's modules only and changes nothing that
other libraries see; NumPy itself stays as it is. ``PATCHES`` lists what is done and why, ``APPLIED`` what was
done in this process, ``state`` tells it of one patch. ``gpu`` says whether Chainer can use a GPU, and why not.
"""

from kchainer.compat.finder import APPLIED, install, installed, state
from kchainer.compat.gpu import Gpu, gpu
from kchainer.compat.patches import PATCHES, Patch

__all__ = ["APPLIED", "PATCHES", "Gpu", "Patch", "gpu", "install", "installed", "state"]
