"""The stand-in for pkg_resources: the verdicts are those of ``packaging``, which pytest brings."""

from __future__ import annotations

from importlib import metadata

import pytest
from packaging.specifiers import SpecifierSet

from kchainer.compat.requirements import ResolutionError, require

VERSIONS = ("1", "1.9", "1.10", "1.10.0", "1.10.3", "2.0", "2.5.1")
CLAUSES = (
    "",
    ">=1.10",
    "<2",
    "<=1.10",
    ">1.10",
    "==1.10",
    "==1.*",
    "!=1.10.*",
    "~=1.9",
    "~=1.10.0",
    ">=1.9,<2",
    ">=1,!=2.0",
)


@pytest.mark.parametrize("clauses", CLAUSES)
@pytest.mark.parametrize("version", VERSIONS)
def test_versions_compare_as_packaging_says(
    version: str, clauses: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata, "version", lambda name: version)
    try:
        require(f"numpy{clauses}")
        met = True
    except ResolutionError:
        met = False
    assert met == SpecifierSet(clauses).contains(version)


def test_a_missing_package_is_an_error() -> None:
    with pytest.raises(ResolutionError, match="is not installed"):
        require("kchainer-is-not-there>=1")


@pytest.mark.parametrize("text", ["numpy>>1", "numpy>=one", "===", "numpy ==="])
def test_what_is_no_requirement_is_not_passed_over(text: str) -> None:
    with pytest.raises(ValueError, match="is no"):
        require(text)


def test_chainers_helpers_skip_by_version() -> None:
    import chainer.testing

    def skips(decorator) -> bool:  # type: ignore[no-untyped-def]  # Chainer's decorators are untyped
        return getattr(decorator(type("Case", (), {})), "__unittest_skip__", False)

    assert not skips(chainer.testing.with_requires("numpy>=1.26"))
    assert skips(chainer.testing.with_requires("numpy>=99"))
    assert skips(chainer.testing.without_requires("numpy>=1.26"))
