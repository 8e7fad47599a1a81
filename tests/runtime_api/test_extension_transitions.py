"""Every (state, event) pair of one extension's table."""

import pytest

from lambdash.runtime_api.extension_states import TRANSITIONS, ExtensionEvent, ExtensionState
from lambdash.runtime_api.extensions import Extension

# each state, and a way that leads there
LADDER: dict[ExtensionState, tuple[ExtensionEvent, ...]] = {
    ExtensionState.STARTED: (),
    ExtensionState.REGISTERED: (ExtensionEvent.REGISTER,),
    ExtensionState.READY: (ExtensionEvent.REGISTER, ExtensionEvent.NEXT),
    ExtensionState.RUNNING: (ExtensionEvent.REGISTER, ExtensionEvent.NEXT, ExtensionEvent.DELIVER),
    ExtensionState.AWAY: (ExtensionEvent.REGISTER, ExtensionEvent.NEXT, ExtensionEvent.POLL_LOST),
    ExtensionState.INIT_ERROR: (ExtensionEvent.REGISTER, ExtensionEvent.INIT_ERROR),
    ExtensionState.EXIT_ERROR: (ExtensionEvent.REGISTER, ExtensionEvent.EXIT_ERROR),
    ExtensionState.EXITED: (ExtensionEvent.EXIT,),
}


def test_the_table_names_every_state() -> None:
    assert set(TRANSITIONS) == set(ExtensionState) == set(LADDER)


@pytest.mark.parametrize("event", list(ExtensionEvent), ids=lambda event: event.name)
@pytest.mark.parametrize("state", list(ExtensionState), ids=lambda state: state.name)
def test_each_pair(state: ExtensionState, event: ExtensionEvent) -> None:
    extension = Extension("watcher", "id", external=True)
    for step in LADDER[state]:
        assert extension.move(step)
    assert extension.state is state

    assert extension.move(event) is (event in TRANSITIONS[state])

    assert extension.state is TRANSITIONS[state].get(event, state)


def test_it_says_what_it_is() -> None:
    assert repr(Extension("a", "id", external=True)) == "<Extension a external STARTED>"
    assert repr(Extension("b", "id", external=False)) == "<Extension b internal STARTED>"
