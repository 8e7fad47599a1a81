"""Records that must outlive the daemon: JSON documents by kind and id, in one SQLite file."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from lambdash.storage.database import connect, transaction

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    kind TEXT NOT NULL, id TEXT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (kind, id)
) WITHOUT ROWID;
"""


class Write(NamedTuple):
    """One record to be stored; a ``document`` of None removes it. Documents are JSON text."""

    kind: str
    id: str
    document: str | None


class RecordStore:
    """The records of one project. A call returns when its writes are on their way to the disk.

    Every method may block. Errors are ``PlatformError``.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = connect(path, _SCHEMA)
        self._lock = threading.Lock()

    def load(self) -> Iterator[tuple[str, str, str]]:
        """Every record as (kind, id, document)."""
        with self._lock:
            rows = self._connection.execute("SELECT kind, id, document FROM records").fetchall()
        return iter(rows)

    def write(self, writes: Sequence[Write]) -> None:
        """All of them, or none."""
        with self._lock, transaction(self._connection, self._path) as connection:
            for kind, identity, document in writes:
                if document is None:
                    where = (kind, identity)
                    connection.execute("DELETE FROM records WHERE kind = ? AND id = ?", where)
                else:
                    row = (kind, identity, document)
                    connection.execute("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", row)

    def close(self) -> None:
        """Close the file; the store is not used afterwards."""
        with self._lock:
            self._connection.close()
