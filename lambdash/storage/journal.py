"""The journal: what every invocation was, how long each part took, and what it printed.

The caller writes in batches, and a batch is one row: a JSON array of invocations, oldest first. So
a busy daemon gives up the interpreter lock once a batch, and writes each page once. Readers go
through the batches newest first; who looks for one request id lets SQLite search their text (some
20 ms in a full journal).
"""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from lambdash import limits
from lambdash.storage.database import connect, transaction
from lambdash.storage.journal_rows import (
    InvocationRow,
    JournalEntry,
    LineQuery,
    LogLine,
    LogRow,
    StreamRow,
    entry_of,
    line_of,
)

__all__ = [
    "InvocationRow",
    "Journal",
    "JournalEntry",
    "LineQuery",
    "LogLine",
    "LogRow",
    "StreamRow",
]

# tables of an older shape are left behind, empty
_SCHEMA = """
DROP TABLE IF EXISTS batches;
DROP TABLE IF EXISTS log_lines;
CREATE TABLE IF NOT EXISTS invocation_batches (
    sequence INTEGER PRIMARY KEY,
    entries INTEGER NOT NULL,
    document TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS log_streams (
    sequence INTEGER PRIMARY KEY,
    environment TEXT NOT NULL,
    at REAL NOT NULL,
    function TEXT NOT NULL,
    log_group TEXT NOT NULL,
    log_stream TEXT NOT NULL,
    document TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS lines (
    sequence INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    function TEXT NOT NULL,
    environment TEXT NOT NULL,
    request_id TEXT,
    stream TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS sizes (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
INSERT OR IGNORE INTO sizes VALUES ('lines', 0);
"""

_INSERT_BATCH = "INSERT INTO invocation_batches (entries, document) VALUES (?, ?)"
_NEWEST_FIRST = "SELECT document FROM invocation_batches ORDER BY sequence DESC"
_WITH_TEXT = (
    "SELECT document FROM invocation_batches WHERE instr(document, ?) ORDER BY sequence DESC"
)
_INSERT_LINES = """
INSERT INTO lines (at, function, environment, request_id, stream, text)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5
FROM json_each(?)
"""
_INSERT_STREAM = """
INSERT INTO log_streams (environment, at, function, log_group, log_stream, document)
VALUES (?, ?, ?, ?, ?, ?)
"""
_SELECT_STREAMS = (
    "SELECT environment, at, function, log_group, log_stream, document FROM log_streams"
)
_SELECT_LINES = "SELECT at, function, environment, request_id, stream, text, sequence FROM lines"
_TRIM_BATCHES = """
DELETE FROM invocation_batches WHERE sequence < (
    SELECT sequence FROM (
        SELECT sequence, sum(entries) OVER (ORDER BY sequence DESC) AS newer
        FROM invocation_batches
    )
    WHERE newer >= ? ORDER BY sequence DESC LIMIT 1
)
"""
_TRIM_LINES = "DELETE FROM lines WHERE sequence <= (SELECT max(sequence) FROM lines) - ?"
_TRIM_LARGE_LINES = """
DELETE FROM lines WHERE sequence < (
    SELECT sequence FROM (
        SELECT sequence, sum(length(text)) OVER (ORDER BY sequence DESC) AS newer FROM lines
    )
    WHERE newer >= ? ORDER BY sequence DESC LIMIT 1
)
"""
_TRIM_STREAMS = (
    "DELETE FROM log_streams WHERE sequence <= (SELECT max(sequence) FROM log_streams) - ?"
)
_COUNT = "SELECT coalesce(sum(entries), 0) FROM invocation_batches"
_LINE_CHARS = "SELECT coalesce(sum(length(text)), 0) FROM lines"
_KNOWN_LINE_CHARS = "SELECT value FROM sizes WHERE name = 'lines'"
_KEEP_LINE_CHARS = "UPDATE sizes SET value = ? WHERE name = 'lines'"


class Journal:
    """The journal file of one project. Every method blocks on the disk: call it from a thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = connect(path, _SCHEMA)
        self._lock = threading.Lock()
        self._entries: int = self._connection.execute(_COUNT).fetchone()[0]
        self._line_chars: int = self._connection.execute(_KNOWN_LINE_CHARS).fetchone()[0]

    def append(
        self,
        invocations: Sequence[InvocationRow],
        lines: Sequence[LogRow],
        streams: Sequence[StreamRow] = (),
    ) -> None:
        """Write a batch, then drop the oldest past the journal's bounds, by whole batches.

        What is bounded by size is dropped once a tenth too much is there, down to the bound.
        """
        with self._lock, transaction(self._connection, self._path) as connection:
            if invocations:
                self._append_invocations(connection, invocations)
            if streams:
                connection.executemany(_INSERT_STREAM, streams)
                connection.execute(_TRIM_STREAMS, (limits.JOURNAL_MAX_LOG_STREAMS,))
            if lines:
                self._append_lines(connection, lines)

    def _append_invocations(
        self, connection: sqlite3.Connection, invocations: Sequence[InvocationRow]
    ) -> None:
        document = json.dumps(invocations, separators=(",", ":"))
        connection.execute(_INSERT_BATCH, (len(invocations), document))
        self._entries += len(invocations)
        if self._entries * 10 > limits.JOURNAL_MAX_INVOCATIONS * 11:
            connection.execute(_TRIM_BATCHES, (limits.JOURNAL_MAX_INVOCATIONS,))
            self._entries = connection.execute(_COUNT).fetchone()[0]

    def _append_lines(self, connection: sqlite3.Connection, lines: Sequence[LogRow]) -> None:
        """Lines are bounded by number and by size; what the first bound drops, the second counts
        still, until it counts anew."""
        connection.execute(_INSERT_LINES, (json.dumps(lines),))
        connection.execute(_TRIM_LINES, (limits.JOURNAL_MAX_LOG_LINES,))
        self._line_chars += sum(len(line[5]) for line in lines)
        if self._line_chars * 10 > limits.JOURNAL_MAX_LOG_CHARS * 11:
            connection.execute(_TRIM_LARGE_LINES, (limits.JOURNAL_MAX_LOG_CHARS,))
            self._line_chars = connection.execute(_LINE_CHARS).fetchone()[0]
        connection.execute(_KEEP_LINE_CHARS, (self._line_chars,))

    def entry(self, request_id: str) -> JournalEntry | None:
        """The invocation whose id is that or begins so, or None; ``last`` is the newest of all.

        Eight characters at least are a beginning; the newest of several that begin so is meant.
        """
        if request_id == "last":
            return next(iter(self.recent(limit=1)), None)
        whole = len(request_id) < limits.REQUEST_ID_PREFIX_MIN_CHARS

        def meant(entry: JournalEntry) -> bool:
            given = entry.request_id
            return given == request_id if whole else given.startswith(request_id)

        return next(iter(self.entries(1, meant, request_id)), None)

    def recent(
        self, limit: int, function: str | None = None, outcome: str | None = None
    ) -> list[JournalEntry]:
        """The newest invocations first, of one function and outcome where they are given."""

        def wanted(entry: JournalEntry) -> bool:
            return function in (None, entry.function) and outcome in (None, entry.outcome)

        return self.entries(limit, wanted)

    def entries(
        self, limit: int, keep: Callable[[JournalEntry], bool], text: str | None = None
    ) -> list[JournalEntry]:
        """The newest invocations that ``keep`` says are wanted, newest first.

        ``text`` (a request id, an environment) stands in each of them, and makes it fast.
        """
        statement, values = (_NEWEST_FIRST, ()) if text is None else (_WITH_TEXT, (text,))
        with self._lock:
            return list(islice(filter(keep, self._entries_of(statement, values)), limit))

    def log_streams(self) -> dict[str, StreamRow]:
        """Every environment's log stream by environment, oldest first."""
        with self._lock:
            rows = self._connection.execute(f"{_SELECT_STREAMS} ORDER BY sequence").fetchall()
        return {row[0]: StreamRow(*row) for row in rows}

    def log_lines(
        self,
        limit: int,
        query: LineQuery | None = None,
        keep: Callable[[str], bool] | None = None,
    ) -> list[LogLine]:
        """The newest ``limit`` lines, whose text ``keep`` wants, in the order they were printed."""
        where, values = _conditions(query or LineQuery())
        with self._lock:
            rows = self._connection.execute(
                f"{_SELECT_LINES}{where} ORDER BY sequence DESC", values
            )
            wanted = rows if keep is None else (row for row in rows if keep(row[5]))
            found = list(islice(wanted, limit))
        return [line_of(row) for row in reversed(found)]

    def close(self) -> None:
        """Close the file; the journal is not used afterwards."""
        with self._lock:
            self._connection.close()

    def _entries_of(self, statement: str, values: tuple[str, ...]) -> Iterator[JournalEntry]:
        """Entries newest first; the caller holds the lock until it has seen enough."""
        for (document,) in self._connection.execute(statement, values):
            yield from map(entry_of, reversed(json.loads(document)))


def _conditions(query: LineQuery) -> tuple[str, tuple[object, ...]]:
    conditions: list[tuple[str, object]] = [("at >= ?", query.since)]
    if query.function is not None:
        conditions.append(("function = ?", query.function))
    if query.request_id is not None:
        conditions.append(("request_id = ?", query.request_id))
    if query.until is not None:
        conditions.append(("at < ?", query.until))
    if query.environments is not None:
        listed = json.dumps(sorted(query.environments))
        conditions.append(("environment IN (SELECT value FROM json_each(?))", listed))
    where = " AND ".join(condition for condition, _ in conditions)
    return f" WHERE {where}", tuple(value for _, value in conditions)
