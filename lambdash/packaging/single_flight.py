"""One piece of work per key at a time, shared by everyone who asks for it meanwhile."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Flight(Generic[T]):
    task: asyncio.Task[T]
    waiting: int = 0


class SingleFlight(Generic[T]):
    """Owns the tasks it starts: each ends with its last waiter at the latest."""

    def __init__(self) -> None:
        self._flights: dict[str, _Flight[T]] = {}

    async def run(self, key: str, start: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The result of the work under way for ``key``, or of ``start()``; errors go to all."""
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight(asyncio.create_task(start()))
            flight.task.add_done_callback(lambda task: self._land(key, task))
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if flight.waiting == 0 and not flight.task.done():
                self._land(key, flight.task)
                flight.task.cancel()
                await asyncio.wait({flight.task})
                _take_error(flight.task)

    def _land(self, key: str, task: asyncio.Task[T]) -> None:
        flight = self._flights.get(key)
        if flight is not None and flight.task is task:
            del self._flights[key]


async def in_thread(work: Callable[[], T]) -> T:
    """As ``asyncio.to_thread``, but a cancelled caller waits for the thread to end."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        _take_error(task)
        raise


def _take_error(task: "asyncio.Future[T]") -> None:
    """Whoever asked has gone: an error of work they gave up on is nobody's."""
    if not task.cancelled():
        task.exception()
