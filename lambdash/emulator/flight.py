"""One invocation between its arrival and the journal."""

from lambdash.emulator.journal import Finished, row_of
from lambdash.emulator.logs import LogCapture
from lambdash.emulator.result import Done, InvocationResult
from lambdash.emulator.streaming import ResponseSink
from lambdash.emulator.tails import log_tail
from lambdash.emulator.turns import is_logged
from lambdash.model import Invocation, Outcome, Succeeded, Timings
from lambdash.runtime_api.messages import InvocationMessage
from lambdash.storage.journal_rows import entry_of

_LAUNCH_MARKS = (
    "assigned", "network_ready", "created", "started", "runtime_started", "first_next",
)  # fmt: skip


# the journal keeps no payload: a record must not hold one until it is written
_SUCCEEDED = Succeeded(b"")


class Flight:
    """Holds what the answer and the journal need. Mutable, and owned by the driver alone.

    ``at`` is epoch seconds of the arrival.
    """

    __slots__ = (
        "at", "done", "environment_id", "init_ms", "invocation", "logs", "memory_bytes",
        "outcome", "revision_id", "sandbox_id", "sink", "start", "tail", "timings",
    )  # fmt: skip

    def __init__(self, invocation: Invocation, done: Done, timings: Timings, at: float) -> None:
        self.invocation = invocation
        self.done = done
        self.timings = timings
        self.at = at
        self.revision_id = ""
        self.environment_id: str | None = None
        self.sandbox_id: str | None = None
        self.start: str | None = None
        self.outcome: Outcome | None = None
        self.tail: bytes | None = None
        self.sink: ResponseSink | None = None
        self.logs: LogCapture | None = None
        self.memory_bytes: int | None = None
        self.init_ms: float | None = None

    def waited_for(self, marks: dict[str, float]) -> None:
        """Take over an environment's first marks, as far as this invocation waited for them.

        What lies before it came to the pool counts as no time at all, so that phases stay
        contiguous: its own function may have been built while another's launch went on.
        """
        timings = self.timings
        own = (timings.received, timings.resolved, timings.packaged, timings.image_ready)
        arrived = max((mark for mark in own if mark is not None), default=0.0)
        if marks["first_next"] <= arrived:
            self.start = "warm"
            return
        self.start = "parked" if marks["runtime_started"] <= arrived else "cold"
        for name in _LAUNCH_MARKS:
            if name in marks:
                setattr(timings, name, max(marks[name], arrived))

    def message(self, deadline_ms: int) -> InvocationMessage:
        """What the runtime is handed."""
        invocation = self.invocation
        return InvocationMessage(
            invocation.request_id,
            invocation.payload,
            deadline_ms,
            invocation.target.arn,
            invocation.trace_id,
            invocation.client_context,
            invocation.cognito_identity,
        )

    def result(self, outcome: Outcome) -> InvocationResult:
        """What the caller gets; the log tail goes with failures unasked."""
        invocation = self.invocation
        wanted = invocation.tail or type(outcome) is not Succeeded
        return InvocationResult(
            invocation.request_id,
            outcome,
            self.timings,
            self.start,
            self.environment_id,
            self.sandbox_id,
            self._log_tail(outcome) if wanted else None,
            invocation.target.version,
        )

    def _log_tail(self, outcome: Outcome) -> bytes | None:
        """The end of the log between its platform lines; None when no environment had it."""
        if self.logs is None or self.timings.responded is None:
            return None
        entry = entry_of(row_of(self.record(outcome)))
        return log_tail(entry, self.logs.stream, self.tail or b"") if is_logged(entry) else None

    def record(self, outcome: Outcome) -> Finished:
        """What the journal keeps."""
        invocation = self.invocation
        return Finished(
            invocation.request_id,
            invocation.target.name,
            self.revision_id,
            self.environment_id,
            self.sandbox_id,
            _SUCCEEDED if type(outcome) is Succeeded else outcome,
            self.start,
            self.at,
            self.timings,
            self.memory_bytes,
            self.init_ms,
        )
