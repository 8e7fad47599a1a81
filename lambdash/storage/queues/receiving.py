"""Taking messages out for a while, and moving those on that were taken too often.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
"""

import json
import sqlite3
import uuid
from collections.abc import Sequence
from typing import Any

from lambdash import limits
from lambdash.errors import CallerError
from lambdash.model.queue import Queue, Receive, ReceivedMessage
from lambdash.storage.queues import groups, receipts
from lambdash.storage.queues.sending import sequence_number

_VISIBLE = """
SELECT sequence FROM messages WHERE queue = ? AND visible_at <= ? AND sent_at > ?
ORDER BY visible_at, sequence LIMIT ?
"""
_HELD = """
SELECT count(*) FROM messages WHERE queue = ? AND visible_at > ? AND receipt IS NOT NULL
"""
_HOLD = """
UPDATE messages SET visible_at = ?, receives = receives + 1, receipt = ?,
first_received_at = coalesce(first_received_at, ?) WHERE sequence = ?
RETURNING message_id, body, attributes, sent_at, receives, first_received_at, trace_header,
group_id, deduplication_id, source_arn
"""
_RECEIVES = "SELECT receives FROM messages WHERE sequence = ?"
_MOVE = """
UPDATE messages SET queue = ?, visible_at = ?, receipt = NULL, source_arn = ?, sent_at = ?
WHERE sequence = ?
"""
_SENT_AT = "SELECT sent_at FROM messages WHERE sequence = ?"
_EXPIRED_GROUPS = """
SELECT DISTINCT group_id FROM messages WHERE queue = ? AND sent_at <= ? AND group_id IS NOT NULL
"""
_EXPIRE = "DELETE FROM messages WHERE queue = ? AND sent_at <= ?"
_ATTEMPT = """
SELECT receipts FROM receive_attempts WHERE queue = ? AND attempt_id = ? AND expires_at > ?
"""
_REMEMBER = "INSERT OR REPLACE INTO receive_attempts VALUES (?, ?, ?, ?)"
_FORGET = "DELETE FROM receive_attempts WHERE expires_at <= ?"


def receive(
    connection: sqlite3.Connection,
    queue: Queue,
    asked: Receive,
    dead_letter: Queue | None,
    now: float,
) -> list[ReceivedMessage]:
    """Hold at most ``asked.maximum`` messages. ``dead_letter`` is the redrive policy's queue.

    Raises ``CallerError`` (``over-limit``) when too many are in flight.
    """
    expire(connection, queue, now)
    held = connection.execute(_HELD, (queue.id, now)).fetchone()[0]
    if held >= limits.SQS_IN_FLIGHT_MAX:
        raise CallerError("over-limit", f"{held} messages of {queue.name} are in flight")
    visibility_s = queue.visibility_timeout_s if asked.visibility_s is None else asked.visibility_s
    if not queue.is_fifo:
        return _standard(connection, queue, asked.maximum, (visibility_s, dead_letter), now)
    again = _attempted_before(connection, queue, asked, visibility_s, now)
    if again is not None:
        return again
    found = _fifo(connection, queue, asked.maximum, (visibility_s, dead_letter), now)
    if asked.attempt_id is not None and found:
        connection.execute(_FORGET, (now,))
        handles = json.dumps([message.receipt_handle for message in found])
        expires_at = now + limits.SQS_DEDUPLICATION_S
        connection.execute(_REMEMBER, (queue.id, asked.attempt_id, handles, expires_at))
    return found


def expire(connection: sqlite3.Connection, queue: Queue, now: float) -> None:
    """Delete what has lain longer than the retention period."""
    before = now - queue.retention_s
    if queue.is_fifo:
        names = connection.execute(_EXPIRED_GROUPS, (queue.id, before)).fetchall()
        connection.execute(_EXPIRE, (queue.id, before))
        for (group_id,) in names:
            groups.refresh(connection, queue.id, group_id, now)
    else:
        connection.execute(_EXPIRE, (queue.id, before))


def _standard(
    connection: sqlite3.Connection,
    queue: Queue,
    maximum: int,
    terms: tuple[int, Queue | None],
    now: float,
) -> list[ReceivedMessage]:
    visibility_s, dead_letter = terms
    found: list[ReceivedMessage] = []
    while len(found) < maximum:
        room = maximum - len(found)
        rows = connection.execute(_VISIBLE, (queue.id, now, now - queue.retention_s, room))
        sequences = [row[0] for row in rows]
        held = 0
        for sequence in sequences:
            if _spent(connection, queue, sequence) and dead_letter is not None:
                _move(connection, queue, sequence, dead_letter, now)
            else:
                found.append(_hold(connection, queue, sequence, visibility_s, now))
                held += 1
        if not sequences or held == len(sequences) or visibility_s == 0:
            break
    return found


def _fifo(
    connection: sqlite3.Connection,
    queue: Queue,
    maximum: int,
    terms: tuple[int, Queue | None],
    now: float,
) -> list[ReceivedMessage]:
    visibility_s, dead_letter = terms
    while True:
        chosen = groups.ready(connection, queue.id, now, maximum)
        spent = [
            one for one in chosen if dead_letter is not None and _spent(connection, queue, one[0])
        ]
        if not spent or dead_letter is None:
            break
        for sequence, group_id in spent:
            _move(connection, queue, sequence, dead_letter, now)
            groups.refresh(connection, queue.id, group_id, now)
    found = [_hold(connection, queue, sequence, visibility_s, now) for sequence, _ in chosen]
    for group_id in {group_id for _, group_id in chosen}:
        groups.refresh(connection, queue.id, group_id, now)
    return found


def _spent(connection: sqlite3.Connection, queue: Queue, sequence: int) -> bool:
    redrive = queue.redrive
    if redrive is None:
        return False
    receives: int = connection.execute(_RECEIVES, (sequence,)).fetchone()[0]
    return receives >= redrive.max_receives


def _move(
    connection: sqlite3.Connection, queue: Queue, sequence: int, target: Queue, now: float
) -> None:
    """A standard queue's message keeps the time it was sent at; a FIFO queue's starts anew."""
    sent_at = now if queue.is_fifo else connection.execute(_SENT_AT, (sequence,)).fetchone()[0]
    connection.execute(_MOVE, (target.id, now, queue.arn, sent_at, sequence))
    if target.is_fifo:
        query = "SELECT group_id FROM messages WHERE sequence = ?"
        (group_id,) = connection.execute(query, (sequence,)).fetchone()
        groups.refresh(connection, target.id, group_id or "", now)


def _hold(
    connection: sqlite3.Connection, queue: Queue, sequence: int, visibility_s: int, now: float
) -> ReceivedMessage:
    receipt = uuid.uuid4().hex
    row = connection.execute(_HOLD, (now + visibility_s, receipt, now, sequence)).fetchone()
    return _message(queue, sequence, receipt, row)


def _message(queue: Queue, sequence: int, receipt: str, row: Sequence[Any]) -> ReceivedMessage:
    (message_id, body, attributes, sent_at, receives, first, trace, group_id, dedup, source) = row
    return ReceivedMessage(
        message_id=message_id,
        receipt_handle=receipts.handle(queue, sequence, receipt),
        body=body,
        attributes=json.loads(attributes) if attributes else {},
        sent_at=sent_at,
        receives=receives,
        first_received_at=first,
        trace_header=trace,
        group_id=group_id,
        deduplication_id=dedup,
        sequence_number=sequence_number(sequence) if queue.is_fifo else None,
        source_arn=source,
    )


_AGAIN = """
UPDATE messages SET visible_at = ? WHERE sequence = ? AND receipt = ? AND visible_at > ?
RETURNING message_id, body, attributes, sent_at, receives, first_received_at, trace_header,
group_id, deduplication_id, source_arn
"""


def _attempted_before(
    connection: sqlite3.Connection, queue: Queue, asked: Receive, visibility_s: int, now: float
) -> list[ReceivedMessage] | None:
    """A receive repeated with its attempt id gets the same messages, as long as they are held."""
    if asked.attempt_id is None:
        return None
    row = connection.execute(_ATTEMPT, (queue.id, asked.attempt_id, now)).fetchone()
    if row is None:
        return None
    found = []
    for text in json.loads(row[0]):
        held = receipts.parse(text, queue)
        assert held is not None
        row = connection.execute(
            _AGAIN, (now + visibility_s, held.sequence, held.receipt, now)
        ).fetchone()
        if row is None:
            return None
        found.append(_message(queue, held.sequence, held.receipt, row))
    return found
