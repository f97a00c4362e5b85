"""Lookups, hashes, buckets and encodings of every release."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from kchainer.frontends.fields import (
    Config,
    Field,
    Wrong,
    boolean,
    ignored,
    integer,
    natural,
    number,
    one_of,
    only,
    optional,
    positive,
    text,
    tuple_of,
)
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.translate import Translated, translates
from kchainer.ir import ops
from kchainer.ir.op import Shape

Token = str | int


@dataclasses.dataclass(frozen=True, slots=True)
class Kept:
    """What a file keeps of a lookup outside of the config: the vocabulary, and a weight for each token."""

    vocabulary: tuple[str, ...] | None = None
    weights: tuple[float, ...] | None = None


MODES = {"binary": "multi_hot", "tf-idf": "tf_idf"}
SPARSE = Field(type=ignored, default=False, why="a sparse tensor has the values of a dense one")


def _mode(*others: str, default: str = "int") -> Field:
    return Field(type=one_of("one_hot", "multi_hot", "count", *others), default=default, values=MODES)


def _key(v: Any) -> tuple[int, int] | None:
    if v is None:
        return None
    both = (v, v) if isinstance(v, int) else tuple(v) if isinstance(v, (list, tuple)) else ()
    if len(both) != 2:
        raise Wrong("a number or two")
    return integer(both[0]), integer(both[1])


def _token(v: Any) -> Token | None:
    if v is None or (isinstance(v, (str, int)) and not isinstance(v, bool)):
        return v
    raise Wrong("a string, an integer or null")


def _vocabulary(v: Any) -> tuple[Token, ...] | None:
    if v is None:
        return None
    if isinstance(v, str):
        raise Wrong("the tokens themselves: files that a model names are not read", code="KC204")
    found: tuple[Any, ...] = tuple_of(_token)(v)
    if None in found or len({isinstance(one, str) for one in found}) > 1:
        raise Wrong("a list of strings or a list of integers")
    return found


LOOKUP = {
    "max_tokens": Field(type=optional(positive), default=None, was="max_values"),
    "num_oov_indices": Field(type=natural, default=1),
    "vocabulary": Field(type=_vocabulary, default=None),
    "vocabulary_size": Field(type=optional(natural), default=None),
    "has_input_vocabulary": Field(
        type=ignored, default=None, why="whether the vocabulary was given or adapted; it is read either way"
    ),
    "idf_weights": Field(type=optional(tuple_of(number)), default=None),
    "invert": Field(type=boolean, default=False),
    "output_mode": _mode("int", "tf_idf"),
    "pad_to_max_tokens": Field(type=boolean, default=False),
    "sparse": SPARSE,
    "oov_method": Field(type=one_of("floormod", "farmhash"), default="floormod"),
    "salt": Field(type=_key, default=None),
}
STRING_LOOKUP = {
    **LOOKUP,
    "mask_token": Field(type=optional(text), default=None),
    "oov_token": Field(type=optional(text), default="[UNK]"),
    "encoding": Field(
        type=only("utf-8", None), default=None, why="bytes of another encoding are not decoded"
    ),
    "vocabulary_dtype": Field(
        type=ignored, default="string", why="the dtype in which TensorFlow looks words up"
    ),
}
INTEGER_LOOKUP = {
    **LOOKUP,
    "mask_token": Field(type=optional(integer), default=None, was="mask_value"),
    "oov_token": Field(type=optional(integer), default=-1, was="oov_value"),
    "vocabulary_dtype": Field(
        type=one_of("int64", "int32"),
        default="int64",
        why="the dtype of indices, which Chainer takes either way",
    ),
}


def _words(c: Config, kind: Callable[[str], Token]) -> tuple[Token, ...]:
    """The vocabulary: of the config, or of what the file keeps beside it."""
    kept: Kept = getattr(c, "kept", Kept())
    if c.vocabulary:
        if any(isinstance(v, str) != (kind is str) for v in c.vocabulary):
            raise Wrong("a vocabulary of strings" if kind is str else "a vocabulary of integers")
        return tuple(c.vocabulary)
    if kept.vocabulary is None:
        raise Wrong(
            "the vocabulary is not in the file",
            code="KC401",
            hint="give the .keras file as the model or as its weights, or the vocabulary in the config: "
            "JSON and .h5 hold no vocabulary that was adapted, and Keras itself is left without one",
        )
    try:
        return tuple(kind(one) for one in kept.vocabulary[: c.vocabulary_size or None])
    except ValueError:
        raise Wrong("the vocabulary in the file is none of integers") from None


def _lookup(c: Config, kind: Callable[[str], Token], mode: str) -> tuple[ops.Lookup, int, bool]:
    """The lookup, how many numbers it has, and whether the vocabulary names mask and other tokens itself."""
    numbers = mode == "int"
    front = 1 if numbers and c.mask_token is not None else 0
    special = (*([c.mask_token] * front), *([c.oov_token] * c.num_oov_indices))
    words = _words(c, kind)
    named = bool(special) and words[: len(special)] == special
    tokens = words[len(special) :] if named else words
    hashes = "farmhash" if kind is str or c.oov_method == "farmhash" else "remainder"
    if numbers and c.invert and c.oov_token is None:
        raise Wrong("an oov_token, which a lookup the other way round needs")
    made = ops.Lookup(
        vocabulary=tokens,  # type: ignore[arg-type]
        start=len(special),
        oov=c.num_oov_indices,
        mask=c.mask_token,
        masked=0 if numbers else -1,
        invert=c.invert,
        oov_token=c.oov_token if c.invert else None,
        hash="siphash" if c.salt is not None else hashes,  # type: ignore[arg-type]
        salt=c.salt,
    )
    return made, len(special) + len(tokens), named


def _weights(c: Config, size: int, depth: int, named: bool) -> tuple[float, ...]:
    """The factor of each number: those that no token has get the mean, those behind 0."""
    kept: Kept = getattr(c, "kept", Kept())
    if kept.weights is not None:
        given = kept.weights
    elif c.idf_weights is not None:
        given = tuple(c.idf_weights)
        if not named and given:
            given = (sum(given) / len(given),) * (size - len(given)) + given
    else:
        raise Wrong("the weights of tf_idf are not in the file", code="KC401")
    if len(given) not in (size, depth):
        raise Wrong(f"{size} weights of tokens")
    return given + (0.0,) * (depth - len(given))


def _encoded(c: Config, kind: Callable[[str], Token]) -> tuple[ops.Lookup | ops.EncodeCategories, ...]:
    lookup, size, named = _lookup(c, kind, c.output_mode)
    if c.output_mode == "int":
        return (lookup,)
    if c.pad_to_max_tokens and c.max_tokens is None:
        raise Wrong("max_tokens, to which it is padded")
    depth = c.max_tokens if c.pad_to_max_tokens else size
    tf_idf = c.output_mode == "tf_idf"
    return lookup, ops.EncodeCategories(
        mode="count" if tf_idf else c.output_mode,
        depth=depth,
        weights=_weights(c, size, depth, named) if tf_idf else None,
    )


@translates("StringLookup", fields=STRING_LOOKUP)
def string_lookup(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return _encoded(c, str)


@translates("IntegerLookup", fields=INTEGER_LOOKUP)
def integer_lookup(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return _encoded(c, int)


def _ngrams(v: Any) -> tuple[int, ...] | None:
    if v is None:
        return None
    return tuple(range(1, positive(v) + 1)) if isinstance(v, int) else tuple_of(positive)(v)


# Functions of a user stand there as objects, or by name.
CODE = "a function of its own splits or cleans the texts; code is never run"


def _named(*allowed: str | None) -> Callable[[Any], Any]:
    known = one_of(*allowed)

    def check(v: Any) -> Any:
        if isinstance(v, dict):
            raise Wrong(CODE, code="KC202")
        return known(v)

    return check


TEXT_VECTORIZATION = {
    "max_tokens": Field(type=optional(positive), default=None),
    "standardize": Field(
        type=_named("lower_and_strip_punctuation", "lower", "strip_punctuation", None),
        default="lower_and_strip_punctuation",
    ),
    "split": Field(type=_named("whitespace", "character", None), default="whitespace"),
    "ngrams": Field(type=_ngrams, default=None),
    "output_mode": _mode("int", "tf_idf"),
    "output_sequence_length": Field(type=optional(positive), default=None),
    "pad_to_max_tokens": Field(type=boolean, default=False),
    "vocabulary": Field(type=_vocabulary, default=None),
    "vocabulary_size": Field(type=optional(natural), default=None),
    "has_input_vocabulary": Field(
        type=ignored, default=None, why="whether the vocabulary was given or adapted; it is read either way"
    ),
    "idf_weights": Field(type=optional(tuple_of(number)), default=None),
    "sparse": SPARSE,
    "ragged": Field(type=only(False), default=False, why="ragged tensors have no counterpart in Chainer"),
    "encoding": Field(
        type=only("utf-8", None), default=None, why="bytes of another encoding are not decoded"
    ),
}


@translates("TextVectorization", fields=TEXT_VECTORIZATION)
def text_vectorization(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    told = {"num_oov_indices": 1, "mask_token": "", "oov_token": "[UNK]", "invert": False, "salt": None}
    vars(c).update(told)
    standardize = c.standardize or ""
    tokens = ops.Tokenize(
        lower=standardize.startswith("lower"),
        strip=standardize.endswith("strip_punctuation"),
        split=c.split,
        ngrams=c.ngrams,
        length=c.output_sequence_length if c.output_mode == "int" else None,
    )
    return tokens, *_encoded(c, str)


HASHING = {
    "num_bins": Field(type=positive),
    "salt": Field(type=_key, default=None),
    "mask_value": Field(type=_token, default=None),
    "output_mode": _mode("int"),
    "sparse": SPARSE,
}


def _with_mode(first: ops.Hash | ops.CrossHash | ops.Bucketize, mode: str, depth: int) -> Translated:
    if mode == "int":
        return first
    return first, ops.EncodeCategories(mode=mode, depth=depth, weights=None)  # type: ignore[arg-type]


@translates("Hashing", fields=HASHING)
def hashing(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return _with_mode(
        ops.Hash(num_bins=c.num_bins, mask=c.mask_value, salt=c.salt), c.output_mode, c.num_bins
    )


HASHED_CROSSING = {"num_bins": Field(type=positive), "output_mode": _mode("int"), "sparse": SPARSE}


@translates("HashedCrossing", fields=HASHED_CROSSING)
def hashed_crossing(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return _with_mode(ops.CrossHash(num_bins=c.num_bins), c.output_mode, c.num_bins)


DISCRETIZATION = {
    "bin_boundaries": Field(type=optional(tuple_of(number)), default=None, was="bins"),
    "num_bins": Field(
        type=ignored, default=None, why="what the boundaries were adapted by; they are in the file"
    ),
    "epsilon": Field(
        type=ignored, default=0.01, why="what the boundaries were adapted by; they are in the file"
    ),
    "output_mode": _mode("int"),
    "sparse": SPARSE,
}


@translates("Discretization", fields=DISCRETIZATION)
def discretization(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    if not c.bin_boundaries:
        raise Wrong("the boundaries of the bins are not in the file", code="KC401")
    bounds = tuple(sorted(c.bin_boundaries))
    return _with_mode(ops.Bucketize(boundaries=bounds), c.output_mode, len(bounds) + 1)


CATEGORY_ENCODING = {
    "num_tokens": Field(type=positive, was="max_tokens"),
    "output_mode": _mode(default="multi_hot"),
    "sparse": SPARSE,
}


@translates("CategoryEncoding", fields=CATEGORY_ENCODING)
def category_encoding(c: Config, xs: tuple[Shape, ...], dialect: Dialect) -> Translated:
    return ops.EncodeCategories(mode=c.output_mode, depth=c.num_tokens, weights=None)
