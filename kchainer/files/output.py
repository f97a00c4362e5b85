"""Writing so that whatever happens the old output or the new one is there, never a part."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from kchainer.diagnostics import KchainerError
from kchainer.files.limits import failure
from kchainer.files.opening import reason


@contextmanager
def atomic_write(path: str | os.PathLike[str], *, mode: str = "wb") -> Iterator[IO[Any]]:
    """A file that takes the place of `path` when the block ends well, and vanishes when it does not.

    Raises:
        KchainerError: No regular file may be put there (KC904), or the system refuses (KC906).
    """
    target = Path(path)
    _check_target(target)
    file, temporary = _temporary(target, mode)
    try:
        with _reported(target):
            with file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
            _sync_directory(target.parent)
    except BaseException:
        with suppress(OSError, ValueError):
            file.close()
        with suppress(OSError):
            temporary.unlink()
        raise


@contextmanager
def atomic_directory(path: str | os.PathLike[str]) -> Iterator[Path]:
    """An empty directory whose files move into `path`, each at once, when the block ends well.

    Files of `path` that the block does not write stay as they are.

    Raises:
        KchainerError: Something else is in the way (KC904), or the system refuses (KC906).
    """
    target = Path(path)
    if target.exists() and not target.is_dir():
        raise failure("KC904", "the output is to be a directory, and a file is in its place", str(target))
    with _reported(target):
        temporary = Path(tempfile.mkdtemp(prefix=".kchainer-", dir=target.parent))
    try:
        with _reported(target):
            yield temporary
            _merge(temporary, target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def same_file(output: str | os.PathLike[str], source: str | os.PathLike[str]) -> bool:
    """True if writing `output` would overwrite `source`."""
    try:
        return Path(output).samefile(source)
    except (OSError, ValueError):
        return False


def refuse_same_file(output: str | os.PathLike[str], *sources: str | os.PathLike[str]) -> None:
    """Raise KC904 if the output is one of the inputs."""
    if any(same_file(output, source) for source in sources):
        raise failure("KC904", "the output is the input", str(output))


def _check_target(target: Path) -> None:
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise failure("KC906", f"cannot write the file: {reason(error)}", str(target)) from error
    if not stat.S_ISREG(mode):
        raise failure("KC904", "what is in the place of the output is no regular file", str(target))


def _temporary(target: Path, mode: str) -> tuple[IO[Any], Path]:
    with _reported(target):
        descriptor, name = tempfile.mkstemp(prefix=".kchainer-", dir=target.parent)
        try:
            os.fchmod(descriptor, _mode_of(target))
            encoding = None if "b" in mode else "utf-8"
            file = os.fdopen(descriptor, mode, encoding=encoding, newline=None if encoding is None else "")
        except BaseException:
            os.close(descriptor)
            Path(name).unlink()
            raise
    return file, Path(name)


def _mode_of(target: Path) -> int:
    """The mode of the file that is replaced, else the one the umask gives."""
    with suppress(OSError):
        return stat.S_IMODE(target.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _merge(temporary: Path, target: Path) -> None:
    files = sorted(path for path in temporary.rglob("*") if path.is_file())
    target.mkdir(exist_ok=True)
    for path in files:
        _check_target(target / path.relative_to(temporary))
    for path in files:
        place = target / path.relative_to(temporary)
        place.parent.mkdir(parents=True, exist_ok=True)
        _sync_file(path)
        path.replace(place)
    _sync_directory(target)


def _sync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _sync_directory(path: Path) -> None:
    """Make the new name durable; some file systems cannot, and the file is whole either way."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _reported(target: Path) -> Iterator[None]:
    try:
        yield
    except KchainerError:
        raise
    except OSError as error:
        raise failure("KC906", f"cannot write the output: {reason(error)}", str(target)) from error
