"""Writes docs/keras_classes.json: every class of every Keras, with the releases that have it and the keys it takes.

    python tools/keras_classes.py keras_dialects.json

The file that it reads holds, by kind and class, what a program found in the sources of the releases: ``in`` (spans of
releases), ``config`` (key of ``get_config`` -> spans; ``*``: all arguments) and ``args`` (constructor argument ->
changes, each with the release that made it). Here each key has the spans in which a file may hold it; a key without
spans has those of its class.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RESULT = Path(__file__).parent.parent / "docs/keras_classes.json"
KINDS = (
    "layer", "layer_v1", "initializer", "regularizer", "constraint", "activation_fn", "optimizer", "optimizer_legacy",
    "optimizer_experimental", "optimizer_v1", "schedule", "loss", "metric", "dtype_policy", "quantization_config", "op",
)  # fmt: skip


def inside(spans: str, releases: list[str]) -> set[str]:
    """The releases of ``a..b,c``."""
    out: set[str] = set()
    for span in filter(None, spans.split(",")):
        first, _, last = span.partition("..")
        out |= set(releases[releases.index(first) : releases.index(last or first) + 1])
    return out


def spans(found: set[str], releases: list[str]) -> str:
    """Releases as ``a..b,c``."""
    runs: list[list[str]] = []
    for i, one in enumerate(releases):
        if one in found and i and runs and runs[-1][-1] == releases[i - 1]:
            runs[-1].append(one)
        elif one in found:
            runs.append([one])
    return ",".join(run[0] if len(run) == 1 else f"{run[0]}..{run[-1]}" for run in runs)


def keys(entry: Any, releases: list[str]) -> Iterator[tuple[str, str]]:
    """Each key of ``get_config`` with its spans, empty where they are those of the class."""
    own = inside(entry["in"], releases)
    config = dict(entry.get("config", {}))
    written = dict.fromkeys(config.pop("*", ()), own) | {k: inside(v, releases) for k, v in config.items()}
    for name, found in sorted(written.items()):
        if found & own:
            yield name, "" if found >= own else spans(found & own, releases)


def classes(table: Any, releases: list[str]) -> dict[str, Any]:
    """Class -> releases, keys, and the arguments of its constructor that no ``get_config`` writes."""
    out = {}
    for name, entry in sorted(table.items()):
        found = dict(keys(entry, releases))
        out[name] = {"in": entry["in"], "keys": found}
        aside = sorted(set(entry.get("args", {})) - set(found))
        if aside:
            out[name]["unwritten"] = aside
    return out


def main() -> None:
    """Read, write."""
    found = json.loads(Path(sys.argv[1]).read_text())
    releases = found["versions"]
    out = {
        "releases": releases,
        "base": found["base_layer_config"],
        "aliases": found["aliases"],
        "kinds": {kind: classes(found["kinds"][kind], releases) for kind in KINDS},
    }
    lines = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in out.items() if k != "kinds")
    kinds = ",\n".join(
        json.dumps(kind)
        + ": {\n"
        + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in table.items())
        + "\n}"
        for kind, table in out["kinds"].items()
    )
    RESULT.write_text(f'{{\n{lines},\n"kinds": {{\n{kinds}\n}}\n}}\n')


if __name__ == "__main__":
    main()
