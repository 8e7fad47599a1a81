"""What becomes of an event after each kind of attempt."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lambdash import limits
from lambdash.emulator.asynchronous.decisions import (
    LetGo,
    TryAgain,
    after_attempt,
    before_attempt,
    expires_at,
)
from lambdash.model import (
    Crashed,
    FunctionFailed,
    InitFailed,
    Outcome,
    PlatformFailed,
    Succeeded,
    Throttled,
    TimedOut,
)
from lambdash.model.event import AsynchronousEvent, Condition, EventInvokeSettings, Response

EVENT = AsynchronousEvent("id", "hello", None, b"{}", accepted_at=1_000.0, due_at=1_000.0)
FAILURE = FunctionFailed(b'{"errorType":"E"}')
THROTTLE = Throttled("ConcurrentInvocationLimitExceeded")
DEFAULT = EventInvokeSettings()
SHORT = EventInvokeSettings(maximum_event_age_s=60)


def decide(
    outcome: Outcome,
    event: AsynchronousEvent = EVENT,
    settings: EventInvokeSettings = DEFAULT,
    now: float = 1_001.0,
) -> TryAgain | LetGo:
    return after_attempt(event, outcome, "$LATEST", settings, now)


def test_success_is_told_to_the_success_destination() -> None:
    decision = decide(Succeeded(b"1"))
    assert isinstance(decision, LetGo)
    assert decision.condition is Condition.SUCCESS
    assert decision.event.response == Response(b"1", "$LATEST")
    assert decision.event.invocations == 1


def test_function_errors_are_retried_after_one_minute_then_two() -> None:
    first = decide(FAILURE)
    assert isinstance(first, TryAgain)
    assert first.event.due_at == 1_061.0
    second = decide(FAILURE, first.event, now=1_062.0)
    assert isinstance(second, TryAgain)
    assert second.event.due_at == 1_182.0
    third = decide(FAILURE, second.event, now=1_183.0)
    assert third == LetGo(third.event, Condition.RETRIES_EXHAUSTED)
    assert (third.event.invocations, third.event.failures) == (3, 3)


def test_every_function_error_counts_alike() -> None:
    for outcome in (FAILURE, TimedOut(b"{}"), Crashed(b"{}"), InitFailed(b"{}")):
        decision = decide(outcome, settings=replace(DEFAULT, maximum_retry_attempts=0))
        assert decision == LetGo(decision.event, Condition.RETRIES_EXHAUSTED)


def test_throttles_back_off_from_a_second_to_five_minutes() -> None:
    event, waits, now = EVENT, [], 1_000.0
    for _ in range(11):
        decision = decide(THROTTLE, event, now=now)
        assert isinstance(decision, TryAgain)
        event = decision.event
        waits.append(event.due_at - now)
        now = event.due_at
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert event.invocations == 0


def test_system_errors_back_off_as_throttles_do() -> None:
    decision = decide(PlatformFailed("launch-failed", "no engine"))
    assert isinstance(decision, TryAgain)
    assert decision.event.due_at == 1_002.0


def test_an_answer_ends_the_row_of_setbacks() -> None:
    throttled = decide(THROTTLE)
    failed = decide(FAILURE, throttled.event)
    assert failed.event.setbacks == 0


def test_a_reserved_concurrency_of_zero_lets_go_at_once() -> None:
    settings = replace(DEFAULT, reserves_nothing=True)
    decision = decide(THROTTLE, settings=settings)
    assert decision == LetGo(EVENT, Condition.ZERO_RESERVED_CONCURRENCY)


def test_a_retry_past_the_maximum_age_becomes_the_end_of_the_event() -> None:
    decision = decide(FAILURE, settings=SHORT)
    assert isinstance(decision, TryAgain)
    assert decision.event.due_at == expires_at(EVENT, SHORT) == 1_060.0
    ended = before_attempt(decision.event, SHORT, 1_060.0)
    assert ended == LetGo(decision.event, Condition.EVENT_AGE_EXCEEDED)
    assert before_attempt(decision.event, SHORT, 1_059.9) is None


def test_time_scale_shortens_waits_and_ages_alike() -> None:
    settings = replace(SHORT, time_scale=0.01)
    assert expires_at(EVENT, settings) == 1_000.6
    again = decide(FAILURE, settings=replace(DEFAULT, time_scale=0.01), now=1_000.0)
    assert again.event.due_at == 1_000.6


OUTCOMES = st.sampled_from([FAILURE, THROTTLE, PlatformFailed("x", "y"), TimedOut(b"{}")])


@given(st.lists(OUTCOMES, max_size=60), st.integers(0, 2), st.integers(60, 21_600))
def test_no_event_is_tried_for_ever(outcomes: list[Outcome], retries: int, age_s: int) -> None:
    settings = EventInvokeSettings(retries, age_s)
    event, now = EVENT, EVENT.accepted_at
    for outcome in outcomes:
        if before_attempt(event, settings, now):
            break
        decision = decide(outcome, event, settings, now)
        assert decision.event.failures <= retries + 1
        if isinstance(decision, LetGo):
            assert decision.condition is Condition.RETRIES_EXHAUSTED
            assert decision.event.failures == retries + 1
            return
        wait_s = decision.event.due_at - now
        assert 0 <= wait_s <= limits.ASYNC_BACKOFF_MAX_S
        assert decision.event.due_at <= expires_at(event, settings)
        event, now = decision.event, decision.event.due_at
