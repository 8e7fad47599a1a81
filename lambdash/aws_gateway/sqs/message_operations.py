"""SQS's operations on messages, one at a time and in batches."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias

from lambdash import limits
from lambdash.aws_gateway.sqs.operations import Call, Operation
from lambdash.errors import CallerError
from lambdash.messaging.sqs.errors import SqsError, invalid, missing
from lambdash.messaging.sqs.messages import (
    md5_of_attributes,
    md5_of_body,
    outgoing,
    shown,
    size_bytes,
)
from lambdash.model.queue import Receive
from lambdash.storage.queues import moves

_BATCH_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")

Entry: TypeAlias = Mapping[str, Any]


async def send_message(call: Call) -> dict[str, Any]:
    """``SendMessage``: on disk when it is answered."""
    return await _send(call, call.queue, call.parameters)


async def receive_message(call: Call) -> dict[str, Any]:
    """``ReceiveMessage``, with long polling."""
    asked = call.parameters
    maximum = _within(asked, "MaxNumberOfMessages", 1, limits.SQS_RECEIVE_MAX_MESSAGES)
    visibility_s = _within(asked, "VisibilityTimeout", 0, limits.SQS_VISIBILITY_MAX_S)
    wait_s = _within(asked, "WaitTimeSeconds", 0, limits.SQS_WAIT_MAX_S)
    receive = Receive(
        maximum=1 if maximum is None else maximum,
        visibility_s=visibility_s,
        attempt_id=asked.get("ReceiveRequestAttemptId"),
    )
    _, found = await call.service.receive(call.queue, receive, wait_s)
    system = [
        *(asked.get("AttributeNames") or ()),
        *(asked.get("MessageSystemAttributeNames") or ()),
    ]
    names = list(asked.get("MessageAttributeNames") or ())
    account = call.service.account
    messages = [shown(message, system, names, account) for message in found]
    return {"Messages": messages} if messages else {}


async def delete_message(call: Call) -> dict[str, Any]:
    """``DeleteMessage``."""
    await _delete(call, call.queue, call.parameters)
    return {}


async def change_message_visibility(call: Call) -> dict[str, Any]:
    """``ChangeMessageVisibility``."""
    await _change_visibility(call, call.queue, call.parameters)
    return {}


# -- batches -----------------------------------------------------------------------------------


async def send_message_batch(call: Call) -> dict[str, Any]:
    """``SendMessageBatch``: in order; each entry succeeds or fails by itself."""
    entries = _entries(call, "SendMessageBatchRequestEntry")
    total = sum(size_bytes(entry) for entry in entries)
    if total > limits.SQS_MESSAGE_MAX_BYTES:
        raise SqsError(
            "BatchRequestTooLong",
            f"Batch requests cannot be longer than {limits.SQS_MESSAGE_MAX_BYTES} bytes. "
            f"You have sent {total} bytes.",
        )
    return await _each(call, entries, _send)


async def delete_message_batch(call: Call) -> dict[str, Any]:
    """``DeleteMessageBatch``."""
    return await _each(call, _entries(call, "DeleteMessageBatchRequestEntry"), _delete)


async def change_message_visibility_batch(call: Call) -> dict[str, Any]:
    """``ChangeMessageVisibilityBatch``."""
    entries = _entries(call, "ChangeMessageVisibilityBatchRequestEntry")
    return await _each(call, entries, _change_visibility)


def _entries(call: Call, kind: str) -> Sequence[Entry]:
    entries: Sequence[Entry] = call.parameters.get("Entries") or ()
    if not entries:
        raise SqsError("EmptyBatchRequest", f"There should be at least one {kind} in the request.")
    if len(entries) > limits.SQS_BATCH_MAX_ENTRIES:
        raise SqsError(
            "TooManyEntriesInBatchRequest",
            f"Maximum number of entries per request are {limits.SQS_BATCH_MAX_ENTRIES}. "
            f"You have sent {len(entries)}.",
        )
    seen: set[str] = set()
    for entry in entries:
        identity = str(entry.get("Id", ""))
        if not _BATCH_ID.fullmatch(identity):
            raise SqsError(
                "InvalidBatchEntryId",
                "A batch entry id can only contain alphanumeric characters, hyphens and "
                "underscores. It can be at most 80 letters long.",
            )
        if identity in seen:
            raise SqsError("BatchEntryIdsNotDistinct", f"Id {identity} repeated.")
        seen.add(identity)
    return entries


async def _each(
    call: Call,
    entries: Sequence[Entry],
    work: Callable[[Call, str, Entry], Awaitable[dict[str, Any]]],
) -> dict[str, Any]:
    name = call.queue
    await call.service.at(name, lambda connection, queue, now: None)
    successful, failed = [], []
    # all are asked for before the first is answered, so that they share one commit
    results = await asyncio.gather(
        *(work(call, name, entry) for entry in entries), return_exceptions=True
    )
    for entry, result in zip(entries, results, strict=True):
        if isinstance(result, SqsError):
            failed.append(
                {
                    "Id": entry["Id"],
                    "SenderFault": True,
                    "Code": result.code,
                    "Message": result.message,
                }
            )
        elif isinstance(result, BaseException):
            raise result
        else:
            successful.append({"Id": entry["Id"], **result})
    found: dict[str, Any] = {"Successful": successful, "Failed": failed}
    return {member: values for member, values in found.items() if values}


# -- one message -------------------------------------------------------------------------------


async def _send(call: Call, name: str, entry: Entry) -> dict[str, Any]:
    message, sent = await call.service.send(name, lambda queue: outgoing(queue, entry))
    found: dict[str, Any] = {
        "MessageId": sent.message_id,
        "MD5OfMessageBody": md5_of_body(message.body),
        "MD5OfMessageAttributes": md5_of_attributes(message.attributes),
        "MD5OfMessageSystemAttributes": md5_of_attributes(
            entry.get("MessageSystemAttributes") or {}
        ),
        "SequenceNumber": sent.sequence_number,
    }
    return {member: value for member, value in found.items() if value is not None}


async def _delete(call: Call, name: str, entry: Entry) -> dict[str, Any]:
    handle = _handle(entry)
    try:
        await call.service.delete(name, handle)
    except CallerError as error:
        raise _receipt_error(error, handle) from error
    return {}


async def _change_visibility(call: Call, name: str, entry: Entry) -> dict[str, Any]:
    handle = _handle(entry)
    timeout_s = entry.get("VisibilityTimeout")
    if timeout_s is None:
        raise missing("VisibilityTimeout")
    if not 0 <= timeout_s <= limits.SQS_VISIBILITY_MAX_S:
        raise invalid(
            timeout_s,
            "VisibilityTimeout",
            "Total VisibilityTimeout for the message is beyond the limit "
            f"[{limits.SQS_VISIBILITY_MAX_S} seconds]",
        )
    try:
        await call.service.change_visibility(name, handle, timeout_s)
    except CallerError as error:
        raise _receipt_error(error, handle) from error
    return {}


def _handle(entry: Entry) -> str:
    handle = entry.get("ReceiptHandle")
    if not handle:
        raise missing("ReceiptHandle")
    return str(handle)


def _receipt_error(error: CallerError, handle: str) -> Exception:
    match error.code:
        case "receipt-invalid":
            return SqsError(
                "ReceiptHandleIsInvalid",
                f'The input receipt handle "{handle}" is not a valid receipt handle.',
            )
        case "receipt-expired":
            return invalid(handle, "ReceiptHandle", "The receipt handle has expired.")
        case "message-gone":
            return invalid(
                handle,
                "ReceiptHandle",
                "Message does not exist or is not available for visibility timeout change.",
            )
        case "not-in-flight":
            return SqsError("MessageNotInflight", "The specified message isn't in flight.")
        case _:
            return error


def _within(asked: Entry, name: str, low: int, high: int) -> int | None:
    value: int | None = asked.get(name)
    if value is None:
        return None
    if not low <= value <= high:
        between = (
            f"Must be between {low} and {high}, if provided."
            if low
            else f"Must be >= {low} and <= {high}, if provided."
        )
        raise invalid(value, name, between)
    return value


# -- move tasks --------------------------------------------------------------------------------


async def start_message_move_task(call: Call) -> dict[str, Any]:
    """``StartMessageMoveTask``."""
    per_second = call.parameters.get("MaxNumberOfMessagesPerSecond")
    if per_second is not None and not 1 <= per_second <= limits.SQS_MOVE_PER_SECOND_MAX:
        raise invalid(
            per_second,
            "MaxNumberOfMessagesPerSecond",
            f"Must be between 1 and {limits.SQS_MOVE_PER_SECOND_MAX}, if provided.",
        )
    try:
        task = await call.service.start_move(
            call.text("SourceArn"), call.parameters.get("DestinationArn"), per_second
        )
    except CallerError as error:
        raise _move_error(error) from error
    return {"TaskHandle": task.handle}


async def cancel_message_move_task(call: Call) -> dict[str, Any]:
    """``CancelMessageMoveTask``."""
    handle = call.text("TaskHandle")
    try:
        task = await call.service.read(lambda connection: moves.cancel(connection, handle))
    except CallerError as error:
        raise _move_error(error) from error
    return {"ApproximateNumberOfMessagesMoved": task.moved}


async def list_message_move_tasks(call: Call) -> dict[str, Any]:
    """``ListMessageMoveTasks``: at most ten of a source, the newest first."""
    source = call.text("SourceArn")
    maximum = _within(call.parameters, "MaxResults", 1, limits.SQS_MOVE_TASKS_LISTED_MAX) or 1
    tasks = await call.service.read(lambda connection: moves.of_source(connection, source, maximum))
    return {"Results": [_task(task) for task in tasks]} if tasks else {}


def _task(task: moves.MoveTask) -> dict[str, Any]:
    found: dict[str, Any] = {
        "TaskHandle": task.handle if task.status == moves.RUNNING else None,
        "Status": task.status,
        "SourceArn": task.source_arn,
        "DestinationArn": task.destination_arn,
        "MaxNumberOfMessagesPerSecond": task.per_second,
        "ApproximateNumberOfMessagesMoved": task.moved,
        "ApproximateNumberOfMessagesToMove": task.to_move,
        "FailureReason": task.failure,
        "StartedTimestamp": int(task.started_at * 1000),
    }
    return {member: value for member, value in found.items() if value is not None}


def _move_error(error: CallerError) -> Exception:
    match error.code:
        case "queue-not-found" | "move-not-found":
            return SqsError(
                "ResourceNotFoundException",
                "The resource that you specified for the SourceArn parameter doesn't exist."
                if error.code == "queue-not-found"
                else "Task does not exist.",
                404,
            )
        case "not-a-dead-letter-queue":
            return SqsError(
                "InvalidParameterValue",
                "Source queue must be configured as a Dead Letter Queue.",
            )
        case "move-running":
            return SqsError(
                "UnsupportedOperation",
                "There is already a task running. Only one active task is allowed for a source "
                "queue arn at a given time.",
            )
        case "move-not-running":
            return SqsError(
                "UnsupportedOperation", "Only active tasks (status RUNNING) can be cancelled."
            )
        case _:
            return error


OPERATIONS: Mapping[str, Operation] = {
    "CancelMessageMoveTask": cancel_message_move_task,
    "ChangeMessageVisibility": change_message_visibility,
    "ChangeMessageVisibilityBatch": change_message_visibility_batch,
    "DeleteMessage": delete_message,
    "DeleteMessageBatch": delete_message_batch,
    "ListMessageMoveTasks": list_message_move_tasks,
    "ReceiveMessage": receive_message,
    "SendMessage": send_message,
    "SendMessageBatch": send_message_batch,
    "StartMessageMoveTask": start_message_move_task,
}
