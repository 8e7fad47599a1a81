"""Subscribing to the Telemetry API and the Logs API."""

import json
from typing import Any

import pytest

from lambdash import limits
from lambdash.runtime_api.extension_messages import ShutdownReason
from lambdash.runtime_api.messages import Command, Ready, Subscribed
from lambdash.runtime_api.session import Session
from lambdash.runtime_api.subscriptions import (
    Api,
    Buffering,
    Destination,
    Subscription,
    parse_subscription,
)
from tests.runtime_api.extension_peer import ask, document, identify, known, register
from tests.runtime_api.sessions import identifier, new_session

TELEMETRY = "/2022-07-01/telemetry"
LOGS = "/2020-08-15/logs"
HTTP = {"protocol": "HTTP", "URI": "http://sandbox.localdomain:8080/in"}


def body(**members: Any) -> bytes:
    given = {"schemaVersion": "2022-07-01", "types": ["platform"], "destination": HTTP, **members}
    return json.dumps({name: each for name, each in given.items() if each is not None}).encode()


def subscribe(
    session: Session, who: str, path: str = TELEMETRY, given: bytes | None = None
) -> tuple[Command, ...]:
    return session.handle("put", "PUT", path, known(who), body() if given is None else given)


def watched() -> tuple[Session, str]:
    session = new_session()
    session.extensions_started(("watcher",))
    return session, identify(register(session, "watcher", "INVOKE"))


def test_a_subscription() -> None:
    session, who = watched()
    given = body(types=["function", "platform", "function"], buffering={"timeoutMs": 25})

    told, answer = subscribe(session, who, TELEMETRY + "/", given)

    assert told == Subscribed(
        Subscription(
            "watcher",
            Api.TELEMETRY,
            "2022-07-01",
            ("function", "platform"),
            Destination(8080, "/in"),
            Buffering(10_000, 262_144, 25),
        )
    )
    assert answer[1:] == (200, ((b"content-type", b"application/json"),), b'"OK"')


def test_the_logs_api() -> None:
    session, who = watched()
    put = {**HTTP, "method": "PUT"}
    told, _ = subscribe(session, who, LOGS, body(schemaVersion=None, destination=put))
    assert isinstance(told, Subscribed)
    assert told.subscription.api is Api.LOGS
    assert told.subscription.schema == "2020-08-15"
    assert told.subscription.destination == Destination(8080, "/in", "PUT")


def test_tcp() -> None:
    found = parse_subscription(
        "e", Api.TELEMETRY, body(destination={"protocol": "TCP", "port": 5000})
    )
    assert isinstance(found, Subscription)
    assert found.destination == Destination(5000)


def test_a_uri_without_a_path() -> None:
    uri = {"protocol": "HTTP", "URI": "http://sandbox:80"}
    found = parse_subscription("e", Api.TELEMETRY, body(destination=uri))
    assert isinstance(found, Subscription)
    assert found.destination == Destination(80, "/")


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({"types": []}, "types should not be empty"),
        ({"types": ["odd"]}, "types should be among platform, function, extension"),
        ({"types": "platform"}, "types should be among platform, function, extension"),
        (
            {"schemaVersion": None},
            "schemaVersion should be one of 2022-07-01, 2022-12-13, 2025-01-29",
        ),
        ({"destination": None}, "destination is not provided"),
        ({"destination": {"protocol": "UDP"}}, "destination protocol should be HTTP or TCP"),
        ({"destination": {**HTTP, "method": "PUT"}}, "destination method is not supported"),
        (
            {"destination": {"protocol": "HTTP", "URI": "http://example.com:80"}},
            "URI should be http://sandbox.localdomain:PORT/PATH",
        ),
        (
            {"destination": {"protocol": "HTTP", "URI": "http://sandbox:99999999"}},
            "URI should be http://sandbox.localdomain:PORT/PATH",
        ),
        (
            {"destination": {"protocol": "HTTP", "URI": 1}},
            "URI should be http://sandbox.localdomain:PORT/PATH",
        ),
        (
            {"destination": {"protocol": "HTTP", "URI": "http://sandbox"}},
            "URI port is not provided",
        ),
        (
            {"destination": {"protocol": "HTTP", "URI": "http://sandbox:80/a b"}},
            "URI path has characters that should be encoded",
        ),
        (
            {"destination": {"protocol": "HTTP", "URI": "http://sandbox:9001"}},
            "destination port 9001 is reserved",
        ),
        (
            {"destination": {"protocol": "TCP", "port": "80"}},
            "destination port is not provided",
        ),
        ({"buffering": 1}, "buffering should be an object"),
        ({"buffering": {"maxItems": 1}}, "maxItems should be between 1000 and 10000"),
        ({"buffering": {"maxBytes": 2**21}}, "maxBytes should be between 262144 and 1048576"),
        ({"buffering": {"timeoutMs": 1.5}}, "timeoutMs should be between 25 and 30000"),
    ],
)
def test_what_aws_would_refuse(members: dict[str, Any], problem: str) -> None:
    session, who = watched()
    (refusal,) = subscribe(session, who, TELEMETRY, body(**members))
    assert document(refusal, 400) == {"errorType": "ValidationError", "errorMessage": problem}


def test_all_problems_at_once_in_the_words_of_aws() -> None:
    given = body(types=[], destination={"protocol": "HTTP", "URI": "http://sandbox"})
    found = parse_subscription("e", Api.TELEMETRY, given)
    assert found == "types should not be empty; URI port is not provided"


@pytest.mark.parametrize(
    "given", [b"", b"[]", b"[" * 50_000, b" " * (limits.EXTENSION_BODY_MAX_BYTES + 1)]
)
def test_what_is_no_subscription(given: bytes) -> None:
    session, who = watched()
    (refusal,) = subscribe(session, who, LOGS, given)
    assert document(refusal, 400)["errorType"] == "Logs.ValidationError"


def test_strangers_are_refused() -> None:
    (refusal,) = subscribe(new_session(), identifier(7))
    assert document(refusal, 403)["errorType"] == "Extension.UnknownExtensionIdentifier"


def test_one_interface_for_each_extension() -> None:
    session, who = watched()
    subscribe(session, who)
    (refusal,) = subscribe(session, who, LOGS, body(schemaVersion="2021-03-18"))
    assert document(refusal, 400) == {
        "errorType": "Logs.ValidationError",
        "errorMessage": "the extension has subscribed using the other API",
    }
    again, _ = subscribe(session, who)
    assert isinstance(again, Subscribed)


def test_subscription_ends_with_the_init_phase() -> None:
    session, who = watched()
    session.next("poll")
    assert isinstance(subscribe(session, who)[0], Subscribed)
    assert ask(session, who) == (Ready(),)
    (refusal,) = subscribe(session, who)
    assert document(refusal, 403) == {
        "errorType": "Telemetry.SubscriptionClosed",
        "errorMessage": "Telemetry API subscription is closed already",
    }


def test_subscription_ends_with_the_environment() -> None:
    session, who = watched()
    session.shutdown(ShutdownReason.SPINDOWN, 0)
    (refusal,) = subscribe(session, who, LOGS)
    assert document(refusal, 403)["errorType"] == "Logs.SubscriptionClosed"
