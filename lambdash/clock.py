"""Time as a dependency: cores take ``now``; shells read it from a ``Clock``."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where the shells read time from; ``lambdash.testing.ManualClock`` is the other one."""

    def monotonic(self) -> float:
        """Seconds of a clock that never jumps; only differences mean anything."""
        ...

    def wall(self) -> datetime:
        """The time people read: aware, in UTC."""
        ...

    def epoch(self) -> float:
        """The same as seconds since 1970."""
        ...


class SystemClock:
    """The machine's own clocks; read on the warm path, so the built-ins themselves."""

    monotonic = staticmethod(time.monotonic)
    epoch = staticmethod(time.time)

    def wall(self) -> datetime:
        return datetime.now(UTC)
