"""Putting a message into a queue.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html
"""

import json
import sqlite3

from lambdash import limits
from lambdash.model.queue import OutgoingMessage, Queue, SentMessage
from lambdash.storage.queues import groups

_INSERT = """
INSERT INTO messages (queue, message_id, body, attributes, trace_header, sent_at, visible_at,
group_id, deduplication_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_KNOWN = """
SELECT message_id, sequence FROM deduplications
WHERE queue = ? AND scope = ? AND deduplication_id = ? AND expires_at > ?
"""
_REMEMBER = "INSERT OR REPLACE INTO deduplications VALUES (?, ?, ?, ?, ?, ?)"
_FORGET = "DELETE FROM deduplications WHERE expires_at <= ?"


def sequence_number(sequence: int) -> str:
    """20 digits that grow, as AWS's do."""
    return str(limits.SQS_SEQUENCE_NUMBER_BASE + sequence * 256)


def send(
    connection: sqlite3.Connection, queue: Queue, message: OutgoingMessage, now: float
) -> SentMessage:
    """Append a message. Within five minutes a duplicate adds nothing and gets the original's id,
    whether or not the original is still there."""
    if not queue.is_fifo:
        _insert(connection, queue, message, now)
        return SentMessage(message.message_id)
    scope = (message.group_id or "") if queue.deduplicates_by_group else ""
    key = (queue.id, scope, message.deduplication_id)
    known = connection.execute(_KNOWN, (*key, now)).fetchone()
    if known is not None:
        return SentMessage(known[0], sequence_number(known[1]))
    sequence = _insert(connection, queue, message, now)
    connection.execute(_FORGET, (now,))
    expires_at = now + limits.SQS_DEDUPLICATION_S
    connection.execute(_REMEMBER, (*key, message.message_id, sequence, expires_at))
    groups.refresh(connection, queue.id, message.group_id or "", now)
    return SentMessage(message.message_id, sequence_number(sequence))


def _insert(
    connection: sqlite3.Connection, queue: Queue, message: OutgoingMessage, now: float
) -> int:
    delay_s = queue.delay_s if message.delay_s is None else message.delay_s
    row = (
        queue.id,
        message.message_id,
        message.body,
        json.dumps(message.attributes) if message.attributes else None,
        message.trace_header,
        now,
        now + delay_s,
        message.group_id,
        message.deduplication_id,
    )
    sequence = connection.execute(_INSERT, row).lastrowid
    assert sequence is not None
    return sequence
