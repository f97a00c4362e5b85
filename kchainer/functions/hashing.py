"""Hashes of strings as TensorFlow's string operations compute them, and numbers of buckets made of them."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

_ALL = 2**64 - 1
# Source: FarmHash (Pike and Alakuijala, 2014), variant na, whose values are fixed for ever as Fingerprint64.
_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F
_CROSS = 0xC6A4A7935BD1E995
# What tf.sparse.cross_hashed starts from.
_CROSS_START = 0xDECAFCAFFE

Pair = tuple[int, int]


def _turn(v: int, by: int) -> int:
    """Rotate right."""
    return (v >> by | v << (64 - by)) & _ALL


def _fold(v: int) -> int:
    return v ^ (v >> 47)


def _mix(u: int, v: int, by: int) -> int:
    a = _fold((u ^ v) * by & _ALL)
    b = _fold((v ^ a) * by & _ALL)
    return b * by & _ALL


def _word(s: bytes, at: int) -> int:
    return int(struct.unpack_from("<Q", s, at)[0])


def _short(s: bytes) -> int:
    n = len(s)
    by = _K2 + n * 2 & _ALL
    if n >= 8:
        a, b = _word(s, 0) + _K2 & _ALL, _word(s, n - 8)
        c, d = _turn(b, 37) * by + a & _ALL, (_turn(a, 25) + b) * by & _ALL
        return _mix(c, d, by)
    if n >= 4:
        first, last = struct.unpack_from("<I", s)[0], struct.unpack_from("<I", s, n - 4)[0]
        return _mix(n + (first << 3), last, by)
    if n:
        y, z = s[0] + (s[n >> 1] << 8), n + (s[-1] << 2)
        return _fold((y * _K2 ^ z * _K0) & _ALL) * _K2 & _ALL
    return _K2


def _ends(s: bytes, first: int, by: int) -> tuple[int, int, int, int]:
    """Two words of the beginning and two of the end, and what is made of them."""
    n = len(s)
    a, b = _word(s, 0) * first & _ALL, _word(s, 8)
    c, d = _word(s, n - 8) * by & _ALL, _word(s, n - 16) * _K2 & _ALL
    y = _turn(a + b & _ALL, 43) + _turn(c, 30) + d & _ALL
    return a, y, _mix(y, a + _turn(b + _K2 & _ALL, 18) + c & _ALL, by), b


def _middle(s: bytes) -> int:
    n = len(s)
    by = _K2 + n * 2 & _ALL
    if n <= 32:
        return _ends(s, _K1, by)[2]
    a, y, z, _ = _ends(s, _K2, by)
    e, f = _word(s, 16) * by & _ALL, _word(s, 24)
    g, h = (y + _word(s, n - 32)) * by & _ALL, (z + _word(s, n - 24)) * by & _ALL
    return _mix(_turn(e + f & _ALL, 43) + _turn(g, 30) + h & _ALL, e + _turn(f + a & _ALL, 18) + g & _ALL, by)


def _weak(s: bytes, at: int, a: int, b: int) -> Pair:
    w, x, y, z = struct.unpack_from("<4Q", s, at)
    a = a + w & _ALL
    b = _turn(b + a + z & _ALL, 21)
    c = a
    a = a + x + y & _ALL
    return a + z & _ALL, b + _turn(a, 44) + c & _ALL


State = tuple[int, int, int, Pair, Pair]


def _round(s: bytes, at: int, state: State, by: int, heavy: int) -> State:
    x, y, z, v, w = state
    x = _turn(x + y + v[0] + _word(s, at + 8) & _ALL, 37) * by & _ALL
    y = _turn(y + v[1] + _word(s, at + 48) & _ALL, 42) * by & _ALL
    x ^= w[1] * heavy & _ALL
    y = y + v[0] * heavy + _word(s, at + 40) & _ALL
    z = _turn(z + w[0] & _ALL, 33) * by & _ALL
    v = _weak(s, at, v[1] * by & _ALL, x + w[0] & _ALL)
    w = _weak(s, at + 32, z + w[1] & _ALL, y + _word(s, at + 16) & _ALL)
    return z, y, x, v, w


def _long(s: bytes) -> int:
    n = len(s)
    y = 81 * _K1 + 113 & _ALL
    z = _fold(y * _K2 + 113 & _ALL) * _K2 & _ALL
    state: State = (81 * _K2 + _word(s, 0) & _ALL, y, z, (0, 0), (0, 0))
    for at in range(0, (n - 1) // 64 * 64, 64):
        state = _round(s, at, state, _K1, 1)
    x, y, z, v, w = state
    by = _K1 + ((z & 0xFF) << 1) & _ALL
    first = w[0] + ((n - 1) & 63) & _ALL
    second = v[0] + first & _ALL
    first = first + second & _ALL
    x, y, z, v, w = _round(s, n - 64, (x, y, z, (second, v[1]), (first, w[1])), by, 9)
    left = _mix(v[0], w[0], by) + _fold(y) * _K0 + z & _ALL
    return _mix(left, _mix(v[1], w[1], by) + x & _ALL, by)


def farmhash64(s: bytes) -> int:
    """FarmHash's fingerprint of 64 bits."""
    return _short(s) if len(s) <= 16 else _middle(s) if len(s) <= 64 else _long(s)


def _sip_round(v: list[int]) -> None:
    for a, b, c, d, first, second in ((0, 1, 2, 3, 13, 16), (2, 1, 0, 3, 17, 21)):
        v[a] = v[a] + v[b] & _ALL
        v[c] = v[c] + v[d] & _ALL
        v[b] = _turn(v[b], 64 - first) ^ v[a]
        v[d] = _turn(v[d], 64 - second) ^ v[c]
        v[a] = _turn(v[a], 32)


def siphash64(s: bytes, key: Pair) -> int:
    """SipHash-2-4. Source: Aumasson and Bernstein, SipHash: a fast short-input PRF (2012)."""
    k0, k1 = (k & _ALL for k in key)
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]
    tail = s[len(s) // 8 * 8 :].ljust(7, b"\0") + bytes([len(s) & 0xFF])
    for (word,) in struct.iter_unpack("<Q", s[: len(s) // 8 * 8] + tail):
        v[3] ^= word
        _sip_round(v)
        _sip_round(v)
        v[0] ^= word
    v[2] ^= 0xFF
    for _ in range(4):
        _sip_round(v)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def as_bytes(value: Any) -> bytes:
    """A string, or a number written out, as the bytes that are hashed; floats lose what is behind the point."""
    if isinstance(value, bytes):
        return value
    return (value if isinstance(value, str) else str(int(value))).encode("utf-8")


def _each(x: np.ndarray[Any, Any], function: Callable[[Any], int]) -> np.ndarray[Any, Any]:
    """``function`` of every element, called once for equal ones."""
    flat = x.reshape(-1).tolist()
    known = {one: function(one) for one in dict.fromkeys(flat)}
    return np.array([known[one] for one in flat], np.int64).reshape(x.shape)


def hash_buckets(x: np.ndarray[Any, Any], buckets: int, key: Pair | None = None) -> np.ndarray[Any, Any]:
    """A number below ``buckets`` for every element, by FarmHash, by SipHash where there is a key.

    Source: tf.strings.to_hash_bucket_fast, to_hash_bucket_strong.
    """
    if key is None:
        return _each(x, lambda one: farmhash64(as_bytes(one)) % buckets)
    return _each(x, lambda one: siphash64(as_bytes(one), key) % buckets)


def _joined(first: int, second: int) -> int:
    made = first ^ _CROSS ^ (_fold(second * _CROSS & _ALL) * _CROSS & _ALL)
    return _fold(_fold(made * _CROSS & _ALL) * _CROSS & _ALL)


def cross_buckets(xs: Sequence[np.ndarray[Any, Any]], buckets: int) -> np.ndarray[Any, Any]:
    """A number below ``buckets`` for every combination of elements. Source: tf.sparse.cross_hashed."""
    made = []
    for one in zip(*(x.reshape(-1).tolist() for x in xs), strict=True):
        value = _CROSS_START
        for part in one:
            value = _joined(
                value, farmhash64(as_bytes(part)) if isinstance(part, (str, bytes)) else int(part) & _ALL
            )
        made.append(value % buckets)
    return np.array(made, np.int64).reshape(xs[0].shape)
