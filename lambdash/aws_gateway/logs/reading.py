"""Groups, streams and events as the journal has them. Blocks: for the journal's own thread."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from lambdash import limits
from lambdash.aws_gateway.errors import AwsError
from lambdash.aws_gateway.service import Call
from lambdash.emulator.log_reading import LogQuery, read_log
from lambdash.storage.journal import Journal, LineQuery, StreamRow


class Event(NamedTuple):
    """One entry of a log; ``at_ms`` is epoch milliseconds."""

    at_ms: int
    id: str
    stream: str
    text: str


@dataclass(frozen=True, slots=True)
class Window:
    """Which events: of the streams given by environment, from ``start_ms`` to before ``end_ms``."""

    streams: Mapping[str, str]
    start_ms: int = 0
    end_ms: int | None = None
    keep: Callable[[str], bool] | None = None


async def streams_of(call: Call) -> dict[str, StreamRow]:
    """The streams of the group that was asked for, by environment. Raises ``AwsError``."""
    group = group_of(call)
    rows = await call.emulator.journal.read(Journal.log_streams)
    found = {key: row for key, row in rows.items() if row.log_group == group}
    if not found:
        raise not_found("group")
    return found


async def events_of(call: Call, window: Window) -> list[Event]:
    """Oldest first; those of one invocation stand together."""
    return await call.emulator.journal.read(partial(_events, window=window))


def group_of(call: Call) -> str:
    """The group's name, given itself or by an ARN. Raises ``AwsError``."""
    name, identifier = call.text("logGroupName"), call.text("logGroupIdentifier")
    if bool(name) == bool(identifier):
        message = "Exactly one of logGroupName and logGroupIdentifier must be given."
        raise invalid(message)
    if identifier.startswith("arn:"):
        return identifier.partition(":log-group:")[2]
    return name or identifier


def group_arn(call: Call, name: str) -> str:
    """Of the group itself, without what stands for its streams."""
    return f"arn:aws:logs:{call.emulator.place.region}:{call.account}:log-group:{name}"


def names(rows: Mapping[str, StreamRow], wanted: Collection[str] | None = None) -> dict[str, str]:
    """Environment to stream, of the streams wanted."""
    return {
        environment: row.log_stream
        for environment, row in rows.items()
        if wanted is None or row.log_stream in wanted
    }


def milliseconds(at: float) -> int:
    """Epoch seconds as AWS tells times of logs."""
    return int(at * 1000)


def invalid(message: str) -> AwsError:
    """The caller's mistake."""
    return AwsError("InvalidParameterException", message)


def not_found(what: str) -> AwsError:
    """There is no such group or stream."""
    return AwsError("ResourceNotFoundException", f"The specified log {what} does not exist.")


def _events(journal: Journal, window: Window) -> list[Event]:
    # to the millisecond below: here a little more than that
    since = (window.start_ms - 1) / 1000
    until = None if window.end_ms is None else (window.end_ms + 1) / 1000
    lines = LineQuery(environments=frozenset(window.streams), since=since, until=until)
    query = LogQuery(lines, limits.JOURNAL_MAX_LOG_LINES, window.keep)
    found = []
    for line in read_log(journal, query):
        at_ms = milliseconds(line.at)
        if at_ms >= window.start_ms and (window.end_ms is None or at_ms < window.end_ms):
            found.append(Event(at_ms, line.id, window.streams[line.environment], line.text))
    return found
