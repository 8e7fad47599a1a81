"""Who counts against what: https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html."""

import pytest

from lambdash.pool import (
    AccountConcurrency,
    Dispatch,
    EnvironmentFailed,
    EnvironmentStopped,
    Fail,
    FailCause,
    FunctionRemoved,
    Launch,
    PoolOptions,
    Shutdown,
    StopReason,
    Throttle,
    ThrottleReason,
)
from tests.pool.conversation import Conversation

RESERVED, ACCOUNT = ThrottleReason.RESERVED, ThrottleReason.ACCOUNT


def of_ten(**reserved: int | None) -> Conversation:
    """An account of ten; functions by name, each with what it reserves."""
    talk = Conversation(PoolOptions(concurrent_executions=10))
    for name, amount in reserved.items():
        talk.deploy(name, reserved_concurrent_executions=amount)
    return talk


def throttled(talk: Conversation, function: str, times: int) -> list[ThrottleReason]:
    """The reasons of those of so many invocations that are throttled."""
    began = talk.pool.active
    names = [f"{function}-{began}-{number}" for number in range(times)]
    commands = talk.arrive(*names, function=function)
    return [command.reason for command in commands if isinstance(command, Throttle)]


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (RESERVED, "ReservedFunctionConcurrentInvocationLimitExceeded"),
        (ACCOUNT, "ConcurrentInvocationLimitExceeded"),
    ],
)
def test_the_reasons_are_awss(reason: ThrottleReason, text: str) -> None:
    assert reason.value == text


def test_a_function_may_use_all_it_reserves_and_no_more() -> None:
    talk = of_ten(f=3, g=None)
    assert throttled(talk, "f", 4) == [RESERVED]


def test_the_others_share_what_is_left() -> None:
    talk = of_ten(f=3, g=None, h=None)
    assert throttled(talk, "g", 4) == []
    assert throttled(talk, "h", 4) == [ACCOUNT]
    assert throttled(talk, "f", 3) == []


def test_a_reservation_of_zero_throttles_all_and_takes_nothing() -> None:
    talk = of_ten(f=0, g=None)
    assert throttled(talk, "f", 1) == [RESERVED]
    assert throttled(talk, "g", 10) == []


def test_all_keys_of_a_function_share_its_reservation() -> None:
    talk = of_ten(f=3)
    talk.deploy("f:1", group="f")
    assert throttled(talk, "f:1", 2) == []
    assert throttled(talk, "f", 2) == [RESERVED]
    assert talk.pool.account == AccountConcurrency(10, 7, 0)


def test_the_functions_own_key_says_what_all_of_them_reserve() -> None:
    talk = of_ten()
    talk.deploy("f:1", group="f", reserved_concurrent_executions=1)
    assert throttled(talk, "f:1", 2) == []
    talk.deploy("f", reserved_concurrent_executions=2)
    assert throttled(talk, "f", 1) + throttled(talk, "f:1", 1) == [RESERVED, RESERVED]
    talk.deploy("f:2", group="f", reserved_concurrent_executions=9)
    assert throttled(talk, "f:2", 1) == [RESERVED]


def test_a_reservation_changes_for_what_is_in_flight_too() -> None:
    talk = of_ten(f=None, g=None)
    throttled(talk, "f", 9)
    talk.deploy("f", reserved_concurrent_executions=4)
    assert throttled(talk, "f", 1) == [RESERVED]
    assert throttled(talk, "g", 7) == [ACCOUNT]  # six are left, for all the others
    talk.deploy("f", reserved_concurrent_executions=None)
    assert throttled(talk, "f", 1) == [ACCOUNT]
    assert talk.pool.account == AccountConcurrency(10, 10, 0)


def test_the_last_key_gives_the_reservation_back() -> None:
    talk = of_ten(f=4)
    talk.deploy("f:1", group="f")
    talk.tell(FunctionRemoved("f"))
    assert talk.pool.account.unreserved_concurrent_executions == 6
    talk.tell(FunctionRemoved("f:1"))
    assert talk.pool.account.unreserved_concurrent_executions == 10


def test_what_a_removed_function_has_in_flight_counts_against_the_account() -> None:
    talk = of_ten(f=4, g=None)
    launches = talk.arrive("i1")
    assert launches == [Launch("e1", "f", "r1", "i1")]
    talk.ready("e1")
    assert talk.tell(FunctionRemoved("f"), FunctionRemoved("f")) == []
    assert throttled(talk, "g", 10) == [ACCOUNT]
    talk.turn("e1")
    assert throttled(talk, "g", 2) == [ACCOUNT]
    talk.tell(EnvironmentStopped("e1"))
    assert talk.pool.active == 10


def test_a_function_that_comes_back_while_it_drains_reserves_again() -> None:
    talk = of_ten(f=1)
    talk.arrive("i1")
    talk.ready("e1")
    talk.tell(FunctionRemoved("f"))
    assert talk.arrive("i2") == [Fail("i2", FailCause.FUNCTION_REMOVED)]
    talk.deploy("f", "r2", reserved_concurrent_executions=2)
    assert throttled(talk, "f", 2) == [RESERVED]


def test_more_reserved_than_there_is_leaves_nothing_for_the_others() -> None:
    talk = of_ten(f=20, g=None)
    assert talk.pool.account == AccountConcurrency(10, 0, 0)
    assert throttled(talk, "g", 1) == [ACCOUNT]


def test_an_answer_frees_the_share_before_the_next_poll() -> None:
    talk = of_ten(f=1)
    talk.warm()
    talk.arrive("i1")
    talk.respond("e1")
    assert throttled(talk, "f", 1) == []
    assert [type(command) for command in talk.ready("e1")] == [Dispatch]


def test_nothing_deployed_after_the_end_takes_invocations() -> None:
    talk = of_ten(f=None)
    talk.tell(Shutdown())
    talk.deploy("f", "r2")
    assert talk.arrive("i1") == [Fail("i1", FailCause.SHUTDOWN)]


def test_what_a_share_says_of_itself() -> None:
    talk = of_ten(f=3)
    talk.arrive("i1")
    share = talk.pool._functions["f"].share
    assert repr(share) == "<Share 1/3 RESERVED>"


def test_a_failure_frees_the_share() -> None:
    talk = of_ten(f=1)
    talk.arrive("i1")
    talk.tell(EnvironmentFailed("e1", StopReason.INIT_FAILED))
    assert throttled(talk, "f", 2) == [RESERVED]
