"""The pool core: which environment serves which invocation, as a pure function of events and time.

``Pool.handle(event, now)`` returns the commands a shell performs; ``next_deadline`` and ``tick``
are its only timer. Nothing here touches a socket, a clock or a log.
"""

from lambdash.pool.commands import (
    Command,
    Dispatch,
    Fail,
    FailCause,
    InitializationType,
    Launch,
    Stop,
    StopReason,
    Throttle,
    ThrottleReason,
)
from lambdash.pool.concurrency import AccountConcurrency
from lambdash.pool.environment import EnvironmentState, IllegalTransition
from lambdash.pool.events import (
    CallerGone,
    DispatchFailed,
    EnvironmentEvent,
    EnvironmentFailed,
    EnvironmentLaunched,
    EnvironmentReady,
    EnvironmentReset,
    EnvironmentResponded,
    EnvironmentStopped,
    Event,
    FunctionDeployed,
    FunctionRemoved,
    InvocationArrived,
    PollLost,
    Prewarm,
    RevisionStaged,
    Shutdown,
)
from lambdash.pool.pool import Pool, PoolOptions
from lambdash.pool.provisioned import ProvisionedConcurrency, ProvisionedStatus
from lambdash.pool.view import EnvironmentView

__all__ = [
    "AccountConcurrency",
    "CallerGone",
    "Command",
    "Dispatch",
    "DispatchFailed",
    "EnvironmentEvent",
    "EnvironmentFailed",
    "EnvironmentLaunched",
    "EnvironmentReady",
    "EnvironmentReset",
    "EnvironmentResponded",
    "EnvironmentState",
    "EnvironmentStopped",
    "EnvironmentView",
    "Event",
    "Fail",
    "FailCause",
    "FunctionDeployed",
    "FunctionRemoved",
    "IllegalTransition",
    "InitializationType",
    "InvocationArrived",
    "Launch",
    "Pool",
    "PoolOptions",
    "PollLost",
    "Prewarm",
    "ProvisionedConcurrency",
    "ProvisionedStatus",
    "RevisionStaged",
    "Shutdown",
    "Stop",
    "StopReason",
    "Throttle",
    "ThrottleReason",
]
