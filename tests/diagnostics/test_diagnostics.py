"""Places, escaping, bounds and forms of diagnostics."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from kchainer.diagnostics import (
    CODES,
    Diagnostics,
    KchainerError,
    codes_page,
    escape,
    render_github,
    render_json,
    render_text,
    suggestion,
)

TEXT = '{"layers": [{"a": 1}, {"config": {"name": "x", "paddding": "same"}}]}'


def test_unknown_key_is_shown_at_its_place() -> None:
    found = Diagnostics("m.json")
    hint = suggestion("paddding", ["padding", "strides"])
    found.error("KC103", "unknown key `paddding`", pointer="/layers/1/config/paddding", hint=hint)
    assert render_text(found.located(TEXT).items) == (
        "m.json:1:48: error[KC103]: unknown key `paddding`\n"
        '  | {"layers": [{"a": 1}, {"config": {"name": "x", "paddding": "same"}}]}\n'
        + "  | "
        + " " * 47
        + "^" * 10
        + "\n"
        "  = at /layers/1/config/paddding\n"
        "  = help: did you mean `padding`?"
    )


@pytest.mark.parametrize(
    ("pointer", "column"), [("/layers/1", 23), ("/layers/1/config/absent", 34), ("/layers/9", 12), ("", 1)]
)
def test_values_and_missing_keys_are_placed_at_the_nearest_value(pointer: str, column: int) -> None:
    found = Diagnostics("m.json")
    found.error("KC105", "missing", pointer=pointer)
    assert found.located(TEXT).items[0].column == column


def test_places_are_found_in_deep_and_broken_text() -> None:
    for text in ("[" * 100_000, '["' + '\\"' * 100_000, "", "}", '{"a": [1, 2\n, {"b": 3}]}'):
        found = Diagnostics("m.json")
        found.error("KC104", "bad", pointer="/a/2/b")
        item = found.located(text).items[0]
        assert item.line is not None
    assert (item.line, item.column) == (2, 9)


def test_report_is_bounded() -> None:
    found = Diagnostics("m.json")
    for number in range(20_000):
        found.error("KC104", f"bad {number}")
    with pytest.raises(KchainerError) as caught:
        found.raise_if_errors()
    assert len(caught.value.diagnostics) == 101
    assert caught.value.diagnostics[-1].message == "and 19,900 more errors"


def test_warnings_alone_raise_nothing() -> None:
    found = Diagnostics("m.json")
    found.warn("KC306", "unused")
    found.note("KC108", "guessed")
    found.raise_if_errors()
    assert not found.has_errors


def test_nothing_reaches_the_terminal_that_it_would_obey() -> None:
    assert escape("a\x1b[31m\u202e\n\ud800\u2028é") == "a\\x1b[31m\\u202e\\x0a\\ud800\\u2028é"
    found = Diagnostics("m\x1b.json\n")
    found.error("KC104", "\x07bell", found="\x1b", pointer="/\x1b")
    text = render_text(found.located('{"\\u001b": "\x1b\x1b"}').items)
    assert all(sign.isprintable() or sign == "\n" for sign in text)


def test_forms_for_programs() -> None:
    found = Diagnostics("a,b:c.json")
    found.error("KC104", "100% bad\nline", pointer="/a")
    assert json.loads(render_json(found.items))[0]["pointer"] == "/a"
    assert render_github(found.items) == (
        "::error file=a%2Cb%3Ac.json,title=KC104::100%25 bad\\x0aline; at /a"
    )


def test_error_survives_pickling_and_says_everything() -> None:
    found = Diagnostics("m.json")
    found.error("KC104", "bad")
    with pytest.raises(KchainerError) as caught:
        found.raise_if_errors()
    assert str(pickle.loads(pickle.dumps(caught.value))) == "m.json: error[KC104]: bad"


def test_page_of_codes_is_in_step() -> None:
    page = Path(__file__).parents[2] / "docs" / "codes.md"
    assert page.read_text(encoding="utf-8") == codes_page()
    assert all(code.explanation.endswith(".") for code in CODES.values())
