"""The journal: what every invocation was, how long each part took, and what it printed.

Writing is batched by the caller. A batch goes in as *one* statement over ``json_each``, so that
the interpreter lock is given up once a batch and not once a row. There is no index: rows are only
appended, so that a busy daemon writes each page once; who looks for one request id scans the
bounded table (0.1 million rows, some 20 ms).
"""

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from lambdash import limits
from lambdash.storage.database import connect, transaction

_SCHEMA = """
CREATE TABLE IF NOT EXISTS invocations (
    sequence INTEGER PRIMARY KEY,
    request_id TEXT NOT NULL,
    function TEXT NOT NULL,
    revision TEXT NOT NULL,
    environment TEXT,
    sandbox TEXT,
    outcome TEXT NOT NULL,
    start TEXT,
    at REAL NOT NULL,
    marks TEXT NOT NULL,
    function_error TEXT,
    error TEXT
);
CREATE TABLE IF NOT EXISTS log_lines (
    sequence INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    function TEXT NOT NULL,
    environment TEXT NOT NULL,
    request_id TEXT,
    stream TEXT NOT NULL,
    text TEXT NOT NULL
);
"""

InvocationRow: TypeAlias = tuple[
    str, str, str, str | None, str | None, str, str | None, float, dict[str, float],
    str | None, str | None,
]  # fmt: skip
LogRow: TypeAlias = tuple[float, str, str, str | None, str, str]

_INSERT_INVOCATIONS = """
INSERT INTO invocations
    (request_id, function, revision, environment, sandbox, outcome, start, at, marks,
     function_error, error)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
       value ->> 6, value ->> 7, value -> 8, value ->> 9, value ->> 10
FROM json_each(?)
"""
_INSERT_LOG_LINES = """
INSERT INTO log_lines (at, function, environment, request_id, stream, text)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5
FROM json_each(?)
"""
_SELECT = """
SELECT request_id, function, revision, environment, sandbox, outcome, start, at, marks,
       function_error, error
FROM invocations
"""
_SELECT_LINES = "SELECT at, function, environment, request_id, stream, text FROM log_lines"
_TRIM_INVOCATIONS = (
    "DELETE FROM invocations WHERE sequence <= (SELECT max(sequence) FROM invocations) - ?"
)
_TRIM_LOG_LINES = (
    "DELETE FROM log_lines WHERE sequence <= (SELECT max(sequence) FROM log_lines) - ?"
)


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One invocation as the journal kept it. ``at`` is epoch seconds; marks are monotonic ones."""

    request_id: str
    function: str
    revision: str
    environment: str | None
    sandbox: str | None
    outcome: str
    start: str | None
    at: float
    marks: dict[str, float]
    function_error: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line a function printed; ``request_id`` is None for what no invocation owns."""

    at: float
    function: str
    environment: str
    request_id: str | None
    stream: str
    text: str


class Journal:
    """The journal file of one project. Every method blocks on the disk: call it from a thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = connect(path, _SCHEMA)
        self._lock = threading.Lock()

    def append(self, invocations: Sequence[InvocationRow], lines: Sequence[LogRow]) -> None:
        """Write a batch, then drop the oldest rows past the journal's bounds."""
        with self._lock, transaction(self._connection, self._path) as connection:
            if invocations:
                connection.execute(_INSERT_INVOCATIONS, (json.dumps(invocations),))
                connection.execute(_TRIM_INVOCATIONS, (limits.JOURNAL_MAX_INVOCATIONS,))
            if lines:
                connection.execute(_INSERT_LOG_LINES, (json.dumps(lines),))
                connection.execute(_TRIM_LOG_LINES, (limits.JOURNAL_MAX_LOG_LINES,))

    def entry(self, request_id: str) -> JournalEntry | None:
        """The invocation of that id, or None; ``last`` is the newest of all."""
        if request_id == "last":
            return next(iter(self.recent(limit=1)), None)
        rows = self._read(f"{_SELECT} WHERE request_id = ? ORDER BY sequence DESC", (request_id,))
        return _entry(rows[0]) if rows else None

    def recent(
        self, limit: int, function: str | None = None, outcome: str | None = None
    ) -> list[JournalEntry]:
        """The newest invocations first, of one function and outcome where they are given."""
        where, values = _conditions(("function", function), ("outcome", outcome))
        rows = self._read(f"{_SELECT}{where} ORDER BY sequence DESC LIMIT ?", (*values, limit))
        return [_entry(row) for row in rows]

    def log_lines(
        self,
        limit: int,
        function: str | None = None,
        request_id: str | None = None,
        since: float = 0.0,
    ) -> list[LogLine]:
        """The newest ``limit`` lines in the order they were printed; ``since`` is epoch seconds."""
        where, values = _conditions(("function", function), ("request_id", request_id))
        where += " AND at >= ?" if where else " WHERE at >= ?"
        rows = self._read(
            f"{_SELECT_LINES}{where} ORDER BY sequence DESC LIMIT ?",
            (*values, since, limit),
        )
        return [LogLine(*row) for row in reversed(rows)]

    def close(self) -> None:
        """Close the file; the journal is not used afterwards."""
        with self._lock:
            self._connection.close()

    def _read(self, statement: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._connection.execute(statement, values).fetchall()


def _conditions(*pairs: tuple[str, str | None]) -> tuple[str, tuple[str, ...]]:
    given = [(column, value) for column, value in pairs if value is not None]
    if not given:
        return "", ()
    where = " AND ".join(f"{column} = ?" for column, _ in given)
    return f" WHERE {where}", tuple(value for _, value in given)


def _entry(row: tuple[Any, ...]) -> JournalEntry:
    marks: dict[str, float] = json.loads(row[8])
    return JournalEntry(*(*row[:8], marks, *row[9:]))
