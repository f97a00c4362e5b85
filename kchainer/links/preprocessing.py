"""Lookups and hashes: computed on the CPU, handed to the device where the network is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import chainer
import numpy as np

from kchainer.functions.hashing import cross_buckets, hash_buckets
from kchainer.functions.preprocessing import as_strings, encode_categories

Array = np.ndarray[Any, Any]
Token = str | int


def _on_cpu(x: Any) -> Array:
    """Strings or numbers in an array of NumPy."""
    x = getattr(x, "array", x)
    if chainer.backend.get_array_module(x) is not np:
        x = chainer.backends.cuda.to_cpu(x)
    x = np.asarray(x)
    return x if x.dtype.kind in "iufb" else as_strings(x)


class _OnCpu(chainer.Link):
    """A link without parameters whose device says where its results go."""

    def _sent(self, y: Array) -> Any:
        return y if y.dtype == object else chainer.as_variable(self.device.send(y))


class Lookup(_OnCpu):
    """Tokens to numbers by a vocabulary, or back. Source: keras.layers.StringLookup, IntegerLookup.

    Args:
        vocabulary: tokens; the first has the number ``start``.
        oov: how many numbers before ``start`` stand for other tokens; 0: these raise ValueError.
        mask: a token whose number is ``masked``.
        invert: numbers in, tokens out; ``oov_token`` where there is none.
        hash: of other tokens where ``oov`` exceeds 1: remainder, farmhash, or siphash with the key ``salt``.
    """

    def __init__(
        self,
        vocabulary: Sequence[Token],
        start: int,
        oov: int = 1,
        mask: Token | None = None,
        masked: int = 0,
        invert: bool = False,
        oov_token: Token | None = None,
        hash: str = "farmhash",
        salt: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        self.numbers: dict[Any, Any] = {token: i for i, token in enumerate(vocabulary, start)}
        self.words = any(isinstance(v, str) for v in vocabulary) or isinstance(oov_token, str)
        self.invert, self.oov, self.oov_token = invert, oov, oov_token
        self.first_oov, self.hash, self.salt = start - oov, hash, salt
        if invert:
            self.numbers = {i: token for token, i in self.numbers.items()}
        if mask is not None:
            self.numbers[0 if invert else mask] = mask if invert else masked

    def forward(self, x: Any) -> Any:
        """The numbers of the tokens ``x``, int64, or the tokens of the numbers ``x``."""
        x = _on_cpu(x)
        if x.dtype != object or not self.words:
            x = x.astype(np.int64)
        flat = x.reshape(-1).tolist()
        known = {
            one: self.numbers[one] if one in self.numbers else self._other(one) for one in dict.fromkeys(flat)
        }
        found = np.empty(len(flat), object if self.invert and self.words else np.int64)
        found[:] = [known[one] for one in flat]
        return self._sent(found.reshape(x.shape))

    def _other(self, token: Token) -> Token | None:
        if self.invert:
            return self.oov_token
        if self.oov == 0:
            raise ValueError(f"{token!r} is not in the vocabulary, which has no place for other tokens")
        return self.first_oov + (self._bucket(token) if self.oov > 1 else 0)

    def _bucket(self, token: Token) -> int:
        if self.hash == "remainder":
            return int(token) % self.oov
        return int(hash_buckets(np.array([token], object), self.oov, self.salt)[0])


class Hash(_OnCpu):
    """A number below ``num_bins`` for each value. Source: keras.layers.Hashing.

    Args:
        mask: the value that gets 0, which no other gets then.
        salt: the key of SipHash; None: FarmHash.
    """

    def __init__(self, num_bins: int, mask: Token | None = None, salt: tuple[int, int] | None = None) -> None:
        super().__init__()
        self.num_bins, self.mask, self.salt = num_bins, mask, salt

    def forward(self, x: Any) -> Any:
        """The numbers of ``x``, int64."""
        x = _on_cpu(x)
        if self.mask is None or self.num_bins == 1:
            return self._sent(hash_buckets(x, self.num_bins, self.salt))
        numbers = hash_buckets(x, self.num_bins - 1, self.salt) + 1
        return self._sent(np.where((x == self.mask).astype(bool), 0, numbers))


class CrossHash(_OnCpu):
    """A number below ``num_bins`` for each combination of values. Source: keras.layers.HashedCrossing."""

    def __init__(self, num_bins: int) -> None:
        super().__init__()
        self.num_bins = num_bins

    def forward(self, *xs: Any) -> Any:
        """The numbers of the combinations, int64."""
        return self._sent(cross_buckets([_on_cpu(x) for x in xs], self.num_bins))


class EncodeCategories(chainer.Link):
    """Numbers of categories as vectors of the dtype in which the network computes.

    Source: keras.layers.CategoryEncoding; see kchainer.functions.encode_categories.
    """

    def __init__(self, mode: str, depth: int, weights: Sequence[float] | None = None) -> None:
        super().__init__()
        self.mode, self.depth, self.weights = mode, depth, weights
        self.dtype = chainer.get_dtype()

    def forward(self, x: Any, counts: Any = None) -> chainer.Variable:
        """The vectors of ``x``; ``counts``: what each number counts, instead of 1."""
        return encode_categories(
            x, counts, mode=self.mode, depth=self.depth, weights=self.weights, dtype=self.dtype
        )
