"""Group commit: operations asked for while a commit runs share the next one.

So each waits for one fsync at most, and thousands a second share it
(https://www.sqlite.org/pragma.html#pragma_synchronous: FULL).
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from lambdash import limits
from lambdash.errors import LambdashError
from lambdash.storage.database import connect, transaction

T = TypeVar("T")

# One operation. One that raises ``LambdashError`` has written nothing before.
Operation: TypeAlias = Callable[[sqlite3.Connection], T]
# Called on the loop once the operation is on disk: its result, or why there is none.
Ended: TypeAlias = Callable[[T | None, BaseException | None], None]


@dataclass(slots=True)
class _Asked:
    operation: Operation[Any]
    ended: Ended[Any]
    result: Any = None
    error: BaseException | None = None


class GroupCommit:
    """Owns a database file and the only thread that touches it, for one event loop."""

    def __init__(self, path: Path, schema: str) -> None:
        self._path = path
        self._connection = connect(path, schema)
        self._connection.execute("PRAGMA synchronous=FULL")
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=path.stem)
        self._asked: list[_Asked] = []
        self._running = False

    def submit(self, operation: Operation[T], ended: Ended[T]) -> None:
        """Have an operation performed and committed; callbacks only, for hot paths."""
        self._asked.append(_Asked(operation, ended))
        if not self._running:
            self._running = True
            self._loop.call_soon(self._commit)

    async def perform(self, operation: Operation[T]) -> T:
        """The same, awaited. Raises what the operation raised, or ``PlatformError``."""
        future: asyncio.Future[T] = self._loop.create_future()

        def ended(result: T | None, error: BaseException | None) -> None:
            if future.cancelled():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)  # type: ignore[arg-type]

        self.submit(operation, ended)
        return await future

    async def close(self) -> None:
        """Commit what was asked for, and close the file."""
        while self._running:
            await self.perform(lambda _: None)
        await self._loop.run_in_executor(self._thread, self._connection.close)
        self._thread.shutdown()

    def _commit(self) -> None:
        batch = self._asked[: limits.GROUP_COMMIT_MAX_OPERATIONS]
        del self._asked[: limits.GROUP_COMMIT_MAX_OPERATIONS]
        future = self._thread.submit(self._perform, batch)
        future.add_done_callback(
            lambda done: self._loop.call_soon_threadsafe(self._committed, batch, done)
        )

    def _perform(self, batch: list[_Asked]) -> None:
        with transaction(self._connection, self._path) as connection:
            for asked in batch:
                try:
                    asked.result = asked.operation(connection)
                except LambdashError as error:
                    asked.error = error

    def _committed(self, batch: list[_Asked], done: "Future[None]") -> None:
        failed = done.exception()
        if self._asked:
            self._commit()
        else:
            self._running = False
        for asked in batch:
            error = failed or asked.error
            asked.ended(None if error else asked.result, error)
