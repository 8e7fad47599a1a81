"""What goes over the wire of the Runtime API, and what a session tells its shell.

Shapes and texts are those of AWS's own Runtime API (as its published runtime interface emulator
renders them). Named tuples: a warm turn makes a handful of them, and they cost the least.
"""

import json
from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple, TypeAlias

from lambdash.runtime_api.subscriptions import Subscription

Headers: TypeAlias = Sequence[tuple[bytes, bytes]]
# whatever the shell answers on; a session only hands it back
Exchange: TypeAlias = object

_CONTENT_TYPE = (b"content-type", b"application/json")
JSON: Headers = (_CONTENT_TYPE,)
ACCEPTED = b'{"status":"OK"}\n'
# a control character can stand only between JSON's tokens, where a space means the same
_HEADER_SAFE = bytes(32 if code < 32 or code == 127 else code for code in range(256))

_NEXT_LINES = (
    b"content-type: application/json\r\n"
    b"Lambda-Runtime-Aws-Request-Id: %b\r\n"
    b"Lambda-Runtime-Deadline-Ms: %d\r\n"
    b"Lambda-Runtime-Invoked-Function-Arn: %b\r\n"
    b"Lambda-Runtime-Trace-Id: %b\r\n"
)


class InvocationMessage(NamedTuple):
    """One invocation as ``/next`` hands it over. ``deadline_ms`` is epoch milliseconds."""

    request_id: str
    payload: bytes
    deadline_ms: int
    function_arn: str
    trace_id: str
    client_context: str | None = None
    cognito_identity: str | None = None


class ResponseKind(Enum):
    """Which route the runtime used; never guessed from the body."""

    RESPONSE = "response"
    ERROR = "error"


class Answer(NamedTuple):
    """Answer the HTTP request ``exchange``."""

    exchange: Exchange
    status: int
    headers: Headers
    body: bytes


class HandOver(NamedTuple):
    """Answer the parked ``/next`` with 200, these header lines and the payload."""

    exchange: Exchange
    lines: bytes
    payload: bytes


class Ready(NamedTuple):
    """The runtime asks for an invocation: the environment is free."""


class Responded(NamedTuple):
    """The invocation is answered. ``error_type`` is the runtime's header, empty without one.

    The body of a response that came in pieces is empty.
    """

    request_id: str
    kind: ResponseKind
    body: bytes
    content_type: str = ""
    error_type: str = ""


class ResponseBegun(NamedTuple):
    """A response comes in pieces, which the shell passes on itself; ``Responded`` ends it."""

    request_id: str
    content_type: str


class InitFailed(NamedTuple):
    """The runtime reported that it cannot start; ``body`` is its error document."""

    body: bytes
    error_type: str = ""


class RuntimeReady(NamedTuple):
    """The runtime asks for an invocation, but some extension is busy still."""


class ExtensionsRegistered(NamedTuple):
    """Every external extension has registered: the runtime may be started."""


class ExtensionFailed(NamedTuple):
    """An extension has ended or reported an error, and the environment with it.

    ``error_type`` is AWS's (``Extension.Crash``, ...); ``detail`` says how, in AWS's words.
    """

    name: str
    error_type: str
    detail: str


class Subscribed(NamedTuple):
    """An extension listens to what is written, from now on; its last subscription counts."""

    subscription: Subscription


class NotPolling(NamedTuple):
    """Nobody waits for an invocation: hand it to another environment."""

    request_id: str


Command: TypeAlias = (
    Answer
    | Ready
    | Responded
    | InitFailed
    | RuntimeReady
    | ExtensionsRegistered
    | ExtensionFailed
    | Subscribed
)


def next_lines(message: InvocationMessage) -> bytes:
    """The header lines of ``/next``. The content type is always there: the Python client needs one.

    One format and no list: every warm turn makes them.
    """
    lines = _NEXT_LINES % (
        message.request_id.encode().translate(_HEADER_SAFE),
        message.deadline_ms,
        message.function_arn.encode().translate(_HEADER_SAFE),
        message.trace_id.encode().translate(_HEADER_SAFE),
    )
    if message.client_context is not None:
        value = message.client_context.encode().translate(_HEADER_SAFE)
        lines += b"Lambda-Runtime-Client-Context: %b\r\n" % value
    if message.cognito_identity is not None:
        value = message.cognito_identity.encode().translate(_HEADER_SAFE)
        lines += b"Lambda-Runtime-Cognito-Identity: %b\r\n" % value
    return lines


def accepted(exchange: Exchange) -> Answer:
    """202: what the runtime posted was taken."""
    return Answer(exchange, 202, JSON, ACCEPTED)


def refused(exchange: Exchange, status: int, error_type: str, message: str) -> Answer:
    """An error in the shape of the Runtime API."""
    document = {"errorMessage": message, "errorType": error_type}
    return Answer(exchange, status, JSON, json.dumps(document).encode() + b"\n")
