"""A root file system as a list of entries, and its tar stream: nothing is staged on disk."""

import os
import stat
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lambdash.errors import PlatformError

_CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Directory:
    """A folder."""

    mode: int = 0o755


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link."""

    target: str


@dataclass(frozen=True, slots=True)
class Content:
    """A file made here."""

    data: bytes
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class Copy:
    """A file of this machine, links followed. Its time is kept: bytecode is checked against it."""

    source: Path
    mode: int
    size_bytes: int
    modified_s: int


Entry = Directory | Link | Content | Copy


@dataclass(slots=True)
class Layout:
    """Entries by absolute path; everything belongs to root. The first entry at a path stays."""

    entries: dict[str, Entry] = field(default_factory=dict)

    def add(self, path: str, entry: Entry) -> None:
        self._add_parents(path)
        self.entries.setdefault(path, entry)

    def add_file(self, path: str, source: Path) -> None:
        status = source.stat()
        mode = 0o755 if status.st_mode & stat.S_IXUSR else 0o644
        self.add(path, Copy(source, mode, status.st_size, int(status.st_mtime)))

    def add_tree(self, path: str, source: Path, keep: Callable[[Path], bool]) -> None:
        """Every regular file below ``source`` that ``keep`` (given its relative path) accepts."""
        for folder, folders, files in os.walk(source):
            here = Path(folder)
            below = here.relative_to(source)
            folders[:] = sorted(name for name in folders if keep(below / name))
            for name in sorted(files):
                file = here / name
                if keep(below / name) and file.is_file():
                    self.add_file(str(Path(path) / below / name), file)

    @property
    def size_bytes(self) -> int:
        """What ``stream`` will yield, roughly: contents without tar's own headers."""
        return sum(e.size_bytes for e in self.entries.values() if isinstance(e, Copy))

    def _add_parents(self, path: str) -> None:
        for parent in reversed(Path(path).parents[:-1]):
            self.entries.setdefault(str(parent), Directory())


def stream(layout: Layout) -> Iterator[bytes]:
    """The layout as a tar archive, in bounded pieces.

    Raises:
        PlatformError: ``file-changed``, when a file shrank while it was read.
    """
    for path, entry in sorted(layout.entries.items()):
        header = tarfile.TarInfo(path.lstrip("/"))
        match entry:
            case Directory(mode):
                header.type, header.mode = tarfile.DIRTYPE, mode
                yield header.tobuf()
            case Link(target):
                header.type, header.linkname, header.mode = tarfile.SYMTYPE, target, 0o777
                yield header.tobuf()
            case Content(data, mode):
                header.mode, header.size = mode, len(data)
                yield header.tobuf() + data + _padding(len(data))
            case Copy(source, mode, size_bytes, modified_s):
                header.mode, header.size, header.mtime = mode, size_bytes, modified_s
                yield header.tobuf()
                yield from _content(source, size_bytes)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _content(source: Path, size_bytes: int) -> Iterator[bytes]:
    left = size_bytes
    with source.open("rb") as file:
        while left:
            piece = file.read(min(left, _CHUNK_BYTES))
            if not piece:
                raise PlatformError(
                    "file-changed", f"{source} changed while it was read", "try again"
                )
            left -= len(piece)
            yield piece
    yield _padding(size_bytes)


def _padding(size_bytes: int) -> bytes:
    return bytes(-size_bytes % tarfile.BLOCKSIZE)
