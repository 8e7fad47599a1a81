"""Which attributes a queue may have, and which values. Pure.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from lambdash import limits
from lambdash.messaging.sqs.errors import SqsError
from lambdash.model.queue import FIFO_SUFFIX

_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_FIFO_NAME = re.compile(r"(?=.{1,80}\Z)[A-Za-z0-9_-]+\.fifo")
_RANGES: Mapping[str, tuple[int, int]] = {
    "DelaySeconds": (0, limits.SQS_DELAY_MAX_S),
    "MaximumMessageSize": (1024, limits.SQS_MESSAGE_MAX_BYTES),
    "MessageRetentionPeriod": (limits.SQS_RETENTION_MIN_S, limits.SQS_RETENTION_MAX_S),
    "ReceiveMessageWaitTimeSeconds": (0, limits.SQS_WAIT_MAX_S),
    "VisibilityTimeout": (0, limits.SQS_VISIBILITY_MAX_S),
    "KmsDataKeyReusePeriodSeconds": (60, 86_400),
}
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "ContentBasedDeduplication": ("true", "false"),
    "DeduplicationScope": ("queue", "messageGroup"),
    "FifoThroughputLimit": ("perQueue", "perMessageGroupId"),
    "SqsManagedSseEnabled": ("true", "false"),
}
_FIFO_ONLY = frozenset(("ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"))
_MAX_RECEIVES = 1_000

# What AWS takes away when it is set to nothing.
_CLEARABLE = frozenset(
    ("Policy", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId")
)  # fmt: skip

# Finds out whether a dead-letter queue exists: its ARN in, its name out, or None.
QueueOfArn = Callable[[str], str | None]


def check_name(name: str) -> None:
    """Raise ``SqsError`` for what is no queue's name."""
    if name.endswith(FIFO_SUFFIX):
        if not _FIFO_NAME.fullmatch(name):
            raise SqsError(
                "InvalidParameterValue",
                "The name of a FIFO queue can only include alphanumeric characters, hyphens, or "
                "underscores, must end with .fifo suffix and be 1 to 80 in length.",
            )
    elif not _NAME.fullmatch(name):
        raise SqsError(
            "InvalidParameterValue",
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
        )


def check_new(name: str, attributes: Mapping[str, str]) -> None:
    """What only creating a queue can say: whether it is FIFO."""
    fifo = attributes.get("FifoQueue")
    if fifo is None:
        if name.endswith(FIFO_SUFFIX):
            raise SqsError(
                "InvalidParameterValue",
                "Can only include alphanumeric characters, hyphens, or underscores. "
                "1 to 80 in length",
            )
        return
    if fifo != "true":
        raise SqsError("InvalidAttributeName", "Unknown Attribute FifoQueue.")
    if not name.endswith(FIFO_SUFFIX):
        raise SqsError(
            "InvalidParameterValue",
            "The name of a FIFO queue can only include alphanumeric characters, hyphens, or "
            "underscores, must end with .fifo suffix and be 1 to 80 in length.",
        )


def checked(
    name: str, attributes: Mapping[str, str], queue_of_arn: QueueOfArn
) -> dict[str, str | None]:
    """The attributes as they are kept; None takes one away. Raises ``SqsError``."""
    return {key: _checked(name, key, value, queue_of_arn) for key, value in attributes.items()}


def _checked(queue: str, name: str, value: str, queue_of_arn: QueueOfArn) -> str | None:
    is_fifo = queue.endswith(FIFO_SUFFIX)
    if name in _CLEARABLE and not value:
        return None
    if name in _RANGES:
        return _in_range(name, value)
    if name in _CHOICES and (is_fifo or name not in _FIFO_ONLY):
        return _one_of(name, value, _CHOICES[name])
    if name == "FifoQueue":
        return _one_of(name, value, ("true",) if is_fifo else ())
    if name == "RedrivePolicy":
        return _redrive_policy(queue, value, queue_of_arn)
    return _free(name, value)


def _in_range(name: str, value: str) -> str:
    low, high = _RANGES[name]
    if not re.fullmatch(r"\d{1,9}", value) or not low <= int(value) <= high:
        raise _bad(name)
    return str(int(value))


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise _bad(name)
    return value


def _free(name: str, value: str) -> str:
    if name in ("Policy", "RedriveAllowPolicy"):
        _json_object(name, value)
    elif name != "KmsMasterKeyId":
        raise SqsError("InvalidAttributeName", f"Unknown Attribute {name}.")
    return value


def _bad(name: str) -> SqsError:
    return SqsError("InvalidAttributeValue", f"Invalid value for the parameter {name}.")


def _json_object(name: str, value: str) -> dict[str, Any]:
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _bad(name)
    return found


def _redrive_policy(queue: str, value: str, queue_of_arn: QueueOfArn) -> str:
    def refuse(reason: str) -> SqsError:
        return SqsError(
            "InvalidParameterValue",
            f"Value {value} for parameter RedrivePolicy is invalid. Reason: {reason}",
        )

    try:
        policy = json.loads(value)
    except (ValueError, RecursionError) as error:
        raise refuse("Redrive policy is not a valid JSON map.") from error
    if not isinstance(policy, dict):
        raise refuse("Redrive policy is not a valid JSON map.")
    for member in ("deadLetterTargetArn", "maxReceiveCount"):
        if member not in policy:
            raise refuse(f"Redrive policy does not contain mandatory attribute: {member}.")
    if len(policy) > 2:
        unknown = next(
            key for key in policy if key not in ("deadLetterTargetArn", "maxReceiveCount")
        )
        raise refuse(f"Redrive policy contains an unknown attribute: {unknown}.")
    text = str(policy["maxReceiveCount"])
    if not re.fullmatch(r"\d{1,9}", text) or not 1 <= int(text) <= _MAX_RECEIVES:
        raise refuse(
            f"Invalid value for maxReceiveCount: {text}, "
            f"valid values are from 1 to {_MAX_RECEIVES} both inclusive."
        )
    target = queue_of_arn(str(policy["deadLetterTargetArn"]))
    if target is None:
        raise refuse("Dead letter target does not exist.")
    if target.endswith(FIFO_SUFFIX) != queue.endswith(FIFO_SUFFIX):
        raise refuse("Dead-letter queue must be same type of queue as the source.")
    return json.dumps(
        {"deadLetterTargetArn": policy["deadLetterTargetArn"], "maxReceiveCount": int(text)}
    )
