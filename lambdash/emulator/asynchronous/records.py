"""What destinations and dead-letter queues get, as AWS shapes it. Pure.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html and
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-configuring.html.
"""

import json
from dataclasses import dataclass
from typing import Any

from lambdash import limits
from lambdash.model.event import AsynchronousEvent, Condition, EventInvokeSettings, Response
from lambdash.runtime_api.platform_records import timestamp


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message for one target. ``attributes`` are a dead-letter queue's message attributes:
    name -> (data type, value). ``detail_type`` is what EventBridge calls it."""

    target: str
    body: str
    attributes: tuple[tuple[str, tuple[str, str]], ...] = ()
    detail_type: str = ""


def deliveries(
    event: AsynchronousEvent,
    condition: Condition,
    settings: EventInvokeSettings,
    function_arn: str,
    now: float,
) -> tuple[Delivery, ...]:
    """Who is told that Lambda is done with an event. ``function_arn`` is qualified."""
    succeeded = condition is Condition.SUCCESS
    target = settings.on_success if succeeded else settings.on_failure
    found = []
    if target is not None:
        kind = "Success" if succeeded else "Failure"
        found.append(
            Delivery(
                target,
                json.dumps(record(event, condition, function_arn, now), separators=(",", ":")),
                detail_type=f"Lambda Function Invocation Result - {kind}",
            )
        )
    if settings.dead_letter is not None and not succeeded:
        body = event.payload.decode("utf-8", "replace")
        found.append(
            Delivery(settings.dead_letter, body, _dead_letter_attributes(event, condition))
        )
    return tuple(found)


def record(
    event: AsynchronousEvent, condition: Condition, function_arn: str, now: float
) -> dict[str, Any]:
    """A destination's invocation record."""
    found: dict[str, Any] = {
        "version": "1.0",
        "timestamp": timestamp(now),
        "requestContext": {
            "requestId": event.request_id,
            "functionArn": function_arn,
            "condition": condition.value,
            "approximateInvokeCount": event.invocations,
        },
        "requestPayload": _parsed(event.payload),
    }
    response = event.response
    if response is not None:
        found["responseContext"] = _response_context(response)
        found["responsePayload"] = _parsed(response.payload)
    return found


def _response_context(response: Response) -> dict[str, Any]:
    context: dict[str, Any] = {"statusCode": 200, "executedVersion": response.executed_version}
    if response.function_error is not None:
        context["functionError"] = response.function_error
    return context


def _dead_letter_attributes(
    event: AsynchronousEvent, condition: Condition
) -> tuple[tuple[str, tuple[str, str]], ...]:
    """``ErrorCode`` is the HTTP status; ``ErrorMessage`` the first kilobyte of the error."""
    response = event.response
    code, message = (429, condition.value) if response is None else (200, _error_message(response))
    return (
        ("RequestID", ("String", event.request_id)),
        ("ErrorCode", ("Number", str(code))),
        ("ErrorMessage", ("String", message[: limits.ASYNC_ERROR_MESSAGE_MAX_CHARS])),
    )


def _error_message(response: Response) -> str:
    document = _parsed(response.payload)
    message = document.get("errorMessage") if isinstance(document, dict) else None
    return message if isinstance(message, str) and message else "Unhandled"


def _parsed(payload: bytes) -> Any:
    """JSON as what it means; what is no JSON (a custom runtime may answer anything) as text."""
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return payload.decode("utf-8", "replace")
