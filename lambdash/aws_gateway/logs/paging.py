"""Pages of events, told apart by the last event seen, so that what comes in between moves none."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from lambdash import limits
from lambdash.aws_gateway.logs.reading import Event, invalid

_TOKEN = re.compile(r"([fb])/(\d{1,15}):(.{0,128})")
_START = "0:"


class Page(NamedTuple):
    """Events oldest first; positions are those of its first and last event."""

    events: Sequence[Event]
    first: str
    last: str
    has_more: bool


def page_after(events: Sequence[Event], token: str, limit: int) -> Page:
    """What follows a position, or the beginning. Raises ``AwsError`` for what is no token."""
    if not token:
        return _page(events, 0, limit, _START)
    _, at_ms, event_id = _parsed(token)
    return _page(events, _index(events, at_ms, event_id, after=True), limit, f"{at_ms}:{event_id}")


def page_before(events: Sequence[Event], token: str, limit: int) -> Page:
    """What comes before a position, or the newest."""
    if not token:
        end, position = len(events), _START
    else:
        _, at_ms, event_id = _parsed(token)
        end, position = _index(events, at_ms, event_id, after=False), f"{at_ms}:{event_id}"
    start = end
    room = limits.LOG_EVENTS_MAX_BYTES
    while start > 0 and end - start < limit and (room > 0 or start == end):
        start -= 1
        room -= _size(events[start])
    return _page(events[:end], start, limit, position)


def is_backward(token: str) -> bool:
    """Which way a token goes."""
    return bool(token) and _parsed(token)[0] == "b"


def _page(events: Sequence[Event], start: int, limit: int, position: str) -> Page:
    end, room = start, limits.LOG_EVENTS_MAX_BYTES
    while end < len(events) and end - start < limit and (room > 0 or end == start):
        room -= _size(events[end])
        end += 1
    shown = events[start:end]
    if not shown:
        return Page((), position, position, has_more=False)
    return Page(shown, _position(shown[0]), _position(shown[-1]), has_more=end < len(events))


def _parsed(token: str) -> tuple[str, int, str]:
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise invalid("The specified nextToken is invalid.")
    return found[1], int(found[2]), found[3]


def _index(events: Sequence[Event], at_ms: int, event_id: str, *, after: bool) -> int:
    """Where a page begins or ends; an event that the journal dropped is gone by its time."""
    for number, event in enumerate(events):
        if event.id == event_id and event.at_ms == at_ms:
            return number + 1 if after else number
    return next((number for number, event in enumerate(events) if event.at_ms > at_ms), len(events))


def _position(event: Event) -> str:
    return f"{event.at_ms}:{event.id}"


def _size(event: Event) -> int:
    """As AWS counts: the text and 26 bytes beside it."""
    return len(event.text.encode()) + 26
