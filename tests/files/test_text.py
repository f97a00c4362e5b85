"""JSON and YAML that must be refused, and what must not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kchainer.diagnostics import Diagnostics, KchainerError
from kchainer.files import Limits, load_json, load_yaml

REFUSED = [
    ("empty", b"", "KC102"),
    ("cut", b'{"a": [1, 2', "KC102"),
    ("unfinished string", b'{"a": "b', "KC102"),
    ("trailing text", b"{} x", "KC102"),
    ("two documents", b"{}{}", "KC102"),
    ("nan", b'{"a": NaN}', "KC102"),
    ("infinity", b'{"a": -Infinity}', "KC102"),
    ("overflow", b'{"a": 1e999}', "KC102"),
    ("not utf-8", b'{"a": "\xff"}', "KC102"),
    ("utf-16", '{"a": 1}'.encode("utf-16"), "KC102"),
    ("nul", b'{"a": \x00}', "KC102"),
    ("escaped lone surrogate", b'{"a": "\\ud800"}', "KC102"),
    ("lone surrogate in a key", b'{"\\udfff": 1}', "KC102"),
    ("control in string", b'{"a": "\x1b"}', "KC102"),
    ("duplicate that differs", b'{"a": 1, "a": 2}', "KC107"),
    ("duplicate of another type", b'{"a": 1, "a": true}', "KC107"),
    ("deep list", b"[" * 300 + b"]" * 300, "KC901"),
    ("very deep list", b"[" * 1_000_000, "KC901"),
    ("deep object", b'{"a":' * 300 + b"1" + b"}" * 300, "KC901"),
    ("long integer", b"[" + b"9" * 5000 + b"]", "KC901"),
    ("above int64", b"[9223372036854775808]", "KC104"),
    ("below int64", b"[-9223372036854775809]", "KC104"),
    ("comment", b"{} // no", "KC102"),
]


@pytest.mark.parametrize(("data", "code"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_bad_json_is_refused_with_a_code(data: bytes, code: str, no_side_effects: Any) -> None:
    with no_side_effects, pytest.raises(KchainerError) as caught:
        load_json(data, name="m.json")
    assert caught.value.diagnostics[0].code == code


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("[1, 2, 3, 4]", {"values": 4}),
        ('["abcd"]', {"string_chars": 3}),
        ('{"abcd": 1}', {"string_chars": 3}),
        ("[[1]]", {"depth": 1}),
        ("[1]       ", {"text_bytes": 5}),
        ("[123]", {"int_digits": 2}),
    ],
)
def test_each_limit_is_named_and_can_be_raised(text: str, limit: dict[str, int]) -> None:
    with pytest.raises(KchainerError) as caught:
        load_json(text, name="m.json", limits=Limits(**limit))
    assert f"`{next(iter(limit))}`" in caught.value.diagnostics[0].message
    assert f"--limit {next(iter(limit))}=" in str(caught.value)
    load_json(text, name="m.json")


def test_brackets_inside_strings_are_no_depth() -> None:
    assert load_json('{"a": "' + "[" * 1000 + '"}', name="m") == {"a": "[" * 1000}


def test_byte_order_mark_and_pairs_of_surrogates_are_accepted() -> None:
    assert load_json(b'\xef\xbb\xbf{"a": "\\ud83d\\ude00"}', name="m") == {"a": "\U0001f600"}


def test_non_finite_numbers_are_accepted_on_request() -> None:
    assert load_json("[Infinity, -Infinity]", name="m", allow_nonfinite=True) == [float("inf"), -float("inf")]


def test_equal_duplicates_are_a_warning() -> None:
    diagnostics = Diagnostics("m")
    assert load_json('{"a": 1, "a": 1}', name="m", diagnostics=diagnostics) == {"a": 1}
    assert [item.code for item in diagnostics.items] == ["KC107"]


def test_syntax_errors_say_line_and_column() -> None:
    with pytest.raises(KchainerError) as caught:
        load_json('{\n  "a": 1,,\n}', name="m.json")
    first = caught.value.diagnostics[0]
    assert (first.line, first.column) == (2, 10)
    assert "^" in (first.excerpt or "")


BAD_YAML = [
    ("code", "!!python/object/apply:os.system ['true']", "KC202"),
    ("name", "a: !!python/name:os.system ''", "KC202"),
    ("module", "!!python/module:os ''", "KC202"),
    ("own tag", "!x {a: 1}", "KC202"),
    ("binary", "a: !!binary aGVsbG8=", "KC202"),
    ("set", "!!set {a, b}", "KC202"),
    ("two documents", "a: 1\n---\nb: 2", "KC102"),
    ("nothing", "", "KC102"),
    ("self reference", "&a [*a]", "KC102"),
    ("undefined alias", "[*a]", "KC102"),
    ("duplicate", "a: 1\na: 2", "KC107"),
    ("number as key", "1: a", "KC102"),
    ("list as key", "? [a]\n: b", "KC102"),
    ("infinity", "a: .inf", "KC102"),
    ("not a number", "a: .nan", "KC102"),
    ("overflow", "a: 1.0e+999", "KC102"),
    ("long integer", "a: " + "9" * 5000, "KC901"),
    ("deep", "[" * 300 + "]" * 300, "KC901"),
    ("deep blocks", "".join(" " * i + "a:\n" for i in range(300)), "KC901"),
    ("syntax", "a: [1", "KC102"),
    ("tab", "a:\n\t- b", "KC102"),
]


@pytest.mark.parametrize(("text", "code"), [row[1:] for row in BAD_YAML], ids=[row[0] for row in BAD_YAML])
def test_bad_yaml_is_refused_with_a_code(text: str, code: str, no_side_effects: Any) -> None:
    with no_side_effects, pytest.raises(KchainerError) as caught:
        load_yaml(text, name="m.yaml")
    assert caught.value.diagnostics[0].code == code


def test_yaml_alias_bomb_is_counted_as_expanded() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    with pytest.raises(KchainerError, match="values"):
        load_yaml("\n".join(lines), name="m.yaml")


def test_yaml_as_keras_wrote_it() -> None:
    text = "a: &id001 !!python/tuple [null, 3]\nb: *id001\nc: !!python/unicode 'x'\nd: 1.0e-05\ne: true\nf: '1'\n"
    expected = {"a": [None, 3], "b": [None, 3], "c": "x", "d": 1e-5, "e": True, "f": "1"}
    assert load_yaml(text, name="m.yaml") == expected


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.one_of(st.binary(), st.text().map(lambda text: text.encode("utf-8", "surrogatepass"))))
def test_no_bytes_make_the_text_readers_raise_anything_else(data: bytes) -> None:
    for load in (load_json, load_yaml):
        try:
            load(data, name="m")
        except KchainerError as error:
            str(error)


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text(st.characters(exclude_categories=["Cs", "Cc"])),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs", "Cc"])), inner)
    ),
)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(_VALUES, st.data())
def test_mutated_json_gives_a_value_or_a_diagnostic(value: object, data: st.DataObject) -> None:
    import json

    text = json.dumps(value)
    assert load_json(text, name="m") == value
    at = data.draw(st.integers(0, len(text)))
    try:
        load_json(text[:at] + data.draw(st.sampled_from('{}[]",:\\0eE\x00\ud800')) + text[at:], name="m")
    except KchainerError as error:
        str(error)
