"""The operations that tell events: of one stream, or of a whole group by a filter."""

from collections.abc import Callable, Mapping
from typing import Any

from lambdash import limits
from lambdash.aws_gateway.logs.paging import is_backward, page_after, page_before
from lambdash.aws_gateway.logs.reading import (
    Event,
    Window,
    events_of,
    invalid,
    names,
    not_found,
    streams_of,
)
from lambdash.aws_gateway.service import Call, Operation
from lambdash.emulator.log_pattern import parse_pattern
from lambdash.errors import CallerError
from lambdash.storage.journal import StreamRow


async def get_log_events(call: Call) -> dict[str, Any]:
    """``GetLogEvents``: the newest first of all, oldest first in each page; a token that comes
    back as it was says that this way there is nothing more."""
    streams = names(await streams_of(call), {call.text("logStreamName")})
    if not streams:
        raise not_found("stream")
    end_ms = call.parameters.get("endTime")
    window = Window(streams, call.parameters.get("startTime", 0), end_ms)
    token = call.text("nextToken")
    forward = not is_backward(token) if token else call.parameters.get("startFromHead", False)
    turn = page_after if forward else page_before
    page = turn(await events_of(call, window), token, _limit(call))
    return {
        "events": [_told(event) for event in page.events],
        "nextForwardToken": f"f/{page.last}",
        "nextBackwardToken": f"b/{page.first}",
    }


async def filter_log_events(call: Call) -> dict[str, Any]:
    """``FilterLogEvents``, oldest first; ``endTime`` is the last millisecond told."""
    if call.parameters.get("startFromHead") is False:
        raise invalid("startFromHead=false of FilterLogEvents is not supported by lambdash yet.")
    streams = _wanted(call, await streams_of(call))
    end_ms = call.parameters.get("endTime")
    window = Window(
        streams,
        call.parameters.get("startTime", 0),
        None if end_ms is None else end_ms + 1,
        _filter(call.text("filterPattern")),
    )
    page = page_after(await events_of(call, window), call.text("nextToken"), _limit(call))
    found: dict[str, Any] = {
        "events": [
            {"logStreamName": event.stream, "eventId": event.id, **_told(event)}
            for event in page.events
        ],
        "searchedLogStreams": [],
    }
    if page.has_more:
        found["nextToken"] = f"f/{page.last}"
    return found


def _wanted(call: Call, rows: Mapping[str, StreamRow]) -> dict[str, str]:
    listed, prefix = call.parameters.get("logStreamNames"), call.text("logStreamNamePrefix")
    if listed and prefix:
        raise invalid("logStreamNamePrefix and logStreamNames cannot be given both.")
    if listed:
        found = names(rows, set(listed))
        if len(set(found.values())) < len(set(listed)):
            raise not_found("stream")
        return found
    return {key: name for key, name in names(rows).items() if name.startswith(prefix)}


def _filter(pattern: str) -> Callable[[str], bool] | None:
    if not pattern.strip():
        return None
    try:
        return parse_pattern(pattern)
    except CallerError as error:
        raise invalid(f"Invalid filter pattern: {error.message}") from error


def _limit(call: Call) -> int:
    limit: int = call.parameters.get("limit", limits.LOG_EVENTS_MAX)
    return limit


def _told(event: Event) -> dict[str, Any]:
    return {"timestamp": event.at_ms, "message": event.text, "ingestionTime": event.at_ms}


OPERATIONS: Mapping[str, Operation] = {
    "FilterLogEvents": filter_log_events,
    "GetLogEvents": get_log_events,
}
