"""Writes docs/measured.json: the largest error of each class over its cases, and what it was emitted as (`make measure`).

A plugin of pytest, loaded with ``-p tests.measure``. Figures are differences in float32 in units of the largest value
wanted. Classes that Keras 3.15 has are measured beside it (tests/parity); the others against what older releases
recorded (tests/recorded), where a figure is that of the whole models that hold the class.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import kchainer.frontends.keras.layers
from kchainer import api
from kchainer.frontends.keras import reader
from kchainer.frontends.keras.dialect import dictionaries
from kchainer.frontends.keras.translate import TRANSLATORS

assert kchainer.frontends.keras.layers
RESULT = Path(__file__).parent.parent / "docs/measured.json"
INFERENCE = ("test_inference", "test_batch_of_one", "test_identity_at_inference")
TRAINING = ("test_training_and_gradients", "test_running_statistics", "test_one_step_of_sgd")
NOISE = ("test_noise_has_the_same_statistics",)
# Classes that nothing here compares: what they become is seen of a layer of each.
IMAGES = [None, 6, 8, 3]
SAMPLES: dict[str, tuple[dict[str, Any], list[int | None]]] = {
    "CuDNNLSTM": ({"units": 2}, [None, 4, 3]),
    "CuDNNGRU": ({"units": 2}, [None, 4, 3]),
    "RandomHeight": ({"factor": 0.2}, IMAGES),
    "RandomWidth": ({"factor": 0.2}, IMAGES),
    "Equalization": ({}, IMAGES),
}
RECORDED = ("test_old_keras", "test_as_tensorflow", "test_random_fourier_features")


@dataclasses.dataclass(slots=True)
class Measured:
    """What was seen of one class. ``training`` is None where no case of it was trained."""

    cases: int = 0
    tolerance: float = 0.0
    inference: float = 0.0
    training: float | None = None
    noise: bool = False
    recorded: bool = False
    emitted: set[str] = dataclasses.field(default_factory=set)

    def json(self) -> dict[str, Any]:
        """As it is written: figures of two digits."""
        said = {**dataclasses.asdict(self), "emitted": sorted(self.emitted)}
        return {k: float(f"{v:.1e}") if isinstance(v, float) else v for k, v in said.items()}


def named(config: Any, name: str) -> Any:
    """The dictionary of the layer of this name in a model's config."""
    return next((d for d in dictionaries(config) if d.get("class_name") and named_so(d, name)), None)


def named_so(raw: Mapping[str, Any], name: str) -> bool:
    """Whether a layer's dictionary is of this name."""
    config = raw.get("config")
    return isinstance(config, dict) and config.get("name") == name


def classes(config: Any) -> set[str]:
    """Classes of Keras's layers anywhere in a config; Keras 0.3 has them under ``name``."""
    found = {d.get("class_name", d.get("name")) for d in dictionaries(config)}
    return {one for one in found if isinstance(one, str) and one in TRANSLATORS}


def targets(network: Any, names: Iterable[str]) -> set[str]:
    """The links and functions that these layers of the IR became."""
    of = set(names)
    return {
        network.plan.links[step.link].target if step.link else step.call.target
        for step in network.plan.steps
        if step.layer in of
    }


def emitted(network: Any, config: Any, layers: Mapping[str, Any]) -> dict[str, set[str]]:
    """Class -> what its layers became, without the activation behind them."""
    out: dict[str, set[str]] = {}
    for name, layer in layers.items():
        behind = "/" in name and type(layer.op).__module__.endswith("ops.activation")
        found = class_at(config, layer.pointer)
        if found is not None and not behind:
            out.setdefault(found, set()).update(targets(network, [name]))
    return out


def class_at(config: Any, pointer: str) -> str | None:
    """The class of the dictionary at a place of a file's config."""
    for part in pointer.strip("/").split("/"):
        try:
            config = config[int(part)] if isinstance(config, list) else config[part]
        except (LookupError, TypeError, ValueError):
            return None
    found = config.get("class_name", config.get("name")) if isinstance(config, dict) else None
    return found if isinstance(found, str) else None


class Measuring:
    """Gathers what passing tests recorded."""

    def __init__(self) -> None:
        self.of: dict[str, Measured] = {}
        self.inner: dict[str, Measured] = {}
        self.old: dict[str, Measured] = {}
        self.operations = Measured()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: Any, call: Any) -> Iterator[None]:
        """Look at what a test recorded."""
        report = yield
        name = getattr(item, "originalname", "")
        if call.when == "call" and report.passed and not hasattr(report, "wasxfail"):
            errors = [value for key, value in item.user_properties if key == "error"]
            params = getattr(getattr(item, "callspec", None), "params", {})
            case = params.get("case", params.get("one"))
            if name in RECORDED:
                self._old(dict(item.user_properties), errors)
            elif case is not None and name in (*INFERENCE, *TRAINING, *NOISE):
                self._case(name, case, errors)
        return report

    def _case(self, name: str, case: Any, errors: list[float]) -> None:
        from tests.parity import harness

        it = harness.pair(case)
        config = json.loads(it.keras.to_json())
        of_ops = "of" in case.config
        inner = classes(named(config, "tested")) - (set() if of_ops else {case.layer})
        several = [self.inner.setdefault(one, Measured()) for one in inner]
        own = self.operations if of_ops else self.of.setdefault(case.layer, Measured())
        for one in (own, *several):
            one.tolerance = max(one.tolerance, case.rtol)
            if name in TRAINING:
                one.training = max([one.training or 0.0, *errors])
            elif name in NOISE:
                one.noise = True
            else:
                one.inference = max([one.inference, *errors])
                one.cases += name != "test_batch_of_one"
        if name in INFERENCE:
            network, layers = it.network(), it.model.network.layers
            found = emitted(network, config, layers)
            if case.layer == "RNN":  # it and its cells are one link
                own.emitted |= targets(network, [n for n in layers if n.split("/")[0] == "tested"])
            elif not of_ops:
                own.emitted |= found.get(case.layer, set())
            for one in inner:
                self.inner[one].emitted |= found.get(one, set())

    def _old(self, said: dict[str, Any], errors: list[float]) -> None:
        if "file" not in said or not errors:
            return
        path, weights, backend = said["file"]
        config = reader.open_document(path).config
        model = api.read(path, weights, keras_backend=backend)
        found = emitted(api.to_chainer(model), config, model.network.layers)
        for name in classes(config):
            one = self.old.setdefault(name, Measured(recorded=True))
            one.tolerance, one.inference = 1e-4, max([one.inference, *errors])
            one.emitted |= found.get(name, set())
            one.cases += 1

    def pytest_sessionfinish(self, session: Any, exitstatus: int) -> None:
        """Write what was found, where all passed."""
        if exitstatus or os.environ.get("PYTEST_XDIST_WORKER"):
            return
        found = self.old | self.inner | self.of
        found = {name: one for name, one in found.items() if one.cases}
        for name, (config, shape) in SAMPLES.items():
            if name not in found:
                layer = {
                    "class_name": name,
                    "config": {**config, "name": "tested", "batch_input_shape": shape},
                }
                document = {
                    "class_name": "Sequential",
                    "keras_version": "2.6.0",
                    "config": {"layers": [layer]},
                }
                model = api.from_keras(document)
                seen = emitted(api.to_chainer(model), document, model.network.layers)
                found[name] = Measured(emitted=seen[name])
        table = {name: one.json() for name, one in sorted(found.items())}
        table["keras.ops"] = self.operations.json()
        RESULT.write_text(json.dumps(table, indent=1) + "\n")


def pytest_configure(config: Any) -> None:
    """Begin."""
    config.pluginmanager.register(Measuring(), "measuring")
