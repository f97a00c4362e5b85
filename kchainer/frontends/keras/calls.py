"""How each release writes the calls of layers: ``inbound_nodes``, ``input_layers``, ``output_layers``."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True)
class Ref:
    """An output of a call: the layer's name, which of its calls, which of the call's outputs."""

    layer: str
    call: int
    tensor: int


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """One call of a layer: tensors (``Ref``) and constants in the order of the arguments, and keywords."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    @property
    def refs(self) -> list[Ref]:
        """The tensors among the arguments and keywords."""
        lists = [v for v in self.kwargs.values() if isinstance(v, list)]
        flat = (*self.args, *self.kwargs.values(), *(one for many in lists for one in many))
        return [r for r in flat if isinstance(r, Ref)]


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


def _tagged(value: Any) -> Any:
    """A value of Keras 3's tagged form as a Ref or a plain constant."""
    if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        history = value.get("config", {}).get("keras_history")
        if not is_ref(history):
            raise Malformed("a tensor without keras_history")
        return _ref(history)
    if isinstance(value, dict) and value.get("class_name") in ("__tensor__", "__numpy__"):
        return value.get("config", {}).get("value")
    return value


def _flat(values: Any) -> Iterator[Any]:
    todo = [values]
    while todo:
        one = todo.pop()
        if isinstance(one, (list, tuple)):
            todo.extend(reversed(one))
        else:
            yield _tagged(one)


def _node_of_dict(node: dict[str, Any]) -> Call:
    kwargs = {
        k: list(_flat(v)) if k == "initial_state" and isinstance(v, list) else _tagged(v)
        for k, v in (node.get("kwargs") or {}).items()
    }
    return Call(tuple(_flat(node.get("args") or [])), kwargs)


def _item(item: Any) -> tuple[Any, dict[str, Any]]:
    """One item of a list node: a tensor or a constant, and the call's keywords."""
    kwargs = item[3] if isinstance(item, list) and len(item) == 4 and isinstance(item[3], dict) else {}
    kwargs = {k: _ref(v) if is_ref(v) else v for k, v in kwargs.items()}
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
    """``input_layers`` or ``output_layers`` as (name, reference): a list, a dict or one bare reference."""
    if is_ref(structure):
        return [(structure[0], _ref(structure))]
    if isinstance(structure, dict):
        pairs = [(k, v) for k, v in structure.items()]
    elif isinstance(structure, list):
        pairs = [(v[0] if isinstance(v, list) and v else "", v) for v in structure]
    else:
        raise Malformed("expected a list of references")
    out = []
    for name, value in pairs:
        if not is_ref(value):
            raise Malformed(f"not a reference: {value!r}"[:120])
        out.append((str(name), _ref(value)))
    return out
