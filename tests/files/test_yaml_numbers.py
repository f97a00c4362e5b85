"""NumPy numbers in Keras 1's YAML: the one closed form of them is read, everything near it is refused."""

from __future__ import annotations

from typing import Any

import pytest

from kchainer.diagnostics import KchainerError
from kchainer.files import DEFAULT, load_yaml

DTYPE = "!!python/object/apply:numpy.dtype"
SCALAR = "!!python/object/apply:numpy.core.multiarray.scalar"


def number(code: str, text: str, order: str = "<") -> str:
    state = f"state: !!python/tuple [3, {order}, null, null, null, -1, -1, 0]"
    return f"a: {SCALAR}\n- {DTYPE}\n  args: [{code}, 0, 1]\n  {state}\n- !!binary |\n  {text}\n"


def read(text: str) -> Any:
    return load_yaml(text.encode(), name="m.yaml", limits=DEFAULT)


# base64 by NumPy's own tobytes()
@pytest.mark.parametrize(
    ("text", "value"),
    [
        (number("i8", "LQAAAAAAAAA="), 45),
        (number("i8", "AAAAAAAAAC0=", "'>'"), 45),
        (number("f4", "AADAPw=="), 1.5),
        (number("f8", "AAAAAAAA+D8="), 1.5),
        (number("b1", "AQ==", "'|'"), True),
    ],
)
def test_numbers(text: str, value: Any) -> None:
    assert read(text) == {"a": value}


def test_a_dtype_may_be_an_alias() -> None:
    first = number("i8", "LQAAAAAAAAA=").replace(DTYPE, f"{DTYPE} &id001").replace("a:", "a:", 1)
    second = f"b: {SCALAR}\n- *id001\n- !!binary |\n  LgAAAAAAAAA=\n"
    assert read(first + second) == {"a": 45, "b": 46}


@pytest.mark.parametrize(
    "text",
    [
        number("O8", "LQAAAAAAAAA="),
        number("i8", "LQAAAA=="),
        number("i8", "!!!!"),
        number("f8", "AAAAAAAA8H8="),  # infinity
        f"a: {SCALAR}\n- 3\n- 4\n",
        f"a: {SCALAR}\n- !!binary |\n  LQAAAAAAAAA=\n",
        f"a: {SCALAR} []\n",
        "a: !!binary |\n  LQAAAAAAAAA=\n",
        f"a: {DTYPE}\n  args: [i8, 0, 1]\n",
        number("i8", "LQAAAAAAAAA=").replace("multiarray.scalar", "multiarray._reconstruct"),
        number("i8", "LQAAAAAAAAA=").replace(DTYPE, "!!python/object/apply:os.system"),
        number("i8", "LQAAAAAAAAA=").replace(DTYPE, f"{DTYPE} &d") + "b: *d\n",
        number("i8", "LQAAAAAAAAA=").replace("!!binary", "!!binary &d") + "b: *d\n",
        f"{SCALAR}\n- *nothing\n- 3\n",
        "a: !!python/object/apply:numpy.core.multiarray.scalar {x: 1}\n",
        "a: !!python/object/apply:numpy.core.multiarray.scalar 3\n",
    ],
)
def test_everything_else_is_refused(text: str) -> None:
    with pytest.raises(KchainerError) as caught:
        read(text)
    assert {d.code for d in caught.value.diagnostics} <= {"KC102", "KC202"}
