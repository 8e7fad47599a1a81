"""The identity of a package: what is in its tree, never when, by whom or where it was written."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Entry:
    """One file or link of a tree. ``path`` is relative, with ``/``.

    ``mode`` is 0o644 or 0o755 (0 for a link), ``digest`` the SHA-256 of the content in hex (empty
    for a link), ``link`` the target of a link. Folders are implied: as in a zip made by AWS's own
    tools, an empty one leaves no trace.
    """

    path: str
    mode: int
    size_bytes: int
    digest: str
    link: str | None = None


Tree: TypeAlias = Mapping[str, Entry]


def normalised_mode(mode: int) -> int:
    """0o755 for what anyone may execute, else 0o644: a umask must not change a package."""
    return 0o755 if mode & 0o111 else 0o644


def tree_digest(entries: Iterable[Entry]) -> str:
    """SHA-256 in hex over kind, mode, path and content of every entry, by path."""
    digest = hashlib.sha256()
    for entry in sorted(entries, key=_path):
        kind, content = ("file", entry.digest) if entry.link is None else ("link", entry.link)
        digest.update(f"{kind}\0{entry.mode:o}\0{entry.path}\0{content}\0".encode())
    return digest.hexdigest()


def _path(entry: Entry) -> str:
    return entry.path


def overlay(below: Tree, above: Tree) -> dict[str, Entry]:
    """Both trees in one; where they meet, ``above`` wins, a file over a folder as well."""
    if not below:
        return dict(above)
    folders = {folder for path in above for folder in parents(path)}
    shared_tops = {path.partition("/")[0] for path in above}  # thousands of paths lie elsewhere
    kept = {
        path: entry
        for path, entry in below.items()
        if path.partition("/")[0] not in shared_tops
        or (path not in folders and not any(folder in above for folder in parents(path)))
    }
    return {**kept, **above}


def parents(path: str) -> list[str]:
    """The folders above a path, the nearest last: ``a/b/c`` gives ``a`` and ``a/b``."""
    found = []
    position = path.find("/")
    while position >= 0:
        found.append(path[:position])
        position = path.find("/", position + 1)
    return found


def size_bytes(entries: Iterable[Entry]) -> int:
    """Bytes of all contents, unzipped."""
    return sum(entry.size_bytes for entry in entries)


def largest_top_level(entries: Iterable[Entry], count: int) -> list[tuple[str, int]]:
    """The ``count`` largest names at the top of the tree with their sizes in bytes."""
    sizes: dict[str, int] = {}
    for entry in entries:
        name = entry.path.partition("/")[0]
        sizes[name] = sizes.get(name, 0) + entry.size_bytes
    return sorted(sizes.items(), key=lambda item: (-item[1], item[0]))[:count]


def same_but_for_case(entries: Iterable[Entry]) -> list[tuple[str, str]]:
    """Pairs of paths that one folder of a case-insensitive file system cannot hold."""
    seen: dict[str, str] = {}
    pairs = []
    for entry in sorted(entries, key=_path):
        other = seen.setdefault(entry.path.casefold(), entry.path)
        if other != entry.path:
            pairs.append((other, entry.path))
    return pairs
