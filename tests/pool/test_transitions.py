"""The table of states: every (state, news) pair through the public door, and its drawing."""

import pytest

from lambdash.pool import (
    DispatchFailed,
    EnvironmentFailed,
    EnvironmentLaunched,
    EnvironmentReady,
    EnvironmentReset,
    EnvironmentResponded,
    EnvironmentState,
    EnvironmentStopped,
    Event,
    IllegalTransition,
    PollLost,
    Stop,
    StopReason,
    environment,
)
from lambdash.pool.environment import TRANSITIONS
from tests.pool.conversation import Conversation

State = EnvironmentState
NEWS: tuple[Event, ...] = (
    EnvironmentLaunched("e1"),
    EnvironmentReady("e1"),
    EnvironmentResponded("e1"),
    PollLost("e1"),
    DispatchFailed("e1", "i1"),
    EnvironmentReset("e1"),
    EnvironmentFailed("e1", StopReason.CRASHED),
    EnvironmentStopped("e1"),
)
WAY_THERE: dict[State, tuple[Event, ...]] = {
    State.LAUNCHING: (),
    State.INITIALIZING: (EnvironmentLaunched("e1"),),
    State.INVOKING: (EnvironmentReady("e1"),),
    State.RESPONDED: (EnvironmentReady("e1"), EnvironmentResponded("e1")),
    State.IDLE: (EnvironmentReady("e1"), EnvironmentResponded("e1"), EnvironmentReady("e1")),
    State.RECONNECTING: (EnvironmentReady("e1"), DispatchFailed("e1", "i1")),
    State.STOPPING: (EnvironmentFailed("e1", StopReason.CRASHED),),
    State.STOPPED: (EnvironmentFailed("e1", StopReason.CRASHED), EnvironmentStopped("e1")),
}


def environment_in(state: State) -> Conversation:
    talk = Conversation()
    talk.deploy(max_environments=1)
    talk.arrive("i1")
    talk.tell(*WAY_THERE[state])
    assert talk.states() == ({} if state is State.STOPPED else {"e1": state})
    return talk


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", NEWS, ids=lambda event: type(event).__name__)
def test_every_news_in_every_state(state: State, event: Event) -> None:
    talk = environment_in(state)
    said = repr(talk.pool)
    expected = TRANSITIONS[state].get(type(event))
    if state is State.STOPPED:
        assert talk.tell(event) == []
        assert talk.states() == {}
    elif expected is None:
        with pytest.raises(IllegalTransition) as raised:
            talk.tell(event)
        assert raised.value.code == "illegal-transition"
        assert repr(talk.pool) == said
        assert talk.states() == {"e1": state}
    else:
        reached = {State.STOPPED: {}}.get(expected, {"e1": expected})
        commands = talk.tell(event)
        if expected is State.IDLE and talk.states() == {"e1": State.INVOKING}:
            assert "Dispatch" in repr(commands)  # ready, and someone waited
        else:
            assert {k: v for k, v in talk.states().items() if k == "e1"} == reached


@pytest.mark.parametrize("state", set(State) - {State.STOPPING, State.STOPPED})
def test_every_live_state_can_be_stopped_and_can_fail(state: State) -> None:
    assert TRANSITIONS[state][Stop] is State.STOPPING
    assert TRANSITIONS[state][EnvironmentFailed] is State.STOPPING


def test_a_stopping_environment_swallows_everything_but_its_end() -> None:
    talk = environment_in(State.STOPPING)
    for event in NEWS[:-1]:
        assert talk.tell(event) == []
        assert talk.states() == {"e1": State.STOPPING}
    assert talk.tell(EnvironmentStopped("e1")) == []
    assert talk.states() == {}


def test_a_hand_over_of_another_invocation_is_a_defect_and_changes_nothing() -> None:
    talk = environment_in(State.INVOKING)
    with pytest.raises(IllegalTransition, match="DispatchFailed cannot happen to <Environment e1"):
        talk.tell(DispatchFailed("e1", "i9"))
    assert talk.states() == {"e1": State.INVOKING}


def test_the_drawing_in_the_docstring_is_the_table() -> None:
    drawn = [line.strip() for line in (environment.__doc__ or "").splitlines() if "->" in line]
    moves: dict[tuple[State, State], list[str]] = {}
    for state, row in TRANSITIONS.items():
        for cause, reached in row.items():
            if reached is not state:
                moves.setdefault((state, reached), []).append(cause.__name__)
    assert drawn == [
        f"{state.name} -> {reached.name}: {', '.join(causes)}"
        for (state, reached), causes in moves.items()
    ]
