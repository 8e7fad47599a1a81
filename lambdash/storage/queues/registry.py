"""Which queues there are, with their attributes and tags; and what lies in each."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lambdash.errors import CallerError
from lambdash.model.queue import MessageCounts, Queue

_COLUMNS = "id, name, arn, given, tags, created_at, modified_at, purged_at"
_BY_NAME = f"SELECT {_COLUMNS} FROM queues WHERE name = ?"  # noqa: S608
_BY_ARN = f"SELECT {_COLUMNS} FROM queues WHERE arn = ?"  # noqa: S608
_ALL = f"SELECT {_COLUMNS} FROM queues ORDER BY name"  # noqa: S608
_INSERT = (
    "INSERT INTO queues (name, arn, given, tags, created_at, modified_at) VALUES (?, ?, ?, ?, ?, ?)"
)
_SAVE = "UPDATE queues SET given = ?, tags = ?, modified_at = ?, purged_at = ? WHERE id = ?"
_CONTENTS = ("messages", "message_groups", "deduplications", "receive_attempts")
# each of these counts entries of an index and reads no row
_WAITING = "SELECT count(*) FROM messages WHERE queue = ? AND visible_at <= ?"
_AHEAD = "SELECT count(*) FROM messages WHERE queue = ? AND visible_at > ?"
_HELD = "SELECT count(*) FROM messages WHERE queue = ? AND visible_at > ? AND receipt IS NOT NULL"
_NEXT_STANDARD = "SELECT min(visible_at) FROM messages WHERE queue = ? AND visible_at > ?"
_NEXT_FIFO = "SELECT min(ready_at) FROM message_groups WHERE queue = ? AND ready_at > ?"


@dataclass(frozen=True, slots=True)
class NewQueue:
    """A queue to be made; the attributes are validated already."""

    name: str
    arn: str
    given: Mapping[str, str]
    tags: Mapping[str, str]


def find(connection: sqlite3.Connection, name: str) -> Queue:
    """The queue of that name. Raises ``CallerError`` (``queue-not-found``)."""
    return _found(connection.execute(_BY_NAME, (name,)).fetchone(), name)


def by_arn(connection: sqlite3.Connection, arn: str) -> Queue | None:
    """The queue an ARN names, or None."""
    row = connection.execute(_BY_ARN, (arn,)).fetchone()
    return None if row is None else _queue(row)


def all_queues(connection: sqlite3.Connection) -> list[Queue]:
    """Every queue, by name."""
    return [_queue(row) for row in connection.execute(_ALL)]


def create(connection: sqlite3.Connection, new: NewQueue, now: float) -> Queue:
    """Make a queue; one that is there with the same attributes is returned as it is.

    Raises ``CallerError`` (``queue-exists``) naming the first attribute that differs.
    """
    row = connection.execute(_BY_NAME, (new.name,)).fetchone()
    if row is None:
        values = (new.name, new.arn, json.dumps(dict(new.given)), json.dumps(dict(new.tags)))
        connection.execute(_INSERT, (*values, now, now))
        return find(connection, new.name)
    queue = _queue(row)
    for name, value in new.given.items():
        if queue.attributes.get(name) != value:
            raise CallerError("queue-exists", name)
    return queue


def change(
    connection: sqlite3.Connection,
    name: str,
    attributes: Mapping[str, str | None],
    tags: Mapping[str, str | None],
    now: float,
) -> Queue:
    """Set attributes and tags; None takes one away. Raises as ``find``."""
    queue = find(connection, name)
    given = _merged(queue.given, attributes)
    row = (json.dumps(given), json.dumps(_merged(queue.tags, tags)))
    modified_at = now if attributes else queue.modified_at
    connection.execute(_SAVE, (*row, modified_at, queue.purged_at, queue.id))
    return find(connection, name)


def delete(connection: sqlite3.Connection, name: str) -> Queue:
    """Remove a queue and all in it. Raises ``CallerError`` (``queue-not-found``)."""
    queue = find(connection, name)
    _empty(connection, queue, _CONTENTS)
    connection.execute("DELETE FROM queues WHERE id = ?", (queue.id,))
    return queue


def purge(connection: sqlite3.Connection, queue: Queue, now: float) -> None:
    """Remove every message, in flight or not; what was sent stays deduplicated."""
    _empty(connection, queue, ("messages", "message_groups", "receive_attempts"))
    row = (json.dumps(dict(queue.given)), json.dumps(dict(queue.tags)), queue.modified_at)
    connection.execute(_SAVE, (*row, now, queue.id))


def counts(connection: sqlite3.Connection, queue: Queue, now: float) -> MessageCounts:
    """How many messages wait, are in flight and are delayed."""
    waiting, ahead, held = (
        connection.execute(statement, (queue.id, now)).fetchone()[0]
        for statement in (_WAITING, _AHEAD, _HELD)
    )
    return MessageCounts(visible=waiting, in_flight=held, delayed=ahead - held)


def next_visible_at(connection: sqlite3.Connection, queue: Queue, now: float) -> float | None:
    """When something else may be received (epoch seconds); None when nothing lies ahead."""
    statement = _NEXT_FIFO if queue.is_fifo else _NEXT_STANDARD
    found: float | None = connection.execute(statement, (queue.id, now)).fetchone()[0]
    return found


def dead_letter_sources(connection: sqlite3.Connection, arn: str) -> list[Queue]:
    """The queues whose redrive policy names this one."""
    return [
        queue
        for queue in all_queues(connection)
        if queue.redrive is not None and queue.redrive.dead_letter_arn == arn
    ]


def _merged(old: Mapping[str, str], new: Mapping[str, str | None]) -> dict[str, str]:
    merged = {**old, **new}
    return {name: value for name, value in merged.items() if value is not None}


def _empty(connection: sqlite3.Connection, queue: Queue, tables: Sequence[str]) -> None:
    for table in tables:
        connection.execute(f"DELETE FROM {table} WHERE queue = ?", (queue.id,))  # noqa: S608


def _found(row: Sequence[Any] | None, name: str) -> Queue:
    if row is None:
        raise CallerError("queue-not-found", f"the queue `{name}` does not exist")
    return _queue(row)


def _queue(row: Sequence[Any]) -> Queue:
    identity, name, arn, given, tags, created_at, modified_at, purged_at = row
    return Queue(
        identity, name, arn, json.loads(given), json.loads(tags), created_at, modified_at, purged_at
    )
