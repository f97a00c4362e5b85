"""How each release writes the calls of layers: ``inbound_nodes``, ``input_layers``, ``output_layers``."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from typing import Any

from kchainer.frontends.keras.layers.making import Array
from kchainer.ir.nest import Nest, is_flat

MOST_NESTED = 32


@dataclasses.dataclass(frozen=True, slots=True)
class Ref:
    """An output of a call: the layer's name, which of its calls, which of the call's outputs."""

    layer: str
    call: int
    tensor: int


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """One call of a layer: tensors (``Ref``) and constants as the arguments nest them, and keywords."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    @property
    def refs(self) -> list[Ref]:
        """The tensors among the arguments and keywords."""
        return [r for r in flat([*self.args, *self.kwargs.values()]) if isinstance(r, Ref)]


class Malformed(Exception):
    """A reference or node that has not the form of any release."""


def is_ref(value: Any) -> bool:
    """[layer, call, tensor], perhaps with keyword arguments behind."""
    return (
        isinstance(value, list)
        and len(value) in (3, 4)
        and isinstance(value[0], str)
        and all(isinstance(i, int) and not isinstance(i, bool) for i in value[1:3])
    )


def _ref(value: list[Any]) -> Ref:
    name, call, tensor = value[:3]
    if call < 0 or tensor < 0:
        raise Malformed(f"a negative index in {value[:3]}")
    return Ref(name, call, tensor)


def _tagged(value: dict[str, Any]) -> Any:
    """An object of Keras 3's form as a Ref or a constant."""
    config = value.get("config")
    config = config if isinstance(config, dict) else {}
    match value.get("class_name"):
        case "__keras_tensor__":
            history = config.get("keras_history")
            if not isinstance(history, list) or not is_ref(history):
                raise Malformed("a tensor without keras_history")
            return _ref(history)
        case "__tensor__" | "__numpy__":
            return Array(config.get("value"), str(config.get("dtype")))
        case "__slice__":
            return slice(*(config.get(k) for k in ("start", "stop", "step")))
        case "__ellipsis__":
            return Ellipsis
        case "__tuple__":
            return config.get("value")
    return value


def nested(value: Any, depth: int = 0) -> Any:
    """An argument with its tensors and constants, lists as they nest."""
    if depth > MOST_NESTED:
        raise Malformed(f"arguments nested more than {MOST_NESTED} deep")
    if isinstance(value, (list, tuple)):
        return [nested(one, depth + 1) for one in value]
    if isinstance(value, dict) and value and "class_name" not in value:
        return [nested(value[key], depth + 1) for key in sorted(value)]  # as Keras flattens arguments by name
    return _tagged(value) if isinstance(value, dict) else value


def flat(values: Any) -> Iterator[Any]:
    """What is in nested lists, from left to right."""
    todo = [values]
    while todo:
        one = todo.pop()
        if isinstance(one, (list, tuple)):
            todo.extend(reversed(one))
        else:
            yield one


def _node_of_dict(node: dict[str, Any]) -> Call:
    args, given = node.get("args") or [], node.get("kwargs") or {}
    if not isinstance(args, (list, tuple)) or not isinstance(given, dict):
        raise Malformed("a call has a list of args and a dictionary of kwargs")
    return Call(tuple(nested(args)), {k: nested(v) for k, v in given.items()})


def _keyword(value: Any, depth: int = 0) -> Any:
    """A keyword's value in list form: references may stand in lists."""
    if depth > MOST_NESTED:
        raise Malformed(f"arguments nested more than {MOST_NESTED} deep")
    if is_ref(value):
        return _ref(value)
    return [_keyword(one, depth + 1) for one in value] if isinstance(value, list) else value


def _item(item: Any) -> tuple[Any, dict[str, Any]]:
    """One item of a list node: a tensor or a constant, and the call's keywords."""
    kwargs = item[3] if isinstance(item, list) and len(item) == 4 and isinstance(item[3], dict) else {}
    kwargs = {k: _keyword(v) for k, v in kwargs.items()}
    if is_ref(item) and item[0] != "_CONSTANT_VALUE":
        return _ref(item), kwargs
    if isinstance(item, list) and len(item) >= 3 and item[0] == "_CONSTANT_VALUE":
        return item[2], kwargs
    raise Malformed(f"not a reference: {item!r}"[:120])


def calls(inbound: Any) -> list[Call]:
    """All calls that ``inbound_nodes`` lists. Raises Malformed."""
    if not isinstance(inbound, list):
        raise Malformed("inbound_nodes is not a list")
    out = []
    for node in inbound:
        if isinstance(node, dict):
            out.append(_node_of_dict(node))
            continue
        if not isinstance(node, list):
            raise Malformed("a node that is neither a list nor an object")
        items = [node] if is_ref(node) or (node and node[0] == "_CONSTANT_VALUE") else node
        args, kwargs = [], {}
        for item in items:
            value, more = _item(item)
            args.append(value)
            kwargs.update(more)
        out.append(Call(tuple(args), kwargs))
    return out


def ends(structure: Any) -> list[tuple[str, Ref]]:
    """``input_layers`` or ``output_layers`` as (name, reference): nested lists and dicts, or one bare reference."""
    if is_ref(structure):
        return [(structure[0], _ref(structure))]
    if not isinstance(structure, (list, dict)):
        raise Malformed("expected references in a list or by name")
    return list(_ends("", structure, 0))


def nest(structure: Any) -> Nest | None:
    """The dictionaries and lists of ``ends`` around the numbers of its references; None: a plain list."""
    numbers = itertools.count()
    made = _nest(structure, numbers)
    return None if is_flat(made) else made


def _nest(structure: Any, numbers: Iterator[int]) -> Nest:
    if is_ref(structure):
        return next(numbers)
    if isinstance(structure, dict):
        return {key: _nest(structure[key], numbers) for key in sorted(structure)}
    return [_nest(one, numbers) for one in structure]


def _ends(name: str, structure: Any, depth: int) -> Iterator[tuple[str, Ref]]:
    """References in lists and dictionaries, by name in the order of the names, as Keras flattens them."""
    if depth > MOST_NESTED:
        raise Malformed(f"references nested more than {MOST_NESTED} deep")
    if is_ref(structure):
        yield name or structure[0], _ref(structure)
    elif isinstance(structure, dict):
        for key in sorted(structure):
            yield from _ends(str(key), structure[key], depth + 1)
    elif isinstance(structure, list):
        for one in structure:
            yield from _ends("", one, depth + 1)
    else:
        raise Malformed(f"not a reference: {structure!r}"[:120])
