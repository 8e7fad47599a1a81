"""SQS's operations on queues: a coroutine each, from checked parameters to a result."""

import json
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from lambdash import limits
from lambdash.aws_gateway.sqs import attributes as queue_attributes
from lambdash.errors import CallerError
from lambdash.messaging.sqs.errors import SqsError, invalid, missing, no_such_queue
from lambdash.messaging.sqs.service import SqsService
from lambdash.model.queue import Queue
from lambdash.storage.queues import registry

Parameters: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One request: what was asked, and the base of the URLs its answer may hold."""

    service: SqsService
    parameters: Parameters
    base_url: str

    def url(self, name: str) -> str:
        """A queue's URL as this caller reaches it."""
        return f"{self.base_url}/{self.service.account}/{name}"

    def text(self, name: str) -> str:
        """A parameter that must be there. Raises ``SqsError``."""
        value = self.parameters.get(name)
        if value is None or value == "":
            raise missing(name)
        return str(value)

    @property
    def queue(self) -> str:
        """The name of the queue that ``QueueUrl`` means; its last path segment."""
        url = self.text("QueueUrl")
        return url.rstrip("/").rpartition("/")[2]


Operation: TypeAlias = Callable[[Call], Awaitable[dict[str, Any]]]


async def create_queue(call: Call) -> dict[str, Any]:
    """``CreateQueue``; the same again is no error."""
    name = call.text("QueueName")
    queue_attributes.check_name(name)
    asked = _strings(call.parameters.get("Attributes") or {})
    queue_attributes.check_new(name, asked)
    given = await _checked(call, name, asked)
    tags = _strings(call.parameters.get("tags") or {})
    _check_tags(tags)
    new = registry.NewQueue(
        name, call.service.arn(name), {k: v for k, v in given.items() if v is not None}, tags
    )
    now = call.service.now()
    try:
        await call.service.read(lambda connection: registry.create(connection, new, now))
    except CallerError as error:
        raise SqsError(
            "QueueNameExists",
            "A queue already exists with the same name and a different value for attribute "
            f"{error.message}",
        ) from error
    return {"QueueUrl": call.url(name)}


async def get_queue_url(call: Call) -> dict[str, Any]:
    """``GetQueueUrl``."""
    name = call.text("QueueName")
    owner = call.parameters.get("QueueOwnerAWSAccountId")
    if owner not in (None, call.service.account):
        raise no_such_queue()
    await call.service.at(name, lambda connection, queue, now: None)
    return {"QueueUrl": call.url(name)}


async def list_queues(call: Call) -> dict[str, Any]:
    """``ListQueues``: at most 1,000, the next page from a token."""
    prefix = str(call.parameters.get("QueueNamePrefix") or "")
    maximum = call.parameters.get("MaxResults")
    if maximum is not None and not 1 <= maximum <= limits.SQS_LIST_MAX:
        raise SqsError("InvalidParameterValue", "Invalid MaxResults parameter.")
    queues = await call.service.read(registry.all_queues)
    names = [queue.name for queue in queues if queue.name.startswith(prefix)]
    return _page(call, "QueueUrls", [call.url(name) for name in names], maximum)


async def delete_queue(call: Call) -> dict[str, Any]:
    """``DeleteQueue``, at once with all that is in it."""
    name = call.queue
    await call.service.read(lambda connection: registry.delete(connection, name))
    call.service.wake(name)
    return {}


async def get_queue_attributes(call: Call) -> dict[str, Any]:
    """``GetQueueAttributes``; nothing asked for, nothing told."""
    names = list(call.parameters.get("AttributeNames") or ())

    def read(connection: sqlite3.Connection, queue: Queue, now: float) -> dict[str, str]:
        counts = registry.counts(connection, queue, now)
        return {
            "QueueArn": queue.arn,
            "ApproximateNumberOfMessages": str(counts.visible),
            "ApproximateNumberOfMessagesNotVisible": str(counts.in_flight),
            "ApproximateNumberOfMessagesDelayed": str(counts.delayed),
            "CreatedTimestamp": str(int(queue.created_at)),
            "LastModifiedTimestamp": str(int(queue.modified_at)),
            **queue.attributes,
        }

    found = await call.service.at(call.queue, read)
    if "All" not in names:
        for name in names:
            if name not in found and name not in _OPTIONAL:
                raise SqsError("InvalidAttributeName", f"Unknown Attribute {name}.")
        found = {name: value for name, value in found.items() if name in names}
    return {"Attributes": found} if found else {}


_OPTIONAL = frozenset(
    (
        "Policy", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId",
        "KmsDataKeyReusePeriodSeconds", "FifoQueue", "ContentBasedDeduplication",
        "DeduplicationScope", "FifoThroughputLimit",
    )
)  # fmt: skip


async def set_queue_attributes(call: Call) -> dict[str, Any]:
    """``SetQueueAttributes``; what is a queue's for life cannot be set to anything else."""
    name = call.queue
    asked = _strings(call.parameters.get("Attributes") or {})
    if not asked:
        raise missing("Attribute.Name")
    await call.service.at(name, lambda connection, queue, now: None)
    given = await _checked(call, name, asked)
    await _change(call, name, given, {})
    call.service.wake(name)
    return {}


async def purge_queue(call: Call) -> dict[str, Any]:
    """``PurgeQueue``, once a minute."""
    name = call.queue

    def purge(connection: sqlite3.Connection, queue: Queue, now: float) -> None:
        if queue.purged_at is not None and now - queue.purged_at < limits.SQS_PURGE_INTERVAL_S:
            raise CallerError("purge-in-progress", name)
        registry.purge(connection, queue, now)

    try:
        await call.service.at(name, purge)
    except CallerError as error:
        if error.code != "purge-in-progress":
            raise
        raise SqsError(
            "PurgeQueueInProgress",
            f"Only one PurgeQueue operation on {name} is allowed every 60 seconds.",
            403,
        ) from error
    return {}


# -- tags and permissions ----------------------------------------------------------------------


async def tag_queue(call: Call) -> dict[str, Any]:
    """``TagQueue``."""
    tags = _strings(call.parameters.get("Tags") or {})
    if not tags:
        raise missing("Tags")
    before = await call.service.at(call.queue, lambda connection, queue, now: queue.tags)
    _check_tags({**before, **tags})
    await _change(call, call.queue, {}, dict(tags))
    return {}


async def untag_queue(call: Call) -> dict[str, Any]:
    """``UntagQueue``."""
    keys = call.parameters.get("TagKeys") or ()
    await _change(call, call.queue, {}, dict.fromkeys(map(str, keys)))
    return {}


async def list_queue_tags(call: Call) -> dict[str, Any]:
    """``ListQueueTags``."""
    tags = await call.service.at(call.queue, lambda connection, queue, now: queue.tags)
    return {"Tags": dict(tags)} if tags else {}


async def add_permission(call: Call) -> dict[str, Any]:
    """``AddPermission``: a statement of the queue's policy. Stored and reported, not enforced."""
    label = call.text("Label")
    accounts = [str(one) for one in call.parameters.get("AWSAccountIds") or ()]
    actions = [str(one) for one in call.parameters.get("Actions") or ()]
    if not accounts:
        raise missing("AWSAccountId")
    if not actions:
        raise missing("ActionName")
    policy = await _policy(call)
    if any(one.get("Sid") == label for one in policy["Statement"]):
        raise invalid(label, "Label", "Already exists.")
    policy["Statement"].append(
        {
            "Sid": label,
            "Effect": "Allow",
            "Principal": {"AWS": _one_or_list([f"arn:aws:iam::{one}:root" for one in accounts])},
            "Action": _one_or_list([f"SQS:{one}" for one in actions]),
            "Resource": call.service.arn(call.queue),
        }
    )
    await _change(call, call.queue, {"Policy": json.dumps(policy)}, {})
    return {}


async def remove_permission(call: Call) -> dict[str, Any]:
    """``RemovePermission``."""
    label = call.text("Label")
    policy = await _policy(call)
    kept = [one for one in policy["Statement"] if one.get("Sid") != label]
    if len(kept) == len(policy["Statement"]):
        raise invalid(label, "Label", "can't find label on existing policy.")
    policy["Statement"] = kept
    await _change(call, call.queue, {"Policy": json.dumps(policy) if kept else None}, {})
    return {}


async def list_dead_letter_source_queues(call: Call) -> dict[str, Any]:
    """``ListDeadLetterSourceQueues``."""

    def read(connection: sqlite3.Connection, queue: Queue, now: float) -> list[str]:
        return [one.name for one in registry.dead_letter_sources(connection, queue.arn)]

    names = await call.service.at(call.queue, read)
    maximum = call.parameters.get("MaxResults")
    return _page(call, "queueUrls", [call.url(name) for name in names], maximum)


# -- shared ------------------------------------------------------------------------------------


async def _checked(call: Call, name: str, asked: Mapping[str, str]) -> dict[str, str | None]:
    names = {queue.arn: queue.name for queue in await call.service.read(registry.all_queues)}
    return queue_attributes.checked(name, asked, names.get)


async def _change(
    call: Call, name: str, given: Mapping[str, str | None], tags: Mapping[str, str | None]
) -> None:
    def change(connection: sqlite3.Connection, queue: Queue, now: float) -> None:
        registry.change(connection, name, given, tags, now)

    await call.service.at(name, change)


async def _policy(call: Call) -> dict[str, Any]:
    given = await call.service.at(call.queue, lambda connection, queue, now: queue.given)
    empty = {
        "Version": "2012-10-17",
        "Id": f"{call.service.arn(call.queue)}/SQSDefaultPolicy",
        "Statement": [],
    }
    found: dict[str, Any] = json.loads(given["Policy"]) if "Policy" in given else empty
    if isinstance(found.get("Statement"), dict):
        found["Statement"] = [found["Statement"]]
    return found


def _one_or_list(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values


def _strings(values: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in values.items()}


def _check_tags(tags: Mapping[str, str]) -> None:
    if len(tags) > limits.SQS_TAGS_MAX:
        raise SqsError(
            "InvalidParameterValue",
            f"Too many tags added for queue. Maximum allowed is {limits.SQS_TAGS_MAX}.",
        )


def _page(call: Call, member: str, items: list[str], maximum: int | None) -> dict[str, Any]:
    """At most ``maximum`` items, and the token of the next page: the last item shown."""
    token = call.parameters.get("NextToken")
    if token:
        items = [item for item in items if item.rpartition("/")[2] > str(token)]
    room = maximum or limits.SQS_LIST_MAX
    shown = items[:room]
    found: dict[str, Any] = {member: shown} if shown else {}
    if maximum is not None and len(items) > room:
        found["NextToken"] = shown[-1].rpartition("/")[2]
    return found


OPERATIONS: Mapping[str, Operation] = {
    "AddPermission": add_permission,
    "CreateQueue": create_queue,
    "DeleteQueue": delete_queue,
    "GetQueueAttributes": get_queue_attributes,
    "GetQueueUrl": get_queue_url,
    "ListDeadLetterSourceQueues": list_dead_letter_source_queues,
    "ListQueueTags": list_queue_tags,
    "ListQueues": list_queues,
    "PurgeQueue": purge_queue,
    "RemovePermission": remove_permission,
    "SetQueueAttributes": set_queue_attributes,
    "TagQueue": tag_queue,
    "UntagQueue": untag_queue,
}
