"""What ``chainer.testing`` asks of pkg_resources, which setuptools 82 dropped."""

from __future__ import annotations

import operator
import re
import types
from collections.abc import Callable
from importlib import metadata

_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][\w.-]*)\s*(?:\[[^]]*\])?\s*\(?([^;()]*)\)?\s*")
_CLAUSE = re.compile(r"(~=|==|!=|<=|>=|<|>)\s*v?(\d+(?:\.\d+)*)(\.\*)?[\w.+!-]*")
_Release = tuple[int, ...]
_COMPARE: dict[str, Callable[[_Release, _Release], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}


class ResolutionError(Exception):
    """A requirement is not met; the name is pkg_resources'."""


def _release(version: str) -> _Release:
    """The numbers of a version. Suffixes such as ``rc1`` are left out: no requirement in Chainer names one."""
    found = re.match(r"v?(\d+(?:\.\d+)*)", version)
    return tuple(int(part) for part in found[1].split(".")) if found else ()


def _padded(release: _Release, length: int) -> _Release:
    return (release + (0,) * length)[: max(length, len(release))]


def _holds(have: _Release, clause: str) -> bool:
    found = _CLAUSE.fullmatch(clause.strip())
    if found is None:
        raise ValueError(f"`{clause}` is no version specifier")
    sign, wanted, star = found[1], _release(found[2]), bool(found[3])
    length = max(len(have), len(wanted))
    if sign == "~=":
        have = _padded(have, length)
        return have >= _padded(wanted, length) and have[: len(wanted) - 1] == wanted[:-1]
    if star:
        return _COMPARE[sign](_padded(have, len(wanted))[: len(wanted)], wanted)
    return _COMPARE[sign](_padded(have, length), _padded(wanted, length))


def require(*requirements: str) -> None:
    """Every requirement is met by what is installed.

    Raises:
        ResolutionError: a package is missing, or of another version.
        ValueError: a requirement is not of the form ``name>=1.2,<3``.
    """
    for text in requirements:
        found = _REQUIREMENT.fullmatch(text.partition(";")[0])
        if found is None:
            raise ValueError(f"`{text}` is no requirement")
        try:
            version = metadata.version(found[1])
        except metadata.PackageNotFoundError as missing:
            raise ResolutionError(f"{found[1]} is not installed") from missing
        for clause in filter(str.strip, found[2].split(",")):
            if not _holds(_release(version), clause):
                raise ResolutionError(f"{text} is asked for, {version} is installed")


class WorkingSet:
    """pkg_resources' set of installed packages, as far as Chainer uses it."""

    def require(self, *requirements: str) -> None:
        """See the function of that name."""
        require(*requirements)


def stand_in() -> types.ModuleType:
    """A module with the names of pkg_resources that Chainer uses."""
    module = types.ModuleType("pkg_resources")
    module.__dict__.update(
        ResolutionError=ResolutionError,
        DistributionNotFound=ResolutionError,
        VersionConflict=ResolutionError,
        WorkingSet=WorkingSet,
    )
    return module
