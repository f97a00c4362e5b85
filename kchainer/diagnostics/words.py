"""Texts of a file made fit to be shown, and spelling help."""

from __future__ import annotations

import difflib
import functools
import unicodedata
from collections.abc import Iterable

# Control, format (bidi, zero width), surrogate, line and paragraph separators: none may reach a terminal.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# difflib is quadratic in the length of a word.
_LONGEST_WORD = 80


def escape(text: object) -> str:
    r"""Text with everything a terminal would obey or hide written as ``\x1b``, ``\u202e``."""
    plain = str(text)
    if plain.isprintable() and plain.isascii():
        return plain
    return "".join(_escaped(sign) for sign in plain)


def _escaped(sign: str) -> str:
    if unicodedata.category(sign) not in _HIDDEN:
        return sign
    number = ord(sign)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def suggestion(word: str, known: Iterable[str]) -> str | None:
    """Spelling help: ``did you mean `padding`?``, or None where nothing known is near."""
    near = _near(word, tuple(known)) if len(word) <= _LONGEST_WORD else None
    return f"did you mean `{near}`?" if near else None


# One comparison with all classes takes a millisecond, and a file may hold the same mistake 100,000 times.
@functools.lru_cache(maxsize=1024)
def _near(word: str, known: tuple[str, ...]) -> str | None:
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return near[0] if near else None
