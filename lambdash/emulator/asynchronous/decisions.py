"""What becomes of an event after an attempt: delivered, tried again later, or let go. Pure.

Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html: function
errors are retried after one minute, then after two; throttles and system errors from one second up
to five minutes apart, as long as the event is not too old.
"""

from dataclasses import dataclass, replace
from typing import TypeAlias

from lambdash import limits
from lambdash.model import Outcome, PlatformFailed, Throttled, function_error
from lambdash.model.event import AsynchronousEvent, Condition, EventInvokeSettings, Response
from lambdash.scheduling.backoff import asynchronous_retry_delay_s, backoff_delay_s


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Keep the event until ``event.due_at``."""

    event: AsynchronousEvent


@dataclass(frozen=True, slots=True)
class LetGo:
    """Done with the event: tell the destination of this condition, then forget it."""

    event: AsynchronousEvent
    condition: Condition


Decision: TypeAlias = TryAgain | LetGo


def expires_at(event: AsynchronousEvent, settings: EventInvokeSettings) -> float:
    """When the event is too old for another attempt (epoch seconds)."""
    return event.accepted_at + settings.maximum_event_age_s * settings.time_scale


def before_attempt(
    event: AsynchronousEvent, settings: EventInvokeSettings, now: float
) -> LetGo | None:
    """Whether the event is too old for the attempt that is due."""
    if now >= expires_at(event, settings):
        return LetGo(event, Condition.EVENT_AGE_EXCEEDED)
    return None


def after_attempt(
    event: AsynchronousEvent,
    outcome: Outcome,
    version: str,
    settings: EventInvokeSettings,
    now: float,
) -> Decision:
    """What becomes of the event; ``version`` is the one that ran, where one did."""
    match outcome:
        case Throttled() if settings.reserves_nothing:
            return LetGo(event, Condition.ZERO_RESERVED_CONCURRENCY)
        case Throttled() | PlatformFailed():
            wait_s = backoff_delay_s(
                event.setbacks + 1,
                first_s=limits.ASYNC_BACKOFF_MIN_S,
                max_s=limits.ASYNC_BACKOFF_MAX_S,
            )
            return _later(event.set_back(), wait_s, settings, now)
        case _:
            error = function_error(outcome)
            answered = event.answered(Response(outcome.payload, version, error))
    if error is None:
        return LetGo(answered, Condition.SUCCESS)
    if answered.failures > settings.maximum_retry_attempts:
        return LetGo(answered, Condition.RETRIES_EXHAUSTED)
    wait_s = asynchronous_retry_delay_s(answered.failures)
    return _later(answered, wait_s, settings, now)


def _later(
    event: AsynchronousEvent, wait_s: float, settings: EventInvokeSettings, now: float
) -> TryAgain:
    """Wait, but no longer than until the event is too old: then it is let go."""
    due_at = min(now + wait_s * settings.time_scale, expires_at(event, settings))
    return TryAgain(replace(event, due_at=due_at))
