"""Writing a package's tree: what is in the store already is linked, the rest copied and checked."""

import errno
import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lambdash import limits
from lambdash.errors import CallerError
from lambdash.packaging.source import SourceChanged, unreadable
from lambdash.packaging.tree import (
    Entry,
    Tree,
    largest_top_level,
    normalised_mode,
    parents,
    size_bytes,
)

_COPY_BYTES = 1024 * 1024
# ext4 allows 65000 links of a file; the others say that a link cannot be made here at all.
_NOT_LINKABLE = frozenset({errno.EMLINK, errno.EPERM, errno.EXDEV, errno.ENOENT, errno.ENOTSUP})


@dataclass(frozen=True, slots=True)
class Layer:
    """A tree inside the store that may be linked from."""

    tree: Path
    entries: Tree


NOTHING = Layer(Path(), {})


@dataclass(frozen=True, slots=True)
class Assembly:
    """Everything of one package. ``dependencies`` and ``previous`` lie in the store."""

    folder: Path
    entries: Tree
    source: Tree
    dependencies: Layer
    previous: Layer


def check_size(folder: Path, entries: Mapping[str, Entry]) -> int:
    """The size in bytes; raises ``CallerError`` beyond AWS's limit, naming the largest names."""
    total = size_bytes(entries.values())
    if total > limits.UNZIPPED_PACKAGE_MAX_BYTES:
        largest = largest_top_level(entries.values(), limits.PACKAGE_LARGEST_SHOWN)
        shown = ", ".join(f"{name} {_mb(size)}" for name, size in largest)
        raise CallerError(
            "package-too-large",
            f"the package of {folder} is {_mb(total)} unzipped, and AWS takes "
            f"{_mb(limits.UNZIPPED_PACKAGE_MAX_BYTES)}; largest: {shown}",
            "leave files out with .lambdashignore, or make it a container image",
        )
    return total


def _mb(size: int) -> str:
    return f"{size / limits.MIB:.1f} MB"


def write_tree(assembly: Assembly, tree: Path) -> list[Path]:
    """Write the whole tree below ``tree``; returns the files that were copied.

    Raises ``SourceChanged`` when a source file is not what its entry says any more.
    """
    kept = [entry for path, entry in assembly.entries.items() if path not in assembly.source]
    return [*write_dependencies(assembly.dependencies, kept, tree), *write_source(assembly, tree)]


def write_dependencies(below: Layer, kept: Iterable[Entry], tree: Path) -> list[Path]:
    """Make ``tree`` with the entries ``kept`` of ``below``; returns the files that were copied."""
    kept = list(kept)
    tree.mkdir()
    tree.chmod(0o755)
    _make_folders(tree, (entry.path for entry in kept))
    root = str(tree)
    copied: list[Path] = []
    for entry in kept:
        target = f"{root}/{entry.path}"
        if entry.link is not None:
            os.symlink(entry.link, target)
        elif not _link(below.tree, entry.path, target):
            _copy(below.tree, entry, target)
            copied.append(Path(target))
    return copied


def write_source(assembly: Assembly, tree: Path) -> list[Path]:
    """Add the source to a tree that holds the dependencies; as ``write_tree`` otherwise."""
    _make_folders(tree, assembly.source)
    root = str(tree)
    copied: list[Path] = []
    for path, entry in assembly.source.items():
        target = f"{root}/{path}"
        if entry.link is not None:
            os.symlink(entry.link, target)
        elif not _link_previous(assembly.previous, entry, target):
            _copy(assembly.folder, entry, target)
            copied.append(Path(target))
    return copied


def _make_folders(tree: Path, paths: Iterable[str]) -> None:
    folders: set[str] = set()
    for path in paths:
        folder = path.rpartition("/")[0]
        if folder and folder not in folders:
            folders.update(parents(path))
    root = str(tree)
    for folder in sorted(folders):
        target = f"{root}/{folder}"
        try:
            os.mkdir(target)
        except FileExistsError:
            continue
        os.chmod(target, 0o755)  # noqa: S103 (whatever the umask: a sandbox's user reads it)


def _link_previous(previous: Layer, entry: Entry, target: str) -> bool:
    return previous.entries.get(entry.path) == entry and _link(previous.tree, entry.path, target)


def _link(tree: Path, path: str, target: str) -> bool:
    try:
        os.link(f"{tree}/{path}", target, follow_symlinks=False)
    except OSError as error:
        if error.errno in _NOT_LINKABLE:
            return False
        raise
    return True


def _copy(folder: Path, entry: Entry, target: str) -> None:
    digest = hashlib.sha256()
    try:
        source = (folder / entry.path).open("rb")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise SourceChanged(entry.path) from error
    except OSError as error:
        raise unreadable(folder, entry.path, error) from error
    with source, open(target, "xb") as copy:
        while block := source.read(_COPY_BYTES):
            digest.update(block)
            copy.write(block)
        os.fchmod(copy.fileno(), read_only(entry.mode))
    if digest.hexdigest() != entry.digest:
        raise SourceChanged(entry.path)


def read_only(mode: int) -> int:
    """The mode of a file in the store: nobody may write, so no link of it can spoil another."""
    return mode & ~0o222


def seal(tree: Path) -> dict[str, Entry]:
    """Make an installed tree read-only and say what is in it."""
    entries: dict[str, Entry] = {}
    for folder, folders, files in os.walk(tree):
        Path(folder).chmod(0o755)
        links = [name for name in folders if Path(folder, name).is_symlink()]
        for name in (*files, *links):
            path = Path(folder, name)
            relative = path.relative_to(tree).as_posix()
            entries[relative] = _seal_file(path, relative)
    return entries


def _seal_file(path: Path, relative: str) -> Entry:
    if path.is_symlink():
        return Entry(relative, 0, 0, "", str(path.readlink()))
    seen = path.stat()
    mode = normalised_mode(seen.st_mode)
    path.chmod(read_only(mode))
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return Entry(relative, mode, seen.st_size, digest)
