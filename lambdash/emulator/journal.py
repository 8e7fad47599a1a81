"""Write-behind in front of the journal file: the warm path appends to a list, a thread writes."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple, TypeVar

from lambdash import limits
from lambdash.emulator import failures
from lambdash.model import (
    Crashed,
    FunctionFailed,
    InitFailed,
    Outcome,
    PlatformFailed,
    Succeeded,
    Throttled,
    TimedOut,
    Timings,
    function_error,
)
from lambdash.storage.journal import InvocationRow, Journal, LogRow, StreamRow

T = TypeVar("T")
_log = logging.getLogger(__name__)
_FLUSH_AFTER_S = 0.25


class Finished(NamedTuple):
    """One invocation's record. ``at`` is epoch seconds of its arrival; no payload is kept."""

    request_id: str
    function: str
    revision: str
    environment: str | None
    sandbox: str | None
    outcome: Outcome
    start: str | None
    at: float
    timings: Timings
    memory_bytes: int | None = None
    init_ms: float | None = None


class JournalWriter:
    """Owns the journal's only writing thread. Belongs to the event loop it was made on.

    What comes once ``close`` was called is not kept: the last words of a sandbox that is removed.

    ``failed`` is why the last write failed, and None again after one that did not.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._finished: list[Finished] = []
        self._lines: list[LogRow] = []
        self._streams: list[StreamRow] = []
        self._pending_chars = 0
        self._lost_lines = 0
        self._scheduled: asyncio.TimerHandle | None = None
        self._closed = False
        self.failed: Exception | None = None

    def add(self, finished: Finished) -> None:
        """Record an invocation, soon."""
        self._finished.append(finished)
        if self._scheduled is None:
            self._schedule()

    def add_line(self, line: LogRow) -> None:
        """Record a line of output, soon; what a flood leaves unwritten past the bound is lost.

        How much that was is said in a line of its own.
        """
        self._pending_chars += len(line[5])
        if (
            len(self._lines) < limits.JOURNAL_MAX_PENDING_LINES
            and self._pending_chars <= limits.JOURNAL_MAX_PENDING_CHARS
        ):
            self._lines.append(line)
        else:
            self._lost_lines += 1
        if self._scheduled is None:
            self._schedule()

    def add_stream(self, stream: StreamRow) -> None:
        """Record the log stream of a new environment, soon."""
        self._streams.append(stream)
        if self._scheduled is None:
            self._schedule()

    async def read(self, question: Callable[[Journal], T]) -> T:
        """Ask the journal something, after everything recorded so far was written."""
        self._flush()
        return await self._loop.run_in_executor(self._thread, question, self._journal)

    async def close(self) -> None:
        """Write what is left and close the file; nothing more is taken."""
        self._closed = True
        await self.read(Journal.close)
        self._thread.shutdown()

    def _schedule(self) -> None:
        if self._closed:
            self._finished, self._lines, self._streams = [], [], []
            return
        self._scheduled = self._loop.call_later(_FLUSH_AFTER_S, self._flush)

    def _flush(self) -> None:
        if self._scheduled is not None:
            self._scheduled.cancel()
            self._scheduled = None
        if self._finished or self._lines or self._streams:
            finished, self._finished = self._finished, []
            lines, self._lines = self._lines, []
            streams, self._streams = self._streams, []
            if self._lost_lines:
                lines.append(_lost(lines[-1], self._lost_lines))
            self._pending_chars = self._lost_lines = 0
            written = self._thread.submit(self._write, finished, lines, streams)
            written.add_done_callback(self._written)

    def _write(
        self, finished: list[Finished], lines: list[LogRow], streams: list[StreamRow]
    ) -> None:
        self._journal.append([row_of(entry) for entry in finished], lines, streams)

    def _written(self, future: "Future[None]") -> None:
        error = future.exception()
        if error is not None and self.failed is None:
            _log.warning("the journal cannot be written", exc_info=error)
        self.failed = error if isinstance(error, Exception) else None


def row_of(entry: Finished) -> InvocationRow:
    """What the journal keeps of an invocation."""
    outcome = entry.outcome
    is_success = type(outcome) is Succeeded
    error, error_type = (None, None) if is_success else _described(outcome)
    return (
        entry.request_id,
        entry.function,
        entry.revision,
        entry.environment,
        entry.sandbox,
        outcome.kind,
        entry.start,
        entry.at,
        entry.timings.in_microseconds(),
        None if is_success else function_error(outcome),
        error,
        error_type,
        entry.memory_bytes,
        entry.init_ms,
    )


def _described(outcome: Outcome) -> tuple[str | None, str | None]:
    """What the platform has to say of a failure, and the type of the error."""
    match outcome:
        case Throttled(reason):
            return reason, None
        case PlatformFailed(code, message):
            return f"{message} ({code})", None
        case Crashed(payload) | InitFailed(payload, exited=True):
            return failures.words(payload)
        case TimedOut(payload) | FunctionFailed(payload) | InitFailed(payload):
            return None, failures.words(payload)[1]
        case Succeeded():
            return None, None


def _lost(last: LogRow, count: int) -> LogRow:
    at, function, environment, _, _, _ = last
    text = f"lambdash: {count} more lines were not kept: they came faster than they are written"
    return (at, function, environment, None, "platform", text)
