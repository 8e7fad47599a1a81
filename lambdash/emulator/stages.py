"""Revisions that are made ready before anybody is sent to them, and who waits for that."""

import asyncio

from lambdash.model import Outcome


class Stages:
    """One waiter a revision. Belongs to the event loop it is used on."""

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Future[Outcome | None]] = {}

    def expect(self, revision_id: str) -> "asyncio.Future[Outcome | None]":
        """What becomes of the revision: None when it is ready, else how its init ended."""
        expected: asyncio.Future[Outcome | None] = asyncio.get_running_loop().create_future()
        self._waiting[revision_id] = expected
        return expected

    def forget(self, revision_id: str) -> None:
        """Nobody waits any more."""
        del self._waiting[revision_id]

    def settle(self, revision_id: str, outcome: Outcome | None) -> None:
        """Tell whoever waits; nothing happens when nobody does, or knows already."""
        if self._waiting:
            expected = self._waiting.get(revision_id)
            if expected is not None and not expected.done():
                expected.set_result(outcome)
