"""The states of one extension, and every legal step between them.

Whatever is not in ``TRANSITIONS`` is illegal: it is answered as AWS answers it and changes nothing.
"""

from collections.abc import Mapping
from enum import StrEnum


class ExtensionState(StrEnum):
    """Where an extension stands. Values are the names that AWS's messages show, where it has one.

    ``AWAY`` has lost the connection of its parked ``/event/next``.
    """

    STARTED = "Started"
    REGISTERED = "Registered"
    READY = "Ready"
    RUNNING = "Running"
    AWAY = "Away"
    INIT_ERROR = "InitError"
    EXIT_ERROR = "ExitError"
    EXITED = "Exited"


class ExtensionEvent(StrEnum):
    """What an extension did, or was told. Values are AWS's names of the state striven for."""

    REGISTER = "Registered"
    NEXT = "Ready"
    DELIVER = "Running"
    INIT_ERROR = "InitError"
    # AWS's text names the state Exited for it, whatever its state is called afterwards
    EXIT_ERROR = "Exited"
    POLL_LOST = "PollLost"
    EXIT = "Exit"


_S, _E = ExtensionState, ExtensionEvent
_ENDS = {_E.EXIT_ERROR: _S.EXIT_ERROR, _E.EXIT: _S.EXITED}

TRANSITIONS: Mapping[ExtensionState, Mapping[ExtensionEvent, ExtensionState]] = {
    # its process runs, or was told to
    _S.STARTED: {_E.REGISTER: _S.REGISTERED, _E.EXIT: _S.EXITED},
    _S.REGISTERED: {_E.NEXT: _S.READY, _E.INIT_ERROR: _S.INIT_ERROR, **_ENDS},
    # its /event/next is parked; a second one is refused
    _S.READY: {_E.DELIVER: _S.RUNNING, _E.POLL_LOST: _S.AWAY, **_ENDS},
    _S.RUNNING: {_E.NEXT: _S.READY, **_ENDS},
    _S.AWAY: {_E.NEXT: _S.READY, **_ENDS},
    # the first report counts; it may be repeated
    _S.INIT_ERROR: {_E.INIT_ERROR: _S.INIT_ERROR, _E.EXIT: _S.EXITED},
    _S.EXIT_ERROR: {_E.EXIT_ERROR: _S.EXIT_ERROR, _E.EXIT: _S.EXITED},
    _S.EXITED: {},
}
