"""Functions, versions, aliases, their settings, and the account's other objects."""

from lambdash.emulator.registry.records import Origin, VersionRecord
from lambdash.emulator.registry.registry import FunctionEntry, Registry

__all__ = ["FunctionEntry", "Origin", "Registry", "VersionRecord"]
