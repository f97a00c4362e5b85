"""python -m tests.fuzz.run MINUTES: models until the time is over; what differs is shrunk and written to found/."""

from __future__ import annotations

import collections
import hashlib
import json
import logging
import re
import sys
import time
import warnings
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz import compare, draw, specs
from tests.fuzz.specs import Json

FOUND = Path(__file__).with_name("found")
# What kchainer says that it does not read: counted, not wrong.
REFUSALS = (
    "on a masked input is not supported",
    "need other params",
    # a mask of more than the steps: Keras repeats it over the pixels, so that the states get another shape than it says
    r'ConvLSTM "[^"]*": a mask \(N, \w+, .*\) does not fit',
)


def batch(count: int) -> settings:
    """So many models, of which none is shrunk by hypothesis: specs shrink in fewer steps."""
    return settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def refusal(found: compare.Found) -> str:
    """The known refusal that a difference is."""
    return next((r for r in REFUSALS if found.kind == "refused" and re.search(r, found.text)), "")


def layers(spec: Json) -> list[str]:
    """The names of a spec's layers and functions."""
    return [n.get("layer") or n.get("ops") or ("again" if "again" in n else "model") for n in spec["nodes"]]


def fails_alike(spec: Json, kind: str) -> bool:
    """Whether a smaller spec differs in the same way."""
    try:
        found = compare.compared(spec)
    except Exception:  # noqa: BLE001  Keras takes it no more
        return False
    return found is not None and not found.known and found.kind == kind


class Run:
    """Counts, and what was found."""

    def __init__(self, until: float) -> None:
        self.until = until
        self.counts: collections.Counter[str] = collections.Counter()
        self.sorts: set[str] = set()
        self.layers: collections.Counter[str] = collections.Counter()

    def one(self, spec: Json) -> None:
        """Compare a model."""
        if time.time() > self.until:
            return
        self.counts["models"] += 1
        self.layers.update(layers(spec))
        try:
            found = compare.compared(spec)
        except compare.Discarded as why:
            self.counts[f"discarded: {str(why)[:60]}"] += 1
            return
        if found is None:
            return
        if found.known:
            self.counts[f"known: {found.known}"] += 1
            return
        if told := refusal(found):
            self.counts[f"refused: {told}"] += 1
            return
        self.counts[f"found: {found.kind}"] += 1
        sort = re.sub(r"\d[\de.+-]*|n\d\w*", "", found.kind + found.text)
        if sort in self.sorts:  # one case of each is enough
            return
        self.sorts.add(sort)
        less = specs.shrunk(spec, lambda s: fails_alike(s, found.kind), tries=60)
        found = compare.compared(less) or found
        text = json.dumps({"found": f"{found.kind}: {found.text}", "spec": less}, indent=1)
        name = "-".join(layers(less)[-3:]) + "-" + hashlib.sha256(text.encode()).hexdigest()[:6]
        (FOUND / f"{name}.json").write_text(text + "\n")
        print(f"{name}: {found.kind}: {found.text}", flush=True)


def main(minutes: float, first: int) -> int:
    """Run batches with one seed after the other."""
    warnings.simplefilter("ignore")
    logging.getLogger("absl").setLevel(logging.ERROR)
    run = Run(time.time() + 60 * minutes)
    number = first
    while time.time() < run.until:
        seed(number)(batch(25)(given(draw.models())(run.one)))()
        number += 1
    for name, count in sorted(run.counts.items()):
        print(f"{count:6} {name}")
    print(f"{len(run.layers)} kinds of nodes: " + ", ".join(f"{n} {c}" for n, c in run.layers.most_common()))
    return 1 if any(name.startswith("found") for name in run.counts) else 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())))
