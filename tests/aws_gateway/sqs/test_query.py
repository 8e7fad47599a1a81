"""The query protocol: forms in, XML out, as older SDKs and curl speak it."""

import asyncio
import http.client

from tests.aws_gateway.sqs.conftest import Sqs


async def test_a_message_through_forms(sqs: Sqs) -> None:
    status, answer = await sqs.form(
        Action="CreateQueue",
        QueueName="jobs",
        **{"Attribute.1.Name": "VisibilityTimeout", "Attribute.1.Value": "9", "Tag.1.Key": "a",
           "Tag.1.Value": "b"},
    )  # fmt: skip
    assert (status, answer.tag) == (200, "CreateQueueResponse")
    url = answer.findtext("CreateQueueResult/QueueUrl")
    assert url is not None
    path = "/000000000000/jobs"
    _, sent = await sqs.form(
        path,
        Action="SendMessage",
        MessageBody="a < b & c",
        **{
            "MessageAttribute.1.Name": "kind",
            "MessageAttribute.1.Value.DataType": "String",
            "MessageAttribute.1.Value.StringValue": "x",
        },
    )
    _, received = await sqs.form(
        path,
        Action="ReceiveMessage",
        **{"AttributeName.1": "All", "MessageAttributeName.1": "All"},
    )
    message = received.find("ReceiveMessageResult/Message")
    assert message is not None
    assert message.findtext("Body") == "a < b & c"
    assert message.findtext("MessageId") == sent.findtext("SendMessageResult/MessageId")
    assert message.findtext("MessageAttribute/Name") == "kind"
    assert message.findtext("MessageAttribute/Value/StringValue") == "x"
    names = [one.findtext("Name") for one in message.findall("Attribute")]
    assert "SentTimestamp" in names
    handle = message.findtext("ReceiptHandle") or ""
    status, deleted = await sqs.form(path, Action="DeleteMessage", ReceiptHandle=handle)
    assert (status, deleted.tag) == (200, "DeleteMessageResponse")
    _, tags = await sqs.form(path, Action="ListQueueTags")
    assert tags.findtext("ListQueueTagsResult/Tag/Key") == "a"


async def test_batches_through_forms(sqs: Sqs) -> None:
    await sqs.queue()
    path = "/000000000000/jobs"
    _, answer = await sqs.form(
        path,
        Action="SendMessageBatch",
        **{
            "SendMessageBatchRequestEntry.1.Id": "a",
            "SendMessageBatchRequestEntry.1.MessageBody": "1",
            "SendMessageBatchRequestEntry.2.Id": "b",
            "SendMessageBatchRequestEntry.2.MessageBody": "2",
            "SendMessageBatchRequestEntry.2.DelaySeconds": "9999",
        },
    )
    result = answer.find("SendMessageBatchResult")
    assert result is not None
    assert result.findtext("SendMessageBatchResultEntry/Id") == "a"
    assert result.findtext("BatchResultErrorEntry/Id") == "b"
    assert result.findtext("BatchResultErrorEntry/SenderFault") == "true"


async def test_refusals_are_xml_with_the_older_code(sqs: Sqs) -> None:
    status, answer = await sqs.form(Action="GetQueueUrl", QueueName="nowhere")
    assert status == 400
    assert answer.findtext("Error/Code") == "AWS.SimpleQueueService.NonExistentQueue"
    assert answer.findtext("Error/Type") == "Sender"
    assert answer.findtext("RequestId")
    status, answer = await sqs.form(Action="Nonsense")
    assert answer.findtext("Error/Code") == "InvalidAction"
    status, answer = await sqs.form()
    assert answer.findtext("Error/Code") == "MissingAction"


def raw(port: int, body: bytes, target: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", "/", body, {"X-Amz-Target": target})
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


async def test_garbage_is_refused_in_json(sqs: Sqs) -> None:
    for body, target in (
        (b"{", "AmazonSQS.SendMessage"),
        (b"[1]", "AmazonSQS.SendMessage"),
        (b'{"QueueUrl":1}', "AmazonSQS.SendMessage"),
        (b'{"MaxNumberOfMessages":1e999}', "AmazonSQS.ReceiveMessage"),
        (b'{"MaxNumberOfMessages":99999999999999999999999}', "AmazonSQS.ReceiveMessage"),
        (b'{"QueueUrl":"\\ud800","MessageBody":"x"}', "AmazonSQS.SendMessage"),
        (b'{"QueueName":"a","Attributes":{"\\udfff":"1"}}', "AmazonSQS.CreateQueue"),
        (b"{}", "AmazonSQS.Nonsense"),
        (b"\xff\xfe", "AmazonSQS.ListQueues"),
        (b"[" * 100_000, "AmazonSQS.ListQueues"),
    ):
        status, answer = await asyncio.to_thread(raw, sqs.port, body, target)
        assert status == 400
        assert b'"__type"' in answer
