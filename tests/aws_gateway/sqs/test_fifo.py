"""FIFO queues: order within a group, groups side by side, deduplication for five minutes."""

from collections import defaultdict
from typing import Any

from tests.aws_gateway.sqs.conftest import Sqs


async def fifo(sqs: Sqs, **attributes: str) -> str:
    return await sqs.queue("jobs.fifo", FifoQueue="true", **attributes)


async def send(sqs: Sqs, url: str, body: str, group: str = "g", **more: Any) -> dict[str, Any]:
    more = {"MessageDeduplicationId": body, **more}
    return await sqs.call(
        "send_message", QueueUrl=url, MessageBody=body, MessageGroupId=group, **more
    )


async def receive(sqs: Sqs, url: str, **options: Any) -> list[dict[str, Any]]:
    options = {"MaxNumberOfMessages": 10, "AttributeNames": ["All"], **options}
    answer = await sqs.call("receive_message", QueueUrl=url, **options)
    messages: list[dict[str, Any]] = answer.get("Messages", [])
    return messages


async def delete(sqs: Sqs, url: str, message: dict[str, Any]) -> None:
    await sqs.call("delete_message", QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


async def test_a_group_comes_in_order_and_blocks_while_in_flight(sqs: Sqs) -> None:
    url = await fifo(sqs)
    for body in "abc":
        await send(sqs, url, body)
    (first,) = await receive(sqs, url, MaxNumberOfMessages=1)
    assert first["Body"] == "a"
    assert await receive(sqs, url) == []
    await delete(sqs, url, first)
    assert [message["Body"] for message in await receive(sqs, url)] == ["b", "c"]


async def test_groups_do_not_block_one_another(sqs: Sqs) -> None:
    url = await fifo(sqs)
    for group in ("x", "y"):
        for number in range(3):
            await send(sqs, url, f"{group}{number}", group)
    first = await receive(sqs, url, MaxNumberOfMessages=1)
    rest = await receive(sqs, url)
    assert first[0]["Body"] == "x0"
    assert [message["Body"] for message in rest] == ["y0", "y1", "y2"]


async def test_a_group_that_came_back_begins_where_it_was(sqs: Sqs) -> None:
    url = await fifo(sqs, VisibilityTimeout="5")
    for body in "abc":
        await send(sqs, url, body)
    assert len(await receive(sqs, url, MaxNumberOfMessages=2)) == 2
    sqs.clock.ahead_s += 5
    again = await receive(sqs, url)
    assert [message["Body"] for message in again] == ["a", "b", "c"]
    counts = [message["Attributes"]["ApproximateReceiveCount"] for message in again]
    assert counts == ["2", "2", "1"]


async def test_a_duplicate_gets_the_original_id_even_after_the_message_is_gone(sqs: Sqs) -> None:
    url = await fifo(sqs)
    sent = await send(sqs, url, "a")
    (message,) = await receive(sqs, url)
    await delete(sqs, url, message)
    again = await send(sqs, url, "a")
    assert again["MessageId"] == sent["MessageId"]
    assert again["SequenceNumber"] == sent["SequenceNumber"]
    assert await receive(sqs, url) == []
    sqs.clock.ahead_s += 300
    later = await send(sqs, url, "a")
    assert later["MessageId"] != sent["MessageId"]
    assert int(later["SequenceNumber"]) > int(sent["SequenceNumber"])


async def test_content_may_be_what_is_deduplicated(sqs: Sqs) -> None:
    url = await fifo(sqs, ContentBasedDeduplication="true")
    for _ in range(2):
        await sqs.call("send_message", QueueUrl=url, MessageBody="a", MessageGroupId="g")
    assert len(await receive(sqs, url)) == 1


async def test_deduplication_can_be_scoped_to_the_group(sqs: Sqs) -> None:
    url = await fifo(sqs, DeduplicationScope="messageGroup")
    await send(sqs, url, "a", "x")
    await send(sqs, url, "a", "y")
    await send(sqs, url, "a", "y")
    assert len(await receive(sqs, url)) == 2


async def test_a_repeated_receive_attempt_gets_the_same_messages(sqs: Sqs) -> None:
    url = await fifo(sqs)
    await send(sqs, url, "a")
    first = await receive(sqs, url, ReceiveRequestAttemptId="try")
    again = await receive(sqs, url, ReceiveRequestAttemptId="try")
    assert [one["MessageId"] for one in first] == [one["MessageId"] for one in again]
    assert await receive(sqs, url, ReceiveRequestAttemptId="other") == []


async def test_an_expired_receipt_deletes_nothing(sqs: Sqs) -> None:
    url = await fifo(sqs, VisibilityTimeout="1")
    await send(sqs, url, "a")
    (message,) = await receive(sqs, url)
    sqs.clock.ahead_s += 1
    code, text = await sqs.refused(
        "delete_message", QueueUrl=url, ReceiptHandle=message["ReceiptHandle"]
    )
    assert code == "InvalidParameterValue"
    assert text.endswith("Reason: The receipt handle has expired.")


async def test_what_a_fifo_queue_needs_is_asked_for(sqs: Sqs) -> None:
    url = await fifo(sqs)
    code, text = await sqs.refused("send_message", QueueUrl=url, MessageBody="a")
    assert (code, text) == (
        "MissingParameter", "The request must contain the parameter MessageGroupId.",
    )  # fmt: skip
    code, text = await sqs.refused(
        "send_message", QueueUrl=url, MessageBody="a", MessageGroupId="g"
    )
    assert code == "InvalidParameterValue"
    assert text.startswith("The queue should either have ContentBasedDeduplication enabled")


async def test_many_groups_each_keep_their_order(sqs: Sqs) -> None:
    url = await fifo(sqs)
    groups = [f"g{number % 7}" for number in range(70)]
    for start in range(0, 70, 10):
        entries = [
            {
                "Id": str(number),
                "MessageBody": str(number),
                "MessageGroupId": groups[number],
                "MessageDeduplicationId": str(number),
            }
            for number in range(start, start + 10)
        ]
        answer = await sqs.call("send_message_batch", QueueUrl=url, Entries=entries)
        assert "Failed" not in answer
    seen: dict[str, list[int]] = defaultdict(list)
    while messages := await receive(sqs, url, MaxNumberOfMessages=3):
        for message in messages:
            seen[message["Attributes"]["MessageGroupId"]].append(int(message["Body"]))
            await delete(sqs, url, message)
    assert sum(map(len, seen.values())) == 70
    assert all(numbers == sorted(numbers) for numbers in seen.values())


async def test_a_redriven_message_unblocks_its_group(sqs: Sqs) -> None:
    await sqs.queue("dead.fifo", FifoQueue="true")
    arn = sqs.service.arn("dead.fifo")
    policy = f'{{"deadLetterTargetArn":"{arn}","maxReceiveCount":1}}'
    url = await fifo(sqs, RedrivePolicy=policy, VisibilityTimeout="1")
    await send(sqs, url, "poison")
    await send(sqs, url, "next")
    assert len(await receive(sqs, url, MaxNumberOfMessages=1)) == 1
    sqs.clock.ahead_s += 1
    assert [message["Body"] for message in await receive(sqs, url)] == ["next"]
