"""Cropping and repeating."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import chainer
import chainer.functions as F

from kchainer.functions.conv import pad
from kchainer.functions.resize import resize


def crop(x: Any, crops: Sequence[tuple[int, int]]) -> chainer.Variable:
    """Cuts (before, after) cells off the spatial dimensions of ``x``. Source: Keras Cropping1D/2D/3D."""
    return pad(x, [(-before, -after) for before, after in crops])


def repeat_vector(x: Any, n: int) -> chainer.Variable:
    """(N, F) to (N, n, F). Source: Keras RepeatVector."""
    return F.broadcast_to(F.expand_dims(x, 1), (x.shape[0], n, x.shape[1]))


def _window(x: Any, height: int, width: int, top: int, left: int) -> chainer.Variable:
    return F.get_item(x, (..., slice(top, top + height), slice(left, left + width)))


def center_crop(x: Any, height: int, width: int) -> chainer.Variable:
    """The middle of ``x`` (N, C, H, W); a smaller image is cropped to the aspect ratio and enlarged.

    Source: Keras CenterCrop (smart_resize).
    """
    h, w = x.shape[2:]
    if h >= height and w >= width:
        return _window(x, height, width, (h - height) // 2, (w - width) // 2)
    crop_h = min(h, int(float(w * height) / width))
    crop_w = min(w, int(float(h * width) / height))
    top, left = int(float(h - crop_h) / 2), int(float(w - crop_w) / 2)
    return resize(_window(x, crop_h, crop_w, top, left), (height, width), "bilinear")
