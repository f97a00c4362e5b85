"""Rooms, start-up and completeness."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import kchainer.emit
from kchainer.emit.plan import EMISSIONS
from kchainer.ir.op import OPS, schema

ROOT = Path(__file__).parent.parent.parent
# room -> prefixes that it may import of kchainer, besides itself
MAY = {
    "diagnostics": (),
    "files": ("diagnostics",),
    "ir": ("diagnostics",),
    "frontends": ("ir", "files", "diagnostics"),
    "passes": ("ir", "diagnostics"),
    "emit": ("ir", "diagnostics"),
    "backends": ("emit", "ir", "files", "diagnostics", "compat", "links", "functions", "optimizers"),
    "functions": ("compat",),
    "links": ("compat", "functions"),
    "optimizers": ("compat", "functions"),
    "compat": (),
}
# What a frontend may import of the others; see docs/decisions/0001.
FRONTENDS: dict[str, tuple[str, ...]] = {
    "keras": (),
    "spec": (),
    "builder": ("keras",),
    "sequential2016": ("builder", "keras"),
}
NO_CHAINER = ("diagnostics", "files", "ir", "frontends", "passes", "emit")


def imported(file: Path) -> set[str]:
    out: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            out |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            out.add(node.module)
    return out


def test_rooms_import_one_way() -> None:
    wrong = []
    for room, may in MAY.items():
        allowed = {f"kchainer.{name}" for name in (room, *may)}
        for file in (ROOT / "kchainer" / room).rglob("*.py"):
            for name in imported(file):
                if name.startswith("kchainer.") and not any(
                    name == a or name.startswith(a + ".") for a in allowed
                ):
                    wrong.append(f"{file.relative_to(ROOT)} imports {name}")
                if room in NO_CHAINER and name.split(".")[0] == "chainer":
                    wrong.append(f"{file.relative_to(ROOT)} imports {name}")
    assert not wrong


def test_a_frontend_imports_no_other() -> None:
    folder = ROOT / "kchainer" / "frontends"
    assert {p.name for p in folder.iterdir() if p.is_dir() and p.name != "__pycache__"} == set(FRONTENDS)
    for name, may in FRONTENDS.items():
        allowed = {f"kchainer.frontends.{one}" for one in (name, "fields", *may)}
        for file in (folder / name).rglob("*.py"):
            for one in imported(file):
                inside = one.startswith("kchainer.frontends.")
                assert not inside or any(one == a or one.startswith(a + ".") for a in allowed), (file, one)


def test_nothing_imports_keras_or_tensorflow() -> None:
    # cli/reference.py is a program that `convert --verify` starts as a process of its own
    for file in set((ROOT / "kchainer").rglob("*.py")) - {ROOT / "kchainer/cli/reference.py"}:
        assert not {name.split(".")[0] for name in imported(file)} & {
            "keras",
            "tensorflow",
            "tf_keras",
            "pickle",
            "marshal",
        }, file


def test_every_op_has_an_emission_and_a_schema() -> None:
    assert kchainer.emit
    assert set(OPS.values()) == set(EMISSIONS)
    for cls in OPS.values():
        assert schema(cls)["properties"]["op"] == {"const": cls.name}


def loaded_by(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return set(done.stdout.split())


def test_start_up_loads_nothing_heavy() -> None:
    heavy = {"numpy", "chainer", "jsonschema", "h5py", "pyfive", "yaml", "keras"}
    assert not loaded_by("import kchainer") & heavy
    assert not loaded_by("from kchainer.cli import main; main(['--help'])") & heavy


def test_validate_loads_neither_chainer_nor_keras() -> None:
    code = "from kchainer.cli import main; main(['validate', 'tests/fixtures/bad/misspelt.json'])"
    assert not loaded_by(code) & {"chainer", "keras", "tensorflow"}


def test_support_table_is_in_step() -> None:
    scope: dict[str, object] = {"__name__": "make_support", "__file__": str(ROOT / "docs/make_support.py")}
    exec((ROOT / "docs/make_support.py").read_text(), scope)
    assert (ROOT / "docs/support.md").read_text() == scope["page"](), "run `python docs/make_support.py`"  # type: ignore[operator]
