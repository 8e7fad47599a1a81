"""Subscriptions to what an environment writes: the Telemetry API and the Logs API before it.

https://docs.aws.amazon.com/lambda/latest/dg/telemetry-api-reference.html and
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-logs-api.html
"""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from lambdash import limits
from lambdash.runtime_api.bodies import parse_object

_HOSTS = frozenset(("sandbox.localdomain", "sandbox"))
_TYPES = ("platform", "function", "extension")


class Api(Enum):
    """Which of the two was asked; the value is in the name of the platform's own record."""

    TELEMETRY = "telemetry"
    LOGS = "logs"


class Buffering(NamedTuple):
    """When a batch goes out: whatever comes first."""

    max_items: int = limits.TELEMETRY_ITEMS_MAX
    max_bytes: int = limits.TELEMETRY_BYTES_MIN
    timeout_ms: int = 1_000


class Destination(NamedTuple):
    """Where inside the sandbox batches go; ``path`` is None for TCP."""

    port: int
    path: str | None = None
    method: str = "POST"


class Subscription(NamedTuple):
    """What one extension listens to. ``types`` are in the order in which it named them."""

    extension: str
    api: Api
    schema: str
    types: tuple[str, ...]
    destination: Destination
    buffering: Buffering = Buffering()


_SCHEMAS: Mapping[Api, tuple[str, ...]] = {
    Api.TELEMETRY: ("2022-07-01", "2022-12-13", "2025-01-29"),
    Api.LOGS: ("2020-08-15", "2021-03-18"),
}
_BOUNDS = {
    "maxItems": (limits.TELEMETRY_ITEMS_MIN, limits.TELEMETRY_ITEMS_MAX),
    "maxBytes": (limits.TELEMETRY_BYTES_MIN, limits.TELEMETRY_BYTES_MAX),
    "timeoutMs": (limits.TELEMETRY_TIMEOUT_MIN_MS, limits.TELEMETRY_TIMEOUT_MAX_MS),
}


def parse_subscription(extension: str, api: Api, body: bytes) -> Subscription | str:
    """Read a subscription, or tell all that is wrong with it, as AWS joins it."""
    document = parse_object(body)
    if isinstance(document, str):
        return document
    problems: list[str] = []
    schema = _schema(api, document, problems.append)
    types = _types(document, problems.append)
    destination = _destination(api, document.get("destination"), problems.append)
    buffering = _buffering(document.get("buffering"), problems.append)
    if problems or destination is None:
        return "; ".join(problems)
    return Subscription(extension, api, schema, types, destination, buffering)


def _schema(api: Api, document: Mapping[str, Any], tell: Callable[[str], None]) -> str:
    known = _SCHEMAS[api]
    given = document.get("schemaVersion", known[0] if api is Api.LOGS else None)
    if given not in known:
        tell(f"schemaVersion should be one of {', '.join(known)}")
        return ""
    return str(given)


def _types(document: Mapping[str, Any], tell: Callable[[str], None]) -> tuple[str, ...]:
    given = document.get("types")
    if not given:
        tell("types should not be empty")
        return ()
    if not isinstance(given, list) or not all(each in _TYPES for each in given):
        tell(f"types should be among {', '.join(_TYPES)}")
        return ()
    return tuple(dict.fromkeys(given))


def _destination(api: Api, given: Any, tell: Callable[[str], None]) -> Destination | None:
    if not isinstance(given, dict):
        tell("destination is not provided")
        return None
    protocol = given.get("protocol")
    if protocol == "TCP":
        return _checked(given.get("port"), None, "POST", tell)
    if protocol != "HTTP":
        tell("destination protocol should be HTTP or TCP")
        return None
    method = given.get("method", "POST")
    if method != "POST" and not (api is Api.LOGS and method == "PUT"):
        tell("destination method is not supported")
        return None
    return _of_uri(given.get("URI"), method, tell)


def _of_uri(uri: Any, method: str, tell: Callable[[str], None]) -> Destination | None:
    try:
        parts = urlsplit(uri if isinstance(uri, str) else "")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
        parts = urlsplit("")
    path = parts.path or "/"
    if parts.scheme != "http" or host not in _HOSTS:
        tell("URI should be http://sandbox.localdomain:PORT/PATH")
        return None
    if port is None:
        tell("URI port is not provided")
        return None
    if not (path.isascii() and path.isprintable() and " " not in path):
        tell("URI path has characters that should be encoded")
        return None
    return _checked(port, path, method, tell)


def _checked(
    port: Any, path: str | None, method: str, tell: Callable[[str], None]
) -> Destination | None:
    if type(port) is not int or not 0 < port < 65536:
        tell("destination port is not provided")
        return None
    if port == limits.RUNTIME_API_PORT:
        tell(f"destination port {limits.RUNTIME_API_PORT} is reserved")
        return None
    return Destination(port, path, method)


def _buffering(given: Any, tell: Callable[[str], None]) -> Buffering:
    if given is None:
        return Buffering()
    if not isinstance(given, dict):
        tell("buffering should be an object")
        return Buffering()
    default = Buffering()._asdict()
    found = dict(zip(_BOUNDS, default.values(), strict=True))
    for name, (minimum, maximum) in _BOUNDS.items():
        value = given.get(name, found[name])
        if type(value) is not int or not minimum <= value <= maximum:
            tell(f"{name} should be between {minimum} and {maximum}")
        else:
            found[name] = value
    return Buffering(found["maxItems"], found["maxBytes"], found["timeoutMs"])
