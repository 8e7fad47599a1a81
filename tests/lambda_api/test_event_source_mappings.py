"""Event source mappings through boto3, and the queues that are polled for them."""

import asyncio
import json
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from lambdash.clock import SystemClock
from lambdash.event_sources.pollers import Pollers
from lambdash.messaging.sqs.messages import outgoing
from lambdash.storage.queues import registry as queues_registry
from lambdash.storage.queues.registry import NewQueue
from tests.lambda_api.client import refused, using
from tests.lambda_api.conftest import Endpoint, MakeEndpoint
from tests.lambda_api.qualified import ARN, with_alias

QUEUE = "arn:aws:sqs:us-east-1:000000000000:jobs"
STREAM = "arn:aws:kinesis:us-east-1:000000000000:stream/clicks"
TABLE = "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2026-01-01T00:00:00.000"


async def _state(endpoint: Endpoint, uuid: str, state: str) -> dict[str, Any]:
    """The mapping, once it is in that state."""
    mappings = endpoint.rig.emulator.mappings
    async with asyncio.timeout(10):
        while (mappings.all().get(uuid) or {"State": "Deleted"})["State"] != state:
            await asyncio.sleep(0)
    return dict(mappings.all().get(uuid, {}))


async def _create(endpoint: Endpoint, **parameters: Any) -> dict[str, Any]:
    asked = {"FunctionName": "hello", "EventSourceArn": QUEUE, **parameters}
    made = await using(endpoint, lambda aws: aws.create_event_source_mapping(**asked))
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 202
    made.pop("ResponseMetadata")
    return dict(made)


async def _call(endpoint: Endpoint, operation: str, **parameters: Any) -> dict[str, Any]:
    return await using(
        endpoint, lambda aws: getattr(aws, f"{operation}_event_source_mapping")(**parameters)
    )


async def test_a_queues_mapping_from_creation_to_deletion(endpoint: Endpoint) -> None:
    made = await _create(endpoint)
    uuid = made["UUID"]
    assert isinstance(made.pop("LastModified"), datetime)
    assert made == {
        "UUID": uuid,
        "EventSourceMappingArn": f"{ARN.removesuffix('function:hello')}event-source-mapping:{uuid}",
        "EventSourceArn": QUEUE,
        "FunctionArn": ARN,
        "BatchSize": 10,
        "MaximumBatchingWindowInSeconds": 0,
        "FunctionResponseTypes": [],
        "State": "Creating",
        "StateTransitionReason": "USER_INITIATED",
    }
    await _state(endpoint, uuid, "Enabled")
    disabled = await _call(endpoint, "update", UUID=uuid, Enabled=False)
    assert disabled["State"] == "Disabling"
    await _state(endpoint, uuid, "Disabled")
    filters = {"Filters": [{"Pattern": '{"body": {"kind": ["order"]}}'}]}
    updated = await _call(
        endpoint,
        "update",
        UUID=uuid,
        FilterCriteria=filters,
        ScalingConfig={"MaximumConcurrency": 2},
        BatchSize=5,
    )
    assert (updated["State"], updated["FilterCriteria"]) == ("Updating", filters)
    await _state(endpoint, uuid, "Disabled")
    got = await _call(endpoint, "get", UUID=uuid)
    assert (got["BatchSize"], got["ScalingConfig"]) == (5, {"MaximumConcurrency": 2})
    await _call(endpoint, "update", UUID=uuid, FilterCriteria={"Filters": []}, ScalingConfig={})
    await _state(endpoint, uuid, "Disabled")
    cleared = await _call(endpoint, "get", UUID=uuid)
    assert not {"FilterCriteria", "ScalingConfig"} & cleared.keys()
    assert (await _call(endpoint, "update", UUID=uuid, Enabled=True))["State"] == "Enabling"
    await _state(endpoint, uuid, "Enabled")
    assert (await _call(endpoint, "delete", UUID=uuid))["State"] == "Deleting"
    await _state(endpoint, uuid, "Deleted")
    told = await refused(endpoint, "get_event_source_mapping", UUID=uuid)
    assert told[2] == "The resource you requested does not exist."


@pytest.mark.parametrize("arn", [STREAM, TABLE])
async def test_a_streams_mapping_says_that_nothing_is_read(
    endpoint: Endpoint, arn: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        made = await _create(endpoint, EventSourceArn=arn, StartingPosition="LATEST")
        await _state(endpoint, made["UUID"], "Enabled")
    assert f"delivers nothing: no poller reads {arn} yet" in caplog.text
    for uninteresting in ("LastModified", "UUID", "EventSourceMappingArn"):
        del made[uninteresting]
    assert made == {
        "BatchSize": 100,
        "BisectBatchOnFunctionError": False,
        "DestinationConfig": {"OnFailure": {}},
        "EventSourceArn": arn,
        "FunctionArn": ARN,
        "FunctionResponseTypes": [],
        "LastProcessingResult": "No records processed",
        "MaximumBatchingWindowInSeconds": 0,
        "MaximumRecordAgeInSeconds": -1,
        "MaximumRetryAttempts": -1,
        "ParallelizationFactor": 1,
        "StartingPosition": "LATEST",
        "State": "Creating",
        "StateTransitionReason": "User action",
        "TumblingWindowInSeconds": 0,
    }


async def test_mappings_are_listed_by_source_and_function(endpoint: Endpoint) -> None:
    with_alias(endpoint)
    first = await _create(endpoint)
    second = await _create(endpoint, FunctionName="hello:live", Enabled=False, Tags={"a": "1"})
    assert second["FunctionArn"] == f"{ARN}:live"
    other = await _create(endpoint, EventSourceArn=f"{QUEUE}2", FunctionName="hello:1")
    await _state(endpoint, second["UUID"], "Disabled")

    async def listed(**filters: Any) -> list[str]:
        answer = await using(endpoint, lambda aws: aws.list_event_source_mappings(**filters))
        return [one["UUID"] for one in answer["EventSourceMappings"]]

    everything = [one["UUID"] for one in (first, second, other)]
    assert await listed() == await listed(FunctionName="hello") == everything
    assert await listed(EventSourceArn=QUEUE) == everything[:2]
    assert await listed(FunctionName=f"{ARN}:live") == everything[1:2]
    assert await listed(FunctionName="none") == []
    assert await listed(MaxItems=1) == everything[:1]
    arn = second["EventSourceMappingArn"]
    tags = await using(endpoint, lambda aws: aws.list_tags(Resource=arn))
    assert tags["Tags"] == {"a": "1"}


async def test_one_for_each_queue_and_function(endpoint: Endpoint) -> None:
    made = await _create(endpoint)
    asked = {"FunctionName": ARN, "EventSourceArn": QUEUE}
    assert await refused(endpoint, "create_event_source_mapping", **asked) == (
        409,
        "ResourceConflictException",
        f'An event source mapping with SQS arn (" {QUEUE} ") and function (" hello ") already '
        "exists. Please update or delete the existing mapping with UUID " + made["UUID"],
    )


async def test_a_mapping_in_use(endpoint: Endpoint) -> None:
    made = await _create(endpoint)
    mapping = await _state(endpoint, made["UUID"], "Enabled")
    moving = {**mapping, "State": "Updating"}
    registry = endpoint.rig.emulator.registry
    registry.put_object("event-source-mapping", made["UUID"], moving)
    for operation in ("delete", "update"):
        told = await refused(endpoint, f"{operation}_event_source_mapping", UUID=made["UUID"])
        assert told == (
            400,
            "ResourceInUseException",
            f"Cannot {operation} the event source mapping because it is in use.",
        )


async def test_a_mapping_moves_to_another_function(endpoint: Endpoint) -> None:
    with_alias(endpoint)
    elsewhere = "arn:aws:sqs:eu-west-1:111111111111:jobs"
    made = await _create(endpoint, EventSourceArn=elsewhere)
    await _state(endpoint, made["UUID"], "Enabled")
    asked = {"UUID": made["UUID"], "FunctionName": "hello:live"}
    assert (await _call(endpoint, "update", **asked))["FunctionArn"] == f"{ARN}:live"
    await _state(endpoint, made["UUID"], "Enabled")
    told = await refused(
        endpoint, "update_event_source_mapping", UUID=made["UUID"], FunctionName="none"
    )
    assert told[2] == "Function does not exist"


async def test_destinations_of_a_stream_are_kept_whole(endpoint: Endpoint) -> None:
    failed = {"OnFailure": {"Destination": QUEUE}}
    made = await _create(
        endpoint, EventSourceArn=STREAM, StartingPosition="LATEST", DestinationConfig=failed
    )
    assert made["DestinationConfig"] == failed


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"EventSourceArn": None}, "Unrecognized event source."),
    ({"EventSourceArn": "arn:aws:s3:::bucket"}, "Unrecognized event source."),
    ({"FunctionName": "none"}, "Function does not exist"),
    ({"FunctionName": "hello:nix"}, "Function does not exist"),
    (
        {"FunctionName": "none", "DestinationConfig": {"OnSuccess": {"Destination": QUEUE}}},
        "Unsupported DestinationConfig parameter for given event source mapping type.",
    ),
    (
        {"EventSourceArn": STREAM, "DestinationConfig": {"OnSuccess": {"Destination": QUEUE}}},
        "Unsupported DestinationConfig parameter for given event source mapping type.",
    ),
    (
        {"ParallelizationFactor": 2},
        "Unsupported ParallelizationFactor parameter for given event source mapping type.",
    ),
    (
        {"EventSourceArn": STREAM, "ScalingConfig": {"MaximumConcurrency": 2}},
        "Unsupported ScalingConfig parameter for given event source mapping type.",
    ),
    (
        {"BatchSize": 11},
        "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater "
        "than 10",
    ),
    (
        {"EventSourceArn": f"{QUEUE}.fifo", "MaximumBatchingWindowInSeconds": 1},
        "Batching window is not supported for FIFO queues.",
    ),
    (
        {"EventSourceArn": f"{QUEUE}.fifo", "BatchSize": 11},
        "The batch size of a FIFO queue is at most 10.",
    ),
    (
        {"EventSourceArn": STREAM},
        "1 validation error detected: Value null at 'startingPosition' failed to satisfy "
        "constraint: Member must not be null.",
    ),
    (
        {"EventSourceArn": TABLE, "StartingPosition": "AT_TIMESTAMP"},
        f"Unsupported starting position for arn type: {TABLE}",
    ),
    (
        {"EventSourceArn": STREAM, "StartingPosition": "AT_TIMESTAMP"},
        "1 validation error detected: Value null at 'startingPositionTimestamp' failed to satisfy "
        "constraint: Member must not be null.",
    ),
    (
        {"EventSourceArn": STREAM, "MaximumRecordAgeInSeconds": 30},
        "MaximumRecordAgeInSeconds must be -1, or between 60 and 604800.",
    ),
    (
        {
            "EventSourceArn": STREAM,
            "TumblingWindowInSeconds": 30,
            "MaximumBatchingWindowInSeconds": 1,
        },
        "A tumbling window and a batching window do not go together.",
    ),
    (
        {"EventSourceArn": STREAM, "TumblingWindowInSeconds": 30, "ParallelizationFactor": 2},
        "A tumbling window and a parallelization factor do not go together.",
    ),
    (
        {"FilterCriteria": {"Filters": [{"Pattern": "no json"}]}},
        "Invalid filter pattern definition.",
    ),
    (
        {"EventSourceArn": "arn:aws:kafka:us-east-1:000000000000:cluster/c/1"},
        "Amazon MSK as an event source is not supported by this version of lambdash.",
    ),
    (
        {"EventSourceArn": f"{STREAM}/consumer/c:1"},
        "A Kinesis stream's consumer as an event source is not supported by this version of "
        "lambdash.",
    ),
    (
        {"Topics": ["topic"]},
        "Topics of CreateEventSourceMapping is not supported by this version of lambdash.",
    ),
]


@pytest.mark.parametrize(("change", "message"), REFUSED)
async def test_what_is_refused(endpoint: Endpoint, change: dict[str, Any], message: str) -> None:
    asked = {"FunctionName": "hello", "EventSourceArn": QUEUE, **change}
    asked = {name: value for name, value in asked.items() if value is not None}
    assert await refused(endpoint, "create_event_source_mapping", **asked) == (
        400,
        "InvalidParameterValueException",
        message,
    )


async def test_mappings_that_are_not_there(endpoint: Endpoint) -> None:
    unknown = "5fc3db9a-9550-45a2-8e10-5a277027e221"
    for operation in ("get", "update", "delete"):
        told = await refused(endpoint, f"{operation}_event_source_mapping", UUID=unknown)
        assert told[0] == 404


# -- polling ------------------------------------------------------------------------------------


class Work:
    """A function that keeps what it got."""

    def __init__(self) -> None:
        self.bodies: asyncio.Queue[str] = asyncio.Queue()

    async def handle(self, event: Any) -> Any:
        for record in event["Records"]:
            self.bodies.put_nowait(record["body"])

    async def body(self) -> str:
        return await asyncio.wait_for(self.bodies.get(), 10)


async def _polling(
    make_endpoint: MakeEndpoint, work: Work, visibility_s: str = "30"
) -> tuple[Endpoint, Callable[[str], Any]]:
    """The queue `jobs`, the function `hello`, pollers at work, and what sends a message."""
    endpoint = await make_endpoint(lambda: work.handle)
    emulator = endpoint.rig.emulator
    await endpoint.rig.deploy()
    await emulator.start()
    await emulator.mappings.start(Pollers(emulator, SystemClock()))
    attributes = {"VisibilityTimeout": visibility_s}
    new = NewQueue("jobs", QUEUE, attributes, {})
    now = emulator.queues.now()
    await emulator.queues.read(lambda connection: queues_registry.create(connection, new, now))

    async def send(body: str) -> None:
        await emulator.queues.send("jobs", lambda queue: outgoing(queue, {"MessageBody": body}))

    return endpoint, send


async def test_a_message_reaches_the_function_that_the_queue_is_mapped_to(
    make_endpoint: MakeEndpoint,
) -> None:
    work = Work()
    endpoint, send = await _polling(make_endpoint, work)
    made = await _create(endpoint)
    await _state(endpoint, made["UUID"], "Enabled")
    assert endpoint.rig.emulator.mappings.is_polling
    await send("1")
    assert await work.body() == "1"
    await _call(endpoint, "update", UUID=made["UUID"], Enabled=False)
    await _state(endpoint, made["UUID"], "Disabled")
    assert not endpoint.rig.emulator.mappings.is_polling
    await send("2")
    assert work.bodies.empty()
    criteria = {"Filters": [{"Pattern": json.dumps({"body": {"n": [{"numeric": [">", 2]}]}})}]}
    await _call(endpoint, "update", UUID=made["UUID"], Enabled=True, FilterCriteria=criteria)
    await _state(endpoint, made["UUID"], "Enabled")
    await send('{"n": 1}')
    await send('{"n": 3}')
    assert await work.body() == '{"n": 3}'
    async with asyncio.timeout(10):
        while (
            endpoint.rig.emulator.mappings.all()[made["UUID"]].get("LastProcessingResult") != "OK"
        ):
            await asyncio.sleep(0.005)
    await _call(endpoint, "delete", UUID=made["UUID"])
    await _state(endpoint, made["UUID"], "Deleted")


async def test_a_mapping_is_polled_again_after_a_restart(make_endpoint: MakeEndpoint) -> None:
    work = Work()
    endpoint, send = await _polling(make_endpoint, work)
    made = await _create(endpoint)
    await _state(endpoint, made["UUID"], "Enabled")
    half = await _create(endpoint, EventSourceArn=STREAM, StartingPosition="LATEST")
    await _state(endpoint, half["UUID"], "Enabled")
    mapping = endpoint.rig.emulator.mappings.all()[half["UUID"]]
    kept = {**mapping, "State": "Updating"}
    endpoint.rig.emulator.registry.put_object("event-source-mapping", half["UUID"], kept)
    await send("kept")
    assert await work.body() == "kept"
    await endpoint.server.close(0.5)
    await endpoint.rig.close()
    again = await make_endpoint(lambda: work.handle)
    emulator = again.rig.emulator
    await emulator.start()
    await emulator.mappings.start(Pollers(emulator, SystemClock()))
    await _state(again, half["UUID"], "Enabled")
    await emulator.queues.send("jobs", lambda queue: outgoing(queue, {"MessageBody": "after"}))
    assert await work.body() == "after"


async def test_a_mapping_that_cannot_be_taken_up_does_not_keep_the_others(
    make_endpoint: MakeEndpoint, caplog: pytest.LogCaptureFixture
) -> None:
    work = Work()
    endpoint, send = await _polling(make_endpoint, work)
    made = await _create(endpoint)
    mapping = await _state(endpoint, made["UUID"], "Enabled")
    emulator = endpoint.rig.emulator
    broken = {**mapping, "UUID": "broken", "FilterCriteria": {"Filters": [{"Pattern": "{"}]}}
    emulator.registry.put_object("event-source-mapping", "broken", broken)
    await emulator.mappings.close()
    with caplog.at_level(logging.WARNING):
        await emulator.mappings.start(Pollers(emulator, SystemClock()))
    assert "mapping broken is not polled: Invalid filter pattern definition." in caplog.text
    await send("1")
    assert await work.body() == "1"


async def test_a_queue_that_gives_messages_back_too_early(make_endpoint: MakeEndpoint) -> None:
    endpoint, _ = await _polling(make_endpoint, Work(), visibility_s="2")
    asked = {"FunctionName": "hello", "EventSourceArn": QUEUE}
    told = await refused(endpoint, "create_event_source_mapping", **asked)
    assert told[2] == (
        "Queue visibility timeout: 2 seconds is less than Function timeout: 3 seconds"
    )


async def test_a_function_that_is_gone_is_no_reason_to_lose_messages(
    make_endpoint: MakeEndpoint,
) -> None:
    work = Work()
    endpoint, send = await _polling(make_endpoint, work)
    made = await _create(endpoint)
    await _state(endpoint, made["UUID"], "Enabled")
    await using(endpoint, lambda aws: aws.delete_function(FunctionName="hello"))
    await send("1")
    await endpoint.rig.deploy()
    assert await work.body() == "1"
