"""SQS messages as a function gets them. Pure.

Shape: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html (example event).
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from lambdash.messaging.sqs.messages import md5_of_attributes, md5_of_body, system_attributes
from lambdash.model.queue import ReceivedMessage


def record(message: ReceivedMessage, queue_arn: str) -> dict[str, Any]:
    """One entry of ``Records``."""
    region, account = queue_arn.split(":")[3:5]
    found = {
        "messageId": message.message_id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": system_attributes(message, account),
        "messageAttributes": {
            name: _attribute(value) for name, value in message.attributes.items()
        },
        "md5OfBody": md5_of_body(message.body),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": region,
    }
    digest = md5_of_attributes(message.attributes)
    if digest is not None:
        found["md5OfMessageAttributes"] = digest
    return found


def event(records: Sequence[Mapping[str, Any]]) -> bytes:
    """The payload of a batch."""
    return json.dumps({"Records": records}, separators=(",", ":")).encode()


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": value["DataType"],
    }
    if "StringValue" in value:
        found["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        found["binaryValue"] = value["BinaryValue"]
    return found
