"""Records in the shapes of both interfaces."""

import json
from typing import Any

import pytest

from lambdash.runtime_api import platform_records as records
from lambdash.runtime_api.platform_records import Metrics, PlatformRecord, Subject
from lambdash.runtime_api.subscriptions import Api, Destination, Subscription
from lambdash.runtime_api.telemetry_records import batch_body, line_document, platform_document

SUBJECT = Subject("hello", "arn:f", "stream", 128)
ALL = ("platform", "function", "extension")
HTTP = Destination(80, "/")


def subscription(
    api: Api = Api.TELEMETRY, schema: str = "2022-07-01", types: tuple[str, ...] = ALL
) -> Subscription:
    return Subscription("e", api, schema, types, HTTP)


def shown(given: Subscription, record: PlatformRecord) -> Any:
    document = platform_document(given, record)
    return None if document is None else json.loads(document)


def test_the_telemetry_api_shows_records_as_they_are() -> None:
    record = records.start(SUBJECT, 0.0, "a")
    assert shown(subscription(), record) == {
        "time": "1970-01-01T00:00:00.000Z",
        "type": "platform.start",
        "record": {"requestId": "a", "functionArn": "arn:f", "version": "$LATEST"},
    }


@pytest.mark.parametrize("record", [records.end(0.0, "a"), records.fault(0.0, "why")])
def test_what_only_the_logs_api_has(record: PlatformRecord) -> None:
    assert shown(subscription(), record) is None
    assert shown(subscription(Api.LOGS, "2020-08-15"), record)["type"] == record.type


@pytest.mark.parametrize(
    ("record", "seen"),
    [
        (records.start(SUBJECT, 0.0, "a"), {"requestId": "a", "version": "$LATEST"}),
        (records.end(0.0, "a"), {"requestId": "a"}),
        (
            records.report(0.0, "a", Metrics(1.5, 128, 30)),
            {
                "requestId": "a",
                "metrics": {
                    "durationMs": 1.5,
                    "billedDurationMs": 2,
                    "memorySizeMB": 128,
                    "maxMemoryUsedMB": 30,
                },
            },
        ),
        (records.runtime_done(0.0, "a", {}), {"requestId": "a", "status": "success"}),
        (records.fault(0.0, "why"), "why"),
        (
            records.extension(0.0, "e", "Ready", ["INVOKE"]),
            {"name": "e", "state": "Ready", "events": ["INVOKE"]},
        ),
        (
            records.subscription(0.0, "logs", "e", ["platform"]),
            {"name": "e", "state": "Subscribed", "types": ["platform"]},
        ),
    ],
)
def test_the_logs_api_has_shapes_of_its_own(record: PlatformRecord, seen: Any) -> None:
    assert shown(subscription(Api.LOGS, "2021-03-18"), record)["record"] == seen


def test_what_the_logs_api_has_not() -> None:
    older = subscription(Api.LOGS, "2020-08-15")
    assert shown(older, records.runtime_done(0.0, "a", {})) is None
    assert shown(older, records.init_start(SUBJECT, 0.0)) is None


def test_only_what_was_asked_for() -> None:
    platform = subscription(types=("platform",))
    assert line_document(platform, "function", 0.0, "x") is None
    assert shown(subscription(types=("function",)), records.end(0.0, "a")) is None


def test_lines() -> None:
    document = line_document(subscription(), "extension", 0.0, "said \u00e9")
    assert document is not None
    assert json.loads(document) == {
        "time": "1970-01-01T00:00:00.000Z",
        "type": "extension",
        "record": "said \u00e9",
    }


def test_batches() -> None:
    assert json.loads(batch_body(HTTP, [b"{}", b"[]"])) == [{}, []]
    assert batch_body(Destination(80), [b"{}", b"[]"]) == b"{}\n[]\n"
