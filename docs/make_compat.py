"""Writes the table of patches into docs/compat.md: ``python docs/make_compat.py``."""

from __future__ import annotations

from pathlib import Path

from kchainer.compat import PATCHES

PAGE = Path(__file__).with_name("compat.md")
BEGIN, END = "<!-- patches: made by docs/make_compat.py -->\n", "<!-- end -->\n"


def table() -> str:
    """One row for each patch."""
    rows = ["| id | module | without it | cause | what is changed |", "| --- | --- | --- | --- | --- |"]
    for patch in PATCHES:
        modules = ", ".join(f"`{name}`" for name in patch.modules)
        rows.append(f"| `{patch.id}` | {modules} | {patch.symptom} | {patch.cause} | {patch.fix} |")
    return "\n".join(rows) + "\n"


def page(text: str) -> str:
    """The page with today's table in it."""
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    return before + BEGIN + table() + END + after


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
