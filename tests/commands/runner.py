"""Blocks of ``$ kchainer ...`` in Markdown: the exact output of each command, and its exit code where it is not 0.

A block is indented by four signs. ``$ COMMAND`` starts it; what follows is what a terminal shows, stderr after stdout;
a last line ``exit N`` gives the code. Blocks of one file run in one folder, in which ``tests`` is the repository's.
The commands ``kchainer``, ``cat``, ``ls`` and ``printf`` are known, with ``> FILE`` at the end.
A line ``...`` of the expected output stands for any lines.

``python tests/commands/runner.py FILE...`` (``make golden``) writes what is printed into the files.
"""

from __future__ import annotations

import dataclasses
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
KNOWN = ("kchainer", "cat", "ls", "printf")
INDENT = "    "


@dataclasses.dataclass(slots=True)
class Block:
    """A command, the lines where its output stands (from, to), and that output."""

    command: str
    start: int
    end: int
    expected: str


def blocks(text: str) -> list[Block]:
    """All blocks of a file."""
    lines, out, i = text.splitlines(), [], 0
    while i < len(lines):
        if not lines[i].startswith(f"{INDENT}$ "):
            i += 1
            continue
        start = end = i + 1
        while end < len(lines) and not lines[end].startswith(f"{INDENT}$ ") and (
            lines[end].startswith(INDENT) or (not lines[end] and _goes_on(lines, end))
        ):  # fmt: skip
            end += 1
        shown = "\n".join(line.removeprefix(INDENT).rstrip() for line in lines[start:end])
        out.append(Block(lines[i].removeprefix(f"{INDENT}$ "), start, end, shown.rstrip("\n")))
        i = end
    return out


def _goes_on(lines: list[str], i: int) -> bool:
    """True if a block goes on after empty lines: output, and not another command."""
    after = next((line for line in lines[i:] if line), "")
    return after.startswith(INDENT) and not after.startswith(f"{INDENT}$ ")


def run(command: str, folder: Path) -> str:
    """What a terminal shows, and `exit N` where the code is not 0."""
    words = shlex.split(command)
    target = None
    if words[-2:-1] == [">"]:
        target, words = folder / words[-1], words[:-2]
    if words[0] not in KNOWN:
        raise ValueError(f"only {', '.join(KNOWN)} are run, not {words[0]}")
    start = [sys.executable, "-m", "kchainer"] if words[0] == "kchainer" else [words[0]]
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "LC_ALL": "C.UTF-8",
        "COLUMNS": "80",
    }
    done = subprocess.run(
        [*start, *words[1:]],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    printed = done.stdout + done.stderr
    if target is not None:
        target.write_text(done.stdout)
        printed = done.stderr
    printed = "\n".join(line.rstrip() for line in printed.splitlines())
    return (printed.rstrip("\n") + (f"\nexit {done.returncode}" if done.returncode else "")).lstrip("\n")


def matches(expected: str, printed: str) -> bool:
    """True if the output is the expected one; `...` alone on a line stands for any lines."""
    pattern = "\n".join("(?s:.*)" if line == "..." else re.escape(line) for line in expected.split("\n"))
    return re.fullmatch(pattern, printed) is not None


def workplace(folder: Path) -> None:
    """Where blocks run: the fixtures under the names they have from the root of the repository."""
    (folder / "tests").symlink_to(ROOT / "tests")


def golden(file: Path) -> None:
    """Write what is printed today into a file, where it is not what stands there."""
    text = file.read_text()
    lines = text.splitlines()
    with tempfile.TemporaryDirectory() as name:
        workplace(Path(name))
        found = blocks(text)
        printed = [run(block.command, Path(name)) for block in found]
    for block, new in reversed(list(zip(found, printed, strict=True))):
        if not matches(block.expected, new):
            lines[block.start : block.end] = [f"{INDENT}{line}".rstrip() for line in new.splitlines()]
    file.write_text("\n".join(lines) + "\n")


def files() -> list[Path]:
    """All files whose blocks are run."""
    return [
        *sorted((ROOT / "tests/commands").glob("*.md")),
        ROOT / "README.md",
        *sorted((ROOT / "docs").rglob("*.md")),
    ]


if __name__ == "__main__":
    for path in [Path(name) for name in sys.argv[1:]] or files():
        golden(path)
