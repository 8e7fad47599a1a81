"""The states of an event source mapping, as AWS names them, in one table.

https://docs.aws.amazon.com/lambda/latest/api/API_EventSourceMappingConfiguration.html (State)
"""

from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
    """``DELETED`` is ours: the mapping is gone."""

    CREATING = "Creating"
    ENABLING = "Enabling"
    ENABLED = "Enabled"
    DISABLING = "Disabling"
    DISABLED = "Disabled"
    UPDATING = "Updating"
    DELETING = "Deleting"
    DELETED = "Deleted"


class Change(StrEnum):
    """What a caller asks for, and ``SETTLE_...``: what was asked for is done."""

    ENABLE = "enable"
    DISABLE = "disable"
    UPDATE = "update"
    DELETE = "delete"
    SETTLE_ENABLED = "settle enabled"
    SETTLE_DISABLED = "settle disabled"


_SETTLED = {Change.SETTLE_ENABLED: State.ENABLED, Change.SETTLE_DISABLED: State.DISABLED}

TRANSITIONS: Mapping[State, Mapping[Change, State]] = {
    State.CREATING: _SETTLED,
    State.ENABLING: {Change.SETTLE_ENABLED: State.ENABLED},
    State.DISABLING: {Change.SETTLE_DISABLED: State.DISABLED},
    State.UPDATING: _SETTLED,
    State.ENABLED: {
        Change.UPDATE: State.UPDATING,
        Change.DISABLE: State.DISABLING,
        Change.DELETE: State.DELETING,
    },
    State.DISABLED: {
        Change.UPDATE: State.UPDATING,
        Change.ENABLE: State.ENABLING,
        Change.DELETE: State.DELETING,
    },
    State.DELETING: {
        Change.SETTLE_ENABLED: State.DELETED,
        Change.SETTLE_DISABLED: State.DELETED,
    },
    State.DELETED: {},
}


def after(state: State, change: Change) -> State | None:
    """The next state; None where the change is not allowed, because another is on its way."""
    return TRANSITIONS[state].get(change)


def is_moving(state: State) -> bool:
    """Whether the state passes by itself."""
    return state not in (State.ENABLED, State.DISABLED, State.DELETED)
