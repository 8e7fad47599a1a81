"""Provisioned concurrency: initialised ahead, kept, first to serve.

https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html
"""

import pytest

from lambdash import limits
from lambdash.pool import (
    AccountConcurrency,
    Command,
    Dispatch,
    DispatchFailed,
    EnvironmentFailed,
    EnvironmentReset,
    EnvironmentStopped,
    FunctionRemoved,
    InitializationType,
    Launch,
    PollLost,
    PoolOptions,
    Prewarm,
    ProvisionedStatus,
    RevisionStaged,
    Shutdown,
    Stop,
    StopReason,
    Throttle,
    ThrottleReason,
)
from tests.pool.conversation import Conversation

EVICTED, SUPERSEDED = StopReason.EVICTED, StopReason.SUPERSEDED
STATUS = ProvisionedStatus


def ahead(environment: str, revision: str = "r1") -> Launch:
    return Launch(environment, "f", revision, None, InitializationType.PROVISIONED)


def provisioned(count: int, options: PoolOptions | None = None, **scaling: float) -> Conversation:
    """One function with so many environments ready ahead: e1, e2, ..."""
    talk = Conversation(options)
    launched: list[Command] = talk.deploy(provisioned_concurrent_executions=count, **scaling)
    while launched:
        names = [command.environment_id for command in launched if isinstance(command, Launch)]
        launched = talk.ready(*names)
    return talk


def status(talk: Conversation) -> tuple[int, int, ProvisionedStatus]:
    told = talk.pool.provisioned("f")
    assert told is not None
    assert told.allocated == told.available
    return told.requested, told.available, told.status


def test_they_are_launched_with_the_deployment_a_few_at_a_time() -> None:
    talk = Conversation()
    first = talk.deploy(provisioned_concurrent_executions=6)
    assert first == [ahead(f"e{number}") for number in range(1, limits.PROVISIONING_AT_ONCE + 1)]
    assert status(talk) == (6, 0, STATUS.IN_PROGRESS)
    assert talk.ready("e1", "e2", "e3") == [ahead("e5"), ahead("e6")]
    talk.ready("e4", "e5", "e6")
    assert status(talk) == (6, 6, STATUS.READY)


def test_aws_names_what_they_are() -> None:
    assert InitializationType.PROVISIONED.value == "provisioned-concurrency"
    assert InitializationType.ON_DEMAND.value == "on-demand"
    assert [each.value for each in STATUS] == ["IN_PROGRESS", "READY", "FAILED"]


def test_nothing_is_told_where_nothing_is_asked_for() -> None:
    talk = Conversation()
    talk.deploy()
    assert talk.pool.provisioned("f") is None
    assert talk.pool.provisioned("unknown") is None


def test_they_are_kept_while_those_on_demand_go() -> None:
    talk = provisioned(1, keep_alive_s=10)
    talk.arrive("i1", "i2")
    talk.ready("e2")
    talk.turn("e1")
    talk.turn("e2")
    assert talk.wait(1000) == [Stop("e2", StopReason.IDLE)]
    assert status(talk) == (1, 1, STATUS.READY)
    assert next((e.id, e.provisioned) for e in talk.pool.environments()) == ("e1", True)


def test_what_they_cannot_take_spills_over_to_on_demand() -> None:
    talk = provisioned(1)
    assert talk.arrive("i1", "i2") == [Dispatch("e1", "i1"), Launch("e2", "f", "r1", "i2")]


def test_they_serve_before_those_on_demand_whoever_was_used_last() -> None:
    talk = provisioned(2)
    talk.arrive("i1", "i2", "i3")
    talk.ready("e3")
    for name in ("e1", "e2", "e3"):
        talk.turn(name)
    served = talk.arrive("i4", "i5", "i6")
    assert served == [Dispatch("e2", "i4"), Dispatch("e1", "i5"), Dispatch("e3", "i6")]


def test_nobody_waits_for_one_to_initialise_but_its_first_poll_serves_who_waits() -> None:
    talk = Conversation()
    assert talk.deploy(provisioned_concurrent_executions=1) == [ahead("e1")]
    assert talk.arrive("i1") == [Launch("e2", "f", "r1", "i1")]
    assert talk.ready("e1") == [Dispatch("e1", "i1")]


def test_more_than_the_maximum_is_the_maximum() -> None:
    talk = provisioned(3, max_environments=1)
    talk.arrive("i1", "i2", "i3")
    assert talk.arrive("i4") == []
    assert talk.turn("e1") == [Dispatch("e1", "i4")]


def test_prewarming_counts_them() -> None:
    assert provisioned(1).tell(Prewarm("f", 1)) == []


def test_a_new_revision_replaces_them() -> None:
    talk = provisioned(2)
    talk.arrive("i1")  # e2
    stopped = talk.deploy(revision="r2", provisioned_concurrent_executions=2)
    assert stopped == [Stop("e1", SUPERSEDED), ahead("e3", "r2"), ahead("e4", "r2")]
    assert status(talk) == (2, 0, STATUS.IN_PROGRESS)
    assert talk.turn("e2") == [Stop("e2", SUPERSEDED)]


def test_a_staged_one_is_taken_over() -> None:
    talk = provisioned(1)
    assert talk.tell(RevisionStaged("f", "r2", 128)) == [ahead("e2", "r2")]
    talk.ready("e2")
    assert talk.deploy(revision="r2", provisioned_concurrent_executions=1) == [
        Stop("e1", SUPERSEDED)
    ]
    assert status(talk) == (1, 1, STATUS.READY)


def test_fewer_stop_the_free_at_once_and_the_busy_when_they_are_free() -> None:
    talk = provisioned(3)
    talk.arrive("i1")  # e3
    assert talk.deploy(provisioned_concurrent_executions=1) == [
        Stop("e1", EVICTED),
        Stop("e2", EVICTED),
    ]
    assert talk.turn("e3") == []
    talk.arrive("i2")
    assert talk.deploy(provisioned_concurrent_executions=0) == []
    assert talk.turn("e3") == [Stop("e3", EVICTED)]


def test_idle_ones_on_demand_give_their_slots_and_busy_ones_later() -> None:
    talk = Conversation()
    talk.deploy(max_environments=2)
    talk.warm(2)
    talk.arrive("i1")  # e2
    assert talk.deploy(max_environments=2, provisioned_concurrent_executions=2) == [
        Stop("e1", EVICTED),
        ahead("e3"),
    ]
    assert talk.turn("e2") == [Stop("e2", EVICTED), ahead("e4")]


def test_a_cold_invocation_takes_the_place_of_one_on_demand() -> None:
    talk = provisioned(1, max_environments=2)
    talk.arrive("i1", "i2")
    talk.ready("e2")
    talk.turn("e1")
    talk.turn("e2")
    assert talk.arrive("i3", cold=True)[0] == Stop("e2", EVICTED)


def test_slots_wait_for_stops_to_end() -> None:
    talk = Conversation()
    talk.deploy(max_environments=1)
    talk.warm()
    talk.arrive("i1", cold=True)  # stops e1, launches e2
    talk.ready("e2")
    talk.turn("e2")
    assert talk.deploy(max_environments=1, provisioned_concurrent_executions=1) == []
    assert talk.tell(EnvironmentStopped("e1")) == [Stop("e2", EVICTED), ahead("e3")]


# -- failures ----------------------------------------------------------------------------------


def test_one_that_does_not_initialise_fails_nobody_and_is_tried_again_later() -> None:
    talk = Conversation()
    talk.deploy(provisioned_concurrent_executions=1, max_environments=1)
    talk.arrive("i1")
    assert talk.tell(EnvironmentFailed("e1", StopReason.INIT_FAILED)) == [
        Stop("e1", StopReason.INIT_FAILED),
        Launch("e2", "f", "r1", "i1"),
    ]
    assert status(talk) == (1, 0, STATUS.FAILED)
    told = talk.pool.provisioned("f")
    assert told is not None
    assert told.failure is StopReason.INIT_FAILED
    talk.ready("e2")
    talk.turn("e2")
    talk.tell(EnvironmentStopped("e1"))
    assert talk.wait(limits.PROVISIONING_RETRY_S - 1) == []
    assert talk.pool.next_deadline() == limits.PROVISIONING_RETRY_S
    assert talk.wait(1) == [Stop("e2", EVICTED), ahead("e3")]
    talk.ready("e3")
    assert status(talk) == (1, 1, STATUS.READY)


def test_a_deployment_tries_at_once() -> None:
    talk = Conversation()
    talk.deploy(provisioned_concurrent_executions=1)
    talk.tell(EnvironmentFailed("e1", StopReason.INIT_FAILED))
    assert talk.deploy(provisioned_concurrent_executions=1) == [ahead("e2")]


def test_one_that_crashes_idle_before_any_use_is_not_replaced_for_ever() -> None:
    talk = provisioned(1)
    assert talk.tell(EnvironmentFailed("e1", StopReason.CRASHED)) == [
        Stop("e1", StopReason.CRASHED)
    ]


@pytest.mark.parametrize("served", [False, True])
def test_one_that_was_of_use_is_replaced_at_once(served: bool) -> None:
    talk = provisioned(1)
    talk.arrive("i1")
    if served:
        talk.turn("e1")
    commands = talk.tell(EnvironmentFailed("e1", StopReason.CRASHED))
    assert commands[-1] == ahead("e2")
    assert status(talk) == (1, 0, STATUS.IN_PROGRESS)


def test_one_whose_poll_never_comes_back_is_given_up() -> None:
    talk = provisioned(1)
    talk.arrive("i1")
    talk.turn("e1")
    talk.tell(PollLost("e1"))
    assert talk.wait(limits.REPOLL_MAX_S) == [Stop("e1", StopReason.CRASHED), ahead("e2")]


def test_after_a_timeout_it_initialises_anew_and_is_not_waited_for() -> None:
    talk = provisioned(1)
    talk.arrive("i1")
    talk.tell(EnvironmentReset("e1"))
    assert status(talk) == (1, 0, STATUS.IN_PROGRESS)
    assert talk.arrive("i2") == [Launch("e2", "f", "r1", "i2")]
    talk.ready("e1")
    assert status(talk) == (1, 1, STATUS.READY)


def test_a_failed_staging_says_nothing_of_what_serves() -> None:
    talk = provisioned(1)
    talk.tell(RevisionStaged("f", "r2", 128))
    talk.tell(EnvironmentFailed("e2", StopReason.INIT_FAILED))
    assert status(talk) == (1, 1, STATUS.READY)


# -- memory ------------------------------------------------------------------------------------


def test_idle_ones_on_demand_of_others_make_room() -> None:
    talk = Conversation(PoolOptions(memory_budget_mb=256))
    talk.deploy("g")
    talk.warm(2, "g")
    assert talk.deploy(provisioned_concurrent_executions=1) == [Stop("e1", EVICTED)]
    assert talk.tell(EnvironmentStopped("e1")) == [ahead("e3")]


def test_they_make_room_when_nothing_else_can_and_come_back() -> None:
    talk = provisioned(2, PoolOptions(memory_budget_mb=256))
    talk.deploy("g")
    assert talk.arrive("i1", function="g") == [Stop("e1", EVICTED)]
    assert talk.tell(EnvironmentStopped("e1")) == [Launch("e3", "g", "r1", "i1")]
    talk.ready("e3")
    assert status(talk) == (2, 1, STATUS.IN_PROGRESS)
    assert talk.turn("e3") == [Stop("e3", EVICTED)]
    assert talk.tell(EnvironmentStopped("e3")) == [ahead("e4")]


def test_who_waits_for_memory_comes_first() -> None:
    talk = Conversation(PoolOptions(memory_budget_mb=128))
    talk.deploy("g")
    talk.arrive("i1", function="g")
    talk.ready("e1")
    talk.deploy("h")
    talk.arrive("i2", function="h")
    assert talk.deploy(provisioned_concurrent_executions=1) == []
    assert talk.turn("e1") == [Stop("e1", EVICTED)]
    assert talk.tell(EnvironmentStopped("e1")) == [Launch("e2", "h", "r1", "i2")]


def test_who_waits_for_much_memory_is_not_starved() -> None:
    talk = Conversation(PoolOptions(memory_budget_mb=256))
    talk.deploy("g")
    talk.arrive("i1", function="g")
    talk.ready("e1")
    talk.deploy("big", memory_mb=256)
    talk.arrive("i2", function="big")
    assert talk.deploy(provisioned_concurrent_executions=1) == []  # would fit, but came later
    assert talk.turn("e1") == [Stop("e1", EVICTED)]
    assert talk.tell(EnvironmentStopped("e1")) == [Launch("e2", "big", "r1", "i2")]


# -- concurrency -------------------------------------------------------------------------------


def test_it_is_set_aside_out_of_what_the_function_reserves() -> None:
    """AWS: all of it provisioned throttles the unpublished version."""
    talk = Conversation()
    talk.deploy(reserved_concurrent_executions=2)
    talk.deploy("f:1", group="f", provisioned_concurrent_executions=2)
    assert talk.arrive("i1") == [Throttle("i1", ThrottleReason.RESERVED)]
    assert [type(c) for c in talk.arrive("i2", "i3", function="f:1")] == [Launch, Launch]
    assert talk.arrive("i4", function="f:1") == [Throttle("i4", ThrottleReason.RESERVED)]


def test_without_a_reservation_it_is_set_aside_out_of_the_account() -> None:
    talk = Conversation(PoolOptions(concurrent_executions=3))
    talk.deploy(provisioned_concurrent_executions=2)
    talk.deploy("g")
    assert talk.pool.account == AccountConcurrency(3, 3, 2)
    talk.arrive("i1", function="g")
    assert talk.arrive("i2", function="g") == [Throttle("i2", ThrottleReason.ACCOUNT)]
    talk.arrive("i3", "i4")
    assert talk.arrive("i5") == [Throttle("i5", ThrottleReason.ACCOUNT)]
    talk.deploy(provisioned_concurrent_executions=0)
    assert talk.arrive("i6") == [Throttle("i6", ThrottleReason.ACCOUNT)]  # i3 and i4 run on


# -- the end -----------------------------------------------------------------------------------


def test_a_removed_function_provisions_nothing_more() -> None:
    talk = provisioned(1)
    talk.arrive("i1")
    talk.tell(FunctionRemoved("f"))
    assert talk.pool.provisioned("f") is None
    assert talk.turn("e1") == [Stop("e1", SUPERSEDED)]
    assert talk.tell(EnvironmentStopped("e1")) == []


def test_nothing_is_provisioned_after_the_end() -> None:
    talk = provisioned(1)
    assert talk.tell(Shutdown()) == [Stop("e1", StopReason.SHUTDOWN)]
    assert talk.tell(EnvironmentStopped("e1")) == []
    assert talk.deploy(revision="r2", provisioned_concurrent_executions=1) == []


# -- a fault that the machine found ------------------------------------------------------------


def test_who_is_handed_over_again_is_not_evicted_by_an_earlier_cold_one() -> None:
    """The line of the function and that of the daemon must agree on who comes first."""
    talk = Conversation()
    talk.deploy(max_environments=1)
    talk.warm()
    talk.arrive("i1", cold=True)  # stops e1, launches e2
    talk.ready("e2")
    talk.turn("e2")
    assert talk.arrive("i2", cold=True) == []  # until e1 has stopped
    assert talk.arrive("i3") == [Dispatch("e2", "i3")]
    talk.tell(DispatchFailed("e2", "i3"), EnvironmentFailed("e2", StopReason.CRASHED))
    assert talk.tell(EnvironmentStopped("e1")) == [Launch("e3", "f", "r1", "i3")]
    talk.tell(EnvironmentStopped("e2"))
    assert talk.ready("e3") == [Dispatch("e3", "i3")]
