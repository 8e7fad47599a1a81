"""A log as it is read: what was written and what the platform says of it, in one order."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from lambdash import limits
from lambdash.emulator.log_stream import LogStream, stored
from lambdash.emulator.turns import began_at, closing, ended_at, is_logged, opening
from lambdash.storage.journal import Journal, JournalEntry, LineQuery, LogLine, StreamRow

_PLATFORM = "platform"
FIRST, _WRITTEN, _LAST = range(3)

_Span: TypeAlias = tuple[float, float]  # epoch seconds
_Spans: TypeAlias = Mapping[tuple[str, str | None], Sequence[_Span]]  # by request id, environment


class _Streams(dict[str, LogStream]):
    """Log streams by environment, each made when it is first asked for: most never are."""

    def __init__(self, rows: Mapping[str, StreamRow]) -> None:
        super().__init__()
        self._rows = rows

    def __missing__(self, environment: str) -> LogStream:
        self[environment] = found = stored(self._rows[environment])
        return found

    def knows(self, environment: str | None) -> bool:
        """Whether the journal still has it."""
        return environment in self._rows


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which entries of which logs. ``keep`` looks at the text; the newest ``limit`` are wanted."""

    lines: LineQuery = field(default_factory=LineQuery)
    limit: int = 1_000
    keep: Callable[[str], bool] | None = None


def read_log(journal: Journal, query: LogQuery) -> list[LogLine]:
    """The newest entries, oldest first. Blocks on the disk: call it from the journal's thread.

    The lines of one invocation stand between its START and its END, in the order of their coming;
    those of several environments are interleaved by their time.
    """
    written = journal.log_lines(query.limit, query.lines, query.keep)
    streams = _Streams(journal.log_streams())
    entries = _entries(journal, query, streams)
    spans = _spans(entries)
    placed = [
        ((_place(line, spans), _WRITTEN, number), line) for number, line in enumerate(written)
    ]
    made = _made(entries, streams, query)
    ordered = sorted([*placed, *made], key=lambda each: each[0])
    return [line for _, line in ordered[-query.limit :]]


def platform_lines(
    entry: JournalEntry, stream: LogStream, *, opened_only: bool = False
) -> Iterator[tuple[int, LogLine]]:
    """The platform's lines of an invocation, each with its place: ``FIRST``, or after what was
    written. ``opened_only``: it goes on still, and has no end to tell of."""
    said = [(FIRST, opening(entry, stream))]
    if not opened_only:
        said += [(_LAST, one) for one in closing(entry, stream)]
    for number, (place, record) in enumerate(said):
        text = stream.entry(record)
        if text is not None:
            line = LogLine(
                record.at,
                stream.subject.function_name,
                stream.environment,
                entry.request_id,
                _PLATFORM,
                text,
                f"{entry.request_id}-{began_at(entry):.6f}-{number}",
            )
            yield place, line


def _spans(entries: Iterable[JournalEntry]) -> _Spans:
    """An event that is retried keeps its request id, so an id has a span for each attempt."""
    spans: dict[tuple[str, str | None], list[_Span]] = {}
    for entry in entries:
        turn = (entry.request_id, entry.environment)
        spans.setdefault(turn, []).append((began_at(entry), ended_at(entry)))
    return spans


def _place(line: LogLine, spans: _Spans) -> float:
    """A line stands within its invocation, whose moments come from another clock.

    What was written without a newline is passed on just after the end, too. Of several attempts,
    the nearest is the line's.
    """
    attempts = spans.get((line.request_id or "", line.environment), ())
    places = (min(max(line.at, began), ended) for began, ended in attempts)
    return min(places, key=lambda place: abs(place - line.at), default=line.at)


def _entries(journal: Journal, query: LogQuery, streams: _Streams) -> list[JournalEntry]:
    """The invocations that any line of the answer can belong to, newest first."""
    asked = query.lines

    def wanted(entry: JournalEntry) -> bool:
        return (
            is_logged(entry)
            and streams.knows(entry.environment)
            and asked.function in (None, entry.function)
            and asked.request_id in (None, entry.request_id)
            and (asked.environments is None or entry.environment in asked.environments)
            and ended_at(entry) >= asked.since
            and (asked.until is None or began_at(entry) < asked.until)
        )

    # with a filter, any of them may have nothing to say
    bound = query.limit if query.keep is None else limits.JOURNAL_MAX_INVOCATIONS
    return journal.entries(bound, wanted, asked.request_id)


def _made(
    entries: Iterable[JournalEntry], streams: _Streams, query: LogQuery
) -> list[tuple[tuple[float, int, int], LogLine]]:
    """The platform's lines of whole invocations, newest first, until there are enough."""
    made: list[tuple[tuple[float, int, int], LogLine]] = []
    for entry in entries:
        stream = streams[entry.environment or ""]
        for number, (place, line) in enumerate(platform_lines(entry, stream)):
            if query.lines.covers(line.at) and (query.keep is None or query.keep(line.text)):
                made.append(((line.at, place, number), line))
        if len(made) >= query.limit:
            break
    return made
