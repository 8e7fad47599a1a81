"""Standard queues through boto3: what is sent is received, held, given back, deleted, redriven."""

import asyncio
import json
from collections.abc import Awaitable, Callable

from tests.aws_gateway.sqs.conftest import Sqs


async def test_a_message_goes_from_sender_to_receiver(sqs: Sqs) -> None:
    url = await sqs.queue()
    assert url.endswith("/000000000000/jobs")
    sent = await sqs.call("send_message", QueueUrl=url, MessageBody="hello")
    answer = await sqs.call("receive_message", QueueUrl=url, AttributeNames=["All"])
    (message,) = answer["Messages"]
    assert (message["MessageId"], message["Body"]) == (sent["MessageId"], "hello")
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    assert await sqs.bodies(url) == []
    await sqs.call("delete_message", QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    sqs.clock.ahead_s += 31
    assert await sqs.bodies(url) == []


async def test_message_attributes_come_back_with_their_digest(sqs: Sqs) -> None:
    url = await sqs.queue()
    attributes = {
        "kind": {"DataType": "String", "StringValue": "order"},
        "weight.kg": {"DataType": "Number.float", "StringValue": "1.5"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    # boto3 itself compares the MD5 of what it sent with the answer's
    await sqs.call("send_message", QueueUrl=url, MessageBody="x", MessageAttributes=attributes)
    answer = await sqs.call("receive_message", QueueUrl=url, MessageAttributeNames=["All"])
    assert answer["Messages"][0]["MessageAttributes"] == attributes
    sqs.clock.ahead_s += 31
    answer = await sqs.call("receive_message", QueueUrl=url, MessageAttributeNames=["weight.*"])
    assert list(answer["Messages"][0]["MessageAttributes"]) == ["weight.kg"]


async def test_a_message_not_deleted_comes_back_after_its_visibility_timeout(sqs: Sqs) -> None:
    url = await sqs.queue(VisibilityTimeout="5")
    await sqs.call("send_message", QueueUrl=url, MessageBody="a")
    assert await sqs.bodies(url) == ["a"]
    assert await sqs.bodies(url) == []
    sqs.clock.ahead_s += 5
    assert await sqs.bodies(url) == ["a"]


async def test_visibility_can_be_changed_for_one_message(sqs: Sqs) -> None:
    url = await sqs.queue()
    await sqs.call("send_message", QueueUrl=url, MessageBody="a")
    (message,) = (await sqs.call("receive_message", QueueUrl=url))["Messages"]
    handle = message["ReceiptHandle"]
    await sqs.call(
        "change_message_visibility", QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0
    )
    assert await sqs.bodies(url) == ["a"]
    code, _ = await sqs.refused(
        "change_message_visibility", QueueUrl=url, ReceiptHandle="nonsense", VisibilityTimeout=0
    )
    assert code == "ReceiptHandleIsInvalid"


async def test_a_delayed_message_shows_later(sqs: Sqs) -> None:
    url = await sqs.queue()
    await sqs.call("send_message", QueueUrl=url, MessageBody="later", DelaySeconds=10)
    counts = await sqs.call(
        "get_queue_attributes",
        QueueUrl=url,
        AttributeNames=["ApproximateNumberOfMessagesDelayed"],
    )
    assert counts["Attributes"] == {"ApproximateNumberOfMessagesDelayed": "1"}
    assert await sqs.bodies(url) == []
    sqs.clock.ahead_s += 10
    assert await sqs.bodies(url) == ["later"]


async def test_a_long_poll_is_answered_as_soon_as_something_is_sent(sqs: Sqs) -> None:
    url = await sqs.queue()
    waiting = asyncio.create_task(sqs.bodies(url, WaitTimeSeconds=20))
    async with asyncio.timeout(10):
        while not sqs.service.waits("jobs"):
            await asyncio.sleep(0)
        await sqs.call("send_message", QueueUrl=url, MessageBody="now")
        assert await waiting == ["now"]


async def test_a_long_poll_is_answered_when_something_comes_back(sqs: Sqs) -> None:
    url = await sqs.queue()
    await sqs.call("send_message", QueueUrl=url, MessageBody="back")
    await sqs.bodies(url, VisibilityTimeout=1)
    async with asyncio.timeout(10):
        assert await sqs.bodies(url, WaitTimeSeconds=20) == ["back"]


async def test_a_poll_waits_no_longer_than_it_was_asked_to(sqs: Sqs) -> None:
    url = await sqs.queue(ReceiveMessageWaitTimeSeconds="20")
    assert await sqs.bodies(url, WaitTimeSeconds=0) == []


async def test_what_was_received_too_often_goes_to_the_dead_letter_queue(sqs: Sqs) -> None:
    dead = await sqs.queue("dead")
    policy = {"deadLetterTargetArn": sqs.service.arn("dead"), "maxReceiveCount": 2}
    url = await sqs.queue(VisibilityTimeout="1", RedrivePolicy=json.dumps(policy))
    await sqs.call("send_message", QueueUrl=url, MessageBody="poison")
    for _ in range(2):
        assert await sqs.bodies(url) == ["poison"]
        sqs.clock.ahead_s += 1
    assert await sqs.bodies(url) == []
    answer = await sqs.call("receive_message", QueueUrl=dead, AttributeNames=["All"])
    attributes = answer["Messages"][0]["Attributes"]
    assert attributes["DeadLetterQueueSourceArn"] == sqs.service.arn("jobs")
    sources = await sqs.call("list_dead_letter_source_queues", QueueUrl=dead)
    assert sources == {"queueUrls": [url]}


async def test_dead_letters_are_moved_back_to_their_source(sqs: Sqs) -> None:
    dead = await sqs.queue("dead")
    policy = {"deadLetterTargetArn": sqs.service.arn("dead"), "maxReceiveCount": 1}
    url = await sqs.queue(VisibilityTimeout="0", RedrivePolicy=json.dumps(policy))
    for body in "abc":
        await sqs.call("send_message", QueueUrl=url, MessageBody=body)
    while await sqs.bodies(url):
        pass
    await sqs.call("start_message_move_task", SourceArn=sqs.service.arn("dead"))
    async with asyncio.timeout(10):
        found: list[str] = []
        while len(found) < 3:
            found += await sqs.bodies(url, VisibilityTimeout=30, WaitTimeSeconds=1)
    assert sorted(found) == ["a", "b", "c"]
    assert await sqs.bodies(dead) == []
    async with asyncio.timeout(10):
        status = ""
        while status != "COMPLETED":
            answer = await sqs.call("list_message_move_tasks", SourceArn=sqs.service.arn("dead"))
            status = answer["Results"][0]["Status"]
    assert answer["Results"][0]["ApproximateNumberOfMessagesMoved"] == 3


async def test_batches_answer_entry_by_entry(sqs: Sqs) -> None:
    url = await sqs.queue()
    entries = [
        {"Id": "good", "MessageBody": "a"},
        {"Id": "bad", "MessageBody": "b", "DelaySeconds": 1_000},
    ]
    answer = await sqs.call("send_message_batch", QueueUrl=url, Entries=entries)
    assert [one["Id"] for one in answer["Successful"]] == ["good"]
    (failed,) = answer["Failed"]
    assert (failed["Id"], failed["SenderFault"], failed["Code"]) == (
        "bad", True, "InvalidParameterValue",
    )  # fmt: skip
    (message,) = (await sqs.call("receive_message", QueueUrl=url))["Messages"]
    answer = await sqs.call(
        "delete_message_batch",
        QueueUrl=url,
        Entries=[{"Id": "1", "ReceiptHandle": message["ReceiptHandle"]}],
    )
    assert answer == {"Successful": [{"Id": "1"}]}


async def test_batches_that_are_no_batches_are_refused(sqs: Sqs) -> None:
    url = await sqs.queue()
    one = {"Id": "a", "MessageBody": "x"}

    async def refused(entries: list[dict[str, str]]) -> str:
        code, _ = await sqs.refused("send_message_batch", QueueUrl=url, Entries=entries)
        return code.rpartition(".")[2]

    assert await refused([]) == "EmptyBatchRequest"
    assert await refused([one, one]) == "BatchEntryIdsNotDistinct"
    assert await refused([{**one, "Id": "a b"}]) == "InvalidBatchEntryId"
    many = [{"Id": str(number), "MessageBody": "x"} for number in range(11)]
    assert await refused(many) == "TooManyEntriesInBatchRequest"
    large = [{"Id": str(number), "MessageBody": "x" * 600_000} for number in range(2)]
    assert await refused(large) == "BatchRequestTooLong"


async def test_purging_removes_all_once_a_minute(sqs: Sqs) -> None:
    url = await sqs.queue()
    await sqs.call("send_message", QueueUrl=url, MessageBody="a")
    await sqs.call("purge_queue", QueueUrl=url)
    assert await sqs.bodies(url) == []
    code, message = await sqs.refused("purge_queue", QueueUrl=url)
    assert code == "AWS.SimpleQueueService.PurgeQueueInProgress"
    assert message == "Only one PurgeQueue operation on jobs is allowed every 60 seconds."


async def test_messages_past_their_retention_are_gone(sqs: Sqs) -> None:
    url = await sqs.queue(MessageRetentionPeriod="60")
    await sqs.call("send_message", QueueUrl=url, MessageBody="old")
    sqs.clock.ahead_s += 60
    assert await sqs.bodies(url) == []


async def test_everything_is_there_after_a_restart(
    sqs: Sqs, make_sqs: Callable[[], Awaitable[Sqs]]
) -> None:
    url = await sqs.queue(VisibilityTimeout="77")
    await sqs.call("send_message", QueueUrl=url, MessageBody="kept")
    again = await make_sqs()
    url = (await again.call("get_queue_url", QueueName="jobs"))["QueueUrl"]
    assert await again.bodies(url) == ["kept"]
    answer = await again.call(
        "get_queue_attributes", QueueUrl=url, AttributeNames=["VisibilityTimeout"]
    )
    assert answer["Attributes"] == {"VisibilityTimeout": "77"}
