"""Every (state, event) pair of the table, driven through the public methods."""

import json
from collections.abc import Callable

import pytest

from lambdash.runtime_api.extension_messages import ShutdownReason
from lambdash.runtime_api.messages import Answer, InvocationMessage, NotPolling
from lambdash.runtime_api.session import Session
from lambdash.runtime_api.states import TRANSITIONS, Event, State
from tests.runtime_api.sessions import new_session

ID = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
PATH = f"/2018-06-01/runtime/invocation/{ID}/response"
PARKED = object()
STREAM = object()
MESSAGE = InvocationMessage(ID, b"{}", 1, "arn:aws:lambda:x", "Root=1")


def starting() -> Session:
    return new_session()


def ready() -> Session:
    session = new_session()
    session.next(PARKED)
    return session


def invoking() -> Session:
    session = ready()
    session.dispatch(MESSAGE)
    return session


def responding() -> Session:
    session = invoking()
    session.begin_response(STREAM, PATH, ())
    return session


def responded() -> Session:
    session = invoking()
    session.response("post", ID, b"1", ())
    return session


def unpolled() -> Session:
    session = ready()
    session.poll_lost(PARKED)
    return session


def failed() -> Session:
    session = new_session()
    session.init_error("post", b"{}", ())
    return session


def resetting() -> Session:
    session = invoking()
    session.begin_reset(ShutdownReason.TIMEOUT, 0)
    return session


def resetting_polled() -> Session:
    session = resetting()
    session.next(PARKED)
    return session


def closed() -> Session:
    session = new_session()
    session.shutdown(ShutdownReason.SPINDOWN, 0)
    return session


LADDER: dict[State, Callable[[], Session]] = {
    State.STARTING: starting,
    State.READY: ready,
    State.INVOKING: invoking,
    State.RESPONDING: responding,
    State.RESPONDED: responded,
    State.UNPOLLED: unpolled,
    State.FAILED: failed,
    State.RESETTING: resetting,
    State.RESETTING_POLLED: resetting_polled,
    State.CLOSED: closed,
}

FEED: dict[Event, Callable[[Session], object]] = {
    Event.NEXT: lambda session: session.next("new poll"),
    Event.RESPONSE: lambda session: session.response("post", ID, b"2", ()),
    Event.ERROR: lambda session: session.error("post", ID, b"{}", ()),
    Event.INIT_ERROR: lambda session: session.init_error("post", b"{}", ()),
    Event.BEGIN_RESPONSE: lambda session: session.begin_response("post", PATH, ()),
    Event.END_RESPONSE: lambda session: session.end_response(STREAM, ()),
    Event.POLL_LOST: lambda session: session.poll_lost(PARKED),
    Event.DISPATCH: lambda session: session.dispatch(MESSAGE),
    Event.BEGIN_RESET: lambda session: session.begin_reset(ShutdownReason.TIMEOUT, 0),
    Event.RESET: lambda session: session.reset(),
    Event.CLOSE: lambda session: session.shutdown(ShutdownReason.SPINDOWN, 0),
}


ANSWERS = (Event.RESPONSE, Event.ERROR, Event.BEGIN_RESPONSE)
ASKED = (Event.NEXT, Event.INIT_ERROR, *ANSWERS)


def test_the_table_names_every_state() -> None:
    assert set(TRANSITIONS) == set(State) == set(LADDER)
    assert set(FEED) == set(Event)


@pytest.mark.parametrize("event", list(Event), ids=lambda event: event.name)
@pytest.mark.parametrize("state", list(State), ids=lambda state: state.name)
def test_each_pair(state: State, event: Event) -> None:
    session = LADDER[state]()
    assert session.state is state

    FEED[event](session)

    assert session.state is TRANSITIONS[state].get(event, state)


@pytest.mark.parametrize("event", ASKED)
@pytest.mark.parametrize("state", list(State), ids=lambda state: state.name)
def test_what_is_illegal_is_answered_as_aws_does(state: State, event: Event) -> None:
    if event in TRANSITIONS[state]:
        return
    answer = FEED[event](LADDER[state]())
    if event is not Event.BEGIN_RESPONSE:
        assert isinstance(answer, tuple)
        (answer,) = answer
    assert isinstance(answer, Answer)
    document = json.loads(answer.body)
    if event in ANSWERS and state not in (State.RESPONDED, State.RESPONDING):
        assert answer.status == 400
        assert document == {"errorMessage": "Invalid request ID", "errorType": "InvalidRequestID"}
    else:
        assert answer.status == 403
        wanted = "InvocationResponse" if event is Event.BEGIN_RESPONSE else event.value
        assert document == {
            "errorMessage": f"State transition from {state.value} to {wanted} failed for "
            "runtime. Error: State transition is not allowed",
            "errorType": "InvalidStateTransition",
        }


@pytest.mark.parametrize("state", [state for state in State if state is not State.READY])
def test_nobody_polls_unless_ready(state: State) -> None:
    assert LADDER[state]().dispatch(MESSAGE) == NotPolling(ID)
