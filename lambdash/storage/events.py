"""Accepted asynchronous events on disk: a call that returns has reached the disk (fsync).

One row an event until it is done with. Whoever claims events keeps count of that: after a crash
all that is left is due again, which is the at-least-once of AWS.
"""

import sqlite3
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from lambdash.model.event import AsynchronousEvent, Response
from lambdash.storage.group_commit import GroupCommit

_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    request_id TEXT PRIMARY KEY,
    function_name TEXT NOT NULL,
    qualifier TEXT,
    payload BLOB NOT NULL,
    accepted_at REAL NOT NULL,
    due_at REAL NOT NULL,
    trace_id TEXT,
    client_context TEXT,
    invocations INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    setbacks INTEGER NOT NULL,
    response BLOB,
    executed_version TEXT,
    function_error TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS events_due ON events (function_name, due_at);
"""
_COLUMNS = (
    "request_id, function_name, qualifier, payload, accepted_at, due_at, trace_id, "
    "client_context, invocations, failures, setbacks, response, executed_version, function_error"
)
_SAVE = f"INSERT OR REPLACE INTO events ({_COLUMNS}) VALUES ({', '.join('?' * 14)})"  # noqa: S608
_UPDATE = """
UPDATE events SET due_at = ?, invocations = ?, failures = ?, setbacks = ?, response = ?,
executed_version = ?, function_error = ? WHERE request_id = ?
"""
_REMOVE = "DELETE FROM events WHERE request_id = ?"
_DUE = (
    f"SELECT {_COLUMNS} FROM events WHERE function_name = ? AND due_at <= ? "  # noqa: S608
    "ORDER BY due_at LIMIT ?"
)
_NEXT_DUE = "SELECT min(due_at) FROM events WHERE function_name = ? AND due_at > ?"
_LIST = f"SELECT {_COLUMNS} FROM events"  # noqa: S608
_WAITING = """
SELECT function_name, count(*), min(due_at), min(accepted_at) FROM events GROUP BY function_name
"""

Row: TypeAlias = tuple[Any, ...]
# Called on the loop once a write is on disk, or with why it is not.
Written: TypeAlias = Callable[[BaseException | None], None]


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a function has on disk. Times are epoch seconds."""

    function_name: str
    events: int
    next_due_at: float
    oldest_accepted_at: float


@dataclass(frozen=True, slots=True)
class Page:
    """Events that are due, and when the next one after them is (epoch seconds).

    ``complete`` says that nothing else was due.
    """

    events: Sequence[AsynchronousEvent]
    complete: bool
    next_due_at: float | None


class EventStore:
    """The events of one project; every write that has been called back about is on disk."""

    def __init__(self, path: Path) -> None:
        self._commits = GroupCommit(path, _SCHEMA)

    def accept(self, event: AsynchronousEvent, written: Written) -> None:
        """Put a new event on disk."""
        self._write(_SAVE, _row(event), written)

    def keep(self, event: AsynchronousEvent, written: Written) -> None:
        """Record an attempt's result and when the next is due."""
        self._write(_UPDATE, _progress(event), written)

    def forget(self, request_id: str, written: Written) -> None:
        """Take an event that is done with from the disk."""
        self._write(_REMOVE, (request_id,), written)

    async def due(
        self, function_name: str, now: float, claimed: Collection[str], limit: int
    ) -> Page:
        """At most ``limit`` events due by ``now`` that nobody has claimed, earliest first."""
        asked = limit + len(claimed)

        def read(connection: sqlite3.Connection) -> Page:
            rows = connection.execute(_DUE, (function_name, now, asked)).fetchall()
            later = connection.execute(_NEXT_DUE, (function_name, now)).fetchone()[0]
            events = [_event(row) for row in rows if row[0] not in claimed]
            return Page(events[:limit], len(rows) < asked and len(events) <= limit, later)

        return await self._commits.perform(read)

    async def waiting(self) -> list[Waiting]:
        """What each function has on disk, claimed or not."""
        return await self._commits.perform(
            lambda connection: [Waiting(*row) for row in connection.execute(_WAITING)]
        )

    async def get(self, request_id: str) -> AsynchronousEvent | None:
        """One event, or None when it is done with."""
        found = await self._select(f"{_LIST} WHERE request_id = ?", (request_id,))
        return found[0] if found else None

    async def events(self, function_name: str | None, limit: int) -> list[AsynchronousEvent]:
        """The events that are due first, of one function or of all."""
        where = "" if function_name is None else " WHERE function_name = ?"
        names = () if function_name is None else (function_name,)
        return await self._select(f"{_LIST}{where} ORDER BY due_at LIMIT ?", (*names, limit))

    async def close(self) -> None:
        """Write what is left and close the file."""
        await self._commits.close()

    def _write(self, statement: str, row: Row, written: Written) -> None:
        self._commits.submit(
            lambda connection: connection.execute(statement, row),
            lambda _, error: written(error),
        )

    async def _select(self, statement: str, values: tuple[object, ...]) -> list[AsynchronousEvent]:
        return await self._commits.perform(
            lambda connection: [_event(row) for row in connection.execute(statement, values)]
        )


def _row(event: AsynchronousEvent) -> Row:
    response = event.response
    return (
        event.request_id,
        event.function_name,
        event.qualifier,
        event.payload,
        event.accepted_at,
        event.due_at,
        event.trace_id,
        event.client_context,
        event.invocations,
        event.failures,
        event.setbacks,
        *((None, None, None) if response is None else _response_columns(response)),
    )


def _progress(event: AsynchronousEvent) -> Row:
    response = event.response
    return (
        event.due_at,
        event.invocations,
        event.failures,
        event.setbacks,
        *((None, None, None) if response is None else _response_columns(response)),
        event.request_id,
    )


def _response_columns(response: Response) -> Row:
    return (response.payload, response.executed_version, response.function_error)


def _event(row: Row) -> AsynchronousEvent:
    *members, payload, version, error = row
    response = None if payload is None else Response(payload, version, error)
    return replace(AsynchronousEvent(*members), response=response)
