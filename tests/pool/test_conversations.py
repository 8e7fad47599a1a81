"""What the prose of ``lambdash.pool`` promises, as conversations: told, and answered."""

import pytest

from lambdash import limits
from lambdash.pool import (
    CallerGone,
    Dispatch,
    DispatchFailed,
    EnvironmentFailed,
    EnvironmentLaunched,
    EnvironmentReset,
    EnvironmentStopped,
    Fail,
    FailCause,
    FunctionRemoved,
    Launch,
    PollLost,
    PoolOptions,
    Prewarm,
    Shutdown,
    Stop,
    StopReason,
    Throttle,
    ThrottleReason,
)
from lambdash.pool.environment import EnvironmentState as State
from tests.pool.conversation import Conversation


@pytest.fixture
def talk() -> Conversation:
    return Conversation()


# -- warm and cold -----------------------------------------------------------------------------


def test_a_first_invocation_launches_and_the_second_is_served_by_the_same(
    talk: Conversation,
) -> None:
    assert talk.deploy() == []
    assert talk.arrive("i1") == [Launch("e1", "f", "r1", "i1")]
    assert talk.tell(EnvironmentLaunched("e1")) == []
    assert talk.ready("e1") == [Dispatch("e1", "i1")]
    assert talk.turn("e1") == []
    assert talk.arrive("i2") == [Dispatch("e1", "i2")]


def test_a_call_between_answer_and_next_poll_waits_for_the_runtime_and_launches_none(
    talk: Conversation,
) -> None:
    talk.deploy()
    talk.warm()
    talk.arrive("i1")
    talk.respond("e1")
    assert talk.arrive("i2") == []
    assert talk.ready("e1") == [Dispatch("e1", "i2")]


def test_a_runtime_that_answers_and_does_not_poll_is_not_waited_for_long(
    talk: Conversation,
) -> None:
    talk.deploy()
    talk.warm()
    talk.arrive("i1")
    talk.respond("e1")
    talk.arrive("i2")
    talk.wait(0)
    assert talk.pool.next_deadline() == talk.now + limits.REPOLL_GRACE_S
    assert talk.wait(limits.REPOLL_GRACE_S / 2) == ()
    assert talk.wait(limits.REPOLL_GRACE_S / 2) == [Launch("e2", "f", "r1", "i2")]


def test_the_most_recently_used_is_taken_first(talk: Conversation) -> None:
    talk.deploy()
    talk.warm(3)
    talk.arrive("i1")
    assert talk.states()["e3"] is State.INVOKING
    talk.arrive("i2")
    talk.turn("e3")
    assert talk.arrive("i3") == [Dispatch("e3", "i3")]


def test_a_second_poll_of_an_idle_environment_changes_nothing(talk: Conversation) -> None:
    talk.deploy()
    talk.warm(2)
    assert talk.ready("e1") == []
    assert talk.arrive("i1") == [Dispatch("e2", "i1")]


def test_a_cold_invocation_gets_an_environment_of_its_own_beside_an_idle_one(
    talk: Conversation,
) -> None:
    talk.deploy()
    talk.warm()
    assert talk.arrive("i1", cold=True) == [Launch("e2", "f", "r1", "i1")]
    assert talk.arrive("i2") == [Dispatch("e1", "i2")]
    assert talk.ready("e2") == [Dispatch("e2", "i1")]


def test_a_cold_invocation_at_the_maximum_takes_the_place_of_an_idle_one(
    talk: Conversation,
) -> None:
    talk.deploy(max_environments=1)
    talk.warm()
    assert talk.arrive("i1", cold=True) == [
        Stop("e1", StopReason.EVICTED),
        Launch("e2", "f", "r1", "i1"),
    ]


def test_a_cold_invocation_waits_while_all_are_busy_and_is_not_passed_over(
    talk: Conversation,
) -> None:
    talk.deploy(max_environments=1)
    talk.warm()
    talk.arrive("i1")
    assert talk.arrive("i2", cold=True) + talk.arrive("i3") == []
    assert talk.turn("e1") == [Stop("e1", StopReason.EVICTED), Launch("e2", "f", "r1", "i2")]
    assert talk.ready("e2") == [Dispatch("e2", "i2")]
    assert talk.turn("e2") == [Dispatch("e2", "i3")]


def test_at_most_max_environments_that_stop_are_overlooked(talk: Conversation) -> None:
    talk.deploy(max_environments=1)
    talk.warm()
    talk.arrive("i1", cold=True)
    talk.ready("e2")
    talk.turn("e2")
    assert talk.arrive("i2", cold=True) == []
    assert talk.tell(EnvironmentStopped("e1")) == [
        Stop("e2", StopReason.EVICTED),
        Launch("e3", "f", "r1", "i2"),
    ]


def test_an_environment_launched_for_a_cold_caller_who_left_serves_anyone(
    talk: Conversation,
) -> None:
    talk.deploy()
    talk.arrive("i1", cold=True)
    talk.arrive("i2")
    assert talk.tell(CallerGone("i1")) == []
    assert talk.ready("e1") == [Dispatch("e1", "i2")]


# -- queue and throttles -----------------------------------------------------------------------


def test_past_max_environments_invocations_wait_first_come_first_served(
    talk: Conversation,
) -> None:
    talk.deploy(max_environments=2)
    talk.warm(2)
    talk.arrive("i1", "i2")
    assert talk.arrive("i3", "i4") == []
    assert talk.pool.waiting("f") == ("i3", "i4")
    assert talk.turn("e1") == [Dispatch("e1", "i3")]
    assert talk.turn("e2") == [Dispatch("e2", "i4")]
    assert talk.pool.waiting("f") == ()


def test_as_many_are_launched_as_wait_and_no_more_than_the_maximum(talk: Conversation) -> None:
    talk.deploy(max_environments=3)
    assert len(talk.arrive("i1", "i2")) == 2
    assert len(talk.arrive("i3", "i4", "i5")) == 1


def test_reserved_concurrency_throttles_what_waits_and_runs_together(talk: Conversation) -> None:
    talk.deploy(reserved_concurrent_executions=2)
    talk.arrive("i1")
    talk.ready("e1")
    talk.arrive("i2")
    assert talk.arrive("i3") == [Throttle("i3", ThrottleReason.RESERVED)]
    assert talk.respond("e1") == []
    assert talk.arrive("i4") == []


def test_reserved_concurrency_zero_throttles_all(talk: Conversation) -> None:
    talk.deploy(reserved_concurrent_executions=0)
    reason = talk.arrive("i1")[0].reason  # type: ignore[union-attr]
    assert reason.value == "ReservedFunctionConcurrentInvocationLimitExceeded"


def test_the_account_limit_counts_all_functions() -> None:
    talk = Conversation(PoolOptions(concurrent_executions=2))
    talk.deploy("f")
    talk.deploy("g")
    talk.arrive("i1")
    talk.arrive("i2", function="g")
    assert talk.arrive("i3") == [Throttle("i3", ThrottleReason.ACCOUNT)]
    assert ThrottleReason.ACCOUNT.value == "ConcurrentInvocationLimitExceeded"


def test_a_full_queue_throttles() -> None:
    talk = Conversation(PoolOptions(queue_max_invocations=1))
    talk.deploy()
    talk.arrive("i1")
    assert talk.arrive("i2") == [Throttle("i2", ThrottleReason.QUEUE_FULL)]


def test_who_waits_may_leave_and_who_is_in_flight_goes_on(talk: Conversation) -> None:
    talk.deploy(max_environments=1)
    talk.arrive("i1", "i2", "i3")
    talk.ready("e1")
    assert talk.tell(CallerGone("i1"), CallerGone("i2"), CallerGone("unknown")) == []
    assert talk.pool.active == 2
    assert talk.turn("e1") == [Dispatch("e1", "i3")]


# -- failures ----------------------------------------------------------------------------------


def test_a_failed_init_fails_whom_it_was_launched_for(talk: Conversation) -> None:
    talk.deploy()
    talk.arrive("i1", "i2")
    assert talk.tell(EnvironmentFailed("e2", StopReason.INIT_FAILED, "import error")) == [
        Stop("e2", StopReason.INIT_FAILED),
        Fail("i2", FailCause.ENVIRONMENT_NOT_READY, "import error"),
    ]
    assert talk.pool.waiting("f") == ("i1",)


def test_a_failed_init_fails_the_head_when_its_own_was_served_elsewhere(
    talk: Conversation,
) -> None:
    talk.deploy(max_environments=2)
    talk.arrive("i1", "i2", "i3")
    talk.ready("e2")  # serves i1
    talk.turn("e2")  # serves i2, whom e2 was launched for
    commands = talk.tell(EnvironmentFailed("e1", StopReason.INIT_FAILED))
    assert Fail("i3", FailCause.ENVIRONMENT_NOT_READY) in commands


def test_a_function_that_never_initialises_launches_once_an_invocation(
    talk: Conversation,
) -> None:
    talk.deploy(max_environments=2)
    launches = talk.arrive(*(f"i{number}" for number in range(10)))
    failed = 0
    while launches:
        environment = launches.pop(0).environment_id  # type: ignore[union-attr]
        commands = talk.tell(
            EnvironmentFailed(environment, StopReason.INIT_FAILED), EnvironmentStopped(environment)
        )
        failed += sum(isinstance(command, Fail) for command in commands)
        launches += [command for command in commands if isinstance(command, Launch)]
    assert failed == 10
    assert talk.pool.active == 0


def test_a_prewarmed_failure_fails_nobody_and_is_not_repeated(talk: Conversation) -> None:
    talk.deploy()
    assert talk.tell(Prewarm("f", 1)) == [Launch("e1", "f", "r1", None)]
    assert talk.tell(EnvironmentFailed("e1", StopReason.INIT_FAILED)) == [
        Stop("e1", StopReason.INIT_FAILED)
    ]


def test_a_prewarmed_failure_fails_the_one_who_counted_on_it(talk: Conversation) -> None:
    talk.deploy()
    talk.tell(Prewarm("f", 1))
    assert talk.arrive("i1") == []
    assert talk.tell(EnvironmentFailed("e1", StopReason.INIT_FAILED)) == [
        Stop("e1", StopReason.INIT_FAILED),
        Fail("i1", FailCause.ENVIRONMENT_NOT_READY),
    ]


def test_a_crash_in_flight_fails_exactly_its_own(talk: Conversation) -> None:
    talk.deploy(max_environments=1)
    talk.arrive("i1", "i2")
    talk.ready("e1")
    assert talk.tell(EnvironmentFailed("e1", StopReason.OUT_OF_MEMORY, "oom")) == [
        Stop("e1", StopReason.OUT_OF_MEMORY),
        Fail("i1", FailCause.IN_FLIGHT, "oom"),
        Launch("e2", "f", "r1", "i2"),
    ]


def test_a_crash_after_the_answer_fails_nobody(talk: Conversation) -> None:
    talk.deploy()
    talk.arrive("i1")
    talk.ready("e1")
    talk.respond("e1")
    talk.arrive("i2")
    assert talk.tell(EnvironmentFailed("e1", StopReason.CRASHED)) == [
        Stop("e1", StopReason.CRASHED),
        Launch("e2", "f", "r1", "i2"),
    ]


def test_a_hand_over_that_failed_is_done_again_in_front_of_the_others(
    talk: Conversation,
) -> None:
    talk.deploy(max_environments=1)
    talk.arrive("i1", "i2")
    talk.ready("e1")
    assert talk.tell(DispatchFailed("e1", "i1")) == []
    assert talk.pool.waiting("f") == ("i1", "i2")
    assert talk.ready("e1") == [Dispatch("e1", "i1")]


def test_a_hand_over_is_tried_elsewhere_at_once(talk: Conversation) -> None:
    talk.deploy()
    talk.warm(2)
    talk.arrive("i1")
    assert talk.tell(DispatchFailed("e2", "i1")) == [Dispatch("e1", "i1")]


def test_hand_overs_are_bounded(talk: Conversation) -> None:
    talk.deploy(max_environments=1)
    talk.arrive("i1")
    for _ in range(limits.REDISPATCHES_MAX):
        talk.ready("e1")
        assert talk.tell(DispatchFailed("e1", "i1")) == []
    talk.ready("e1")
    assert talk.tell(DispatchFailed("e1", "i1")) == [Fail("i1", FailCause.REDISPATCHES_EXHAUSTED)]


def test_after_a_timeout_the_environment_is_initialised_anew_and_serves_on(
    talk: Conversation,
) -> None:
    talk.deploy(max_environments=1)
    talk.arrive("i1", "i2")
    talk.ready("e1")
    assert talk.tell(EnvironmentReset("e1")) == []
    assert talk.states() == {"e1": State.INITIALIZING}
    assert talk.ready("e1") == [Dispatch("e1", "i2")]


def test_a_lost_poll_is_not_dispatched_to_until_it_polls_again(talk: Conversation) -> None:
    talk.deploy()
    talk.warm()
    assert talk.tell(PollLost("e1")) == []
    assert talk.arrive("i1") == []
    assert talk.ready("e1") == [Dispatch("e1", "i1")]


def test_a_cold_invocation_takes_the_place_of_one_without_a_poll_first(
    talk: Conversation,
) -> None:
    talk.deploy(max_environments=2)
    talk.warm(2)
    talk.tell(PollLost("e2"))
    assert talk.arrive("i1", cold=True)[0] == Stop("e2", StopReason.EVICTED)


def test_a_runtime_that_never_polls_again_is_given_up(talk: Conversation) -> None:
    talk.deploy(max_environments=1)
    talk.warm()
    talk.tell(PollLost("e1"))
    talk.arrive("i1")
    assert talk.wait(limits.REPOLL_MAX_S) == [
        Stop("e1", StopReason.CRASHED),
        Launch("e2", "f", "r1", "i1"),
    ]


# -- keep-alive, prewarming, the end -----------------------------------------------------------


def test_keep_alive_stops_the_least_recently_used_when_its_time_has_come(
    talk: Conversation,
) -> None:
    talk.deploy(keep_alive_s=600)
    talk.warm(2)
    talk.now = 100.0
    talk.arrive("i1")  # e2
    talk.turn("e2")
    talk.pool.tick(talk.now)
    assert talk.wait(499.0) == ()
    assert talk.pool.next_deadline() == 600.0
    assert talk.wait(1.0) == [Stop("e1", StopReason.IDLE)]
    assert talk.pool.next_deadline() == 700.0
    assert talk.wait(100.0) == [Stop("e2", StopReason.IDLE)]
    assert talk.pool.next_deadline() is None


def test_a_shorter_keep_alive_holds_at_once(talk: Conversation) -> None:
    talk.deploy(keep_alive_s=600)
    talk.warm()
    talk.now = 50.0
    talk.deploy(keep_alive_s=10)
    assert talk.wait(0) == [Stop("e1", StopReason.IDLE)]


def test_fewer_environments_are_allowed_now(talk: Conversation) -> None:
    talk.deploy(max_environments=3)
    talk.warm(3)
    talk.arrive("i1", "i2")  # e3, e2
    assert talk.deploy(max_environments=1) == [Stop("e1", StopReason.EVICTED)]
    assert talk.turn("e2") == [Stop("e2", StopReason.EVICTED)]
    assert talk.turn("e3") == []


def test_prewarming_keeps_within_the_maximum_and_counts_what_is_there(
    talk: Conversation,
) -> None:
    talk.deploy(max_environments=3)
    talk.warm()
    assert talk.tell(Prewarm("f", 2)) == [Launch("e2", "f", "r1", None)]
    assert talk.tell(Prewarm("f", 2)) == []
    assert len(talk.tell(Prewarm("f", 9))) == 1
    assert talk.tell(Prewarm("unknown", 1)) == []


def test_shutdown_fails_and_stops_everything_and_refuses_what_comes(talk: Conversation) -> None:
    talk.deploy(max_environments=1)
    talk.arrive("i1", "i2")
    talk.ready("e1")
    assert set(talk.tell(Shutdown())) == {
        Stop("e1", StopReason.SHUTDOWN),
        Fail("i1", FailCause.SHUTDOWN),
        Fail("i2", FailCause.SHUTDOWN),
    }
    assert talk.arrive("i3") == [Fail("i3", FailCause.SHUTDOWN)]
    assert talk.tell(Prewarm("f", 1), EnvironmentStopped("e1")) == []
    assert talk.pool.active == 0


def test_a_removed_function_fails_who_waits_drains_and_is_forgotten(talk: Conversation) -> None:
    talk.deploy(max_environments=2)
    talk.arrive("i1", "i2", "i3")
    talk.ready("e1")
    assert talk.tell(FunctionRemoved("f")) == [
        Fail("i2", FailCause.FUNCTION_REMOVED),
        Fail("i3", FailCause.FUNCTION_REMOVED),
        Stop("e2", StopReason.SUPERSEDED),
    ]
    assert talk.arrive("i4") == [Fail("i4", FailCause.FUNCTION_REMOVED)]
    assert talk.turn("e1") == [Stop("e1", StopReason.SUPERSEDED)]
    talk.tell(EnvironmentStopped("e1"), EnvironmentStopped("e2"))
    assert talk.tell(FunctionRemoved("f")) == []
    assert talk.pool.waiting("f") == ()


def test_a_hand_over_that_failed_after_the_removal_fails(talk: Conversation) -> None:
    talk.deploy()
    talk.arrive("i1")
    talk.ready("e1")
    talk.tell(FunctionRemoved("f"))
    assert talk.tell(DispatchFailed("e1", "i1")) == [
        Stop("e1", StopReason.SUPERSEDED),
        Fail("i1", FailCause.FUNCTION_REMOVED),
    ]


def test_what_it_says_of_itself(talk: Conversation) -> None:
    assert repr(talk.pool) == "<Pool no environments; 0 waiting>"
    talk.deploy(max_environments=2)
    talk.warm(2)
    talk.arrive("i1", "i2")
    talk.arrive("i3", cold=True)
    assert repr(talk.pool) == "<Pool 2 invoking; 1 waiting>"
    (function,) = talk.pool._functions.values()
    assert repr(function) == "<FunctionPool f@r1 idle=0 coming=0 live=2 waiting=1>"
    assert repr(function.waiting["i3"]) == "<PooledInvocation i3 #5 cold>"
    served = [(view.id, view.served) for view in talk.pool.environments()]
    assert served == [("e1", 1), ("e2", 1)]
