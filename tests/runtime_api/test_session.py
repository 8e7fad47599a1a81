"""Conversations with one runtime."""

import json

import pytest

from lambdash import limits
from lambdash.runtime_api.extension_messages import ShutdownReason
from lambdash.runtime_api.messages import (
    Answer,
    HandOver,
    Headers,
    InitFailed,
    InvocationMessage,
    NotPolling,
    Ready,
    Responded,
    ResponseBegun,
    ResponseKind,
)
from lambdash.runtime_api.session import Session
from lambdash.runtime_api.states import State
from tests.runtime_api.sessions import new_session

BASE = "/2018-06-01/runtime"
NEXT = f"{BASE}/invocation/next"
JSON = ((b"content-type", b"application/json"),)
OK = b'{"status":"OK"}\n'
TOO_LARGE = {
    "errorMessage": "Exceeded maximum allowed payload size (6291556 bytes).",
    "errorType": "RequestEntityTooLarge",
}
RESPONSE_TOO_LARGE = {
    "errorType": "Function.ResponseSizeTooLarge",
    "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
}


def message(request_id: str = "a", payload: bytes = b"{}") -> InvocationMessage:
    return InvocationMessage(request_id, payload, 1542409706888, "arn:f", "Root=1;Sampled=1")


def polled(poll: object = "poll") -> Session:
    session = new_session()
    assert session.handle(poll, "GET", NEXT, (), b"") == (Ready(),)
    return session


def invoking() -> Session:
    session = polled()
    session.dispatch(message())
    return session


def test_a_warm_turn() -> None:
    session = polled("p1")

    answer = session.dispatch(message("a", b'{"x":1}'))

    assert answer == HandOver(
        "p1",
        b"content-type: application/json\r\n"
        b"Lambda-Runtime-Aws-Request-Id: a\r\n"
        b"Lambda-Runtime-Deadline-Ms: 1542409706888\r\n"
        b"Lambda-Runtime-Invoked-Function-Arn: arn:f\r\n"
        b"Lambda-Runtime-Trace-Id: Root=1;Sampled=1\r\n",
        b'{"x":1}',
    )
    assert session.request_id == "a"
    assert session.handle("post", "POST", f"{BASE}/invocation/a/response", JSON, b"42") == (
        Responded("a", ResponseKind.RESPONSE, b"42", "application/json"),
        Answer("post", 202, JSON, OK),
    )
    assert session.request_id is None
    assert session.handle("p2", "GET", NEXT, (), b"") == (Ready(),)


def test_the_optional_headers_come_only_when_present_and_cannot_forge_lines() -> None:
    session = polled()
    context = '{\r\n "custom": "\u00e9"}'
    sent = message()._replace(client_context=context, cognito_identity='{"id":\n1}')

    over = session.dispatch(sent)

    assert isinstance(over, HandOver)
    headers = dict(line.split(b": ", 1) for line in over.lines.split(b"\r\n")[:-1])
    assert json.loads(headers[b"Lambda-Runtime-Client-Context"]) == {"custom": "\u00e9"}
    assert json.loads(headers[b"Lambda-Runtime-Cognito-Identity"]) == {"id": 1}
    assert not any(b"\n" in value or b"\r" in value for value in headers.values())


def test_an_error_is_told_by_its_route_and_keeps_its_type() -> None:
    session = invoking()
    headers = (
        (b"content-type", b"application/vnd.aws.lambda.error+json"),
        (b"lambda-runtime-function-error-type", b"Function.Boom"),
    )

    commands = session.handle("post", "POST", f"{BASE}/invocation/a/error", headers, b'{"e":1}')

    assert commands == (
        Responded(
            "a",
            ResponseKind.ERROR,
            b'{"e":1}',
            "application/vnd.aws.lambda.error+json",
            "Function.Boom",
        ),
        Answer("post", 202, JSON, OK),
    )


def test_a_response_that_looks_like_an_error_is_a_response() -> None:
    body = b'{"errorType":"X","errorMessage":"y"}'
    responded, _ = invoking().response("post", "a", body, ())
    assert responded == Responded("a", ResponseKind.RESPONSE, body)


def test_an_error_without_headers_is_still_an_error() -> None:
    responded, _ = invoking().error("post", "a", b"", ())
    assert responded == Responded("a", ResponseKind.ERROR, b"")


def test_init_error() -> None:
    session = new_session()
    headers = ((b"lambda-runtime-function-error-type", b"Runtime.ImportModuleError"),)

    commands = session.handle("post", "POST", f"{BASE}/init/error", headers, b"{}")

    assert commands == (
        InitFailed(b"{}", "Runtime.ImportModuleError"),
        Answer("post", 202, JSON, OK),
    )
    (refusal,) = session.next("poll")
    assert isinstance(refusal, Answer)
    assert refusal.status == 403


def test_a_second_answer_reaches_nobody() -> None:
    session = invoking()
    session.response("post", "a", b"1", ())

    (again,) = session.error("late", "a", b"2", ())
    assert isinstance(again, Answer)
    assert (again.exchange, again.status) == ("late", 403)

    session.next("poll")
    (late,) = session.response("later", "a", b"3", ())
    assert isinstance(late, Answer)
    assert late.status == 400


def test_an_answer_to_another_invocation_reaches_nobody() -> None:
    session = invoking()
    (answer,) = session.response("post", "other", b"1", ())
    assert isinstance(answer, Answer)
    assert answer.status == 400
    assert session.request_id == "a"


def test_the_newest_poll_wins() -> None:
    session = polled("old")

    (refusal,) = session.next("new")

    assert isinstance(refusal, Answer)
    assert (refusal.exchange, refusal.status) == ("old", 403)
    session.poll_lost("old")
    answer = session.dispatch(message())
    assert isinstance(answer, HandOver)
    assert answer.exchange == "new"


def test_a_lost_poll_gets_nothing() -> None:
    session = polled("p1")
    session.poll_lost("p1")

    assert session.dispatch(message()) == NotPolling("a")
    assert session.next("p2") == (Ready(),)
    assert isinstance(session.dispatch(message()), HandOver)


def test_a_poll_lost_after_its_dispatch_is_late_news() -> None:
    session = invoking()
    session.poll_lost("poll")
    assert session.state is State.INVOKING


def test_after_a_timeout_the_new_process_may_poll_before_the_engine_says_so() -> None:
    session = invoking()
    session.begin_reset(ShutdownReason.TIMEOUT, 0)

    (late,) = session.response("post", "a", b"late", ())
    assert isinstance(late, Answer)
    assert late.status == 400
    assert session.next("new process") == ()
    assert session.dispatch(message("b")) == NotPolling("b")

    assert session.reset() == (Ready(),)
    answer = session.dispatch(message("b"))
    assert isinstance(answer, HandOver)
    assert answer.exchange == "new process"


def test_a_poll_of_the_dying_process_dies_with_it() -> None:
    session = invoking()
    session.begin_reset(ShutdownReason.TIMEOUT, 0)
    session.next("old process")
    session.poll_lost("old process")

    assert session.reset() == ()
    assert session.state is State.STARTING
    assert session.next("new process") == (Ready(),)


def test_two_polls_during_a_reset() -> None:
    session = invoking()
    session.begin_reset(ShutdownReason.TIMEOUT, 0)
    session.next("old process")
    (refusal,) = session.next("new process")
    assert isinstance(refusal, Answer)
    assert refusal.exchange == "old process"
    assert session.reset() == (Ready(),)


def test_a_reset_forgets_the_parked_poll() -> None:
    session = polled("old")
    assert session.reset() == ()
    session.poll_lost("old")
    assert session.state is State.STARTING


@pytest.mark.parametrize("route", ["response", "error"])
def test_what_is_too_large_fails_the_invocation(route: str) -> None:
    for read in (True, False):
        session = invoking()
        path = f"{BASE}/invocation/a/{route}"
        body = bytes(limits.RESPONSE_PAYLOAD_MAX_BYTES + 1)

        if read:
            responded, answer = session.handle("post", "POST", path, (), body)
        else:
            responded, answer = session.oversized("post", "POST", path)

        assert isinstance(responded, Responded)
        assert responded.kind is ResponseKind.ERROR
        assert json.loads(responded.body) == RESPONSE_TOO_LARGE
        assert isinstance(answer, Answer)
        assert answer.status == 413
        assert json.loads(answer.body) == TOO_LARGE
        assert session.next("poll") == (Ready(),)


def test_the_largest_response_passes() -> None:
    body = bytes(limits.RESPONSE_PAYLOAD_MAX_BYTES)
    responded, _ = invoking().response("post", "a", body, ())
    assert isinstance(responded, Responded)
    assert responded.kind is ResponseKind.RESPONSE


def test_an_oversized_init_error_is_an_init_error() -> None:
    session = new_session()
    failed, answer = session.oversized("post", "POST", f"{BASE}/init/error")
    assert isinstance(failed, InitFailed)
    assert json.loads(failed.body) == RESPONSE_TOO_LARGE
    assert isinstance(answer, Answer)
    assert answer.status == 413
    assert session.state is State.FAILED


@pytest.mark.parametrize("path", [f"{BASE}/init/error", NEXT, "/x"])
def test_an_oversized_request_out_of_place_changes_nothing(path: str) -> None:
    session = polled()
    (answer,) = session.oversized("post", "POST", path)
    assert isinstance(answer, Answer)
    assert answer.status == 413
    assert session.state is State.READY


def test_an_unknown_response_mode_is_refused() -> None:
    session = invoking()
    headers = (
        (b"transfer-encoding", b"chunked"),
        (b"lambda-runtime-function-response-mode", b"odd"),
    )

    (answer,) = session.response("post", "a", b"", headers)

    assert isinstance(answer, Answer)
    assert answer.status == 400
    document = json.loads(answer.body)
    assert document == {
        "errorMessage": "Invalid function response mode",
        "errorType": "InvalidFunctionResponseMode",
    }
    assert session.request_id == "a"


def streaming() -> Session:
    session = invoking()
    begun = session.begin_response("post", f"{BASE}/invocation/a/response", JSON)
    assert begun == ResponseBegun("a", "application/json")
    assert session.request_id == "a"
    return session


def test_a_streamed_response() -> None:
    session = streaming()
    assert session.end_response("post", ()) == (
        Responded("a", ResponseKind.RESPONSE, b""),
        Answer("post", 202, JSON, OK),
    )
    assert session.request_id is None
    assert session.next("poll") == (Ready(),)


@pytest.mark.parametrize(
    ("trailers", "body"),
    [
        (
            (
                (b"lambda-runtime-function-error-type", b"Function.Boom"),
                (b"lambda-runtime-function-error-body", b"eyJlIjoxfQ=="),
            ),
            b'{"e":1}',
        ),
        (
            ((b"lambda-runtime-function-error-type", b"Function.Boom"),),
            b'{"errorType":"Function.Boom","errorMessage":""}',
        ),
        (
            ((b"lambda-runtime-function-error-body", b"no base64"),),
            b'{"errorType":"Runtime.Unknown","errorMessage":""}',
        ),
    ],
)
def test_trailers_tell_of_an_error_amid_a_response(trailers: Headers, body: bytes) -> None:
    responded, answer = streaming().end_response("post", trailers)
    assert responded == Responded("a", ResponseKind.ERROR, body)
    assert isinstance(answer, Answer)
    assert answer.status == 202


def test_a_streamed_response_that_is_broken_off() -> None:
    session = streaming()
    assert session.break_response("another") == ()
    (responded,) = session.break_response("post")
    assert isinstance(responded, Responded)
    assert responded.kind is ResponseKind.ERROR
    assert json.loads(responded.body)["errorType"] == "Runtime.TruncatedResponse"
    assert session.end_response("post", ()) == ()
    assert session.next("poll") == (Ready(),)


def test_a_streamed_response_that_is_too_large() -> None:
    session = streaming()
    responded, answer = session.overflow_response("post", 10)
    assert isinstance(responded, Responded)
    assert json.loads(responded.body) == {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": "Response payload size exceeded maximum allowed payload size (10 bytes).",
    }
    assert isinstance(answer, Answer)
    assert answer.status == 413
    assert session.break_response("post") == ()


@pytest.mark.parametrize("path", ["/x", f"{BASE}/invocation/b/response", f"{BASE}/init/error"])
def test_a_stream_out_of_place_changes_nothing(path: str) -> None:
    session = invoking()
    answer = session.begin_response("post", path, ())
    assert isinstance(answer, Answer)
    assert answer.status == 400
    assert session.request_id == "a"


def test_a_reset_forgets_the_stream() -> None:
    session = streaming()
    session.begin_reset(ShutdownReason.TIMEOUT, 0)
    assert session.end_response("post", ()) == ()
    assert session.break_response("post") == ()


@pytest.mark.parametrize(
    ("method", "path", "status", "error_type"),
    [
        ("POST", NEXT, 405, "MethodNotAllowed"),
        ("GET", f"{BASE}/invocation/a/response", 405, "MethodNotAllowed"),
        ("GET", f"{BASE}/init/error", 405, "MethodNotAllowed"),
        ("GET", "/", 404, "NotFound"),
        ("POST", f"{BASE}/invocation//response", 404, "NotFound"),
        ("POST", f"{BASE}/invocation/a/other", 404, "NotFound"),
        ("POST", f"{BASE}/invocation/a/response/", 404, "NotFound"),
        ("POST", f"{BASE}/invocation/a", 404, "NotFound"),
        ("GET", "/2020-01-01/extension/register", 405, "MethodNotAllowed"),
        ("POST", "/2020-01-01/extension/event/next", 405, "MethodNotAllowed"),
        ("POST", "/2020-01-01/extension/other", 404, "NotFound"),
        ("POST", "/2022-07-01/telemetry", 405, "MethodNotAllowed"),
        ("GET", f"{BASE}/restore/next", 404, "Runtime.RestoreNotSupported"),
    ],
)
def test_what_the_runtime_api_has_not(method: str, path: str, status: int, error_type: str) -> None:
    session = invoking()
    (answer,) = session.handle("x", method, path, (), b"")
    assert isinstance(answer, Answer)
    assert (answer.status, answer.headers) == (status, JSON)
    document = json.loads(answer.body)
    assert set(document) == {"errorMessage", "errorType"}
    assert document["errorType"] == error_type
    assert session.state is State.INVOKING


def test_it_says_what_it_is() -> None:
    assert repr(invoking()) == "<Session INVOKING request_id=a>"
