"""The operations that tell which groups and streams there are."""

from collections.abc import Mapping, Sequence
from typing import Any

from lambdash import limits
from lambdash.aws_gateway.logs.reading import (
    Window,
    events_of,
    group_arn,
    group_of,
    invalid,
    milliseconds,
    names,
    streams_of,
)
from lambdash.aws_gateway.service import Call, Operation
from lambdash.storage.journal import Journal, StreamRow


async def describe_log_groups(call: Call) -> dict[str, Any]:
    """``DescribeLogGroups``: those that an environment wrote to, by name."""
    prefix, pattern = call.text("logGroupNamePrefix"), call.text("logGroupNamePattern")
    if prefix and pattern:
        raise invalid("LogGroupNamePrefix and logGroupNamePattern cannot be given both.")
    created: dict[str, float] = {}
    for row in (await call.emulator.journal.read(Journal.log_streams)).values():
        created[row.log_group] = min(row.at, created.get(row.log_group, row.at))
    groups = [
        _group(call, name, created[name])
        for name in sorted(created)
        if name.startswith(prefix) and pattern in name
    ]
    return _page(call, "logGroups", groups)


async def describe_log_streams(call: Call) -> dict[str, Any]:
    """``DescribeLogStreams``, by name or by the time of the last event."""
    prefix = call.text("logStreamNamePrefix")
    by_time = call.text("orderBy") == "LastEventTime"
    if prefix and by_time:
        raise invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
    rows = await streams_of(call)
    wanted = {
        environment: row for environment, row in rows.items() if row.log_stream.startswith(prefix)
    }
    spans: dict[str, tuple[int, int]] = {}
    for event in await events_of(call, Window(names(wanted))):
        first, last = spans.get(event.stream, (event.at_ms, event.at_ms))
        spans[event.stream] = min(first, event.at_ms), max(last, event.at_ms)
    group = group_arn(call, group_of(call))
    streams = [_stream(group, row, spans.get(row.log_stream)) for row in wanted.values()]
    key = "lastEventTimestamp" if by_time else "logStreamName"
    missing = 0 if by_time else ""
    is_descending = bool(call.parameters.get("descending"))
    streams.sort(key=lambda stream: stream.get(key, missing), reverse=is_descending)
    return _page(call, "logStreams", streams)


def _group(call: Call, name: str, created_at: float) -> dict[str, Any]:
    arn = group_arn(call, name)
    return {
        "logGroupName": name,
        "creationTime": milliseconds(created_at),
        "metricFilterCount": 0,
        "arn": f"{arn}:*",
        "storedBytes": 0,
        "logGroupClass": "STANDARD",
        "logGroupArn": arn,
    }


def _stream(group: str, row: StreamRow, span: tuple[int, int] | None) -> dict[str, Any]:
    found = {
        "logStreamName": row.log_stream,
        "creationTime": milliseconds(row.at),
        "arn": f"{group}:log-stream:{row.log_stream}",
        "storedBytes": 0,
    }
    if span is not None:
        first, last = span
        found |= {
            "firstEventTimestamp": first,
            "lastEventTimestamp": last,
            "lastIngestionTime": last,
        }
    return found


def _page(call: Call, member: str, items: Sequence[Any]) -> dict[str, Any]:
    """A token is the number of items before its page."""
    token = call.text("nextToken", "0")
    if not token.isdecimal() or len(token) > limits.PAGE_TOKEN_MAX_CHARS:
        raise invalid("The specified nextToken is invalid.")
    start = int(token)
    end = start + call.parameters.get("limit", limits.LOG_LIST_ITEMS)
    found: dict[str, Any] = {member: list(items[start:end])}
    if end < len(items):
        found["nextToken"] = str(end)
    return found


OPERATIONS: Mapping[str, Operation] = {
    "DescribeLogGroups": describe_log_groups,
    "DescribeLogStreams": describe_log_streams,
}
