"""Texts, buckets and categories. What takes strings takes NumPy arrays and gives them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Any

import chainer
import chainer.functions as F
import numpy as np

Array = np.ndarray[Any, Any]

# Source: keras.layers.TextVectorization.
_PUNCTUATION = re.compile(r"""[!"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~']""")
# TensorFlow lowers and splits by bytes: letters and blanks beyond ASCII stay as they are.
_LOWER = str.maketrans({chr(c): chr(c + 32) for c in range(ord("A"), ord("Z") + 1)})
_BLANKS = re.compile(r"[ \t\n\v\f\r]+")


def as_strings(x: Any) -> Array:
    """Strings as an array of Python's: from lists, from NumPy's strings, from bytes in UTF-8."""
    x = np.asarray(getattr(x, "array", x))
    flat = [v.decode("utf-8") if isinstance(v, bytes) else str(v) for v in x.reshape(-1).tolist()]
    out = np.empty(len(flat), object)
    out[:] = flat
    return out.reshape(x.shape)


def _tokens(text: str, split: str | None) -> list[str]:
    if split is None:
        return [text]
    return [t for t in _BLANKS.split(text) if t] if split == "whitespace" else list(text)


def _runs(tokens: list[str], ngrams: Sequence[int] | None) -> list[str]:
    if ngrams is None:
        return tokens
    return [" ".join(tokens[i : i + n]) for n in ngrams for i in range(len(tokens) - n + 1)]


def tokenize(
    x: Any,
    lower: bool = True,
    strip: bool = True,
    split: str | None = "whitespace",
    ngrams: Sequence[int] | None = None,
    length: int | None = None,
) -> Array:
    """Texts as rows of tokens, padded by empty strings. Source: keras.layers.TextVectorization."""
    x = as_strings(x)
    texts = x.reshape((*x.shape[:-1], -1) if split is None else (len(x), 1))
    rows = []
    for row in texts.reshape(-1, texts.shape[-1]).tolist():
        row = [t.translate(_LOWER) for t in row] if lower else row
        row = [_PUNCTUATION.sub("", t) for t in row] if strip else row
        rows.append(_runs(list(itertools.chain.from_iterable(_tokens(t, split) for t in row)), ngrams))
    most = max((len(r) for r in rows), default=0) if length is None else length
    out = np.full((len(rows), most), "", object)
    for i, row in enumerate(rows):
        out[i, : len(row)] = row[:most]
    return out.reshape((*texts.shape[:-1], most))


def bucketize(x: Any, boundaries: Sequence[float]) -> chainer.Variable:
    """How many of ``boundaries`` are not above each value, int32. Source: keras.layers.Discretization."""
    xp = chainer.backend.get_array_module(x)
    x = getattr(x, "array", x)
    # PyTorch and TensorFlow keep the boundaries in float32, whatever they compare
    cuts = xp.asarray(np.asarray(boundaries, np.float32))
    return chainer.as_variable(xp.searchsorted(cuts, x, side="right").astype(np.int32))


def encode_categories(
    x: Any,
    counts: Any = None,
    *,
    mode: str,
    depth: int,
    weights: Sequence[float] | None = None,
    dtype: Any = None,
) -> chainer.Variable:
    """Numbers of categories as vectors: one_hot for each, multi_hot or count of those of a sample.

    ``counts``: what each number counts, instead of 1. Source: keras.layers.CategoryEncoding.
    """
    xp = chainer.backend.get_array_module(x)
    x = getattr(x, "array", x)
    if mode == "one_hot" and x.ndim > 1 and x.shape[-1] == 1:
        x = x[..., 0]
    dtype = chainer.get_dtype(dtype)
    if mode == "one_hot":
        hot = (x[..., None] == xp.arange(depth)).astype(dtype)
    elif counts is not None:
        each = (x[..., None] == xp.arange(depth)).astype(dtype)
        return F.matmul(F.expand_dims(F.cast(counts, dtype), 1), each)[:, 0]
    else:
        hot = xp.zeros((len(x), depth), dtype)
        inside = (x >= 0) & (x < depth)
        rows = xp.broadcast_to(xp.arange(len(x))[:, None], x.shape)[inside]
        places = (rows, x[inside].astype(np.int64))
        if mode == "count":
            xp.add.at(hot, places, 1)
        else:
            hot[places] = 1
    if weights is not None:
        hot *= xp.asarray(weights, dtype)
    return chainer.as_variable(hot)
