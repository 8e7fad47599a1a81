"""Queues as such: names, attributes, tags, policies, and AWS's words for what is refused."""

import json

import pytest

from tests.aws_gateway.sqs.conftest import Sqs


async def test_the_same_queue_again_is_no_error_but_another_is(sqs: Sqs) -> None:
    url = await sqs.queue(VisibilityTimeout="5")
    assert await sqs.queue(VisibilityTimeout="5") == url
    assert await sqs.queue() == url
    code, message = await sqs.refused(
        "create_queue", QueueName="jobs", Attributes={"VisibilityTimeout": "6"}
    )
    assert code == "QueueAlreadyExists"
    assert message == (
        "A queue already exists with the same name and a different value for attribute "
        "VisibilityTimeout"
    )


async def test_defaults_are_awss(sqs: Sqs) -> None:
    url = await sqs.queue()
    answer = await sqs.call("get_queue_attributes", QueueUrl=url, AttributeNames=["All"])
    found = answer["Attributes"]
    assert found["QueueArn"] == "arn:aws:sqs:us-east-1:000000000000:jobs"
    assert found["VisibilityTimeout"] == "30"
    assert found["MaximumMessageSize"] == "1048576"
    assert found["MessageRetentionPeriod"] == "345600"
    assert found["SqsManagedSseEnabled"] == "true"
    assert "RedrivePolicy" not in found
    assert "FifoQueue" not in found


@pytest.mark.parametrize(
    ("name", "attributes", "code"),
    [
        ("a b", {}, "InvalidParameterValue"),
        ("x" * 81, {}, "InvalidParameterValue"),
        ("jobs.fifo", {}, "InvalidParameterValue"),
        ("jobs", {"FifoQueue": "true"}, "InvalidParameterValue"),
        ("jobs", {"FifoQueue": "false"}, "InvalidAttributeName"),
        ("jobs", {"ContentBasedDeduplication": "true"}, "InvalidAttributeName"),
        ("jobs", {"Colour": "red"}, "InvalidAttributeName"),
        ("jobs", {"VisibilityTimeout": "-1"}, "InvalidAttributeValue"),
        ("jobs", {"VisibilityTimeout": "43201"}, "InvalidAttributeValue"),
        ("jobs", {"DelaySeconds": "soon"}, "InvalidAttributeValue"),
        ("jobs", {"Policy": "{"}, "InvalidAttributeValue"),
        ("jobs", {"RedrivePolicy": "{"}, "InvalidParameterValue"),
        ("jobs", {"RedrivePolicy": '{"maxReceiveCount":1}'}, "InvalidParameterValue"),
    ],
)
async def test_what_is_no_queue_is_refused(
    sqs: Sqs, name: str, attributes: dict[str, str], code: str
) -> None:
    refused = await sqs.refused("create_queue", QueueName=name, Attributes=attributes)
    assert refused[0] == code


async def test_attributes_can_be_set_and_cleared(sqs: Sqs) -> None:
    await sqs.queue("dead")
    policy = json.dumps({"deadLetterTargetArn": sqs.service.arn("dead"), "maxReceiveCount": "3"})
    url = await sqs.queue()
    for value in (policy, ""):
        await sqs.call("set_queue_attributes", QueueUrl=url, Attributes={"RedrivePolicy": value})
        answer = await sqs.call(
            "get_queue_attributes", QueueUrl=url, AttributeNames=["RedrivePolicy"]
        )
        shown = answer.get("Attributes", {}).get("RedrivePolicy")
        assert (shown is None) == (value == "")
        if shown is not None:
            assert json.loads(shown)["maxReceiveCount"] == 3


async def test_a_queue_that_is_not_there_is_named_so_everywhere(sqs: Sqs) -> None:
    url = "http://127.0.0.1/000000000000/nowhere"
    for operation, parameters in (
        ("send_message", {"MessageBody": "x"}),
        ("receive_message", {}),
        ("delete_queue", {}),
        ("get_queue_attributes", {}),
        ("purge_queue", {}),
        ("list_queue_tags", {}),
    ):
        code, message = await sqs.refused(operation, QueueUrl=url, **parameters)
        assert code == "AWS.SimpleQueueService.NonExistentQueue"
        assert message == "The specified queue does not exist."


async def test_queues_are_listed_by_prefix_and_page(sqs: Sqs) -> None:
    assert await sqs.call("list_queues") == {}
    for name in ("a-1", "a-2", "a-3", "b-1"):
        await sqs.queue(name)
    first = await sqs.call("list_queues", QueueNamePrefix="a-", MaxResults=2)
    assert [url.rpartition("/")[2] for url in first["QueueUrls"]] == ["a-1", "a-2"]
    second = await sqs.call(
        "list_queues", QueueNamePrefix="a-", MaxResults=2, NextToken=first["NextToken"]
    )
    assert [url.rpartition("/")[2] for url in second["QueueUrls"]] == ["a-3"]
    assert "NextToken" not in second


async def test_tags_are_kept(sqs: Sqs) -> None:
    url = (await sqs.call("create_queue", QueueName="jobs", tags={"a": "1"}))["QueueUrl"]
    await sqs.call("tag_queue", QueueUrl=url, Tags={"b": "2"})
    await sqs.call("untag_queue", QueueUrl=url, TagKeys=["a"])
    assert await sqs.call("list_queue_tags", QueueUrl=url) == {"Tags": {"b": "2"}}


async def test_permissions_become_a_policy(sqs: Sqs) -> None:
    url = await sqs.queue()
    await sqs.call(
        "add_permission",
        QueueUrl=url,
        Label="share",
        AWSAccountIds=["111111111111"],
        Actions=["SendMessage"],
    )
    answer = await sqs.call("get_queue_attributes", QueueUrl=url, AttributeNames=["Policy"])
    (statement,) = json.loads(answer["Attributes"]["Policy"])["Statement"]
    assert statement["Action"] == "SQS:SendMessage"
    await sqs.call("remove_permission", QueueUrl=url, Label="share")
    answer = await sqs.call("get_queue_attributes", QueueUrl=url, AttributeNames=["Policy"])
    assert answer == {}


async def test_bad_messages_are_refused_in_awss_words(sqs: Sqs) -> None:
    url = await sqs.queue()
    code, message = await sqs.refused("send_message", QueueUrl=url, MessageBody="\x00")
    assert code == "InvalidMessageContents"
    code, message = await sqs.refused("send_message", QueueUrl=url, MessageBody="x" * 1_048_577)
    assert (code, message) == (
        "InvalidParameterValue",
        "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes.",
    )
    code, message = await sqs.refused("receive_message", QueueUrl=url, MaxNumberOfMessages=11)
    assert (code, message) == (
        "InvalidParameterValue",
        "Value 11 for parameter MaxNumberOfMessages is invalid. "
        "Reason: Must be between 1 and 10, if provided.",
    )


async def test_a_deleted_queue_is_empty_when_it_is_made_anew(sqs: Sqs) -> None:
    url = await sqs.queue()
    await sqs.call("send_message", QueueUrl=url, MessageBody="old")
    await sqs.call("delete_queue", QueueUrl=url)
    assert await sqs.bodies(await sqs.queue()) == []
