"""Deadlines as values, with one lazily moved timer behind each holder."""

import asyncio
from collections.abc import Callable

from lambdash import limits
from lambdash.model import Revision
from lambdash.pool import InitializationType


class Deadline:
    """Calls back once when the set moment has passed; moving it later costs nothing.

    The timer is left where it is when a deadline moves on; when it fires too early, it is armed
    again. So a warm invocation sets and clears a deadline without touching the event loop.
    """

    __slots__ = ("_at", "_call", "_loop", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
        self._loop = loop
        self._call = call
        self._at: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def set(self, at: float | None) -> None:
        """``at`` is in the loop's time (monotonic seconds); None clears."""
        if at == self._at:
            return
        self._at = at
        if at is None:
            return
        timer = self._timer
        if timer is None or timer.when() > at:
            self._arm(at)

    def close(self) -> None:
        """Never call back again."""
        self._at = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(at, self._fire)

    def _fire(self) -> None:
        self._timer = None
        if self._at is None:
            return
        if self._loop.time() < self._at:
            self._arm(self._at)
            return
        self._at = None
        self._call()


def init_max_s(initialization: InitializationType, revision: Revision) -> float:
    """How long an init phase may take."""
    if initialization is InitializationType.PROVISIONED:
        return max(limits.PROVISIONED_INIT_MAX_S, revision.configuration.timeout_s)
    return limits.INIT_MAX_S
