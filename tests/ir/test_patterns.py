"""Patterns of files: the verdict of ``re`` where it gives one, and no pattern that takes long."""

from __future__ import annotations

import copy
import pickle
import random
import re
import time

import hypothesis.strategies as st
import pytest
from hypothesis import assume, given, settings

from kchainer.ir.patterns import LENGTH, Pattern, PatternError, pattern

ATOMS = [
    *"abA_/1.^$",
    r"\d",
    r"\W",
    r"\w",
    r"\s",
    r"\.",
    r"\b",
    r"\B",
    r"\A",
    r"\Z",
    "[ab]",
    "[^a]",
    "[a-c/]",
    "[]a]",
]
ATOMS += [r"[\d_-]", "[+--]", "[[a]", "{", "}", "-", "{,", "()", "\\n", "é"]
REPEATS = ["*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{,2}", "{2,}", "{0}", "{1,3}?"]


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.tuples(st.sampled_from(["(", "(?:"]), inner).map(lambda p: f"{p[0]}{p[1]})"),
        st.tuples(inner, inner).map("|".join),
        st.tuples(inner, st.sampled_from(REPEATS)).map(lambda p: f"(?:{p[0]}){p[1]}"),
        st.tuples(st.sampled_from("ab1./"), st.sampled_from(REPEATS)).map("".join),
    )


PATTERNS = st.recursive(st.sampled_from(ATOMS), _grown, max_leaves=8)
TEXTS = st.text(alphabet="abAc_/1.-{,}\n é[+", max_size=10)


@pytest.mark.filterwarnings(
    "ignore::FutureWarning"
)  # `re` warns of classes that a later one may read otherwise
@settings(max_examples=500, deadline=None)
@given(PATTERNS, st.lists(TEXTS, min_size=1, max_size=6), st.booleans())
def test_verdict_is_that_of_re(text: str, names: list[str], fold: bool) -> None:
    text = f"(?i){text}" if fold else text
    try:
        theirs = re.compile(text)
    except re.error:
        assume(False)
    mine = Pattern(text)
    for name in names:
        assert mine.search(name) == bool(theirs.search(name)), (text, name)
        assert mine.fullmatch(name) == bool(theirs.fullmatch(name)), (text, name)


@pytest.mark.filterwarnings("ignore::FutureWarning")
@settings(max_examples=500, deadline=None)
@given(st.text(alphabet="ab*+?{}()[]|\\^$.-,12:=!<>P#idw", max_size=12), TEXTS)
def test_no_text_is_taken_that_re_refuses_or_reads_otherwise(text: str, name: str) -> None:
    try:
        mine = Pattern(text)
    except PatternError:
        return
    assert mine.search(name) == bool(re.search(text, name)), (text, name)


@pytest.mark.parametrize(
    "text", ["(a+)+$", "(a|a)+$", "(a|aa)+$", "(.*a){20}$", "(a*)*b", "(?:a?){30}a{30}$"]
)
def test_a_pattern_that_hangs_re_is_instant(text: str) -> None:
    began = time.monotonic()
    assert not Pattern(text).search("a" * 19 + "-" * 2 + "a" * 5_000 + "!")
    assert time.monotonic() - began < 2  # seconds; `re` needs years


def test_states_that_double_with_each_character_stay_within_the_limits() -> None:
    began = time.monotonic()
    hard = Pattern("(a|b)*a" + "(a|b)" * 100 + "$")
    names = random.Random(0)
    assert not hard.search("".join(names.choices("ab", k=1_000)) + "c")
    with pytest.raises(PatternError, match="too long"):
        hard.search("".join(names.choices("ab", k=100_000)) + "c")
    assert time.monotonic() - began < 20  # seconds


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a(?=b)", "lookahead"),
        ("a(?!b)", "lookahead"),
        ("(?<=a)b", "lookbehind"),
        ("(?<!a)b", "lookbehind"),
        (r"(a)\1", "reference"),
        ("(?P<x>a)(?P=x)", "reference"),
        ("(a)?(?(1)b|c)", "condition"),
        ("(?>a)", "atomic"),
        ("a++", "possessive"),
        ("(?s)a", "flag"),
        ("a**", "repeat of a repeat"),
        ("*a", "nothing to repeat"),
        ("^*", "nothing to repeat"),
        ("(a", "without"),
        ("a)", "without"),
        ("[a", "without"),
        ("[b-a]", "range"),
        (r"\x41", "escape"),
        ("a\\", "escape"),
        ("a{3,2}", "lower count"),
        ("a" * (LENGTH + 1), "characters"),
        ("(a{100}){100}", "states"),
        ("a{99999999999999999999}", "states"),
        ("((((){1000}){1000}){1000}){1000}", "states"),
        ("(" * 400 + ")" * 400, "deeper"),
    ],
)
def test_what_is_refused_says_why(text: str, why: str) -> None:
    with pytest.raises(PatternError, match=why):
        Pattern(text)


def test_patterns_are_copied_and_pickled_by_their_text() -> None:
    one = pattern("conv.*/kernel")
    assert pickle.loads(pickle.dumps(one)) == one == copy.deepcopy(one)
    assert {one: 1}[Pattern("conv.*/kernel")] == 1
