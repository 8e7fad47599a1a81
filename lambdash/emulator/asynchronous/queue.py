"""The shell of asynchronous invocation: takes events, runs them when due, tells destinations.

Accepted means on disk. Each function has a lane of its own, so that one which is throttled or
fails delays no other.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

from lambdash import limits
from lambdash.clock import Clock
from lambdash.emulator.asynchronous.decisions import (
    Decision,
    LetGo,
    TryAgain,
    after_attempt,
    before_attempt,
)
from lambdash.emulator.asynchronous.lane import Lane
from lambdash.emulator.asynchronous.records import Delivery, deliveries
from lambdash.emulator.deadline import Deadline
from lambdash.errors import CallerError, LambdashError
from lambdash.model import Outcome
from lambdash.model.event import AsynchronousEvent, EventInvokeSettings
from lambdash.storage.events import EventStore, Waiting, Written
from lambdash.tasks import Tasks

_log = logging.getLogger(__name__)

# The end of an attempt: its outcome, and the version that ran (or would have).
AttemptEnded: TypeAlias = Callable[[Outcome, str], None]


@dataclass(frozen=True, slots=True)
class QueueParts:
    """What the queue stands on.

    ``invoke`` runs an event once and calls back, maybe at once; it raises ``CallerError`` when the
    function is gone. ``settings`` and ``function_arn`` (qualified) are asked per attempt.
    ``deliver`` sends one message to a target, and raises ``LambdashError`` when it cannot.
    """

    store: EventStore
    clock: Clock
    tasks: Tasks
    invoke: Callable[[AsynchronousEvent, AttemptEnded], None]
    settings: Callable[[str, str | None], EventInvokeSettings]
    function_arn: Callable[[str, str | None], str]
    deliver: Callable[[Delivery], Awaitable[None]]


class EventQueue:
    """Belongs to the event loop that it was made on. ``start`` takes up what is on disk."""

    def __init__(self, parts: QueueParts) -> None:
        self._parts = parts
        self._now = parts.clock.epoch
        self._store = parts.store
        self._lanes: dict[str, Lane] = {}
        self._wake = Deadline(asyncio.get_running_loop(), self._tick)
        self._closing = False
        self._waiting = 0

    @property
    def waiting(self) -> int:
        """How many events are not done with."""
        return self._waiting

    async def start(self) -> None:
        """Take up what an earlier daemon left."""
        for found in await self._store.waiting():
            self._waiting += found.events
            self._lane(found.function_name).look()
            self._pump(found.function_name)

    def accept(self, event: AsynchronousEvent, written: Written) -> None:
        """Take an event; ``written`` is called once it is on disk, or with why it is not.

        Raises ``CallerError`` (``queue-full``) past the bound.
        """
        if self._waiting >= limits.ASYNC_EVENTS_MAX:
            raise CallerError(
                "queue-full",
                f"{limits.ASYNC_EVENTS_MAX} asynchronous events wait already",
                "`lambdash queue` shows what waits and why",
            )
        self._waiting += 1
        self._store.accept(event, partial(self._accepted, event, written))

    async def retry(self, request_id: str) -> None:
        """Make it due now. Raises ``CallerError`` (``event-not-found``, ``event-running``)."""
        event = await self._idle_event(request_id)
        lane = self._claim(event)
        self._keep(lane, replace(event, due_at=self._now()))

    async def drop(self, request_id: str) -> None:
        """Forget an event, telling nobody. Raises as ``retry``."""
        event = await self._idle_event(request_id)
        self._forget(self._claim(event), event)

    async def events(self, function_name: str | None, limit: int) -> Sequence[AsynchronousEvent]:
        """What waits or runs, first due first."""
        return await self._store.events(function_name, limit)

    async def event(self, request_id: str) -> AsynchronousEvent | None:
        """One event; None when it is done with."""
        return await self._store.get(request_id)

    async def counts(self) -> Sequence[Waiting]:
        """How much of each function waits or runs."""
        return await self._store.waiting()

    def running(self, function_name: str) -> frozenset[str]:
        """The request ids of a function's events that are being run now."""
        lane = self._lanes.get(function_name)
        return frozenset(() if lane is None else lane.in_flight)

    def changed(self, function_name: str) -> None:
        """The function's settings are others now: look again at what waits."""
        if function_name in self._lanes:
            self._pump(function_name)

    def begin_closing(self) -> None:
        """Start nothing more; what is cut off by the end of the daemon is due again."""
        self._closing = True
        self._wake.close()

    async def close(self) -> None:
        """After the last attempt has ended: write what is left."""
        self.begin_closing()
        await self._store.close()

    # -- lanes ---------------------------------------------------------------------------------

    def _lane(self, function_name: str) -> Lane:
        return self._lanes.setdefault(function_name, Lane(function_name))

    def _accepted(
        self, event: AsynchronousEvent, written: Written, error: BaseException | None
    ) -> None:
        written(error)
        if error is not None:
            self._waiting -= 1
            return
        self._lane(event.function_name).accepted(event)
        self._pump(event.function_name)

    def _tick(self) -> None:
        now = self._now()
        for lane in tuple(self._lanes.values()):
            lane.due(now)
            self._pump(lane.function_name)

    def _pump(self, function_name: str) -> None:
        """Run what may run, read what is due, and wake when the next is."""
        if self._closing:
            return
        lane = self._lane(function_name)
        lane.due(self._now())
        settings = self._parts.settings(function_name, None)
        for event in lane.take(settings.in_flight_max):
            self._attempt(lane, event)
        if lane.should_read():
            reading = self._read(lane, lane.begin_reading())
            self._parts.tasks.spawn(reading, f"events of {function_name}")
        elif lane.is_empty:
            self._lanes.pop(function_name, None)
        dues = [one.due_at for one in self._lanes.values() if one.due_at is not None]
        if dues:
            loop_time = asyncio.get_running_loop().time()
            self._wake.set(loop_time + max(0.0, min(dues) - self._now()))

    async def _read(self, lane: Lane, claimed: frozenset[str]) -> None:
        now, limit = self._now(), limits.ASYNC_READ_AHEAD_EVENTS
        lane.page(await self._store.due(lane.function_name, now, claimed, limit))
        self._pump(lane.function_name)

    # -- one attempt ---------------------------------------------------------------------------

    def _attempt(self, lane: Lane, event: AsynchronousEvent) -> None:
        settings = self._parts.settings(event.function_name, event.qualifier)
        too_old = before_attempt(event, settings, self._now())
        if too_old is not None:
            self._ended(lane, too_old)
            return
        try:
            self._parts.invoke(event, partial(self._attempted, lane, event))
        except CallerError as error:
            _log.warning("an event was dropped: %s", error.message)
            lane.ended(event.request_id)
            self._forget(lane, event)

    def _attempted(
        self, lane: Lane, event: AsynchronousEvent, outcome: Outcome, version: str
    ) -> None:
        if self._closing:
            return
        settings = self._parts.settings(event.function_name, event.qualifier)
        self._ended(lane, after_attempt(event, outcome, version, settings, self._now()))

    def _ended(self, lane: Lane, decision: Decision) -> None:
        event = decision.event
        lane.ended(event.request_id)
        match decision:
            case TryAgain():
                self._keep(lane, event)
            case LetGo(condition=condition):
                settings = self._parts.settings(event.function_name, event.qualifier)
                arn = self._parts.function_arn(event.function_name, event.qualifier)
                messages = deliveries(event, condition, settings, arn, self._now())
                if not messages:
                    self._forget(lane, event)
                else:
                    work = self._deliver(lane, event, messages)
                    self._parts.tasks.spawn(work, f"destinations of {event.request_id}")
        self._pump(event.function_name)

    async def _deliver(
        self, lane: Lane, event: AsynchronousEvent, messages: Sequence[Delivery]
    ) -> None:
        """Tell every target; what cannot be told is logged, and the event is done with."""
        for message in messages:
            try:
                await self._parts.deliver(message)
            except LambdashError as error:
                _log.warning(
                    "a destination was not reached: %s of %s: %s (%s)",
                    message.target, event.function_name, error.message, error.code,
                )  # fmt: skip
        self._forget(lane, event)

    # -- the disk ------------------------------------------------------------------------------

    def _keep(self, lane: Lane, event: AsynchronousEvent) -> None:
        self._store.keep(event, partial(self._kept, lane, event))

    def _kept(self, lane: Lane, event: AsynchronousEvent, error: BaseException | None) -> None:
        if error is not None:
            _log.error("an attempt could not be recorded", exc_info=error)
        lane.released(event.request_id, event.due_at)
        self._pump(lane.function_name)

    def _forget(self, lane: Lane, event: AsynchronousEvent) -> None:
        self._store.forget(event.request_id, partial(self._forgotten, lane, event))

    def _forgotten(self, lane: Lane, event: AsynchronousEvent, error: BaseException | None) -> None:
        if error is None:
            self._waiting -= 1
            lane.released(event.request_id, None)
        else:
            _log.error("an event could not be taken off the queue", exc_info=error)
            lane.released(event.request_id, self._now() + limits.ASYNC_BACKOFF_MAX_S)
        self._pump(lane.function_name)

    # -- by hand -------------------------------------------------------------------------------

    async def _idle_event(self, request_id: str) -> AsynchronousEvent:
        event = await self.event(request_id)
        if event is None:
            raise CallerError(
                "event-not-found",
                f"no asynchronous event {request_id} waits",
                "`lambdash queue` lists those that do",
            )
        if request_id in self._lane(event.function_name).claimed:
            raise CallerError("event-running", f"the event {request_id} is being run")
        return event

    def _claim(self, event: AsynchronousEvent) -> Lane:
        lane = self._lane(event.function_name)
        lane.claimed.add(event.request_id)
        return lane
