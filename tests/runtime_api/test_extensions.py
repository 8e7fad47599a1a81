"""Conversations with extensions.

Texts and error types: AWS's runtime interface emulator and
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
"""

import pytest

from lambdash import limits
from lambdash.runtime_api.extension_messages import FunctionIdentity, ShutdownReason
from lambdash.runtime_api.extensions import ExtensionReport, Extensions
from lambdash.runtime_api.messages import (
    Answer,
    ExtensionFailed,
    ExtensionsRegistered,
    HandOver,
    InvocationMessage,
    NotPolling,
    Ready,
    RuntimeReady,
)
from lambdash.runtime_api.session import Session
from tests.runtime_api.extension_peer import (
    EXIT_ERROR,
    INIT_ERROR,
    NEXT,
    REGISTER,
    ask,
    document,
    identify,
    known,
    register,
)
from tests.runtime_api.sessions import identifier, new_session

MESSAGE = InvocationMessage("a", b"{}", 1542409706888, "arn:f", "Root=1;Sampled=1")
NAMED = (b"lambda-extension-name", b"watcher")
NAMED_INSIDE = (b"lambda-extension-name", b"inside")
FATAL = (b"lambda-extension-function-error-type", b"Fatal.ConnectFailed")


def with_external(*events: str) -> tuple[Session, str]:
    """An external extension has registered and the runtime may start."""
    session = new_session()
    assert session.extensions_started(("watcher",)) == ()
    return session, identify(register(session, "watcher", *events))


def ready(*events: str) -> tuple[Session, str]:
    """Runtime and extension wait for an invocation."""
    session, who = with_external(*events)
    ask(session, who)
    assert session.next("poll") == (Ready(),)
    return session, who


def invoking() -> tuple[Session, str]:
    session, who = ready("INVOKE", "SHUTDOWN")
    assert isinstance(session.dispatch(MESSAGE), HandOver)
    session.announce(MESSAGE)
    return session, who


def test_registering() -> None:
    session = new_session()
    session.extensions_started(("watcher",))
    headers = (NAMED, (b"lambda-extension-accept-feature", b"other, accountId"))

    answer, started = session.handle(
        "post", "POST", REGISTER, headers, b'{"events":["INVOKE","SHUTDOWN","INVOKE"]}'
    )

    assert document(answer) == {
        "functionName": "hello",
        "functionVersion": "$LATEST",
        "handler": "app.handler",
        "accountId": "000000000000",
    }
    assert isinstance(answer, Answer)
    assert dict(answer.headers)[b"Lambda-Extension-Identifier"] == identifier(0).encode()
    assert started == ExtensionsRegistered()
    assert session.extension_reports() == (
        ExtensionReport("watcher", "Registered", ("INVOKE", "SHUTDOWN"), ""),
    )


def test_the_account_is_told_only_to_who_asks() -> None:
    session, _ = with_external()
    (answer,) = register(session, "other")
    assert set(document(answer)) == {"functionName", "functionVersion", "handler"}


def test_the_runtime_starts_when_every_external_extension_has_registered() -> None:
    session = new_session()
    session.extensions_started(("one", "two"))
    assert len(register(session, "two")) == 1
    assert register(session, "one")[1] == ExtensionsRegistered()


def test_init_ends_when_all_have_asked_for_next() -> None:
    session, who = with_external("SHUTDOWN")
    assert session.next("poll") == (RuntimeReady(),)
    assert not session.is_ready
    assert session.dispatch(MESSAGE) == NotPolling("a")
    assert ask(session, who) == (Ready(),)
    assert isinstance(session.dispatch(MESSAGE), HandOver)


def test_an_invocation_is_announced_and_ends_when_all_have_asked_for_next() -> None:
    session, who = ready("INVOKE")

    assert isinstance(session.dispatch(MESSAGE), HandOver)
    (event,) = session.announce(MESSAGE)

    assert document(event) == {
        "eventType": "INVOKE",
        "deadlineMs": 1542409706888,
        "requestId": "a",
        "invokedFunctionArn": "arn:f",
        "tracing": {"type": "X-Amzn-Trace-Id", "value": "Root=1;Sampled=1"},
    }
    assert isinstance(event, Answer)
    assert event.exchange == "next"
    assert (b"content-type", b"application/json") in event.headers
    assert b"Lambda-Extension-Event-Identifier" in dict(event.headers)
    session.response("post", "a", b"1", ())
    assert session.next("poll") == (RuntimeReady(),)
    assert ask(session, who) == (Ready(),)


def test_the_runtime_may_be_the_last() -> None:
    session, who = invoking()
    assert ask(session, who) == ()
    session.response("post", "a", b"1", ())
    assert session.next("poll") == (Ready(),)


def test_who_did_not_register_for_invoke_is_not_told_and_not_waited_for() -> None:
    session, _ = ready("SHUTDOWN")
    session.dispatch(MESSAGE)
    assert session.announce(MESSAGE) == ()
    session.response("post", "a", b"1", ())
    assert session.next("poll") == (Ready(),)


def test_internal_extensions_register_until_the_runtime_asks() -> None:
    session = new_session()
    assert not session.has_extensions
    assert session.announce(MESSAGE) == ()
    who = identify(register(session, "inside", "INVOKE"))
    assert session.has_extensions
    assert session.shutdown_grace_s == 0.5
    assert session.next("poll") == (RuntimeReady(),)

    (refusal,) = register(session, "late")

    assert document(refusal, 403) == {
        "errorMessage": "Extension registration closed already",
        "errorType": "Extension.RegistrationClosed",
    }
    assert ask(session, who) == (Ready(),)


def test_nobody_registers_once_a_runtime_without_extensions_runs() -> None:
    session = new_session()
    session.next("poll")
    (refusal,) = register(session, "late")
    assert document(refusal, 403)["errorType"] == "Extension.RegistrationClosed"
    assert not session.has_extensions
    assert session.is_ready


@pytest.mark.parametrize(
    ("name", "events", "error_type", "message"),
    [
        (
            "inside",
            ["SHUTDOWN"],
            "Extension.InvalidEventType",
            "SHUTDOWN: ShutdownEventNotSupportedForInternalExtension",
        ),
        ("watcher", ["SLEEP"], "Extension.InvalidEventType", "SLEEP: ErrorInvalidEventType"),
        ("", [], "Extension.InvalidExtensionName", "Empty extension name"),
        (
            "watcher",
            ["INVOKE"],
            "Extension.InvalidExtensionState",
            "State transition from Registered to Registered failed for extension watcher. "
            "Error: State transition is not allowed",
        ),
        (
            "twin",
            [],
            "Extension.InvalidExtensionState",
            "Extension with this name already registered",
        ),
    ],
)
def test_registrations_that_are_refused(
    name: str, events: list[str], error_type: str, message: str
) -> None:
    session, _ = with_external("INVOKE")
    register(session, "twin")
    (refusal,) = register(session, name, *events)
    assert document(refusal, 403) == {"errorMessage": message, "errorType": error_type}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"events":{}}',
        b'{"events":"INVOKE"}',
        b'{"events":[1]}',
        b"[" * 50_000,
        b'{"configurationKeys":["x"]}',
        b'{"events":["%b"]}' % (b"x" * limits.EXTENSION_BODY_MAX_BYTES),
    ],
    ids=lambda body: body[:20].decode(),
)
def test_bodies_that_are_no_registration(body: bytes) -> None:
    session = new_session()
    (refusal,) = session.handle("post", "POST", REGISTER, (NAMED,), body)
    assert document(refusal, 403)["errorType"] == "InvalidRequestFormat"
    assert session.extension_reports() == ()


def test_no_more_than_ten() -> None:
    session = new_session()
    for number in range(limits.EXTENSIONS_MAX):
        identify(register(session, f"e{number}"))
    (refusal,) = register(session, "one too many")
    assert document(refusal, 403) == {
        "errorMessage": "Extension limit (10) reached",
        "errorType": "Extension.TooManyExtensions",
    }


def test_no_more_than_ten_executables() -> None:
    names = [f"e{number}" for number in range(limits.EXTENSIONS_MAX + 1)]
    assert new_session().extensions_started(names) == (
        ExtensionFailed("e10", "Extension.LaunchError", "Extension limit (10) reached"),
    )


@pytest.mark.parametrize("path", [NEXT, INIT_ERROR, EXIT_ERROR])
@pytest.mark.parametrize(
    ("given", "error_type"),
    [
        (None, "Extension.MissingExtensionIdentifier"),
        ("me", "Extension.InvalidExtensionIdentifier"),
        (identifier(99), "Extension.UnknownExtensionIdentifier"),
        (identifier(0), "Extension.UnknownExtensionIdentifier"),
    ],
)
def test_strangers_are_refused(path: str, given: str | None, error_type: str) -> None:
    session = new_session()
    session.extensions_started(("not registered yet",))
    headers = () if given is None else known(given)
    method = "GET" if path == NEXT else "POST"
    (refusal,) = session.handle("x", method, path, headers, b"")
    assert document(refusal, 403)["errorType"] == error_type


def test_strangers_are_refused_where_there_is_no_extension() -> None:
    session = new_session()
    session.next("poll")
    (refusal,) = ask(session, identifier(0))
    assert document(refusal, 403) == {
        "errorMessage": f"Unknown extension {identifier(0)}",
        "errorType": "Extension.UnknownExtensionIdentifier",
    }


def test_identifiers_are_read_in_any_case() -> None:
    session, who = with_external()
    assert ask(session, who.upper()) == ()


def test_a_second_poll_is_refused_and_the_first_still_counts() -> None:
    session, who = ready("INVOKE")
    (refusal,) = ask(session, who, "second")
    assert document(refusal, 403) == {
        "errorMessage": f"State transition from Ready to Ready failed for extension {who}. "
        "Error: State transition is not allowed",
        "errorType": "Extension.InvalidExtensionState",
    }
    session.dispatch(MESSAGE)
    (event,) = session.announce(MESSAGE)
    assert isinstance(event, Answer)
    assert event.exchange == "next"


def test_a_lost_poll_holds_invocations_up_until_the_next() -> None:
    session, who = ready("INVOKE")
    session.poll_lost("next")
    session.poll_lost("of nobody")
    assert not session.is_ready
    assert session.dispatch(MESSAGE) == NotPolling("a")
    assert ask(session, who, "again") == (Ready(),)
    session.dispatch(MESSAGE)
    (event,) = session.announce(MESSAGE)
    assert isinstance(event, Answer)
    assert event.exchange == "again"


def test_a_lost_poll_of_who_wants_no_invoke_holds_up_nobody() -> None:
    session, who = ready("SHUTDOWN")
    session.poll_lost("next")
    assert session.is_ready
    assert ask(session, who, "again") == ()


@pytest.mark.parametrize(
    ("path", "error_type"),
    [(INIT_ERROR, "Extension.InitError"), (EXIT_ERROR, "Extension.ExitError")],
)
def test_an_extension_that_reports_an_error_fails_the_environment(
    path: str, error_type: str
) -> None:
    session, who = with_external("INVOKE")
    headers = (*known(who), FATAL)

    answer, failed = session.handle("post", "POST", path, headers, b"{}")

    assert document(answer, 202) == {"status": "OK"}
    assert failed == ExtensionFailed("watcher", error_type, "Fatal.ConnectFailed")
    (again,) = session.handle("post", "POST", path, headers, b"{}")
    assert document(again, 202) == {"status": "OK"}
    (refusal,) = ask(session, who)
    assert document(refusal, 403)["errorType"] == "Extension.InvalidExtensionState"
    assert session.extension_exited("watcher", "exit status 1") == ()
    assert session.extension_reports()[0].error_type == "Fatal.ConnectFailed"


@pytest.mark.parametrize("path", [INIT_ERROR, EXIT_ERROR])
def test_an_error_without_its_type_is_refused(path: str) -> None:
    session, who = with_external("INVOKE")
    (refusal,) = session.handle("post", "POST", path, known(who), b"{}")
    assert document(refusal, 403) == {
        "errorMessage": "Lambda-Extension-Function-Error-Type not found",
        "errorType": "Extension.MissingHeader",
    }


def test_an_init_error_comes_too_late_after_next() -> None:
    session, who = ready("INVOKE")
    (refusal,) = session.handle("post", "POST", INIT_ERROR, (*known(who), FATAL), b"{}")
    assert document(refusal, 403)["errorMessage"].startswith(
        f"State transition from Ready to InitError failed for extension {who}."
    )


def test_an_extension_that_ends_fails_the_environment() -> None:
    session, _ = ready("INVOKE")
    assert session.extension_exited("nobody", "exit code 0") == ()
    assert session.extension_exited("watcher", "exit code 0") == (
        ExtensionFailed("watcher", "Extension.Crash", "exit code 0"),
    )
    assert session.extension_exited("watcher", "exit code 0") == ()
    assert not session.is_ready


@pytest.mark.parametrize(
    ("how", "error_type"),
    [("exit status 127", "Extension.LaunchError"), ("exit status 1", "Extension.Crash")],
)
def test_an_extension_that_never_started(how: str, error_type: str) -> None:
    session = new_session()
    session.extensions_started(("watcher",))
    assert session.extension_exited("watcher", how) == (
        ExtensionFailed("watcher", error_type, how),
    )


def test_an_exit_where_there_are_no_extensions_is_late_news() -> None:
    assert new_session().extension_exited("watcher", "exit code 0") == ()


def test_an_internal_extension_has_no_exit_of_its_own() -> None:
    session = new_session()
    register(session, "inside")
    assert session.extension_exited("inside", "exit code 0") == ()


def test_shutdown_is_told_to_who_waits_and_to_who_asks_later_and_once() -> None:
    session = new_session()
    session.extensions_started(("waits", "busy", "silent"))
    waits = identify(register(session, "waits", "SHUTDOWN"))
    busy = identify(register(session, "busy", "INVOKE", "SHUTDOWN"))
    silent = identify(register(session, "silent", "INVOKE"))
    ask(session, waits, "waiting")
    ask(session, silent, "forgotten")
    assert session.shutdown_grace_s == 2.0

    (told,) = session.shutdown(ShutdownReason.SPINDOWN, 123)

    event = {"eventType": "SHUTDOWN", "deadlineMs": 123, "shutdownReason": "spindown"}
    assert document(told) == event
    assert isinstance(told, Answer)
    assert told.exchange == "waiting"
    (told,) = ask(session, busy, "late")
    assert document(told) == event
    assert ask(session, busy, "once more") == ()
    assert session.shutdown(ShutdownReason.FAILURE, 456) == ()
    assert session.extension_exited("waits", "exit code 0") == ()
    headers = (*known(busy), FATAL)
    (answer,) = session.handle("post", "POST", EXIT_ERROR, headers, b"{}")
    assert document(answer, 202) == {"status": "OK"}


def test_the_end_without_extensions() -> None:
    session = new_session()
    assert session.shutdown_grace_s == 0.0
    assert session.shutdown(ShutdownReason.SPINDOWN, 0) == ()
    assert session.extension_reports() == ()


def test_a_timeout_shuts_external_extensions_down_and_begins_anew() -> None:
    session, who = invoking()

    assert session.begin_reset(ShutdownReason.TIMEOUT, 9) == ()
    (told,) = ask(session, who)
    assert document(told) == {"eventType": "SHUTDOWN", "deadlineMs": 9, "shutdownReason": "timeout"}

    assert session.extensions_started(("watcher",)) == ()
    (refusal,) = ask(session, who)
    assert document(refusal, 403)["errorType"] == "Extension.UnknownExtensionIdentifier"
    answer, registered = register(session, "watcher", "INVOKE")
    assert registered == ExtensionsRegistered()
    assert session.next("poll") == ()
    assert session.reset() == (RuntimeReady(),)
    assert ask(session, identify((answer,))) == (Ready(),)


def test_a_timeout_ends_internal_extensions() -> None:
    session = new_session()
    register(session, "inside", "INVOKE")
    assert session.begin_reset(ShutdownReason.TIMEOUT, 9) == ()
    assert not session.has_extensions
    identify(register(session, "inside", "INVOKE"))


def test_extensions_may_be_the_first_after_a_reset() -> None:
    session, _ = invoking()
    session.begin_reset(ShutdownReason.TIMEOUT, 9)
    session.extensions_started(("watcher",))
    ask(session, identify(register(session, "watcher", "INVOKE")))
    session.next("poll")
    assert session.reset() == (Ready(),)


def test_a_registration_without_events() -> None:
    session, _ = with_external()
    (answer,) = session.handle("post", "POST", REGISTER, (NAMED_INSIDE,), b"{}")
    assert document(answer)["functionName"] == "hello"
    assert session.extension_reports()[1].events == ()


def test_they_say_what_they_are() -> None:
    session, _ = ready("INVOKE")
    assert session.extension_reports() == (ExtensionReport("watcher", "Ready", ("INVOKE",), ""),)
    extensions = Extensions(FunctionIdentity(), str)
    extensions.started(("watcher",))
    assert repr(extensions) == "<Extensions [<Extension watcher external STARTED>]>"
