"""One execution environment as the pool sees it: its states, and every move between them.

Moves (a test compares them with the table; news that changes nothing is left out)::

    LAUNCHING -> INITIALIZING: EnvironmentLaunched
    LAUNCHING -> IDLE: EnvironmentReady
    LAUNCHING -> STOPPING: EnvironmentFailed, Stop
    INITIALIZING -> IDLE: EnvironmentReady
    INITIALIZING -> STOPPING: EnvironmentFailed, Stop
    IDLE -> RECONNECTING: PollLost
    IDLE -> INVOKING: Dispatch
    IDLE -> STOPPING: EnvironmentFailed, Stop
    RECONNECTING -> IDLE: EnvironmentReady
    RECONNECTING -> STOPPING: EnvironmentFailed, Stop
    INVOKING -> RESPONDED: EnvironmentResponded
    INVOKING -> RECONNECTING: DispatchFailed
    INVOKING -> INITIALIZING: EnvironmentReset
    INVOKING -> STOPPING: EnvironmentFailed, Stop
    RESPONDED -> IDLE: EnvironmentReady
    RESPONDED -> INITIALIZING: EnvironmentReset
    RESPONDED -> STOPPING: EnvironmentFailed, Stop
    STOPPING -> STOPPED: EnvironmentStopped
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

from lambdash.errors import PlatformError
from lambdash.pool.commands import Dispatch, InitializationType, Launch, Stop
from lambdash.pool.events import (
    DispatchFailed,
    EnvironmentFailed,
    EnvironmentLaunched,
    EnvironmentReady,
    EnvironmentReset,
    EnvironmentResponded,
    EnvironmentStopped,
    PollLost,
)
from lambdash.pool.invocation import PooledInvocation


class EnvironmentState(Enum):
    """``RECONNECTING`` is idle without a poll: alive, but nothing can be handed over.

    ``RESPONDED`` has answered and not polled yet. Why it stops is a field of ``Stop``.
    """

    LAUNCHING = "launching"
    INITIALIZING = "initializing"
    IDLE = "idle"
    RECONNECTING = "reconnecting"
    INVOKING = "invoking"
    RESPONDED = "responded"
    STOPPING = "stopping"
    STOPPED = "stopped"

    # members are singletons; Enum's own hash is a Python call, on the warm path six times
    __hash__ = object.__hash__


Cause: TypeAlias = type[Any]
_S = EnvironmentState
_LATE: dict[Cause, EnvironmentState] = dict.fromkeys(
    (
        EnvironmentLaunched,
        EnvironmentReady,
        EnvironmentResponded,
        PollLost,
        DispatchFailed,
        EnvironmentReset,
        EnvironmentFailed,
    ),
    _S.STOPPING,
)

# What an environment may be told (an event) or what the pool may do with it (a command), and
# where that leads. What is absent is a bug of the shell and raises.
TRANSITIONS: dict[EnvironmentState, dict[Cause, EnvironmentState]] = {
    _S.LAUNCHING: {
        EnvironmentLaunched: _S.INITIALIZING,
        EnvironmentReady: _S.IDLE,  # the runtime beat the engine's reply
        EnvironmentFailed: _S.STOPPING,
        Stop: _S.STOPPING,
    },
    _S.INITIALIZING: {
        EnvironmentLaunched: _S.INITIALIZING,  # the reply came after a reset
        EnvironmentReady: _S.IDLE,
        EnvironmentFailed: _S.STOPPING,
        Stop: _S.STOPPING,
    },
    _S.IDLE: {
        EnvironmentLaunched: _S.IDLE,
        EnvironmentReady: _S.IDLE,  # a new poll, before the loss of the old one was noticed
        PollLost: _S.RECONNECTING,
        Dispatch: _S.INVOKING,
        EnvironmentFailed: _S.STOPPING,
        Stop: _S.STOPPING,
    },
    _S.RECONNECTING: {
        EnvironmentLaunched: _S.RECONNECTING,
        EnvironmentReady: _S.IDLE,
        EnvironmentFailed: _S.STOPPING,
        Stop: _S.STOPPING,
    },
    _S.INVOKING: {
        EnvironmentLaunched: _S.INVOKING,
        EnvironmentResponded: _S.RESPONDED,
        DispatchFailed: _S.RECONNECTING,
        EnvironmentReset: _S.INITIALIZING,
        EnvironmentFailed: _S.STOPPING,
        Stop: _S.STOPPING,
    },
    _S.RESPONDED: {
        EnvironmentLaunched: _S.RESPONDED,
        EnvironmentReady: _S.IDLE,
        EnvironmentReset: _S.INITIALIZING,
        EnvironmentFailed: _S.STOPPING,
        Stop: _S.STOPPING,
    },
    _S.STOPPING: {**_LATE, EnvironmentStopped: _S.STOPPED},
    _S.STOPPED: {},
}


class IllegalTransition(PlatformError):
    """An environment was told what cannot happen in its state; the state is as it was."""

    def __init__(self, environment: "Environment", cause: Cause) -> None:
        super().__init__(
            "illegal-transition",
            f"{cause.__name__} cannot happen to {environment!r}",
            "this is a defect of lambdash: please report it",
        )


@dataclass(slots=True, eq=False, repr=False)
class Environment:
    """``since`` is when it came into its state; ``served`` counts answers given.

    ``invocation`` is the one in flight. ``promised_to`` is a cold invocation that only this
    environment serves; ``launched_for`` is the id of whoever asked for it. One that is
    ``provisioned`` was launched ahead and is kept.
    """

    id: str
    function: str
    revision_id: str
    charge_mb: int
    since: float
    launched_for: str | None = None
    promised_to: PooledInvocation | None = None
    invocation: PooledInvocation | None = None
    state: EnvironmentState = EnvironmentState.LAUNCHING
    served: int = 0
    provisioned: bool = False

    def move(self, cause: Cause, now: float) -> None:
        """Follow the table, or raise ``IllegalTransition``."""
        state = TRANSITIONS[self.state].get(cause)
        if state is None:
            raise IllegalTransition(self, cause)
        if state is not self.state:
            self.state = state
            self.since = now

    def launch(self) -> Launch:
        """The command that starts it."""
        kind = InitializationType.PROVISIONED if self.provisioned else InitializationType.ON_DEMAND
        return Launch(self.id, self.function, self.revision_id, self.launched_for, kind)

    def __repr__(self) -> str:
        return (
            f"<Environment {self.id} {self.function}@{self.revision_id}"
            f" {self.state.value} served={self.served}>"
        )
