"""From a queue to a function: batches, windows, filters, failures; over real queues."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from lambdash.clock import SystemClock
from lambdash.event_sources.mapping import Mapping
from lambdash.event_sources.sqs.poller import PollerParts, SqsPoller
from lambdash.messaging.sqs.messages import outgoing
from lambdash.messaging.sqs.service import SqsService
from lambdash.model import FunctionFailed, Outcome, Succeeded, Throttled
from lambdash.model.queue import MessageCounts
from lambdash.patterns import compile_filter_criteria
from lambdash.storage.queues import registry
from lambdash.storage.queues.registry import NewQueue
from tests.vectors import powertools_event

NO_FILTERS = compile_filter_criteria([], "body")


@dataclass
class Rig:
    """A queue, and a function whose answers are ``answers``, then success for ever."""

    queues: SqsService
    answers: list[Outcome] = field(default_factory=list)
    events: "asyncio.Queue[dict[str, Any]]" = field(default_factory=asyncio.Queue)
    results: list[str] = field(default_factory=list)
    running: int = 0
    peak: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: list["asyncio.Task[None]"] = field(default_factory=list)
    pollers: list[SqsPoller] = field(default_factory=list)

    async def create(self, name: str, **attributes: str) -> None:
        new = NewQueue(name, self.queues.arn(name), attributes, {})
        now = self.queues.now()
        await self.queues.read(lambda connection: registry.create(connection, new, now))

    async def send(self, name: str, *bodies: str, **more: Any) -> None:
        for body in bodies:
            asked = {"MessageBody": body, **more}
            await self.queues.send(name, lambda queue: outgoing(queue, asked))  # noqa: B023

    def poll(self, name: str, **changes: Any) -> None:
        mapping = Mapping("id", self.queues.arn(name), "hello", None, 10, 0.0, NO_FILTERS, False, 5)
        parts = PollerParts(self.queues, self._invoke, SystemClock(), self.results.append)
        poller = SqsPoller(replace(mapping, **changes), parts)
        self.pollers.append(poller)
        self.tasks.append(asyncio.create_task(poller.run()))

    async def _invoke(self, name: str, qualifier: str | None, payload: bytes) -> Outcome:
        self.running += 1
        self.peak = max(self.peak, self.running)
        await self.gate.wait()
        self.running -= 1
        self.events.put_nowait(json.loads(payload))
        return self.answers.pop(0) if self.answers else Succeeded(b"null")

    async def bodies(self) -> list[str]:
        event = await asyncio.wait_for(self.events.get(), 10)
        return [record["body"] for record in event["Records"]]

    async def counts(self, name: str) -> MessageCounts:
        return await self.queues.at(name, registry.counts)

    async def until_empty(self, name: str) -> None:
        async with asyncio.timeout(10):
            while await self.counts(name) != MessageCounts(0, 0, 0):
                await asyncio.sleep(0.005)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    queues = SqsService(tmp_path / "queues.sqlite", SystemClock(), "us-east-1", "000000000000")
    rig = Rig(queues)
    rig.gate.set()
    yield rig
    for task in rig.tasks:
        task.cancel()
    await asyncio.gather(*rig.tasks, return_exceptions=True)
    for poller in rig.pollers:
        await poller.drain()
    await queues.close()


async def test_a_message_reaches_the_function_and_is_deleted(rig: Rig) -> None:
    await rig.create("jobs")
    rig.poll("jobs")
    await rig.send("jobs", "hello")
    event = await asyncio.wait_for(rig.events.get(), 10)
    (record,) = event["Records"]
    assert record["eventSourceARN"] == "arn:aws:sqs:us-east-1:000000000000:jobs"
    assert (record["eventSource"], record["awsRegion"]) == ("aws:sqs", "us-east-1")
    async with asyncio.timeout(10):
        while not rig.results:
            await asyncio.sleep(0.005)
    assert rig.results == ["OK"]
    await rig.until_empty("jobs")


async def test_a_record_has_the_keys_and_types_of_awss(rig: Rig) -> None:
    await rig.create("jobs")
    rig.poll("jobs")
    attributes = {"testAttr": {"DataType": "Number", "StringValue": "100"}}
    await rig.send("jobs", "Test message.", MessageAttributes=attributes)
    (ours,) = (await asyncio.wait_for(rig.events.get(), 10))["Records"]
    theirs = powertools_event("sqsEvent.json")["Records"][0]
    assert theirs.keys() <= ours.keys()
    assert theirs["attributes"].keys() == ours["attributes"].keys()
    for name, value in theirs.items():
        assert type(ours[name]) is type(value)


async def test_waiting_messages_come_in_batches(rig: Rig) -> None:
    await rig.create("jobs")
    await rig.send("jobs", *map(str, range(25)))
    rig.poll("jobs")
    sizes = [len(await rig.bodies()) for _ in range(3)]
    assert sorted(sizes) == [5, 10, 10]
    await rig.until_empty("jobs")


async def test_a_window_gathers_more_than_one_receive_can(rig: Rig) -> None:
    await rig.create("jobs")
    await rig.send("jobs", *map(str, range(25)))
    rig.poll("jobs", batch_size=25, window_s=30.0)
    assert len(await rig.bodies()) == 25


async def test_a_window_ends_by_itself(rig: Rig) -> None:
    await rig.create("jobs")
    rig.poll("jobs", batch_size=100, window_s=0.05)
    await rig.send("jobs", "alone")
    assert await rig.bodies() == ["alone"]


async def test_what_does_not_match_is_deleted_unseen(rig: Rig) -> None:
    await rig.create("jobs")
    await rig.send("jobs", '{"kind":"order"}', '{"kind":"other"}', "plain")
    rig.poll("jobs", filters=compile_filter_criteria([{"body": {"kind": ["order"]}}], "body"))
    assert await rig.bodies() == ['{"kind":"order"}']
    await rig.until_empty("jobs")
    assert rig.events.empty()


async def test_what_failed_comes_again_after_its_visibility_timeout(rig: Rig) -> None:
    await rig.create("jobs", VisibilityTimeout="1")
    rig.answers = [FunctionFailed(b"{}")]
    await rig.send("jobs", "again")
    rig.poll("jobs")
    assert await rig.bodies() == ["again"]
    assert await rig.bodies() == ["again"]
    async with asyncio.timeout(10):
        while len(rig.results) < 2:
            await asyncio.sleep(0.005)
    assert rig.results == ["PROBLEM: Function call failed", "OK"]


async def test_only_what_the_function_names_stays(rig: Rig) -> None:
    await rig.create("jobs", VisibilityTimeout="1")
    await rig.send("jobs", "good", "bad")
    rig.gate.clear()
    rig.poll("jobs", reports_failures=True, batch_size=2)

    async def name_the_bad(name: str, qualifier: str | None, payload: bytes) -> Outcome:
        records = json.loads(payload)["Records"]
        rig.events.put_nowait({"Records": records})
        bad = [one["messageId"] for one in records if one["body"] == "bad"]
        if rig.events.qsize() > 1:
            bad = []
        failures = [{"itemIdentifier": identifier} for identifier in bad]
        return Succeeded(json.dumps({"batchItemFailures": failures}).encode())

    rig.pollers[0]._parts = replace(rig.pollers[0]._parts, invoke=name_the_bad)
    await rig.until_empty("jobs")
    assert sorted(await rig.bodies()) == ["bad", "good"]
    assert await rig.bodies() == ["bad"]


async def test_fifo_groups_stop_at_their_first_failure(rig: Rig) -> None:
    await rig.create("jobs.fifo", FifoQueue="true", VisibilityTimeout="60")
    for body, group in (("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b")):
        await rig.send("jobs.fifo", body, MessageGroupId=group, MessageDeduplicationId=body)

    async def fail_the_second(name: str, qualifier: str | None, payload: bytes) -> Outcome:
        records = json.loads(payload)["Records"]
        rig.events.put_nowait({"Records": records})
        second = [one["messageId"] for one in records if one["body"] == "a2"]
        failures = [{"itemIdentifier": identifier} for identifier in second]
        return Succeeded(json.dumps({"batchItemFailures": failures}).encode())

    rig.poll("jobs.fifo", reports_failures=True)
    rig.pollers[0]._parts = replace(rig.pollers[0]._parts, invoke=fail_the_second)
    assert await rig.bodies() == ["a1", "a2", "a3", "b1"]
    async with asyncio.timeout(10):
        while (await rig.counts("jobs.fifo")).in_flight != 2:
            await asyncio.sleep(0.005)


async def test_throttled_batches_are_tried_again_while_they_are_held(rig: Rig) -> None:
    await rig.create("jobs")
    rig.answers = [Throttled("ConcurrentInvocationLimitExceeded")]
    await rig.send("jobs", "patient")
    rig.poll("jobs")
    assert await rig.bodies() == ["patient"]
    assert await rig.bodies() == ["patient"]
    await rig.until_empty("jobs")


async def test_no_more_batches_are_in_flight_than_the_mapping_says(rig: Rig) -> None:
    await rig.create("jobs")
    await rig.send("jobs", *map(str, range(12)))
    rig.gate.clear()
    rig.poll("jobs", batch_size=1, concurrency=3)
    async with asyncio.timeout(10):
        while rig.running < 3:
            await asyncio.sleep(0.005)
    rig.gate.set()
    await rig.until_empty("jobs")
    assert rig.peak == 3


async def test_a_queue_that_is_made_later_is_found(rig: Rig) -> None:
    rig.poll("jobs")
    async with asyncio.timeout(10):
        while not rig.results:
            await asyncio.sleep(0.005)
    assert rig.results[0].startswith("PROBLEM: ")
    await rig.create("jobs")
    await rig.send("jobs", "late")
    assert await rig.bodies() == ["late"]
