"""Events through the whole emulator: retries, destinations and dead letters of real functions."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from lambdash.errors import CallerError
from lambdash.model import Scaling
from lambdash.model.queue import Receive
from lambdash.storage.queues import registry
from tests.emulator.conftest import Rig

CONFIG = "event_invoke_config"


async def fails(event: Any) -> Any:
    raise ValueError("no")


async def done(rig: Rig) -> None:
    async with asyncio.timeout(10):
        while rig.emulator.events.waiting:
            await asyncio.sleep(0.005)


async def queue(rig: Rig, name: str) -> str:
    queues = rig.emulator.queues
    new = registry.NewQueue(name, queues.arn(name), {}, {})
    await queues.read(lambda connection: registry.create(connection, new, queues.now()))
    return queues.arn(name)


async def received(rig: Rig, name: str) -> Any:
    _, messages = await rig.emulator.queues.receive(name, Receive(10), 5)
    (message,) = messages
    return message


async def recorded(rig: Rig) -> list[str]:
    """The functions of the journal's entries; an entry comes when its turn has ended."""
    entries = await rig.emulator.journal.read(lambda journal: journal.recent(10))
    return [entry.function for entry in entries]


async def test_success_goes_to_a_queue(rig: Rig) -> None:
    arn = await queue(rig, "done")
    config = {"DestinationConfig": {"OnSuccess": {"Destination": arn}}}
    rig.emulator.registry.put_setting(CONFIG, "hello", config)
    request_id = await rig.emulator.accept("hello", None, b'{"a":1}')
    record = json.loads((await received(rig, "done")).body)
    assert record["requestContext"] == {
        "requestId": request_id,
        "functionArn": "arn:aws:lambda:us-east-1:000000000000:function:hello:$LATEST",
        "condition": "Success",
        "approximateInvokeCount": 1,
    }
    assert record["requestPayload"] == {"a": 1}
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}
    await done(rig)


async def test_a_failure_that_may_not_be_retried_goes_to_another_function(make_rig: Any) -> None:
    rig: Rig = await make_rig(lambda: fails)
    await rig.deploy("broken")
    await rig.deploy("told")
    arn = rig.emulator.place.function_arn("told")
    for name in ("broken", "told"):
        config = {
            "MaximumRetryAttempts": 0,
            "DestinationConfig": {"OnFailure": {"Destination": arn}} if name == "broken" else {},
        }
        rig.emulator.registry.put_setting(CONFIG, name, config)
    await rig.emulator.accept("broken", None, b"{}")
    await done(rig)
    async with asyncio.timeout(10):
        while len(await recorded(rig)) < 2:
            await asyncio.sleep(0.005)
    assert sorted(await recorded(rig)) == ["broken", "told"]


async def test_no_concurrency_at_all_is_a_dead_letter_at_once(rig: Rig) -> None:
    arn = await queue(rig, "dead")
    await rig.deploy(scaling=Scaling(reserved_concurrent_executions=0))
    latest = rig.emulator.registry.version("hello")
    assert latest is not None
    document = {**latest.document, "DeadLetterConfig": {"TargetArn": arn}}
    rig.emulator.registry.put(replace(latest, document=document))
    await rig.emulator.accept("hello", None, b'{"raw":true}')
    message = await received(rig, "dead")
    assert json.loads(message.body) == {"raw": True}
    assert message.attributes["ErrorMessage"]["StringValue"] == "ZeroReservedConcurrency"
    await done(rig)


async def test_a_destination_in_a_service_that_is_not_there_keeps_nothing_waiting(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    arn = "arn:aws:sns:us-east-1:000000000000:topic"
    config = {"DestinationConfig": {"OnSuccess": {"Destination": arn}}}
    rig.emulator.registry.put_setting(CONFIG, "hello", config)
    await rig.emulator.accept("hello", None, b"{}")
    await done(rig)
    assert "destination-unsupported" in caplog.text


async def test_an_event_too_large_is_refused(rig: Rig) -> None:
    with pytest.raises(CallerError, match="too large"):
        await rig.emulator.accept("hello", None, b"x" * 1_048_577)
