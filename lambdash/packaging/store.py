"""The content-addressed store of packages, shared between projects and processes.

    packages/<tree digest>/tree            a built folder, read-only
    dependencies/<fingerprint>/            installed dependencies: tree/ and entries.json
    index/<fingerprint>                    which package a source fingerprint became
    staging/<lease>-<n>/                   what a process is writing, or removing, right now
    leases/, lock                          who uses what

Something is either wholly in the store or not at all: it is written in ``staging`` and renamed.
Files are hard links of one another within the store and have no write permission.
"""

import errno
import itertools
import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from lambdash import limits
from lambdash.clock import Clock, SystemClock
from lambdash.errors import PlatformError
from lambdash.model import ZipPackage
from lambdash.packaging.disk import disk_errors, flush, remove_tree
from lambdash.packaging.leases import Leases, StoreLock
from lambdash.packaging.pruning import Stored, bytes_of, choose, measure
from lambdash.packaging.tree import Entry

_TAKEN = frozenset({errno.ENOTEMPTY, errno.EEXIST})


@dataclass(frozen=True, slots=True)
class Dependencies:
    """An installed dependency tree: where its files lie and what each of them is."""

    tree: Path
    entries: Mapping[str, Entry]
    fingerprint: str


class PackageStore:
    """One store; any number of processes may open the same ``root``.

    What ``find``, ``commit_package`` and the builder hand out is *in use* by this process, and no
    ``prune`` of any process removes it, until ``release`` or ``close`` or the end of the process.
    Every method may block on the disk; errors are ``PlatformError``.
    """

    def __init__(self, root: Path, clock: Clock | None = None) -> None:
        self.root = root
        self._clock = clock or SystemClock()
        self._lock = StoreLock(root / "lock")
        self._leases = Leases(root / "leases")
        self._numbers = itertools.count()

    def tree_path(self, package: ZipPackage) -> Path:
        """The folder to mount as ``/var/task``. Never write below it."""
        return self.root / "packages" / package.tree_digest / "tree"

    def find(self, fingerprint: str) -> ZipPackage | None:
        """The package a fingerprint became, now in use by this process; None when there is none."""
        with disk_errors(self.root):
            package = _read_record(self.root / "index" / fingerprint)
        return package if package is not None and self.use(package) else None

    def use(self, package: ZipPackage) -> bool:
        """Keep a package from being pruned by anyone; False when it is not stored."""
        return self._use(f"packages/{package.tree_digest}")

    def release(self, package: ZipPackage) -> None:
        """Nothing in this process uses the package any more; uses are not counted."""
        with disk_errors(self.root), self._lock.shared():
            self._leases.release(f"packages/{package.tree_digest}")

    def close(self) -> None:
        """This process no longer uses anything of the store, and what it staged is removed."""
        with disk_errors(self.root):
            self._leases.close()
        with suppress(PlatformError):  # another sweep removes what this one cannot
            self.sweep()

    def stage(self) -> Path:
        """An empty folder on the store's file system, the caller's until ``discard``."""
        with disk_errors(self.root):
            folder = self._staging_path()
            folder.mkdir(mode=0o700, parents=True)
            return folder

    def discard(self, staged: Path) -> None:
        """Remove what is left of a staged folder."""
        with disk_errors(self.root):
            if staged.exists():
                remove_tree(staged)

    def sweep(self) -> None:
        """Remove what processes that died had staged."""
        with disk_errors(self.root):
            if not (self.root / "staging").is_dir():
                return
            with self._lock.exclusive():
                doomed = self._abandoned()
            for path in doomed:
                remove_tree(path)

    @contextmanager
    def staging(self, staged: Path | None = None) -> Iterator[Path]:
        """``staged`` or a new one, ``discard``ed at the end; errors of the disk are mapped."""
        folder = staged or self.stage()
        try:
            with disk_errors(self.root):
                yield folder
        finally:
            self.discard(folder)

    def commit_package(self, staged: Path, package: ZipPackage, written: list[Path]) -> None:
        """Take in ``staged/tree``; ``written`` are its files that are no hard links."""
        with disk_errors(self.root):
            flush(self.root, written)
            self._take_in(staged, f"packages/{package.tree_digest}")

    def commit_dependencies(
        self, staged: Path, fingerprint: str, entries: Mapping[str, Entry]
    ) -> Dependencies:
        """Take an installed ``staged/tree`` in; another process may have been first."""
        with disk_errors(self.root):
            (staged / "entries.json").write_text(
                json.dumps([asdict(entry) for entry in entries.values()])
            )
            written = [staged / "entries.json", *(staged / "tree" / path for path in entries)]
            flush(self.root, [path for path in written if not path.is_symlink()])
            self._take_in(staged, f"dependencies/{fingerprint}")
        found = self.find_dependencies(fingerprint)
        assert found is not None
        return found

    def find_dependencies(self, fingerprint: str) -> Dependencies | None:
        """An installed dependency tree, now in use by this process."""
        if not self._use(f"dependencies/{fingerprint}"):
            return None
        folder = self.root / "dependencies" / fingerprint
        with disk_errors(self.root):
            document = json.loads((folder / "entries.json").read_bytes())
        entries = {entry["path"]: Entry(**entry) for entry in document}
        return Dependencies(folder / "tree", entries, fingerprint)

    def record(self, fingerprint: str, package: ZipPackage) -> None:
        """Remember which package a source fingerprint became."""
        document = {"tree_digest": package.tree_digest, "size_bytes": package.size_bytes}
        with self.staging() as staged:
            (staged / "record").write_text(json.dumps(document))
            index = self.root / "index"
            index.mkdir(mode=0o700, exist_ok=True)
            (staged / "record").replace(index / fingerprint)

    def size_bytes(self) -> int:
        """Bytes of everything stored; what several packages share counts once."""
        with disk_errors(self.root):
            return bytes_of(self._stored())

    def prune(self, *, budget_bytes: int | None = None, unused_for_s: float | None = None) -> int:
        """Remove what no living process uses; returns the bytes freed.

        With ``unused_for_s`` only what was not used for that long; with ``budget_bytes`` the least
        recently used first, and only until the store fits; with neither, everything unused.
        """
        now = self._clock.wall().timestamp()
        with disk_errors(self.root):
            if not self.root.is_dir():
                return 0
            stored = self._stored()
            with self._lock.exclusive():
                used = self._leases.in_use()
                idle = [item for item in stored if item.name not in used]
                if unused_for_s is not None:
                    idle = [item for item in idle if now - item.last_used_s >= unused_for_s]
                victims = choose(stored, idle, budget_bytes)
                doomed = [*self._abandoned(), *(self._doom(item) for item in victims)]
                self._forget_missing()
            for path in doomed:
                if path.exists():
                    remove_tree(path)
            gone = {item.name for item in victims}
            return bytes_of(stored) - bytes_of(item for item in stored if item.name not in gone)

    def has_users(self) -> bool:
        """Whether a living process uses anything of the store."""
        with disk_errors(self.root):
            if not self.root.is_dir():
                return False
            with self._lock.exclusive():
                return bool(self._leases.alive())

    def _use(self, name: str) -> bool:
        folder = self.root / name
        with disk_errors(self.root):
            if not folder.is_dir():
                return False
            if self._leases.holds(name):
                return True
            with self._lock.shared():
                if not folder.is_dir():
                    return False
                self._leases.take(name)
            os.utime(folder)  # the time of last use, once per process
        return True

    def _take_in(self, staged: Path, name: str) -> None:
        target = self.root / name
        target.parent.mkdir(mode=0o700, exist_ok=True)
        with self._lock.shared():
            try:
                staged.rename(target)
            except OSError as error:
                if error.errno not in _TAKEN:
                    raise
            self._leases.take(name)

    def _staging_path(self) -> Path:
        return self.root / "staging" / f"{self._leases.owner}-{next(self._numbers)}"

    def _stored(self) -> list[Stored]:
        kinds = (self.root / kind for kind in ("packages", "dependencies"))
        return [
            measure(folder, f"{kind.name}/{folder.name}")
            for kind in kinds
            if kind.is_dir()
            for folder in sorted(kind.iterdir())
        ]

    def _doom(self, item: Stored) -> Path:
        path = self._staging_path()
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with suppress(FileNotFoundError):  # another process pruned it first
            (self.root / item.name).rename(path)
        return path

    def _abandoned(self) -> list[Path]:
        """Staging folders of processes that died."""
        alive = set(self._leases.alive())
        folder = self.root / "staging"
        if not folder.is_dir():
            return []
        return [path for path in folder.iterdir() if path.name.rpartition("-")[0] not in alive]

    def _forget_missing(self) -> None:
        """Drop index entries of packages that are gone, and the oldest beyond the bound."""
        index = self.root / "index"
        if not index.is_dir():
            return
        kept: list[tuple[float, Path]] = []
        for path in index.iterdir():
            package = _read_record(path)
            if package is not None and self.tree_path(package).is_dir():
                kept.append((path.stat()[stat.ST_MTIME], path))
            else:
                path.unlink(missing_ok=True)
        for _, path in sorted(kept, reverse=True)[limits.STORE_INDEX_MAX :]:
            path.unlink(missing_ok=True)


def _read_record(path: Path) -> ZipPackage | None:
    """The index entry, or None when there is none that can be read as one."""
    try:
        record = json.loads(path.read_bytes())
        return ZipPackage(str(record["tree_digest"]), int(record["size_bytes"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
