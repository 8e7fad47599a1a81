"""Standing still where the kernel's freezer cannot be reached: the engine's own pause."""

import asyncio
from typing import Protocol

from lambdash.engines.docker.connection import Connection, EngineRefused
from lambdash.tasks import Tasks


class Freezer(Protocol):
    """Stops a sandbox and lets it run on; neither is waited for, the last word counts."""

    def freeze(self) -> None: ...

    def thaw(self) -> None: ...

    async def release(self) -> None: ...


class PauseFreezer:
    """Asks the engine, some thirty milliseconds a time; never two things at once."""

    def __init__(self, connection: Connection, tasks: Tasks, container: str) -> None:
        self._connection = connection
        self._tasks = tasks
        self._container = container
        self._wanted = self._actual = False
        self._working: asyncio.Task[None] | None = None

    def freeze(self) -> None:
        self._want(frozen=True)

    def thaw(self) -> None:
        self._want(frozen=False)

    async def release(self) -> None:
        """Thaw, and wait for it."""
        self._want(frozen=False)
        if self._working is not None:
            await asyncio.wait({self._working})

    def _want(self, *, frozen: bool) -> None:
        self._wanted = frozen
        if self._wanted != self._actual and (self._working is None or self._working.done()):
            self._working = self._tasks.spawn(self._work(), "pause or unpause a container")

    async def _work(self) -> None:
        api = self._connection.api
        while self._actual != self._wanted:
            frozen = self._wanted
            try:
                await self._connection.call(api.pause if frozen else api.unpause, self._container)
            except EngineRefused:  # it has gone, or the engine cannot
                self._wanted = self._actual
                raise
            self._actual = frozen
