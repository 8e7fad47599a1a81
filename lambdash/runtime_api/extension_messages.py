"""What goes over the wire of the Extensions API, version 2020-01-01.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html; error types and texts
are those of AWS's published runtime interface emulator.
"""

import json
import re
from enum import StrEnum
from typing import NamedTuple

from lambdash.runtime_api.bodies import parse_object
from lambdash.runtime_api.messages import (
    Answer,
    Exchange,
    Headers,
    InvocationMessage,
    refused,
)

INVOKE = "INVOKE"
SHUTDOWN = "SHUTDOWN"
_EVENTS = (INVOKE, SHUTDOWN)
_IDENTIFIER = b"lambda-extension-identifier"
_NAME = b"lambda-extension-name"
_FEATURES = b"lambda-extension-accept-feature"
_ERROR_TYPE = b"lambda-extension-function-error-type"
_CONTENT_TYPE = (b"content-type", b"application/json")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class FunctionIdentity(NamedTuple):
    """What an extension is told of the function it serves."""

    name: str = ""
    version: str = "$LATEST"
    handler: str = ""
    account_id: str = ""


class ShutdownReason(StrEnum):
    """Why an environment ends, as the SHUTDOWN event says it."""

    SPINDOWN = "spindown"
    TIMEOUT = "timeout"
    FAILURE = "failure"


class Registration(NamedTuple):
    """A well-formed ``/extension/register``; ``events`` are without duplicates, not judged yet."""

    name: str
    events: tuple[str, ...]
    with_account: bool


class Refusal(NamedTuple):
    """403, with AWS's type and message."""

    error_type: str
    message: str

    def answer(self, exchange: Exchange) -> Answer:
        """The refusal as an answer to ``exchange``."""
        return refused(exchange, 403, self.error_type, self.message)


def header(headers: Headers, wanted: bytes) -> str:
    """The first value of a header, or an empty string."""
    for name, value in headers:
        if name == wanted:
            return value.decode("latin-1")
    return ""


def parse_registration(headers: Headers, body: bytes) -> Registration | Refusal:
    """Read a registration; the name is a file name for external extensions."""
    name = header(headers, _NAME)
    if not name:
        return Refusal("Extension.InvalidExtensionName", "Empty extension name")
    events = _parse_events(body)
    if isinstance(events, Refusal):
        return events
    features = [feature.strip() for feature in header(headers, _FEATURES).split(",")]
    return Registration(name, events, "accountId" in features)


def _parse_events(body: bytes) -> tuple[str, ...] | Refusal:
    document = parse_object(body)
    if isinstance(document, str):
        return Refusal("InvalidRequestFormat", document)
    if document.get("configurationKeys"):
        message = "configurationKeys are deprecated; use environment variables instead"
        return Refusal("InvalidRequestFormat", message)
    events = document.get("events")
    if events is None:
        return ()
    if not isinstance(events, list) or not all(isinstance(event, str) for event in events):
        return Refusal("InvalidRequestFormat", "events must be a list of strings")
    return tuple(dict.fromkeys(events))


def parse_identifier(headers: Headers) -> str | Refusal:
    """The extension's identifier, in lower case."""
    identifier = header(headers, _IDENTIFIER)
    if not identifier:
        return Refusal(
            "Extension.MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header"
        )
    if not _UUID.fullmatch(identifier):
        return Refusal(
            "Extension.InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier"
        )
    return identifier.lower()


def parse_error_type(headers: Headers) -> str | Refusal:
    """The error that an extension reports of itself."""
    found = header(headers, _ERROR_TYPE)
    if found:
        return found
    return Refusal("Extension.MissingHeader", "Lambda-Extension-Function-Error-Type not found")


def judge_events(events: tuple[str, ...], *, external: bool) -> Refusal | None:
    """An internal extension ends with the runtime process: no SHUTDOWN for it."""
    for event in events:
        if event not in _EVENTS:
            return Refusal("Extension.InvalidEventType", f"{event}: ErrorInvalidEventType")
        if event == SHUTDOWN and not external:
            return Refusal(
                "Extension.InvalidEventType",
                f"{event}: ShutdownEventNotSupportedForInternalExtension",
            )
    return None


def registered(
    exchange: Exchange, identifier: str, identity: FunctionIdentity, *, with_account: bool
) -> Answer:
    """200 to ``/extension/register``."""
    document = {
        "functionName": identity.name,
        "functionVersion": identity.version,
        "handler": identity.handler,
    }
    if with_account:
        document["accountId"] = identity.account_id
    headers = (_CONTENT_TYPE, (b"Lambda-Extension-Identifier", identifier.encode()))
    return Answer(exchange, 200, headers, _compact(document) + b"\n")


def invoke_event(message: InvocationMessage) -> bytes:
    """The body of an INVOKE event; ``deadlineMs`` is epoch milliseconds."""
    return _compact(
        {
            "eventType": INVOKE,
            "deadlineMs": message.deadline_ms,
            "requestId": message.request_id,
            "invokedFunctionArn": message.function_arn,
            "tracing": {"type": "X-Amzn-Trace-Id", "value": message.trace_id},
        }
    )


def shutdown_event(reason: ShutdownReason, deadline_ms: int) -> bytes:
    """The body of a SHUTDOWN event; ``deadlineMs`` is epoch milliseconds."""
    return _compact(
        {"eventType": SHUTDOWN, "deadlineMs": deadline_ms, "shutdownReason": reason.value}
    )


def delivered(poll: Exchange, event_identifier: str, body: bytes) -> Answer:
    """200 to ``/extension/event/next``."""
    headers = (_CONTENT_TYPE, (b"Lambda-Extension-Event-Identifier", event_identifier.encode()))
    return Answer(poll, 200, headers, body)


def _compact(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
