"""The states of one environment's Runtime API, and every legal step between them.

Whatever is not in ``TRANSITIONS`` is illegal: it is answered as AWS answers it and changes nothing.
"""

from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
    """Where the runtime stands. Values are the names that AWS's messages show, where it has one."""

    STARTING = "Started"
    READY = "Ready"
    INVOKING = "Running"
    RESPONDING = "InvocationResponse"
    RESPONDED = "ResponseSent"
    UNPOLLED = "Away"
    FAILED = "InitError"
    RESETTING = "Resetting"
    RESETTING_POLLED = "ResettingReady"
    CLOSED = "Closed"


class Event(StrEnum):
    """What the runtime did, or the shell says. Values are AWS's names of the state striven for."""

    NEXT = "Ready"
    RESPONSE = "InvocationResponse"
    ERROR = "InvocationErrorResponse"
    INIT_ERROR = "InitError"
    POLL_LOST = "PollLost"
    BEGIN_RESPONSE = "BeginResponse"
    END_RESPONSE = "EndResponse"
    DISPATCH = "Dispatch"
    BEGIN_RESET = "BeginReset"
    RESET = "Reset"
    CLOSE = "Close"


_STOPS = {
    Event.BEGIN_RESET: State.RESETTING,
    Event.RESET: State.STARTING,
    Event.CLOSE: State.CLOSED,
}

TRANSITIONS: Mapping[State, Mapping[Event, State]] = {
    State.STARTING: {Event.NEXT: State.READY, Event.INIT_ERROR: State.FAILED, **_STOPS},
    # a /next is parked; a second one takes its place
    State.READY: {
        Event.NEXT: State.READY,
        Event.POLL_LOST: State.UNPOLLED,
        Event.DISPATCH: State.INVOKING,
        **_STOPS,
    },
    State.INVOKING: {
        Event.RESPONSE: State.RESPONDED,
        Event.ERROR: State.RESPONDED,
        Event.BEGIN_RESPONSE: State.RESPONDING,
        **_STOPS,
    },
    # a response comes in pieces
    State.RESPONDING: {Event.END_RESPONSE: State.RESPONDED, **_STOPS},
    # the caller has its answer; the slot is free only at the runtime's next /next
    State.RESPONDED: {Event.NEXT: State.READY, **_STOPS},
    # the parked /next went away before an invocation came
    State.UNPOLLED: {Event.NEXT: State.READY, **_STOPS},
    # the runtime reported /init/error
    State.FAILED: dict(_STOPS),
    # the runtime process is being replaced. The new one can ask before the engine says that the
    # old one has gone: its poll is held, and counts at RESET. A poll of the old one dies with it.
    State.RESETTING: {
        **_STOPS,
        Event.NEXT: State.RESETTING_POLLED,
        Event.INIT_ERROR: State.FAILED,
    },
    State.RESETTING_POLLED: {
        **_STOPS,
        Event.NEXT: State.RESETTING_POLLED,
        Event.POLL_LOST: State.RESETTING,
        Event.RESET: State.READY,
    },
    State.CLOSED: {Event.CLOSE: State.CLOSED},
}
