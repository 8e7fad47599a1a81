"""Messages on the wire: what may be sent, its MD5s, and what a receive shows of one. Pure.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
"""

import base64
import binascii
import hashlib
import re
import struct
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from lambdash import limits
from lambdash.messaging.sqs.errors import SqsError, invalid, missing
from lambdash.model.queue import OutgoingMessage, Queue, ReceivedMessage

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ATTRIBUTE_NAME = re.compile(r"[A-Za-z0-9_.-]{1,256}")
_DATA_TYPE = re.compile(r"(String|Number|Binary)(\..+)?")
_IDENTIFIER = re.compile(r"[!-~]{1,128}")
_TRACE_HEADER = "AWSTraceHeader"
_WRONG_QUEUE_TYPE = "The request include parameter that is not valid for this queue type"


def outgoing(queue: Queue, asked: Mapping[str, Any]) -> OutgoingMessage:
    """A SendMessage (or an entry of a batch) as the store takes it. Raises ``SqsError``."""
    body = asked.get("MessageBody")
    if not body:
        raise missing("MessageBody")
    if not isinstance(body, str):
        raise SqsError("InvalidMessageContents", "The message body must be a string.")
    if _ILLEGAL.search(body):
        raise SqsError(
            "InvalidMessageContents",
            "Invalid characters found. Valid unicode characters are "
            "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
        )
    attributes = asked.get("MessageAttributes") or {}
    check_attributes(attributes)
    if size_bytes(asked) > queue.message_max_bytes:
        raise SqsError(
            "InvalidParameterValue",
            "One or more parameters are invalid. Reason: Message must be shorter than "
            f"{queue.message_max_bytes} bytes.",
        )
    return OutgoingMessage(
        message_id=str(uuid.uuid4()),
        body=body,
        attributes=attributes,
        trace_header=_trace_header(asked),
        delay_s=_delay_s(queue, asked),
        group_id=_group_id(queue, asked),
        deduplication_id=_deduplication_id(queue, asked, body),
    )


def size_bytes(asked: Mapping[str, Any]) -> int:
    """What counts against the maximum: the body, and the attributes' names, types and values."""
    total = len(str(asked.get("MessageBody", "")).encode("utf-8", "surrogatepass"))
    for name, value in (asked.get("MessageAttributes") or {}).items():
        total += len(name.encode()) + len(str(value.get("DataType", "")).encode())
        if "StringValue" in value:
            total += len(str(value["StringValue"]).encode("utf-8", "surrogatepass"))
        elif "BinaryValue" in value:
            total += len(_binary(name, value["BinaryValue"]))
    return total


def check_attributes(attributes: Mapping[str, Any]) -> None:
    """Raise ``SqsError`` for what AWS refuses of message attributes."""
    if len(attributes) > limits.SQS_MESSAGE_ATTRIBUTES_MAX:
        raise SqsError(
            "InvalidParameterValue",
            f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum "
            f"[{limits.SQS_MESSAGE_ATTRIBUTES_MAX}].",
        )
    for name, value in attributes.items():
        _check_attribute(name, value)


def _check_attribute(name: str, value: Any) -> None:
    def refuse(message: str) -> SqsError:
        return SqsError("InvalidParameterValue", message)

    lowered = name.lower()
    if not _ATTRIBUTE_NAME.fullmatch(name) or lowered.startswith(("aws.", "amazon.")):
        raise refuse(
            f"Message (user) attribute name '{name}' is invalid: it can only contain A-Z, a-z, "
            "0-9, underscore (_), hyphen (-), and period (.), and no reserved prefix."
        )
    kind = value.get("DataType") if isinstance(value, Mapping) else None
    if not kind:
        raise refuse(
            f"The message (user) attribute '{name}' must contain a non-empty message attribute "
            "type."
        )
    matched = _DATA_TYPE.fullmatch(str(kind))
    if matched is None:
        raise refuse(
            f"The type of message (user) attribute '{name}' is invalid. You must use only the "
            "following supported type prefixes: Binary, Number, String."
        )
    member = "BinaryValue" if matched[1] == "Binary" else "StringValue"
    given = value.get(member)
    if not given:
        raise refuse(
            f"The message (user) attribute '{name}' must contain a non-empty value of type "
            f"'{matched[1]}'."
        )
    if matched[1] == "Number" and not _is_number(str(given)):
        raise refuse(f"Can't cast the value of message (user) attribute '{name}' to a number.")
    if member == "StringValue" and _ILLEGAL.search(str(given)):
        raise refuse(f"Invalid binary character in message (user) attribute '{name}'.")


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text) is not None


def _trace_header(asked: Mapping[str, Any]) -> str | None:
    system = asked.get("MessageSystemAttributes") or {}
    for name, value in system.items():
        if name != _TRACE_HEADER:
            raise SqsError(
                "InvalidParameterValue",
                f"Message system attribute name '{name}' is invalid.",
            )
        text = value.get("StringValue")
        if not text:
            raise SqsError(
                "InvalidParameterValue",
                f"The message system attribute '{name}' must contain a non-empty value.",
            )
        return str(text)
    return None


def _delay_s(queue: Queue, asked: Mapping[str, Any]) -> int | None:
    delay_s: int | None = asked.get("DelaySeconds")
    if delay_s is None:
        return None
    if not 0 <= delay_s <= limits.SQS_DELAY_MAX_S:
        raise invalid(
            delay_s, "DelaySeconds", f"DelaySeconds must be >= 0 and <= {limits.SQS_DELAY_MAX_S}."
        )
    if queue.is_fifo and delay_s > 0:
        raise invalid(delay_s, "DelaySeconds", f"{_WRONG_QUEUE_TYPE}.")
    return None if queue.is_fifo else delay_s


def _group_id(queue: Queue, asked: Mapping[str, Any]) -> str | None:
    group_id: str | None = asked.get("MessageGroupId")
    if group_id is None:
        if queue.is_fifo:
            raise missing("MessageGroupId")
        return None
    return _identifier("MessageGroupId", group_id)


def _deduplication_id(queue: Queue, asked: Mapping[str, Any], body: str) -> str | None:
    given: str | None = asked.get("MessageDeduplicationId")
    if not queue.is_fifo:
        if given is not None:
            raise invalid(
                given,
                "MessageDeduplicationId",
                "The request includes a parameter that is not valid for this queue type",
            )
        return None
    if given is not None:
        return _identifier("MessageDeduplicationId", given)
    if not queue.deduplicates_by_content:
        raise SqsError(
            "InvalidParameterValue",
            "The queue should either have ContentBasedDeduplication enabled or "
            "MessageDeduplicationId provided explicitly",
        )
    return hashlib.sha256(body.encode()).hexdigest()


def _identifier(parameter: str, value: str) -> str:
    if not _IDENTIFIER.fullmatch(value):
        raise invalid(
            value,
            parameter,
            f"{parameter} can only include alphanumeric and punctuation characters. "
            "1 to 128 in length.",
        )
    return value


# -- digests -----------------------------------------------------------------------------------


def md5_of_body(body: str) -> str:
    """``MD5OfMessageBody``."""
    return hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()


def md5_of_attributes(attributes: Mapping[str, Any]) -> str | None:
    """``MD5OfMessageAttributes`` as clients compute it; None where there are none."""
    if not attributes:
        return None
    digest = hashlib.md5(usedforsecurity=False)
    for name in sorted(attributes):
        value = attributes[name]
        kind = str(value["DataType"])
        digest.update(_framed(name.encode()) + _framed(kind.encode()))
        if kind.startswith("Binary"):
            digest.update(b"\2" + _framed(_binary(name, value["BinaryValue"])))
        else:
            digest.update(b"\1" + _framed(str(value["StringValue"]).encode()))
    return digest.hexdigest()


def _framed(part: bytes) -> bytes:
    return struct.pack("!I", len(part)) + part


def _binary(name: str, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError, TypeError) as error:
        message = f"The message (user) attribute '{name}' is not valid Base64."
        raise SqsError("InvalidParameterValue", message) from error


# -- what a receive shows ----------------------------------------------------------------------


def shown(
    message: ReceivedMessage, system_names: Sequence[str], names: Sequence[str], account: str
) -> dict[str, Any]:
    """An entry of ``Messages``; only what was asked for by name, ``All`` or ``prefix.*``."""
    entry: dict[str, Any] = {
        "MessageId": message.message_id,
        "ReceiptHandle": message.receipt_handle,
        "MD5OfBody": md5_of_body(message.body),
        "Body": message.body,
    }
    system = system_attributes(message, account)
    if "All" not in system_names:
        system = {name: value for name, value in system.items() if name in system_names}
    if system:
        entry["Attributes"] = system
    chosen = {name: v for name, v in message.attributes.items() if _is_wanted(name, names)}
    if chosen:
        entry["MessageAttributes"] = chosen
        entry["MD5OfMessageAttributes"] = md5_of_attributes(chosen)
    return entry


def system_attributes(message: ReceivedMessage, account: str) -> dict[str, str]:
    """Everything SQS knows of a message. Times are milliseconds since 1970, as text."""
    found = {
        "SenderId": account,
        "SentTimestamp": str(int(message.sent_at * 1000)),
        "ApproximateReceiveCount": str(message.receives),
        "ApproximateFirstReceiveTimestamp": str(int(message.first_received_at * 1000)),
    }
    optional = {
        "AWSTraceHeader": message.trace_header,
        "DeadLetterQueueSourceArn": message.source_arn,
        "MessageDeduplicationId": message.deduplication_id,
        "MessageGroupId": message.group_id,
        "SequenceNumber": message.sequence_number,
    }
    found.update({name: value for name, value in optional.items() if value is not None})
    return found


def _is_wanted(name: str, patterns: Sequence[str]) -> bool:
    for pattern in patterns:
        if pattern in ("All", ".*", name):
            return True
        if pattern.endswith(".*") and name.startswith(pattern[:-1]):
            return True
    return False
