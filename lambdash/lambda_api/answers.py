"""AWS's answers on the wire: error documents, their headers, and the request id of each."""

import json
from collections.abc import Sequence
from typing import TypeAlias

from lambdash.http.server import Responder

Headers: TypeAlias = Sequence[tuple[bytes, bytes]]
_THROTTLED = 429
# seconds; a limit of concurrency passes whenever somebody's invocation ends
_RETRY_AFTER = (b"retry-after", b"1")
JSON_TYPE = (b"content-type", b"application/json")


class Refusal(Exception):
    """Raised while a request is read: answer ``status`` and ``error`` (as ``refuse`` takes it)."""

    def __init__(self, status: int, error: tuple[str, dict[str, str]]) -> None:
        super().__init__(status, error)
        self.status = status
        self.error = error


def refuse(
    responder: Responder, request_id: str, status: int, error: tuple[str, dict[str, str]]
) -> None:
    """Answer an error: (exception name, body members), as AWS's REST-JSON protocol shapes it."""
    name, members = error
    headers = [
        JSON_TYPE,
        (b"x-amzn-errortype", name.encode()),
        (b"x-amzn-requestid", request_id.encode()),
    ]
    if status == _THROTTLED:
        headers.append(_RETRY_AFTER)
    responder.send(status, headers, json.dumps(members, separators=(",", ":")).encode())


def caller_fault(name: str, message: str) -> tuple[str, dict[str, str]]:
    """An error of type ``User`` with its message under the member Lambda's model names."""
    return name, {"Type": "User", "Message": message}
