"""The journal: what every invocation was, how long each part took, and what it printed.

The caller writes in batches, and a batch is one row: a JSON array of invocations, oldest first. So
a busy daemon gives up the interpreter lock once a batch, and writes each page once. Readers go
through the batches newest first; who looks for one request id lets SQLite search their text (some
20 ms in a full journal).
"""

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

from lambdash import limits
from lambdash.model.timings import MARKS
from lambdash.storage.database import connect, transaction

_SCHEMA = """
CREATE TABLE IF NOT EXISTS batches (
    sequence INTEGER PRIMARY KEY,
    entries INTEGER NOT NULL,
    document TEXT NOT NULL
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

# request id, function, revision, environment, sandbox, outcome, start, epoch seconds of arrival,
# the marks in the order of ``model.timings.MARKS`` in whole microseconds, function error, error
InvocationRow: TypeAlias = tuple[
    str, str, str, str | None, str | None, str, str | None, float, list[int | None],
    str | None, str | None,
]  # fmt: skip
LogRow: TypeAlias = tuple[float, str, str, str | None, str, str]

_INSERT_BATCH = "INSERT INTO batches (entries, document) VALUES (?, ?)"
_NEWEST_FIRST = "SELECT document FROM batches ORDER BY sequence DESC"
_WITH_TEXT = "SELECT document FROM batches WHERE instr(document, ?) ORDER BY sequence DESC"
_INSERT_LOG_LINES = """
INSERT INTO log_lines (at, function, environment, request_id, stream, text)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5
FROM json_each(?)
"""
_SELECT_LINES = "SELECT at, function, environment, request_id, stream, text FROM log_lines"
_TRIM_BATCHES = """
DELETE FROM batches WHERE sequence < (
    SELECT sequence FROM (
        SELECT sequence, sum(entries) OVER (ORDER BY sequence DESC) AS newer FROM batches
    )
    WHERE newer >= ? ORDER BY sequence DESC LIMIT 1
)
"""
_COUNT = "SELECT coalesce(sum(entries), 0) FROM batches"
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
        self._entries: int = self._connection.execute(_COUNT).fetchone()[0]

    def append(self, invocations: Sequence[InvocationRow], lines: Sequence[LogRow]) -> None:
        """Write a batch, then drop the oldest past the journal's bounds, by whole batches.

        Invocations are dropped once a tenth too many are there, down to the bound.
        """
        with self._lock, transaction(self._connection, self._path) as connection:
            if invocations:
                document = json.dumps(invocations, separators=(",", ":"))
                connection.execute(_INSERT_BATCH, (len(invocations), document))
                self._entries += len(invocations)
            if self._entries * 10 > limits.JOURNAL_MAX_INVOCATIONS * 11:
                connection.execute(_TRIM_BATCHES, (limits.JOURNAL_MAX_INVOCATIONS,))
                self._entries = connection.execute(_COUNT).fetchone()[0]
            if lines:
                connection.execute(_INSERT_LOG_LINES, (json.dumps(lines),))
                connection.execute(_TRIM_LOG_LINES, (limits.JOURNAL_MAX_LOG_LINES,))

    def entry(self, request_id: str) -> JournalEntry | None:
        """The invocation of that id, or None; ``last`` is the newest of all."""
        if request_id == "last":
            return next(iter(self.recent(limit=1)), None)
        with self._lock:
            for entry in self._entries_of(_WITH_TEXT, (request_id,)):
                if entry.request_id == request_id:
                    return entry
        return None

    def recent(
        self, limit: int, function: str | None = None, outcome: str | None = None
    ) -> list[JournalEntry]:
        """The newest invocations first, of one function and outcome where they are given."""
        with self._lock:
            wanted = (
                entry
                for entry in self._entries_of(_NEWEST_FIRST, ())
                if function in (None, entry.function) and outcome in (None, entry.outcome)
            )
            return list(islice(wanted, limit))

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

    def _entries_of(self, statement: str, values: tuple[str, ...]) -> Iterator[JournalEntry]:
        """Entries newest first; the caller holds the lock until it has seen enough."""
        for (document,) in self._connection.execute(statement, values):
            yield from map(_entry, reversed(json.loads(document)))

    def _read(self, statement: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._connection.execute(statement, values).fetchall()


def _conditions(*pairs: tuple[str, str | None]) -> tuple[str, tuple[str, ...]]:
    given = [(column, value) for column, value in pairs if value is not None]
    if not given:
        return "", ()
    where = " AND ".join(f"{column} = ?" for column, _ in given)
    return f" WHERE {where}", tuple(value for _, value in given)


def _entry(row: list[Any]) -> JournalEntry:
    marks = {name: at / 1e6 for name, at in zip(MARKS, row[8], strict=True) if at is not None}
    return JournalEntry(*(*row[:8], marks, *row[9:]))
