"""Who uses what in a store that many processes share.

Each process holds one file in ``leases/`` under an exclusive ``flock`` for as long as it lives, and
appends the names of what it uses. The kernel drops the lock when the process dies, however it dies,
so a lease can never outlive its holder. Names are added under the store's shared lock and read
under its exclusive one: nothing can be removed between being found and being named.
"""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock


class StoreLock:
    """The store's own lock: shared to find, add and use; exclusive to remove."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def shared(self) -> Iterator[None]:
        with self._held(fcntl.LOCK_SH):
            yield

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        with self._held(fcntl.LOCK_EX):
            yield

    @contextmanager
    def _held(self, mode: int) -> Iterator[None]:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, mode)
            yield
        finally:
            os.close(descriptor)


class Leases:
    """This process's lease and the reading of everyone's. Call with the store's lock held."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._name: str | None = None
        self._descriptor: int | None = None
        self._held: set[str] = set()
        self._lock = Lock()

    @property
    def owner(self) -> str:
        """The name of this process's lease; opens it."""
        with self._lock:
            return self._open()[0]

    def take(self, used: str) -> None:
        """Name ``used`` as in use by this process."""
        with self._lock:
            _, descriptor = self._open()
            if used not in self._held:
                os.write(descriptor, f"{used}\n".encode())
                self._held.add(used)

    def release(self, used: str) -> None:
        with self._lock:
            if used not in self._held:
                return
            self._held.discard(used)
            _, descriptor = self._open()
            os.ftruncate(descriptor, 0)
            os.write(descriptor, "".join(f"{name}\n" for name in sorted(self._held)).encode())

    def holds(self, used: str) -> bool:
        return used in self._held

    def in_use(self) -> set[str]:
        """What any living process uses; the leases of dead ones are removed."""
        used: set[str] = set()
        for name in self.alive():
            with suppress(FileNotFoundError):  # closed since
                used.update((self._folder / name).read_text().splitlines())
        return used

    def alive(self) -> list[str]:
        """The names of the leases whose processes live."""
        if not self._folder.is_dir():
            return []
        return [path.name for path in sorted(self._folder.iterdir()) if _is_held(path)]

    def close(self) -> None:
        """End this process's lease: nothing of the store is in use by it any more."""
        with self._lock:
            if self._descriptor is None or self._name is None:
                return
            (self._folder / self._name).unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = self._name = None
            self._held.clear()

    def _open(self) -> tuple[str, int]:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        while self._name is None or self._descriptor is None:
            self._name, self._descriptor = self._create()
        return self._name, self._descriptor

    def _create(self) -> tuple[str | None, int | None]:
        """A new locked lease; None when a pruning process took it for a dead one meanwhile."""
        path = self._folder / f"{os.getpid()}-{secrets.token_hex(4)}"
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND
        descriptor = os.open(path, flags, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if path.exists():
            return path.name, descriptor
        os.close(descriptor)
        return None, None


def _is_held(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        path.unlink(missing_ok=True)
        return False
    finally:
        os.close(descriptor)
