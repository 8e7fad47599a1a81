"""Fakes for tests, the project's own and its users': a clock that jumps, an engine in memory."""

from lambdash.testing.clock import ManualClock
from lambdash.testing.engine import FakeEngine, FakeSandbox
from lambdash.testing.runtime import Crash, FakeRuntime, Handler, Hang, Streamed

__all__ = [
    "Crash",
    "FakeEngine",
    "FakeRuntime",
    "FakeSandbox",
    "Handler",
    "Hang",
    "ManualClock",
    "Streamed",
]
