"""Disk primitives of the store: errors mapped once, data flushed, trees removed."""

import ctypes
import errno
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lambdash import limits
from lambdash.errors import PlatformError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_REFUSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


@contextmanager
def disk_errors(root: Path) -> Iterator[None]:
    """Map what the operating system says while we write below ``root``."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise disk_full(root) from error
        if error.errno in _REFUSED:
            raise PlatformError(
                "store-not-writable",
                f"the package store {root} cannot be written: {error.strerror}",
                "make it writable, or set LAMBDASH_STORE to another folder",
            ) from error
        raise PlatformError(
            "store-failed", f"the package store {root}: {error}", "run `lambdash doctor`"
        ) from error


def disk_full(root: Path) -> PlatformError:
    """The error for a file system without room for what goes below ``root``."""
    return PlatformError(
        "disk-full",
        f"no space is left for the package store {root}",
        "free some space, or run `lambdash prune`",
    )


def is_nearly_full(path: Path) -> bool:
    """Whether a foreign program that just failed below ``path`` had no room to write."""
    try:
        free = os.statvfs(path)
    except OSError:
        return False
    return free.f_bavail * free.f_frsize < limits.DISK_FULL_BELOW_BYTES or free.f_favail == 0


def flush(root: Path, written: Sequence[Path]) -> None:
    """Have the content of ``written`` on disk.

    Only content needs it: journalling file systems keep the order of links and renames, so a rename
    made after this never outlives a power cut without what it names. Few files are flushed one by
    one (half a millisecond each), many by one flush of the file system that holds ``root``.
    """
    if len(written) > limits.FLUSH_FILES_MAX:
        _flush_file_system(root)
        return
    for path in written:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _flush_file_system(root: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "syncfs"):
        os.sync()
        return
    descriptor = os.open(root, os.O_RDONLY)
    try:
        if libc.syncfs(descriptor) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
    finally:
        os.close(descriptor)


def remove_tree(path: Path) -> None:
    """Remove a folder of ours; what another process already removed is no error."""
    shutil.rmtree(path, onerror=_unless_missing)


def _unless_missing(
    function: object, path: str, info: tuple[object, BaseException, object]
) -> None:
    if not isinstance(info[1], FileNotFoundError):
        raise info[1]
