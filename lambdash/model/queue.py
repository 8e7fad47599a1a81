"""SQS's nouns: a queue with its attributes, and a message as it is sent and as it is received."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

FIFO_SUFFIX = ".fifo"

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
DEFAULTS: Mapping[str, str] = {
    "DelaySeconds": "0",
    "MaximumMessageSize": "1048576",
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "VisibilityTimeout": "30",
    "SqsManagedSseEnabled": "true",
}
FIFO_DEFAULTS: Mapping[str, str] = {
    "FifoQueue": "true",
    "ContentBasedDeduplication": "false",
    "DeduplicationScope": "queue",
    "FifoThroughputLimit": "perQueue",
}


@dataclass(frozen=True, slots=True)
class Redrive:
    """Where messages go that were received ``max_receives`` times and not deleted."""

    dead_letter_arn: str
    max_receives: int


@dataclass(frozen=True)
class Queue:
    """One queue. ``given`` are the attributes its owner set, as strings (AWS's own form).

    Times are epoch seconds. ``id`` is its row; it is never used again.
    """

    id: int
    name: str
    arn: str
    given: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    created_at: float = 0.0
    modified_at: float = 0.0
    purged_at: float | None = None

    @property
    def is_fifo(self) -> bool:
        """Whether order and deduplication hold."""
        return self.name.endswith(FIFO_SUFFIX)

    @cached_property
    def attributes(self) -> Mapping[str, str]:
        """What was set, over the defaults."""
        return {**DEFAULTS, **(FIFO_DEFAULTS if self.is_fifo else {}), **self.given}

    @cached_property
    def visibility_timeout_s(self) -> int:
        return int(self.attributes["VisibilityTimeout"])

    @cached_property
    def delay_s(self) -> int:
        return int(self.attributes["DelaySeconds"])

    @cached_property
    def retention_s(self) -> int:
        return int(self.attributes["MessageRetentionPeriod"])

    @cached_property
    def wait_s(self) -> int:
        return int(self.attributes["ReceiveMessageWaitTimeSeconds"])

    @cached_property
    def message_max_bytes(self) -> int:
        return int(self.attributes["MaximumMessageSize"])

    @cached_property
    def deduplicates_by_content(self) -> bool:
        return self.attributes.get("ContentBasedDeduplication") == "true"

    @cached_property
    def deduplicates_by_group(self) -> bool:
        return self.attributes.get("DeduplicationScope") == "messageGroup"

    @cached_property
    def redrive(self) -> Redrive | None:
        """The redrive policy; it was validated when it was set."""
        text = self.attributes.get("RedrivePolicy")
        if not text:
            return None
        policy = json.loads(text)
        return Redrive(policy["deadLetterTargetArn"], int(policy["maxReceiveCount"]))


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A message as it is sent. ``attributes`` are as AWS's ``MessageAttributes``, JSON-ready.

    ``delay_s`` is None for the queue's own. ``deduplication_id`` is never None on a FIFO queue.
    """

    message_id: str
    body: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    trace_header: str | None = None
    delay_s: int | None = None
    group_id: str | None = None
    deduplication_id: str | None = None


@dataclass(frozen=True, slots=True)
class SentMessage:
    """What the sender learns; a duplicate gets the original's. ``sequence_number``: FIFO only."""

    message_id: str
    sequence_number: str | None = None


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A message as one receive hands it out. Times are epoch seconds."""

    message_id: str
    receipt_handle: str
    body: str
    attributes: Mapping[str, Any]
    sent_at: float
    receives: int
    first_received_at: float
    trace_header: str | None = None
    group_id: str | None = None
    deduplication_id: str | None = None
    sequence_number: str | None = None
    source_arn: str | None = None


@dataclass(frozen=True, slots=True)
class Receive:
    """What one ReceiveMessage asks for. ``visibility_s`` None is the queue's own."""

    maximum: int = 1
    visibility_s: int | None = None
    attempt_id: str | None = None


@dataclass(frozen=True, slots=True)
class MessageCounts:
    """``ApproximateNumberOfMessages``, ``...NotVisible`` and ``...Delayed``."""

    visible: int
    in_flight: int
    delayed: int
