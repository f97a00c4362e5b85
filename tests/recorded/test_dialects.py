"""Files of every release with the release taken out: the form tells the generation that wrote them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kchainer
from kchainer.frontends.keras import dialect, reader
from tests.recorded.test_recorded import OLD, REAL, old, real  # noqa: F401  fixtures

# Nothing in the file tells tf.keras 2.2 from Keras 2.3, which read it alike.
ALIKE = {"weights/issue_9560.h5"}


def silent(config: Any) -> Any:
    """A config without what it says of its writer."""
    if isinstance(config, dict):
        return {k: silent(v) for k, v in config.items() if k not in ("keras_version", "backend")}
    return [silent(v) for v in config] if isinstance(config, list) else config


def generation(told: dialect.Dialect) -> tuple[str, int]:
    """Keras 0, 1, 2 or 3, or tf.keras."""
    return (told.flavour, told.release[0])


def stated(name: str) -> dialect.Dialect:
    """What a folder of fixtures is called."""
    return dialect.parse(
        name.removeprefix("keras-").rpartition("-")[0] if name.startswith("keras-") else name
    )


def test_old_files_are_told_by_their_form(old: Path) -> None:  # noqa: F811
    seen = 0
    for case in OLD:
        for kind, file in ({} if case.get("skipped") else case["files"]).items():
            if kind in ("model_h5", "model_keras", "config", "yaml"):
                document = reader.open_document(old / case["dialect"] / file)
                told = dialect.told(silent(document.config), None, None)
                assert generation(told) == generation(stated(case["dialect"])), (case["dialect"], file, told)
                seen += 1
    assert seen > 600


def test_real_files_are_told_by_their_form(real: Path) -> None:  # noqa: F811
    seen = 0
    for case in REAL:
        try:
            document = reader.open_document(real / case["model"])
        except kchainer.KchainerError:
            continue
        if document.keras_version is None or any(case["model"].endswith(name) for name in ALIKE):
            continue
        wanted = dialect.told(document.config, document.keras_version, None)
        told = dialect.told(silent(document.config), None, None)
        assert generation(told) == generation(wanted), (case["model"], wanted, told)
        assert told.reasons
        seen += 1
    assert seen > 200
