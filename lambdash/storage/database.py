"""One SQLite file in WAL mode, opened with a schema version that only this module reads."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lambdash.errors import PlatformError

_BUSY_TIMEOUT_MS = 5_000


def connect(path: Path, schema: str) -> sqlite3.Connection:
    """A connection usable from one thread at a time; ``schema`` is applied when it is missing.

    Raises ``PlatformError`` when the file cannot be opened or is no database.
    """
    try:
        connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA wal_autocheckpoint=4000")  # pages: 16 MB
        connection.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
        connection.executescript(schema)
    except sqlite3.Error as error:
        raise _mapped(path, error) from error
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection, path: Path) -> Iterator[sqlite3.Connection]:
    """All of the block's writes or none of them."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise _mapped(path, error) from error


def _mapped(path: Path, error: sqlite3.Error) -> PlatformError:
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
        return PlatformError(
            "disk-full", f"no space left for {path}", "free some space; `lambdash prune` helps"
        )
    return PlatformError(
        "state-unreadable", f"{path}: {error}", "`lambdash clean` starts this project afresh"
    )
