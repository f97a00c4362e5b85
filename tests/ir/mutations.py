"""Valid documents made wrong at one place or several."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

WORDS = ["same_upper", "x", "max", "float32", "", "Dense", "a/b~c", "$x", "ir", "spec"]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 40)
    | st.sampled_from([10**18, -(2**63), 1e308, 2.0, 0.5, -1.5])
    | st.sampled_from(WORDS)
    | st.text(max_size=3)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["op", "name", "layer", "inputs", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything in a document."""
    yield path
    entries = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, one in entries:
        yield from places(one, (*path, key))


@st.composite
def mutated(draw: st.DrawFn, documents: list[Any]) -> Any:
    """A document with one to three places replaced, left out, moved or added to."""
    data = copy.deepcopy(draw(st.sampled_from(documents)))
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from([p for p in places(data) if p] or [()]))
        if not path:
            continue
        parent = data
        for key in path[:-1]:
            parent = parent[key]
        match draw(st.sampled_from(["replace", "replace", "remove", "add", "copy"])):
            case "replace":
                parent[path[-1]] = draw(VALUES)
            case "remove":
                del parent[path[-1]]
            case "copy":
                source = draw(st.sampled_from(list(places(data))))
                value = data
                for key in source:
                    value = value[key]
                parent[path[-1]] = copy.deepcopy(value)
            case _:
                if isinstance(parent, dict):
                    parent[draw(st.sampled_from(WORDS))] = draw(VALUES)
                else:
                    parent.append(draw(VALUES))
    return data
