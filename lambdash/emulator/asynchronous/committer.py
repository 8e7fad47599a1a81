"""Group commit: what is written while a commit runs goes to disk together with the next one.

So an accepted event waits for one fsync, and thousands a second share it
(https://www.sqlite.org/pragma.html#pragma_synchronous).
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple, TypeAlias, TypeVar

from lambdash import limits
from lambdash.model.event import AsynchronousEvent
from lambdash.storage.events import Changes, EventStore

T = TypeVar("T")
# Called on the loop once the write is on disk, or with why it is not.
Written: TypeAlias = Callable[[BaseException | None], None]


class _Change(NamedTuple):
    written: Written
    accepted: AsynchronousEvent | None = None
    kept: AsynchronousEvent | None = None
    done: str | None = None


class Committer:
    """Owns the only thread that touches the events' file."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="events")
        self._pending: list[_Change] = []
        self._running = False

    def accept(self, event: AsynchronousEvent, written: Written) -> None:
        """Put a new event on disk."""
        self._add(_Change(written, accepted=event))

    def keep(self, event: AsynchronousEvent, written: Written) -> None:
        """Record an attempt's result and when the next is due."""
        self._add(_Change(written, kept=event))

    def forget(self, request_id: str, written: Written) -> None:
        """Take an event that is done with from the disk."""
        self._add(_Change(written, done=request_id))

    async def read(self, question: Callable[[EventStore], T]) -> T:
        """Ask the store something."""
        return await self._loop.run_in_executor(self._thread, question, self._store)

    async def close(self) -> None:
        """Write what is left and close the file."""
        while self._running or self._pending:
            await self.read(lambda _: None)
        await self.read(EventStore.close)
        self._thread.shutdown()

    def _add(self, change: _Change) -> None:
        self._pending.append(change)
        if not self._running:
            self._running = True
            self._loop.call_soon(self._commit)

    def _commit(self) -> None:
        batch = self._pending[: limits.ASYNC_COMMIT_MAX_EVENTS]
        del self._pending[: limits.ASYNC_COMMIT_MAX_EVENTS]
        changes = Changes(
            accepted=[one.accepted for one in batch if one.accepted is not None],
            kept=[one.kept for one in batch if one.kept is not None],
            done=[one.done for one in batch if one.done is not None],
        )
        future = self._thread.submit(self._store.commit, changes)
        future.add_done_callback(
            lambda ended: self._loop.call_soon_threadsafe(self._committed, batch, ended)
        )

    def _committed(self, batch: list[_Change], ended: "Future[None]") -> None:
        error = ended.exception()
        if self._pending:
            self._commit()
        else:
            self._running = False
        for change in batch:
            change.written(error)
