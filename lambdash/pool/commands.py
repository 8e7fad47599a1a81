"""What the pool wants done. The shell performs each, in order, and feeds back what came of it."""

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


class StopReason(Enum):
    """Why an environment ends. ``superseded`` also stands for its function's removal."""

    IDLE = "idle"
    SUPERSEDED = "superseded"
    TIMED_OUT = "timed_out"
    INIT_FAILED = "init_failed"
    CRASHED = "crashed"
    OUT_OF_MEMORY = "out_of_memory"
    EVICTED = "evicted"
    SHUTDOWN = "shutdown"


class ThrottleReason(Enum):
    """AWS's ``Reason`` of ``TooManyRequestsException``.

    The rates are those of ``scaling: aws``: of new environments for a function, of requests for one
    that reserves concurrency, of requests for the account. A full queue
    (``limits.QUEUE_MAX_INVOCATIONS``; AWS has no queue here) borrows the first: a limit of this
    function that passes by itself.
    """

    RESERVED = "ReservedFunctionConcurrentInvocationLimitExceeded"
    ACCOUNT = "ConcurrentInvocationLimitExceeded"
    FUNCTION_RATE = "FunctionInvocationRateLimitExceeded"
    QUEUE_FULL = FUNCTION_RATE
    RESERVED_RATE = "ReservedFunctionInvocationRateLimitExceeded"
    CALLER_RATE = "CallerRateLimitExceeded"


class FailCause(Enum):
    """Why an invocation ends without the runtime's answer.

    ``ENVIRONMENT_NOT_READY``: the environment it waited for failed to launch or initialise.
    ``IN_FLIGHT``: its environment failed while it ran. Both carry the failure's detail.
    """

    ENVIRONMENT_NOT_READY = "environment_not_ready"
    IN_FLIGHT = "in_flight"
    REDISPATCHES_EXHAUSTED = "redispatches_exhausted"
    FUNCTION_REMOVED = "function_removed"
    SHUTDOWN = "shutdown"


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Hand the invocation to the polling runtime. Answered by ``EnvironmentResponded``,
    ``EnvironmentReset``, ``EnvironmentFailed`` or ``DispatchFailed``."""

    environment_id: str
    invocation_id: str


class InitializationType(Enum):
    """AWS's ``AWS_LAMBDA_INITIALIZATION_TYPE``: what an environment was started for."""

    ON_DEMAND = "on-demand"
    PROVISIONED = "provisioned-concurrency"


@dataclass(frozen=True, slots=True)
class Launch:
    """Start an environment. ``for_invocation`` is who asked for it, or None when ahead of need;
    another may be dispatched to it in the end."""

    environment_id: str
    function: str
    revision_id: str
    for_invocation: str | None
    initialization: InitializationType = InitializationType.ON_DEMAND


@dataclass(frozen=True, slots=True)
class Stop:
    """End and remove the sandbox (also one that has failed), then feed ``EnvironmentStopped``."""

    environment_id: str
    reason: StopReason


@dataclass(frozen=True, slots=True)
class Throttle:
    """Answer the caller: no concurrency left."""

    invocation_id: str
    reason: ThrottleReason


@dataclass(frozen=True, slots=True)
class Fail:
    """Answer the caller: no answer will come. ``detail`` is that of ``EnvironmentFailed``."""

    invocation_id: str
    cause: FailCause
    detail: object = None


Command: TypeAlias = Dispatch | Launch | Stop | Throttle | Fail
