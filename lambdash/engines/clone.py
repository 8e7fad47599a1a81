"""Copies a folder so that nothing done to the copy can reach the original: reflinks, else bytes."""

import contextlib
import fcntl
import os
import shutil
import stat
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lambdash.errors import PlatformError, write_failed

# _IOW(0x94, 9, int): share the blocks until one side writes (btrfs, XFS, bcachefs)
_FICLONE = 0x40049409


@dataclass(frozen=True, slots=True)
class _Copy:
    path: Path
    stamp: tuple[int, int]


class Copies:
    """The copies made for one function, by the files they are of.

    What two revisions share is copied once, and linked between the copies, never to the original.
    A copy that a handler has written to is not used again.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, ...], _Copy] = {}

    def link(self, source: os.stat_result, made: Path, final: Path) -> bool:
        """Make ``made`` a link to an unchanged copy of the file; False when there is none."""
        copy = self._known.get(_identity(source))
        try:
            if copy is None or _stamp(copy.path.stat()) != copy.stamp:
                return False
            os.link(copy.path, made)
        except OSError:  # removed with its revision, or linked too often
            return False
        self._known[_identity(source)] = _Copy(final, copy.stamp)
        return True

    def note(self, source: os.stat_result, made: Path, final: Path) -> None:
        """``made``, which will lie at ``final``, is a copy of the file."""
        self._known[_identity(source)] = _Copy(final, _stamp(made.stat()))

    def forget_missing(self) -> None:
        """Drop what was removed with a revision."""
        self._known = {key: copy for key, copy in tuple(self._known.items()) if copy.path.exists()}


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def _stamp(status: os.stat_result) -> tuple[int, int]:
    return (status.st_size, status.st_mtime_ns)


def clone_tree(source: Path, target: Path, copies: Copies | None = None) -> None:
    """Copy ``source`` to ``target``, which appears whole by one rename or not at all. Blocking.

    ``copies`` spares copying what an earlier clone already has. Links stay links and must be
    relative; nothing else than files, folders and links is copied. Everything is made writable by
    us, so that it can be removed. An existing ``target`` is kept: who was first has made the same.
    Raises ``PlatformError``.
    """
    if target.is_dir():
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".making-", dir=target.parent))
    except OSError as error:
        raise _failed(source, error) from error
    try:
        made = scratch / "tree"
        _Cloning(made, target, copies).folder(source, made)
        with contextlib.suppress(FileExistsError):
            _publish(made, target)
    except OSError as error:
        raise _failed(source, error) from error
    finally:
        remove_tree(scratch)


def remove_tree(path: Path) -> None:
    """Remove a folder with all that is in it, whatever modes a function gave it. Blocking."""
    shutil.rmtree(path, ignore_errors=True)
    if not path.exists():
        return
    with contextlib.suppress(OSError):
        path.chmod(stat.S_IRWXU)
        for folder, inner, _ in os.walk(path):
            for name in inner:
                if not os.path.islink(made := os.path.join(folder, name)):
                    os.chmod(made, stat.S_IRWXU)
    shutil.rmtree(path, ignore_errors=True)


def _publish(made: Path, target: Path) -> None:
    try:
        made.rename(target)
    except OSError:
        if not target.is_dir():
            raise


@dataclass(frozen=True, slots=True)
class _Cloning:
    """One clone: made in ``scratch``, to lie at ``final``."""

    scratch: Path
    final: Path
    copies: Copies | None

    def folder(self, source: Path, target: Path) -> None:
        target.mkdir()
        with os.scandir(source) as entries:
            for entry in entries:
                made = target / entry.name
                if entry.is_symlink():
                    _clone_link(Path(entry.path), made)
                elif entry.is_dir():
                    self.folder(Path(entry.path), made)
                elif entry.is_file():
                    self.file(Path(entry.path), made)
        target.chmod(stat.S_IMODE(source.stat().st_mode) | stat.S_IRWXU)

    def file(self, source: Path, target: Path) -> None:
        status = source.stat()
        final = self.final / target.relative_to(self.scratch)
        if self.copies is not None and self.copies.link(status, target, final):
            return
        if not _reflinked(source, target):
            shutil.copyfile(source, target)
        target.chmod(stat.S_IMODE(status.st_mode) | stat.S_IRUSR | stat.S_IWUSR)
        if self.copies is not None:
            self.copies.note(status, target, final)


def _clone_link(source: Path, target: Path) -> None:
    pointed = os.readlink(source)
    if os.path.isabs(pointed):
        raise PlatformError("package-broken", f"{source} is a link to {pointed}, outside of it")
    target.symlink_to(pointed)


def _reflinked(source: Path, target: Path) -> bool:
    if sys.platform != "linux":
        return False
    with source.open("rb") as original, target.open("wb") as copy:
        try:
            fcntl.ioctl(copy.fileno(), _FICLONE, original.fileno())
        except OSError:  # another file system, or one that cannot
            return False
    return True


def _failed(source: Path, error: OSError) -> PlatformError:
    message = f"cannot copy {source}: {error}"
    return write_failed(error, PlatformError("code-copy", message, "`lambdash doctor` may tell"))
