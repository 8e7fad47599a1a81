"""One budget for all functions: who makes room for whom, and in which order."""

from lambdash.pool import (
    CallerGone,
    Dispatch,
    DispatchFailed,
    EnvironmentFailed,
    EnvironmentStopped,
    Launch,
    PoolOptions,
    Prewarm,
    Stop,
    StopReason,
)
from tests.pool.conversation import Conversation

EVICTED = StopReason.EVICTED


def talk_within(memory_mb: int, **functions: int) -> Conversation:
    talk = Conversation(PoolOptions(memory_budget_mb=memory_mb))
    for name, size in functions.items():
        talk.deploy(name, f"{name}1", size)
    return talk


def test_the_least_recently_used_of_the_others_makes_room() -> None:
    talk = talk_within(384, f=128, g=128, h=128)
    talk.warm(1, "f")
    talk.now = 1.0
    talk.warm(1, "g")
    talk.now = 2.0
    talk.warm(1, "h")
    talk.arrive("i1", function="h")
    assert talk.arrive("i2", function="h") == [Stop("e1", EVICTED)]
    assert talk.tell(EnvironmentStopped("e1")) == [Launch("e4", "h", "h1", "i2")]


def test_a_stopping_environment_is_charged_until_it_has_stopped_and_evicts_once() -> None:
    talk = talk_within(256, f=128, g=128)
    talk.warm(2, "f")
    assert talk.arrive("i1", function="g") == [Stop("e1", EVICTED)]
    assert talk.arrive("i2", function="f") == [Dispatch("e2", "i2")]
    assert talk.tell(EnvironmentStopped("e1")) == [Launch("e3", "g", "g1", "i1")]


def test_while_others_are_busy_it_waits_and_takes_the_first_that_gets_free() -> None:
    talk = talk_within(128, f=128, g=128)
    talk.warm(1, "f")
    talk.arrive("i1", function="f")
    assert talk.arrive("i2", function="g") + talk.arrive("i3", function="f") == []
    assert talk.turn("e1") == [Stop("e1", EVICTED)]
    assert talk.tell(EnvironmentStopped("e1")) == [Launch("e2", "g", "g1", "i2")]
    assert talk.ready("e2") == [Dispatch("e2", "i2")]
    assert talk.turn("e2") == [Stop("e2", EVICTED)]
    assert talk.tell(EnvironmentStopped("e2")) == [Launch("e3", "f", "f1", "i3")]


def test_who_came_first_is_served_by_its_own_before_it_gives_way() -> None:
    talk = talk_within(128, f=128, g=128)
    talk.deploy("f", "f1", max_environments=1)
    talk.warm(1, "f")
    talk.arrive("i1", "i2", function="f")
    talk.arrive("i3", function="g")
    assert talk.turn("e1") == [Dispatch("e1", "i2")]
    assert talk.turn("e1") == [Stop("e1", EVICTED)]


def test_the_small_do_not_starve_the_large() -> None:
    talk = talk_within(256, big=256, f=128, g=128)
    talk.warm(1, "f")
    talk.arrive("i1", function="f")
    assert talk.arrive("i2", function="big") == []
    assert talk.arrive("i3", function="g") == []  # would fit, but came later
    assert talk.tell(Prewarm("g", 1)) == []
    assert talk.turn("e1") == [Stop("e1", EVICTED)]
    assert talk.tell(EnvironmentStopped("e1")) == [Launch("e2", "big", "big1", "i2")]


def test_when_the_large_leaves_the_line_moves_on() -> None:
    talk = talk_within(256, big=256, f=128, g=128)
    talk.warm(1, "f")
    talk.arrive("i1", function="f")
    talk.arrive("i2", function="big")
    talk.arrive("i3", function="g")
    assert talk.tell(CallerGone("i2")) == [Launch("e2", "g", "g1", "i3")]


def test_a_function_larger_than_the_budget_runs_alone() -> None:
    talk = talk_within(256, huge=1024, f=128)
    talk.warm(1, "f")
    assert talk.arrive("i1", "i2", function="huge") == [Stop("e1", EVICTED)]
    assert talk.tell(EnvironmentStopped("e1")) == [Launch("e2", "huge", "huge1", "i1")]
    assert talk.ready("e2") == [Dispatch("e2", "i1")]
    assert talk.turn("e2") == [Dispatch("e2", "i2")]


def test_a_cold_invocation_takes_the_memory_of_its_own_functions_idle_one() -> None:
    talk = talk_within(128, f=128)
    talk.warm(1, "f")
    assert talk.arrive("i1", cold=True) == [Stop("e1", EVICTED)]
    assert talk.tell(EnvironmentStopped("e1")) == [Launch("e2", "f", "f1", "i1")]


def test_an_eviction_serves_whoever_came_earlier_first() -> None:
    """Found by the machine: who counted on the evicted one may have come before the evictor."""
    talk = talk_within(512, f=128, g=300)
    talk.deploy("f", "f1", max_environments=2)
    talk.arrive("i1", "i2", "i3")
    talk.tell(EnvironmentFailed("e1", StopReason.CRASHED))  # i1 fails, e3 is for i3
    talk.ready("e2", "e3")
    assert talk.tell(DispatchFailed("e3", "i3")) == []
    assert talk.arrive("i4", function="g") == [
        Stop("e3", EVICTED),
        Launch("e4", "f", "f1", "i3"),
    ]


def test_who_counts_on_a_poll_to_come_leaves_the_memory_to_others() -> None:
    """Found by the machine: an answer alone may end somebody's want of memory."""
    talk = talk_within(512, f=128, g=300)
    talk.deploy("g", "g1", 300, max_environments=2)
    talk.arrive("i1", "i2", function="g")
    talk.ready("e1")
    assert talk.arrive("i3", function="f") == []  # i2 came earlier and lacks memory
    assert talk.respond("e1") == [Launch("e2", "f", "f1", "i3")]
    assert talk.ready("e1") == [Dispatch("e1", "i2")]
