"""Asynchronous invocation's nouns: an accepted event, its settings, and how it is let go."""

from dataclasses import dataclass, replace
from enum import Enum

from lambdash import limits


class Condition(Enum):
    """Why Lambda is done with an event (``requestContext.condition`` of a destination record)."""

    SUCCESS = "Success"
    RETRIES_EXHAUSTED = "RetriesExhausted"
    EVENT_AGE_EXCEEDED = "EventAgeExceeded"
    ZERO_RESERVED_CONCURRENCY = "ZeroReservedConcurrency"


@dataclass(frozen=True, slots=True)
class Response:
    """What the function answered an attempt; ``payload`` is its body, byte for byte."""

    payload: bytes
    executed_version: str
    function_error: str | None = None


@dataclass(frozen=True, slots=True)
class AsynchronousEvent:
    """One accepted event. Times are epoch seconds.

    ``invocations`` counts attempts that reached the function, ``failures`` those of them that
    failed, ``setbacks`` the throttles and system errors in a row since. ``response`` is the last.
    """

    request_id: str
    function_name: str
    qualifier: str | None
    payload: bytes
    accepted_at: float
    due_at: float
    trace_id: str | None = None
    client_context: str | None = None
    invocations: int = 0
    failures: int = 0
    setbacks: int = 0
    response: Response | None = None

    def answered(self, response: Response) -> "AsynchronousEvent":
        """The event after the function answered an attempt."""
        failed = response.function_error is not None
        return replace(
            self,
            invocations=self.invocations + 1,
            failures=self.failures + failed,
            setbacks=0,
            response=response,
        )

    def set_back(self) -> "AsynchronousEvent":
        """The event after an attempt that did not reach the function."""
        return replace(self, setbacks=self.setbacks + 1)


@dataclass(frozen=True, slots=True)
class EventInvokeSettings:
    """A function's (or alias's) settings for asynchronous invocation; targets are ARNs.

    ``reserves_nothing`` says that the reserved concurrency is 0: its events are let go at once.
    ``time_scale`` multiplies every wait and the maximum age. ``in_flight_max`` is how many events
    of the function are handed to its environments at a time.
    """

    maximum_retry_attempts: int = limits.ASYNC_RETRY_ATTEMPTS_DEFAULT
    maximum_event_age_s: int = limits.ASYNC_EVENT_AGE_MAX_S
    on_success: str | None = None
    on_failure: str | None = None
    dead_letter: str | None = None
    reserves_nothing: bool = False
    in_flight_max: int = limits.MAX_ENVIRONMENTS_DEFAULT
    time_scale: float = 1.0
