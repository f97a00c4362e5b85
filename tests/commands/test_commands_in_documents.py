"""What a terminal shows is what tests/commands, the README and docs say. `make golden` rewrites them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import runner

FILES = [file for file in runner.files() if runner.blocks(file.read_text())]


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(runner.ROOT)))
def test_commands_print_what_the_document_shows(file: Path, tmp_path: Path) -> None:
    runner.workplace(tmp_path)
    for block in runner.blocks(file.read_text()):
        printed = runner.run(block.command, tmp_path)
        assert runner.matches(block.expected, printed), (
            f"$ {block.command}\n{printed}\n--- expected\n{block.expected}"
        )


def test_readme_and_commands_have_blocks() -> None:
    names = {file.name for file in FILES}
    assert "README.md" in names
    assert len(names) > 3


def test_golden_writes_what_is_printed(tmp_path: Path) -> None:
    file = tmp_path / "x.md"
    text = "# x\n\n    $ printf 'a\\nb'\n    wrong\n\nmore\n\n    $ kchainer nonsense\n"
    file.write_text(text)
    runner.golden(file)
    expected = text.replace("    wrong\n", "    a\n    b\n")
    said = "kchainer: unknown command 'nonsense'; see kchainer --help"
    assert file.read_text() == f"{expected}    {said}\n    exit 2\n"
    runner.golden(file)
    assert file.read_text() == f"{expected}    {said}\n    exit 2\n"
    assert not runner.matches("a\n...\nc", "a\nb\nd")
    assert runner.matches("a\n...\nc", "a\nb\nb\nc")


def test_only_known_programs_run(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="only"):
        runner.run("rm x", tmp_path)
