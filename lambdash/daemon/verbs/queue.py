"""``queue``: the asynchronous events that wait, why, and what a person may do with one."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from lambdash import limits
from lambdash.daemon.control import EventStream, Verb
from lambdash.daemon.services import Services, text_of
from lambdash.errors import CallerError
from lambdash.model.event import AsynchronousEvent


def verbs(services: Services) -> Mapping[str, Verb]:
    """The verbs of this module."""
    named = {"queue": _list, "queue_show": _show, "queue_retry": _retry, "queue_drop": _drop}
    return {name: partial(verb, services) for name, verb in named.items()}


async def _list(services: Services, body: dict[str, Any], stream: EventStream) -> dict[str, Any]:
    limit = int(body.get("limit") or limits.QUEUE_EVENTS_SHOWN)
    queue = services.emulator.events
    events = await queue.events(body.get("function"), limit)
    counts = await queue.counts()
    return {
        "waiting": sum(one.events for one in counts),
        "functions": {one.function_name: one.events for one in counts},
        "events": [_event(services, event) for event in events],
    }


async def _show(services: Services, body: dict[str, Any], stream: EventStream) -> dict[str, Any]:
    event = await services.emulator.events.event(text_of(body, "request_id"))
    if event is None:
        raise CallerError(
            "event-not-found",
            f"no asynchronous event {body['request_id']} waits",
            "`lambdash queue` lists those that do",
        )
    response = event.response
    return {
        **_event(services, event),
        "payload": event.payload.decode("utf-8", "replace"),
        "last_response": None if response is None else response.payload.decode("utf-8", "replace"),
    }


async def _retry(services: Services, body: dict[str, Any], stream: EventStream) -> dict[str, Any]:
    request_id = text_of(body, "request_id")
    await services.emulator.events.retry(request_id)
    return {"retried": request_id}


async def _drop(services: Services, body: dict[str, Any], stream: EventStream) -> dict[str, Any]:
    request_id = text_of(body, "request_id")
    await services.emulator.events.drop(request_id)
    return {"dropped": request_id}


def _event(services: Services, event: AsynchronousEvent) -> dict[str, Any]:
    running = event.request_id in services.emulator.events.running(event.function_name)
    return {
        "request_id": event.request_id,
        "function": event.function_name,
        "qualifier": event.qualifier,
        "state": "running" if running else _state(event),
        "invocations": event.invocations,
        "accepted_at": _moment(event.accepted_at),
        "due_at": _moment(event.due_at),
        "bytes": len(event.payload),
    }


def _state(event: AsynchronousEvent) -> str:
    if event.setbacks:
        return "throttled"
    return "failed" if event.failures else "waiting"


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
