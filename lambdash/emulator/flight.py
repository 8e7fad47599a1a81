"""One invocation between its arrival and the journal."""

from lambdash.emulator.journal import Finished
from lambdash.emulator.result import Done, InvocationResult
from lambdash.emulator.streaming import ResponseSink
from lambdash.model import Invocation, Outcome, Succeeded, Timings

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
        "at", "done", "environment_id", "invocation", "outcome", "revision_id", "sandbox_id",
        "sink", "start", "tail", "timings",
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
            self.tail if wanted else None,
            invocation.target.version,
        )

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
        )
