"""A plan carried out: links built, arrays in place, calls run."""

from kchainer.backends.chainer.build import build
from kchainer.backends.chainer.networks import Networks

__all__ = ["Networks", "build"]
