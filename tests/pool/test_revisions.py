"""Switching revisions: old code is never met by a call that came after, and edits cost nothing."""

import pytest

from lambdash.pool import (
    Dispatch,
    DispatchFailed,
    EnvironmentFailed,
    EnvironmentReset,
    EnvironmentStopped,
    FunctionRemoved,
    Launch,
    PollLost,
    PoolOptions,
    RevisionStaged,
    Stop,
    StopReason,
)
from lambdash.pool.environment import EnvironmentState as State
from tests.pool.conversation import Conversation

SUPERSEDED = StopReason.SUPERSEDED


@pytest.fixture
def talk() -> Conversation:
    talk = Conversation()
    talk.deploy()
    return talk


def test_a_new_revision_stops_the_idle_and_drains_the_busy(talk: Conversation) -> None:
    talk.warm(2)
    talk.arrive("i1")  # e2
    assert talk.deploy(revision="r2") == [Stop("e1", SUPERSEDED)]
    assert talk.arrive("i2") == [Launch("e3", "f", "r2", "i2")]
    assert talk.respond("e2") == []
    assert talk.ready("e2") == [Stop("e2", SUPERSEDED)]
    assert talk.ready("e3") == [Dispatch("e3", "i2")]


def test_who_waits_is_served_by_the_new_revision(talk: Conversation) -> None:
    talk.arrive("i1")
    talk.arrive("i2", cold=True)
    assert talk.deploy(revision="r2") == [
        Stop("e1", SUPERSEDED),
        Stop("e2", SUPERSEDED),
        Launch("e3", "f", "r2", "i1"),
        Launch("e4", "f", "r2", "i2"),
    ]
    assert talk.ready("e1") == []


def test_draining_environments_count_against_the_maximum(talk: Conversation) -> None:
    talk.deploy(max_environments=1)
    talk.arrive("i1")
    talk.ready("e1")
    talk.deploy(revision="r2", max_environments=1)
    assert talk.arrive("i2") == []
    assert talk.turn("e1") == [Stop("e1", SUPERSEDED), Launch("e2", "f", "r2", "i2")]


def test_a_timeout_or_a_failed_hand_over_of_an_old_revision_ends_its_environment(
    talk: Conversation,
) -> None:
    talk.arrive("i1", "i2")
    talk.ready("e1", "e2")
    talk.deploy(revision="r2")
    assert talk.tell(EnvironmentReset("e1")) == [Stop("e1", SUPERSEDED)]
    assert talk.tell(DispatchFailed("e2", "i2")) == [
        Stop("e2", SUPERSEDED),
        Launch("e3", "f", "r2", "i2"),
    ]


def test_the_same_revision_again_changes_nothing(talk: Conversation) -> None:
    talk.warm()
    assert talk.deploy() == []
    assert talk.arrive("i1") == [Dispatch("e1", "i1")]


def test_a_removed_function_comes_back_while_its_old_environments_drain(
    talk: Conversation,
) -> None:
    talk.arrive("i1")
    talk.ready("e1")
    talk.tell(FunctionRemoved("f"))
    talk.deploy(revision="r2", max_environments=1)
    assert talk.arrive("i2") == []
    assert talk.turn("e1") == [Stop("e1", SUPERSEDED), Launch("e2", "f", "r2", "i2")]


# -- staging -----------------------------------------------------------------------------------


def test_a_staged_revision_is_ready_before_it_takes_over(talk: Conversation) -> None:
    talk.deploy(max_environments=1)
    talk.warm()
    assert talk.tell(RevisionStaged("f", "r2", 128)) == [Launch("e2", "f", "r2", None)]
    assert talk.arrive("i1") == [Dispatch("e1", "i1")]
    assert talk.ready("e2") == []
    assert talk.deploy(revision="r2", max_environments=1) == []
    assert talk.arrive("i2") == [Dispatch("e2", "i2")]
    assert talk.turn("e1") == [Stop("e1", SUPERSEDED)]
    assert talk.turn("e2") == []


def test_a_switch_to_a_revision_still_starting_counts_on_its_environment(
    talk: Conversation,
) -> None:
    talk.tell(RevisionStaged("f", "r2", 128))
    talk.deploy(revision="r2")
    assert talk.arrive("i1") == []
    assert talk.ready("e1") == [Dispatch("e1", "i1")]


def test_who_waits_at_the_switch_is_served_by_the_staged_environment(talk: Conversation) -> None:
    talk.arrive("i1")
    talk.tell(RevisionStaged("f", "r2", 128))
    talk.ready("e2")
    assert talk.deploy(revision="r2") == [Stop("e1", SUPERSEDED), Dispatch("e2", "i1")]


def test_a_staged_environment_that_fails_fails_nobody(talk: Conversation) -> None:
    talk.arrive("i1")
    talk.tell(RevisionStaged("f", "r2", 128))
    assert talk.tell(EnvironmentFailed("e2", StopReason.INIT_FAILED)) == [
        Stop("e2", StopReason.INIT_FAILED)
    ]
    assert talk.ready("e1") == [Dispatch("e1", "i1")]


def test_a_newer_staging_replaces_the_older_and_another_revision_ends_both(
    talk: Conversation,
) -> None:
    talk.tell(RevisionStaged("f", "r2", 128))
    assert talk.tell(RevisionStaged("f", "r3", 128)) == [
        Stop("e1", SUPERSEDED),
        Launch("e2", "f", "r3", None),
    ]
    assert talk.deploy(revision="r4") == [Stop("e2", SUPERSEDED)]


def test_staging_what_is_there_already_or_unknown_launches_nothing(talk: Conversation) -> None:
    assert talk.tell(RevisionStaged("f", "r1", 128), RevisionStaged("g", "r1", 128)) == []


def test_staging_without_room_launches_nothing() -> None:
    talk = Conversation(PoolOptions(memory_budget_mb=200))
    talk.deploy()
    talk.warm()
    assert talk.tell(RevisionStaged("f", "r2", 128)) == []


def test_a_forgotten_staging_ends_by_keep_alive(talk: Conversation) -> None:
    talk.deploy(keep_alive_s=10)
    talk.tell(RevisionStaged("f", "r2", 128))
    talk.ready("e1")
    assert talk.tell(PollLost("e1")) == []
    assert talk.states() == {"e1": State.RECONNECTING}
    talk.ready("e1")
    assert talk.wait(10) == [Stop("e1", StopReason.IDLE)]
    assert talk.tell(EnvironmentStopped("e1")) == []
