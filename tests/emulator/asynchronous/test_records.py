"""Destination records and dead letters, held against AWS's documentation.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

import json

from lambdash.emulator.asynchronous.records import Delivery, deliveries, record
from lambdash.model.event import AsynchronousEvent, Condition, EventInvokeSettings, Response

ARN = "arn:aws:lambda:us-east-1:000000000000:function:hello:$LATEST"
FAILED = AsynchronousEvent(
    "e4b46cbf-b738-xmpl-8880-a18cdf61200e",
    "hello",
    None,
    b'{"ORDER_IDS":["9e07af03"]}',
    0.0,
    0.0,
    invocations=3,
    response=Response(b'{"errorMessage":"RequestId: e4b4 Process exited"}', "$LATEST", "Unhandled"),
)
AT = 1_573_755_365.568


def test_the_record_has_every_member_aws_documents() -> None:
    assert record(FAILED, Condition.RETRIES_EXHAUSTED, ARN, AT) == {
        "version": "1.0",
        "timestamp": "2019-11-14T18:16:05.568Z",
        "requestContext": {
            "requestId": "e4b46cbf-b738-xmpl-8880-a18cdf61200e",
            "functionArn": ARN,
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": {"ORDER_IDS": ["9e07af03"]},
        "responseContext": {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled",
        },
        "responsePayload": {"errorMessage": "RequestId: e4b4 Process exited"},
    }


def test_without_an_answer_there_is_no_response() -> None:
    event = AsynchronousEvent("id", "hello", None, b"null", 0.0, 0.0)
    found = record(event, Condition.EVENT_AGE_EXCEEDED, ARN, AT)
    assert "responseContext" not in found
    assert "responsePayload" not in found
    assert found["requestPayload"] is None


def test_success_names_no_function_error() -> None:
    event = AsynchronousEvent("id", "hello", None, b"1", 0.0, 0.0, response=Response(b"raw", "2"))
    found = record(event, Condition.SUCCESS, ARN, AT)
    assert found["responseContext"] == {"statusCode": 200, "executedVersion": "2"}
    assert found["responsePayload"] == "raw"


def told(condition: Condition, **targets: str) -> tuple[Delivery, ...]:
    return deliveries(FAILED, condition, EventInvokeSettings(**targets), ARN, AT)  # type: ignore[arg-type]


def test_each_condition_goes_to_its_own_target() -> None:
    targets = {"on_success": "s", "on_failure": "f", "dead_letter": "d"}
    assert [one.target for one in told(Condition.SUCCESS, **targets)] == ["s"]
    for condition in set(Condition) - {Condition.SUCCESS}:
        assert [one.target for one in told(condition, **targets)] == ["f", "d"]
    assert told(Condition.RETRIES_EXHAUSTED) == ()


def test_eventbridge_gets_a_detail_type() -> None:
    success, failure = (
        told(Condition.SUCCESS, on_success="s"),
        told(Condition.RETRIES_EXHAUSTED, on_failure="f"),
    )
    assert success[0].detail_type == "Lambda Function Invocation Result - Success"
    assert failure[0].detail_type == "Lambda Function Invocation Result - Failure"


def test_a_dead_letter_is_the_raw_event_with_three_attributes() -> None:
    (letter,) = told(Condition.RETRIES_EXHAUSTED, dead_letter="d")
    assert json.loads(letter.body) == {"ORDER_IDS": ["9e07af03"]}
    assert dict(letter.attributes) == {
        "RequestID": ("String", "e4b46cbf-b738-xmpl-8880-a18cdf61200e"),
        "ErrorCode": ("Number", "200"),
        "ErrorMessage": ("String", "RequestId: e4b4 Process exited"),
    }


def test_a_dead_letter_without_an_answer_says_why() -> None:
    event = AsynchronousEvent("id", "hello", None, b"{}", 0.0, 0.0)
    settings = EventInvokeSettings(dead_letter="d")
    (letter,) = deliveries(event, Condition.ZERO_RESERVED_CONCURRENCY, settings, ARN, AT)
    assert dict(letter.attributes)["ErrorCode"] == ("Number", "429")
    assert dict(letter.attributes)["ErrorMessage"] == ("String", "ZeroReservedConcurrency")
