"""Takes messages of one queue to one function: batches, filters, deletes what succeeded.

What failed is not touched: the queue's visibility timeout and redrive policy decide, as on AWS.
A throttled batch is tried again until its messages' visibility runs out
(https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html).
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lambdash import limits
from lambdash.clock import Clock
from lambdash.errors import CallerError, LambdashError
from lambdash.event_sources.batch_response import failed_identifiers
from lambdash.event_sources.mapping import InvokeFunction, Mapping
from lambdash.event_sources.sqs.records import event, record
from lambdash.messaging.sqs.service import SqsService
from lambdash.model import Outcome, PlatformFailed, Succeeded, Throttled
from lambdash.model.queue import FIFO_SUFFIX, Queue, Receive, ReceivedMessage
from lambdash.scheduling.backoff import backoff_delay_s
from lambdash.tasks import Tasks

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PollerParts:
    """What a poller stands on. ``said`` is told ``LastProcessingResult`` when it changes."""

    queues: SqsService
    invoke: InvokeFunction
    clock: Clock
    said: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Batch:
    messages: tuple[ReceivedMessage, ...]
    visible_again_at: float


class SqsPoller:
    """``run`` goes on until it is cancelled; ``drain`` waits for what is in flight then."""

    def __init__(self, mapping: Mapping, parts: PollerParts) -> None:
        name = parts.queues.name_of(mapping.source_arn)
        self._mapping = mapping
        self._parts = parts
        self._queue = name or mapping.source_arn
        self._slots = asyncio.Semaphore(mapping.concurrency)
        self._tasks = Tasks()
        self._result = ""

    async def run(self) -> None:
        """Poll for ever. A queue that is gone, or an engine in trouble, is asked again later."""
        troubles = 0
        while True:
            await self._slots.acquire()
            try:
                batch = await self._collect()
            except LambdashError as error:
                self._slots.release()
                troubles += 1
                self._say(f"PROBLEM: {error.message}")
                await asyncio.sleep(_pause_s(troubles))
                continue
            except BaseException:
                self._slots.release()
                raise
            troubles = 0
            if batch.messages:
                self._tasks.spawn(self._process(batch), f"batch of {self._queue}")
            else:
                self._slots.release()

    async def drain(self) -> None:
        """Wait for the batches that are with the function."""
        await self._tasks.join()

    async def abandon(self) -> None:
        """Forget the batches that are with the function: they are visible again in time."""
        await self._tasks.cancel()

    # -- a batch -------------------------------------------------------------------------------

    async def _collect(self) -> _Batch:
        """Wait for a message, then for more until the batch or its window is full."""
        mapping = self._mapping
        found: list[ReceivedMessage] = []
        size, ends_at, visible_at = 0, None, 0.0
        while len(found) < mapping.batch_size and size < limits.REQUEST_PAYLOAD_MAX_BYTES // 2:
            wait_s = self._left_s(ends_at)
            if found and wait_s <= 0:
                break
            queue, messages = await self._receive(mapping.batch_size - len(found), wait_s)
            if not messages and ends_at is None:
                break
            now = self._parts.clock.epoch()
            if ends_at is None:
                ends_at = now + mapping.window_s
                visible_at = now + queue.visibility_timeout_s
            found += messages
            size += sum(len(message.body) for message in messages)
        return _Batch(tuple(found), visible_at)

    def _left_s(self, ends_at: float | None) -> float:
        if ends_at is None:
            return limits.SQS_WAIT_MAX_S
        return min(ends_at - self._parts.clock.epoch(), limits.SQS_WAIT_MAX_S)

    async def _receive(self, room: int, wait_s: float) -> tuple[Queue, Sequence[ReceivedMessage]]:
        asked = Receive(maximum=min(room, limits.SQS_RECEIVE_MAX_MESSAGES))
        return await self._parts.queues.receive(self._queue, asked, max(wait_s, 0.0))

    async def _process(self, batch: _Batch) -> None:
        try:
            wanted = await self._filtered(batch.messages)
            if wanted:
                await self._handle(wanted, batch.visible_again_at)
        finally:
            self._slots.release()

    async def _filtered(
        self, messages: Sequence[ReceivedMessage]
    ) -> list[tuple[ReceivedMessage, dict[str, Any]]]:
        """The messages that match; the others are deleted, unseen."""
        records = [(message, record(message, self._mapping.source_arn)) for message in messages]
        matches = self._mapping.filters.matches
        wanted = [one for one in records if matches(one[1])]
        if len(wanted) < len(records):
            kept = {message.message_id for message, _ in wanted}
            await self._delete([one for one in messages if one.message_id not in kept])
        return wanted

    async def _handle(
        self, wanted: Sequence[tuple[ReceivedMessage, dict[str, Any]]], visible_again_at: float
    ) -> None:
        payload = event([shown for _, shown in wanted])
        outcome = await self._invoke(payload, visible_again_at)
        messages = [message for message, _ in wanted]
        if not isinstance(outcome, Succeeded):
            self._say("PROBLEM: Function call failed")
            return
        failed: frozenset[str] = frozenset()
        if self._mapping.reports_failures:
            identifiers = [message.message_id for message in messages]
            failed = failed_identifiers(outcome.payload, identifiers)
        await self._delete(self._done(messages, failed))
        self._say("PROBLEM: Function call failed" if failed else "OK")

    def _done(
        self, messages: Sequence[ReceivedMessage], failed: frozenset[str]
    ) -> list[ReceivedMessage]:
        """What may be deleted. In a FIFO queue nothing of a group after its first failure."""
        if not self._queue.endswith(FIFO_SUFFIX):
            return [message for message in messages if message.message_id not in failed]
        done, stopped = [], set()
        for message in messages:
            if message.message_id in failed:
                stopped.add(message.group_id)
            elif message.group_id not in stopped:
                done.append(message)
        return done

    async def _invoke(self, payload: bytes, visible_again_at: float) -> Outcome:
        """Throttles and system errors are tried again while the messages are still held."""
        mapping, attempts = self._mapping, 0
        while True:
            outcome = await self._parts.invoke(mapping.function_name, mapping.qualifier, payload)
            if not isinstance(outcome, Throttled | PlatformFailed):
                return outcome
            attempts += 1
            pause_s = _pause_s(attempts)
            if self._parts.clock.epoch() + pause_s >= visible_again_at:
                return outcome
            await asyncio.sleep(pause_s)

    async def _delete(self, messages: Sequence[ReceivedMessage]) -> None:
        """All at once, so that they share one commit."""
        deletions = (
            self._parts.queues.delete(self._queue, message.receipt_handle) for message in messages
        )
        for result in await asyncio.gather(*deletions, return_exceptions=True):
            if isinstance(result, CallerError):
                _log.info("a handled message could not be deleted: %s", result.message)
            elif isinstance(result, BaseException):
                raise result

    def _say(self, result: str) -> None:
        if result != self._result:
            self._result = result
            self._parts.said(result)


def _pause_s(attempts: int) -> float:
    return backoff_delay_s(
        attempts, first_s=limits.POLLER_BACKOFF_MIN_S, max_s=limits.POLLER_BACKOFF_MAX_S
    )
