"""What the journal keeps: invocations, lines of logs, and the streams that those belong to."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from lambdash.model.timings import MARKS

# request id, function, revision, environment, sandbox, outcome, start, epoch seconds of arrival,
# the marks in the order of ``model.timings.MARKS`` in whole microseconds, function error, error,
# error type, most memory used in bytes, init in milliseconds
InvocationRow: TypeAlias = tuple[
    str, str, str, str | None, str | None, str, str | None, float, list[int | None],
    str | None, str | None, str | None, int | None, float | None,
]  # fmt: skip
# epoch seconds, function, environment, request id, stdout | stderr | platform, text
LogRow: TypeAlias = tuple[float, str, str, str | None, str, str]


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One invocation as the journal kept it. ``at`` is epoch seconds; marks are monotonic ones.

    ``init_ms`` is that of the environment's init phase, for its first invocation alone.
    """

    request_id: str
    function: str
    revision: str
    environment: str | None
    sandbox: str | None
    outcome: str
    start: str | None
    at: float
    marks: dict[str, float]
    function_error: str | None
    error: str | None
    error_type: str | None = None
    memory_bytes: int | None = None
    init_ms: float | None = None

    def wall(self, mark: float) -> float:
        """A mark as epoch seconds."""
        return self.at + mark - self.marks.get("received", mark)


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a log; ``request_id`` is None for what no invocation owns.

    ``stream`` is ``stdout``, ``stderr`` or ``platform``; ``id`` is unique in the journal.
    """

    at: float
    function: str
    environment: str
    request_id: str | None
    stream: str
    text: str
    id: str = ""


class StreamRow(NamedTuple):
    """One environment's log stream; ``document`` is whatever its writer wants back, as JSON."""

    environment: str
    at: float
    function: str
    log_group: str
    log_stream: str
    document: str


@dataclass(frozen=True, slots=True)
class LineQuery:
    """Which lines; None stands for all. ``since`` and ``until`` are epoch seconds."""

    function: str | None = None
    request_id: str | None = None
    environments: Collection[str] | None = None
    since: float = 0.0
    until: float | None = None

    def covers(self, at: float) -> bool:
        """Whether a moment is in the time asked for."""
        return at >= self.since and (self.until is None or at < self.until)


def entry_of(row: Sequence[Any]) -> JournalEntry:
    """An ``InvocationRow``, as it was written or read, as an entry."""
    marks = {name: at / 1e6 for name, at in zip(MARKS, row[8], strict=True) if at is not None}
    return JournalEntry(*(*row[:8], marks, *row[9:]))


def line_of(row: Sequence[Any]) -> LogLine:
    """A ``LogRow`` with its sequence as a line."""
    return LogLine(*(*row[:6], f"{row[6]:020d}"))
