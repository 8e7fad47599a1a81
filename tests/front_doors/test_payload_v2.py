"""Events and answers of payload format 2.0, held against samples of AWS."""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from lambdash.front_doors.exchange import HttpRequest
from lambdash.front_doors.payload_v2 import Context, MalformedResponse, answer, event
from tests.vectors import powertools_event

CONTEXT = Context("anonymous", "id", "id.lambda-url.us-east-1.localhost:4566", "request")
GET = HttpRequest("GET", "/", "", (("host", "x"), ("user-agent", "curl")), b"", "127.0.0.1", 0.0)


def made(request: HttpRequest = GET, context: Context = CONTEXT) -> dict[str, Any]:
    return event(request, request.path, context)


def assert_same_shape(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> None:
    """Every key of theirs that says anything is in ours, with a value of the same type."""
    for name, value in theirs.items():
        if value is None or name == "headers":
            continue
        assert name in ours
        assert type(ours[name]) is type(value)
        if isinstance(value, dict):
            assert_same_shape(ours[name], value)


def test_a_plain_request_has_the_keys_of_awss() -> None:
    theirs = powertools_event("lambdaFunctionUrlEvent.json")
    assert made().keys() == theirs.keys()
    assert made()["requestContext"].keys() == theirs["requestContext"].keys()
    assert_same_shape(made(), theirs)


def test_a_rich_request_has_the_keys_of_awss() -> None:
    request = HttpRequest(
        "POST",
        "/my/path",
        "parameter1=value1&parameter1=value2&parameter2=value",
        (("header1", "value1"), ("header2", "value1"), ("header2", "value2"),
         ("cookie", "cookie1; cookie2"), ("content-type", "text/plain")),
        b"Hello from client!",
        "127.0.0.1",
        1_583_348_638.39,
    )  # fmt: skip
    theirs = powertools_event("lambdaFunctionUrlIAMEvent.json")
    authorizer = theirs["requestContext"]["authorizer"]
    ours = made(request, replace(CONTEXT, authorizer=authorizer))
    assert_same_shape(ours, theirs)
    for name in ("rawPath", "rawQueryString", "cookies", "queryStringParameters", "body"):
        assert ours[name] == theirs[name]
    assert ours["headers"]["header2"] == "value1,value2"
    assert ours["requestContext"]["time"] == "04/Mar/2020:19:03:58 +0000"
    assert ours["requestContext"]["timeEpoch"] == 1_583_348_638_390


@pytest.mark.parametrize(
    ("kind", "body", "encoded"),
    [
        ("application/json", b"{}", False),
        ("application/json; charset=utf-8", "ä".encode(), False),
        ("application/vnd.api+json", b"{}", False),
        ("text/csv", b"a,b", False),
        ("text/plain", b"\xff\xfe", True),
        ("application/x-www-form-urlencoded", b"a=b", True),
        ("image/png", b"\x89PNG", True),
        (None, b"anything", True),
    ],
)
def test_what_is_no_text_is_encoded(kind: str | None, body: bytes, encoded: bool) -> None:
    headers = () if kind is None else (("content-type", kind),)
    found = made(replace(GET, method="POST", headers=headers, body=body))
    assert found["isBase64Encoded"] is encoded
    expected = base64.b64encode(body).decode() if encoded else body.decode()
    assert found["body"] == expected


def test_the_query_is_decoded_in_its_parameters_only() -> None:
    found = made(replace(GET, query="a=1+2&b=%C3%A4&c&c="))
    assert found["rawQueryString"] == "a=1+2&b=%C3%A4&c&c="
    assert found["queryStringParameters"] == {"a": "1 2", "b": "ä", "c": ","}


def response(document: Any) -> tuple[int, dict[str, str], bytes]:
    payload = document if isinstance(document, bytes) else json.dumps(document).encode()
    found = answer(payload)
    return found.status, dict(found.headers), found.body


JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"message": "hi"}, (200, JSON, b'{"message": "hi"}')),
        ("hello", (200, JSON, b"hello")),
        (None, (200, JSON, b"null")),
        ([1], (200, JSON, b"[1]")),
        ({"statusCode": 201}, (201, JSON, b"")),
        ({"statusCode": "404", "body": "no"}, (404, JSON, b"no")),
        (
            {"statusCode": 200, "headers": {"Content-Type": "text/html", "X": 1}, "body": "<p>"},
            (200, {"content-type": "text/html", "x": "1"}, b"<p>"),
        ),
        (
            {"statusCode": 200, "body": "aGk=", "isBase64Encoded": True},
            (200, JSON, b"hi"),
        ),
        (
            {"statusCode": 200, "headers": {"Transfer-Encoding": "x", "Content-Length": "9"}},
            (200, JSON, b""),
        ),
    ],
)
def test_responses(document: Any, expected: tuple[int, dict[str, str], bytes]) -> None:
    assert response(document) == expected


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"statusCode": 204}, "text/plain"),
        ({"statusCode": 200, "headers": {"Content-Type": "text/html"}}, "text/html"),
        ({"message": "no status code"}, "application/json"),
    ],
)
def test_a_door_has_its_own_type_for_a_response_that_names_none(document: Any, kind: str) -> None:
    found = answer(json.dumps(document).encode(), untyped="text/plain")
    assert dict(found.headers) == {"content-type": kind}


@pytest.mark.parametrize(
    "document",
    [
        b"not json",
        {"statusCode": "soon"},
        {"statusCode": 99},
        {"statusCode": True},
        {"statusCode": 200, "headers": []},
        {"statusCode": 200, "headers": {"a": {}}},
        {"statusCode": 200, "body": {}},
        {"statusCode": 200, "body": "a", "isBase64Encoded": True},
        {"statusCode": 200, "cookies": "a=b"},
    ],
)
def test_malformed_responses(document: Any) -> None:
    with pytest.raises(MalformedResponse):
        response(document)


def test_cookies_are_lines_of_their_own() -> None:
    found = answer(b'{"statusCode":200,"cookies":["a=1; Secure","b=2"]}')
    assert found.lines()[1:] == [(b"set-cookie", b"a=1; Secure"), (b"set-cookie", b"b=2")]


def test_a_header_that_would_forge_a_line_is_left_out() -> None:
    found = answer(b'{"statusCode":200,"headers":{"a":"b\\r\\nc: d","e":"f"}}')
    assert [name for name, _ in found.lines()] == [b"e", b"content-type"]
