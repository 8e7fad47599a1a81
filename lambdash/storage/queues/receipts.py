"""Receipt handles, and what their holder may do: delete a message, or move its visibility.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-message-identifiers.html
"""

import base64
import binascii
import sqlite3
from dataclasses import dataclass

from lambdash.errors import CallerError
from lambdash.model.queue import Queue
from lambdash.storage.queues import groups


@dataclass(frozen=True, slots=True)
class Held:
    """A parsed handle: a message's row, and the receipt of one receive of it."""

    sequence: int
    receipt: str


def handle(queue: Queue, sequence: int, receipt: str) -> str:
    """An opaque text for clients."""
    return base64.b64encode(f"{queue.id} {sequence} {receipt}".encode()).decode()


def parse(text: str, queue: Queue) -> Held | None:
    """The handle's parts; None when it is no handle of this queue."""
    try:
        queue_id, sequence, receipt = base64.b64decode(text, validate=True).decode().split(" ")
        if int(queue_id) != queue.id or int(sequence) < 0 or int(sequence) >= 1 << 63:
            return None
        return Held(int(sequence), receipt)
    except (binascii.Error, ValueError):
        return None


_ROW = "SELECT receipt, visible_at, group_id FROM messages WHERE sequence = ? AND queue = ?"
_DELETE = "DELETE FROM messages WHERE sequence = ?"
_SHOW = "UPDATE messages SET visible_at = ? WHERE sequence = ?"


def delete(connection: sqlite3.Connection, queue: Queue, text: str, now: float) -> None:
    """Delete a message; one that is gone already is no error, as on AWS.

    Raises ``CallerError``: ``receipt-invalid``, and ``receipt-expired`` on a FIFO queue.
    """
    held = _held(text, queue)
    row = connection.execute(_ROW, (held.sequence, queue.id)).fetchone()
    if row is None:
        return
    receipt, visible_at, group_id = row
    if queue.is_fifo and (receipt != held.receipt or visible_at <= now):
        raise CallerError("receipt-expired", "the receipt handle has expired")
    connection.execute(_DELETE, (held.sequence,))
    if queue.is_fifo:
        groups.refresh(connection, queue.id, group_id, now)


def change_visibility(
    connection: sqlite3.Connection, queue: Queue, text: str, timeout_s: int, now: float
) -> None:
    """Hold a message for ``timeout_s`` from now on; 0 gives it back.

    Raises ``CallerError``: ``receipt-invalid``, ``not-in-flight``, ``message-gone``.
    """
    held = _held(text, queue)
    row = connection.execute(_ROW, (held.sequence, queue.id)).fetchone()
    if row is None:
        raise CallerError("message-gone", "the message does not exist")
    receipt, visible_at, group_id = row
    if receipt is None or visible_at <= now:
        raise CallerError("not-in-flight", "the message is not in flight")
    if receipt != held.receipt:
        raise CallerError("receipt-expired", "the receipt handle has expired")
    connection.execute(_SHOW, (now + timeout_s, held.sequence))
    if queue.is_fifo:
        groups.refresh(connection, queue.id, group_id, now)


def _held(text: str, queue: Queue) -> Held:
    held = parse(text, queue)
    if held is None:
        raise CallerError("receipt-invalid", "the receipt handle is not one of this queue")
    return held
