"""The queues of one project: their store, and who waits for a message.

Nobody polls the disk: a long poll sleeps until something is sent to its queue, something comes
back to it, or its own time is up.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from lambdash import limits
from lambdash.clock import Clock
from lambdash.errors import CallerError
from lambdash.model.queue import OutgoingMessage, Queue, Receive, ReceivedMessage, SentMessage
from lambdash.storage.group_commit import GroupCommit
from lambdash.storage.queues import moves, receipts, receiving, registry, sending
from lambdash.storage.queues.schema import SCHEMA
from lambdash.tasks import Tasks

T = TypeVar("T")


class SqsService:
    """Belongs to the event loop it was made on. Errors are ``CallerError`` of the store's codes.

    Its methods are what the API's operations, event source mappings and destinations share.
    """

    def __init__(self, path: Path, clock: Clock, region: str, account: str) -> None:
        self._commits = GroupCommit(path, SCHEMA)
        self._now = clock.epoch
        self._waiters: dict[str, set[asyncio.Event]] = {}
        self._tasks = Tasks()
        self._prefix = f"arn:aws:sqs:{region}:{account}:"
        self.account = account

    async def start(self) -> None:
        """Go on with the move tasks that an earlier daemon left."""
        for task in await self.read(moves.running):
            self._tasks.spawn(self._move(task.handle), f"move task {task.handle}")

    async def close(self) -> None:
        """Let go of who waits, and write what is left."""
        await self._tasks.cancel()
        for waiters in self._waiters.values():
            for waiter in waiters:
                waiter.set()
        await self._commits.close()

    def now(self) -> float:
        """Epoch seconds."""
        return self._now()

    def arn(self, name: str) -> str:
        """The ARN of a queue."""
        return self._prefix + name

    def name_of(self, arn: str) -> str | None:
        """The queue's name, when the ARN is of this project's region and account."""
        return arn.removeprefix(self._prefix) if arn.startswith(self._prefix) else None

    async def read(self, operation: Callable[[sqlite3.Connection], T]) -> T:
        """Do something with the store, in one transaction with whatever else is asked for."""
        return await self._commits.perform(operation)

    async def at(self, name: str, operation: Callable[[sqlite3.Connection, Queue, float], T]) -> T:
        """Do something with one queue. Raises ``CallerError`` (``queue-not-found``)."""
        now = self._now()
        return await self._commits.perform(
            lambda connection: operation(connection, registry.find(connection, name), now)
        )

    async def ensure(self, name: str, given: Mapping[str, str]) -> None:
        """Make a queue, or set these attributes of one that is there; they are valid already."""
        now, arn = self._now(), self.arn(name)

        def make(connection: sqlite3.Connection) -> None:
            if registry.by_arn(connection, arn) is None:
                registry.create(connection, registry.NewQueue(name, arn, given, {}), now)
            else:
                registry.change(connection, name, given, {}, now)

        await self.read(make)
        self.wake(name)

    # -- messages ------------------------------------------------------------------------------

    async def send(
        self, name: str, make: Callable[[Queue], OutgoingMessage]
    ) -> tuple[OutgoingMessage, SentMessage]:
        """Put one message in; it is on disk when this returns. ``make`` sees the queue first."""

        def put(
            connection: sqlite3.Connection, queue: Queue, now: float
        ) -> tuple[OutgoingMessage, SentMessage]:
            message = make(queue)
            return message, sending.send(connection, queue, message, now)

        sent = await self.at(name, put)
        self.wake(name)
        return sent

    async def receive(self, name: str, asked: Receive, wait_s: float | None) -> "Received":
        """Take messages out for a while; ``wait_s`` None is the queue's own long poll."""
        waiter = asyncio.Event()
        self._waiters.setdefault(name, set()).add(waiter)
        deadline: float | None = None
        try:
            while True:
                waiter.clear()
                queue, found, next_at = await self._take(name, asked)
                now = self._now()
                if deadline is None:
                    deadline = now + (queue.wait_s if wait_s is None else wait_s)
                if found or now >= deadline:
                    return queue, found
                until = deadline if next_at is None else min(deadline, next_at)
                await _set_within(waiter, until - now)
        finally:
            self._stop_waiting(name, waiter)

    async def delete(self, name: str, receipt_handle: str) -> None:
        """Delete what a receive handed out."""
        await self.at(
            name,
            lambda connection, queue, now: receipts.delete(connection, queue, receipt_handle, now),
        )
        self._wake_fifo(name)

    async def change_visibility(self, name: str, receipt_handle: str, timeout_s: int) -> None:
        """Hold a received message longer or shorter; 0 gives it back."""
        await self.at(
            name,
            lambda connection, queue, now: receipts.change_visibility(
                connection, queue, receipt_handle, timeout_s, now
            ),
        )
        self.wake(name)

    def waits(self, name: str) -> int:
        """How many long polls sleep on a queue."""
        return len(self._waiters.get(name, ()))

    def wake(self, name: str) -> None:
        """Something may be there to be received."""
        for waiter in self._waiters.get(name, ()):
            waiter.set()

    # -- move tasks ----------------------------------------------------------------------------

    async def start_move(
        self, source_arn: str, destination_arn: str | None, per_second: int | None
    ) -> moves.MoveTask:
        """Begin to move a dead-letter queue's messages on."""
        now = self._now()

        def start(connection: sqlite3.Connection) -> moves.MoveTask:
            source = registry.by_arn(connection, source_arn)
            target = destination_arn is None or registry.by_arn(connection, destination_arn)
            if source is None or not target:
                raise CallerError("queue-not-found", "the queue of the ARN does not exist")
            if not registry.dead_letter_sources(connection, source_arn):
                raise CallerError("not-a-dead-letter-queue", "no queue's dead letters go there")
            return moves.start(connection, source, destination_arn, per_second, now)

        task = await self.read(start)
        self._tasks.spawn(self._move(task.handle), f"move task {task.handle}")
        return task

    async def _move(self, handle: str) -> None:
        moved = 0
        while True:
            now = self._now()
            task = await self.read(lambda connection: moves.advance(connection, handle, now))  # noqa: B023
            for name in tuple(self._waiters):
                self.wake(name)
            if task.status != moves.RUNNING:
                return
            if task.per_second is not None:
                await asyncio.sleep((task.moved - moved) / task.per_second)
            moved = task.moved

    # -- waiting -------------------------------------------------------------------------------

    async def _take(
        self, name: str, asked: Receive
    ) -> tuple[Queue, Sequence[ReceivedMessage], float | None]:
        def take(
            connection: sqlite3.Connection, queue: Queue, now: float
        ) -> tuple[Queue, Sequence[ReceivedMessage], float | None]:
            redrive = queue.redrive
            arn = "" if redrive is None else redrive.dead_letter_arn
            target = registry.by_arn(connection, arn)
            found = receiving.receive(connection, queue, asked, target, now)
            next_at = None if found else registry.next_visible_at(connection, queue, now)
            return queue, found, next_at

        queue, found, next_at = await self.at(name, take)
        if queue.redrive is not None:
            dead_letter = self.name_of(queue.redrive.dead_letter_arn)
            self.wake(dead_letter or "")
        return queue, found, next_at

    def _wake_fifo(self, name: str) -> None:
        """The next of a group may follow what was deleted."""
        if name.endswith(".fifo"):
            self.wake(name)

    def _stop_waiting(self, name: str, waiter: asyncio.Event) -> None:
        waiters = self._waiters[name]
        waiters.discard(waiter)
        if not waiters:
            del self._waiters[name]


Received = tuple[Queue, Sequence[ReceivedMessage]]


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(max(seconds, limits.SQS_WAIT_STEP_MIN_S)):
            await event.wait()
    except TimeoutError:
        return
