"""FIFO message groups: in order within a group, one receive at a time; groups side by side."""

import sqlite3

_FIRST = """
SELECT visible_at FROM messages WHERE queue = ? AND group_id = ? ORDER BY sequence LIMIT 1
"""
_HELD = """
SELECT max(visible_at) FROM messages
WHERE queue = ? AND group_id = ? AND receipt IS NOT NULL AND visible_at > ?
"""
_SAVE = "INSERT OR REPLACE INTO message_groups VALUES (?, ?, ?)"
_REMOVE = "DELETE FROM message_groups WHERE queue = ? AND group_id = ?"
_READY = """
SELECT group_id FROM message_groups WHERE queue = ? AND ready_at <= ? ORDER BY ready_at LIMIT ?
"""
_MESSAGES = """
SELECT sequence, visible_at FROM messages WHERE queue = ? AND group_id = ?
ORDER BY sequence LIMIT ?
"""


def refresh(connection: sqlite3.Connection, queue_id: int, group_id: str, now: float) -> None:
    """Work out anew when the group may be received from; an empty group is forgotten."""
    first = connection.execute(_FIRST, (queue_id, group_id)).fetchone()
    if first is None:
        connection.execute(_REMOVE, (queue_id, group_id))
        return
    held_until = connection.execute(_HELD, (queue_id, group_id, now)).fetchone()[0]
    ready_at = first[0] if held_until is None else max(held_until, first[0])
    connection.execute(_SAVE, (queue_id, group_id, ready_at))


def ready(
    connection: sqlite3.Connection, queue_id: int, now: float, maximum: int
) -> list[tuple[int, str]]:
    """The next messages as (sequence, group): as many of one group as possible, in order."""
    found: list[tuple[int, str]] = []
    for (group_id,) in connection.execute(_READY, (queue_id, now, maximum)).fetchall():
        room = maximum - len(found)
        if not room:
            break
        for sequence, visible_at in connection.execute(_MESSAGES, (queue_id, group_id, room)):
            if visible_at > now:
                break
            found.append((sequence, group_id))
    return found
