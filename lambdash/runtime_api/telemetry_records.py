"""Records as subscribers get them, and their batches on the wire.

https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html; the shapes of the
Logs API: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-logs-api.html#runtimes-logs-api-msg
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lambdash.runtime_api.platform_records import PlatformRecord, Record, timestamp
from lambdash.runtime_api.subscriptions import Api, Destination, Subscription

_LOGS_ONLY = frozenset(("platform.end", "platform.fault", "platform.logsSubscription"))
_WITH_RUNTIME_DONE = "2021-03-18"


def platform_document(subscription: Subscription, record: PlatformRecord) -> bytes | None:
    """A platform record in the subscription's shape; None for what it does not get."""
    if "platform" not in subscription.types:
        return None
    if subscription.api is Api.TELEMETRY:
        return None if record.type in _LOGS_ONLY else _compact(record.document())
    shape = _LOGS_SHAPES.get(record.type)
    if record.type == "platform.runtimeDone" and subscription.schema != _WITH_RUNTIME_DONE:
        return None
    return None if shape is None else _document(record.at, record.type, shape(record.record))


def line_document(subscription: Subscription, kind: str, at: float, text: str) -> bytes | None:
    """A line of a log; ``kind`` is ``function`` or ``extension``, ``at`` epoch seconds."""
    return _document(at, kind, text) if kind in subscription.types else None


def batch_body(destination: Destination, records: Sequence[bytes]) -> bytes:
    """An array for HTTP, newline-delimited JSON for TCP."""
    if destination.path is None:
        return b"".join(record + b"\n" for record in records)
    return b"[" + b",".join(records) + b"]"


def _document(at: float, kind: str, record: object) -> bytes:
    return _compact({"time": timestamp(at), "type": kind, "record": record})


def _compact(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def _as_it_is(record: Record) -> object:
    return record


def _picked(*names: str) -> Callable[[Record], object]:
    return lambda record: {name: record[name] for name in names if name in record}


# of those that the Logs API has; the others came with the Telemetry API
_LOGS_SHAPES: Mapping[str, Callable[[Record], object]] = {
    "platform.start": _picked("requestId", "version"),
    "platform.end": _as_it_is,
    "platform.report": _picked("requestId", "metrics"),
    "platform.runtimeDone": _picked("requestId", "status"),
    "platform.fault": lambda record: record["message"],
    "platform.extension": _as_it_is,
    "platform.logsSubscription": _as_it_is,
    "platform.logsDropped": _as_it_is,
}
