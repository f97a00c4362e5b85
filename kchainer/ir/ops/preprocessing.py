"""Strings, categories and numbers to what a network computes with: lookups, hashes, buckets, encodings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from kchainer.ir.op import Op, Shape, ShapeError, attr, op, show

Mode = Literal["one_hot", "multi_hot", "count"]


@op
class Lookup(Op):
    """The number of each token in a vocabulary, or the token of each number.

    Input   x  strings or integers; looked up on the CPU.
    Output  y  int64 of the same shape; tokens where ``invert``. The i-th token has the number ``start`` + i, the
            ``oov`` numbers before are of tokens that are none of them: the only one, or that of a hash.
    Raises  ValueError when it is called: such a token where ``oov`` is 0.
    Source  keras.layers.StringLookup, IntegerLookup.
    """

    vocabulary: tuple[str, ...] | tuple[int, ...] = attr(
        doc="tokens, without mask and out-of-vocabulary token"
    )
    start: int = attr(doc="the number of the first token", minimum=0)
    oov: int = attr(doc="how many numbers stand for tokens that are not in the vocabulary", spec=1, minimum=0)
    mask: str | int | None = attr(doc="a token that means nothing", spec=None)
    masked: int = attr(doc="the number of ``mask``; -1: no category", spec=0, minimum=-1)
    invert: bool = attr(doc="numbers in, tokens out", spec=False)
    oov_token: str | int | None = attr(doc="what numbers that are none become", spec=None)
    hash: Literal["remainder", "farmhash", "siphash"] = attr(
        doc="of tokens where ``oov`` exceeds 1", spec="farmhash"
    )
    salt: tuple[int, int] | None = attr(doc="the key of siphash", spec=None)

    def check(self) -> Iterator[str]:
        if len(set(self.vocabulary)) != len(self.vocabulary):
            yield "a token stands twice in the vocabulary"
        if (self.salt is None) != (self.hash != "siphash"):
            yield "siphash and a salt go together"
        if self.invert and self.oov_token is None:
            yield "the other way round needs an oov_token"
        if self.hash == "remainder" and not all(isinstance(v, int) for v in self.vocabulary):
            yield "a remainder is of integers"

    def infer(self, x: Shape) -> Shape:
        return x


@op
class Tokenize(Op):
    """Texts as rows of tokens, padded by empty ones.

    Input   x  strings, (N,) or (N, 1); (N, ...) where ``split`` is null.
    Output  y  strings, (N, T): T is ``length``, or the most tokens that a text of the batch has.
    Raises  ShapeError: several texts a sample.
    Source  keras.layers.TextVectorization.
    """

    lower: bool = attr(doc="capital letters A to Z become small", spec=True)
    strip: bool = attr(doc="punctuation is taken out", spec=True)
    split: Literal["whitespace", "character"] | None = attr(
        doc="into words or characters; null: no", spec="whitespace"
    )
    ngrams: tuple[int, ...] | None = attr(
        doc="lengths of runs of tokens that count as one", spec=None, minimum=1
    )
    length: int | None = attr(doc="tokens a text; null: as many as there are", spec=None, minimum=1)

    def infer(self, x: Shape) -> Shape:
        if self.split is None:
            if len(x) < 2:
                raise ShapeError(f"texts that are not split need rank 2, found {show(x)}")
            return (*x[:-1], self.length if self.length is not None else None if self.ngrams else x[-1])
        if len(x) not in (1, 2) or (len(x) == 2 and x[1] != 1):
            raise ShapeError(f"expected one text a sample, found {show(x)}")
        return (x[0], self.length)


@op
class Hash(Op):
    """A number below ``num_bins`` for each value, by a hash.

    Input   x  strings, or numbers, which are written out, without what is behind the point; hashed on the CPU.
    Output  y  int64 of the same shape.
    Source  keras.layers.Hashing: FarmHash, or SipHash where there is a salt.
    """

    num_bins: int = attr(doc="how many numbers there are", minimum=1)
    mask: str | int | None = attr(doc="a value that gets 0, which no other gets then", spec=None)
    salt: tuple[int, int] | None = attr(doc="a key", spec=None)

    def infer(self, x: Shape) -> Shape:
        return x


@op
class CrossHash(Op):
    """A number below ``num_bins`` for each combination of values, by a hash.

    Input   xs  two or more of equal shape (N,) or (N, 1): strings or integers; hashed on the CPU.
    Output  y  int64 of the same shape.
    Raises  ShapeError: other shapes.
    Source  keras.layers.HashedCrossing.
    """

    num_bins: int = attr(doc="how many numbers there are", minimum=1)

    def infer(self, *xs: Shape) -> Shape:
        if len(xs) < 2 or any(
            len(x) not in (1, 2) or x[1:] != xs[0][1:] or x[1:] not in ((), (1,)) for x in xs
        ):
            raise ShapeError("expected two or more values a sample, each of shape (N,) or (N, 1)")
        return xs[0]


@op
class Bucketize(Op):
    """How many of ``boundaries`` are not above a value.

    Output  y  int32 of the same shape.
    Source  keras.layers.Discretization.
    """

    boundaries: tuple[float, ...] = attr(doc="in ascending order")

    def check(self) -> Iterator[str]:
        if list(self.boundaries) != sorted(self.boundaries):
            yield "boundaries are not in ascending order"

    def infer(self, x: Shape) -> Shape:
        return x


@op
class EncodeCategories(Op):
    """Numbers of categories as vectors, for each number or for each sample of several.

    Input   x  (N, K) integers, or of any rank where ``mode`` is one_hot; numbers outside give zeros.
            counts  of the shape of ``x``, where ``mode`` is count: what each number counts; 1 where it is not given.
    Output  y  one_hot: a new last axis, in place of one of size 1; else (N, ``depth``): which numbers there are, or
            how often.
    Raises  ShapeError: another rank.
    Source  keras.layers.CategoryEncoding and the output modes of lookups.
    """

    mode: Mode = attr(doc="a vector each, or one of all that there are, or of how often")
    depth: int = attr(doc="how many categories there are", minimum=1)
    weights: tuple[float, ...] | None = attr(doc="a factor for each category", spec=None)

    def check(self) -> Iterator[str]:
        if self.weights is not None and len(self.weights) != self.depth:
            yield f"{len(self.weights)} weights for {self.depth} categories"

    def infer(self, x: Shape, counts: Shape | None = None) -> Shape:
        if counts is not None and (self.mode != "count" or counts[1:] != x[1:]):
            raise ShapeError(f"weights {show(counts)} of {show(x)} in mode {self.mode}")
        if self.mode == "one_hot":
            return (*(x[:-1] if len(x) > 1 and x[-1] == 1 else x), self.depth)
        if len(x) != 2:
            raise ShapeError(f"{self.mode} needs rank 2, found {show(x)}")
        return (x[0], self.depth)
