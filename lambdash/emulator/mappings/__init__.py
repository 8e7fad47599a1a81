"""Event source mappings: their documents, their states, and who polls for them."""

from lambdash.emulator.mappings.mappings import EventSourceMappings, Polling
from lambdash.emulator.mappings.states import Change, State

__all__ = ["Change", "EventSourceMappings", "Polling", "State"]
