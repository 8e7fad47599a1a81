"""The table of a mapping's states."""

import pytest

from lambdash.emulator.mappings import Change, State
from lambdash.emulator.mappings.states import TRANSITIONS, after, is_moving

SETTLED = (State.ENABLED, State.DISABLED, State.DELETED)


@pytest.mark.parametrize("state", list(State))
def test_what_moves_takes_no_other_change(state: State) -> None:
    wanted = {Change.ENABLE, Change.DISABLE, Change.UPDATE, Change.DELETE}
    assert is_moving(state) is (state not in SETTLED)
    if is_moving(state):
        assert not wanted & TRANSITIONS[state].keys()


@pytest.mark.parametrize(
    ("state", "change", "then"),
    [
        (State.CREATING, Change.SETTLE_ENABLED, State.ENABLED),
        (State.CREATING, Change.SETTLE_DISABLED, State.DISABLED),
        (State.ENABLED, Change.DISABLE, State.DISABLING),
        (State.DISABLING, Change.SETTLE_DISABLED, State.DISABLED),
        (State.DISABLED, Change.ENABLE, State.ENABLING),
        (State.ENABLING, Change.SETTLE_ENABLED, State.ENABLED),
        (State.ENABLED, Change.UPDATE, State.UPDATING),
        (State.UPDATING, Change.SETTLE_DISABLED, State.DISABLED),
        (State.DISABLED, Change.DELETE, State.DELETING),
        (State.DELETING, Change.SETTLE_ENABLED, State.DELETED),
        (State.ENABLED, Change.ENABLE, None),
        (State.CREATING, Change.DELETE, None),
        (State.DELETED, Change.UPDATE, None),
    ],
)
def test_transitions(state: State, change: Change, then: State | None) -> None:
    assert after(state, change) is then


def test_every_state_that_moves_can_settle() -> None:
    settling = {Change.SETTLE_ENABLED, Change.SETTLE_DISABLED}
    assert all(settling & TRANSITIONS[state].keys() for state in State if is_moving(state))
