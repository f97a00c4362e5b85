"""Writes docs/spec.md from the op definitions: ``python docs/make_spec.py``."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

HEAD = """# kchainer's own spec

Made by `python docs/make_spec.py` from the op definitions; a test holds both in step and reads every example.

A spec holds networks as data: JSON or YAML, short to write by hand. `kchainer convert net.json -o out` turns it into
Chainer, `kchainer validate net.json` checks it, `kchainer convert model.h5 --to spec -o net.json` writes one from a
Keras model, and so do `model.to_spec()` and `kchainer.to_spec(model)` in Python. `kchainer.read`, `load` and
`from_spec` read it. Weights are not in it.

```json
{
  "$schema": "https://example.org/schemas/spec.schema.json",
  "kchainer": 1,
  "kind": "spec",
  "inputs": [28, 28, 1],
  "layers": [
    {"op": "Convolution", "filters": 32, "kernel_size": 3, "padding": "same", "activation": "relu"},
    {"op": "Pooling", "function": "max", "pool_size": 2},
    {"op": "Flatten"},
    {"op": "Dropout", "rate": 0.5},
    {"op": "Dense", "units": 10, "activation": "softmax"}
  ]
}
```

Point `$schema` at your copy of `schemas/spec.schema.json` (`kchainer schema spec` prints it) and an editor completes ops
and attributes and shows what each means.

## The file

| key | meaning |
| --- | --- |
| `kchainer`, `kind` | always `1` and `"spec"` |
| `inputs` | shapes **without the batch**, `null` for a size that is not known: a list for the only input (named `input`), or an object of inputs by name. `{"shape": [...], "dtype": "int32", "batch": 8}` says more |
| `layers` | the layers and calls, see below |
| `outputs` | a name or several; left out: the last layer |
| `output_names` | names of the outputs |
| `taps` | names for values that a caller may ask for besides the outputs, by name; left out: every input and layer by its own name (a layer's activation included) |
| `name` | of the network; left out: `model` |
| `networks` | several networks by name, each an object with the five keys above, in place of these keys |
| `variables` | values by name; `"$name"` in an attribute, a setting, a shape or in `defaults` stands for one |
| `defaults` | see below |
| `training` | optimizers, losses and metrics, see "Training" |
| `dtype` | `float32` or `float64` |

## Layers

An entry of `layers` has the key `op`, the attributes of that op (tables below), and

| key | meaning |
| --- | --- |
| `name` | unique in the network, params are found by it; left out: the op and a number, `global_pooling_1` |
| `inputs` | what the layer takes: a name, or a list of names, of inputs, layers and calls. Left out: the entry before; for the first one, the only input. `{"of": "name", "output": 1}` is the second output of a layer that has several |
| `activation` | a function of the output: a name (below), an op written out, or `null` |
| `trainable` | `false` keeps its params as they are |
| `settings` | `initializer`, `regularizer` and `constraint` of each param, by the param's name |

Entries may stand in any order as long as there is no cycle. A second entry `{"call": "name", "inputs": ...}` calls a
layer above once more, with the same params; it is known as `name@2`, `name@3` and so on, or by a `name` of its own.

```json
{
  "kchainer": 1,
  "kind": "spec",
  "variables": {"width": 64},
  "defaults": {
    "initializer": "he_normal",
    "activation": "relu",
    "attributes": {"BatchNormalization": {"momentum": 0.9}}
  },
  "inputs": {"left": [16], "right": [16]},
  "layers": [
    {"op": "Dense", "name": "encoder", "units": "$width", "inputs": "left"},
    {"call": "encoder", "inputs": "right"},
    {"op": "Merge", "function": "subtract", "inputs": ["encoder", "encoder@2"]},
    {"op": "BatchNormalization"},
    {"op": "Dense", "units": 1, "activation": "sigmoid"}
  ]
}
```

## Defaults

| key | meaning |
| --- | --- |
| `initializer` | of every kernel and embedding whose layer states none |
| `settings` | of params by their names, where a layer states nothing for them |
| `activation` | of every layer of ACTIVATED that has no `activation`; `"activation": null` keeps one without |
| `normalization` | an op behind every layer with a kernel, before its activation: `"BatchNormalization"`, or an object with attributes; a layer's own `normalization` counts first, `null` keeps it without |
| `weight_normalization` | true: dense layers, convolutions and transposed ones have weight-normalised kernels; a layer's own counts first |
| `attributes` | by op: attributes that its layers need not state |

```yaml
kchainer: 1
kind: spec
variables: {noise: 16}
defaults:
  settings:
    kernel: {initializer: {op: RandomNormal, stddev: 0.05}}
networks:
  generator:
    inputs: [$noise]
    layers:
      - {op: Dense, units: 784, activation: relu}
      - {op: Reshape, target: [7, 7, 16]}
      - {op: TransposedConvolution, filters: 1, kernel_size: 4, strides: 4, padding: same, activation: tanh}
  discriminator:
    inputs: {image: [28, 28, 1]}
    layers:
      - {op: Convolution, filters: 8, kernel_size: 5, strides: 2, padding: same, activation: leaky_relu}
      - {op: Flatten}
      - {op: Dense, units: 1}
```

## Training

| key | meaning |
| --- | --- |
| `optimizers` | one optimizer for all params, or a list of `{"optimizer": ..., "networks": [...], "params": [...], "no_weight_decay": [...]}`: an optimizer updates the params of its networks (none: all) whose whole path, `layer/param`, matches one of its patterns (none: all that no other optimizer owns); where a pattern of `no_weight_decay` is found in the path, the weight does not decay. Patterns are regular expressions as Python has them, without lookaround, references to groups and possessive repeats, of at most 1,000 characters, at most 64 that are no plain names |
| `losses` | the loss of the only output, by name or written out, or a list of `{"loss": ..., "network": "q", "output": 0, "weight": 1.0, "on_logits": false}`; `output` is a number or a name |
| `metrics` | list of names, or of `{"metric": ..., "network": ..., "output": ..., "weighted": false}` |
| `missing_class_weight` | weight of a class that `class_weight` does not name; `null`: an error; left out: 1 |
| `frozen_penalties` | penalties of params that are not trained count in the loss |

```yaml
kchainer: 1
kind: spec
variables: {rate: 0.001}
inputs: [784]
layers:
  - {op: Dense, units: 300, activation: relu, settings: {kernel: {regularizer: {op: L1L2, l2: 0.0001}}}}
  - {op: Dense, units: 10, activation: softmax}
training:
  optimizers: {op: Adam, learning_rate: $rate, weight_decay: 0.000001, global_clipnorm: 10, use_ema: true}
  losses: CategoricalCrossentropy
  metrics: [CategoricalAccuracy]
```

`kchainer.training.from_compiled(net)` trains a network as its section says; `model.to_optimizer(nets)` gives the
optimizers alone, for an objective that is written in Chainer. Optimizers, schedules and losses stand at the end.

## What is checked

`kchainer validate` walks the definitions: keys, types and bounds, then variables, names, references, the order of the
graph, rules between attributes, and shapes. The published schema says the first part only, and both agree on it (a
property test); what a `"$name"` holds, references, shapes and rules between attributes are for the walk. `kchainer
validate --engine jsonschema` asks the `jsonschema` package and the schema alone. IR files are the same: `schemas/ir.schema.json`
says all of their form, the walk adds references and shapes. `schemas/keras.schema.json` has every class of Keras that is
read with its keys, older names too; it does not say which release knows which key, what a key means together with
others, that a key is given twice under two names, that 64.0 is no whole number, or anything of initializers,
regularizers, constraints and other nested objects. It never refuses what the reader takes.

## Round trips

A spec that kchainer wrote is read and written again as it is, and a network that is written and read again is the same
network, for every op. Variables and defaults are put in when a spec is read, and are not found again.

## Activations by name

`"linear"` and `null` are none.

"""


def activations() -> Iterator[str]:
    """The table of names."""
    from kchainer.ir.short import ACTIVATIONS

    yield "| name | stands for |\n| --- | --- |\n"
    yield from (f"| `{name}` | `{json.dumps(data)}` |\n" for name, data in ACTIVATIONS.items())


def kind_words(schema: dict[str, Any]) -> str:
    """What an attribute takes, in words."""
    if "enum" in schema:
        return ", ".join(f"`{json.dumps(v)}`" for v in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(kind_words(s) for s in schema["anyOf"] if "$ref" not in s))
    if schema.get("type") == "array":
        if "prefixItems" in schema:
            return f"list of {len(schema['prefixItems'])}: {kind_words(schema['prefixItems'][0])}"
        return f"list of {kind_words(schema['items'])}"
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    bounds = {"minimum": "≥", "exclusiveMinimum": ">", "exclusiveMaximum": "<"}
    limits = " ".join(f"{sign} {schema[key]:g}" for key, sign in bounds.items() if key in schema)
    words = {"integer": "whole number", "null": "`null`", "object": "object"}
    return " ".join(filter(None, (words.get(str(schema.get("type")), str(schema.get("type"))), limits)))


def default_words(name: str, attribute: str, schema: dict[str, Any]) -> str:
    """What holds where the attribute is left out."""
    from kchainer.ir.short import COMPUTED

    if (name, attribute) in COMPUTED:
        return COMPUTED[name, attribute]
    return f"`{json.dumps(schema['default'])}`" if "default" in schema else "has to be stated"


def ops() -> Iterator[str]:
    """A section for each family of ops, a table for each op."""
    from kchainer.ir.op import OPS, kinds
    from kchainer.ir.short import layer_ops
    from kchainer.ir.spec_schema import attributes

    family = None
    for name in sorted(layer_ops(), key=lambda n: (OPS[n].__module__, n)):
        cls = OPS[name]
        module = cls.__module__.rpartition(".")[2]
        if module != family:
            family = module
            yield f"\n## Ops: {family}\n"
        yield f"\n### {name}\n\n{' '.join((cls.__doc__ or '').splitlines()[0].split())}\n"
        rows = attributes(cls)
        if rows:
            yield "\n| attribute | takes | left out | meaning |\n| --- | --- | --- | --- |\n"
        for attribute, kind in rows.items():
            own = kinds(cls)[attribute].schema  # shorter forms stand in the description
            cells = (kind_words(own), default_words(name, attribute, kind.schema))
            meaning = kind.schema["description"].replace("|", "\\|")
            yield f"| `{attribute}` | {cells[0]} | {cells[1]} | {meaning} |\n"


def training() -> Iterator[str]:
    """Optimizers, schedules and losses, what they share first."""
    from kchainer.ir.losses import LOSSES, Loss
    from kchainer.ir.optimizers import OPTIMIZERS, SCHEDULES, Stepper

    for title, table, base, who in (
        ("Optimizers", OPTIMIZERS, Stepper, "All optimizers but LossScale"),
        ("Schedules of the learning rate", SCHEDULES, None, ""),
        ("Losses", LOSSES, Loss, "All losses"),
    ):
        yield f"\n## {title}\n"
        shared = [f.name for f in dataclasses.fields(base)] if base is not None else []
        if base is not None:
            yield f"\n### {who}\n"
            example = next(cls for cls in table.values() if issubclass(cls, base))
            yield from _rows(example, lambda name, shared=shared: name in shared)
        for name in sorted(table):
            yield f"\n### {name}\n\n{(table[name].__doc__ or '').splitlines()[0]}\n"
            yield from _rows(table[name], lambda name, shared=shared: name not in shared)


def _rows(cls: Any, wanted: Callable[[str], bool]) -> Iterator[str]:
    from kchainer.ir.op import schema

    properties = {k: v for k, v in schema(cls)["properties"].items() if k != "op" and wanted(k)}
    if properties:
        yield "\n| attribute | takes | left out | meaning |\n| --- | --- | --- | --- |\n"
    for attribute, one in properties.items():
        takes = "a number or a schedule" if attribute == "learning_rate" else kind_words(one)
        takes = "an optimizer" if attribute == "inner" else takes
        meaning = one["description"].replace("|", "\\|")
        yield f"| `{attribute}` | {takes} | {default_words('', attribute, one)} | {meaning} |\n"


def page() -> str:
    """The text of docs/spec.md."""
    from kchainer.ir.short import ACTIVATED

    head = HEAD.replace("ACTIVATED", ", ".join(f"`{name}`" for name in sorted(ACTIVATED)))
    return head + "".join(activations()) + "".join(ops()) + "".join(training())


if __name__ == "__main__":
    (Path(__file__).parent / "spec.md").write_text(page())
