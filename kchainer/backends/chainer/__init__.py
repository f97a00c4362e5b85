"""A plan carried out: links built, arrays in place, calls run."""

from kchainer.backends.chainer.build import build

__all__ = ["build"]
