"""AWS's rates: https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from lambdash import limits
from lambdash.pool import (
    Dispatch,
    Fail,
    FailCause,
    FunctionRemoved,
    InvocationArrived,
    Launch,
    PoolOptions,
    Throttle,
    ThrottleReason,
)
from lambdash.pool.rates import TokenBucket
from tests.pool.conversation import Conversation

MOST = limits.SCALING_ENVIRONMENTS_MAX


def at_awss_rates(account: int = 10_000) -> Conversation:
    return Conversation(PoolOptions(concurrent_executions=account, aws_scaling=True))


def arrive(
    talk: Conversation, count: int, function: str = "f", *, cold: bool = False
) -> list[ThrottleReason]:
    """The reasons of those of so many invocations that are throttled."""
    names = (f"{function}{talk.now}-{talk.pool.active}-{number}" for number in range(count))
    commands = talk.tell(*(InvocationArrived(name, function, cold) for name in names))
    return [command.reason for command in commands if isinstance(command, Throttle)]


def turns(talk: Conversation, count: int) -> int:
    """How many of so many invocations, one after the other, are let in by an idle environment."""
    served = 0
    for number in range(count):
        (command,) = talk.arrive(f"{talk.now}-{number}")
        if isinstance(command, Dispatch):
            talk.turn(command.environment_id)
            served += 1
    return served


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (ThrottleReason.FUNCTION_RATE, "FunctionInvocationRateLimitExceeded"),
        (ThrottleReason.RESERVED_RATE, "ReservedFunctionInvocationRateLimitExceeded"),
        (ThrottleReason.CALLER_RATE, "CallerRateLimitExceeded"),
    ],
)
def test_the_reasons_are_awss(reason: ThrottleReason, text: str) -> None:
    assert reason.value == text


def test_a_function_gets_a_thousand_environments_and_a_hundred_more_a_second() -> None:
    talk = at_awss_rates()
    talk.deploy(max_environments=5000)
    assert arrive(talk, MOST + 3) == [ThrottleReason.FUNCTION_RATE] * 3
    talk.now += 0.1
    assert arrive(talk, 12) == [ThrottleReason.FUNCTION_RATE] * 2
    talk.now += 1000.0
    assert arrive(talk, MOST + 1) == [ThrottleReason.FUNCTION_RATE]


def test_each_function_scales_by_itself_with_all_its_keys() -> None:
    talk = at_awss_rates()
    talk.deploy(max_environments=5000)
    talk.deploy("f:1", group="f", max_environments=5000)
    talk.deploy("g", max_environments=5000)
    arrive(talk, MOST)
    assert arrive(talk, 1, "f:1") == [ThrottleReason.FUNCTION_RATE]
    assert arrive(talk, 1, "g") == []


def test_what_needs_no_new_environment_is_let_in() -> None:
    talk = at_awss_rates()
    talk.deploy(max_environments=MOST)
    launches = talk.tell(*(InvocationArrived(f"i{number}", "f") for number in range(MOST)))
    first = launches[0]
    assert isinstance(first, Launch)
    assert arrive(talk, 1) == []  # at the maximum it waits
    talk.ready(first.environment_id)
    talk.turn(first.environment_id)
    talk.deploy(max_environments=MOST + 9)
    assert arrive(talk, 1, cold=True) == [ThrottleReason.FUNCTION_RATE]


def test_the_account_takes_ten_requests_a_second_for_each_unit() -> None:
    talk = at_awss_rates(account=3)
    talk.deploy()
    talk.warm()
    assert turns(talk, 40) == 29  # and one to warm it
    talk.now += 0.5
    assert turns(talk, 40) == 15
    assert arrive(talk, 1) == [ThrottleReason.CALLER_RATE]


def test_a_function_takes_ten_requests_a_second_for_each_unit_it_reserves() -> None:
    talk = at_awss_rates()
    talk.deploy(reserved_concurrent_executions=2)
    talk.warm()
    assert turns(talk, 40) == 19
    assert arrive(talk, 1) == [ThrottleReason.RESERVED_RATE]
    talk.deploy(reserved_concurrent_executions=4)
    assert arrive(talk, 1) == [ThrottleReason.RESERVED_RATE]
    talk.now += 1.0
    assert turns(talk, 90) == 40
    talk.now += 1.0
    talk.deploy(reserved_concurrent_executions=1)
    assert turns(talk, 90) == 10
    talk.deploy()
    assert arrive(talk, 1) == []


def test_no_concurrency_is_said_before_the_rate() -> None:
    talk = at_awss_rates()
    talk.deploy(reserved_concurrent_executions=0)
    assert arrive(talk, 1) == [ThrottleReason.RESERVED]
    assert talk.arrive("i1", function="unknown") == [Fail("i1", FailCause.FUNCTION_REMOVED)]


def test_a_function_that_is_made_again_starts_anew() -> None:
    talk = at_awss_rates()
    talk.deploy(max_environments=5000)
    talk.deploy("f:1", group="f", max_environments=5000)
    arrive(talk, MOST)
    talk.tell(FunctionRemoved("f"))
    assert arrive(talk, 1, "f:1") == [ThrottleReason.FUNCTION_RATE]
    talk.tell(FunctionRemoved("f:1"))
    talk.deploy(revision="r2", max_environments=5000)
    assert arrive(talk, 1) == []


def test_without_the_switch_there_is_no_rate() -> None:
    talk = Conversation(PoolOptions(concurrent_executions=3000))
    talk.deploy(max_environments=3000)
    assert arrive(talk, MOST + 1) == []


@given(st.lists(st.tuples(st.floats(0, 3), st.integers(0, 40))))
def test_a_bucket_never_gives_more_than_came_and_what_it_holds(
    waits: list[tuple[float, int]],
) -> None:
    bucket, now, given_out = TokenBucket(5.0, 10.0), 0.0, 0
    for seconds, asked in waits:
        now += seconds
        for _ in range(asked):
            if bucket.has_one(now):
                bucket.take(now)
                given_out += 1
        assert given_out <= 10 + 5 * now + 1e-6
        assert asked < 10 + 5 * seconds or not bucket.has_one(now) or given_out == 0
