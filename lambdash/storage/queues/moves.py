"""Message move tasks: dead letters go back to where they came from, or to a queue of choice.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
"""

import sqlite3
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lambdash import limits
from lambdash.errors import CallerError
from lambdash.model.queue import Queue
from lambdash.storage.queues import groups, registry

RUNNING, COMPLETED, CANCELLED, FAILED = "RUNNING", "COMPLETED", "CANCELLED", "FAILED"

_COLUMNS = (
    "handle, source_arn, destination_arn, per_second, status, moved, to_move, failure, started_at"
)
_INSERT = "INSERT INTO move_tasks VALUES (?, ?, ?, ?, ?, 0, ?, NULL, ?)"
_OF_SOURCE = f"""
SELECT {_COLUMNS} FROM move_tasks WHERE source_arn = ? ORDER BY started_at DESC LIMIT ?
"""  # noqa: S608
_ONE = f"SELECT {_COLUMNS} FROM move_tasks WHERE handle = ?"  # noqa: S608
_RUNNING = f"SELECT {_COLUMNS} FROM move_tasks WHERE status = '{RUNNING}'"  # noqa: S608
_PROGRESS = "UPDATE move_tasks SET status = ?, moved = ?, failure = ? WHERE handle = ?"
_MOVABLE = """
SELECT sequence, source_arn, group_id FROM messages WHERE queue = ? AND visible_at <= ?
ORDER BY sequence LIMIT ?
"""
_COUNT = "SELECT count(*) FROM messages WHERE queue = ? AND visible_at <= ?"
_MOVE = """
INSERT INTO messages (queue, message_id, body, attributes, trace_header, sent_at, visible_at,
group_id, deduplication_id)
SELECT ?, message_id, body, attributes, trace_header, ?, ?, group_id, deduplication_id
FROM messages WHERE sequence = ?
"""
_DELETE = "DELETE FROM messages WHERE sequence = ?"


@dataclass(frozen=True, slots=True)
class MoveTask:
    """One task. ``destination_arn`` None sends each message back to its own source."""

    handle: str
    source_arn: str
    destination_arn: str | None
    per_second: int | None
    status: str
    moved: int
    to_move: int
    failure: str | None
    started_at: float


def start(
    connection: sqlite3.Connection,
    source: Queue,
    destination_arn: str | None,
    per_second: int | None,
    now: float,
) -> MoveTask:
    """Record a task. Raises ``CallerError`` (``move-running``): one at a time for a source."""
    if any(task.status == RUNNING for task in of_source(connection, source.arn, 1)):
        raise CallerError("move-running", "a task of this source is running already")
    (to_move,) = connection.execute(_COUNT, (source.id, now)).fetchone()
    handle = uuid.uuid4().hex
    row = (handle, source.arn, destination_arn, per_second, RUNNING, to_move, now)
    connection.execute(_INSERT, row)
    return _one(connection, handle)


def cancel(connection: sqlite3.Connection, handle: str) -> MoveTask:
    """Stop a running task. Raises ``CallerError`` (``move-not-found``, ``move-not-running``)."""
    task = _one(connection, handle)
    if task.status != RUNNING:
        raise CallerError("move-not-running", "the task is not running")
    connection.execute(_PROGRESS, (CANCELLED, task.moved, None, handle))
    return task


def of_source(connection: sqlite3.Connection, source_arn: str, limit: int) -> list[MoveTask]:
    """A source's tasks, the newest first."""
    rows = connection.execute(_OF_SOURCE, (source_arn, limit))
    return [_task(row) for row in rows]


def running(connection: sqlite3.Connection) -> list[MoveTask]:
    """The tasks that go on, also those an earlier daemon left."""
    return [_task(row) for row in connection.execute(_RUNNING)]


def advance(connection: sqlite3.Connection, handle: str, now: float) -> MoveTask:
    """Move the next few messages; the task ends when none is left or its target is gone."""
    task = _one(connection, handle)
    source = registry.by_arn(connection, task.source_arn)
    if task.status != RUNNING or source is None:
        return task
    room = min(task.per_second or limits.SQS_MOVE_BATCH, limits.SQS_MOVE_BATCH)
    rows = connection.execute(_MOVABLE, (source.id, now, room)).fetchall()
    moved, failure = task.moved, None
    for sequence, source_arn, group_id in rows:
        target = registry.by_arn(connection, task.destination_arn or source_arn or "")
        if target is None:
            failure = "AWS.SimpleQueueService.NonExistentQueue"
            break
        connection.execute(_MOVE, (target.id, now, now + target.delay_s, sequence))
        connection.execute(_DELETE, (sequence,))
        moved += 1
        for queue in (source, target):
            if queue.is_fifo:
                groups.refresh(connection, queue.id, group_id or "", now)
    status = FAILED if failure else RUNNING if rows else COMPLETED
    connection.execute(_PROGRESS, (status, moved, failure, handle))
    return _one(connection, handle)


def _one(connection: sqlite3.Connection, handle: str) -> MoveTask:
    row = connection.execute(_ONE, (handle,)).fetchone()
    if row is None:
        raise CallerError("move-not-found", "the task does not exist")
    return _task(row)


def _task(row: Sequence[Any]) -> MoveTask:
    return MoveTask(*row)
