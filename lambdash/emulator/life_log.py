"""What an environment's log has beside its function's output: init phases, and memory."""

import time
from collections.abc import Callable

from lambdash import limits
from lambdash.emulator.flight import Flight
from lambdash.emulator.logs import LogCapture
from lambdash.engines.protocol import Sandbox
from lambdash.runtime_api import platform_records as records
from lambdash.runtime_api.platform_records import SUCCESS, Ending


class LifeLog:
    """Belongs to one environment. Moments are monotonic seconds; ``wall`` gives epoch seconds.

    ``init_ms`` is how long the last init phase took; None before its end.
    """

    __slots__ = (
        "_began",
        "_logs",
        "_memory_bytes",
        "_memory_read_at",
        "_phase",
        "_wall",
        "init_ms",
    )

    def __init__(self, logs: LogCapture, wall: Callable[[], float]) -> None:
        self._logs = logs
        self._wall = wall
        self._phase = "init"
        self._began: float | None = None
        self._memory_bytes: int | None = None
        self._memory_read_at = 0.0
        self.init_ms: float | None = None

    def init_began(self, at: float) -> None:
        """The runtime's process was started."""
        self._began = at
        self._logs.record(
            records.init_start(self._logs.stream.subject, self._epoch(at), self._phase)
        )

    def init_ended(self, ending: Ending = SUCCESS) -> None:
        """The runtime has polled for the first time, or never will."""
        now = time.monotonic()
        began, self._began = self._began, None
        if began is None:  # it polled before its engine said that it had started
            began = now
        self.init_ms = (now - began) * 1000
        subject, at = self._logs.stream.subject, self._epoch(now)
        self._logs.record(records.init_runtime_done(subject, at, ending, self._phase))
        self._logs.record(records.init_report(subject, at, self.init_ms, ending, self._phase))

    def begin_again(self) -> None:
        """The runtime is started anew: what it does before it polls is part of an invocation."""
        self._phase = "invoke"
        self.init_began(time.monotonic())

    def ended_with(self, memory_bytes: int | None) -> None:
        """The runtime's process has ended, having used so much memory, where that is known."""
        self._keep(memory_bytes)

    def look(self, flight: Flight, sandbox: Sandbox | None, *, exact: bool) -> None:
        """Note what an invocation wrote and needed, now that it ends.

        Memory is a peak, so it is read ten times a second at most, unless ``exact``.
        """
        if sandbox is not None:
            sandbox.drain_output()
            now = time.monotonic()
            if exact or now - self._memory_read_at >= limits.MEMORY_SAMPLE_S:
                self._memory_read_at = now
                self._keep(sandbox.memory_peak_bytes())
        flight.tail = self._logs.tail()
        flight.memory_bytes = self._memory_bytes

    def _keep(self, memory_bytes: int | None) -> None:
        if memory_bytes is not None and memory_bytes > (self._memory_bytes or 0):
            self._memory_bytes = memory_bytes

    def _epoch(self, at: float) -> float:
        return self._wall() - (time.monotonic() - at)
