"""Recorded configs of every release with one key or value changed: a model or a KchainerError, nothing else."""

from __future__ import annotations

import copy
import io
import json
import random
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import pytest

import kchainer

OLD = Path(__file__).parent.parent / "fixtures" / "old-keras"
REAL = OLD.parent / "real-models"
MODELS = (".json", ".h5", ".hdf5")
VALUES: tuple[Any, ...] = (None, True, -1, 0, 3, 10**30, 1.5, -0.0, "", "same", "é\u0000", [], [[]], [1, -2], {}, {"a": 1},
                           {"class_name": "Dense", "config": {}}, "1e5", [None, 2])  # fmt: skip


def real_files() -> Iterator[tuple[str, bytes]]:
    """Names and contents of the models of other projects, those in archives included."""
    for path in sorted(REAL.rglob("*")):
        if path.name.endswith(".tar.xz"):
            with tarfile.open(path) as files:
                for member in files:
                    held = files.extractfile(member) if member.name.endswith(MODELS) else None
                    if held is not None:
                        yield member.name, held.read()
        elif path.name.endswith(MODELS):
            yield str(path.relative_to(REAL)), path.read_bytes()


def _config(name: str, content: bytes) -> Any:
    """The config that a file holds; None where it holds weights only."""
    if not name.endswith((".h5", ".hdf5")):
        return json.loads(content)
    with h5py.File(io.BytesIO(content)) as file:
        text = file.attrs.get("model_config")
    return None if text is None else json.loads(text)


def configs() -> list[tuple[str, Any]]:
    """Names and parsed JSON of the recorded configs, and of other projects' models."""
    out = [(name, _config(name, content)) for name, content in real_files()]
    out = [(name, data) for name, data in out if isinstance(data, dict) and "config" in data]
    for archive in sorted(OLD.glob("*.zip")):
        with zipfile.ZipFile(archive) as files:
            for name in sorted(files.namelist()):
                if not name.endswith(".json"):
                    continue
                data = json.loads(files.read(name))
                if isinstance(data, dict) and "config" in data:
                    out.append((f"{archive.stem}/{name}", data))
    return out


def _places(data: Any) -> Iterator[tuple[Any, Any]]:
    """Containers and their keys, all the way down."""
    for key in list(data) if isinstance(data, dict) else range(len(data)):
        yield data, key
        if isinstance(data[key], (dict, list)):
            yield from _places(data[key])


def changed(data: Any, rng: random.Random) -> tuple[Any, str]:
    """A copy with one change, and what it was."""
    out = copy.deepcopy(data)
    holder, key = rng.choice(list(_places(out)))
    match rng.randrange(4):
        case 0 if isinstance(holder, dict):
            holder[f"{key}s"] = holder.pop(key)
            return out, f"renamed {key}"
        case 1:
            del holder[key]
            return out, f"missing {key}"
        case 2 if isinstance(holder, dict):
            holder["surplus"] = value = copy.deepcopy(rng.choice(VALUES))
            return out, f"surplus {value!r} beside {key}"
        case _:
            holder[key] = value = copy.deepcopy(rng.choice(VALUES))
            return out, f"{key} = {value!r}"


CONFIGS = configs()


def tried(seed: int) -> None:
    """One change of one config."""
    rng = random.Random(seed)
    name, data = rng.choice(CONFIGS)
    other, what = changed(data, rng)
    try:
        kchainer.from_keras(other)
    except kchainer.KchainerError as refused:
        assert refused.diagnostics, (seed, name, what)
    except Exception as crash:
        raise AssertionError(f"seed {seed}: {name}: {what}: {type(crash).__name__}: {crash}") from crash


def test_there_are_configs_of_nearly_every_release() -> None:
    assert len({name.partition("/")[0] for name, _ in CONFIGS}) >= 12
    assert len(list(real_files())) >= 200


def test_a_changed_config_is_read_or_refused() -> None:
    for seed in range(400):
        tried(seed)


@pytest.mark.slow
def test_many_changed_configs_are_read_or_refused() -> None:
    for seed in range(400, 12_000):
        tried(seed)
