"""Keeps event source mappings and moves them from state to state; pollers are plugged in.

A mapping's document has AWS's members (``EventSourceMappingConfiguration``) and ``Enabled``, what
was asked for last. A state that is passed through is on disk as well: after a restart it goes on.
"""

import logging
from collections.abc import Mapping
from typing import Any, Protocol

from lambdash.clock import Clock
from lambdash.emulator.mappings.states import Change, State, after, is_moving
from lambdash.emulator.registry import Registry
from lambdash.errors import LambdashError
from lambdash.tasks import Tasks

KIND = "event-source-mapping"
_log = logging.getLogger(__name__)

Document = Mapping[str, Any]


class Polling(Protocol):
    """Whoever runs the pollers."""

    def polls(self, source_arn: str) -> bool:
        """Whether there is a poller for such a source."""

    async def apply(self, mapping: Document) -> None:
        """Poll by this document from now on, or no more when it is not enabled."""

    async def stop(self, uuid: str) -> None:
        """Poll for it no more; what is with the function has ended when this returns."""

    async def close(self) -> None:
        """End all at once; what is with a function is delivered again."""


class EventSourceMappings:
    """Belongs to the event loop. Changes are in memory at once, on disk with the registry's."""

    def __init__(self, registry: Registry, clock: Clock) -> None:
        self._registry = registry
        self._clock = clock
        self._polling: Polling | None = None
        self._tasks = Tasks()

    async def start(self, polling: Polling | None = None) -> None:
        """Take up what was there before; ``polling`` is asked from here on."""
        self._polling = polling
        for uuid, mapping in tuple(self.all().items()):
            if is_moving(State(mapping["State"])):
                self._settle_later(uuid)
            else:
                await self._resume(uuid, mapping)

    async def close(self) -> None:
        """What has not settled yet does so after the next start."""
        await self._tasks.cancel()
        polling, self._polling = self._polling, None
        if polling is not None:
            await polling.close()

    def all(self) -> Mapping[str, Document]:
        """Every mapping by its UUID, in the order they were made."""
        return self._registry.objects(KIND)

    @property
    def is_polling(self) -> bool:
        """Whether something is waited for outside: an enabled mapping that has a poller."""
        polling = self._polling
        return polling is not None and any(
            one["Enabled"] and polling.polls(one["EventSourceArn"]) for one in self.all().values()
        )

    def create(self, mapping: Document) -> Document:
        """A new mapping, ``Creating``."""
        return self._begin(mapping, State.CREATING)

    def change(self, uuid: str, change: Change, **members: object) -> Document | None:
        """Begin a change of an existing mapping; None while another one is on its way."""
        mapping = self.all()[uuid]
        state = after(State(mapping["State"]), change)
        return None if state is None else self._begin({**mapping, **members}, state)

    def said(self, uuid: str, result: str) -> None:
        """What a poller says of its last batch: ``LastProcessingResult``."""
        mapping = self.all().get(uuid)
        if mapping is not None:
            self._registry.put_object(KIND, uuid, {**mapping, "LastProcessingResult": result})

    def _begin(self, mapping: Document, state: State) -> Document:
        moved = {**mapping, "State": state.value, "LastModified": self._clock.wall().timestamp()}
        self._registry.put_object(KIND, moved["UUID"], moved)
        self._settle_later(moved["UUID"])
        return moved

    def _settle_later(self, uuid: str) -> None:
        self._tasks.spawn(self._settle(uuid), f"settle mapping {uuid}")

    async def _settle(self, uuid: str) -> None:
        mapping = self.all()[uuid]
        if mapping["State"] == State.DELETING:
            await self._stop(uuid)
        else:
            await self._poll(uuid, mapping)
        settled = Change.SETTLE_ENABLED if mapping["Enabled"] else Change.SETTLE_DISABLED
        state = after(State(mapping["State"]), settled)
        assert state is not None, mapping["State"]
        if state is State.DELETED:
            self._registry.remove_object(KIND, uuid)
        else:
            self._registry.put_object(KIND, uuid, {**self.all()[uuid], "State": state.value})
        await self._registry.written()

    async def _resume(self, uuid: str, mapping: Document) -> None:
        """One mapping that cannot be taken up does not keep the others from it."""
        try:
            await self._poll(uuid, mapping)
        except LambdashError as error:
            _log.warning("mapping %s is not polled: %s", uuid, error.message)

    async def _poll(self, uuid: str, mapping: Document) -> None:
        source = mapping["EventSourceArn"]
        if self._polling is not None and self._polling.polls(source):
            await self._polling.apply(mapping)
        elif mapping["Enabled"]:
            _log.warning("mapping %s delivers nothing: no poller reads %s yet", uuid, source)

    async def _stop(self, uuid: str) -> None:
        if self._polling is not None:
            await self._polling.stop(uuid)
