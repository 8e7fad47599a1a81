"""Events from acceptance to their end, over a real file; minutes are milliseconds."""

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from lambdash import limits
from lambdash.clock import SystemClock
from lambdash.emulator.asynchronous.queue import AttemptEnded, EventQueue, QueueParts
from lambdash.emulator.asynchronous.records import Delivery
from lambdash.errors import CallerError, PlatformError
from lambdash.model import FunctionFailed, Outcome, Succeeded, Throttled
from lambdash.model.event import AsynchronousEvent, EventInvokeSettings
from lambdash.storage.events import EventStore
from lambdash.tasks import Tasks

FAILED = FunctionFailed(b'{"errorMessage":"no"}')
SETTINGS = EventInvokeSettings(on_success="ok", on_failure="bad", time_scale=0.0002)


@dataclass
class Rig:
    """A queue whose function is played by ``outcomes``; attempts without one wait in ``open``."""

    path: Path
    settings: EventInvokeSettings = SETTINGS
    outcomes: dict[str, list[Outcome]] = field(default_factory=dict)
    attempts: Counter[str] = field(default_factory=Counter)
    open: dict[str, AttemptEnded] = field(default_factory=dict)
    delivered: "asyncio.Queue[Delivery]" = field(default_factory=asyncio.Queue)
    unreachable: bool = False
    gone: bool = False
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.tasks = Tasks()
        self.queue = EventQueue(
            QueueParts(
                EventStore(self.path),
                SystemClock(),
                self.tasks,
                self._invoke,
                lambda name, qualifier: self.settings,
                lambda name, qualifier: f"arn:{name}:{qualifier or '$LATEST'}",
                self._deliver,
            )
        )

    def _invoke(self, event: AsynchronousEvent, ended: AttemptEnded) -> None:
        if self.gone:
            raise CallerError("function-not-found", "it is gone")
        self.attempts[event.request_id] += 1
        outcomes = self.outcomes.get(event.request_id)
        if outcomes:
            ended(outcomes.pop(0), "$LATEST")
        else:
            self.open[event.request_id] = ended
        self.news.set()

    async def _deliver(self, message: Delivery) -> None:
        if self.unreachable:
            raise PlatformError("destination-unreachable", "nobody there")
        self.delivered.put_nowait(message)

    async def accept(self, request_id: str, function: str = "hello") -> None:
        now = SystemClock.epoch()
        event = AsynchronousEvent(request_id, function, None, b'{"n":1}', now, now)
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.queue.accept(event, lambda error: written.set_result(None))
        await written

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                self.news.clear()
                try:
                    await asyncio.wait_for(self.news.wait(), 0.02)
                except TimeoutError:
                    continue

    async def recorded(self) -> None:
        """Everything that was said before is on disk, and known to be."""
        await self.queue.counts()
        await asyncio.sleep(0)
        await self.queue.counts()

    async def empty(self) -> None:
        await self.until(lambda: self.queue.waiting == 0)
        assert await self.queue.counts() == []


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    rig = Rig(tmp_path / "events.sqlite")
    yield rig
    rig.queue.begin_closing()
    await rig.tasks.join()
    await rig.queue.close()


async def test_a_success_reaches_its_destination_and_leaves_the_disk(rig: Rig) -> None:
    rig.outcomes["a"] = [Succeeded(b"2")]
    await rig.accept("a")
    message = await asyncio.wait_for(rig.delivered.get(), 10)
    assert message.target == "ok"
    await rig.empty()


async def test_failures_are_retried_twice_and_then_told(rig: Rig) -> None:
    rig.outcomes["a"] = [FAILED, FAILED, FAILED]
    await rig.accept("a")
    message = await asyncio.wait_for(rig.delivered.get(), 10)
    assert message.target == "bad"
    assert '"condition":"RetriesExhausted"' in message.body
    assert rig.attempts["a"] == 3
    await rig.empty()


async def test_a_throttled_function_delays_no_other(rig: Rig) -> None:
    rig.settings = replace(SETTINGS, time_scale=1.0)
    rig.outcomes["slow"] = [Throttled("ConcurrentInvocationLimitExceeded")]
    rig.outcomes["quick"] = [Succeeded(b"1")]
    await rig.accept("slow", "throttled")
    await rig.accept("quick", "other")
    message = await asyncio.wait_for(rig.delivered.get(), 10)
    assert message.target == "ok"
    await rig.until(lambda: rig.queue.waiting == 1)


async def test_no_more_run_at_a_time_than_the_settings_say(rig: Rig) -> None:
    rig.settings = replace(SETTINGS, in_flight_max=3)
    names = [f"e{number}" for number in range(40)]
    await asyncio.gather(*(rig.accept(name) for name in names))
    for _ in names:
        await rig.until(lambda: bool(rig.open))
        assert len(rig.open) <= 3
        assert len(rig.queue.running("hello")) <= 3
        _, ended = rig.open.popitem()
        ended(Succeeded(b"1"), "$LATEST")
    await rig.empty()
    assert set(rig.attempts.values()) == {1}
    assert len(rig.attempts) == 40


async def test_what_a_killed_daemon_left_is_taken_up(rig: Rig, tmp_path: Path) -> None:
    for number in range(limits.ASYNC_READ_AHEAD_EVENTS * 3):
        await rig.accept(f"e{number}")
    for suffix in ("", "-wal"):
        shutil.copy(f"{rig.path}{suffix}", f"{tmp_path / 'copy.sqlite'}{suffix}")
    later = Rig(tmp_path / "copy.sqlite")
    await later.queue.start()
    for _ in range(limits.ASYNC_READ_AHEAD_EVENTS * 3):
        await later.until(lambda: bool(later.open))
        _, ended = later.open.popitem()
        ended(Succeeded(b"1"), "$LATEST")
    await later.empty()
    assert set(later.attempts.values()) == {1}
    await later.tasks.join()
    await later.queue.close()


async def test_a_destination_that_is_not_there_does_not_keep_the_event(rig: Rig) -> None:
    rig.unreachable = True
    rig.outcomes["a"] = [Succeeded(b"1")]
    await rig.accept("a")
    await rig.empty()


async def test_events_of_a_function_that_is_gone_are_dropped(rig: Rig) -> None:
    rig.gone = True
    await rig.accept("a")
    await rig.empty()


async def test_a_waiting_event_can_be_retried_and_dropped_by_hand(rig: Rig) -> None:
    rig.settings = replace(SETTINGS, time_scale=1.0)
    rig.outcomes["a"] = [FAILED]
    await rig.accept("a")
    await rig.until(lambda: not rig.queue.running("hello"))
    await rig.until(lambda: rig.attempts["a"] == 1)
    await rig.recorded()
    await rig.queue.retry("a")
    await rig.until(lambda: rig.attempts["a"] == 2)
    with pytest.raises(CallerError, match="is being run"):
        await rig.queue.drop("a")
    rig.open.pop("a")(FAILED, "$LATEST")
    await rig.recorded()
    await rig.queue.drop("a")
    await rig.empty()
    with pytest.raises(CallerError, match="no asynchronous event"):
        await rig.queue.retry("a")


async def test_the_list_shows_what_waits_and_why(rig: Rig) -> None:
    rig.settings = replace(SETTINGS, time_scale=1.0)
    rig.outcomes["a"] = [FAILED]
    await rig.accept("a")
    await rig.until(lambda: not rig.queue.running("hello"))
    (event,) = await rig.queue.events("hello", 10)
    assert (event.request_id, event.failures) in (("a", 1), ("a", 0))
    assert await rig.queue.events("other", 10) == []
    assert await rig.queue.event("b") is None


async def test_a_full_queue_refuses(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ASYNC_EVENTS_MAX", 1)
    await rig.accept("a")
    with pytest.raises(CallerError, match="wait already"):
        await rig.accept("b")
