"""A plan printed as a readable Chainer program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kchainer.emit.plan import Call, Link, Plan, attribute
from kchainer.ir.nest import Nest

SHORT = {"chainer.functions": "F", "chainer.links": "L", "kchainer.functions": "KF", "kchainer.links": "KL"}
IMPORTS = {
    "F": "import chainer.functions as F",
    "L": "import chainer.links as L",
    "KF": "import kchainer.functions as KF",
    "KL": "import kchainer.links as KL",
}
WIDTH = 100


def program(plans: Mapping[str, Plan], dtype: str, dialect: str) -> str:
    """A module with a class ``Net``; where there are several networks, a class for each, and ``Net`` holds them.

    Strings of the file reach it through ``ascii`` only.
    """
    taken: dict[str, int] = {}
    names = {name: attribute(name, taken) for name in plans}
    several = len(plans) > 1
    body: list[str] = []
    for name, plan in plans.items():
        about = f"# {plan.name!a}, written by {dialect!a}; computes in {dtype}"
        lines = [about, "", *_init(plan), "", *_forward(plan)]
        body += _class(f"Net_{names[name]}" if several else "Net", lines)
    if several:
        children = [f"        self.{one} = Net_{one}()" for one in names.values()]
        holder = ["def __init__(self):", "    super().__init__()", "    with self.init_scope():", *children]
        body += _class("Net", ["# All networks: net.<name>(x).", "", *holder])
    used = {short for short in IMPORTS if any(f"{short}." in line for line in body)}
    first = [IMPORTS[s] for s in ("F", "L") if s in used]
    own = [IMPORTS[s] for s in ("KF", "KL") if s in used]
    head = ['"""A network that kchainer wrote."""', ""]
    head += ["import kchainer  # lets Chainer 7 run on today's NumPy", "import chainer", *first, *own]
    head += [f"import {module}" for module in sorted(set(_modules(plans)) - set(SHORT))]
    return "\n".join([*head, *body, ""])


def _modules(plans: Mapping[str, Plan]) -> Iterator[str]:
    """Where links and functions stand; emissions of the user's own have modules of their own."""
    for plan in plans.values():
        for link in plan.links.values():
            yield link.target.rpartition(".")[0]
        for step in plan.steps:
            if step.call is not None:
                yield step.call.target.rpartition(".")[0]


def _class(name: str, lines: list[str]) -> list[str]:
    return ["", "", f"class {name}(chainer.Chain):", *(f"    {line}" if line else "" for line in lines)]


def _name(target: str) -> str:
    module, _, name = target.rpartition(".")
    return f"{SHORT.get(module, module)}.{name}"


def _args(args: Any) -> str:
    return ", ".join(f"{k}={_link(v) if isinstance(v, Link) else repr(v)}" for k, v in args.items())


def _init(plan: Plan) -> Iterator[str]:
    yield "def __init__(self):"
    yield "    super().__init__()"
    if plan.links:
        yield "    with self.init_scope():"
    for name, link in plan.links.items():
        yield f"        self.{name} = {_link(link)}"
    for name in plan.frozen:
        yield f"    KL.freeze(self.{name})"
    for name, link in plan.links.items():
        for place, weight in link.weights.items() if name not in plan.frozen else ():
            if weight.frozen:
                yield f"    KL.freeze(self.{name}.{place})"


def _link(link: Link) -> str:
    return f"{_name(link.target)}({_args(link.args)})"


def _call(call: Call, inputs: list[str]) -> str:
    values = f"({', '.join(inputs)},)" if call.packed else ", ".join(inputs)
    args = _args(call.args)
    return f"{_name(call.target)}({values}{', ' if args else ''}{args})"


def _forward(plan: Plan) -> Iterator[str]:
    names = {v: (f"x{i}" if len(plan.inputs) > 1 else "x") for i, v in enumerate(plan.inputs)}
    yield f"def forward(self, {', '.join(names[v] for v in plan.inputs)}):"
    last = _last_uses(plan)
    free: list[str] = []
    count = 0
    beside = plan.beside(train=True)  # masks of outputs are for losses, which a program has not
    for i, step in enumerate(plan.steps):
        if i in beside:
            continue
        inputs = [names[v] for v in step.inputs]
        made = f"self.{step.link}({', '.join(inputs)})" if step.link is not None else _call(step.call, inputs)  # type: ignore[arg-type]
        spent = [names[v] for v in dict.fromkeys(step.inputs) if last.get(v) == i and v not in plan.outputs]
        free += [name for name in spent if name not in free]
        for value in (step.output, *step.more):
            if free:
                names[value] = free.pop(0)
            else:
                count += 1
                names[value] = f"h{count}"
        yield f"    {', '.join(names[v] for v in (step.output, *step.more))} = {made}"
    ends = [names[v] for v in plan.outputs]
    yield f"    return {', '.join(ends) if plan.output_nest is None else _nested(plan.output_nest, ends)}"


def _nested(nest: Nest, names: list[str]) -> str:
    if isinstance(nest, dict):
        return "{" + ", ".join(f"{key!r}: {_nested(one, names)}" for key, one in nest.items()) + "}"
    if isinstance(nest, list):
        return "[" + ", ".join(_nested(one, names) for one in nest) + "]"
    return names[nest]


def _last_uses(plan: Plan) -> dict[int, int]:
    beside = plan.beside(train=True)
    return {v: i for i, step in enumerate(plan.steps) if i not in beside for v in step.inputs}
