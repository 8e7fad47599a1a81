"""Reading a source folder: one cheap walk, every bad name refused, digests of what changed."""

import errno
import hashlib
import os
import stat
from collections import OrderedDict
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

from lambdash import limits
from lambdash.clock import Clock
from lambdash.errors import CallerError
from lambdash.packaging.ignore import IGNORE_FILE, Ignore
from lambdash.packaging.tree import Entry, normalised_mode

_READ_BYTES = 1024 * 1024
_KINDS = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFBLK: "a block device",
    stat.S_IFCHR: "a character device",
}


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file or link as the walk saw it. ``changed_ns`` (ctime) cannot be forged by ``touch``."""

    path: str
    mode: int
    size_bytes: int
    modified_ns: int
    changed_ns: int
    inode: int
    link: str | None = None


class SourceChanged(Exception):  # a signal between modules of this package
    """A file was written while it was being packaged."""


def check_folder(folder: Path) -> None:
    """Raise ``CallerError`` (code-not-found) unless ``folder`` is one."""
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        hint = "`code:` names a folder, relative to the manifest"
        raise CallerError("code-not-found", f"the code folder {folder} {what}", hint)


def scan(folder: Path, ignore: Ignore) -> list[SourceFile]:
    """Every file and link that counts, sorted by path. Raises ``CallerError`` naming a bad one."""
    walk = _Walk(folder, ignore)
    walk.run()
    return sorted(walk.found, key=lambda file: file.path)


class _Walk:
    def __init__(self, folder: Path, ignore: Ignore) -> None:
        self.found: list[SourceFile] = []
        self._folder = folder
        self._ignore = ignore
        self._pending = [""]

    def run(self) -> None:
        while self._pending:
            prefix = self._pending.pop()
            try:
                self._enter(prefix)
            except (FileNotFoundError, NotADirectoryError):
                continue  # removed while we walked
            except OSError as error:
                raise unreadable(self._folder, prefix, error) from error

    def _enter(self, prefix: str) -> None:
        with os.scandir(os.path.join(self._folder, prefix)) as items:
            for item in items:
                relative = f"{prefix}/{item.name}" if prefix else item.name
                self._meet(relative, item)

    def _meet(self, relative: str, item: "os.DirEntry[str]") -> None:
        directory = item.is_dir(follow_symlinks=False)
        if self._ignore.leaves_out(relative, directory=directory):
            return
        _check_name(relative, self._folder)
        if directory:
            self._pending.append(relative)
            return
        if item.name == IGNORE_FILE:
            raise CallerError(
                "not-supported-yet",
                f"{self._folder / relative}: an ignore file below the folder's top is not read",
                f"move its patterns to {self._folder / IGNORE_FILE}",
            )
        if len(self.found) >= limits.PACKAGE_MAX_FILES:
            raise CallerError(
                "package-too-large",
                f"{self._folder} holds more than {limits.PACKAGE_MAX_FILES} files",
                f"leave some out with {IGNORE_FILE}",
            )
        self.found.append(self._look_at(relative, item))

    def _look_at(self, relative: str, item: "os.DirEntry[str]") -> SourceFile:
        seen = item.stat(follow_symlinks=False)
        link = None
        if stat.S_ISLNK(seen.st_mode):
            link = os.readlink(item.path)
        elif not stat.S_ISREG(seen.st_mode):
            kind = _KINDS.get(stat.S_IFMT(seen.st_mode), "a special file")
            raise CallerError(
                "unsupported-file",
                f"{self._folder / relative} is {kind}; a package holds files, folders and links",
                f"remove it, or leave it out with {IGNORE_FILE}",
            )
        return SourceFile(
            relative,
            seen.st_mode,
            seen.st_size,
            seen.st_mtime_ns,
            seen.st_ctime_ns,
            seen.st_ino,
            link,
        )


def _check_name(relative: str, folder: Path) -> None:
    if relative.isascii():
        return
    try:
        os.fsencode(relative).decode()
    except UnicodeDecodeError as error:
        shown = os.fsencode(folder / relative).decode(errors="backslashreplace")
        raise CallerError(
            "unsupported-file", f"the name {shown} is not UTF-8", "rename the file"
        ) from error


def unreadable(folder: Path, relative: str, error: OSError) -> CallerError:
    """The error for a file of the user's that cannot be read."""
    return CallerError(
        "code-unreadable",
        f"{folder / relative} cannot be read: {error.strerror}",
        f"change its permissions, or leave it out with {IGNORE_FILE}",
    )


def check_links(folder: Path, files: list[SourceFile]) -> None:
    """Refuse links that AWS could not follow: absolute, leaving the folder, or going in circles."""
    root = os.path.realpath(folder)
    for file in files:
        if file.link is None:
            continue
        problem = _link_problem(root, file)
        if problem:
            raise CallerError(
                "unsupported-link",
                f"{folder / file.path} -> {file.link} {problem}",
                f"copy what it points to into the folder, or leave it out with {IGNORE_FILE}",
            )


def _link_problem(root: str, file: SourceFile) -> str:
    assert file.link is not None
    if os.path.isabs(file.link):
        return "is absolute, and would point elsewhere in /var/task"
    path = os.path.join(root, file.path)
    try:
        os.stat(path)
    except OSError as error:
        if error.errno == errno.ELOOP:
            return "leads back to itself"
    target = os.path.realpath(path)
    if target != root and not target.startswith(root + os.sep):
        return "leaves the code folder"
    if (os.path.dirname(path) + os.sep).startswith(target + os.sep):
        return "leads back to a folder that it lies in"
    return ""


def undigested(file: SourceFile) -> Entry:
    """The tree entry of a source file whose content was not read yet."""
    if file.link is not None:
        return Entry(file.path, 0, 0, "", file.link)
    return Entry(file.path, normalised_mode(file.mode), file.size_bytes, "")


class Digests:
    """Content digests by path, size, times and inode, so that an edit rehashes what it touched."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: OrderedDict[str, tuple[SourceFile, str]] = OrderedDict()
        self._lock = Lock()

    def entry(self, folder: Path, file: SourceFile) -> Entry:
        """The tree entry of a source file; reads it when the walk saw something new.

        Raises ``SourceChanged`` when it vanished, ``CallerError`` when it cannot be read.
        """
        entry = undigested(file)
        if file.link is not None:
            return entry
        return replace(entry, digest=self._digest(folder, file))

    def _digest(self, folder: Path, file: SourceFile) -> str:
        path = os.path.join(folder, file.path)
        with self._lock:
            known = self._known.get(path)
        if known is not None and known[0] == file:
            return known[1]
        settled = not is_unsettled([file], self._clock)
        digest = _read_digest(folder, file)
        if settled:
            with self._lock:
                self._known[path] = (file, digest)
                while len(self._known) > limits.DIGESTS_KEPT_MAX:
                    self._known.popitem(last=False)
        return digest


def _read_digest(folder: Path, file: SourceFile) -> str:
    digest = hashlib.sha256()
    size = 0
    try:
        with (folder / file.path).open("rb") as content:
            while block := content.read(_READ_BYTES):
                digest.update(block)
                size += len(block)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise SourceChanged(file.path) from error
    except OSError as error:
        raise unreadable(folder, file.path, error) from error
    if size != file.size_bytes:
        raise SourceChanged(file.path)
    return digest.hexdigest()


def is_unsettled(files: list[SourceFile], clock: Clock) -> bool:
    """Whether a file is so fresh that the next write may leave the very same times behind.

    A kernel stamps files by a clock that ticks every few milliseconds, some file systems by whole
    seconds; git calls such files racy (https://git-scm.com/docs/racy-git).
    """
    now_ns = int(clock.wall().timestamp() * 1e9)
    for file in files:
        tick_ns = 20_000_000 if file.changed_ns % 1_000_000_000 else 2_000_000_000
        if abs(now_ns - file.changed_ns) < tick_ns:
            return True
    return False
