"""Images (N, C, H, W): augmentation in training, contrast, and resizing that keeps proportions."""

from __future__ import annotations

from typing import Any

import chainer
import chainer.functions as F
import numpy as np

from kchainer.functions.resize import resize

Pair = tuple[float, float]
Size = tuple[int, int]
BYTES: Pair = (0.0, 255.0)


class TrainingError(NotImplementedError):
    """A layer whose training is not computed here."""


def not_in_training(x: Any, kind: str) -> chainer.Variable:
    """``x``; in training an error. Source: the image augmentations of Keras."""
    if chainer.config.train:
        raise TrainingError(
            f"{kind} is the identity at inference and is not computed in training: augment the images before the network, "
            "and take the layer out of the model or call it with chainer.using_config('train', False)"
        )
    return chainer.as_variable(x)


def _cut(x: Any, size: Size) -> Any:
    """The largest middle part of the proportion of ``size``."""
    (h, w), (height, width) = x.shape[2:], size
    cut_h = max(min(h, int(float(w * height) / width)), 1)
    cut_w = max(min(w, int(float(h * width) / height)), 1)
    top, left = int(float(h - cut_h) / 2), int(float(w - cut_w) / 2)
    return x[:, :, top : top + cut_h, left : left + cut_w]


def _grown(x: Any, size: Size, fill: float) -> Any:
    """``x`` with equal borders, so that it has about the proportion of ``size``."""
    (h, w), (height, width) = x.shape[2:], size
    top = int(float(max(h, int(float(w * height) / width)) - h) / 2)
    left = int(float(max(w, int(float(h * width) / height)) - w) / 2)
    pads = ((0, 0), (0, 0), (top, top), (left, left))
    return F.pad(x, pads, "constant", constant_values=fill)


def resize_images(
    x: Any,
    size: Size,
    interpolation: str = "bilinear",
    antialias: bool = False,
    aspect: str = "stretch",
    fill: float = 0.0,
    whole: bool = False,
) -> chainer.Variable:
    """Resizes ``x`` to ``size``, cut to its proportion (crop) or within borders of ``fill`` (pad).

    Whole numbers become floats, or, where ``whole``, are rounded. Source: keras.layers.Resizing.
    """
    x = chainer.as_variable(x)
    given = x.dtype
    if given.kind != "f":
        x = F.cast(x, chainer.get_dtype())
    if aspect == "crop":
        x = _cut(x, size)
    elif aspect == "pad":
        x = _grown(x, size, fill)
    y = resize(x, size, interpolation, antialias)
    if whole and given.kind != "f":
        return chainer.as_variable(y.xp.rint(y.array).astype(given))
    return y


def _uniform(x: Any, shape: tuple[int, ...], low: float, high: float) -> Any:
    xp = chainer.backend.get_array_module(x)
    return xp.random.uniform(low, high, shape).astype(x.dtype)


def _each(x: Any) -> tuple[int, ...]:
    return (x.shape[0], *(1,) * (x.ndim - 1))


def random_flip(
    x: Any, horizontal: bool = True, vertical: bool = True, together: bool = True
) -> chainer.Variable:
    """Mirrors each image with probability 1/2 in training; ``together``: one draw for both directions.

    Source: keras.layers.RandomFlip.
    """
    x = chainer.as_variable(x)
    if not chainer.config.train:
        return x
    drawn = _uniform(x, _each(x), 0, 1) <= 0.5
    for axis, on in ((3, horizontal), (2, vertical)):
        if on:
            x = F.where(x.xp.broadcast_to(drawn, x.shape), F.flip(x, axis), x)
            drawn = drawn if together else _uniform(x, _each(x), 0, 1) <= 0.5
    return x


def random_brightness(x: Any, factor: Pair, value_range: Pair = BYTES) -> chainer.Variable:
    """Adds a share of the range, drawn for each image, in training. Source: keras.layers.RandomBrightness."""
    x = chainer.as_variable(x)
    if not chainer.config.train:
        return x
    low, high = value_range
    return F.clip(
        x + F.broadcast_to(_uniform(x, _each(x), *factor) * x.dtype.type(high - low), x.shape), low, high
    )


def random_contrast(x: Any, factor: Pair, value_range: Pair = BYTES, each: bool = True) -> chainer.Variable:
    """Multiplies distances from the mean of a channel in training. Source: keras.layers.RandomContrast."""
    x = chainer.as_variable(x)
    if not chainer.config.train:
        return x
    drawn = _uniform(x, _each(x) if each else (1,) * x.ndim, *factor)
    mean = F.broadcast_to(F.mean(x, axis=(2, 3), keepdims=True), x.shape)
    return F.clip((x - mean) * x.xp.broadcast_to(drawn, x.shape) + mean, *map(float, value_range))


def random_crop(x: Any, height: int, width: int, inference: str) -> chainer.Variable:
    """A window at a random place in training, one for the batch.

    At inference, and where ``x`` is smaller, ``x`` as it is (identity) or its middle part resized (resize).
    Source: keras.layers.RandomCrop.
    """
    x = chainer.as_variable(x)
    h, w = x.shape[2:]
    if not chainer.config.train:
        return x if inference == "identity" else resize_images(x, (height, width), aspect="crop")
    # Keras 3 draws for images that are larger in both directions, tf.keras also for those that are as large
    fits = (h > height and w > width) if inference == "identity" else (h >= height and w >= width)
    if not fits:
        if inference == "identity":
            return resize(_cut(x, (height, width))[:, :, :height, :width], (height, width))
        return resize_images(x, (height, width), aspect="crop")
    top, left = np.random.randint(h - height + 1), np.random.randint(w - width + 1)
    return x[:, :, top : top + height, left : left + width]


def _ranged(x: Any, given: Pair, wanted: Pair) -> Any:
    if tuple(given) == tuple(wanted):
        return x
    return (x - given[0]) / (given[1] - given[0]) * (wanted[1] - wanted[0]) + wanted[0]


def auto_contrast(x: Any, axes: tuple[int, int] = (2, 3), value_range: Pair = BYTES) -> chainer.Variable:
    """Spreads values between the least and the largest along ``axes``. Source: keras.layers.AutoContrast."""
    x = chainer.as_variable(x)
    bytes_of = _ranged(x, value_range, BYTES)
    low, high = (f(bytes_of, axis=axes, keepdims=True) for f in (F.min, F.max))
    flat = x.xp.broadcast_to(low.array == high.array, x.shape)
    scale = 255.0 / F.where(low.array == high.array, x.xp.ones_like(low.array), high - low)
    scale, low = F.broadcast_to(scale, x.shape), F.broadcast_to(low, x.shape)
    spread = F.clip(bytes_of * scale + -low * scale, 0.0, 255.0)
    return F.where(flat, x, _ranged(spread, BYTES, value_range))


def equalize(x: Any, bins: int = 256, value_range: Pair = BYTES) -> chainer.Variable:
    """Makes the histogram of each channel of a batch even in training. Source: keras.layers.Equalization."""
    if not chainer.config.train:
        return chainer.as_variable(x)
    xp = chainer.backend.get_array_module(x)
    x = getattr(x, "array", x)
    channels = [_evened(xp, x[:, i], bins, value_range) for i in range(x.shape[1])]
    return chainer.as_variable(xp.stack(channels, axis=1))


def _evened(xp: Any, x: Any, bins: int, value_range: Pair) -> Any:
    low, high = value_range
    scale = 255.0 / (high - low)
    x = x if (low, high) == BYTES else (x * scale + (0.0 - low * scale)).astype(x.dtype)
    numbers = xp.clip((x.astype(np.float32) * (bins - 1) / np.float32(255)).astype(np.int32), 0, bins - 1)
    counts = xp.bincount(numbers.reshape(-1), minlength=bins)
    y = x
    if int((counts > 0).sum()) > 1:
        below = xp.cumsum(counts)
        first = below[xp.nonzero(below)[0][0]]
        table = xp.clip(xp.rint((below - first) * 255 / max(int(below[-1] - first), 1)), 0, 255)
        y = table[xp.clip(x / 255.0 * (bins - 1), 0, bins - 1).astype(np.int32)]
    back = (high - low) / 255.0
    return (y if (low, high) == BYTES else y * back + low).astype(x.dtype)


def equalize_tiles(
    x: Any, clip: float = 0.0, tiles: Size = (8, 8), value_range: Pair = BYTES
) -> chainer.Variable:
    """Evens the histogram of each tile, cut at ``clip``, and interpolates between them.

    Source: keras.layers.ContrastLimitedAdaptiveHistogramEqualization.
    """
    xp = chainer.backend.get_array_module(x)
    x = getattr(x, "array", x)
    given = x.dtype
    n, c, height, width = x.shape
    x = _ranged(x.astype(np.float32), value_range, BYTES)
    (rows, columns), (h, w) = tiles, (-(-height // tiles[0]), -(-width // tiles[1]))
    x = xp.pad(x, ((0, 0), (0, 0), (0, h * rows - height), (0, w * columns - width)), "symmetric")
    pixels = xp.clip(x, 0, 255).astype(np.int32)
    table = _tables(xp, pixels.reshape(n, c, rows, h, columns, w), clip)
    table = xp.pad(table, ((0, 0), (0, 0), (1, 1), (1, 1), (0, 0)), "edge")
    top, share_y = _between(xp, h * rows, h, rows)
    left, share_x = _between(xp, w * columns, w, columns)
    sample, channel = xp.arange(n)[:, None, None, None], xp.arange(c)[:, None, None]

    def of(row: Any, column: Any) -> Any:
        return table[sample, channel, row[:, None], column, pixels]

    below, right = xp.minimum(top + 1, rows + 1), xp.minimum(left + 1, columns + 1)
    upper = of(top, left) * (1 - share_x) + of(top, right) * share_x
    lower = of(below, left) * (1 - share_x) + of(below, right) * share_x
    y = upper * (1 - share_y[:, None]) + lower * share_y[:, None]
    return chainer.as_variable(_ranged(y[:, :, :height, :width], BYTES, value_range).astype(given))


def _tables(xp: Any, pixels: Any, clip: float) -> Any:
    """What each of 256 values becomes, by sample, channel and tile: (N, C, rows, columns, 256)."""
    n, c, rows, h, columns, w = pixels.shape
    flat = pixels.transpose(0, 1, 2, 4, 3, 5).reshape(-1, h * w)
    places = flat + 256 * xp.arange(len(flat))[:, None]
    counts = xp.bincount(places.reshape(-1), minlength=256 * len(flat)).reshape(-1, 256).astype(np.float32)
    if clip > 0:
        cut = xp.clip(counts, 0, np.float32(clip * (h * w) / 256.0))
        counts = cut + (counts - cut).sum(axis=-1, keepdims=True) / np.float32(256)
    below = xp.cumsum(counts, axis=-1)
    first = below[:, :1]
    rest = np.float32(h * w) - first
    table = (below - first) * np.float32(255) / xp.where(rest == 0, np.float32(1), rest)
    return xp.clip(table, 0, 255).reshape(n, c, rows, columns, 256)


def _between(xp: Any, size: int, tile: int, tiles: int) -> tuple[Any, Any]:
    """The tile before each pixel, counted with a border of one, and the share of the one behind."""
    at = (xp.arange(size, dtype=np.float32) - np.float32(tile / 2)) / np.float32(tile) + np.float32(1)
    low = xp.floor(at)
    return xp.clip(low, 0, tiles + 1).astype(np.int32), at - low
