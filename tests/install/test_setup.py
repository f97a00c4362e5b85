"""setup.py primes pip's cache once, for installations only, and never for longer than its time limit."""

from __future__ import annotations

import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import setuptools

ROOT = Path(__file__).parents[2]
Run = Callable[..., tuple[dict[str, Any], list[tuple[list[str], dict[str, Any]]]]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run setup.py for a command: what it tells setuptools, and the commands of pip that it started."""
    for name in ("KCHAINER_PUBLISH", "KCHAINER_NO_PRIME"):
        monkeypatch.delenv(name, raising=False)

    def run(command: str, chainer_is_there: bool = False, error: Exception | None = None) -> Any:
        told: dict[str, Any] = {}
        started: list[tuple[list[str], dict[str, Any]]] = []

        def fake(arguments: list[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
            if "-I" in arguments:
                return subprocess.CompletedProcess(arguments, 0 if chainer_is_there else 1)
            started.append((arguments, options))
            if error:
                raise error
            return subprocess.CompletedProcess(arguments, 0)

        monkeypatch.setattr(subprocess, "run", fake)
        monkeypatch.setattr(setuptools, "setup", told.update)
        monkeypatch.setattr(sys, "argv", ["setup.py", command])
        monkeypatch.chdir(ROOT)
        runpy.run_path(str(ROOT / "setup.py"))
        return told, started

    return run


def test_metadata_for_an_installation_primes_once_and_in_time(run: Run) -> None:
    told, started = run("dist_info")
    ((arguments, options),) = started
    assert arguments[1:4] == ["-m", "pip", "wheel"]
    assert arguments[-1] == "chainer==7.8.1"
    assert "--no-build-isolation" in arguments
    assert options["timeout"] == 300
    assert "chainer==7.8.1" in told["install_requires"]


@pytest.mark.parametrize("command", ["egg_info", "sdist", "bdist_wheel", "editable_wheel", "build"])
def test_other_commands_do_not_prime(run: Run, command: str) -> None:
    assert run(command)[1] == []


@pytest.mark.parametrize("name", ["KCHAINER_PUBLISH", "KCHAINER_NO_PRIME"])
def test_what_is_published_does_not_prime(run: Run, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "1")
    told, started = run("dist_info")
    assert started == []
    assert ("chainer==7.8.1" in told["install_requires"]) == (name != "KCHAINER_PUBLISH")
    assert told["extras_require"]["chainer"] == ["chainer==7.8.1"]


def test_an_installed_chainer_is_not_built_again(run: Run) -> None:
    assert run("dist_info", chainer_is_there=True)[1] == []


@pytest.mark.parametrize("error", [subprocess.TimeoutExpired("pip", 300), FileNotFoundError("pip")])
def test_a_failure_is_left_to_pip(run: Run, error: Exception) -> None:
    told, started = run("dist_info", error=error)
    assert len(started) == 1
    assert told["name"] == "kchainer"


def test_types_are_shipped(run: Run) -> None:
    assert run("egg_info")[0]["package_data"] == {"kchainer": ["py.typed"]}
    assert (ROOT / "kchainer" / "py.typed").exists()
