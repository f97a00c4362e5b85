"""Limits that keep a hostile file from using all memory, time or stack."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

from kchainer.diagnostics import Diagnostic, KchainerError, escape, suggestion

_KIB, _MIB, _GIB = 2**10, 2**20, 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Largest accepted value of each thing a file can make large.

    The largest models of keras.applications stay below a hundredth of most of these.
    """

    text_bytes: int = 64 * _MIB  # of a JSON or YAML text
    depth: int = 256  # containers inside containers
    values: int = 5_000_000  # numbers, strings and containers of a text
    string_chars: int = 1_000_000
    name_chars: int = 1_024
    int_digits: int = 19
    layers: int = 100_000
    nodes: int = 200_000
    inputs_per_node: int = 10_000
    nesting: int = 64  # of models, wrappers and cells
    rank: int = 8
    dim: int = 2**31 - 1
    tensor_elements: int = 2**33
    model_bytes: int = 16 * _GIB
    zip_members: int = 10_000
    zip_ratio: int = 100  # above zip_ratio_floor
    zip_ratio_floor: int = _MIB
    hdf5_ratio: int = 200  # above hdf5_ratio_floor
    hdf5_ratio_floor: int = 16 * _MIB
    hdf5_chunk_bytes: int = 256 * _MIB
    hdf5_objects: int = 200_000
    hdf5_group_depth: int = 64
    hdf5_attr_bytes: int = _MIB  # of name lists; one text may have text_bytes
    hdf5_metadata_bytes: int = 256 * _MIB  # read and copied to find the arrays
    shards: int = 256  # of one model's weights; each is an open file
    diagnostics: int = 100

    def changed(self, settings: Iterable[str]) -> Limits:
        """Limits with settings such as `depth=500` applied.

        Raises:
            KchainerError: No such limit (KC103), or the value is no positive whole number (KC104).
        """
        return replace(self, **dict(_setting(text) for text in settings))


DEFAULT = Limits()


def _setting(text: str) -> tuple[str, int]:
    name, _, value = text.partition("=")
    known = [field.name for field in fields(Limits)]
    if name not in known:
        message = f"unknown limit `{escape(name)}`"
        raise KchainerError(Diagnostic(code="KC103", message=message, hint=suggestion(name, known)))
    digits = value.replace("_", "")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 20 and int(digits) > 0):
        message = f"limit `{name}` is not a positive whole number"
        raise KchainerError(Diagnostic(code="KC104", message=message, found=value))
    return name, int(digits)


def breach(
    limits: Limits, limit: str, what: str, found: int | None, file: str, pointer: str = ""
) -> KchainerError:
    """The error that says which limit was exceeded, by what, and how to raise it."""
    most = getattr(limits, limit)
    return KchainerError(
        Diagnostic(
            code="KC901",
            message=f"{what} exceeds the limit `{limit}`",
            file=file,
            pointer=pointer,
            found=None if found is None else f"{found:,}",
            expected=f"at most {most:,}",
            hint=f"if you trust the file, raise it with --limit {limit}=NUMBER",
        )
    )


def failure(
    code: str, message: str, file: str, *, pointer: str = "", hint: str | None = None
) -> KchainerError:
    """An error of one diagnostic."""
    return KchainerError(Diagnostic(code=code, message=message, file=file, pointer=pointer, hint=hint))
