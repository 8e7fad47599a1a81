"""The paths of the Runtime API, version 2018-06-01, and of what shares its address on AWS.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html,
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
"""

from enum import Enum
from typing import NamedTuple

_NEXT = "/2018-06-01/runtime/invocation/next"
_INIT_ERROR = "/2018-06-01/runtime/init/error"
_INVOCATION = "/2018-06-01/runtime/invocation/"
# served by the same address on AWS; each is refused by its own name
_UNSUPPORTED = (
    ("/2018-06-01/runtime/restore/", "Runtime.RestoreNotSupported", "SnapStart's restore"),
)


class RouteKind(Enum):
    """What a request asks for; the last three are refusals."""

    NEXT = "next"
    RESPONSE = "response"
    ERROR = "error"
    INIT_ERROR = "init error"
    EXTENSION_REGISTER = "extension register"
    EXTENSION_NEXT = "extension next"
    EXTENSION_INIT_ERROR = "extension init error"
    EXTENSION_EXIT_ERROR = "extension exit error"
    SUBSCRIBE_TELEMETRY = "subscribe to telemetry"
    SUBSCRIBE_LOGS = "subscribe to logs"
    METHOD_NOT_ALLOWED = "method not allowed"
    NOT_SUPPORTED = "not supported"
    NOT_FOUND = "not found"


class Route(NamedTuple):
    """``request_id`` is set for RESPONSE and ERROR; the others for NOT_SUPPORTED."""

    kind: RouteKind
    request_id: str = ""
    error_type: str = ""
    subject: str = ""


_TO_NEXT = Route(RouteKind.NEXT)
_TO_INIT_ERROR = Route(RouteKind.INIT_ERROR)
_NOT_ALLOWED = Route(RouteKind.METHOD_NOT_ALLOWED)
_NOT_FOUND = Route(RouteKind.NOT_FOUND)
_EXTENSION = {
    "/2020-01-01/extension/register": ("POST", Route(RouteKind.EXTENSION_REGISTER)),
    "/2020-01-01/extension/event/next": ("GET", Route(RouteKind.EXTENSION_NEXT)),
    "/2020-01-01/extension/init/error": ("POST", Route(RouteKind.EXTENSION_INIT_ERROR)),
    "/2020-01-01/extension/exit/error": ("POST", Route(RouteKind.EXTENSION_EXIT_ERROR)),
    "/2022-07-01/telemetry": ("PUT", Route(RouteKind.SUBSCRIBE_TELEMETRY)),
    "/2020-08-15/logs": ("PUT", Route(RouteKind.SUBSCRIBE_LOGS)),
}
_ANSWERS = {"response": RouteKind.RESPONSE, "error": RouteKind.ERROR}


def parse(method: str, path: str) -> Route:
    """The route of a request; never raises."""
    if path == _NEXT:
        return _TO_NEXT if method == "GET" else _NOT_ALLOWED
    if path.startswith(_INVOCATION):
        request_id, _, tail = path[len(_INVOCATION) :].partition("/")
        kind = _ANSWERS.get(tail)
        if kind is None or not request_id:
            return _NOT_FOUND
        return Route(kind, request_id) if method == "POST" else _NOT_ALLOWED
    if path == _INIT_ERROR:
        return _TO_INIT_ERROR if method == "POST" else _NOT_ALLOWED
    return _parse_others(method, path)


def _parse_others(method: str, path: str) -> Route:
    found = _EXTENSION.get(path.rstrip("/"))
    if found is not None:
        wanted, route = found
        return route if method == wanted else _NOT_ALLOWED
    for prefix, error_type, subject in _UNSUPPORTED:
        if path.startswith(prefix):
            return Route(RouteKind.NOT_SUPPORTED, "", error_type, subject)
    return _NOT_FOUND
