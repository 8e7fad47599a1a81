"""The connections of one or more listeners: their number bounded, the slow ones cut."""

import asyncio
from typing import Protocol

from lambdash.http.bounds import HttpBounds


class Sweepable(Protocol):
    """What the set needs of a connection."""

    def sweep(self, now: float) -> None:
        """End the connection if the peer was slow for longer than the bounds allow."""
        ...

    def retire(self) -> None:
        """Close now if idle, else once the answers owed have been given."""
        ...

    def abort(self) -> None:
        """Close now."""
        ...


class Connections:
    """A bounded set with one timer for all of its members, which runs only while there are some.

    ``now`` is the event loop's time at the last sweep: precise enough for time-outs of seconds,
    and it costs a connection nothing to read.
    """

    __slots__ = ("_empty", "_interval_s", "_loop", "_maximum", "_members", "_timer", "now")

    def __init__(self, bounds: HttpBounds) -> None:
        self._maximum = bounds.connections
        self._interval_s = 0.25 * min(
            bounds.head_timeout_s,
            bounds.body_timeout_s,
            bounds.idle_timeout_s,
            bounds.write_timeout_s,
            bounds.linger_s,
        )
        self._members: set[Sweepable] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._empty: asyncio.Future[None] | None = None
        self.now = 0.0

    def __len__(self) -> int:
        return len(self._members)

    def add(self, connection: Sweepable) -> bool:
        """Take a connection in; False when the set is full."""
        if len(self._members) >= self._maximum:
            return False
        self._members.add(connection)
        if self._timer is None:
            self._loop = asyncio.get_running_loop()
            self._schedule(self._loop)
        return True

    def remove(self, connection: Sweepable) -> None:
        """Forget a connection that was lost."""
        self._members.discard(connection)
        if not self._members:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self._empty is not None and not self._empty.done():
                self._empty.set_result(None)

    async def close(self, grace_s: float) -> None:
        """Retire every member; abort those that are still there ``grace_s`` later."""
        for connection in tuple(self._members):
            connection.retire()
        await self._wait_empty(grace_s)
        for connection in tuple(self._members):
            connection.abort()
        await self._wait_empty(grace_s)

    async def _wait_empty(self, timeout_s: float) -> None:
        if self._members:
            self._empty = asyncio.get_running_loop().create_future()
            await asyncio.wait((self._empty,), timeout=timeout_s)

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        self.now = loop.time()
        self._timer = loop.call_later(self._interval_s, self._sweep, loop)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        self._schedule(loop)
        for connection in tuple(self._members):
            connection.sweep(self.now)
